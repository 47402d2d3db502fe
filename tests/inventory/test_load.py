"""An import is all or nothing, says every problem at once, and running it again changes nothing."""

from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import Engine

from inventory.history import Author, breaks
from inventory.imports.load import load
from inventory.imports.reading import read_sheets
from inventory.imports.sheets import Sheet
from inventory.store import reading, rows
from siaga.errors import InvalidError, NotFoundError, UsageError

PLACES = Sheet(
    "p",
    "place",
    ("name", "kind", "kecamatan"),
    (
        (2, ("Kantor", "site", "Mauk")),
        (3, ("Mauk", "kecamatan", "Kabupaten")),
        (4, ("Kabupaten", "regency", None)),
    ),
)


def devices(
    *cells: tuple[object, ...], header: tuple[str, ...] = ("name", "role", "place", "address")
) -> Sheet:
    return Sheet("d", "device", header, tuple(enumerate(cells, 2)))


def names(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return [r["name"] for r in rows(session, "device")]


def test_rows_may_refer_to_rows_further_down(engine: Engine, author: Author) -> None:
    load(engine, [PLACES], author)
    with reading(engine) as session:
        found = {r["name"]: (r["parent"], r["kecamatan"]) for r in rows(session, "place")}
    assert found == {"Kantor": ("Mauk", "Mauk"), "Mauk": ("Kabupaten", "Mauk"), "Kabupaten": (None, "")}


def test_importing_again_changes_nothing(engine: Engine, author: Author) -> None:
    sheets = [PLACES, devices(("rtr-1", "router", "Kantor", "10.0.0.1"))]
    assert {d.action for d in load(engine, sheets, author)} == {"add"}
    assert {d.action for d in load(engine, sheets, author)} == {"same"}


def test_all_problems_are_said_and_nothing_is_written(engine: Engine, author: Author) -> None:
    bad = devices(
        ("rtr-1", "router", "Kantor", "10.0.0.1"),
        ("rtr-2", "ruter", "Kantr", "10.0.0"),
        ("rtr-1", "router", "Kantor", "10.0.0.9"),
        ("", "router", "Kantor", "10.0.0.8"),
    )
    with pytest.raises(InvalidError) as caught:
        load(engine, [PLACES, bad, Sheet("x", "gadget", ("name",), ((2, ("a",)),))], author)
    problems = "\n".join(caught.value.problems)
    for words in (
        "There is nothing called 'gadget'",
        "row 3, column role: role is 'ruter', must be one of",
        "row 3, column place: place refers to nothing: there is no place called 'Kantr'; did you mean 'Kantor'?",
        "row 3, column address: address is '10.0.0', must be an IPv4 or IPv6 address",
        "row 4: 'rtr-1' stands in row 2 already",
        "row 5, column name: name must not be empty",
    ):
        assert words in problems
    assert names(engine) == []


def test_an_unknown_kecamatan_is_named_with_the_nearest_known_one(engine: Engine, author: Author) -> None:
    sheet = Sheet(
        "p",
        "place",
        ("name", "kind", "kecamatan"),
        ((2, ("Mauk", "kecamatan", None)), (3, ("K", "site", "Mouk"))),
    )
    with pytest.raises(InvalidError) as caught:
        load(engine, [sheet], author)
    assert caught.value.problems == (
        "p, row 3, column kecamatan: parent refers to nothing: there is no place called 'Mouk'; did you mean 'Mauk'?",
    )


def test_wrong_columns_are_said_with_the_right_ones(engine: Engine, author: Author) -> None:
    with pytest.raises(InvalidError) as caught:
        load(engine, [devices(("a", "b"), header=("nama", "role"))], author)
    assert "column 'nama' is unknown; a device has name, role" in caught.value.problems[0]
    assert "column 'name' is missing" in caught.value.problems[1]


def test_a_dry_run_writes_nothing_and_shows_the_same(engine: Engine, author: Author) -> None:
    sheets = [PLACES, devices(("rtr-1", "router", "Kantor", "10.0.0.1"))]
    dry = load(engine, sheets, author, dry_run=True)
    assert names(engine) == []
    assert load(engine, sheets, author) == dry


def test_two_devices_cannot_be_polled_at_one_address(engine: Engine, author: Author) -> None:
    with pytest.raises(InvalidError, match="1 problem") as caught:
        load(engine, [devices(("a", "router", "", "10.0.0.1"), ("b", "router", "", "10.0.0.1"))], author)
    assert "both polled at 10.0.0.1 port 161" in caught.value.problems[0]


def test_parents_cannot_go_in_a_circle(engine: Engine, author: Author) -> None:
    header = ("name", "parent")
    with pytest.raises(InvalidError) as caught:
        load(engine, [devices(("a", "b"), ("b", "a"), header=header)], author)
    assert "go in a circle" in caught.value.problems[0]


@pytest.mark.parametrize(
    "name", ["a:b", " x", 'q"', "a@b", "a\nb", "x" * 300, "a,b", "\x1b[2Jx", "\u202eevil"]
)
def test_a_name_that_would_break_a_reference_is_refused(engine: Engine, author: Author, name: str) -> None:
    sheet = devices((name, "router"), header=("name", "role"))
    if name.strip() == name:
        with pytest.raises(InvalidError):
            load(engine, [sheet], author)
    else:
        load(engine, [sheet], author)
        assert names(engine) == [name.strip()]


def test_every_change_is_in_the_history_and_the_chain_holds(engine: Engine, author: Author) -> None:
    load(engine, [PLACES, devices(("rtr-1", "router", "Kantor", "10.0.0.1"))], author)
    load(engine, [devices(("rtr-1", "router", "Kantor", "10.0.0.2"))], author)
    with reading(engine) as session:
        assert list(breaks(session)) == []


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE change SET who = 'mallory' WHERE id = 2",
        "UPDATE change SET after = '{}' WHERE id = 3",
        "DELETE FROM change WHERE id = 2",
        "UPDATE change SET id = id + 100 WHERE id = 1",
    ],
)
def test_the_history_shows_where_it_was_tampered_with(engine: Engine, author: Author, tamper: str) -> None:
    load(engine, [PLACES, devices(("rtr-1", "router", "Kantor", "10.0.0.1"))], author)
    with engine.begin() as connection:
        connection.exec_driver_sql(tamper)
    with reading(engine) as session:
        assert list(breaks(session)) != []


