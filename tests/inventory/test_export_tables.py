"""An export holds everything that can be set, exactly, and an import of it gives the same inventory."""

import csv
import io
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from export_world import FIELDS, NOW, ODD, VARIABLES, build, contents
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import Engine

from inventory import store
from inventory.exports import cells
from inventory.exports.csv_files import write_csv
from inventory.exports.document import write_yaml
from inventory.exports.tables import Column, Table, export_tables, flat
from inventory.exports.workbook import MAX_ROWS, write_xlsx
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.reading import read_sheets
from inventory.imports.sheets import Sheet
from inventory.nouns import declare, nouns
from inventory.writing import Writer
from siaga.errors import InvalidError, NotFoundError, SiagaError, UsageError
from siaga.formulas import restored
from siaga.settings import Settings
from tests.homes import prepare

Opened = Callable[[str], Engine]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an empty inventory, and one in which every noun has rows: made once, copied for each test."""
    where = tmp_path_factory.mktemp("homes")
    for name in ("empty", "world"):
        settings = Settings(home=where / name, fields=FIELDS)
        prepare(settings)
        engine = store.open_engine(settings)
        if name == "world":
            build(engine)
        engine.dispose()
    return where


@pytest.fixture
def opened(homes: Path, tmp_path: Path):
    """What opens a copy of one of the homes, with fields of the regency's own."""
    engines: list[Engine] = []

    def fresh(name: str) -> Engine:
        home = tmp_path / f"home-{len(engines)}"
        shutil.copytree(homes / name, home)
        engines.append(store.open_engine(Settings(home=home, fields=FIELDS)))
        return engines[-1]

    yield fresh
    for engine in engines:
        engine.dispose()
    declare({})


@pytest.fixture
def world(opened: Opened) -> Engine:
    """The inventory in which every noun has rows."""
    return opened("world")


def exported(engine: Engine, write: Callable[..., str], target: Path, *names: str, **wanted: bool) -> str:
    more = {} if write is write_csv else {"at": NOW}
    with store.reading(engine) as session:
        return write(export_tables(session, names, **wanted), str(target), **more)


def imported(engine: Engine, *sheets: Sheet) -> list[Any]:
    return load(engine, sheets, Author("siti", NOW, "test"))


# --- cells --------------------------------------------------------------------------------------------------

texts = st.text(st.sampled_from("'=+-@\t\rab1 ") | st.characters(codec="utf-8"), max_size=12)


def test_numbers_stay_numbers_in_csv_negative_ones_too() -> None:
    assert [cells.text(v) for v in (-5, -6.25, 0, True, False, None)] == ["-5", "-6.25", "0", "yes", "no", ""]
    assert cells.text("-5") == "'-5"


def test_a_time_is_written_exactly_with_its_zone() -> None:
    assert cells.text(NOW) == "2026-11-24T10:00:00.123456+07:00"


# --- tables -------------------------------------------------------------------------------------------------


def test_without_a_noun_all_that_have_rows_are_exported_in_import_order(world: Engine) -> None:
    with store.reading(world) as session:
        names = [t.noun for t in export_tables(session)]
    assert names == [n for n, kind in nouns().items() if not kind.seen]


def test_the_natural_key_stands_first_and_orders_the_rows(world: Engine) -> None:
    with store.reading(world) as session:
        [table] = export_tables(session, ["interface"])
        rows = list(table.rows())
    assert [c.name for c in table.columns][:2] == ["device", "name"]
    assert table.key == 2
    assert [r[:2] for r in rows] == [("rtr-1", "bridge1"), ("rtr-1", "ether1"), ("sw-1", "gi0/1")]


def test_a_selector_means_rows_of_one_noun(world: Engine) -> None:
    with store.reading(world) as session:
        [table] = export_tables(session, ["device"], "role=router")
        assert (table.count, [r[0] for r in table.rows()]) == (1, ["rtr-1"])
        with pytest.raises(UsageError, match="one-noun"):
            export_tables(session, ["device", "place"], "rtr-1")
        with pytest.raises(NotFoundError, match="no-such-noun"):
            export_tables(session, ["gadget"])


def test_what_siaga_saw_is_exported_only_on_request(world: Engine) -> None:
    with store.session(world) as session:
        store.observe(session, 1, {"serial": "SEEN"}, source="snmp", at=NOW)
    with store.reading(world) as session:
        plain = {c.name for t in export_tables(session) for c in t.columns}
        whole = {c.name for t in export_tables(session, with_observed=True) for c in flat(t).columns}
    assert not plain & {"seen_at", "oper_status", "kecamatan", "if_index", "first", "revision"}
    assert {"seen_at", "oper_status", "kecamatan", "if_index", "first", "observed.serial"} <= whole


