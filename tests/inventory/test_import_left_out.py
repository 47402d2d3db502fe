"""Bad rows are left out whole, with what refers to them, each told with its reason; of many all are counted."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from inventory.history import Author, breaks, entries
from inventory.imports.load import LeftOut, load
from inventory.imports.sheets import Flaw, Sheet, Taken
from inventory.problems import Problem, lines
from inventory.store import reading, rows
from inventory.writing import Diff
from siaga.errors import InvalidError
from siaga.settings import Rule
from tests.cli_runner import Siaga, runner, stored
from tests.homes import prepare


def sheet(noun: str, header: str, *cells: Sequence[object], source: str = "") -> Sheet:
    return Sheet(source or noun, noun, tuple(header.split()), tuple(enumerate(map(tuple, cells), 2)))


def skipping(engine: Engine, author: Author, *sheets: Sheet, **how: Any) -> tuple[LeftOut, list[Diff]]:
    left = LeftOut()
    return left, load(engine, sheets, author, left_out=left, **how)


def there(engine: Engine, noun: str) -> dict[str, dict[str, Any]]:
    with reading(engine) as session:
        return {r["name"]: r for r in rows(session, noun)}


def told_of(engine: Engine) -> set[str]:
    with reading(engine) as session:
        assert list(breaks(session)) == []
        return {e["row_name"] for e in entries(session)}


def problems(engine: Engine, author: Author, *sheets: Sheet, **how: Any) -> list[str]:
    with pytest.raises(InvalidError) as caught:
        load(engine, sheets, author, **how)
    return [caught.value.sentence, *caught.value.problems]


# --- left out whole -------------------------------------------------------------------------------------------------


def test_a_row_whose_parent_is_nowhere_is_left_out_whole(engine: Engine, author: Author) -> None:
    """Its parent could have stood further down: half of the row was written before that was known."""
    load(engine, [sheet("device", "name serial", ("old", "S1"))], author)
    left, _ = skipping(
        engine,
        author,
        sheet(
            "device", "name serial parent", ("new", "S2", "none"), ("old", "S3", "none"), ("fine", "S4", "")
        ),
    )
    devices = there(engine, "device")
    assert set(devices) == {"old", "fine"}
    assert devices["old"]["serial"] == "S1"
    assert told_of(engine) == {"old", "fine"}
    assert (left.rows, left.of) == (2, 3)
    assert [line.partition(";")[0] for line in left.lines] == [
        f"device, row {n}, column parent: parent refers to nothing: there is no device called 'none'"
        for n in (2, 3)
    ]


def test_what_refers_to_a_row_that_was_left_out_is_left_out_too(engine: Engine, author: Author) -> None:
    places = sheet(
        "place",
        "name kind parent",
        ("Ruang", "room", "Kantor"),
        ("Kantor", "site", "Mauk"),
        ("Mauk", "kecamatan", "Kabupaten"),
        ("Kabupaten", "regnecy", ""),
        ("Balai", "site", ""),
    )
    devices = sheet("device", "name place", ("a", "Ruang"), ("b", "Balai"), ("c", "Kantor"))
    ports = sheet("interface", "device name", ("a", "ether1"), ("b", "ether1"))
    notes = sheet("contact", "person role target_noun target", ("Budi", "technical", "device", "c"))
    people = sheet("person", "name", ("Budi",))
    left, _ = skipping(engine, author, places, devices, ports, people, notes)
    assert set(there(engine, "place")) == {"Balai"}
    assert set(there(engine, "device")) == {"b"}
    assert told_of(engine) == {"Balai", "b", "b:ether1", "Budi"}
    assert left.rows == 8
    assert (
        "device, row 2, column place: place refers to 'Ruang', which cannot come in: see place, row 2"
        in left.lines
    )
    assert (
        "interface, row 2, column device: device refers to 'a', which cannot come in: see device, row 2"
        in left.lines
    )
    assert (
        "contact, row 2, column target: target refers to 'c', which cannot come in: see device, row 4"
        in left.lines
    )
    assert len(left.lines) == 8


def test_a_row_that_was_there_before_can_still_be_referred_to(engine: Engine, author: Author) -> None:
    load(engine, [sheet("place", "name kind", ("Mauk", "kecamatan"))], author)
    left, _ = skipping(
        engine,
        author,
        sheet("place", "name kind parent", ("Mauk", "kecamatan", "nowhere")),
        sheet("device", "name place", ("a", "Mauk")),
    )
    assert left.rows == 1
    assert there(engine, "device")["a"]["place"] == "Mauk"


def test_a_sheet_with_an_unknown_column_is_left_out_whole_with_what_hangs_on_it(
    engine: Engine, author: Author
) -> None:
    left, _ = skipping(
        engine,
        author,
        sheet("place", "name colour", ("Mauk", "grey"), ("Kemiri", "red")),
        sheet("device", "name place", ("a", "Mauk"), ("b", "")),
        sheet("gadget", "name", ("x",)),
    )
    assert set(there(engine, "device")) == {"b"}
    assert (left.rows, left.of) == (4, 5)
    assert there(engine, "place") == {}


def test_many_bad_rows_among_many_take_few_rounds(
    engine: Engine, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    import inventory.imports.load as module

    begun: list[object] = []

    class Counted(module._Round):
        def __init__(self, *given: Any) -> None:
            begun.append(self)
            super().__init__(*given)

    monkeypatch.setattr(module, "_Round", Counted)
    # A chain of parents that ends nowhere, from the leaf up, and pairs that share an address.
    chain = [(f"c{n}", f"c{n + 1}", "") for n in range(300)]
    pairs = [(f"p{n}", "", f"10.0.{n // 2 // 250}.{n // 2 % 250 + 1}") for n in range(600)]
    good = [(f"g{n}", "", "") for n in range(500)]
    left, _ = skipping(engine, author, sheet("device", "name parent address", *chain, *pairs, *good))
    assert left.rows == 900
    assert set(there(engine, "device")) == {g[0] for g in good}
    assert len(begun) <= 4


# --- what only shows among several rows -----------------------------------------------------------------------------

TWICE = {
    "an address": (
        sheet("device", "name address", ("a", "10.0.0.1"), ("b", "10.0.0.1"), ("c", "10.0.0.2")),
        "device, rows 2-3, column address: a and b are both polled at 10.0.0.1 port 161",
        {"c"},
    ),
    "a circle": (
        sheet("device", "name parent", ("a", "b"), ("b", "a"), ("c", ""), ("d", "a")),
        "device, rows 2-3, column parent: the parents of device 'a' go in a circle: a -> b -> a",
        {"c"},
    ),
    "a VLAN id": (
        sheet("vlan", "name vid", ("a", 7), ("c", 8), ("b", 7)),
        "vlan, rows 2, 4, column vid: VLAN id 7 is used twice in one group: by a and b",
        {"c"},
    ),
    "a range": (
        sheet("ip_range", "name", ("10.0.0.1-10.0.0.9",), ("10.0.0.5-10.0.0.6",), ("10.0.1.1-10.0.1.2",)),
        "ip_range, rows 2-3, column name: the ranges 10.0.0.1-10.0.0.9 and 10.0.0.5-10.0.0.6 overlap",
        {"10.0.1.1-10.0.1.2"},
    ),
}


@pytest.mark.parametrize("what", TWICE)
def test_what_concerns_several_rows_says_each_and_can_be_left_out(
    engine: Engine, author: Author, what: str
) -> None:
    given, sentence, good = TWICE[what]
    assert problems(engine, author, given)[1:] == [sentence]
    assert there(engine, given.noun) == {}
    left, _ = skipping(engine, author, given)
    assert sentence in left.lines
    assert left.rows == len(given.rows) - len(good) == left.of - len(good)
    assert set(there(engine, given.noun)) == good == told_of(engine)


def test_an_address_of_two_devices_names_the_rows_of_both_sheets(engine: Engine, author: Author) -> None:
    devices = sheet(
        "device", "name address", ("a", "10.0.0.1"), ("b", "10.0.0.2"), source="w, sheet 'device'"
    )
    addresses = sheet(
        "address", "name device", ("10.0.0.1", "b"), ("10.0.0.2", "b"), source="w, sheet 'address'"
    )
    (_, told) = problems(engine, author, devices, addresses)
    assert told == (
        "w, sheet 'address', row 2 and w, sheet 'device', row 2: "
        "the address 10.0.0.1 is given to b, and a is managed at it"
    )


def test_of_two_that_share_only_the_one_that_comes_is_left_out(engine: Engine, author: Author) -> None:
    load(engine, [sheet("device", "name address", ("old", "10.0.0.1"))], author)
    left, _ = skipping(
        engine,
        author,
        sheet("device", "name address", ("old", "10.0.0.1"), ("new", "10.0.0.1"), ("b", "10.0.0.2")),
    )
    assert (left.rows, set(there(engine, "device"))) == (1, {"old", "b"})


def test_a_row_that_is_bad_anyway_does_not_take_its_pair_with_it(engine: Engine, author: Author) -> None:
    left, _ = skipping(
        engine,
        author,
        sheet("device", "name address parent", ("a", "10.0.0.1", "nowhere"), ("b", "10.0.0.1", "")),
    )
    assert (left.rows, set(there(engine, "device"))) == (1, {"b"})


def test_every_row_that_breaks_a_rule_is_told_and_left_out(engine: Engine, author: Author) -> None:
    rule = Rule(name="serials", when="role=router", require=("serial",))
    given = sheet(
        "device", "name role serial", *((f"r{n}", "router", "") for n in range(120)), ("s", "switch", "")
    )
    headline, first, *_ = problems(engine, author, given, rules=[rule])
    assert headline == "The import: 120 problems found; nothing was written."
    assert first == "device, row 2, column serial: device 'r0' breaks the rule 'serials': serial is set"
    left, _ = skipping(engine, author, given, rules=[rule])
    assert (left.rows, len(left.lines)) == (120, 120)
    assert set(there(engine, "device")) == {"s"}


# --- all that is wrong ----------------------------------------------------------------------------------------------


def test_of_very_many_problems_the_number_is_true(engine: Engine, author: Author) -> None:
    given = sheet("device", "name role", *((f"d{n}", f"r{n}") for n in range(700)), ("fine", "router"))
    headline, *told = problems(engine, author, given)
    assert headline == "The import: 700 problems found; nothing was written."
    assert (len(told), told[-1]) == (501, "and 200 more")
    assert len(problems(engine, author, given, most=None)) == 701
    left, _ = skipping(engine, author, given)
    assert (left.rows, len(left.lines), left.lines[-1]) == (700, 501, "and 200 more")


def test_an_unknown_column_hides_no_cell_of_the_others(engine: Engine, author: Author) -> None:
    told = problems(
        engine,
        author,
        sheet("device", "name colour role place", ("a", "grey", "ruter", "Nowhere"), ("b", "", "", "")),
    )
    assert [p.partition(": ")[0] for p in told[1:]] == [
        "device",
        "device, row 2, column role",
        "device, row 2, column place",
    ]
    without_key = problems(engine, author, sheet("device", "nama role", ("a", "ruter")))
    assert "column 'name' is missing" in without_key[2]
    assert without_key[3].startswith("device, row 2, column role: role is 'ruter'")


def test_a_cell_that_the_map_cannot_read_hides_no_other(engine: Engine, author: Author) -> None:
    flawed = Sheet(
        "f",
        "asset",
        ("name", "acquired", "condition", "place"),
        ((2, ("A/1", None, "bagus", "Nowhere")), (3, ("A/2", None, "B", None))),
        ("No", "Tgl", "Kondisi", "Ruang"),
        (Flaw(2, "Tgl", "acquired is '31/31/2024', must be day, month, year"),),
    )
    told = problems(engine, author, flawed)
    assert [p.partition(":")[0] for p in told[1:]] == [
        "f, row 2, column Tgl",
        "f, row 2, column Kondisi",
        "f, row 2, column Ruang",
    ]
    left, _ = skipping(engine, author, flawed)
    assert (left.rows, set(there(engine, "asset"))) == (1, {"A/2"})


def test_what_is_missing_hides_no_bad_cell_and_is_not_hidden(engine: Engine, author: Author) -> None:
    people = sheet("person", "name", ("Budi",))
    contacts = sheet("contact", "person role target_noun target", (None, "bos", "device", "a"))
    told = problems(engine, author, people, contacts)
    assert [p.partition(": ")[0].rpartition(" ")[2] for p in told[1:]] == ["person", "target"]
    told = problems(engine, author, sheet("component", "device_type kind label type", ("T", "x", None, "y")))
    assert [p.partition(": ")[0].rpartition(" ")[2] for p in told[1:]] == ["label", "device_type", "kind"]
    told = problems(engine, author, sheet("device", "name role", (None, "ruter")))
    assert [p.partition(": ")[0] for p in told[1:]] == [
        "device, row 2, column role",
        "device, row 2, column name",
    ]


def test_one_reason_for_many_rows_is_one_line_after_the_first(engine: Engine, author: Author) -> None:
    given = sheet("device", "name place", *((f"d{n}", "Nowhere" if n != 7 else "") for n in range(500)))
    headline, *told = problems(engine, author, given)
    assert headline == "The import: 499 problems found; nothing was written."
    assert len(told) == 4
    assert (
        told[2] == "device, row 4, column place: place refers to nothing: there is no place called 'Nowhere'"
    )
    assert told[3].startswith("device, 496 more rows 5-8, 10-501, column place: place refers to nothing")


def test_scattered_rows_are_named_in_part_and_different_reasons_stay_apart() -> None:
    found = [Problem((("f", n * 3),), "a", "same") for n in range(1, 41)]
    found.insert(1, Problem((("f", 4),), "a", "other"))
    told = lines(found)
    assert told[1] == "f, row 4, column a: other"
    assert len(told) == 5
    assert told[4] == f"f, 37 more rows {', '.join(str(n * 3) for n in range(4, 16))}, …, column a: same"


@pytest.mark.parametrize(
    ("noun", "header", "first", "second"),
    [
        ("address", "name", ("fe80::1",), ("FE80::1",)),
        ("address", "name", ("10.0.0.1",), ("10.0.0.1 ",)),
        ("address", "name", ("10.0.0.1/24",), ("10.0.0.1",)),
        ("prefix", "name", ("2001:db8::/32",), ("2001:DB8:0::/32",)),
        ("ip_range", "name", ("10.0.0.1-10.0.0.9",), ("10.0.0.1 - 10.0.0.9",)),
        ("device", "name", ("a",), (" a ",)),
        ("component", "device_type kind label", ("T", "console", "1"), ("T ", "console", "1")),
    ],
)
def test_two_spellings_of_one_name_are_one_row(
    engine: Engine, author: Author, noun: str, header: str, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    types = sheet("device_type", "name maker model", ("T", "M", "T"))
    told = problems(engine, author, types, sheet(noun, header, first, second))
    if noun == "ip_range":
        assert "row 3" in "".join(told)
        return
    assert len(told) == 2
    assert told[1].startswith(f"{noun}, row 3: '")
    assert told[1].endswith("' stands in row 2 already")


def test_the_same_prefix_may_stand_in_two_tables(engine: Engine, author: Author) -> None:
    vrfs = sheet("vrf", "name", ("red",))
    load(engine, [vrfs, sheet("prefix", "name vrf", ("10.0.0.0/8", ""), ("10.0.0.0/8", "red"))], author)
    assert set(there(engine, "prefix")) == {"10.0.0.0/8", "10.0.0.0/8 red"}
    twice = sheet("prefix", "name vrf", ("10.0.0.0/8 red", ""), ("10.0.0.0/8", "red"))
    assert "'10.0.0.0/8 red' stands in row 2 already" in problems(engine, author, twice)[1]


# --- by the command line --------------------------------------------------------------------------------------------


@pytest.fixture
def home(scrubbed: Path) -> Path:
    from siaga.settings import Settings

    prepare(Settings(home=scrubbed))
    return scrubbed


@pytest.fixture
def siaga(home: Path, capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


def test_with_every_row_left_out_nothing_was_imported(siaga: Siaga, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "device.csv"
    path.write_text("name,role,place\na,ruter,Nowhere\nb,ruter,\n")
    before = stored(home)
    said = siaga("import", path, "--skip-bad")
    assert said.code == 7
    assert said.err.splitlines()[-1] == "Nothing was imported: all 2 rows were left out."
    assert stored(home) == before
    (run,) = json.loads(siaga("runs", "-o", "json").well().out)
    assert (run["status"], run["summary"]["left_out"]) == ("partial", 2)
    path.write_text("name,role\na,ruter\nb,router\n")
    assert siaga("import", path, "--skip-bad").err.endswith("takes it back); 1 of 2 rows was left out.\n")
    assert siaga("import", path, "--skip-bad").err.endswith(
        "Imported: everything else was so already; 1 of 2 rows was left out.\n"
    )


def test_programs_are_told_every_problem(siaga: Siaga, tmp_path: Path) -> None:
    path = tmp_path / "device.csv"
    path.write_text("name,place\n" + "".join(f"d{n},Nowhere\n" for n in range(600)))
    assert len(siaga("import", path).failed(5, "bad-rows")) == 4
    assert len(siaga("import", path, "-o", "json").failed(5, "bad-rows")) == 600
    assert siaga("import", path, "-o", "json", "--skip-bad").err.count("left out: ") == 600


def test_a_word_behind_a_file_is_the_slip(siaga: Siaga, tmp_path: Path) -> None:
    path = tmp_path / "kantor.yaml"
    path.write_text("device: []\n")
    said = siaga("import", path, "where")
    said.failed(2, "extra-word")
    assert "'where' is one word too many" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["kantor.yaml", "--delimiter", ";"],
        ["kantor.csv", "--only", "sites"],
        ["kantor.csv", "--region-kinds", "regency"],
        ["kantor.xlsx", "--fields", "name"],
        ["kantor.xlsx", "--token-from", "ask"],
        ["kantor.csv", "--with-illustrative"],
        ["-", "--ca-file", "ca.pem"],
        ["netbox", "http://127.0.0.1:1/", "--map", "map.toml"],
        ["netbox", "http://127.0.0.1:1/", "--noun", "device"],
        ["librenms", "http://127.0.0.1:1/", "--only", "devices"],
        ["ansible", "hosts.ini", "--format", "yaml"],
        ["oxidized", "router.db", "--draft-map"],
        ["devicetypes", "types", "--token-from", "env:X"],
    ],
)
def test_an_option_of_another_source_is_refused(siaga: Siaga, arguments: list[str]) -> None:
    said = siaga("import", *arguments)
    said.failed(2, "option-not-for-this")
    assert next(a for a in arguments if a.startswith("--")) in said.err


def test_what_only_left_out_is_hinted_at(siaga: Siaga, monkeypatch: pytest.MonkeyPatch) -> None:
    from inventory.import_commands import _unresolved

    taken = Taken([sheet("device", "name place", ("a", "Kantor"), source="NetBox dcim/devices")])
    monkeypatch.setattr("inventory.imports.sources.take", lambda _: taken)
    _, last = siaga("import", "netbox", "http://127.0.0.1:1/", "--only", "devices").failed(5, "bad-rows")
    assert last.startswith("--only leaves out what these rows refer to; add to it: tenants,")
    left = siaga("import", "netbox", "http://127.0.0.1:1/", "--only", "devices", "--skip-bad")
    assert "--only leaves out" in left.err

    told = ["NetBox dcim/devices, row 1, column place: place refers to nothing: there is no place called 'K'"]
    (hint,) = _unresolved("devices", told)
    assert hint.endswith("add to it: tenants,regions,sites,locations,racks,device-types")
    assert _unresolved("", told) == _unresolved("devices", ["f, row 2: x"]) == []
    assert "interfaces" in _unresolved("cables", told)[0]


# --- room -----------------------------------------------------------------------------------------------------------


def test_a_diff_that_nobody_asked_for_holds_no_values(engine: Engine, author: Author) -> None:
    given = sheet("device", "name serial", *((f"d{n}", f"S{n}") for n in range(50)))
    found = load(engine, [given], author, whole=False)
    assert {d.action for d in found} == {"add"}
    assert not any(d.after for d in found)
    assert len(told_of(engine)) == 50


def test_the_nearest_name_is_not_looked_for_without_end(
    engine: Engine, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 30 ms among 3,000 names: ten thousand bad rows would be told after five minutes."""
    asked: list[str] = []

    def looked_for(label: str, _: object) -> str:
        asked.append(label)
        return ""

    monkeypatch.setattr("inventory.keys.nearest", looked_for)
    same = sheet("device", "name place", *((f"d{n}", "Kantor Besar") for n in range(900)))
    problems(engine, author, same)
    assert asked == ["Kantor Besar"]
    problems(engine, author, sheet("device", "name place", *((f"d{n}", f"Kantor {n}") for n in range(900))))
    assert len(asked) == 201
