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
from monitor.samples import MISSING, Poll, ms_of, open_samples
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
    engine: Engine,
    settings: Settings,
    selector: Sequence[str],
    now: datetime,
    max_age: timedelta,
    readings_age: timedelta | None = None,
) -> list[Point]:
    """Return what can be told at this moment of the selected devices; nothing older than `max_age`.

    `readings_age`: the same for processors, memory and sensors, which are read less often (None: no other).
    """
    longest = max(max_age, readings_age or max_age)
    oldest_ms = ms_of(now - max_age)
    with reading(engine) as session:
        ids = selected(session, "device", joined(selector)) if selector else None
        book = open_book(session, ids)
        found = [*facts(session, book, now, max_age), *health(session, settings, book)]
    with open_samples(settings.home) as store:
        told = store.newest(now, book.devices if ids is not None else None, int(longest.total_seconds()))
    for polls in told.values():
        for poll in polls:
            fresh = poll.at_ms >= oldest_ms
            found += [p for p in of_poll(book, poll) if fresh or not p.family.mib]
    newest = [polls[0] for polls in told.values()]
    return found + list(freshness(book, [poll for poll in newest if poll.at_ms >= oldest_ms]))


def of_poll(book: Book, poll: Poll) -> Iterator[Point]:
    """Yield the values of one poll; what is missing is absent."""
    values = poll.values.tolist() if poll.values is not None else ()
    for (metric, instance), value in zip(poll.layout.columns, values, strict=False):
        known = book.series(poll.device, metric, instance) if value != MISSING else None
        if known:
            family, labels = known
            whole = value + 2**64 if value < 0 and metric.endswith("_64") else value
            told = whole if family.scale == 1 else round(whole * family.scale, 9)
            yield Point(family, labels, told, poll.at_ms)


def freshness(book: Book, newest: Iterable[Poll]) -> Iterator[Point]:
    """Yield how fresh the samples are, by each device's newest poll; of a store without any there is no newest one."""
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
