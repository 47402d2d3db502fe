"""What a file holds, bounded: nothing larger is read into memory."""

from pathlib import Path

from siaga.errors import InvalidError, NotFoundError

MAX_BYTES = 256 * 1024 * 1024


def file_octets(path: Path) -> bytes:
    """Return what a file holds; raises NotFoundError (`no-such-file`) or InvalidError (`bad-workbook`)."""
    try:
        if path.is_dir():
            raise InvalidError("bad-workbook", f"{path} is a directory, not a file.")
        if path.stat().st_size > MAX_BYTES:
            raise too_large(str(path))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise NotFoundError("no-such-file", f"{path} cannot be read: {reason}.") from None


def bounded(name: str, octets: bytes) -> bytes:
    """Return the octets; raises InvalidError (`bad-workbook`) when they are too many."""
    if len(octets) > MAX_BYTES:
        raise too_large(name)
    return octets


def too_large(name: str) -> InvalidError:
    """Return the error that says so."""
    return InvalidError(
        "bad-workbook", f"{name} is larger than {MAX_BYTES // 2**20} MiB: split it and import the parts."
    )
