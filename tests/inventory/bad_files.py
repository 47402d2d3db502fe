"""More than two hundred files as they come from offices: some can be read, some cannot, none may do harm.

`FILES` maps a name to (file name, octets, what must come of it): a set of names of persons that must be there
afterwards, or a word that the refusal must hold.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from openpyxl import Workbook

Expected = set[str] | str
File = tuple[str, Callable[[], bytes], Expected]

ROWS = [["name", "title", "phone"], ["Budi", "Kepala Seksi", "0812"], ["Siti Ámina", "Staf – NOC", "0813"]]
NAMES = {"Budi", "Siti Ámina"}
TEXTS = {
    "emoji": "👨‍👩‍👧‍👦 kantor 🚀",
    "right to left": "مكتب \u202egnp.exe\u202c",
    "a formula": "=cmd|' /C calc'!A0",
    "a formula by plus": "+SUM(1+1)*cmd|' /C calc'!A0",
    "a formula by minus": "-2+3+cmd|' /C calc'!A0",
    "a formula by at": "@SUM(1+1)",
    "markup": "<script>alert(1)</script>[bold]x[/foo]",
    "typst": '#eval("1") $x$ @label *b* _i_ \\',
    "jinja": "{{ 7*7 }}{% raw %}",
    "shell": "$(touch /tmp/x) `id`; rm -rf / && true",
    "sql": "'); DROP TABLE device; --",
    "zero width": "a\u200bb\u2060c\ufeff",
    "combining": "Z" + "\u0301" * 60,
    "a line break": "baris satu\nbaris dua",
    "a carriage return": "baris satu\r\nbaris dua",
    "a separator of lines": "a\u2028b\u2029c",
    "a quotation mark": 'si "Bos" besar',
    "a format": "%s%n%x {0} {name}",
    "a path": "../../../etc/passwd",
    "private use": "\ue000\uf8ff\U0010fffd",
    "mathematical": "𝕂𝕖𝕡𝕒𝕝𝕒",
}
LONG = 300_000  # octets: more than any field takes


def lines(rows: Sequence[Sequence[Any]], delimiter: str = ",", end: str = "\n") -> str:
    def cell(value: Any) -> str:
        text = str(value)
        return '"' + text.replace('"', '""') + '"' if re.search(rf'[{delimiter}"\r\n]', text) else text

    return end.join(delimiter.join(map(cell, row)) for row in rows) + end


def csv(rows: Sequence[Sequence[Any]], encoding: str = "utf-8", **how: str) -> Callable[[], bytes]:
    return lambda: lines(rows, **how).encode(encoding)


def xlsx(**sheets: Sequence[Sequence[Any]]) -> Callable[[], bytes]:
    return worked(lambda _: None, **sheets)


def worked(work: Callable[[Workbook], None], **sheets: Sequence[Sequence[Any]]) -> Callable[[], bytes]:
    def make() -> bytes:
        book = Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(list(row))
        work(book)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    return make


def zipped(change: Callable[[str, bytes], bytes | None], make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Change the files inside a workbook; None leaves one out."""

    def made() -> bytes:
        out = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(make())) as source,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for name in source.namelist():
                content = change(name, source.read(name))
                if content is not None:
                    target.writestr(name, content)
        return out.getvalue()

    return made


def people(*values: Sequence[Any]) -> list[list[Any]]:
    return [["name", "title", "phone"], *map(list, values)]


def encodings() -> Iterator[tuple[str, File]]:
    """Every usual encoding by every usual separator; the text is one that all of them can write."""
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        for delimiter in ",;\t|":
            for end in ("\n", "\r\n"):
                what = f"CSV in {encoding}, separated by {delimiter!r}, lines by {end!r}"
                # Without a mark nobody can know that these are UTF-16.
                expected: Expected = "" if encoding in ("utf-16-le", "utf-16-be") else NAMES
                yield what, ("person.csv", csv(ROWS, encoding, delimiter=delimiter, end=end), expected)
    for encoding in ("cp1252", "latin-1", "cp1250", "shift_jis", "gb18030", "koi8-r", "cp437", "utf-7"):
        rows = people(["Budi", "Kepala"], ["Ani", "é" if encoding.startswith(("cp", "la")) else "я"])
        yield f"CSV in {encoding}", ("person.csv", csv(rows, encoding), "")


