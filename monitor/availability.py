"""What was seen of devices in a window, read from the database and the samples; and the same by group.

The states are those of `state_change`, in the order in which they were written, whatever the clock did meanwhile; the
looks are those of the sample store. Of a device without any the probes kept as evidence are looks as well.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import String, and_, func, type_coerce
from sqlalchemy import select as columns_of
from sqlmodel import Session, col, or_, select

from inventory.models import Connection, Device, Place
from inventory.models_people import Outage
from inventory.select import joined, selected
from monitor import uptimes
from monitor.intervals import Array, Steps, in_order, union
from monitor.intervals import joined as together
from monitor.lines import Line, grouped, lines
from monitor.models import StateChange
from monitor.samples import SampleStore, ms_of
from monitor.scene import far_ends
from monitor.tsdb import runs
from monitor.uptimes import Parts, Seen
from siaga.settings import Settings

NOT_OURS = ("power", "device", "planned")  # causes that are no fault of who provides the line
_AT_ONCE = 500
_DEEPEST = 32  # places above one another


@dataclass(frozen=True)
class Window:
    """From when to when, and how long a look holds at most: three rounds of polling."""

    start: datetime
    end: datetime
    hold_s: float = 180.0

    @property
    def ms(self) -> tuple[int, int]:
        """Both ends as Unix milliseconds."""
        return ms_of(self.start), ms_of(self.end)


def window(settings: Settings, start: datetime, end: datetime) -> Window:
    """Return the window with the holding time that the settings give."""
    return Window(start, end, 3.0 * settings.poll.interval_s)


@dataclass(frozen=True)
class Row:
    """The availability of one device, line or group. `lines`: how many it is the sum of, or the best of."""

    name: str
    parts: Parts
    lines: int = 1


def availability(
    session: Session, samples: SampleStore, by: str, selector: Sequence[str], window: Window
) -> tuple[list[Row], int]:
    """Return the rows by name, and how many lines have no device that could tell. Raises what the selector raises.

    An agency is at every moment as its best connection. A kecamatan and a provider are the sum of their lines.
    """
    if by == "device":
        query = joined(selector) or "status=active and transport!=none"
        return _devices(session, samples, selected(session, "device", query), window), 0
    found = lines(session, "link" if by == "link" else "connection", selector, window.end.date())
    told = [line for line in found if line.device_id is not None]
    view = look(session, samples, {line.device_id for line in told if line.device_id}, window)
    return list(_groups(grouped(told, by), view, by)), len(found) - len(told)


def _devices(session: Session, samples: SampleStore, ids: Sequence[int], window: Window) -> list[Row]:
    parts = uptimes.per_device(look(session, samples, ids, window))
    names = dict(session.exec(select(Device.id, Device.name)).all())
    return [Row(names[i], parts[i]) for i in ids]


def _groups(groups: dict[str, list[Line]], view: Seen, by: str) -> Iterable[Row]:
    parts = uptimes.per_device(view)
    if by == "agency":
        members = {n: [k.device_id or 0 for k in some] for n, some in enumerate(groups.values())}
        best = uptimes.best(view, members)
        for number, (name, some) in enumerate(groups.items()):
            yield Row(name, best[number], len(some))
        return
    for name, some in groups.items():
        whole = uptimes.added(parts[line.device_id or 0] for line in some)
        if whole is not None:
            yield Row(name, whole, len(some))


def look(session: Session, samples: SampleStore, devices: Collection[int], window: Window) -> Seen:
    """Return what was seen of these devices, in pieces."""
    start_ms, end_ms = window.ms
    hold_ms = round(window.hold_s * 1000)
    table = samples.runs(window.start, window.end, window.hold_s, devices)
    ids = np.fromiter(devices, np.int64, len(devices))
    blind = ids[~np.isin(ids, table[runs.DEVICE])].tolist()
    if blind:
        extra = uptimes.looks_of(evidence(session, blind, window))
        table = np.concatenate([table, extra], axis=1)
    return uptimes.seen(
        uptimes.looked(table, hold_ms),
        changes(session, devices, window),
        excuses(session, window),
        ids,
        (start_ms, end_ms),
    )


def changes(session: Session, devices: Collection[int], window: Window) -> Steps:
    """Return the believed states as steps, from the last one before the window on."""
    before = (
        select(func.max(StateChange.id))
        .where(StateChange.at <= window.start)
        .group_by(col(StateChange.device_id))
    )
    c: Any = StateChange.__table__.c  # type: ignore[attr-defined]
    within = and_(c.at > window.start, c.at < window.end)
    # As it is stored (text, or a naive time): 26,000 times are read five times as quickly by numpy.
    query = columns_of(c.device_id, type_coerce(c.at, String), c.after)
    query = query.where(or_(c.id.in_(before), within)).order_by(c.id)
    owner: list[int] = []
    times: list[Any] = []
    after: list[str] = []
    # In parts: that many rows alive at once make Python's collector go over the whole heap, which costs twice as much.
    for part in session.connection().execute(query).partitions(_AT_ONCE):
        owner += [row[0] for row in part]
        times += [row[1] for row in part]
        after += [row[2] for row in part]
    devices_of = np.array(owner, np.int64)
    at = np.array(times, "datetime64[ms]").astype(np.int64)
    order = np.argsort(devices_of, kind="stable")  # by device, and as they were written
    whole = uptimes.believed(devices_of, at, after)
    ordered = _ordered(devices_of[order], at[order])
    keep = np.isin(devices_of[order], np.fromiter(devices, np.int64, len(devices)))
    return Steps(devices_of[order][keep], ordered[keep], whole.value[order][keep])


def _ordered(owner: Array, at: Array) -> Array:
    """Put times in order where a clock was set back between two changes of a device."""
    back = (owner[1:] == owner[:-1]) & (at[1:] < at[:-1])
    for device in np.unique(owner[1:][back]).tolist():
        mine = owner == device
        at[mine] = in_order(at[mine].tolist())
    return at


def evidence(session: Session, devices: Collection[int], window: Window) -> Iterable[tuple[int, int, bool]]:
    """Yield (device, at_ms, answered) of the probes that transitions rest on, each once."""
    hold = timedelta(seconds=window.hold_s)
    query = select(StateChange.device_id, StateChange.evidence).where(
        StateChange.at > window.start, StateChange.at < window.end + hold
    )
    wanted, found = set(devices), {}
    for device, probes in session.exec(query):
        for probe in probes if device in wanted else ():
            if (at := _time(probe.get("at"))) is not None and "reach" in probe:
                found[device, ms_of(at)] = probe["reach"] in ("up", "partial")
    for (device, at_ms), answered in sorted(found.items()):
        yield device, at_ms, answered


def _time(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def excuses(session: Session, window: Window) -> Steps:
    """Return when devices were away by a cause that is no fault of the line, as the outages say."""
    open_ = or_(col(Outage.end).is_(None), col(Outage.end) > window.start)
    query = select(Outage).where(Outage.start < window.end, open_, col(Outage.cause).in_(NOT_OURS))
    found = list(session.exec(query))
    if not found:
        return together()
    reach = Reach(session, found, window)
    spans = [(d, ms_of(o.start), ms_of(o.end or window.end)) for o in found for d in sorted(reach.devices(o))]
    columns = np.array(spans, np.int64).reshape(-1, 3).T
    return union(*columns)


class Reach:
    """Which devices an outage is of: its device; else those that hang on its link; else those in its place."""

    def __init__(self, session: Session, outages: Iterable[Outage], window: Window) -> None:
        some = [o for o in outages if o.device_id is None]
        links = {o.link_id for o in some if o.link_id is not None}
        self._of_link: dict[int, set[int]] = {}
        self._in_place: dict[int, set[int]] = {}
        if links:
            self._read_links(session, links, window)
        if any(o.place_id for o in some if o.link_id is None):
            self._read_places(session)

    def devices(self, outage: Outage) -> set[int]:
        """Return the ids of the devices that an outage is of."""
        if outage.device_id is not None:
            return {outage.device_id}
        if outage.link_id is not None:
            return self._of_link.get(outage.link_id, set())
        return self._in_place.get(outage.place_id or 0, set())

    def _read_links(self, session: Session, links: set[int], window: Window) -> None:
        ends = far_ends(session, window.end.date())
        for link, (near, far) in ends.items():
            self._of_link[link] = {far if far is not None else near}
        query = select(Connection.link_id, Connection.device_id).where(col(Connection.link_id).in_(links))
        for link_id, device in session.exec(query):
            if link_id is not None and device is not None:
                self._of_link.setdefault(link_id, set()).add(device)

    def _read_places(self, session: Session) -> None:
        above = dict(session.exec(select(Place.id, Place.parent_id)).all())
        pairs = session.exec(select(Device.place_id, Device.id)).all()
        for place, rows in groupby(sorted(p for p in pairs if p[0]), key=itemgetter(0)):
            inside = {d for _, d in rows if d is not None}
            at: int | None = place
            for _ in range(_DEEPEST):
                if at is None:
                    break
                self._in_place.setdefault(at, set()).update(inside)
                at = above.get(at)
