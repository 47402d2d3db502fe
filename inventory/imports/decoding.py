"""Octets become text: UTF-8, UTF-16 with its mark, and windows-1252 only where it cannot be anything else."""

import codecs
import re
from collections.abc import Iterator

from inventory.imports.signature import utf16_without_mark
from siaga.errors import InvalidError

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What these code pages of Latin letters agree on, windows-1252 reads as its writer meant it.
_PAGES = ("cp1252", "cp1250", "cp1254", "cp1257")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


def _agreed() -> dict[int, str]:
    found = {}
    for octet in range(0x80, 0x100):
        readings = {bytes([octet]).decode(page, errors="replace") for page in _PAGES}
        if len(readings) == 1 and "\ufffd" not in readings:
            found[octet] = readings.pop()
    return found


_SAFE = _agreed()


def text_of(octets: bytes, source: str) -> str:
    """Return the text of a file.

    Raises InvalidError (`bad-workbook`) that names the first octet which does not fit, and the way out.
    """
    for mark, encoding in _MARKS:
        if octets.startswith(mark):
            return _marked(octets, encoding, source)
    unmarked = utf16_without_mark(octets) if 0 in octets else None
    if unmarked:
        raise InvalidError("bad-workbook", f"{source} is {unmarked.what}: {unmarked.advice}.")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        return _western(octets, error.start, source)
    if "\0" in text:
        raise _zero(octets, source)
    return text


def _marked(octets: bytes, encoding: str, source: str) -> str:
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise _refused(octets, error.start, source, f"not what its mark promises, {name}") from None


def _western(octets: bytes, start: int, source: str) -> str:
    """Read windows-1252 if every octet beyond ASCII is plain in it, and letters stand inside Latin words."""
    if 0 in octets:
        raise _zero(octets, source)
    doubtful = next(_doubtful(octets), None)
    if doubtful is not None:
        at = max(doubtful, start)
        raise _refused(octets, at, source, "neither UTF-8 nor plainly windows-1252")
    return octets.decode("cp1252")


def _zero(octets: bytes, source: str) -> InvalidError:
    """Return the refusal of zeros: a few slipped into a text, many show that it is none."""
    at, count = octets.index(0), octets.count(0)
    where = f"{source}: byte {at} ({_line(octets, at)})"
    if count * 100 > len(octets):
        return InvalidError(
            "bad-workbook",
            f"{where} and {count - 1} more are zeros: this is no text. Save its table as 'CSV UTF-8'.",
        )
    others = f", and {count - 1} more are" if count > 1 else ""
    return InvalidError(
        "bad-workbook",
        f"{where} is a zero{others}, which no text holds. Delete it: tr -d '\\000' < FILE > NEW.",
    )


def _line(octets: bytes, at: int) -> str:
    number = octets.count(b"\n", 0, at) + 1
    return f"line {number}"


def _doubtful(octets: bytes) -> Iterator[int]:
    for match in _BEYOND_ASCII.finditer(octets):
        char = _SAFE.get(match[0][0])
        if char is None or (char.isalpha() and not _inside_word(octets, match.start())):
            yield match.start()


def _inside_word(octets: bytes, at: int) -> bool:
    """Tell whether an ASCII letter stands beside it, and no other octet beyond ASCII (as in Asian text)."""
    beside = octets[max(at - 1, 0) : at] + octets[at + 1 : at + 2]
    return any(chr(b).isascii() and chr(b).isalpha() for b in beside) and all(b < 0x80 for b in beside)


def _refused(octets: bytes, at: int, source: str, what: str) -> InvalidError:
    # Which of the many encodings it is, nobody can tell from octets: a wrong guess would spoil names in silence.
    return InvalidError(
        "bad-workbook",
        f"{source}: byte {at} (0x{octets[at]:02X}, {_line(octets, at)}) is {what}."
        " Save it as 'CSV UTF-8' where it was made, or convert it from what it is:"
        " iconv -f ENCODING -t UTF-8 FILE > NEW.",
    )