def texts() -> Iterator[tuple[str, File]]:
    """Hostile texts where a text is allowed, in each format: kept as they are or refused, never run."""
    for what, text in TEXTS.items():
        rows = people(["Budi", text, "0812"])
        # What turns the direction of reading is refused: a name that reads otherwise than it is deceives.
        expected: Expected = "control characters" if "\u202e" in text else {"Budi"}
        yield f"{what} in a CSV", ("person.csv", csv(rows), expected)
        yield f"{what} in a workbook", ("a.xlsx", worked(_as_texts, person=rows), expected)
        yield f"{what} as a name in a CSV", ("person.csv", csv(people([text, "", ""])), "")
        yield (
            f"{what} as a name in a workbook",
            ("a.xlsx", worked(_as_texts, person=people([text, "", ""])), ""),
        )


def _as_texts(book: Workbook) -> None:
    for cell in (c for sheet in book for row in sheet.iter_rows() for c in row if isinstance(c.value, str)):
        cell.data_type = "s"


def values() -> Iterator[tuple[str, File]]:
    """Values of the wrong kind: each refused at its row and column."""
    wrong: dict[str, tuple[str, Sequence[Any]]] = {
        "acquired": ("asset", ["31/02/2024", "2024-13-01", "kemarin", "00/00/0000", "2024-02-30", "1e9", "#REF!"]),
        "price_idr": ("asset", ["dua juta", "1e999", "nan", "inf", "-1", "0x10", "1,2,3,4", "--5"]),
        "condition": ("asset", ["rusak sekali", "B/RR", "1"]),
        "address": ("device", ["10.0.0.256", "10.0.0", "fe80::1::2", "10.0.0.1/33", "0x0a000001", "10,0,0,1"]),
        "role": ("device", ["ruter", "ROUTER2", "-"]),
        "snmp_port": ("device", ["0", "65536", "-161", "161.5", "161a", "١٦١"]),
        "latitude": ("place", ["-91", "utara", "6°16'S", "nan"]),
        "vid": ("vlan", ["0", "4095", "10-20", "1.5"]),
        "name": ("prefix", ["10.0.0.1/8", "10.0.0.0/33", "::/129", "x/8", "10.0.0.0"]),
        "mac": ("interface", ["48:8f:5a:00:00", "zz:8f:5a:00:00:01", "48-8f"]),
    }  # fmt: skip
    base = {
        "asset": {"name": "1.3.2", "title": "Router"},
        "device": {"name": "rtr-9", "role": "router"},
        "place": {"name": "X", "kind": "site"},
        "vlan": {"name": "v9", "vid": "9"},
        "prefix": {"name": "10.0.0.0/8"},
        "interface": {"device": "rtr-1", "name": "ether9"},
    }
    for field, (noun, bad) in wrong.items():
        for value in bad:
            row = {**base[noun], field: value}
            expected = "row 2, column"
            yield (
                f"{field} {value!r} in a CSV",
                (f"{noun}.csv", csv([list(row), list(row.values())]), expected),
            )
            book = worked(_as_texts, **{noun: [list(row), list(row.values())]})
            yield f"{field} {value!r} in a workbook", ("a.xlsx", book, expected)


