"""What a file seems to be by its first octets, whatever it is called; and how it becomes one that can be read."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_HTML = re.compile(rb"<(?:!doctype html|html|head|body|table|meta)\b", re.IGNORECASE)
_SEARCHED = 4096
_ZIP_END = 65_557  # a ZIP ends in a record of 22 octets and a comment of at most 65,535
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_XLSX = "open it in a spreadsheet and save it as .xlsx"


@dataclass(frozen=True)
class Kind:
    """A kind of file: what it is, as a phrase, and what to do with it."""

    what: str
    advice: str


_WORKBOOK = Kind("a workbook", "give it a name that ends in .xlsx, or say --format xlsx")
_CUT_OFF = Kind("a piece of one: its end is missing", "copy or download it once more")
_ENCRYPTED = Kind("a workbook protected by a password", "save it as .xlsx without one")
_XLS = Kind("an old workbook (.xls)", _SAVE_XLSX)
_ODS = Kind("an OpenDocument sheet (.ods)", _SAVE_XLSX)
_ZIP = Kind("a ZIP archive", "unpack it and import what is inside")
_TEXT = Kind("plain text, perhaps CSV", "give it a name that ends in .csv, or say --format csv")


def foreign(octets: bytes) -> Kind | None:
    """Return what a file is that is no text at all, or the text of something that is no table; else None."""
    return next((kind for tells, kind in _KINDS if tells(octets)), None)


def instead_of_workbook(octets: bytes) -> Kind | None:
    """Return what a file is that should be a workbook; None if it is one, or nothing that is known."""
    if octets.startswith(b"PK\x03\x04") and b"PK\x05\x06" not in octets[-_ZIP_END:]:
        return _CUT_OFF
    kind = foreign(octets)
    if kind is _WORKBOOK:
        return None
    head = octets[:_SEARCHED]
    if kind is None and 0 not in head and _is_text(head):
        return _TEXT
    return kind or utf16_without_mark(octets)


def utf16_without_mark(octets: bytes) -> Kind | None:
    """Return UTF-16 if every second octet of the beginning is zero, as in Latin text of that encoding."""
    head = octets[:_SEARCHED]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head) or min(even, odd) * 8 > max(even, odd):
        return None
    name = "UTF-16BE" if even > odd else "UTF-16LE"
    return Kind(
        f"{name} without a mark",
        f"save it as 'CSV UTF-8', or convert it: iconv -f {name} -t UTF-8 FILE > NEW",
    )


def _is_text(head: bytes) -> bool:
    """Tell whether hardly any octet is a control character."""
    controls = sum(b < 32 and b not in b"\t\r\n\x0c" for b in head)
    return bool(head) and controls * 50 < len(head)


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda octets: octets.startswith(marks)


def _zip_with(part: bytes) -> Callable[[bytes], bool]:
    return lambda octets: octets.startswith(b"PK\x03\x04") and part in octets


def _old_with(stream: str) -> Callable[[bytes], bool]:
    name = stream.encode("utf-16-le")
    return lambda octets: octets.startswith(_OLD_OFFICE) and name in octets


def _html(octets: bytes) -> bool:
    return bool(_HTML.match(octets[:_SEARCHED].removeprefix(b"\xef\xbb\xbf").lstrip()))


_KINDS: tuple[tuple[Callable[[bytes], bool], Kind], ...] = (
    (lambda octets: not octets, Kind("empty", "write it again, or fetch it again")),
    (lambda octets: not octets.strip(b"\0"), Kind("nothing but zeros", "fetch it again, it was damaged")),
    (_zip_with(b"xl/workbook"), _WORKBOOK),
    (_zip_with(b"application/vnd.oasis.opendocument.spreadsheet"), _ODS),
    (_zip_with(b"word/document"), Kind("a Word document", "copy its table into a spreadsheet")),
    (_begins(b"PK\x03\x04", b"PK\x05\x06"), _ZIP),
    (_old_with("EncryptedPackage"), _ENCRYPTED),
    (_old_with("Workbook"), _XLS),
    (
        _begins(_OLD_OFFICE),
        Kind(
            "an old Office file (.xls), or one protected by a password", f"{_SAVE_XLSX}, without a password"
        ),
    ),
    (_begins(b"%PDF-"), Kind("a PDF", "ask for the table it was made of, or copy that into a spreadsheet")),
    (_html, Kind("HTML, as web pages and some reports called .xls are", _SAVE_XLSX)),
    (_begins(b"<?xml"), Kind("XML", _SAVE_XLSX)),
    (_begins(b"{\\rtf"), Kind("a text document (RTF)", "copy its table into a spreadsheet")),
    (_begins(b"\x89PNG", b"\xff\xd8\xff", b"GIF8"), Kind("a picture", "type its table, or ask for the file")),
    (_begins(b"\x1f\x8b"), Kind("packed by gzip", "unpack it with gunzip")),
    (_begins(b"Rar!", b"7z\xbc\xaf"), Kind("a packed archive", "unpack it and import what is inside")),
)
