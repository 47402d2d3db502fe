"""Everything that is known now, as points: the newest samples, the facts, and how siaga itself is."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from inventory.select import joined, selected
from inventory.store import reading
from monitor.out.book import Book, open_book, ordered
from monitor.out.cursor import place, read
from monitor.out.facts import facts
from monitor.out.families import Family, Point
from monitor.samples import MISSING, Poll, SampleStore, ms_of, open_samples, time_of
from monitor.store import count_asked
from siaga.settings import Settings

WATCHED = Family("siaga_devices_watched", "gauge", "Active devices that are to be polled.")
FRESH = Family("siaga_devices_measured", "gauge", "Devices with samples that are not too old.")
NEWEST = Family("siaga_newest_sample_timestamp_seconds", "gauge", "When the newest sample was taken.")
SENT = Family("siaga_remote_write_samples_total", "counter", "Samples that a destination took.")
LEFT = Family("siaga_remote_write_dropped_samples_total", "counter", "Samples that a destination refused.")
FAILING = Family(
    "siaga_remote_write_failing", "gauge", "Passes in a row that failed; 0: the last one did not."
)
TAKEN = Family("siaga_remote_write_timestamp_seconds", "gauge", "Up to when a destination has the samples.")
STORE = Family("siaga_samples_bytes", "gauge", "What the sample store takes on the disk.")


def points(
    engine: Engine, settings: Settings, selector: Sequence[str], now: datetime, max_age: timedelta
) -> list[Point]:
    """Return what can be told at this moment of the selected devices; nothing older than `max_age`."""
    with reading(engine) as session:
        ids = selected(session, "device", joined(selector)) if selector else None
        book = open_book(session, ids)
        found = [*facts(session, book, now, max_age), *health(session, settings, book)]
    with open_samples(settings.home) as store:
        told = store.last(now, book.devices if ids is not None else None, int(max_age.total_seconds()))
        newest = [new for new, _ in told.values()]
        round_s = timedelta(seconds=min(settings.poll.interval_s, settings.monitor.counters_s))
        for poll, before in told.values():
            found += of_round(book, store, poll, before, round_s)
    return found + list(freshness(book, newest))


def of_round(
    book: Book, store: SampleStore, newest: Poll, before: Poll | None, round_s: timedelta
) -> list[Point]:
    """Return the values of one poll, each with its own time: a window that came late is stored as a poll of its own."""
    at = time_of(newest.at_ms)
    if before is None or at - time_of(before.at_ms) >= round_s or newest.layout.id != before.layout.id:
        return list(of_poll(book, newest))
    keys = [(newest.device, metric, instance) for metric, instance in newest.layout.columns]
    found = []
    for (_, metric, instance), series in store.read(keys, at - round_s, at).items():
        known = book.series(newest.device, metric, instance)
        if known:
            family, labels = known
            when, value = series.points()[-1]
            found.append(Point(family, labels, _scaled(family, value), ms_of(when)))
    return found


def of_poll(book: Book, poll: Poll) -> Iterator[Point]:
    """Yield the values of one poll; what is missing is absent."""
    values = poll.values.tolist() if poll.values is not None else ()
    for (metric, instance), value in zip(poll.layout.columns, values, strict=False):
        known = book.series(poll.device, metric, instance) if value != MISSING else None
        if known:
            family, labels = known
            whole = value + 2**64 if value < 0 and metric.endswith("_64") else value
            yield Point(family, labels, _scaled(family, whole), poll.at_ms)


def _scaled(family: Family, value: int) -> float:
    return value if family.scale == 1 else round(value * family.scale, 9)


def freshness(book: Book, newest: Iterable[Poll]) -> Iterator[Point]:
    """Yield how fresh the samples are; of a store without any there is no newest one."""
    labels = ordered(book.outside)
    times = [p.at_ms for p in newest]
    yield Point(FRESH, labels, len(times))
    if times:
        yield Point(NEWEST, labels, max(times) / 1000)


def health(session: Session, settings: Settings, book: Book) -> Iterator[Point]:
    """Yield how siaga itself is: whom it watches, what it takes on the disk, and who takes its samples."""
    labels = ordered(book.outside)
    yield Point(WATCHED, labels, count_asked(session))
    yield Point(STORE, labels, _size(settings))
    for to in settings.remote_write:
        standing = read(place(settings.home, to.name))
        if standing:
            mine = ordered((*labels, ("destination", to.name)))
            yield Point(SENT, mine, standing.sent)
            yield Point(LEFT, mine, standing.dropped)
            yield Point(FAILING, mine, standing.failures)
            yield Point(TAKEN, mine, standing.mark.at_ms / 1000)


def _size(settings: Settings) -> int:
    return sum(p.stat().st_size for p in (settings.home / "tsdb").rglob("*.db*") if p.is_file())
