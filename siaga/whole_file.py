"""Small files that are replaced in one piece: a reader, and who comes after a crash, sees the old text or the new."""

import os
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, text: str | bytes, *, mode: int = 0o640, durable: bool = False) -> None:
    """Put `text` in the place of the file; `durable`: it is on the disk on return. Raises OSError: the old stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(text if isinstance(text, bytes) else text.encode())
            if durable:
                file.flush()
                os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