def test_a_variable_that_is_a_secret_by_its_name_stays_behind_and_is_named(world: Engine) -> None:
    with store.session(world) as session:
        writer = Writer(session, Author("budi", NOW))
        writer.restoring = True  # rows from before secrets were refused
        writer.put("device", {"name": "rtr-1", "var.snmp_community": "hush-hush", "var.mtu": "9000"})
        writer.finish()
    with store.reading(world) as session:
        [table] = export_tables(session, ["device"], "rtr-1")
        assert table.left_out == ("snmp_community",)
        assert "hush-hush" not in str(list(table.rows()))
        assert "hush-hush" not in str(list(flat(table).rows()))


def test_no_format_holds_a_sealed_secret(world: Engine, tmp_path: Path) -> None:
    for write, name in ((write_csv, "all.zip"), (write_yaml, "all.yaml")):
        exported(world, write, tmp_path / name, with_observed=True)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        header = archive.read("credential.csv").decode().splitlines()[0]
    assert header == "name,kind,username,auth_protocol,priv_protocol,notes"
    assert "sealed" not in (tmp_path / "all.yaml").read_text()


# --- CSV ----------------------------------------------------------------------------------------------------


def test_csv_is_what_any_reader_expects_and_holds_no_formula(world: Engine, tmp_path: Path) -> None:
    exported(world, write_csv, tmp_path / "asset.csv", "asset")
    text = (tmp_path / "asset.csv").read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert not [c for row in rows for c in row if c[:1] in tuple("=+-@\t\r")]
    [sheet] = read_sheets(str(tmp_path / "asset.csv"))
    assert [row[sheet.header.index("title")] for _, row in sheet.rows] == [*ODD, ""]
    assert (tmp_path / "asset.csv").stat().st_mode & 0o777 == 0o600


def test_several_nouns_become_a_directory_or_a_zip_of_the_same_files(world: Engine, tmp_path: Path) -> None:
    assert exported(world, write_csv, tmp_path / "dir") == ""
    exported(world, write_csv, tmp_path / "one.zip")
    files = {p.name: p.read_bytes() for p in (tmp_path / "dir").iterdir()}
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {n: archive.read(n) for n in archive.namelist()} == files
    assert "device.csv" in files


def test_the_same_rows_give_the_same_octets(world: Engine, tmp_path: Path) -> None:
    for write, end in ((write_csv, "zip"), (write_yaml, "yaml"), (write_xlsx, "xlsx")):
        first, second = (exported(world, write, tmp_path / f"{n}.{end}") for n in "ab")
        assert first == second
        assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()


# --- XLSX ---------------------------------------------------------------------------------------------------


def cell(sheet: Any, row: int, name: str) -> Any:
    header = [c.value for c in sheet[1]]
    return sheet.cell(row, header.index(name) + 1)


def test_a_workbook_has_typed_cells_a_frozen_header_and_a_filter(world: Engine, tmp_path: Path) -> None:
    exported(world, write_xlsx, tmp_path / "all.xlsx")
    book = load_workbook(tmp_path / "all.xlsx")
    place, person, ticket = (book[n] for n in ("place", "person", "ticket"))
    assert (place.freeze_panes, place.auto_filter.ref.split(":")[0]) == ("B2", "A1")
    assert [cell(place, 2, "latitude").value, cell(place, 3, "longitude").value] == [
        -6.2,
        "0.30000000000000004",
    ]
    assert cell(person, 2, "on_call").value is False
    assert cell(person, 2, "fte").value == 0.5
    assert cell(ticket, 2, "opened").value == datetime(2026, 11, 23, 23, 59, 59)  # noqa: DTZ001 - Excel has no zones
    assert cell(book["contract"], 2, "end").value == datetime(2026, 12, 31)  # noqa: DTZ001
    assert place.column_dimensions["A"].width >= 8


def test_what_a_spreadsheet_would_round_stands_as_text(world: Engine, tmp_path: Path) -> None:
    exported(world, write_xlsx, tmp_path / "all.xlsx")
    book = load_workbook(tmp_path / "all.xlsx")
    assert cell(book["contract"], 2, "price_idr").value == str(2**62)
    assert cell(book["stock_take"], 2, "started").value == "2026-11-24T10:00:00.123456+07:00"
    assert cell(book["place"], 5, "active_from").value == "1899-12-31"


