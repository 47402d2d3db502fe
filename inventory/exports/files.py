"""Writes an export whole or not at all: aside in the same directory, synced, renamed; for its owner only to read."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from siaga.errors import SiagaError, UsageError

STDOUT = "-"


class Hashed:
    """A binary file that keeps the SHA-256 and the length of what goes through it; it cannot be sought in."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.octets = 0

    def write(self, data: bytes) -> int:
        """Write octets."""
        self._hash.update(data)
        self.octets += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Pass on what waits."""
        self._file.flush()

    @property
    def sha256(self) -> str:
        """The SHA-256 of all that was written, as 64 hex digits."""
        return self._hash.hexdigest()


@contextmanager
def whole(target: str) -> Iterator[Hashed]:
    """Open `target` to be written: '-' is standard output, anything else a file that appears when all is written.

    Raises SiagaError (`cannot-write`); then the old file, if there was one, is still there.
    """
    if target == STDOUT:
        yield _standard_output()
        return
    with explained(target):
        path = Path(target)
        if path.is_dir():
            raise IsADirectoryError(21, "it is a directory", target)
        number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    aside = Path(name)
    try:
        with explained(target), os.fdopen(number, "wb") as file:
            hashed = Hashed(cast(BinaryIO, file))
            yield hashed
            file.flush()
            os.fsync(file.fileno())
        with explained(target):
            aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _standard_output() -> Hashed:
    if sys.stdout is None:
        raise SiagaError("cannot-write", "There is no standard output to write to.")
    sys.stdout.flush()
    return Hashed(sys.stdout.buffer)


@contextmanager
def whole_directory(target: str) -> Iterator[Callable[[str], IO[bytes]]]:
    """Make files in a directory: all of them are finished aside, then moved into place.

    What is given opens a file by its name. A directory that is not there appears as a whole; in one that is,
    files of the same names are replaced and others are left. Raises SiagaError (`cannot-write`).
    """
    path = Path(target)
    with explained(target):
        aside = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}."))
    try:
        with explained(target):
            yield lambda name: _private(aside / name)
            _placed(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _placed(aside: Path, path: Path) -> None:
    for file in aside.iterdir():
        with file.open("rb") as written:
            os.fsync(written.fileno())
    if not path.exists():
        aside.replace(path)
        return
    for file in sorted(aside.iterdir()):
        file.replace(path / file.name)


@contextmanager
def explained(target: str) -> Iterator[None]:
    """Turn a failure of the file system into one sentence; a full disk is told by the roof."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in _ROOF:
            raise
        reason = error.strerror or str(error)
        raise SiagaError(
            "cannot-write", f"{target} cannot be written ({reason}): choose another place."
        ) from None


_ROOF = frozenset({28, 122, 5, 30})  # ENOSPC, EDQUOT, EIO, EROFS: `disk-full`, exit code 75


def needs_file(target: str, what: str) -> None:
    """Raise UsageError (`needs-out`) where octets that are no text would go to a terminal."""
    if target == STDOUT and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("needs-out", f"{what} is no text for a terminal: say where it goes with --out FILE.")
