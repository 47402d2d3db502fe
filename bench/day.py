"""A scripted day in a lab of real daemons: links are cut, power fails, siaga is killed; what does siaga make of it?

    python -m bench.day [--minutes 60] [SCRIPT.toml]

siaga runs as a service in a network namespace and asks real snmpds in others by ICMP and SNMP (bench/day_net.py). What
happens is written in the script (bench/day.toml), and what siaga should make of it. At the end the alarms, outages and
availability are held against the script: each must be there, of its device and cause, and no later than the periods
allow; nothing else may be. Needs root; exit code 1 if anything is otherwise.
"""

import argparse
import datetime as dt
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pydantic import SecretStr
from sqlmodel import Session, select

from bench.day_net import COMMUNITY, UPLINK, CannotError, Net, Node, inside, why_not
from bench.service import spent
from inventory.credentials import store_secret
from inventory.database import initialise
from inventory.history import Author
from inventory.models import Device
from inventory.store import open_engine, reading, session
from inventory.writing import Writer
from monitor.availability import Window, availability
from monitor.models import Alert, DeviceState, Maintenance
from monitor.outage_read import find
from monitor.outages import proposed
from monitor.samples import open_samples, time_of
from monitor.uptimes import Kind
from siaga.secrets import open_vault
from siaga.settings import Settings

SCRIPT = Path(__file__).with_name("day.toml")
_SETTLED_S = 120.0  # at most, until every device was read once: only then anything happens
_LOOK_S = 5.0  # until a device that does not answer is known not to: echoes, a burst, its own protocol
_SLACK_S = 2.0


@dataclass(frozen=True)
class Event:
    """Something that happens to some nodes, from one second to another."""

    kind: str
    what: tuple[str, ...]
    at_s: float
    until_s: float


@dataclass(frozen=True)
class Script:
    """The day in seconds from its beginning. `periods`: how often siaga asks."""

    nodes: Mapping[str, Node]
    events: tuple[Event, ...]
    periods: Mapping[str, float]
    alerts: tuple[Mapping[str, Any], ...]
    outages: tuple[Mapping[str, Any], ...]
    length_s: float

    def of(self, kind: str) -> list[Event]:
        """Return the events of one kind."""
        return [e for e in self.events if e.kind == kind]

    @property
    def late_s(self) -> float:
        """How long after a device fell silent its alarm may ring: a look, and the seconds of grace."""
        return self.periods["reachability_s"] + self.periods["grace_s"] + 5 * _LOOK_S + _SLACK_S

    def answers(self, name: str, at_s: float) -> bool:
        """Tell whether a node can be reached."""
        gone = {n for e in (*self.of("cut"), *self.of("dark")) if e.at_s <= at_s < e.until_s for n in e.what}
        at = name
        while at and at not in gone:
            at = self.nodes[at].on
        return not at


def read(path: Path, minutes: float | None = None) -> Script:
    """Return the script in a file, with all of its times scaled to so many minutes."""
    tree = tomllib.loads(path.read_text("utf-8"))
    whole_s = _seconds(tree["length"])
    scale = minutes * 60 / whole_s if minutes else 1.0

    def times(row: Mapping[str, Any]) -> dict[str, Any]:
        return {k: _seconds(v) * scale if isinstance(v, dt.time) else v for k, v in row.items()}

    rows = [times(r) for r in tree["happens"]]
    return Script(
        {n: Node(n, number=i, **row) for i, (n, row) in enumerate(tree["node"].items())},
        tuple(Event(r["kind"], tuple(r["what"]), r["at"], r["until"]) for r in rows),
        {k: v * scale for k, v in tree["periods"].items()},
        tuple(map(times, tree["alert"])),
        tuple(map(times, tree["outage"])),
        whole_s * scale,
    )


def _seconds(at: dt.time) -> float:
    return at.hour * 3600.0 + at.minute * 60 + at.second


# --- siaga ------------------------------------------------------------------------------------------------


def settings_text(periods: Mapping[str, float]) -> str:
    """Return siaga.toml."""
    tiers = ("reachability_s", "counters_s", "health_s", "metadata_s", "scene_s")
    lines = ["[poll]", f"interval_s = {math.ceil(periods['reachability_s'])}", "timeout_s = 1", "retries = 1"]
    lines += ["[monitor]", *(f"{k} = {periods[k]}" for k in tiers), "compact = false", "burst = 2"]
    return "\n".join([*lines, "[alarms]", f'uplink = ["{UPLINK}"]', ""])


