"""The raw samples of the period by their hash: figures come from bins, in which one changed counter may be lost.

A past day lies in one file that is never changed, and is named by the file's hash. A day that has no file yet is named
by the values of each line's counters themselves, which stay the same when it gets one.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

from monitor.lines import Line
from monitor.samples import Key, Name
from monitor.tsdb.days import RAW, days_in, name_of
from report.asked.source import Source, digest_of
from report.records import RawDay, RawLine

_EPOCH = date(1970, 1, 1)
_COUNTERS = ("in_octets", "out_octets", "in_octets_64", "out_octets_64")
_AT_ONCE = 200


def _folder(source: Source) -> Path | None:
    return source.home / "tsdb" / RAW if source.home is not None else None


def _utc_days(source: Source) -> Iterator[date]:
    """Yield the UTC days, as the store cuts them, that reach into the period."""
    day = source.period.since.astimezone(UTC).date()
    while datetime(day.year, day.month, day.day, tzinfo=UTC) < source.period.until:
        yield day
        day += timedelta(days=1)


def _filed(source: Source) -> frozenset[date]:
    """Return the days that have a file now."""
    folder = _folder(source)
    return (
        frozenset(_EPOCH + timedelta(days=n) for n in days_in(folder)) if folder is not None else frozenset()
    )


def files(source: Source) -> Iterator[RawDay]:
    """Yield the files of the days of the period that have one, by day."""
    folder, there = _folder(source), _filed(source)
    for day in _utc_days(source):
        if folder is not None and day in there:
            with (folder / name_of((day - _EPOCH).days)).open("rb") as file:
                yield RawDay(day, hashlib.file_digest(file, "sha256").hexdigest())


def lines(source: Source) -> Iterator[RawLine]:
    """Yield the counters of each line on each day of the period that has no file yet, by line and day."""
    filed = _filed(source) if source.filed is None else source.filed
    found: list[RawLine] = []
    for day in (d for d in _utc_days(source) if d not in filed):
        start = max(datetime(day.year, day.month, day.day, tzinfo=UTC), source.period.since)
        end = min(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1), source.period.until)
        names = source.samples.names(start, end)
        some = iter(source.lines)
        while part := list(islice(some, _AT_ONCE)):
            found += _of_day(source, part, names, day, start, end)
    yield from sorted(found, key=lambda one: (one.line, one.day))


def _of_day(
    source: Source,
    part: list[tuple[str, Line]],
    names: Mapping[int, set[Name]],
    day: date,
    start: datetime,
    end: datetime,
) -> Iterator[RawLine]:
    keys = {name: _keys(line, names) for name, line in part}
    values = source.samples.read(
        [k for some in keys.values() for k in some], start, end - timedelta(microseconds=1)
    )
    for name, some in keys.items():
        digest = digest_of(values.get(k) for k in some)
        if digest:
            yield RawLine(name, day, digest)


def _keys(line: Line, names: Mapping[int, set[Name]]) -> list[Key]:
    return [
        (port.device_id, metric, port.name)
        for port in line.ports
        for metric in _COUNTERS
        if (metric, port.name) in names.get(port.device_id, ())
    ]


ANSWERS = {RawDay: files, RawLine: lines}
