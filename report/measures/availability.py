"""Availability from observed time only: what was not watched is neither up nor down, and is counted apart."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from report.facts import Seen, Span


@dataclass(frozen=True)
class Watched:
    """Seconds seen up and seen down, of the seconds there were (window times devices)."""

    up_s: float = 0.0
    down_s: float = 0.0
    window_s: float = 0.0

    @property
    def observed_s(self) -> float:
        """Seconds in which the state was known."""
        return self.up_s + self.down_s

    @property
    def unobserved_s(self) -> float:
        """Seconds in which nobody looked, or nothing could be said."""
        return max(self.window_s - self.observed_s, 0.0)

    @property
    def ratio(self) -> float | None:
        """Up time over observed time; None if nothing was observed."""
        return self.up_s / self.observed_s if self.observed_s > 0 else None

    @property
    def coverage(self) -> float | None:
        """Observed time over the window; None without a window."""
        return min(self.observed_s / self.window_s, 1.0) if self.window_s > 0 else None


@dataclass(frozen=True)
class Outage:
    """A device was seen down without a break from `start` to `end`; `open`: it still was at the last look."""

    device_id: int
    start: datetime
    end: datetime
    open: bool

    @property
    def seconds(self) -> float:
        """How long it was seen down."""
        return (self.end - self.start).total_seconds()


def by_device(spans: Iterable[Span]) -> dict[int, list[Span]]:
    """Return the spans of each device, in order of time."""
    found: dict[int, list[Span]] = defaultdict(list)
    for span in spans:
        found[span.device_id].append(span)
    return {key: sorted(some, key=lambda s: s.start) for key, some in found.items()}


def watched(spans: Iterable[Span], devices: int, since: datetime, until: datetime) -> Watched:
    """Sum the parts of `spans` that lie in the window, for that many devices."""
    seconds = {Seen.up: 0.0, Seen.down: 0.0, Seen.unobserved: 0.0}
    for span in spans:
        inside = (min(span.end, until) - max(span.start, since)).total_seconds()
        seconds[span.seen] += max(inside, 0.0)
    return Watched(seconds[Seen.up], seconds[Seen.down], devices * (until - since).total_seconds())


def parts(spans: Iterable[Span], devices: int, pieces: Sequence[tuple[datetime, datetime]]) -> list[Watched]:
    """Sum the parts of `spans` in each of some pieces of equal length that follow each other; each span once."""
    if not pieces:
        return []
    first, step = pieces[0][0], (pieces[0][1] - pieces[0][0]).total_seconds()
    many = len(pieces)
    seconds = {Seen.up: [0.0] * many, Seen.down: [0.0] * many, Seen.unobserved: [0.0] * many}
    for span in spans:
        into = seconds[span.seen]
        at = max((span.start - first).total_seconds(), 0.0)
        end = min((span.end - first).total_seconds(), many * step)
        for i in range(int(at // step), many):
            if at >= end:
                break
            edge = min(end, (i + 1) * step)
            into[i] += edge - at
            at = edge
    both = zip(seconds[Seen.up], seconds[Seen.down], strict=True)
    return [Watched(up, down, devices * step) for up, down in both]


def outages(spans: Iterable[Span]) -> list[Outage]:
    """Return every unbroken time seen down, longest first. A gap ends an outage: the rest is not known."""
    found = []
    for device_id, some in by_device(spans).items():
        for i, span in enumerate(some):
            if span.seen is Seen.down:
                found.append(Outage(device_id, span.start, span.end, i == len(some) - 1))
    return sorted(found, key=lambda o: (-o.seconds, o.device_id, o.start))


def buckets(start: datetime, end: datetime, at_most: int = 30) -> list[tuple[datetime, datetime]]:
    """Cut the time into at most so many equal pieces of a round length (a minute to 30 days)."""
    length = (end - start).total_seconds()
    steps = (10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000)
    step = next((s for s in steps if s * at_most >= length), steps[-1])
    count = max(1, min(at_most, -int(-length // step)))
    edges = [end - timedelta(seconds=step * (count - i)) for i in range(count + 1)]
    return list(pairwise(edges))