def test_no_cell_of_a_workbook_is_a_formula_and_odd_texts_are_texts(world: Engine, tmp_path: Path) -> None:
    exported(world, write_xlsx, tmp_path / "all.xlsx")
    with zipfile.ZipFile(tmp_path / "all.xlsx") as archive:
        sheets = [archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets/")]
    assert not [s for s in sheets if b"<f>" in s or b"<f " in s or b"hyperlink" in s]
    book = load_workbook(tmp_path / "all.xlsx")
    titles = [cell(book["asset"], row, "title") for row in range(2, len(ODD) + 2)]
    assert [t.value for t in titles] == list(ODD)
    assert {t.data_type for t in titles} == {"s"}


def test_a_formula_start_bears_excels_own_mark(world: Engine, tmp_path: Path) -> None:
    exported(world, write_xlsx, tmp_path / "all.xlsx", "asset")
    book = load_workbook(tmp_path / "all.xlsx")
    marked = [bool(cell(book["asset"], n, "title").quotePrefix) for n in range(2, len(ODD) + 2)]
    assert marked == [t[0] in "=+-@" for t in ODD]


def test_what_does_not_fit_a_sheet_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    huge = Table("node", (Column("name", "text"),), MAX_ROWS + 1, 1, lambda: iter([]))
    long = Table("layer", (Column("name", "text"),), 1, 1, lambda: iter([("x" * 32_768,)]))
    for table in (huge, long):
        with pytest.raises(InvalidError, match="too-large-for-xlsx"):
            write_xlsx([table], str(tmp_path / "x.xlsx"), at=NOW)
    assert list(tmp_path.iterdir()) == []


# --- YAML ---------------------------------------------------------------------------------------------------


def test_yaml_says_who_wrote_it_and_only_what_is_set(world: Engine, tmp_path: Path) -> None:
    exported(world, write_yaml, tmp_path / "all.yaml")
    text = (tmp_path / "all.yaml").read_text("utf-8")
    found = yaml.safe_load(text)
    assert text.startswith("siaga: {format: 1, exported_at: 2026-11-24T10:00:00+07:00}\n")
    assert list(found) == ["siaga", *(n for n, kind in nouns().items() if not kind.seen)]
    device = found["device"][2]
    assert device["vars"] == VARIABLES
    assert (device["tags"], device["serial"], device["reviewed"]) == (
        ["core", "1.10"],
        "0012",
        date(2026, 2, 3),
    )
    assert found["vrf"] == [{"name": "tamu", "enforce_unique": False}]
    assert found["asset"][-1]["unit"] == ""


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, yaml_values, min_size=1, max_size=4), texts)
def test_any_value_comes_back_from_yaml_as_it_was(variables: dict[str, Any], text: str) -> None:
    from inventory.exports.document import _liner

    columns = (Column("name", "text"), Column("notes", "text", default=None), Column("vars", "vars"))
    [found] = yaml.safe_load(_liner(columns)(("x", text, variables)))
    assert found.get("notes", "") == text
    assert found["vars"] == variables


# --- there and back -----------------------------------------------------------------------------------------


def test_a_yaml_export_gives_the_same_inventory(world: Engine, opened: Opened, tmp_path: Path) -> None:
    exported(world, write_yaml, tmp_path / "all.yaml")
    other = opened("empty")
    imported(other, *read_sheets(str(tmp_path / "all.yaml")))
    assert differences(contents(other), contents(world)) == []


def test_a_workbook_gives_the_same_inventory(world: Engine, opened: Opened, tmp_path: Path) -> None:
    imported(
        world, Sheet("a", "asset", ("name", "unit"), ((2, ("1.3.2/9000", "set")),))
    )  # no cell says "empty"
    exported(world, write_xlsx, tmp_path / "all.xlsx")
    other = opened("empty")
    imported(other, *read_sheets(str(tmp_path / "all.xlsx")))
    assert differences(simple_variables(contents(other)), simple_variables(contents(world))) == []


def test_a_directory_of_csv_gives_the_same_inventory(world: Engine, opened: Opened, tmp_path: Path) -> None:
    exported(world, write_csv, tmp_path / "dir")
    other = opened("empty")
    imported(other, *(s for p in sorted((tmp_path / "dir").iterdir()) for s in read_sheets(str(p))))
    assert differences(text_variables(contents(other)), text_variables(contents(world))) == []


