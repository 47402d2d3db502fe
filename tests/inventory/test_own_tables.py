"""Tables as offices have them: headings, sheets of any name, Indonesian titles, hidden sheets, folders of files."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from inventory.imports.reading import read_sheets
from inventory.imports.sheets import Sheet
from siaga.errors import InvalidError

Make = Callable[[Workbook], None]
TITLES = ["name", "role", "place"]
ROW = ["rtr-1", "router", "Mauk"]
HEADING = ["DAFTAR PERANGKAT JARINGAN", None, None]


def workbook(path: Path, *, merged: str = "", hidden: str = "", **sheets: list[list[Any]]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title.replace("_", " "))
        for row in rows:
            sheet.append(row)
        if merged:
            sheet.merge_cells(merged)
        if title == hidden:
            sheet.sheet_state = "hidden"
    book.save(path)
    return path


def text(path: Path, rows: list[list[Any]]) -> Path:
    path.write_text("\n".join(",".join(c or "" for c in row) for row in rows) + "\n")
    return path


def refusal(path: Path, noun: str = "") -> str:
    with pytest.raises(InvalidError) as caught:
        read_sheets(str(path), noun)
    return "\n".join([caught.value.sentence, *caught.value.problems])


def only(sheets: list[Sheet]) -> tuple[str, tuple[str, ...], list[tuple[Any, ...]]]:
    [sheet] = sheets
    return sheet.noun, sheet.header, [cells for _, cells in sheet.rows]


# --- headings above the titles ------------------------------------------------------------------------------

ABOVE: dict[str, list[list[Any]]] = {
    "one": [HEADING],
    "a blank row below": [HEADING, [None, None, None]],
    "several": [HEADING, ["KABUPATEN TANGERANG", None, None], ["Tahun 2026", None, None], [None, None, None]],
    "blank rows alone": [[None, None, None], [None, None, None]],
}


@pytest.mark.parametrize("what", ABOVE)
def test_headings_above_the_titles_are_passed_over(what: str, tmp_path: Path) -> None:
    rows = [*ABOVE[what], TITLES, ROW]
    wanted = ("device", tuple(TITLES), [tuple(ROW)])
    assert only(read_sheets(str(text(tmp_path / "device.csv", rows)))) == wanted
    assert only(read_sheets(str(workbook(tmp_path / "a.xlsx", device=rows)))) == wanted
    assert only(read_sheets(str(workbook(tmp_path / "b.xlsx", device=rows, merged="A1:C1")))) == wanted


@pytest.mark.parametrize(
    ("noun", "titles", "row"),
    [
        ("interface", ["alias", "device", "name"], ["uplink", "rtr-1", "ether1"]),
        ("component", ["device_type", "kind", "label"], ["hEX S", "interface", "ether1"]),
        ("contact", ["Person", "Role", "Target noun", "Target"], ["Budi", "teknisi", "agency", "kominfo"]),
    ],
)
def test_titles_of_nouns_with_several_keys_are_found_below_a_heading(
    noun: str, titles: list[str], row: list[str], tmp_path: Path
) -> None:
    heading = ["Daftar", *[None] * (len(titles) - 1)]
    found = read_sheets(str(text(tmp_path / f"{noun}.csv", [heading, titles, row])))
    assert only(found) == (noun, tuple(titles), [tuple(row)])


def test_cells_merged_below_the_titles_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", device=[HEADING, TITLES, ROW], merged="A2:B3")
    assert "cells A2:B3 are merged" in refusal(path)


# --- tables of somebody's own -------------------------------------------------------------------------------

OWN = [["Nama Perangkat", "Jenis", "Lokasi", "Keterangan"], ["rtr-1", "Router", "Mauk", "baik"]]


def test_a_sheet_that_no_noun_is_called_by_says_what_to_do(tmp_path: Path) -> None:
    said = refusal(workbook(tmp_path / "a.xlsx", Data_OPD=OWN))
    assert "--draft-map" in said
    assert "--noun NOUN" in said
    assert "sheet 'Data OPD': there is nothing called 'Data OPD'" in said
    said = refusal(workbook(tmp_path / "a.xlsx", Sheet1=OWN, Sheet2=OWN))
    assert "--draft-map" in said
    assert "--noun" not in said
    assert "--draft-map" in refusal(text(tmp_path / "Data OPD.csv", OWN))


def test_titles_that_are_no_fields_say_what_to_do(tmp_path: Path) -> None:
    said = refusal(text(tmp_path / "device.csv", OWN))
    assert "--map map.toml takes it in" in said
    assert "device.csv: 'Nama Perangkat', 'Jenis', 'Lokasi', 'Keterangan' are no fields of a device" in said
    heading = [HEADING, *OWN]
    assert "--draft-map" in refusal(workbook(tmp_path / "a.xlsx", device=heading, merged="A1:C1"))
    assert "--draft-map" in refusal(text(tmp_path / "b.csv", heading), "device")


def test_one_wrong_title_among_others_is_left_to_the_import(tmp_path: Path) -> None:
    assert read_sheets(str(text(tmp_path / "device.csv", [["nme", "role", "place"], ROW])))
    assert read_sheets(str(text(tmp_path / "device.csv", [["name", "foo", "bar", "baz"], ROW])))


def test_a_noun_takes_the_only_sheet_whatever_it_is_called(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Data_OPD=[TITLES, ROW])
    assert only(read_sheets(str(path), "device")) == ("device", tuple(TITLES), [tuple(ROW)])
    two = workbook(tmp_path / "b.xlsx", Devices=[TITLES, ROW], Catatan=[["x"]])
    assert only(read_sheets(str(two), "device"))[0] == "device"
    assert "has no sheet called 'asset'; it has 'Devices', 'Catatan'" in refusal(two, "asset")


# --- hidden sheets ------------------------------------------------------------------------------------------


def test_a_hidden_sheet_with_rows_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", device=[TITLES, ROW], person=[["name"], ["Budi"]], hidden="person")
    assert "a.xlsx has hidden sheets with rows: 'person'" in refusal(path)
    assert only(read_sheets(str(path), "person"))[2] == [("Budi",)]
    empty = workbook(tmp_path / "b.xlsx", device=[TITLES, ROW], person=[], hidden="person")
    assert [s.noun for s in read_sheets(str(empty)) if s.rows] == ["device"]


def test_a_hidden_row_is_data(tmp_path: Path) -> None:
    def hide(book: Workbook) -> None:
        book["device"].row_dimensions[2].hidden = True

    book = Workbook()
    sheet = book.create_sheet("device")
    book.remove(book["Sheet"])
    for row in (TITLES, ROW):
        sheet.append(row)
    hide(book)
    book.save(tmp_path / "a.xlsx")
    assert only(read_sheets(str(tmp_path / "a.xlsx")))[2] == [tuple(ROW)]


# --- folders and archives -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inventaris").mkdir()
    text(tmp_path / "inventaris" / "device.csv", [TITLES, ROW])
    text(tmp_path / "inventaris" / "place.csv", [["name", "kind"], ["Mauk", "kecamatan"]])
    (tmp_path / "inventaris" / ".DS_Store").write_bytes(b"\0")
    return tmp_path / "inventaris"


def test_a_folder_of_csv_is_a_noun_for_each_file(folder: Path) -> None:
    found = read_sheets(str(folder))
    assert [(s.source, s.noun, len(s.rows)) for s in found] == [
        ("inventaris/device.csv", "device", 1),
        ("inventaris/place.csv", "place", 1),
    ]
    assert [s.noun for s in read_sheets(str(folder), "place")] == ["place"]


def test_a_zip_of_csv_is_read_as_a_folder_is(folder: Path, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "device.csv", "device.csv")
    (tmp_path / "a.zip").write_bytes(out.getvalue())
    assert only(read_sheets(str(tmp_path / "a.zip"))) == ("device", tuple(TITLES), [tuple(ROW)])
    (tmp_path / "b.zip").write_bytes(out.getvalue()[:-30])
    assert "b.zip is not a readable ZIP" in refusal(tmp_path / "b.zip")


def test_what_is_no_csv_in_a_folder_is_named(folder: Path) -> None:
    (folder / "catatan.docx").write_bytes(b"x")
    (folder / "lama").mkdir()
    said = refusal(folder)
    assert "catatan.docx is no .csv" in said
    assert "lama is no .csv" in said


# --- a regency's facts --------------------------------------------------------------------------------------

FACTS = """
regency: {name: Tangerang, code: '36.03'}
kecamatan: {items: [{name: Mauk, code: '36.03.07'}]}
rsud:
- {id: rsud-a, name: RSUD A, status: sourced, source: [tn], address: Jl. Raya 88, class: C, beds_planned: 150}
apps:
- {id: e-surat, name: E-Surat, integrated: true, item: x, sources: [web]}
"""


def test_what_has_no_field_of_its_own_goes_to_the_notes(tmp_path: Path) -> None:
    from inventory.imports.regency import regency
    from inventory.imports.yaml_file import read_mapping

    taken = regency("facts.yaml", read_mapping("facts.yaml", FACTS.encode()), tmp_path)
    notes = {s.noun: s.rows[0][1][s.header.index("notes")] for s in taken.sheets}
    assert (
        notes["agency"] == "status: sourced; sources: tn; address: Jl. Raya 88; class: C; beds planned: 150"
    )
    assert notes["service"] == "sources: web; integrated: true; item: x"
