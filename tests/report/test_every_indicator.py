"""Every indicator has a value and a level from rows and samples that are stored: none waits for what nobody writes."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, replace
from typing import Any

import pytest

from report.books import Matter
from report.chapters.itself import figures
from report.facts import Facts
from report.judging import Judged, judge
from report.language import Tongue
from report.questions import Told
from report.records import KINDS, AgencyList, OwnHealth, RawDay
from report.snapshot import name_of, read
from report.verify import SAMPLED, Found, compared
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


def test_how_well_siaga_watched_is_computed_by_hand(told: Told) -> None:
    """1080 of 1440 minutes; late in 54 of them, a twentieth: the 1026th of 1080 is the last of the 2 s."""
    (own,) = told.every(OwnHealth) or ()
    assert (own.minutes, own.seen_pct, own.punctual_pct) == (1080, 75.0, 95.0)
    assert (own.late_p95_s, own.late_max_s, own.unpolled_max, own.waiting_max) == (2.0, 90.0, 4, 5)
    shown = {
        f.id: (f.value, f.shown, f.numerator, f.denominator) for f in figures(_matter(own), Tongue("id"))
    }
    assert shown["D-01"] == (0.75, "75,00%", 1080, 1440)
    assert shown["D-02"] == (0.05, "5,00%", 54, 1080)
    assert shown["D-04"] == (90.0, "90,0 dtk", None, None)


def test_a_period_in_which_it_kept_nothing_of_itself_is_not_observed() -> None:
    for own in (None, OwnHealth("siaga", 0, 0.0)):
        found = figures(_matter(own), Tongue("en"))
        assert {(f.value, f.shown, f.evidence) for f in found} == {(None, "not observed", ())}


def _matter(own: OwnHealth | None) -> Matter:
    return Matter(Facts(PERIOD.since, PERIOD.until), own=own)


@pytest.mark.parametrize("kind", [k for k in SAMPLED if k is not RawDay], ids=lambda k: k.__name__)
def test_one_other_hash_among_the_samples_fails_the_report(told: Told, kind: type[Any]) -> None:
    """Every kind of fact that rests on samples is compared, and the first subject whose samples differ is named."""
    facts = [f for f in told.every(kind) or () if f.sha256]
    other = {kind: (replace(facts[0], sha256="0" * 64), *facts[1:])}
    (same,) = compared(told, told.every)
    (check,) = compared(told, lambda k: other.get(k, told.every(k)))
    assert (same.found, check.found) == (Found.ok, Found.failed)
    assert name_of(kind) in check.detail
