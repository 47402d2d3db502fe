"""What goes wrong around siaga, through the whole service under a fake clock: the net, the clock, devices, rules."""

import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from demo.agents import Agents
from demo.respond import Agent
from inventory.models import Observed
from inventory.models_custody import Proposal
from inventory.store import open_engine, reading
from monitor.availability import Window, availability
from monitor.models import StateChange
from monitor.samples import open_samples
from monitor.tsdb.check import check
from monitor.uptimes import Kind
from tests.monitor.day_script import star
from tests.monitor.day_world import BPS, SETTINGS, Played, Stage, play
from tests.monitor.weather import Forecast, Weather

NIGHT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = 60.0
QUICK: Mapping[str, Any] = {
    **SETTINGS,
    "poll": {"timeout_s": 0.5, "retries": 2},
    "monitor": {**SETTINGS["monitor"], "reachability_s": 30, "counters_s": 30},
}


def alarms(day: Played) -> list[tuple[str, str, str]]:
    """Return rule, device and why it closed ('' while it is open) of every alert."""
    names = {i: n for n, i in day.ids.items()}
    with reading(day.engine) as opened:
        return [(a.rule, names.get(a.device_id or 0, "siaga"), a.closed_why) for a in day.alerts(opened)]


def states(day: Played) -> dict[str, list[str]]:
    """Return device → the states it went through."""
    names = {i: n for n, i in day.ids.items()}
    found: dict[str, list[str]] = {n: [] for n in names.values()}
    with reading(day.engine) as opened:
        for change in opened.exec(select(StateChange).order_by(StateChange.id)):  # type: ignore[arg-type]
            found[names[change.device_id]].append(change.after)
    return found


def points(day: Played, name: str, metric: str, instance: str = "") -> dict[datetime, int]:
    """Return what is stored of one series, by time."""
    key = (day.ids[name], metric, instance)
    with open_samples(day.settings.home) as store:
        found = store.read([key], NIGHT - timedelta(hours=5), NIGHT + timedelta(hours=5))
    pairs = found[key].points() if key in found else []
    assert len(pairs) == len(dict(pairs))  # nothing came in twice
    return dict(pairs)


def hold_counters_true(day: Played, name: str, least: int) -> None:
    """Octets grow by the agent's own clock: what was stored of a round is of that round, and of that device."""
    octets, ticks = points(day, name, "in_octets_64", "ether1"), points(day, name, "uptime")
    assert len(octets) >= least
    for at, value in octets.items():
        assert abs(value - ticks[at] / 100 * BPS / 8) <= 8 * BPS / 8, (name, at)  # a round may take seconds


STORMS = {
    "30 % lost": Forecast(loss=0.3),
    "doubled and overtaken": Forecast(double=0.5),
    "late by two rounds": Forecast(late=0.3, late_s=60.0),
    "all of it": Forecast(loss=0.15, double=0.3, late=0.15, late_s=61.0),
}


@pytest.mark.parametrize("storm", STORMS)
def test_in_a_storm_nobody_is_called_down_but_who_is(tmp_path: Path, storm: str) -> None:
    script = star("sw-1", "sw-2", until_s=18 * MINUTE, begin=NIGHT, dark={"sw-2": ((300.0, 600.0),)})
    weather: list[Weather] = []

    def outside() -> Weather:
        weather.append(Weather(STORMS[storm]))
        return weather[0]

    day = play(script, tmp_path / "home", agents=outside, settings=QUICK)
    assert weather[0].lost + weather[0].doubled + weather[0].belated > 60
    assert alarms(day) == [("device-down", "sw-2", "recovered")]
    assert {n: s.count("down") for n, s in states(day).items()} == {"core": 0, "sw-1": 0, "sw-2": 1}
    hold_counters_true(day, "sw-1", 24)
    hold_counters_true(day, "sw-2", 12)
    assert day.said == ["watching 3 devices, 0 services", "ended"]


# -- one answers for another -------------------------------------------------------------------------------------


def test_an_answer_from_another_address_is_nobodys(tmp_path: Path) -> None:
    """For five minutes what sw-1 would say is said by sw-2's address: sw-1 is silent, and sw-2 is who it was."""

    class Crossed(Agents):
        def _send(self, sock: socket.socket, answer: bytes, peer: tuple[str, int]) -> None:
            one, two = self._sockets[1:3]
            wrong = sock is one and 300.0 <= self.clock() < 600.0
            super()._send(two if wrong else sock, answer, peer)

    script = star("sw-1", "sw-2", until_s=15 * MINUTE, begin=NIGHT)
    day = play(script, tmp_path / "home", agents=lambda: Crossed(0), settings=QUICK)
    assert alarms(day) == [("device-down", "sw-1", "recovered")]
    hold_counters_true(day, "sw-2", 25)
    assert all(not 310 < (at - NIGHT).total_seconds() < 600 for at in points(day, "sw-1", "uptime"))


