"""Column maps: what is drafted, what a wrong one is told, and years that are dates."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from inventory.imports.column_map import mapped, read_map
from inventory.imports.converting import NotSoWrittenError, converted
from inventory.imports.draft import draft
from inventory.imports.reading import read_sheets
from inventory.imports.sheets import Raw
from inventory.imports.yaml_file import read_yaml
from inventory.nouns import noun
from inventory.values import BadValueError, read, variable_name
from siaga.errors import InvalidError
from tests.cli_runner import Siaga, runner
from tests.homes import fresh


def raw(*rows: list[Any], title: str = "aset", hidden: bool = False) -> Raw:
    return Raw("a.xlsx", title, tuple((n, tuple(row)) for n, row in enumerate(rows, 1)), hidden=hidden)


def drafted(*rows: list[Any], of: str = "asset") -> dict[str, Any]:
    [table] = tomllib.loads(draft([raw(*rows)], "a.xlsx", of))["table"]
    return dict(table)


# --- years --------------------------------------------------------------------------------------------------


def test_a_year_becomes_its_first_day_and_nothing_else_does() -> None:
    assert [converted(c, "year") for c in ("2019", 2019, 2019.0, " 2023 ", "", None)] == [
        *("2019-01-01",) * 3,
        *("2023-01-01", "", None),
    ]
    for wrong in ("19", "2O19", "3019", "12/2019", 201.5):
        with pytest.raises(NotSoWrittenError):
            converted(wrong, "year")


def test_a_year_alone_says_how_it_can_be_read() -> None:
    for cell in ("2023", 2023, 2023.0):
        with pytest.raises(BadValueError, match=r"is the year 2023 alone, .* formats.FIELD = \"year\""):
            read(noun("asset").attributes["acquired"], cell)


def test_years_are_drafted_as_years(tmp_path: Path) -> None:
    rows = [["Nama Barang", "Tahun Pembelian", "Tgl Garansi"], ["Router", 2019, "31/12/2026"]]
    found = drafted(*rows)
    assert found["columns"] == {
        "Nama Barang": "title",
        "Tahun Pembelian": "acquired",
        "Tgl Garansi": "warranty_until",
    }
    assert (found["formats"], found["dates"]) == ({"acquired": "year"}, "dmy")
    (tmp_path / "map.toml").write_text(draft([raw(*rows)], "a.xlsx", "asset"))
    [sheet] = mapped([raw(*rows)], read_map(str(tmp_path / "map.toml")), "a.xlsx")
    assert sheet.rows == ((2, ("Router", "2019-01-01", "2026-12-31")),)


def test_a_column_called_by_the_year_with_whole_dates_is_no_year() -> None:
    found = drafted(["Nama Barang", "Tahun Perolehan"], ["Router", "31/12/2019"], ["Switch", "2020"])
    assert found.get("formats", {}) == {}


# --- drafts -------------------------------------------------------------------------------------------------


def test_an_impossible_date_leaves_the_others_to_decide() -> None:
    rows = [["31/02/2023"], ["05/06/2023"], ["25/12/2023"]]
    assert drafted(["Nama Barang", "Tgl Perolehan"], *(["Router", *r] for r in rows))["dates"] == "dmy"


def test_a_total_below_the_rows_is_left_out() -> None:
    rows = [["Nama Barang", "Harga"], ["Router", 1], ["Switch", 2], ["JUMLAH", 3], [None, "Tigaraksa"]]
    assert drafted(*rows)["last_row"] == 3
    assert "JUMLAH" not in draft([raw(*rows)], "a.xlsx", "asset").partition("[table.columns]")[2]
    assert "last_row" not in drafted(*rows[:3])


def test_a_draft_names_the_option_that_lists_fields_and_hidden_sheets() -> None:
    text = draft([raw(["Nama Barang"], ["Router"], hidden=True)], "a.xlsx")
    assert "'siaga NOUN list --list-fields'" in text
    assert "# This sheet is hidden" in text


# --- maps that are wrong ------------------------------------------------------------------------------------


def problems(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(InvalidError) as caught:
        read_map(str(tmp_path / "map.toml"))
    assert caught.value.code == "bad-map"
    return list(caught.value.problems)


def test_all_that_is_wrong_with_a_map_is_told_at_once_in_plain_words(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        'tables = 1\n[[table]]\nnoun = "asset"\nfoo = 1\ndates = "dym"\nheader_row = "satu"\nignore = "No"\n'
        '[table.columns]\n"Nama" = "titel"\n"Merk" = "brnd"\n"Ket" = 5\n[[table]]\nnoun = "aset"\n[[table]]\n',
    )
    told = "\n".join(found)
    assert "the key 'tables' is unknown; a map holds [[table]]" in told
    assert "table 1 (asset): the key 'foo' is unknown; a table has noun, sheet, " in told
    assert "table 1 (asset): dates is 'dym', must be '', 'dmy', 'mdy' or 'ymd'" in told
    assert "table 1 (asset): header_row is 'satu', must be a whole number" in told
    assert "table 1 (asset): columns.Ket is '5', must be a text" in told
    assert "table 2 (aset): There is nothing called 'aset'" in told
    assert "table 3: noun is missing" in told
    assert "Extra inputs" not in told


def test_unknown_fields_are_told_beside_a_wrong_key(tmp_path: Path) -> None:
    found = problems(
        tmp_path, '[[table]]\nnoun = "asset"\nfoo = 1\n[table.columns]\n"Nama" = "titel"\n"Merk" = "brnd"\n'
    )
    assert len(found) == 2
    assert "a asset has no field 'brnd', 'titel'; it has " in found[1]


def test_a_map_without_tables_says_so(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == ["there is no [[table]]"]


# --- YAML ---------------------------------------------------------------------------------------------------


def test_a_list_or_mapping_is_no_single_value() -> None:
    role = noun("device").attributes["role"]
    with pytest.raises(BadValueError, match="must be one value, not a list"):
        read(role, ["router", "switch"])
    with pytest.raises(BadValueError, match="must be one value, not a mapping"):
        read(role, {"a": 1})
    assert read(noun("device").attributes["tags"], ["a", "b"]) == "a b"


def test_the_name_of_a_variable_is_told_once() -> None:
    with pytest.raises(BadValueError, match=r"^holds 'x y', which is no variable's name"):
        variable_name("x y")


def test_a_field_that_yaml_does_not_have_is_told_with_its_line() -> None:
    [sheet] = read_yaml("a.yaml", b"device:\n- name: a\n- name: b\n  rol: x\n- {name: c, rol: y, var.x: 1}\n")
    assert [(f.line, f.title) for f in sheet.flaws] == [(3, "rol"), (5, "rol")]
    assert sheet.flaws[0].reason.startswith("there is no such field: a device has address, ")
    assert sheet.flaws[1].reason == "there is no such field"
    assert sheet.header == ("name", "var.x")


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str]) -> Siaga:
    run = runner(capsys)
    fresh(scrubbed)
    return run


def test_what_is_wrong_in_yaml_refuses_the_import(siaga: Siaga, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "device:\n- {name: a, role: router}\n- {name: b, rol: x}\n- {name: c, role: [router, switch]}\n"
    )
    told = "\n".join(siaga("import", path).failed(5, "bad-rows"))
    assert "a.yaml, row 3, column rol: there is no such field" in told
    assert "role must be one value, not a list" in told
    assert json.loads(siaga("device", "list", "-o", "json").out) == []


def test_a_folder_comes_in_by_the_command(siaga: Siaga, tmp_path: Path) -> None:
    siaga("place", "add", "Mauk", "kind=kecamatan").well()
    siaga("person", "add", "Budi", "phone=+62 811").well()
    siaga("export", "csv", "-O", tmp_path / "dir").well()
    assert "everything was so already" in siaga("import", tmp_path / "dir").well().err
    assert [s.noun for s in read_sheets(str(tmp_path / "dir")) if s.rows] == ["person", "place"]
