"""Writes the files of a report whole or not at all: all are finished aside, then renamed into place."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from siaga.errors import SiagaError


def write_both(pdf_path: Path, pdf: bytes, document: bytes) -> Path:
    """Write the PDF and the JSON beside it (same name, .json) and return the JSON's path.

    Raises SiagaError (`cannot-write`); then neither file is new and no half-written one is left.
    """
    json_path = pdf_path.with_suffix(".json")
    write_all([(json_path, document), (pdf_path, pdf)])
    return json_path


def write_all(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write every file. Raises SiagaError (`cannot-write`); then none is new and no half-written one is left."""
    waiting: list[tuple[Path, Path]] = []
    where = files[-1][0]
    try:
        for path, data in files:
            where = path
            waiting.append((_aside(path, data), path))
        for temporary, path in waiting:
            where = path
            temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SiagaError(
            "cannot-write",
            f"The report cannot be written to {where} ({error.filename or where}: {reason}); choose another place.",
        ) from None
    finally:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)


def _aside(path: Path, data: bytes) -> Path:
    """Write the data, synced to disk, to a new file in the same directory."""
    if path.is_dir():
        raise IsADirectoryError(21, "it is a directory", str(path))
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # noqa: PTH101 - mkstemp makes 0600, a report is to be read
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