def shapes() -> Iterator[tuple[str, File]]:
    """Tables that are none, or are more than one."""
    circle = [["name", "kind", "parent"]]
    for size in (1, 2, 3, 50):
        ring = [[f"p{i}", "site", f"p{(i + 1) % size}"] for i in range(size)]
        yield f"a circle of {size} places", ("place.csv", csv([*circle, *ring]), "p0")
        yield f"a circle of {size} places in a workbook", ("a.xlsx", xlsx(place=[*circle, *ring]), "p0")
    same = people(["Budi", "", ""], ["Ani", "", ""], ["Budi", "", ""])
    yield "a name twice in a CSV", ("person.csv", csv(same), "'Budi' stands in row 2 already")
    yield "a name twice in a workbook", ("a.xlsx", xlsx(person=same), "'Budi' stands in row 2 already")
    twice = [["name", "title", "title"], ["Budi", "a", "b"]]
    yield "a column twice in a CSV", ("person.csv", csv(twice), "title")
    yield "a column twice in a workbook", ("a.xlsx", xlsx(person=twice), "title")
    yield "rows of different lengths", ("person.csv", lambda: b"name,title\nBudi\nAni,x,y,z\n", "row 3")
    yield "an empty column title", ("person.csv", csv([["name", "", "title"], ["Budi", "x", "y"]]), "")
    yield "only separators", ("person.csv", lambda: b",,,\n,,,\n", "")
    yield "only blanks", ("person.csv", lambda: b" \n\t\n  \n", "")
    yield "a NUL", ("person.csv", lambda: b"name\nBu\0di\n", "")
    yield "zeros", ("person.csv", lambda: bytes(4096), "")
    yield "noise", ("person.csv", lambda: bytes((i * 7919 >> 3) & 255 for i in range(8192)), "")
    yield "an open quotation mark", ("person.csv", lambda: b'name,title\nBudi,"abc\nAni,x\n', "")
    yield "a stray quotation mark", ("person.csv", lambda: b'name,title\nBudi,a"b"c\n', {"Budi"})
    yield "a name that is too long", ("person.csv", csv(people(["x" * LONG, "", ""])), "line 2")
    yield "a text that is too long", ("person.csv", csv(people(["Budi", "x" * LONG, ""])), "quotation mark")
    yield (
        "a text that is longer than its field",
        ("person.csv", csv(people(["Budi", "x" * 3000, ""])), "column title"),
    )
    wide = [["name", *(f"c{i}" for i in range(16_383))], ["Budi", *range(16_383)]]
    yield "16,384 columns in a CSV", ("person.csv", csv(wide), "more than 200 columns")
    yield "one long line", ("person.csv", lambda: b"name\n" + b"x" * 2_000_000 + b"\n", "")
    yield (
        "a hundred thousand empty lines",
        ("person.csv", lambda: b"name\nBudi\n" + b"\n" * 100_000, {"Budi"}),
    )
    yield (
        "many bad rows",
        ("person.csv", csv([["name", "email"], *([f"p{i}", "x"] for i in range(3000))]), "email"),
    )
    yield "HTML", ("person.csv", lambda: b"<html><table><tr><td>name</td></tr></table></html>", "")
    yield "JSON", ("person.csv", lambda: b'[{"name": "Budi"}]', "")
    yield "a PDF", ("person.csv", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "")
    yield "a workbook called CSV", ("person.csv", xlsx(person=ROWS), "")
    yield "a CSV called workbook", ("a.xlsx", csv(ROWS), "")
    yield "a CSV of another noun", ("gadget.csv", csv(ROWS), "gadget")
    yield "a header alone", ("person.csv", lambda: b"name,title\n", "")
    yield (
        "row after a heading",
        ("person.csv", lambda: b"Daftar Pegawai,,\n\nname,title,phone\nBudi,a,1\n", {"Budi"}),
    )


