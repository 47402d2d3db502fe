"""A small network that a test cuts, mends and watches: real database, real rules, a clock of its own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import col, select

from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine, reading, session
from inventory.writing import Writer
from monitor.alarm_store import Recall
from monitor.alarms import News, Taken, take
from monitor.models import Alert, Notification
from monitor.notify.worker import Done, run_once
from monitor.observation import Observation, Reach
from monitor.rules.subjects import Around, Subject, subjects
from monitor.scene import Scene, open_scene
from monitor.state import Heard, Probe
from monitor.store import named_ports
from monitor.topology import UPLINK
from siaga.settings import Route, Settings
from tests.homes import prepare

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # a Tuesday, 10.00 WIB
# A core, two routers behind it, a radio behind the first, an AP behind that.
TREE: Mapping[str, tuple[str, str]] = {
    "core": ("core-router", ""),
    "rtr-a": ("router", "core"),
    "rtr-b": ("router", "core"),
    "radio": ("radio", "rtr-a"),
    "ap": ("ap", "radio"),
}


@dataclass
class Net:
    """The devices, who of them is alive, and siaga watching."""

    home: Path
    routes: tuple[Route, ...] = ()
    uplink: tuple[str, ...] = ()
    patient: bool = True
    database_url: str = ""
    now: datetime = T0
    dead: set[str] = field(default_factory=set)
    cut: bool = False  # siaga's own uplink
    parts: dict[str, tuple[Subject, ...]] = field(default_factory=dict)
    recall: Recall | None = None
    last: Taken | None = None

    def __post_init__(self) -> None:
        tree: dict[str, Any] = {"home": self.home, "routes": self.routes, "alarms": {"uplink": self.uplink}}
        self.settings = Settings.model_validate({**tree, "database_url": self.database_url})
        if self.database_url:
            initialise(self.settings)
        else:
            prepare(self.settings)
        self.engine: Engine = open_engine(self.settings)
        with session(self.engine) as writing:
            writer = Writer(writing, Author("test", T0))
            writer.put("place", {"name": "Mauk", "kind": "kecamatan"})
            for name, (role, parent) in TREE.items():
                row = {"name": name, "role": role, "parent": parent, "place": "Mauk"}
                writer.put("device", row | {"address": f"127.0.7.{list(TREE).index(name) + 1}"})
            writer.flush()
            self.ids: dict[str, int] = dict(writer.ids("device"))
        self.names = {i: n for n, i in self.ids.items()}
        self.scene = self.rescene()

    def rescene(self) -> Scene:
        with reading(self.engine) as opened:
            self.scene = open_scene(opened, self.settings, self.now, patient=self.patient)
        return self.scene

    def answers(self, name: str) -> bool:
        if self.cut:
            return False
        at = name
        while at:
            if at in self.dead:
                return False
            at = TREE[at][1]
        return True

    def heard(self, device: int) -> Heard:
        there = not self.cut if device == UPLINK else self.answers(self.names[device])
        reach, why = (Reach.up, "") if there else (Reach.silent, "no answer in 2 s")
        return Heard(device, self.now, reach, why)

    def batch(self, devices: Iterable[int], own: Sequence[Subject] = ()) -> Taken:
        """Let siaga hear of these devices, in one transaction."""
        news = {d: News((self.heard(d),), self._parts(d), whole=bool(self._parts(d))) for d in devices}
        with session(self.engine) as writing:
            self.last = take(writing, self.scene, news, self.now, own=own, recall=self.recall)
        self.recall = self.last.recall
        return self.last

    def _parts(self, device: int) -> tuple[Subject, ...]:
        name = self.names.get(device, "")
        return self.parts.get(name, ()) if name and self.answers(name) else ()

    def round(self, after_s: float = 60.0) -> None:
        """Poll everybody once, and ask again whom siaga wants asked, as the service does."""
        self.now += timedelta(seconds=after_s)
        asks = self.batch([*self.ids.values(), *([UPLINK] if self.uplink else [])]).asks
        for _ in range(12):
            if not asks:
                return
            self.now += timedelta(seconds=2)
            asks = self.batch(_asked(asks)).asks

    def restart(self) -> None:
        """Forget everything that is not in the database."""
        self.recall = None
        self.engine.dispose()
        self.engine = open_engine(self.settings)

    def tell(self) -> list[Done]:
        return run_once(self.engine, self.settings, lambda: self.now, lambda: 0.5)

    def told(self) -> list[dict[str, Any]]:
        path = self.home / "alerts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def alerts(self, *, closed: bool = False) -> list[Alert]:
        with reading(self.engine) as opened:
            query = select(Alert) if closed else select(Alert).where(col(Alert.closed_at).is_(None))
            return list(opened.exec(query.order_by(col(Alert.id))))

    def open_now(self) -> set[tuple[str, str]]:
        return {(self.names.get(a.device_id or 0, "siaga"), a.rule) for a in self.alerts()}

    def outbox(self) -> list[Notification]:
        with reading(self.engine) as opened:
            return list(opened.exec(select(Notification).order_by(col(Notification.id))))

    def states(self) -> dict[str, str]:
        assert self.recall is not None
        return {self.names[d]: s.state.value for d, s in self.recall.standings.items() if d in self.names}

    def close(self) -> None:
        self.engine.dispose()


def _asked(asks: Iterable[Probe]) -> list[int]:
    return [a.device for a in asks]


def read(name: str, **more: Any) -> tuple[Subject, ...]:
    """Return the parts of a device as an observation gives them."""
    seen = Observation(name, "127.85.0.1", 161, "snmp", T0, Reach.up, **more)
    return tuple(subjects(seen, named_ports(seen.ports), Around()))


def net(home: Path, **more: Any) -> "closing[Net]":
    """Return a network that is closed at the end."""
    return closing(Net(home, **more))