@pytest.mark.parametrize(
    ("write", "name"), [(write_csv, "dir"), (write_xlsx, "all.xlsx"), (write_yaml, "all.yaml")]
)
def test_an_import_of_an_export_changes_nothing(world: Engine, tmp_path: Path, write: Any, name: str) -> None:
    with store.session(world) as session:  # a cell has no types, and no list: see docs/export.md
        writer = Writer(session, Author("budi", NOW))
        writer.put("device", {"name": "rtr-1", **{f"var.{k}": "" for k in VARIABLES}})
        for layer in ("regency", "mauk"):
            writer.put("layer", {"name": layer, "var.ntp_servers": ""})
        writer.finish()
    exported(world, write, tmp_path / name, revision=True)
    paths = sorted((tmp_path / name).iterdir()) if (tmp_path / name).is_dir() else [tmp_path / name]
    diffs = imported(world, *(s for p in paths for s in read_sheets(str(p))))
    assert [(d.noun, d.name, d.before, d.after) for d in diffs if d.action != "same"] == []


def test_a_row_changed_since_the_export_is_refused_by_its_revision(world: Engine, tmp_path: Path) -> None:
    exported(world, write_csv, tmp_path / "device.csv", "device", revision=True)
    imported(world, Sheet("d", "device", ("name", "notes"), ((2, ("sw-1", "changed")),)))
    with pytest.raises(InvalidError) as caught:
        imported(world, *read_sheets(str(tmp_path / "device.csv")))
    assert "was changed since this file was written" in "\n".join(caught.value.problems)


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[Any]:
    """Return every field that differs, so that a failure can be read."""
    assert {n: len(rows) for n, rows in found.items()} == {n: len(rows) for n, rows in wanted.items()}
    return [
        (noun, new["name"], field, new[field], old[field])
        for noun, rows in wanted.items()
        for new, old in zip(found[noun], rows, strict=True)
        for field in old
        if not (
            field in FIELDS["device"] and not new[field] and not old[field]
        )  # '' and nothing are the same there
        if (new[field], type(new[field])) != (old[field], type(old[field]))
    ]


SIMPLE = ("mtu", "jumbo", "text_number", "formula", "negative", "domain", "snmp_module")


def simple_variables(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Leave out variables that a cell cannot hold with their type: lists, mappings, numbers Excel would round."""
    for row in (*found["device"], *found["layer"]):
        row["vars"] = {k: v for k, v in (row["vars"] or {}).items() if k in SIMPLE}
    return found


def text_variables(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Give variables as the text that CSV has of them."""
    for row in (*found["device"], *found["layer"]):
        own = {k: restored(cells.text(v)) for k, v in (row["vars"] or {}).items()}
        row["vars"] = {k: own[k] for k in sorted(own) if own[k]}
    return found


# --- files --------------------------------------------------------------------------------------------------


def failing(table_rows: int) -> Table:
    def rows():
        for n in range(table_rows):
            yield (f"row {n}",)
        raise RuntimeError("the power went")

    return Table("vrf", (Column("name", "text"),), table_rows, 1, rows)


@pytest.mark.parametrize(
    ("write", "name"),
    [(write_csv, "x.csv"), (write_csv, "x.zip"), (write_xlsx, "x.xlsx"), (write_yaml, "x.yaml")],
)
def test_an_export_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, write: Any, name: str
) -> None:
    (tmp_path / name).write_text("old")
    more = {} if write is write_csv else {"at": NOW}
    with pytest.raises(RuntimeError):
        write([failing(5_000)], str(tmp_path / name), **more)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {name: "old"}


def test_a_directory_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    good = Table("place", (Column("name", "text"),), 1, 1, lambda: iter([("Mauk",)]))
    with pytest.raises(RuntimeError):
        write_csv([good, failing(1)], str(tmp_path / "dir"))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    table = Table("place", (Column("name", "text"),), 1, 1, lambda: iter([("Mauk",)]))
    for target in (tmp_path, tmp_path / "no" / "such" / "x.csv"):
        with pytest.raises(SiagaError, match="cannot-write"):
            write_csv([table], str(target))


def test_progress_counts_every_row(world: Engine, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    for write, name in ((write_csv, "all.zip"), (write_yaml, "all.yaml"), (write_xlsx, "all.xlsx")):
        told.clear()
        more: dict[str, Any] = {} if write is write_csv else {"at": datetime(2026, 1, 1, tzinfo=UTC)}
        with store.reading(world) as session:
            write(
                export_tables(session),
                str(tmp_path / name),
                progress=lambda d, t: told.append((d, t)),
                **more,
            )
        assert told[-1][0] == told[-1][1] > 50
