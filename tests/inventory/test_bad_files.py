"""Whatever file is given: rows come in whole, or one clear refusal with places, and nothing is written."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.nouns import nouns
from tests.cli_runner import Siaga, runner, stored
from tests.homes import prepare
from tests.inventory.bad_files import Expected, files

REFUSED = {2, 3, 5}


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


@pytest.fixture
def home(scrubbed: Path, siaga: Siaga) -> Path:
    """A home with one device, so that a partial write would be seen."""
    from siaga.settings import Settings

    prepare(Settings(home=scrubbed))
    siaga("device", "add", "rtr-1", "role=router").well()
    return scrubbed


def test_there_are_two_hundred() -> None:
    assert len(files()) >= 200


@pytest.mark.parametrize("what", files())
def test_a_file_comes_in_whole_or_not_at_all(what: str, home: Path, tmp_path: Path, siaga: Siaga) -> None:
    name, make, expected = files()[what]
    path = tmp_path / name
    path.write_bytes(make())
    before = stored(home)
    rehearsed = siaga("import", path, "--dry-run")
    assert stored(home) == before, "a dry run wrote"
    said = siaga("import", path)
    assert (rehearsed.code, said.code) in {(0, 0), *((c, c) for c in REFUSED)}, said
    if said.code:
        _refused(said.code, said.err, expected)
        said.failed(said.code, said.err.split()[1].rstrip(":"))
        assert stored(home) == before
    else:
        assert expected == "" or isinstance(expected, set), f"it was taken: {said}"
        found = {p["name"] for p in json.loads(siaga("person", "list", "-o", "json").well().out)}
        assert expected == "" or found == expected
        siaga("history", "verify").well()
    assert not Path("/tmp/siaga-slipped").exists()


def _refused(code: int, err: str, expected: Expected) -> None:
    assert isinstance(expected, str), err
    assert expected in err, err[:2000]
    # A thousand bad rows are told as a number, not as a thousand lines.
    assert len(err) < 100_000
    assert all(c.isprintable() or c == "\n" for c in err)


CELLS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "rtr-1", "router", "10.0.0.1", "2024-02-29", "=1+1", "-", "1e6", "ya", "x" * 5000, "\x1b[2J"]
    ),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(str),
)
TITLES = sorted({a for n in ("device", "place", "person", "asset", "prefix") for a in nouns()[n].attributes})
TABLES = st.tuples(
    st.sampled_from(["device", "place", "person", "asset", "prefix", "link", "contact", "credential"]),
    st.lists(st.one_of(st.sampled_from(TITLES), CELLS), min_size=1, max_size=6),
    st.lists(st.lists(CELLS, min_size=0, max_size=7), min_size=1, max_size=5),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES, st.sampled_from([",", ";", "\t"]))
def test_no_table_does_harm(
    home: Path, tmp_path: Path, siaga: Siaga, table: tuple[str, list[str], list[list[str]]], delimiter: str
) -> None:
    noun, titles, rows = table
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(
        [["name", *titles], *([f"n{i}", *r] for i, r in enumerate(rows))]
    )
    path = tmp_path / f"{noun}.csv"
    path.write_text(out.getvalue(), errors="replace", newline="")
    _harmless(siaga, home, path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3000), st.sampled_from(["device.csv", "a.xlsx", "a.yaml"]))
def test_no_octets_do_harm(home: Path, tmp_path: Path, siaga: Siaga, octets: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(octets)
    _harmless(siaga, home, path)


def _harmless(siaga: Siaga, home: Path, path: Path) -> None:
    before = stored(home)
    said = siaga("import", path)
    if said.code:
        assert said.code in REFUSED, said
        said.failed(said.code, said.err.split()[1].rstrip(":"))
        assert stored(home) == before
    else:
        siaga("history", "verify").well()
