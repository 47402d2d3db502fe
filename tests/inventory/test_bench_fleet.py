"""The benchmark's inventory is a sound one, and the same each time; otherwise its figures would mean nothing."""

from pathlib import Path

from sqlalchemy import Engine

from bench.fleet import PORTS, Fleet, write_csv, write_xlsx, write_yaml
from bench.questions import answers, questions
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.reading import read_sheets
from inventory.nouns import noun
from siaga.settings import Settings
from tests.homes import prepare

FLEET = Fleet(510)  # the least that holds every row the questions are about


def test_the_same_number_of_devices_gives_the_same_rows():
    assert [list(t.rows()) for t in Fleet(25).tables()] == [list(t.rows()) for t in Fleet(25).tables()]


def test_every_device_has_its_ports_and_every_table_its_columns():
    tables = {t.noun: (t.header, list(t.rows())) for t in Fleet(33).tables()}
    assert len(tables["interface"][1]) == 33 * PORTS
    assert all(len(row) == len(header) for header, rows in tables.values() for row in rows)
    assert all(set(header) <= set(noun(name).attributes) for name, (header, _) in tables.items())


def test_a_large_table_goes_on_in_further_files(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("bench.fleet.PER_FILE", 100)
    paths = [p for p in write_csv(Fleet(10).tables(), tmp_path) if p.stem.startswith("interface")]
    assert [p.name for p in paths] == ["interface.csv", "interface-2.csv", "interface-3.csv"]
    assert sum(len(p.read_text().splitlines()) - 1 for p in paths) == 280


def test_csv_workbook_and_yaml_hold_the_same_inventory(tmp_path: Path, author: Author):
    from inventory import store

    tables, found = Fleet(7).tables(), []
    sources = {
        "csv": write_csv(tables, tmp_path / "csv"),
        "xlsx": [write_xlsx(tables, tmp_path / "all.xlsx")],
        "yaml": [write_yaml(tables, tmp_path / "all.yaml")],
    }
    for name, paths in sources.items():
        settings = Settings(home=tmp_path / f"home-{name}")
        prepare(settings)
        engine = store.open_engine(settings)
        load(engine, [s for p in paths for s in read_sheets(str(p))], author)
        with store.reading(engine) as session:
            found.append({t.noun: store.rows(session, t.noun) for t in tables})
        engine.dispose()
    assert found[0] == found[1] == found[2]
    assert len(found[0]["interface"]) == 7 * PORTS


def test_every_question_has_an_answer(tmp_path: Path, settings: Settings, engine: Engine, author: Author):
    paths = write_csv(FLEET.tables(), tmp_path)
    load(engine, [s for p in paths for s in read_sheets(str(p))], author)
    asked = questions(FLEET)
    counts = {q.what: count for q, (_, count) in zip(asked, answers(settings.home, asked, 1), strict=True)}
    assert counts["device list"] == counts["Ansible inventory of all devices"] == 510
    assert counts.pop("history verify") == 0
    assert all(counts.values()), counts
