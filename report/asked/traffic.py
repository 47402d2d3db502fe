"""What lines carried and how well: from 5-minute bins, some lines at a time, so that a quarter fits in memory."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from monitor.bandwidth import measured
from monitor.intervals import Array
from monitor.lines import Line as Bought
from monitor.samples import Bins, ms_of
from monitor.usage import LEAST_BINS, STEP_MS, Carried, nearest_rank
from report.asked.source import Source
from report.records import Load, Quality
from report.week import WEEK_MIN, minutes

AT_ONCE = 50
_THURSDAY_MIN = 3 * 24 * 60  # the epoch was one


Named = tuple[str, Bought]


def parts(lines: Sequence[Named]) -> Iterator[Sequence[Named]]:
    """Yield the lines in parts."""
    yield from (lines[i : i + AT_ONCE] for i in range(0, len(lines), AT_ONCE))


@dataclass(frozen=True)
class ServiceTime:
    """Which moments of the period lie in the hours of service."""

    source: Source

    @cached_property
    def week(self) -> NDArray[np.bool_]:
        """The minutes of a week that are service, from Monday 00.00."""
        found = np.zeros(WEEK_MIN, bool)
        found[sorted(minutes(self.source.limits.service_hours) or ())] = True
        return found

    @cached_property
    def offsets(self) -> tuple[Array, Array]:
        """When each day begins (Unix ms), and how many minutes its clocks are before UTC."""
        from zoneinfo import ZoneInfo

        zone = ZoneInfo(self.source.period.zone)
        rows = []
        for _, start, _ in self.source.period.days():
            offset = start.astimezone(zone).utcoffset()
            assert offset is not None
            rows.append((ms_of(start), round(offset.total_seconds() / 60)))
        table = np.array(rows, np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def holds(self, at_ms: Array) -> NDArray[np.bool_]:
        """Tell of each moment whether it lies in the hours of service."""
        begins, offset = self.offsets
        place = np.clip(np.searchsorted(begins, at_ms, side="right") - 1, 0, None)
        local = at_ms // 60_000 + offset[place] + _THURSDAY_MIN
        found: NDArray[np.bool_] = self.week[local % WEEK_MIN]
        return found


def loads(source: Source) -> Iterator[Load]:
    """Yield what each line carried of which anything is known, by name."""
    service = ServiceTime(source)
    found = []
    for some in parts(source.lines):
        kept = measured(source.samples, [line for _, line in some], source.period.since, source.period.until)
        found += [_load(source, service, name, *kept[line]) for name, line in some if line in kept]
    yield from sorted(found, key=lambda one: one.line)


def _load(source: Source, service: ServiceTime, name: str, down: Carried | None, up: Carried | None) -> Load:
    both = [c for c in (down, up) if c is not None]
    busy = [service.holds(c.at_ms) if c is not None else None for c in (down, up)]
    return Load(
        line=name,
        bins=max(len(c.bps) for c in both),
        window_bins=source.period.ms // STEP_MS,
        p95_down_bps=_p95(down),
        p95_up_bps=_p95(up),
        busy_bins=max(int(b.sum()) for b in busy if b is not None),
        busy_p95_down_bps=_p95(down, busy[0]),
        busy_p95_up_bps=_p95(up, busy[1]),
        peak_down_bps=_peak(down),
        peak_up_bps=_peak(up),
        sha256=_sha256([a for c in both for a in (c.at_ms, c.bps, c.known_ms)]),
    )


def _p95(some: Carried | None, mask: NDArray[np.bool_] | None = None) -> int | None:
    if some is None:
        return None
    bps = some.bps if mask is None else some.bps[mask]
    return round(nearest_rank(bps, 0.95)) if len(bps) >= LEAST_BINS else None


def _peak(some: Carried | None) -> int | None:
    return round(float(some.bps.max())) if some is not None and len(some.bps) else None


def _sha256(arrays: Sequence[NDArray[np.generic]]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def quality(source: Source) -> Iterator[Quality]:
    """Yield delay and loss to each line's device of which anything is known, by name."""
    told = [(name, line) for name, line in source.lines if line.device_id is not None]
    found = [q for some in parts(told) for q in _qualities(source, some)]
    yield from sorted(found, key=lambda q: q.line)


def _qualities(source: Source, some: Sequence[Named]) -> Iterator[Quality]:
    keys = [(line.device_id or 0, metric, "") for _, line in some for metric in ("rtt", "loss")]
    bins = source.samples.bins(keys, source.period.since, source.period.until, STEP_MS // 1000)
    for name, line in some:
        rtt, loss = (bins.get((line.device_id or 0, metric, "")) for metric in ("rtt", "loss"))
        if rtt is not None or loss is not None:
            yield _quality(source, name, rtt, loss)


def _quality(source: Source, name: str, rtt: Bins | None, loss: Bins | None) -> Quality:
    means = rtt.means() if rtt is not None else np.empty(0)
    both = [b for b in (rtt, loss) if b is not None]
    return Quality(
        line=name,
        bins=max(len(b.at_ms) for b in both),
        window_bins=source.period.ms // STEP_MS,
        rtt_p95_ms=round(nearest_rank(means, 0.95) / 1000, 3) if len(means) >= LEAST_BINS else None,
        loss_pct=round(int(loss.total.sum()) / int(loss.weight.sum()) / 100, 3) if loss is not None else None,
        sha256=_sha256([a for b in both for a in (b.at_ms, b.total, b.weight)]),
    )


ANSWERS = {Load: loads, Quality: quality}
