"""Two availabilities side by side: what users met, and what the contract counts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from told import away, bought, contract, day, told

from report.questions import Period
from report.records import Away, Day
from report.sla import Two, line_months

MINUTE_MS = 60_000
SEPTEMBER = Period(datetime(2026, 8, 31, 17, tzinfo=UTC), datetime(2026, 9, 30, 17, tzinfo=UTC))


def test_a_month_with_link_power_short_and_planned_outages() -> None:
    """30 days: link 200 min, power 300, ten link failures of 4 min, planned 60."""
    start = datetime(2026, 9, 2, tzinfo=UTC)
    rows = [(200, "link"), (300, "power"), *[(4, "link")] * 10, (60, "planned")]
    some = [
        Away("wan", start + timedelta(days=n), start + timedelta(days=n, minutes=m), cause)
        for n, (m, cause) in enumerate(rows)
    ]
    days = [
        Day("wan", date(2026, 9, 1) + timedelta(days=n), 1440 * MINUTE_MS, 1440 * MINUTE_MS, 1420 * MINUTE_MS)
        for n in range(30)
    ]
    (found,) = line_months(told(bought("wan"), contract(), *some, *days, period=SEPTEMBER), 300)
    assert found.two.up_ms // MINUTE_MS == 42_600
    assert (found.two.observed_ms - found.two.claimable_ms) // MINUTE_MS == 43_000
    assert (found.two.users_pct, found.two.sla_pct) == (98.61, 99.54)
    assert found.two.claimable_ms == 200 * MINUTE_MS


@pytest.mark.parametrize(("minutes", "claimable"), [(5, 0), (6, 6)])
def test_longer_than_the_threshold_and_not_as_long(minutes: int, claimable: int) -> None:
    (found,) = line_months(
        told(bought("wan"), contract(), day("wan"), away("wan", minutes, "unknown")), 9_999
    )
    assert found.two.claimable_ms == claimable * MINUTE_MS


def test_nothing_watched_is_no_availability() -> None:
    assert (Two(1000, 0, 0, 0).users_pct, Two(1000, 0, 0, 0).sla_pct) == (None, None)


def test_a_time_away_counts_in_the_month_in_which_it_lies() -> None:
    """From 23.00 on 31 August to 01.00 on 1 September in Jakarta: one hour in each month, looked at whole."""
    over = Away("wan", datetime(2026, 8, 31, 16, tzinfo=UTC), datetime(2026, 8, 31, 18, tzinfo=UTC), "link")
    days = [day("wan", on=date(2026, 8, 31)), day("wan", on=date(2026, 9, 1))]
    period = Period(datetime(2026, 8, 1, tzinfo=UTC), SEPTEMBER.until)
    months = line_months(told(bought("wan"), contract(), over, *days, period=period), 300)
    assert [(m.month.month, m.two.claimable_ms) for m in months] == [(8, 60 * MINUTE_MS), (9, 60 * MINUTE_MS)]


def test_a_contract_without_its_own_threshold_has_the_usual_one() -> None:
    terms = [bought("wan"), day("wan"), away("wan", 10)]
    strict, usual = contract(), contract()
    object.__setattr__(usual, "claim_after_s", None)
    assert line_months(told(*terms, strict), 9_999)[0].two.claimable_ms == 10 * MINUTE_MS
    assert line_months(told(*terms, usual), 9_999)[0].two.claimable_ms == 0
