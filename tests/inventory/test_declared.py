"""Fields and rules that the regency declares itself act everywhere: add, set, import, selectors, lists, history."""

import json
from pathlib import Path

import pytest

from inventory import complete
from inventory.nouns import declare
from tests.cli_runner import Siaga, runner
from tests.homes import fresh

CONFIG = """
[fields.device.po_number]
type = "text"
title = "Nomor SPK"
pattern = "SPK-[0-9]{4}"

[fields.device.rack_depth_mm]
type = "int"
minimum = 1
maximum = 1200

[fields.device.installed_on]
type = "date"

[fields.device.colour]
type = "choice"
choices = ["grey", "black"]

[fields.device.outdoor]
type = "bool"

[fields.device.load_kg]
type = "float"

[fields.device.keeper]
type = "ref"
ref = "person"

[fields.agency.head_count]
type = "int"
required = true

[[rules]]
name = "routers-have-serials"
when = "role=router status=active"
require = ["serial"]
message = "an active router needs the serial of its label"

[[rules]]
name = "mauk-is-grey"
when = "kecamatan=Mauk"
must = "colour=grey,''"
severity = "warning"

[[rules]]
name = "core-stays"
when = "role=core-router"
protect = true
"""


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


@pytest.fixture
def declared(scrubbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, siaga: Siaga):
    config = tmp_path / "siaga.toml"
    config.write_text(CONFIG)
    monkeypatch.setenv("SIAGA_CONFIG", str(config))
    fresh(scrubbed)
    siaga("place", "add", "Mauk", "kind=kecamatan").well()
    siaga("person", "add", "Budi").well()
    yield config
    declare({})


def listed(siaga: Siaga, *arguments: str) -> list[str]:
    return siaga("device", "list", *arguments, "-o", "name").well().out.split()


def test_declared_fields_are_fields(declared: Path, siaga: Siaga) -> None:
    values = ["po_number=SPK-0012", "rack_depth_mm=800", "installed_on=2026-03-01", "colour=grey", "outdoor=ya",
              "load_kg=12,5", "keeper=Budi"]  # fmt: skip
    siaga("device", "add", "rtr-1", *values).well()
    siaga("device", "add", "rtr-2", "rack_depth_mm=400", "outdoor=no").well()
    row = json.loads(siaga("device", "show", "rtr-1", "-o", "json").well().out)
    assert {
        k: row[k] for k in ("po_number", "rack_depth_mm", "installed_on", "outdoor", "load_kg", "keeper")
    } == {
        "po_number": "SPK-0012",
        "rack_depth_mm": 800,
        "installed_on": "2026-03-01",
        "outdoor": True,
        "load_kg": 12.5,
        "keeper": "Budi",
    }
    for selector, expected in {
        "po_number=SPK-0012": ["rtr-1"],
        "po_number~^SPK": ["rtr-1"],
        "po_number=''": ["rtr-2"],
        "rack_depth_mm>=500": ["rtr-1"],
        "rack_depth_mm=400,800": ["rtr-1", "rtr-2"],
        "not rack_depth_mm<500": ["rtr-1"],
        "installed_on<2026-03-02": ["rtr-1"],
        "installed_on>2026-03-01": [],
        "outdoor=yes": ["rtr-1"],
        "outdoor=no": ["rtr-2"],
        "load_kg>12": ["rtr-1"],
        "keeper=Budi": ["rtr-1"],
        "keeper.name~^B": ["rtr-1"],
        "keeper!=Budi": ["rtr-2"],
        "colour!=grey": ["rtr-2"],
    }.items():
        assert listed(siaga, selector) == expected, selector
    plain = json.loads(siaga("device", "list", "-o", "json").well().out)
    assert plain == json.loads(siaga("device", "list", "name~.", "-o", "json").well().out)
    assert plain[0]["po_number"] == "SPK-0012"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("po_number=SPK-1", "must look like SPK-[0-9]{4}"),
        ("rack_depth_mm=5000", "must be from 1 to 1200"),
        ("rack_depth_mm=wide", "must be a whole number"),
        ("colour=pink", "must be one of grey, black"),
        ("installed_on=1/3/2026", "must be a date"),
        ("keeper=Siti", "there is no person called 'Siti'"),
        ("load_kg=nan", "must be a number"),
    ],
)
def test_a_wrong_value_of_a_declared_field_is_refused(
    declared: Path, siaga: Siaga, value: str, told: str
) -> None:
    (problem,) = siaga("device", "add", "rtr-1", value).failed(5, "bad-values")
    assert told in problem


def test_a_required_field_must_be_given(declared: Path, siaga: Siaga) -> None:
    (problem,) = siaga("agency", "add", "dinkes").failed(5, "bad-values")
    assert problem == "head_count is missing"


