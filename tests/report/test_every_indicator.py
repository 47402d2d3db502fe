"""Every indicator has a value and a level from rows and samples that are stored: none waits for what nobody writes."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

import pytest

from report.judging import Judged, judge
from report.questions import Told
from report.records import KINDS, AgencyList, RawDay
from report.snapshot import read
from tests.report.judged_world import PERIOD
from tests.report.whole_world import make


@pytest.fixture(scope="module")
def told(judged: Judged) -> Told:
    return read(judged.snapshot.data)[1]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIAGA_HOME", str(tmp_path_factory.mktemp("whole") / "home"))
        return judge(make(), PERIOD, keep=False)


def test_every_indicator_has_a_level_from_what_is_stored(judged: Judged) -> None:
    lacking = [
        (r.id, r.reading.value, r.reading.coverage, r.reading.note)
        for r in judged.assessment.rows
        if r.level is None
    ]
    assert lacking == []
    assert [r.id for r in judged.assessment.rows if r.reading.value is None] == []
    assert len(judged.assessment.rows) == 51
    assert judged.assessment.index.low == judged.assessment.index.high == judged.assessment.index.value


def test_no_fact_and_no_field_of_one_is_never_filled(told: Told) -> None:
    """Look for what measures ask and nobody tells: a field that is as it was born in every fact there is."""
    lacking = {kind for kind in KINDS if not told.every(kind)}
    assert lacking == {AgencyList, RawDay}  # no dated list is for this regency, and no file yet for its day
    unfilled = [
        f"{kind.__name__}.{field.name}"
        for kind in KINDS
        if kind not in lacking
        for field in _optional(kind)
        if all(getattr(fact, field.name) == field.default for fact in told.every(kind) or ())
    ]
    assert unfilled == []


def _optional(kind: type) -> Iterator[Field[Any]]:
    yield from (f for f in fields(kind) if f.default is not MISSING)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "numerator", "counted"),
    [
        ("INF-KEA-01", 12, 13),  # 14 devices, the rack itself is not managed; Telnet is open at the wall
        ("INF-KEA-02", 1, 1),  # Mauk has the only switch: managed apart from the users, its idle port shut
        ("INF-KEA-04", 13, 13),  # all of them 0.9 s ahead
        ("INF-PER-06", 9, 9),  # seven routers, the core and the switch
        ("INF-PER-07", 10, 10),  # and the server
    ],
)
def test_shares_computed_by_hand(judged: Judged, row: str, numerator: int, counted: int) -> None:
    found = next(r.reading for r in judged.assessment.rows if r.id == row)
    assert (found.numerator, found.counted) == (numerator, counted)
