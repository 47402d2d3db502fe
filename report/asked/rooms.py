"""Server rooms and command centres: their air, their power, whether all was there, walks through them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inventory.models import Device
from inventory.models_readiness import RoomCheck as RoomCheckRow
from monitor.intervals import Array
from monitor.samples import SERVICES, Bins, Key
from monitor.tsdb import runs
from monitor.uptimes import Kind
from monitor.usage import LEAST_BINS, STEP_MS, nearest_rank
from report.asked.source import Source, ordered
from report.asked.traffic import ServiceTime
from report.records import Centre, Climate, Room, RoomCheck, Ups
from siaga.text import safe

# What sensors at the front of a rack, or of a room, are called. A device that measures humidity is a probe of a room.
_INLET = ("inlet", "intake", "ambient", "ruang", "room", "rack", "front")
_MINUTE_MS = 60_000
_NOT_SEEN, _AWAY, _THERE = -1, 0, 1


def rooms(source: Source) -> Iterator[Room]:
    """Yield the rooms that have a purpose, by name."""
    for place in sorted(source.places.values(), key=lambda p: p.name):
        if place.kind == "room" and place.purpose:
            yield Room(safe(place.name), place.purpose)


def _inside(source: Source, purpose: str) -> Iterator[tuple[str, Device]]:
    """Yield the devices of rooms of a purpose, with the room."""
    for row in source.devices.values():
        room = source.room(row.place_id)
        if room is not None and room.purpose == purpose:
            yield safe(room.name), row


def climates(source: Source) -> Iterator[Climate]:
    """Yield the air of server rooms as each of their devices measured it that measures it."""
    for room, row in _inside(source, "server"):
        known = source.series.get(row.id or 0, set())
        humid = [n for n in known if n[0] == "humidity"]
        warm = [n for n in known if n[0] == "temperature" and (humid or _is_inlet(n[1]))]
        if warm:
            keys = [(row.id or 0, *n) for n in sorted((*warm, *humid))]
            bins = source.samples.bins(keys, source.period.since, source.period.until, STEP_MS // 1000)
            yield _climate(source, room, row, keys, bins)


def _is_inlet(name: str) -> bool:
    return any(word in name.casefold() for word in _INLET)


def _climate(
    source: Source, room: str, row: Device, keys: Sequence[Key], bins: Mapping[Key, Bins]
) -> Climate:
    low, high = source.limits.inlet_c
    good: dict[int, bool] = {}
    digest = hashlib.sha256()
    for key in keys:
        some = bins.get(key)
        if some is None:
            continue
        digest.update(some.at_ms.tobytes() + some.total.tobytes() + some.weight.tobytes())
        warm = key[1] == "temperature"
        values = some.means() / (100 if warm else 1000)
        right = (values >= low) & (values <= high) if warm else values <= source.limits.humidity_pct
        for at, so in zip(some.at_ms.tolist(), right.tolist(), strict=True):
            if warm or at in good:  # humidity alone says nothing of the temperature
                good[at] = good.get(at, True) and so
    window = source.period.ms // STEP_MS
    return Climate(room, safe(row.name), window, len(good), sum(good.values()), digest.hexdigest())


def supplies(source: Source) -> Iterator[Ups]:
    """Yield the UPSs of server rooms, with how many minutes they last at the load they carry."""
    for room, row in _inside(source, "server"):
        if row.role == "ups":
            yield _ups(source, room, row)


def _ups(source: Source, room: str, row: Device) -> Ups:
    since, until = source.period.since, source.period.until
    names = source.series.get(row.id or 0, set())
    keys = [(row.id or 0, *n) for n in sorted(names) if n[0] == "runtime"]
    bins = source.samples.bins(keys, since, until, STEP_MS // 1000) if keys else {}
    means = np.concatenate([np.empty(0), *(bins[k].means() / 1000 for k in keys if k in bins)])
    asked = source.samples.availability(since, until, source.hold_s, [row.id or 0]).get(row.id or 0)
    p5 = round(nearest_rank(means, 0.05), 1) if len(means) >= LEAST_BINS else None
    digest = hashlib.sha256(means.tobytes()).hexdigest() if len(means) else ""
    return Ups(room, safe(row.name), asked is not None and asked.answered_s > 0, len(means), p5, digest)


@dataclass(frozen=True)
class _Part:
    """Something that a command centre needs, and how it was in each minute of service."""

    name: str
    state: NDArray[np.int8]


def centres(source: Source) -> Iterator[Centre]:
    """Yield each command room in service hours: its devices, and the applications that are placed in it (its feeds)."""
    service = ServiceTime(source)
    start, end = source.window.ms
    every = np.arange(start, end, _MINUTE_MS, dtype=np.int64)
    at = every[service.holds(every)]
    for place in sorted(source.places.values(), key=lambda p: p.name):
        if place.kind == "room" and place.purpose == "command":
            parts = list(_parts(source, place.id or 0, at))
            yield _centre(safe(place.name), parts, len(at))


def _centre(room: str, parts: Sequence[_Part], minutes: int) -> Centre:
    states = np.array([p.state for p in parts], np.int8).reshape(len(parts), minutes)
    lacking = (states == _AWAY).any(axis=0)
    known = lacking | (states == _THERE).all(axis=0) if len(parts) else np.zeros(minutes, bool)
    ready = known & ~lacking
    observed_ms, ready_ms = int(known.sum()) * _MINUTE_MS, int(ready.sum()) * _MINUTE_MS
    return Centre(room, minutes * _MINUTE_MS, observed_ms, ready_ms, tuple(p.name for p in parts))


def _parts(source: Source, place_id: int, at: Array) -> Iterator[_Part]:
    for device_id, row in source.devices.items():
        if row.transport != "none" and any(p.id == place_id for p in source.above(row.place_id)):
            yield _Part(f"device/{safe(row.name)}", _of_device(source, device_id, at))
    feeds = {
        i: s
        for i, s in source.services.items()
        if s.check != "none" and any(p.id == place_id for p in source.above(s.place_id))
    }
    for service_id, service in sorted(feeds.items(), key=lambda pair: pair[1].name):
        yield _Part(f"service/{safe(service.name)}", _of_service(source, service_id, at))


def _of_device(source: Source, device_id: int, at: Array) -> NDArray[np.int8]:
    p, kind = source.view.pieces, source.view.kind
    mine = p.owner == device_id
    found = np.full(len(at), _NOT_SEEN, np.int8)
    if not mine.any():
        return found
    place = np.searchsorted(p.start_ms[mine], at, side="right") - 1
    kinds = kind[mine][np.clip(place, 0, None)]
    unseen = (place < 0) | np.isin(kinds, (Kind.unobserved, Kind.maintained_unseen))
    up = np.isin(kinds, (Kind.up, Kind.maintained_up))
    return np.where(unseen, _NOT_SEEN, np.where(up, _THERE, _AWAY)).astype(np.int8)


def _of_service(source: Source, service_id: int, at: Array) -> NDArray[np.int8]:
    number = SERVICES + service_id
    table = runs.ordered(
        source.samples.runs(source.period.since, source.period.until, source.hold_s, [number])
    )
    if not table.shape[1]:
        return np.full(len(at), _NOT_SEEN, np.int8)
    place = np.searchsorted(table[runs.FIRST], at, side="right") - 1
    held = table[runs.LAST][np.clip(place, 0, None)] + source.hold_ms
    answer = table[runs.ANSWER][np.clip(place, 0, None)]
    return np.where((place < 0) | (at >= held), _NOT_SEEN, answer).astype(np.int8)


def checks(source: Source) -> Iterator[RoomCheck]:
    """Yield the walks through rooms, by name."""
    for row in ordered(source.session, RoomCheckRow):
        yield RoomCheck(
            name=safe(row.name),
            room=source.place(row.place_id),
            dated=row.dated,
            door_control=row.door_control,
            door_log=row.door_log,
            cctv=row.cctv,
            visitor_log=row.visitor_log,
            fire_detection=row.fire_detection,
        )


ANSWERS = {Room: rooms, Climate: climates, Ups: supplies, Centre: centres, RoomCheck: checks}
