"""A scripted day under a fake clock, through the whole service: what siaga makes of it is what the script says."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from sqlmodel import Session

from inventory.store import reading
from monitor.availability import Window, availability
from monitor.outage_read import find
from monitor.outages import proposed
from monitor.samples import open_samples, time_of
from monitor.uptimes import Kind
from tests.monitor import day_script
from tests.monitor.day_script import Script
from tests.monitor.day_world import SETTINGS, Played, play

PERIOD_S = SETTINGS["monitor"]["reachability_s"]


WHOLE = pytest.param(
    "day_whole.toml", marks=[pytest.mark.real, pytest.mark.slow]
)  # minutes, though without root


@pytest.fixture(scope="module", params=["day.toml", WHOLE])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The day, played once for all who look at it."""
    script = day_script.read(day_script.DAY.with_name(request.param))
    return play(script, tmp_path_factory.mktemp("day") / "home")


@pytest.fixture
def opened(day: Played) -> Iterator[Session]:
    with reading(day.engine) as session:
        yield session


def at(day: Played, moment: datetime | None) -> Any:
    """Return a moment as the script writes it: to the second, in its zone."""
    return moment and moment.astimezone(day.script.begin.tzinfo).time().replace(microsecond=0)


def window(day: Played) -> Window:
    return Window(day.script.begin, day.script.time_of(day.script.until_s))


def test_the_alarms_are_those_of_the_script_to_the_second(day: Played, opened: Session) -> None:
    names = {i: n for n, i in day.ids.items()}
    found = [
        {
            "rule": a.rule,
            "device": names[a.device_id or 0],
            **({"subject": a.subject} if a.subject else {}),
            "opened": at(day, a.opened_at),
            "closed": at(day, a.closed_at),
            "why": a.closed_why,
        }
        for a in day.alerts(opened)
    ]
    assert found == day.script.expected["alerts"]


def test_each_alarm_is_told_once_and_its_end_where_it_recovered(day: Played, opened: Session) -> None:
    alerts = [a for a in day.alerts(opened) if a.rule != "device-unreachable"]  # that one is only shown
    expected = sorted(
        [(a.opened_at, a.id, "opened") for a in alerts]
        + [(a.closed_at, a.id, "recovered") for a in alerts if a.closed_why == "recovered"]
    )
    told = [(line["alert"], line["event"]) for line in day.told()]
    assert told == [(number, event) for _, number, event in expected]


def test_the_outages_and_their_causes_are_those_of_the_script(day: Played, opened: Session) -> None:
    names = {i: n for n, i in day.ids.items()}
    with open_samples(day.settings.home) as samples:
        found = proposed(find(opened, samples, list(names), window(day), 60.0).falls)
    assert [
        {
            "cause": o.cause.value,
            "devices": sorted(names[f.device] for f in o.falls),
            "from": at(day, time_of(o.start_ms)),
            "to": at(day, time_of(o.end_ms) if o.end_ms else None),
        }
        for o in found
    ] == day.script.expected["outages"]


def parts(day: Played, opened: Session) -> Mapping[str, Mapping[str, float]]:
    """Return device → kind of time → seconds."""
    with open_samples(day.settings.home) as samples:
        rows, _ = availability(opened, samples, "device", (), window(day))
    return {r.name: {k.name: r.parts.of(k) for k in Kind if r.parts.ms[k]} for r in rows}


def test_the_availability_is_that_of_the_script_to_the_second(day: Played, opened: Session) -> None:
    found = {n: {k: round(s) for k, s in some.items()} for n, some in parts(day, opened).items()}
    assert found == day.script.expected["availability"]
    assert all(abs(sum(some.values()) - day.script.until_s) < 0.001 for some in parts(day, opened).values())


def test_every_look_brought_the_truth_of_its_moment(day: Played) -> None:
    with open_samples(day.settings.home) as samples:
        looks = samples.asked(*(window(day).start, window(day).end))
    for name, number in day.ids.items():
        seen = [((ask.at - day.script.begin).total_seconds(), ask.answered) for ask in looks[number]]
        assert [there for _, there in seen] == [day.script.answers(name, at_s) for at_s, _ in seen]
        # Nobody was looked at less often than is said, while siaga ran.
        gaps = [(a, b) for (a, _), (b, _) in pairwise(seen) if b - a > PERIOD_S + 0.1]
        assert [_stopped(day.script, a, b) for a, b in gaps] == [True] * len(gaps)


def _stopped(script: Script, a_s: float, b_s: float) -> bool:
    return any(a_s <= end < b_s for _, end in script.watching)


def test_who_cannot_be_reached_is_away_for_as_long_give_or_take_a_look(day: Played, opened: Session) -> None:
    """Held against what happens alone, second by second, whatever the script says that siaga makes of it."""
    for name, found in parts(day, opened).items():
        there = [day.script.answers(name, second) for second in range(int(day.script.until_s))]
        changes = sum(a != b for a, b in pairwise(there))
        away_s = sum(found.get(k, 0.0) for k in ("down", "unreachable", "maintained_down"))
        assert abs(there.count(False) - away_s) <= changes * PERIOD_S + 180, name  # and while it did not run


def test_siaga_itself_was_well_all_day(day: Played) -> None:
    runs = len(day.script.watching)
    assert day.said == ["watching 11 devices, 0 services", "ended"] * runs