def record(home: Path, script: Script) -> None:
    """Make a home that knows the nodes and their links."""
    settings = Settings(home=home)
    initialise(settings)
    engine = open_engine(settings)
    with session(engine) as opened:
        writer = Writer(opened, Author("bench", datetime.now(UTC)))
        writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
        writer.flush()
        secret = SecretStr(COMMUNITY)
        store_secret(opened, open_vault(home), writer.ids("credential")["noc"], "community", secret)
        keys = ("grace_s", "recheck_s", "flap_half_life_s")
        state = {"failures": 3, **{k: script.periods[k] for k in keys}}
        writer.put("layer", {"name": "00-day", "vars": {"alerts": {"state": state}}})
        for place in dict.fromkeys(n.place for n in script.nodes.values()):
            writer.put("place", {"name": place, "kind": "kecamatan"})
        for node in script.nodes.values():
            row = {"name": node.name, "role": node.role, "place": node.place, "address": node.address}
            writer.put("device", {**row, "transport": "snmp", "credential": "noc"})
            writer.put("interface", {"device": node.name, "name": "eth0"})
        for node in [n for n in script.nodes.values() if n.on]:
            _link(writer, f"tautan-{node.name}", (node.on, node.port), (node.name, "eth0"))
        for name in spares(script):
            core, number = next(iter(script.nodes)), script.nodes[name].number
            _link(writer, f"cadangan-{name.partition('-')[2]}", (core, f"sp{number}"), (name, "eth9"))
        writer.finish()
    engine.dispose()
    rule = (Path(__file__).parents[1] / "monitor/rules/link-down.toml").read_text()
    (home / "rules").mkdir()
    (home / "rules/link-down.toml").write_text(
        rule.replace("for_s = 120", f"for_s = {script.periods['link_s']}")
    )


def plan(home: Path, script: Script, begin: datetime) -> None:
    """Record the work that is planned."""
    with session(open_engine(Settings(home=home))) as opened:
        for number, event in enumerate(script.of("work")):
            start, end = (begin + timedelta(seconds=s) for s in (event.at_s, event.until_s))
            selector = " or ".join(f"name={n}" for n in event.what)
            opened.add(Maintenance(name=f"kerja-{number}", selector=selector, start=start, end=end))


def settled(home: Path, script: Script) -> None:
    """Wait until siaga has read every device as a whole; raises CannotError if it does not."""
    deadline = time.monotonic() + _SETTLED_S
    while True:
        with reading(open_engine(Settings(home=home))) as opened, open_samples(home) as samples:
            states = opened.exec(select(DeviceState.device_id).where(DeviceState.state == "up")).all()
            keys = [(d, "uptime", "") for d in states]
            now = datetime.now(UTC)
            if len(samples.read(keys, now - timedelta(minutes=5), now)) == len(script.nodes):
                return
        if time.monotonic() > deadline:
            raise CannotError(f"Not every device was read within {_SETTLED_S:.0f} s.")
        time.sleep(0.5)


def _link(writer: Writer, name: str, *ends: tuple[str, str]) -> None:
    for device, port in ends:
        writer.put("interface", {"device": device, "name": port})
    (a, i), (z, j) = ends
    writer.put("link", {"name": name, "kind": "fibre", "a_interface": f"{a}:{i}", "z_interface": f"{z}:{j}"})


def spares(script: Script) -> list[str]:
    """Return who has a second link to the core."""
    return [n for e in script.of("spare") for n in e.what]


@dataclass
class Siaga:
    """The service in its namespace; `cpu_s` is what it cost in all of its lives."""

    folder: Path
    process: "subprocess.Popen[bytes] | None" = None
    cpu_s: float = 0.0
    rss_mib: float = 0.0

    def start(self) -> None:
        """Start it."""
        paths = {"SIAGA_HOME": str(self.folder / "home"), "SIAGA_CONFIG": str(self.folder / "siaga.toml")}
        command = inside("noc", sys.executable, "-P", "-m", "cli", "monitor", "run")
        root = str(Path(__file__).parents[1])
        with (self.folder / "said.txt").open("ab") as said:
            self.process = subprocess.Popen(
                command, env={**os.environ, **paths}, stderr=said, stdin=subprocess.DEVNULL, cwd=root
            )

    def end(self, number: int) -> None:
        """Send a signal that ends it, and wait for the end."""
        assert self.process is not None
        cpu_s, rss = spent(self.process.pid)
        self.cpu_s, self.rss_mib = self.cpu_s + cpu_s, max(self.rss_mib, rss)
        self.process.send_signal(number)
        try:
            self.process.wait(60)
        finally:
            self.process.kill()


# --- the day ----------------------------------------------------------------------------------------------


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


def acts(script: Script, net: Net, siaga: Siaga) -> list[tuple[float, str, Callable[[], object]]]:
    """Return what is done when, by time."""
    ways: dict[str, tuple[Callable[[str], object], Callable[[str], object]]] = {
        "cut": (net.cut, net.mend),
        "dark": (net.darken, net.lighten),
        "spare": (lambda n: net.cut_spare(n, "down"), lambda n: net.cut_spare(n, "up")),
        "battery": (lambda n: net.power(n, "battery"), lambda n: net.power(n, "mains")),
        "killed": (lambda _: siaga.end(signal.SIGKILL), lambda _: siaga.start()),
    }
    found = []
    for event in (e for e in script.events if e.kind in ways):
        for name in event.what:
            begin, end = ways[event.kind]
            found.append((event.at_s, f"{event.kind} {name}", _bound(begin, name)))
            found.append((event.until_s, f"{event.kind} {name} ends", _bound(end, name)))
    return sorted(found, key=lambda act: act[0])


