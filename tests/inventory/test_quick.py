"""The quick list answers what the tables answer, for every noun of a whole regency."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from demo.regency import Secrets, build, workbook
from inventory import catalog, quick
from inventory.constraints import misfits
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.reading import read_sheets
from inventory.nouns import nouns
from inventory.store import reading, rows, session
from inventory.writing import Writer
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner


@pytest.fixture
def regency(settings: Settings, engine: Engine, author: Author, tmp_path: Path) -> Settings:
    made = build(tmp_path, 3603, Secrets.drawn())
    workbook(tmp_path / "r.xlsx", made)
    with session(engine) as opened:
        writer = Writer(opened, author)
        for credential in made.credentials:
            writer.put("credential", {"name": credential.name, "kind": credential.kind})
        writer.put("group", {"name": "inti", "selector": "role=core-router"})
    load(engine, read_sheets(str(tmp_path / "r.xlsx")), author)
    return settings


def test_every_noun_lists_the_same(regency: Settings, engine: Engine) -> None:
    filled = set()
    for spec in catalog.SPECS:
        listed = quick.listed(regency.database, spec.name)
        assert listed is not None
        numbers, found = listed
        with reading(engine) as opened:
            expected = rows(opened, spec.name)
        for row in expected:
            del row["id"]
            assert set(row) == set(nouns()[spec.name].attributes)
        expected.sort(key=lambda r: [str(r[k]) for k in spec.key])
        assert found == expected, spec.name
        if found:
            filled.add(spec.name)
        assert numbers == {
            a.name for a in nouns()[spec.name].attributes.values() if a.kind in ("int", "float")
        }
    assert {"place", "agency", "device", "interface", "link", "connection", "service", "group"} <= filled


def test_what_is_no_database_is_left_to_the_tables(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("no database")
    assert quick.listed(f"sqlite:///{tmp_path / 'x.db'}", "device") is None
    assert quick.listed(f"sqlite:///{tmp_path / 'none.db'}", "device") is None
    assert quick.listed("postgresql+psycopg://x", "device") is None


def test_a_whole_regency_fits_its_own_fields(regency: Settings, engine: Engine) -> None:
    with reading(engine) as opened:
        assert list(misfits(opened)) == []


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], settings: Settings) -> Siaga:
    said = runner(capsys)
    said("place", "add", "Mauk", "kind=kecamatan").well()
    said("place", "add", "Kantor", "kind=site", "parent=Mauk").well()
    said("device", "add", "rtr-1", "place=Kantor", "var.mtu=1500").well()
    said("device", "add", "rtr-2").well()
    return said


def rows_of(siaga: Siaga, *arguments: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(siaga(*arguments, "-o", "json").well().out)
    return found


def test_fields_behind_a_reference_are_listed(siaga: Siaga) -> None:
    fields = "name,place.parent,kecamatan,vars.mtu,virtual"
    expected = [
        {"name": "rtr-1", "place.parent": "Mauk", "kecamatan": "Mauk", "vars.mtu": "1500", "virtual": False},
        {"name": "rtr-2", "place.parent": None, "kecamatan": None, "vars.mtu": None, "virtual": False},
    ]
    assert rows_of(siaga, "device", "list", "--fields", fields) == expected
    assert rows_of(siaga, "device", "list", "rtr-1", "--fields", fields) == expected[:1]
    assert rows_of(siaga, "place", "list", "--fields", "name,parent.kind")[0] == {
        "name": "Kantor",
        "parent.kind": "kecamatan",
    }


@pytest.mark.parametrize("form", ["table", "wide", "json", "csv", "name"])
def test_a_field_that_no_row_can_have_is_an_error(siaga: Siaga, form: str) -> None:
    for command in (
        ("device", "list", "--fields", "name,bogus"),
        ("device", "list", "name~nobody", "--fields", "bogus"),
        ("contract", "list", "--fields", "bogus"),
        ("device", "show", "rtr-1", "--fields", "bogus"),
    ):
        siaga(*command, "-o", form).failed(2, "no-such-field")
    assert "did you mean 'serial'?" in siaga("device", "list", "--fields", "seral").err
    assert "a place has no field" in siaga("device", "list", "--fields", "place.x").err.replace(
        "A place", "a place"
    )


def test_rows_are_listed_by_when_they_were_changed(
    siaga: Siaga, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert len(rows_of(siaga, "device", "list", "--since", "1h")) == 2
    assert rows_of(siaga, "device", "list", "--until", "1h") == []
    now = datetime.now(UTC)
    at = (now - timedelta(minutes=30)).strftime("%Y-%m-%d %H:%M")
    (tmp_path / "s.toml").write_text('timezone = "UTC"\n')
    monkeypatch.setenv("SIAGA_CONFIG", str(tmp_path / "s.toml"))
    assert len(rows_of(siaga, "device", "list", "--since", at)) == 2
    assert len(rows_of(siaga, "device", "history", "rtr-1", "--since", at)) == 1
    (tmp_path / "s.toml").write_text('timezone = "America/New_York"\n')
    assert rows_of(siaga, "device", "list", "--since", at) == []
    assert rows_of(siaga, "device", "history", "rtr-1", "--since", at) == []
    assert len(rows_of(siaga, "device", "list", "--until", at)) == 2
