"""What siaga made of a day in the lab, read back from its home and held against the script."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from bench.day_script import LOOK_S, SLACK_S, Script
from inventory.models import Device
from inventory.store import open_engine, reading
from monitor.availability import Window, availability
from monitor.models import Alert
from monitor.outage_read import find
from monitor.outages import proposed
from monitor.samples import open_samples, time_of
from monitor.uptimes import Kind
from siaga.settings import Settings


@dataclass
class Done:
    """What really happened when: seconds from the beginning; and what siaga made of it."""

    begin: datetime
    late_s: float = 0.0  # the latest act
    wrong: list[str] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    outages: list[dict[str, Any]] = field(default_factory=list)
    availability: dict[str, dict[str, float]] = field(default_factory=dict)
    looks: int = 0


def read_back(script: Script, home: Path, done: Done) -> None:
    settings = Settings(home=home)
    window = Window(
        done.begin,
        done.begin + timedelta(seconds=script.length_s),
        hold_s=3 * script.periods["reachability_s"] + LOOK_S,
    )
    with reading(open_engine(settings)) as opened, open_samples(home) as samples:
        names = {i or 0: n for n, i in opened.exec(select(Device.name, Device.id))}
        done.alerts = [_alert(a, names, done.begin) for a in _by_time(opened)]
        least_s = 0.5 * min(o["until"] - o["at"] for o in script.outages)
        falls = find(opened, samples, list(names), window, least_s).falls
        for one in proposed(falls):
            devices = sorted(names[f.device] for f in one.falls)
            times = [
                None if m is None else (time_of(m) - done.begin).total_seconds()
                for m in (one.start_ms, one.end_ms)
            ]
            done.outages.append(
                {"cause": one.cause.value, "devices": devices, "at": times[0], "until": times[1]}
            )
        rows, _ = availability(opened, samples, "device", (), window)
        done.availability = {r.name: {k.name: r.parts.of(k) for k in Kind if r.parts.ms[k]} for r in rows}
        asked = samples.asked(window.start, window.end)
        done.looks = sum(map(len, asked.values()))
        for number, some in asked.items():
            seen = [((a.at - done.begin).total_seconds(), a.answered) for a in some]
            done.wrong += _untrue(script, names.get(number, ""), seen)


def _by_time(opened: Session) -> list[Alert]:
    return sorted(opened.exec(select(Alert)), key=lambda a: (a.opened_at, a.id or 0))


def _alert(alert: Alert, names: Mapping[int, str], begin: datetime) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "device": names.get(alert.device_id or 0, "siaga"),
        "subject": alert.subject,
        "opens": (alert.opened_at - begin).total_seconds(),
        "closes": None if alert.closed_at is None else (alert.closed_at - begin).total_seconds(),
        "why": alert.closed_why,
    }


def _untrue(script: Script, name: str, seen: list[tuple[float, bool]]) -> Iterator[str]:
    """Yield the looks that brought something else than was so, but for those within seconds of a change."""
    for at_s, answered in seen if name in script.nodes else ():
        near = {script.answers(name, at_s + s) for s in (-SLACK_S, 0.0, LOOK_S)}
        if answered not in near:
            yield f"{name} at {at_s:.1f} s: a look was {'answered' if answered else 'in vain'}"


def wrong(script: Script, done: Done) -> Iterator[str]:
    yield from done.wrong
    yield from _matched("alert", script.alerts, done.alerts, lambda e, f: _alert_fits(script, e, f))
    yield from _matched("outage", script.outages, done.outages, lambda e, f: _outage_fits(script, e, f))
    for name, parts in done.availability.items():
        there = [script.answers(name, s) for s in range(int(script.length_s))]
        away_s = sum(parts.get(k, 0.0) for k in ("down", "unreachable", "maintained_down"))
        changes = sum(a != b for a, b in pairwise(there))
        bound_s = 2 + changes * (script.periods["reachability_s"] + LOOK_S)
        if abs(there.count(False) - away_s) > bound_s:
            yield f"{name} was away for {there.count(False)} s, and siaga says {away_s:.0f} s"


def _matched(
    what: str,
    expected: tuple[Mapping[str, Any], ...],
    found: list[dict[str, Any]],
    fits: Callable[[Mapping[str, Any], Mapping[str, Any]], bool],
) -> Iterator[str]:
    left = list(found)
    for one in expected:
        match = next((f for f in left if fits(one, f)), None)
        if match is None:
            yield f"this {what} did not come: {dict(one)}"
        else:
            left.remove(match)
    yield from (f"this {what} is in no script: {f}" for f in left)


def _alert_fits(script: Script, expected: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    same = all(expected.get(k, "") == found[k] for k in ("rule", "device", "subject"))
    if not same or found["closes"] is None or found["why"] != expected.get("why", "recovered"):
        return False
    tier_s = {"link-down": "counters_s", "ups-on-battery": "health_s"}.get(expected["rule"], "reachability_s")
    slow_s = script.periods[tier_s] + script.periods["link_s"] * (expected["rule"] == "link-down")
    late_s = max(script.late_s, 2 * slow_s + LOOK_S)
    for event in script.of("killed"):  # what was to be said then is said when it runs again
        if expected["opens"] <= event.at_s <= expected["closes"]:
            late_s += event.until_s - event.at_s + 4 * LOOK_S
    calm_s = 3 * script.periods["flap_half_life_s"] if expected.get("calm") else 0.0
    began = -SLACK_S <= found["opens"] - expected["opens"] <= late_s
    return bool(began and -SLACK_S <= found["closes"] - expected["closes"] <= late_s + calm_s)


def _outage_fits(script: Script, expected: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    if (expected["cause"], sorted(expected["devices"])) != (found["cause"], found["devices"]):
        return False
    bound_s = script.periods["reachability_s"] + SLACK_S
    gaps = (found["at"] - expected["at"], (found["until"] or 1e9) - expected["until"])
    return all(-SLACK_S <= g <= bound_s + LOOK_S for g in gaps)
