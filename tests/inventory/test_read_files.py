"""What a file is told that cannot be read, and how much memory one may take that can."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.exports import cells
from inventory.imports import xlsx_cells
from inventory.imports.csv_file import read_csv
from inventory.imports.reading import read_sheets
from inventory.imports.sheets import MAX_COLUMNS
from inventory.imports.xlsx import read_workbook
from siaga.errors import InvalidError
from siaga.formulas import guarded, restored
from tests.inventory.bad_files import ROWS, csv, xlsx, zipped

# --- texts that could be formulas ---------------------------------------------------------------------------

texts = st.text(st.sampled_from("'=+-@\t\r\nab1 \",;") | st.characters(codec="utf-8"), max_size=12)


@given(texts)
def test_a_guarded_text_comes_back_exactly_and_is_no_formula(text: str) -> None:
    cell = guarded(text)
    assert restored(cell) == text
    assert cell[:1] not in tuple("=+-@\t\r")


def written(rows: list[list[str]]) -> bytes:
    import csv as library

    out = io.StringIO(newline="")
    library.writer(out, lineterminator="\r\n").writerows([[cells.text(c) for c in row] for row in rows])
    return out.getvalue().encode()


plain = texts.filter(lambda t: "\0" not in t)


@given(st.lists(st.lists(plain, min_size=2, max_size=2), min_size=1, max_size=5))
def test_what_an_export_writes_an_import_reads_exactly(rows: list[list[str]]) -> None:
    found = read_csv("x.csv", written([["name", "notes"], *rows]))
    assert [list(row) for _, row in found.lines[1:]] == rows


def test_an_apostrophe_of_its_own_stays() -> None:
    found = read_csv("x.csv", b"name,notes\n'petik,''\n'007,' =\n")
    assert [row for _, row in found.lines[1:]] == [("'petik", "''"), ("'007", "' =")]


# --- memory -------------------------------------------------------------------------------------------------


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        with suppress(InvalidError):
            work()
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


def blown(part: str, at: bytes, filling: Callable[[], bytes]) -> bytes:
    def change(name: str, content: bytes) -> bytes:
        return content.replace(at, at + filling(), 1) if name.endswith(part) else content

    return zipped(change, xlsx(person=ROWS))()


INLINE = b'<row r="1"><c r="A1" t="inlineStr"><is><t>'
SHARED = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


@pytest.mark.parametrize(
    ("part", "at", "filling"),
    [
        ("sheet1.xml", b"<sheetData>", lambda: INLINE + b"x" * 60_000_000 + b"</t></is></c></row>"),
        ("sheet1.xml", b"<sheetData>", lambda: b"<row>" + b"<c/>" * 1_000_000 + b"</row>"),
        ("sharedStrings.xml", b"<si>", lambda: b"<t>" + b"x" * 60_000_000 + b"</t>"),
        ("sharedStrings.xml", b"<si>", lambda: b"<t>x</t>" * 5_000_000),
        ("styles.xml", b"<numFmts", lambda: b' x="' + b"y" * 60_000_000 + b'"'),
    ],
    ids=["one text", "one row", "one shared text", "one shared text in pieces", "styles"],
)
def test_a_small_file_takes_no_large_memory(part: str, at: bytes, filling: Callable[[], bytes]) -> None:
    book = blown(part, at, filling)
    assert len(book) < 200_000
    assert peak(lambda: list(read_workbook("a.xlsx", book))) < 25_000_000


def test_a_text_longer_than_any_cell_is_refused() -> None:
    book = blown("sheet1.xml", b"<sheetData>", lambda: INLINE + b"x" * 200_000 + b"</t></is></c></row>")
    with pytest.raises(InvalidError, match=r"a text of more than 131,072 characters in one cell"):
        list(read_workbook("a.xlsx", book))


def test_what_all_sheets_hold_together_is_bounded() -> None:
    held = xlsx_cells.Held(cells=10, octets=2_000)
    held.row(4, MAX_COLUMNS)
    with pytest.raises(xlsx_cells.Damaged, match="more than 0 MiB of memory"):
        held.row(4, MAX_COLUMNS)
    with pytest.raises(xlsx_cells.Damaged, match="more than 10 cells"):
        held.row(4, 4)


def test_cells_that_repeat_are_kept_once() -> None:
    line = ",".join(f"nilai kolom {n} yang sama" for n in range(20))
    octets = "\n".join(["name," + line, *(f"b{n},{line}" for n in range(20_000))]).encode()
    assert peak(lambda: read_csv("x.csv", octets)) < 32_000_000


# --- what a refusal says ------------------------------------------------------------------------------------


def refusal(path: Path, fmt: str = "") -> str:
    with pytest.raises(InvalidError) as caught:
        read_sheets(str(path), "person", fmt)
    return caught.value.sentence


def odt() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    return out.getvalue()


OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
WRONG: dict[str, tuple[bytes, str]] = {
    "CSV": (csv(ROWS)(), "it is plain text, perhaps CSV: give it a name that ends in .csv"),
    "old": (OLD + "Workbook".encode("utf-16-le"), "an old workbook (.xls): open it in a spreadsheet"),
    "locked": (OLD + "EncryptedPackage".encode("utf-16-le"), "protected by a password: save it as .xlsx"),
    "PDF": (b"%PDF-1.7\n", "it is a PDF"),
    "HTML": (b"\r\n<html><table>", "it is HTML"),
    "ODS": (odt(), "an OpenDocument sheet (.ods): open it in a spreadsheet and save it as .xlsx"),
    "empty": (b"", "it is empty"),
    "zeros": (bytes(2000), "nothing but zeros"),
    "cut": (xlsx(person=ROWS)()[:3000], "its end is missing: copy or download it once more"),
    "picture": (b"\x89PNG\r\n", "a picture"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_workbook_is_told_what_it_is(what: str, tmp_path: Path) -> None:
    octets, said = WRONG[what]
    (tmp_path / "a.xlsx").write_bytes(octets)
    assert said in refusal(tmp_path / "a.xlsx")


@pytest.mark.parametrize("what", sorted({*WRONG} - {"CSV", "empty", "cut"}))
def test_what_is_no_csv_is_told_what_it_is(what: str, tmp_path: Path) -> None:
    octets, _ = WRONG[what]
    (tmp_path / "a.csv").write_bytes(octets)
    said = refusal(tmp_path / "a.csv")
    assert "and no CSV: " in said
    assert "iconv" not in said


def test_a_workbook_called_csv_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(xlsx(person=ROWS)())
    assert "a.csv is a workbook and no CSV: give it a name that ends in .xlsx" in refusal(tmp_path / "a.csv")
    assert read_sheets(str(tmp_path / "a.csv"), "person", "xlsx")[0].header == ("name", "title", "phone")


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv(ROWS, name)())
    said = refusal(tmp_path / "a.csv")
    assert f"is {name.upper().replace('-LE', 'LE').replace('-BE', 'BE')} without a mark" in said


def test_one_zero_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"name,title\nBudi,x\nA\0ni,y\n" + b"Citra,z\n" * 20)
    assert "byte 19 (line 3) is a zero, which no text holds" in refusal(tmp_path / "a.csv")


def test_many_zeros_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\x7fELF\0\0\1" * 30)
    said = refusal(tmp_path / "a.csv")
    assert "this is no text" in said
    assert "tr -d" not in said


def test_nobody_guesses_an_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("name\n日本語\n".encode("shift_jis"))
    said = refusal(tmp_path / "a.csv")
    assert "line 2" in said
    assert "WINDOWS-1252 -t" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name,title\nBudi,"abc\nAni,x\n', "the quotation mark that begins at line 2 is never closed"),
        ('name,title\nBudi,"a""b"\n"A\nB","abc\nAni,x\n', "that begins at line 4 is never closed"),
        ('sep=;\nname;title\nBudi;"abc\n', "that begins at line 3 is never closed"),
        ('name,title\nBudi,"a"b\n', "a quotation mark within a cell is written twice"),
    ],
)
def test_a_quotation_mark_is_told_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert said in refusal(tmp_path / "a.csv")
