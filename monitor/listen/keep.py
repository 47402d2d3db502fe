"""Keeps events: what came waits for one transaction a batch, the same within a minute is one row, old ones go.

What cannot be written now (locked, full) waits, within a bound; what did not fit any more is counted.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func
from sqlmodel import Session, col, select

from inventory.models import Device
from inventory.store import in_parts, session
from monitor.listen.event import Event, Wish
from monitor.models import DeviceEvent
from monitor.wishes import wish
from siaga.clock import as_utc
from siaga.errors import SiagaError

MOST_WAITING = 10_000
MOST_KEPT = 500_000
_SAME = timedelta(seconds=60)
Mark = tuple[str, str, str, str]


@dataclass(frozen=True)
class Told:
    """An event, and how often the same came until `last_at`."""

    event: Event
    last_at: datetime
    times: int = 1


def mark(event: Event) -> Mark:
    """Return what two messages have in common that say the same."""
    return (event.source, event.channel, event.kind.value, event.text)


class EventSink:
    """Where the receiver brings events and wishes. `flush` writes in a thread: a locked database holds up nobody."""

    def __init__(self, engine: Engine, say: Callable[[str], None]) -> None:
        self.tally: Counter[str] = Counter()
        self.problem = ""
        self._engine, self._say = engine, say
        self._events: dict[Mark, Told] = {}
        self._wishes: dict[tuple[int, str], Wish] = {}
        self._rows: dict[Mark, int] = {}  # of the last batches: a repetition is added there

    def __len__(self) -> int:
        return len(self._events) + len(self._wishes)

    def event(self, event: Event) -> None:
        """Take an event to be written with the next flush."""
        before = self._events.get(mark(event))
        if before is not None:
            self._events[mark(event)] = replace(before, last_at=event.at, times=before.times + 1)
        elif len(self._events) < MOST_WAITING:
            self._events[mark(event)] = Told(event, event.at)
        else:
            self.tally["event.lost"] += 1

    def wish(self, wish: Wish) -> None:
        """Take a wish to be written with the next flush; the newest stands for those before."""
        self._wishes[wish.device_id, wish.what] = wish

    async def flush(self) -> bool:
        """Write what waits; tell whether that went well."""
        if not len(self):
            return True
        events, wishes = self._events, self._wishes
        self._events, self._wishes = {}, {}
        try:
            self._rows = await asyncio.to_thread(
                _written, self._engine, list(events.values()), list(wishes.values()), self._rows
            )
        except SiagaError as error:
            self._events = _joined(events, self._events)
            self._wishes = {**wishes, **self._wishes}
            self._told(error.sentence)
            return False
        self._told("")
        self.tally["event.kept"] += len(events)
        return True

    def _told(self, problem: str) -> None:
        if problem and problem != self.problem:
            self._say(f"events wait: {problem}")
        self.problem = problem


def _joined(older: Mapping[Mark, Told], newer: Mapping[Mark, Told]) -> dict[Mark, Told]:
    found = dict(older)
    for at, one in newer.items():
        before = found.get(at)
        found[at] = replace(before, last_at=one.last_at, times=before.times + one.times) if before else one
    return found


def _written(
    engine: Engine, told: Sequence[Told], wishes: Sequence[Wish], rows: Mapping[Mark, int]
) -> dict[Mark, int]:
    with session(engine) as writing:
        found = keep(writing, told, rows)
        for one in _known(writing, wishes):
            wish(writing, one.device_id, one.what, one.why, one.at)
    return {**rows, **found} if len(rows) + len(found) < MOST_WAITING else found


def keep(writing: Session, told: Iterable[Told], rows: Mapping[Mark, int]) -> dict[Mark, int]:
    """Write events; return the row of each. `rows`: those of the last batches, to which the same is added."""
    told = list(told)
    there = _devices(writing, (t.event.device_id for t in told))
    found = {}
    for one in told:
        row = writing.get(DeviceEvent, rows[m]) if (m := mark(one.event)) in rows else None
        if row is not None and one.event.at - as_utc(row.last_at) <= _SAME:
            row.last_at, row.times = one.last_at, row.times + one.times
        else:
            row = _row(one, there)
        writing.add(row)
        writing.flush()
        assert row.id is not None
        found[m] = row.id
    return found


def _row(told: Told, there: set[int]) -> DeviceEvent:
    one = told.event
    return DeviceEvent(
        at=one.at,
        last_at=told.last_at,
        times=told.times,
        channel=one.channel,
        kind=one.kind.value,
        source=one.source,
        device_id=one.device_id if one.device_id in there else None,  # it may have been removed just now
        text=one.text,
        details=dict(one.details),
        authentic=one.authentic,
    )


def _known(writing: Session, wishes: Sequence[Wish]) -> list[Wish]:
    there = _devices(writing, (w.device_id for w in wishes))
    return [w for w in wishes if w.device_id in there]


def _devices(opened: Session, ids: Iterable[int | None]) -> set[int]:
    """Return those of the ids that are devices."""
    wanted = {i for i in ids if i is not None}
    return {
        i
        for part in in_parts(wanted)
        for i in opened.exec(select(Device.id).where(col(Device.id).in_(part)))
        if i is not None
    }


def trim(writing: Session, before: datetime, most: int = MOST_KEPT) -> int:
    """Remove events from before a time, and all but the newest `most`; return how many went."""
    last = writing.exec(select(func.max(col(DeviceEvent.id)))).one() or 0
    old = delete(DeviceEvent).where((col(DeviceEvent.at) < before) | (col(DeviceEvent.id) <= last - most))
    return int(writing.connection().execute(old).rowcount)