def test_a_workbook_is_read_by_sheets(tmp_path: Path, engine: Engine, author: Author) -> None:
    book = Workbook()
    book.active.title = "device"
    for row in (
        ["name", "role", "snmp_port"],
        ["rtr-1", "router", 1161],
        [None, None, None],
        ["rtr-2", "switch", 161],
    ):
        book.active.append(row)
    book.create_sheet("place").append(["name", "kind"])
    book.save(tmp_path / "w.xlsx")
    load(engine, read_sheets(str(tmp_path / "w.xlsx")), author)
    assert names(engine) == ["rtr-1", "rtr-2"]


def test_csv_with_semicolons_and_a_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "device.csv"
    path.write_bytes("\ufeffname;role\nrtr-1;router\n".encode())
    assert read_sheets(str(path)) == [
        Sheet("device.csv", "device", ("name", "role"), ((2, ("rtr-1", "router")),))
    ]


def test_what_is_no_workbook_is_said_in_one_line(tmp_path: Path) -> None:
    for name, octets, error in (
        ("a.xlsx", b"PK\x03\x04 but damaged", InvalidError),
        ("b.xlsx", b"name,role", InvalidError),
        ("c.csv", b"name\n\x9d\xff", InvalidError),
        ("d.txt", b"x", UsageError),
    ):
        (tmp_path / name).write_bytes(octets)
        with pytest.raises(error):
            read_sheets(str(tmp_path / name))
    with pytest.raises(NotFoundError):
        read_sheets(str(tmp_path / "none.xlsx"))


def test_a_formula_that_was_never_computed_is_refused_with_its_place(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "device"
    book.active.append(["name", "notes"])
    book.active.append(["rtr-1", "=1+1"])
    book.save(tmp_path / "w.xlsx")
    with pytest.raises(InvalidError) as caught:
        read_sheets(str(tmp_path / "w.xlsx"))
    assert caught.value.problems == ("w.xlsx, sheet 'device', row 2, cell B2: a formula without a value",)


def test_cells_beyond_the_columns_are_not_lost_in_silence(
    tmp_path: Path, engine: Engine, author: Author
) -> None:
    (tmp_path / "device.csv").write_text("name,role\nrtr-1,router,Mauk\n")
    with pytest.raises(InvalidError) as caught:
        load(engine, read_sheets(str(tmp_path / "device.csv")), author)
    assert caught.value.problems == ("device.csv, row 2: there are more cells than columns",)


def test_an_unclosed_quote_is_said(tmp_path: Path) -> None:
    (tmp_path / "device.csv").write_text('name,notes\nrtr-1,"open\nrtr-2,x\n')
    with pytest.raises(InvalidError, match="begins at line 2 is never closed"):
        read_sheets(str(tmp_path / "device.csv"))
