"""The quick list answers what the tables answer, for every noun of a whole regency."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from demo.regency import Secrets, build, workbook
from inventory import catalog, quick
from inventory.constraints import misfits
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.sheets import read_sheets
from inventory.nouns import nouns
from inventory.store import reading, rows, session
from inventory.writing import Writer
from siaga.settings import Settings


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