def _bound(way: Callable[[str], object], name: str) -> Callable[[], object]:
    return lambda: way(name)


def played(script: Script, folder: Path, say: Callable[[str], None]) -> tuple[Done, Siaga]:
    """Let the day pass, and return what siaga made of it."""
    siaga = Siaga(folder)
    with Net(script.nodes, spares(script), folder / "nodes") as net:
        record(folder / "home", script)
        (folder / "siaga.toml").write_text(settings_text(script.periods))
        siaga.start()
        try:
            settled(folder / "home", script)
            done = Done(begin := datetime.now(UTC))
            plan(folder / "home", script, begin)
            for at_s, what, act in acts(script, net, siaga):
                _sleep_until(begin, at_s)
                say(f"{at_s:7.1f} s  {what}")
                act()
                done.late_s = max(done.late_s, (datetime.now(UTC) - begin).total_seconds() - at_s)
            _sleep_until(begin, script.length_s)
        finally:
            siaga.end(signal.SIGTERM)
    _read(script, folder / "home", done)
    done.wrong = list(_wrong(script, done))
    return done, siaga


def _sleep_until(begin: datetime, at_s: float) -> None:
    time.sleep(max(0.0, (begin - datetime.now(UTC)).total_seconds() + at_s))


# --- what siaga made of it --------------------------------------------------------------------------------


def _read(script: Script, home: Path, done: Done) -> None:
    settings = Settings(home=home)
    window = Window(
        done.begin,
        done.begin + timedelta(seconds=script.length_s),
        hold_s=3 * script.periods["reachability_s"] + _LOOK_S,
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
        near = {script.answers(name, at_s + s) for s in (-_SLACK_S, 0.0, _LOOK_S)}
        if answered not in near:
            yield f"{name} at {at_s:.1f} s: a look was {'answered' if answered else 'in vain'}"


def _wrong(script: Script, done: Done) -> Iterator[str]:
    yield from done.wrong
    yield from _matched("alert", script.alerts, done.alerts, lambda e, f: _alert_fits(script, e, f))
    yield from _matched("outage", script.outages, done.outages, lambda e, f: _outage_fits(script, e, f))
    for name, parts in done.availability.items():
        there = [script.answers(name, s) for s in range(int(script.length_s))]
        away_s = sum(parts.get(k, 0.0) for k in ("down", "unreachable", "maintained_down"))
        changes = sum(a != b for a, b in pairwise(there))
        bound_s = 2 + changes * (script.periods["reachability_s"] + _LOOK_S)
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
    late_s = max(script.late_s, 2 * slow_s + _LOOK_S)
    for event in script.of("killed"):  # what was to be said then is said when it runs again
        if expected["opens"] <= event.at_s <= expected["closes"]:
            late_s += event.until_s - event.at_s + _LOOK_S
    calm_s = 3 * script.periods["flap_half_life_s"] if expected.get("calm") else 0.0
    began = -_SLACK_S <= found["opens"] - expected["opens"] <= late_s
    return began and -_SLACK_S <= found["closes"] - expected["closes"] <= late_s + calm_s


def _outage_fits(script: Script, expected: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    if (expected["cause"], sorted(expected["devices"])) != (found["cause"], found["devices"]):
        return False
    bound_s = script.periods["reachability_s"] + _SLACK_S
    gaps = (found["at"] - expected["at"], (found["until"] or 1e9) - expected["until"])
    return all(-_SLACK_S <= g <= bound_s + _LOOK_S for g in gaps)


def main() -> int:
    """Play the day and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("script", nargs="?", type=Path, default=SCRIPT)
    parser.add_argument("--minutes", type=float, help="scale the day to so many minutes")
    given = parser.parse_args()
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 1
    script = read(given.script, given.minutes)
    folder = Path(mkdtemp(prefix="siaga-day-"))
    try:
        done, siaga = played(script, folder, lambda line: print(line, file=sys.stderr, flush=True))
        said = (folder / "said.txt").read_text().splitlines()
    except CannotError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    row = {
        "minutes": round(script.length_s / 60, 1),
        "as_scripted": not done.wrong,
        "wrong": done.wrong,
        "looks": done.looks,
        "acts_late_s": round(done.late_s, 2),
        "alerts": done.alerts,
        "outages": done.outages,
        "availability": done.availability,
        "siaga_cpu_s": round(siaga.cpu_s, 1),
        "siaga_rss_mib": round(siaga.rss_mib),
        "said": said[-10:],
    }
    print(json.dumps(row, indent=1))
    return 1 if done.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
