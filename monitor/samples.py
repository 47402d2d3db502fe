"""The memory of the monitor: raw counters and scaled gauges as integers, never rates, never overwritten.

`SampleStore` is what callers know; `monitor/tsdb/` is the store (docs/samples.md says how it works).
A device that was asked and did not answer leaves a mark (`Asked`), not a zero; a value that is missing is
`MISSING`, not a zero either. numpy is loaded when samples are written or read, not before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from siaga.clock import as_utc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from monitor.tsdb.store import EmbeddedStore

    Array = NDArray[np.int64]

OWN = 0  # what siaga measures of itself stands under this number, which no device has
HEARD = "syslog_messages"  # how many came from a device in a minute; without any there is no value
SKEW = "syslog_clock_skew"  # by how many ms a device's clock was ahead, by the time its messages said
SERVICES = 1 << 20  # a service's samples stand under this and its id; devices have smaller numbers
MISSING = -(2**63)  # the mark of a value that is not there
Name = tuple[str, str]  # metric, instance
Key = tuple[int, str, str]  # device, metric, instance


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one metric. `instance` is an interface's name, a sensor's, or empty.

    Metrics: in_octets, out_octets, in_errors, out_errors, in_discards, out_discards (raw counters; those of
    64 bits end in _64), discontinuity (ticks), speed (bits per second), uptime (hundredths of a second), cpu
    and memory (hundredths of a percent), temperature (hundredths of a degree Celsius), and every other class
    of sensor by its name (voltage, current, power, charge, state ...; thousandths of its unit).
    """

    device: int
    metric: str
    instance: str
    at: datetime
    value: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A device was asked at this time, and answered or not."""

    device: int
    at: datetime
    answered: bool


@dataclass(frozen=True, eq=False)
class Layout:
    """The columns of a poll, (metric, instance) each. Its id follows from them: equal columns, equal id."""

    columns: tuple[Name, ...]
    id: int = field(init=False)

    def __post_init__(self) -> None:
        """Derive the id: 63 bits of BLAKE2b, 0 for no columns."""
        digest = blake2b(self.json.encode(), digest_size=8).digest()
        object.__setattr__(self, "id", int.from_bytes(digest, "little") >> 1 if self.columns else 0)

    @property
    def json(self) -> str:
        """The columns as they are stored."""
        return dumps(self.columns, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def places(self) -> Mapping[Name, int]:
        """(metric, instance) → the number of its column."""
        return {name: i for i, name in enumerate(self.columns)}


NOTHING = Layout(())


@dataclass(frozen=True, slots=True, eq=False)
class Poll:
    """What one device said at one time: a value for each column of the layout, `MISSING` where there is none.

    `values` is int64; a counter of 64 bits above 2^63 stands there as its two's complement (`signed`).
    `asked`: a question was put; `answered`: it was answered. None for a silent device.
    """

    device: int
    at_ms: int  # Unix milliseconds
    layout: Layout = NOTHING
    values: "Array | None" = None
    asked: bool = True
    answered: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The values of one series by time, none of them missing."""

    metric: str
    at_ms: "Array"
    values: "Array"

    def points(self) -> list[tuple[datetime, int]]:
        """Return (time, value), counters of 64 bits as they were read from the device."""
        wide = self.metric.endswith("_64")
        values = (v + 2**64 if wide and v < 0 else v for v in self.values.tolist())
        return list(zip(map(time_of, self.at_ms.tolist()), values, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """One series in bins of `step_s`; a bin without a measurement is absent.

    Of a counter: `total` of its sound increments, `weight` the milliseconds they cover, `low` how many increments
    were refused (restart, reset, impossible ...), `high` the greatest rate of a single one in thousandths a second.
    Of a gauge: `total` and `weight` are sum and number of its values, `low` and `high` the least and the greatest.
    """

    step_s: int
    counter: bool
    at_ms: "Array"  # when each bin begins
    total: "Array"
    weight: "Array"
    low: "Array"
    high: "Array"

    def means(self) -> "NDArray[np.float64]":
        """Return the mean of each bin's known time: a counter's rate per second, a gauge's value."""
        found: NDArray[np.float64] = self.total / self.weight * (1000 if self.counter else 1)
        return found


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile of the 5-minute means of a counter, per second, and of how many bins."""

    per_second: float
    bins: int


@dataclass(frozen=True, slots=True)
class Availability:
    """How long a device answered, and how long it was asked in vain, in a window; the rest nobody looked."""

    answered_s: float
    silent_s: float
    window_s: float

    @property
    def unobserved_s(self) -> float:
        """Seconds in which nobody looked: neither up nor down."""
        return max(0.0, self.window_s - self.answered_s - self.silent_s)


class SampleStore(Protocol):
    """What keeps samples. (device, metric, instance, time) identifies one; writing it twice is once."""

    def write(self, polls: Sequence[Poll]) -> None:
        """Store polls; durable on return, whole or not at all. What is there already is not replaced."""

    def read(self, keys: Sequence[Key], start: datetime, end: datetime) -> Mapping[Key, Series]:
        """Return the raw values in [start, end]; a series without values has no entry."""

    def names(self, start: datetime, end: datetime) -> Mapping[int, set[Name]]:
        """Return device → (metric, instance) of what may have values in [start, end]."""

    def bins(self, keys: Sequence[Key], start: datetime, end: datetime, step_s: int) -> Mapping[Key, Bins]:
        """Return bins of at least 300 s, from the 5-minute or the hourly tier, today's from raw values."""

    def last(
        self, now: datetime, devices: Iterable[int] | None = None, max_age_s: int = 150
    ) -> Mapping[int, tuple[Poll, Poll | None]]:
        """Return device → its newest poll that has values, and the one before, none older than `max_age_s`."""

    def newest(
        self, now: datetime, devices: Iterable[int] | None = None, max_age_s: int = 150
    ) -> Mapping[int, list[Poll]]:
        """Return device → polls in which each series has its newest value and no other, the newest poll first."""

    def top(
        self, metric: str, now: datetime, number: int = 20, max_age_s: int = 150
    ) -> list[tuple[Key, float]]:
        """Return the series of a counter with the highest rates now, per second."""

    def percentiles(
        self, keys: Sequence[Key], share: float, start: datetime, end: datetime
    ) -> Mapping[Key, Percentile]:
        """Return the nearest-rank percentile of each counter's 5-minute means."""

    def asked(
        self, start: datetime, end: datetime, devices: Iterable[int] | None = None
    ) -> Mapping[int, list[Asked]]:
        """Return device → when it was asked in the window, by time."""

    def last_asked(
        self, start: datetime, end: datetime, devices: Iterable[int] | None = None
    ) -> Mapping[int, tuple[datetime, datetime | None]]:
        """Return device → when it was asked last in the window, and when it answered last."""

    def availability(
        self, start: datetime, end: datetime, hold_s: float, devices: Iterable[int] | None = None
    ) -> Mapping[int, Availability]:
        """Return how long each device answered; an answer, or silence, holds to the next look, at most `hold_s`."""

    def runs(
        self, start: datetime, end: datetime, hold_s: float, devices: Iterable[int] | None = None
    ) -> "Array":
        """Return the looks as runs (monitor/tsdb/runs.py) that reach into the window, none over another."""

    def carried(
        self, keys: Sequence[Key], start: datetime, end: datetime
    ) -> "Iterator[tuple[Key, Array, Array, Array]]":
        """Yield of each counter its 5-minute bins whole in [start, end): when they begin, totals, known ms."""

    def maintain(self, now: datetime) -> None:
        """Do the housekeeping that is due: seal blocks, compact a day, remove what is too old."""


def polls_of(samples: Iterable[Sample], asked: Iterable[Asked] = ()) -> list[Poll]:
    """Gather samples and marks into polls, one for each device and time."""
    import numpy as np

    marks = {(a.device, ms_of(a.at)): a.answered for a in asked}
    found: dict[tuple[int, int], dict[Name, int]] = {key: {} for key in marks}
    for s in samples:
        found.setdefault((s.device, ms_of(s.at)), {}).setdefault((s.metric, s.instance), s.value)
    layouts: dict[tuple[Name, ...], Layout] = {}
    polls = []
    for key, values in found.items():
        columns = tuple(values)
        layout = layouts.setdefault(columns, Layout(columns)) if columns not in layouts else layouts[columns]
        row = np.array([signed(v) for v in values.values()], np.int64) if values else None
        polls.append(Poll(*key, layout, row, key in marks, marks.get(key, False)))
    return polls


def signed(value: int) -> int:
    """Return a counter of 64 bits as a signed number. 2^63 itself is the mark of a missing value: a gap, for once."""
    return value - 2**64 if value >= 2**63 else value


def ms_of(at: datetime) -> int:
    """Return a time as Unix milliseconds."""
    return round(as_utc(at).timestamp() * 1000)


def time_of(ms: int) -> datetime:
    """Return Unix milliseconds as a time."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def open_samples(home: Path) -> "EmbeddedStore":
    """Return the sample store of this home; samples of the first layout are brought into it."""
    from monitor.tsdb.legacy import migrate
    from monitor.tsdb.store import EmbeddedStore

    store = EmbeddedStore(home / "tsdb")
    migrate(home / "samples.db", store)
    return store
