"""Tries a platform file on a device or a recording: is it recognised, and what does each of its readings find?"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.platform_format import Part, Platform, Reading
from inventory.platforms import parts_of, platforms
from monitor import identify
from monitor.describe import described
from monitor.observation import Observation, as_json
from monitor.pools import pools
from monitor.readings import rows
from monitor.recording import RecordedAgent
from monitor.snmp_read import observation, read_as
from monitor.tables import Oid, Tables, Value, oid
from monitor.targets import Target
from siaga.clock import utc_now
from siaga.outcome import Format, Outcome


@dataclass(frozen=True)
class Trial:
    """What a platform file made of a device. `rival`: the platform that it is recognised as instead."""

    platform: Platform
    seen: Observation
    recognised: bool
    rival: str
    empty: tuple[str, ...]
    readings: int


def trial(known: Platform, source: Mapping[Oid, Value] | Target) -> Trial:
    """Read a device or a recording as this platform; sends something only to a target."""
    started, now = time.monotonic(), utc_now()
    reading, target = asyncio.run(_read(known, source))
    tables = Tables(reading.seen)
    others = [p for p in platforms() if p.name != known.name]
    found = identify.identify([*others, known], tables)
    seen = observation(target, now, time.monotonic() - started, reading=reading)
    return Trial(
        known,
        seen,
        recognised=found is known,
        rival=found.name if found and found is not known else "",
        empty=tuple(_empty(_own(known), tables)),
        readings=sum(
            len(p.cpu) + len(p.sensors) + len(p.wireless) + len(p.memory) + len(p.storage)
            for p in _own(known)
        ),
    )


def _own(known: Platform) -> list[Part]:
    shared = parts_of(None)
    return [part for part in parts_of(known) if part not in shared]


async def _read(known: Platform, source: Mapping[Oid, Value] | Target) -> tuple[Any, Target]:
    if isinstance(source, Target):
        from monitor.snmp import Engines, connected

        async with connected(source, Engines()) as agent:
            return await read_as(agent, known), source
    return await read_as(RecordedAgent(source), known), Target("recording", "recording", snmp_port=0)


def _readings(part: Part) -> tuple[tuple[Any, ...], ...]:
    return part.cpu, part.sensors, part.wireless, part.memory, part.storage


def _empty(parts: list[Part], tables: Tables) -> Iterator[str]:
    """Yield a sentence for each reading of the file that finds nothing; of those with a fall-back, if all do."""
    for part in parts:
        for reading in (*part.cpu, *part.sensors, *part.wireless):
            if not reading.fallback and not any(True for _ in rows(reading, tables, "")):
                yield _why(reading, tables)
        for memory in (*part.memory, *part.storage):
            if not memory.fallback and not pools([memory], tables):
                yield f"memory or storage {memory.used or memory.percent or memory.free}: no pool comes of it"


def _why(reading: Reading, tables: Tables) -> str:
    kind = getattr(reading, "kind", None) or "cpu"
    there = len(tables.column(oid(reading.oid)))
    what = f"{there} rows, none is kept by its filters" if there else "the device has nothing there"
    return f"{kind} {reading.oid}: {what}"


def outcome(tried: Trial, output: Format) -> Outcome:
    """Return a trial as the outcome of its command: 6 if it is not recognised, or if all its readings are empty."""
    well = tried.recognised and (len(tried.empty) < tried.readings or not tried.readings)
    told = []
    if not tried.recognised:
        instead = f" It is recognised as {tried.rival}." if tried.rival else ""
        told.append(f"The device is not recognised as {tried.platform.name}.{instead}")
    told += [f"Nothing found: {sentence}." for sentence in tried.empty]
    return Outcome(
        [{"recognised": tried.recognised, "empty": list(tried.empty), **as_json(tried.seen)}],
        single=True,
        text=described(tried.seen, output),
        messages=told,
        exit_code=0 if well else 6,
        format=output,
    )
