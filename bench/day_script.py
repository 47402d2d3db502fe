"""The script of a day in the lab: what is there, what happens when, and what siaga should make of it."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.day_net import Node

SCRIPT = Path(__file__).with_name("day.toml")
LOOK_S = 5.0  # until a device that does not answer is known not to: echoes, a burst, its own protocol
SLACK_S = 2.0


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
        return self.periods["reachability_s"] + self.periods["grace_s"] + 5 * LOOK_S + SLACK_S

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


def spares(script: Script) -> list[str]:
    """Return who has a second link to the core."""
    return [n for e in script.of("spare") for n in e.what]