def test_who_is_referred_to_by_a_declared_field_cannot_be_removed(declared: Path, siaga: Siaga) -> None:
    siaga("device", "add", "rtr-1", "keeper=Budi").well()
    (problem,) = siaga("person", "rm", "Budi", "--yes").failed(5, "bad-values")
    assert "still referred to by device 'rtr-1'" in problem


def test_rules_keep_changes_out_and_warn(declared: Path, siaga: Siaga) -> None:
    (problem,) = siaga("device", "add", "rtr-1", "role=router").failed(5, "bad-values")
    assert problem.endswith("'routers-have-serials': an active router needs the serial of its label")
    siaga("device", "add", "rtr-1", "role=router", "status=planned").well()
    said = siaga("device", "add", "sw-1", "place=Mauk", "colour=black").well()
    assert "warning: device 'sw-1' breaks the rule 'mauk-is-grey'" in said.err
    found = siaga("rule", "check", "-o", "json")
    assert found.code == 6
    assert [(f["rule"], f["name"]) for f in json.loads(found.out)] == [("mauk-is-grey", "sw-1")]
    siaga("device", "add", "core-1", "role=core-router").well()
    (kept,) = siaga("device", "rm", "core-1", "--yes").failed(5, "bad-values")
    assert "protected by the rule 'core-stays'" in kept


def test_rules_are_held_in_the_dry_run_of_an_import(declared: Path, siaga: Siaga, tmp_path: Path) -> None:
    (tmp_path / "device.csv").write_text("name,role,serial\nrtr-8,router,\nrtr-9,router,S9\n")
    (problem,) = siaga("import", tmp_path / "device.csv", "--dry-run").failed(5, "bad-rows")
    assert "device 'rtr-8' breaks the rule 'routers-have-serials'" in problem


def test_a_broken_declaration_is_said_once(declared: Path, siaga: Siaga) -> None:
    declared.write_text('[fields.device.role]\ntype = "text"\n[fields.ship.x]\ntype = "text"\n')
    problems = siaga("device", "list", "role=router").failed(5, "bad-settings")
    assert len(problems) == 2
    assert problems[0] == "fields.device.role: this field is there already"
    assert siaga("device", "list").failed(5, "bad-settings") == problems
    assert siaga("place", "list").failed(5, "bad-settings") == problems
    declared.write_text('[fields.device.x]\ntype = "choice"\n')
    (problem,) = siaga("device", "list").failed(5, "bad-settings")
    assert "a choice needs its choices" in problem
    declared.write_text("[[rules]]\nname = 'x'\nwhen = 'nosuch=1'\nmust = 'role=router'\n")
    assert "rule 'x' cannot be read" in siaga("rule", "check").err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('[fields.device.kecamatan]\ntype = "text"', "this is a word of selectors"),
        ('[fields.device.within]\ntype = "text"', "this is a word of selectors"),
        ('[fields.device.site]\ntype = "text"', "this is a word of selectors"),
        ('[fields.contract.id]\ntype = "text"', "this is a word of selectors"),
        ('[fields.device.name]\ntype = "int"', "this field is there already"),
        ('[fields.device.owner]\ntype = "int"', "this field is there already"),
        ('[fields.device.x]\ntype = "ref"\nref = "ship"', "there is no noun 'ship' to refer to"),
        ('[fields.device.x]\npattern = "(a"', "no regular expression of RE2"),
        ('[fields.device.x]\npattern = "(?=a)b"', "no regular expression of RE2"),
        (
            '[fields.device.x]\ntype = "int"\nminimum = 9\nmaximum = 1',
            "the minimum 9 is greater than the maximum 1",
        ),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_by_every_command(
    declared: Path, siaga: Siaga, given: str, told: str
) -> None:
    declared.write_text(given + "\n")
    for command in (
        ["device", "list"],
        ["place", "list", "name~x"],
        ["device", "show", "x"],
        ["rule", "check"],
    ):
        (problem,) = siaga(*command).failed(5, "bad-settings")
        assert told in problem