def workbooks() -> Iterator[tuple[str, File]]:
    """What only a workbook can do."""

    def merged(book: Workbook) -> None:
        book["person"].merge_cells("B2:B3")

    def head_merged(book: Workbook) -> None:
        book["person"].insert_rows(1)
        book["person"]["A1"] = "DAFTAR PEGAWAI"
        book["person"].merge_cells("A1:C1")

    def hidden(book: Workbook) -> None:
        book["person"].sheet_state = "hidden"
        book.create_sheet("Catatan")["A1"] = "bukan data"

    def dates(book: Workbook) -> None:
        book["asset"]["C2"] = datetime(2024, 2, 29, 13, 5)  # noqa: DTZ001 - a workbook knows no zones

    def cached(name: str, content: bytes) -> bytes:
        new = b'<c r="B2" t="str"><f>A2</f><v>Kepala</v></c>'
        return (
            re.sub(rb'<c r="B2"[^>]*><f>[^<]*</f><v */?>(</v>)?</c>', new, content)
            if b"sheet" in name.encode()
            else content
        )

    rows = people(["Budi", "Kepala", "0812"], ["Ani", "", "0813"])
    yield "merged cells", ("a.xlsx", worked(merged, person=rows), "cells B2:B3 are merged")
    yield "a merged heading", ("a.xlsx", worked(head_merged, person=rows), {"Budi", "Ani"})
    yield "a hidden sheet", ("a.xlsx", worked(hidden, person=rows), "has hidden sheets with rows: 'person'")
    yield (
        "a date with a time",
        (
            "a.xlsx",
            worked(dates, asset=[["name", "title", "acquired"], ["1.3", "Router", ""]]),
            set(),
        ),
    )
    yield (
        "a date cell",
        (
            "a.xlsx",
            xlsx(asset=[["name", "title", "acquired"], ["1.3", "Router", date(2024, 2, 29)]]),
            set(),
        ),
    )
    yield "a number where a name is meant", ("a.xlsx", xlsx(person=people([198001012010011001, "", ""])), "")
    yield (
        "a telephone number as a number",
        ("a.xlsx", xlsx(person=people(["Budi", "", 81200000000])), {"Budi"}),
    )
    yield "a truth as a text", ("a.xlsx", xlsx(person=people(["Budi", True, ""])), {"Budi"})
    yield "an error as a value", ("a.xlsx", xlsx(person=people(["Budi", "#N/A", ""])), "row 2")
    yield "a formula never computed", ("a.xlsx", xlsx(person=people(["Budi", "=1+1", ""])), "row 2")
    yield "a formula computed", ("a.xlsx", zipped(cached, xlsx(person=people(["Budi", "=A2", ""]))), {"Budi"})
    yield "an empty sheet beside a full one", ("a.xlsx", xlsx(person=rows, device=[]), {"Budi", "Ani"})
    yield "no sheet with rows", ("a.xlsx", xlsx(person=[], device=[]), "")
    yield "a sheet of nothing known", ("a.xlsx", xlsx(person=rows, gadget=[["name"], ["x"]]), "gadget")
    yield (
        "a far cell",
        ("a.xlsx", worked(lambda b: b["person"].cell(1_048_576, 16_384, "x"), person=rows), ""),
    )
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml", "xl/styles.xml"):
        cut = zipped(lambda n, c, part=part: c[: len(c) // 2] if n == part else c, xlsx(person=rows))  # type: ignore[misc]
        gone = zipped(lambda n, c, part=part: None if n == part else c, xlsx(person=rows))  # type: ignore[misc]
        # siaga reads cells, not styles; a book that is whole but for those may be taken.
        yield f"{part} cut in half", ("a.xlsx", cut, "")
        yield f"{part} left out", ("a.xlsx", gone, "")
    whole = xlsx(person=rows)
    for share in (0.1, 0.5, 0.9, 0.99):
        yield (
            f"a workbook cut at {share:.0%}",
            ("a.xlsx", lambda s=share: whole()[: int(len(whole()) * s)], ""),
        )  # type: ignore[misc]
    yield "a bomb of zeros", ("a.xlsx", zipped(_blown, whole), "")
    yield "entities", ("a.xlsx", zipped(_entities, whole), "")
    yield "an encrypted book", ("a.xlsx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096), "")
    yield "a name with a path in the zip", ("a.xlsx", _slipped, "")


def _blown(name: str, content: bytes) -> bytes:
    return (
        content.replace(b"<sheetData>", b"<sheetData>" + b" " * 300_000_000) if "sheet1" in name else content
    )


def _entities(name: str, content: bytes) -> bytes:
    inner = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)).encode()
    head = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">' + inner + b"]>"
    return head + content if "sheet1" in name else content


def _slipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("../../../../tmp/siaga-slipped", "x")
    return out.getvalue()


@cache
def files() -> dict[str, File]:
    """Return every file by what is odd about it."""
    found: dict[str, File] = {}
    for make in (encodings, texts, values, shapes, workbooks):
        for what, file in make():
            assert what not in found, what
            found[what] = file
    return found
