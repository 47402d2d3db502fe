"""Writes the report's two files whole or not at all: both are finished aside, then renamed into place."""

import os
import tempfile
from pathlib import Path

from siaga.errors import SiagaError


def write_both(pdf_path: Path, pdf: bytes, document: bytes) -> Path:
    """Write the PDF and the JSON beside it (same name, .json) and return the JSON's path.

    Raises SiagaError (`cannot-write`); then neither file is new and no half-written one is left.
    """
    json_path = pdf_path.with_suffix(".json")
    waiting: list[tuple[Path, Path]] = []
    try:
        for path, data in ((json_path, document), (pdf_path, pdf)):
            waiting.append((_aside(path, data), path))
        for temporary, path in waiting:
            temporary.replace(path)
    except OSError as error:
        where = error.filename or pdf_path
        reason = error.strerror or str(error)
        raise SiagaError(
            "cannot-write",
            f"The report cannot be written to {pdf_path} ({where}: {reason}); choose another place.",
        ) from None
    finally:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)
    return json_path


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