def test_the_shell_completes_what_a_selector_can_say(declared: Path, siaga: Siaga) -> None:
    siaga("place", "add", "Kantor", "kind=site", "parent=Mauk").well()
    siaga("device", "add", "rtr-1", "place=Kantor").well()
    siaga("group", "add", "inti", "selector=role=router").well()
    siaga("group", "add", "ibu", "noun=place", "selector=kind=kecamatan").well()
    selector, assignment, field = (
        f("device") for f in (complete.selectors, complete.assignments, complete.fields)
    )
    assert {
        "po": selector("po"),
        "colour=": selector("colour="),
        "role=router,sw": selector("role=router,sw"),
        "role!=serv": selector("role!=serv"),
        "outdoor=": selector("outdoor="),
        "keeper=": selector("keeper="),
        "place.par": selector("place.par"),
        "place.parent=": selector("place.parent="),
        "kecamatan=M": selector("kecamatan=M"),
        "rtr": selector("rtr"),
        "@": selector("@"),
        "last": selector("role=router colour=bl"),
    } == {
        "po": ["po_number="],
        "colour=": ["colour=grey", "colour=black"],
        "role=router,sw": ["role=router,switch"],
        "role!=serv": ["role!=server"],
        "outdoor=": ["outdoor=yes", "outdoor=no"],
        "keeper=": ["keeper=Budi"],
        "place.par": ["place.parent="],
        "place.parent=": ["place.parent=Kantor", "place.parent=Mauk"],
        "kecamatan=M": ["kecamatan=Mauk"],
        "rtr": ["rtr-1"],
        "@": ["@inti"],
        "last": ["role=router colour=black"],
    }
    assert assignment("keca") == []
    assert assignment("colour=g") == ["colour=grey"]
    assert field("name,po") == ["name,po_number"]
    assert field("name,place.kin") == ["name,place.kind"]
    assert "name,serial" in field("name,")
    declared.write_text("[fields.device.name]\n")
    assert selector("seri") == ["serial="]


def test_a_hostile_pattern_takes_no_time(declared: Path, siaga: Siaga) -> None:
    declared.write_text('[fields.device.x]\npattern = "(a+)+b"\n')
    (problem,) = siaga("device", "add", "rtr-1", f"x={'a' * 200}").failed(5, "bad-values")
    assert "must look like (a+)+b" in problem


def checked(siaga: Siaga) -> list[tuple[str, str, str]]:
    said = siaga("rule", "check", "-o", "json")
    assert said.code == 6, said
    return [(f["rule"], f["name"], f["sentence"]) for f in json.loads(said.out)]


def test_what_was_there_before_a_constraint_is_found_by_the_check(declared: Path, siaga: Siaga) -> None:
    declared.write_text("")
    siaga("agency", "add", "dinkes").well()
    declared.write_text(
        '[fields.device.a]\n[fields.device.b]\n[fields.device.c]\ntype = "int"\n[fields.device.d]\n'
    )
    siaga("device", "add", "rtr-1", "a=SPK-1", "b=pink", "c=5", "d=five").well()
    siaga("device", "add", "rtr-2", "a=x", "b=grey", "c=50", "d=2026-01-01").well()
    assert siaga("rule", "check").well().err == "All 0 rules hold.\n"
    declared.write_text("""
[fields.device.a]
pattern = "SPK-[0-9]"
[fields.device.b]
type = "choice"
choices = ["grey"]
[fields.device.c]
type = "int"
maximum = 9
[fields.device.d]
type = "date"
[fields.agency.heads]
type = "int"
required = true
""")
    assert checked(siaga) == [
        ("field", "dinkes", "agency 'dinkes': heads is missing"),
        ("field", "rtr-2", "device 'rtr-2': a is 'x', must look like SPK-[0-9]"),
        ("field", "rtr-1", "device 'rtr-1': b is 'pink', must be one of grey"),
        ("field", "rtr-2", "device 'rtr-2': c is 50, must be to 9"),
        ("field", "rtr-1", "device 'rtr-1': d is 'five', must be a date such as 2026-12-31"),
    ]
    declared.write_text('[fields.device.a]\ntype = "ref"\nref = "person"\n[fields.device.c]\n')
    assert [(n, s.partition(": ")[2]) for _, n, s in checked(siaga)] == [
        ("rtr-1", "a holds 'SPK-1' of the time before its type was the name of a person: set it again"),
        ("rtr-2", "a holds 'x' of the time before its type was the name of a person: set it again"),
        ("rtr-1", "c holds '5' of the time before its type was text: set it again"),
        ("rtr-2", "c holds '50' of the time before its type was text: set it again"),
    ]


def test_a_group_that_cannot_be_read_is_not_saved(declared: Path, siaga: Siaga, tmp_path: Path) -> None:
    (problem,) = siaga("group", "add", "bad", "noun=device", "selector=rol=x").failed(5, "bad-values")
    assert (
        "group 'bad' cannot be read: In the selector, a device has no field 'rol'; did you mean 'role'?"
        in problem
    )
    siaga("group", "add", "a", "selector=role=router").well()
    siaga("group", "add", "b", "selector=@a").well()
    problems = siaga("group", "set", "a", "selector=@b").failed(5, "bad-values")
    assert "refers to itself" in problems[0]
    (tmp_path / "group.csv").write_text("name,noun,selector\nx,device,role=\n")
    (problem,) = siaga("import", tmp_path / "group.csv", "--dry-run").failed(5, "bad-rows")
    assert "group 'x' cannot be read" in problem