def test_a_box_in_the_place_of_another_is_asked_about_and_not_taken_for_it(tmp_path: Path) -> None:
    """For five minutes the box of sw-1 answers at the address of sw-2, too: as after an address given twice."""
    own: list[Agent] = []

    def swap(stage: Stage) -> None:
        own.append(stage.players["sw-2"].agent)
        stage.players["sw-2"].agent = stage.players["sw-1"].agent

    def back(stage: Stage) -> None:
        with reading(open_engine(stage.settings)) as opened:
            asked.extend(opened.exec(select(Proposal.status)).all())
        stage.players["sw-2"].agent = own[0]

    asked: list[str] = []

    settings = {**QUICK, "monitor": {**QUICK["monitor"], "metadata_s": 120}}
    script = star("sw-1", "sw-2", until_s=15 * MINUTE, begin=NIGHT)
    day = play(script, tmp_path / "home", acts=[(300.0, swap), (600.0, back)], settings=settings)
    with reading(day.engine) as opened:
        names = opened.exec(select(Observed.device_id, Observed.value).where(Observed.field == "sysname"))
        observed = dict(names.all())
        proposals = opened.exec(select(Proposal.status, Proposal.reason)).all()
    assert observed[day.ids["sw-2"]] == "sw-2"
    assert asked == ["open"]  # one question, however often it was met
    ((status, reason),) = proposals
    assert status == "merged"  # it has answered itself
    assert reason.startswith("answers at the address of sw-2")
    assert states(day) == {"core": ["up"], "sw-1": ["up"], "sw-2": ["up"]}


# -- the clock ---------------------------------------------------------------------------------------------------


def test_a_clock_that_steps_by_an_hour_and_back_calls_nobody_down_and_moves_no_turn(tmp_path: Path) -> None:
    script = star("sw-1", "sw-2", until_s=30 * MINUTE, begin=NIGHT, dark={"sw-2": ((420.0, 1380.0),)})
    steps = [(480.0, lambda s: s.clock.step(3600)), (960.0, lambda s: s.clock.step(-7200)),
             (1440.0, lambda s: s.clock.step(3600))]  # fmt: skip
    day = play(script, tmp_path / "home", acts=steps, settings=QUICK)
    assert alarms(day) == [("device-down", "sw-2", "recovered")]
    assert states(day) == {"core": ["up"], "sw-1": ["up"], "sw-2": ["up", "down", "up"]}
    # Sixty turns in half an hour, each stored under the time that the clock told, and none twice.
    assert len(points(day, "sw-1", "uptime")) >= 60
    hold_whole(day)
    with reading(day.engine) as opened:
        (alert,) = day.alerts(opened)
        assert alert.closed_at is not None
        assert alert.closed_at >= alert.opened_at
    span = Window(NIGHT - timedelta(hours=3), NIGHT + timedelta(hours=3))
    with reading(day.engine) as opened, open_samples(day.settings.home) as samples:
        rows, _ = availability(opened, samples, "device", (), span)
    assert all(sum(r.parts.ms) == 6 * 3_600_000 for r in rows)  # every moment is of one kind
    core, one, two = rows
    assert core.parts.of(Kind.down) == one.parts.of(Kind.down) == 0
    assert (
        two.parts.of(Kind.up) < one.parts.of(Kind.up) - 600
    )  # where it is not known to be down it is not called up


def hold_whole(day: Played) -> None:
    assert check(day.settings.home / "tsdb").damage == []


# -- rules -------------------------------------------------------------------------------------------------------

LONG_UP = """
of = "device"
measure = "uptime_s"
[title]
id = "Lama menyala"
en = "Up for long"
[text]
id = "{device} menyala {value}."
en = "{device} is up for {value}."
[warning]
above = 900900
[procedure]
id = "Tidak perlu apa-apa."
en = "Nothing to do."
"""


def test_a_rule_file_that_breaks_keeps_the_rule_before_and_says_why(tmp_path: Path) -> None:
    """The devices are up for 900,900 s at minute 15. The rule on that is broken at minute 10, mended at minute 20."""
    file = tmp_path / "home" / "rules" / "long-up.toml"

    def write(text: str) -> Any:
        def act(_: Stage) -> None:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)

        return act

    acts = [(300.0, write(LONG_UP)), (600.0, write(LONG_UP.replace("[warning]", "[warning"))),
            (1200.0, write(LONG_UP.replace("900900", "9009000")))]  # fmt: skip
    script = star("sw-1", until_s=30 * MINUTE, begin=NIGHT)
    day = play(script, tmp_path / "home", acts=acts, settings=QUICK)
    with reading(day.engine) as opened:
        found = [(a.rule, a.opened_at, a.closed_at, a.closed_why) for a in day.alerts(opened)]
    assert [(rule, why) for rule, _, _, why in found] == [("long-up", "recovered")] * 2
    for _, opened_at, closed_at, _ in found:
        assert 15 * MINUTE <= (opened_at - NIGHT).total_seconds() < 20 * MINUTE  # by the rule before
        assert closed_at is not None
        assert 20 * MINUTE <= (closed_at - NIGHT).total_seconds() < 26 * MINUTE
    assert sum("long-up.toml: it is not valid TOML" in sentence for sentence in day.said) == 1
