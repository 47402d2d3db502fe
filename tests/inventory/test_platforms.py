"""The platform files are strict: a mistake in one is named with its file."""

import re
from pathlib import Path

import pytest

from inventory.platform_format import Platform
from inventory.platforms import FOLDER, parts_of, platform, platforms
from siaga.errors import InvalidError

GOOD = 'name = "{name}"\nvendor = "V"\ntitle = "T"\n[[match]]\nobject_id = ["1.3.6.1.4.1.99999"]\n'


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.toml").write_text(text.format(name=name), "utf-8")


def problems_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(InvalidError) as caught:
        platforms(folder)
    assert caught.value.code == "bad-platform"
    return caught.value.problems


def test_every_file_of_ours_is_valid_and_found_by_its_name() -> None:
    bases = {path.stem for path in FOLDER.glob("*.toml") if "[[match]]" not in path.read_text("utf-8")}
    assert {p.name for p in platforms()} == {path.stem for path in FOLDER.glob("*.toml")} - bases
    inherited = {base for known in platforms() for base in known.inherits}
    assert bases <= inherited | {"standard"}, "A file that is neither matched nor inherited says nothing."
    assert platform("routeros") in platforms()
    assert platform("no-such") is None


@pytest.mark.parametrize("known", platforms(), ids=lambda p: p.name)
def test_a_part_is_left_out_by_its_name_which_is_its_own(known: Platform) -> None:
    names = [part.name for part in known.parts]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("known", platforms(), ids=lambda p: p.name)
def test_a_platform_says_who_made_it_and_how_it_is_known(known: Platform) -> None:
    assert known.vendor
    assert known.title
    assert known.match
    assert all(m.object_id or m.descr or m.probe for m in known.match)
    assert all(fact.oid for fact in known.facts.hardware if fact.source in ("oid", "column"))


@pytest.mark.parametrize("known", platforms(), ids=lambda p: p.name)
def test_no_expression_of_a_platform_takes_long_on_hostile_text(known: Platform) -> None:
    facts = (*known.facts.hardware, *known.facts.version, *known.facts.serial)
    for expression in [*(m.descr for m in known.match), *(f.regex for f in facts)]:
        for text in ("a" * 255, "1." * 127, " " * 255, "(" * 255, "Version " * 31):
            re.search(expression, text)


def test_what_a_file_does_without_those_that_inherit_it_do_without() -> None:
    names = {name: {part.name for part in parts_of(platform(name))} for name in ("ios", "ftd", "linux")}
    assert {name for name, parts in names.items() if "entity-sensors" in parts} == {"linux"}
    assert all("host-cpu" in parts for parts in names.values())


def test_adding_a_file_adds_a_platform(tmp_path: Path) -> None:
    write(tmp_path, "new", GOOD)
    assert [p.name for p in platforms(tmp_path)] == ["new"]


def test_sensors_share_a_named_set_of_states(tmp_path: Path) -> None:
    sensor = 'sensors = [{{ class = "state", oid = "1.2.3", states = "fan" }}]\n[[match]]'
    fan = GOOD.replace("[[match]]", sensor)
    for folder, states in (("good", "fan"), ("bad", "psu")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "new", f'{fan}[meanings.{states}]\n1 = "ok turning"\n')
    (found,) = platforms(tmp_path / "good")
    assert found.sensors[0].states["1"].label == "turning"
    assert any("[meanings.fan]" in problem for problem in problems_of(tmp_path / "bad"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "colour = 1\n", "colour"),
        ("colour = 1\n" + GOOD, "colour"),
        (GOOD.replace("1.3.6.1.4.1.99999", "1.3.six"), "object identifier"),
        (GOOD + 'descr = "("\n', "regular expression"),
        (GOOD + 'says = "Acme"\n', "probe, which is missing"),
        (GOOD.replace("vendor", "maker"), "vendor"),
        ("name = ", "Invalid value"),
        (GOOD.replace("{name}", "other"), "must be the file's own"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.toml").write_text(text.replace("{name}", "bad"), "utf-8")
    write(tmp_path, "good", GOOD)
    problems = problems_of(tmp_path)
    assert problems
    assert all(p.startswith("bad.toml: ") for p in problems)
    assert any(said in p for p in problems)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "one", GOOD + "colour = 1\n")
    write(tmp_path, "two", "name = ")
    assert {p.split(":")[0] for p in problems_of(tmp_path)} == {"one.toml", "two.toml"}


def test_a_netmiko_device_type_is_one_that_netmiko_has() -> None:
    from netmiko.ssh_dispatcher import CLASS_MAPPER

    assert {p.name: p.netmiko for p in platforms() if p.netmiko and p.netmiko not in CLASS_MAPPER} == {}
