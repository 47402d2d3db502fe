"""What lines carried and how well: from 5-minute bins, some lines at a time, so that a quarter fits in memory."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from monitor.bandwidth import measured
from monitor.intervals import Array
from monitor.lines import Line as Bought
from monitor.samples import ms_of
from monitor.usage import LEAST_BINS, STEP_MS, Carried, nearest_rank
from report.asked.source import Source
from report.records import Load, Quality
from report.week import WEEK_MIN, minutes

AT_ONCE = 25
_THURSDAY_MIN = 3 * 24 * 60  # the epoch was one


Named = tuple[str, Bought]


def parts(lines: Sequence[Named], many: int = AT_ONCE) -> Iterator[Sequence[Named]]:
    """Yield the lines in parts."""
    yield from (lines[i : i + many] for i in range(0, len(lines), many))


class ServiceTime:
    """Which moments of the period lie in the hours of service."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._last: tuple[Array, NDArray[np.bool_]] | None = None

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
        """Tell of each moment whether it lies in the hours of service; lines without a gap share their moments."""
        if self._last is None or self._last[0] is not at_ms:
            self._last = (at_ms, self._held(at_ms))
        return self._last[1]

    def _held(self, at_ms: Array) -> NDArray[np.bool_]:
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
        since, until = source.period.since, source.period.until
        kept = measured(source.samples, [line for _, line in some], since, until, source.series)
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
        sha256=_sha256([(c.at_ms, c.bps, c.known_ms) for c in both]),
    )


def _p95(some: Carried | None, mask: NDArray[np.bool_] | None = None) -> int | None:
    if some is None:
        return None
    bps = some.bps if mask is None else some.bps[mask]
    return round(nearest_rank(bps, 0.95)) if len(bps) >= LEAST_BINS else None


def _peak(some: Carried | None) -> int | None:
    return round(float(some.bps.max())) if some is not None and len(some.bps) else None


def _sha256(bins: Sequence[tuple[Array, NDArray[np.generic], Array]]) -> str:
    """Return the hash of bins: when, what, weight.

    Moments and weights go by rule for days on end, and are hashed by where they begin to go otherwise: half the work.
    """
    digest = hashlib.sha256()
    for at_ms, values, weight in bins:
        digest.update(_turns(np.diff(at_ms, prepend=0)))
        digest.update(np.ascontiguousarray(values).tobytes())
        digest.update(_turns(weight))
    return digest.hexdigest()


def _turns(values: Array) -> bytes:
    """Return where values become others, and which; with how many there are, that tells them all."""
    first = np.flatnonzero(np.diff(values, prepend=~values[:1]))
    return b"".join((len(values).to_bytes(8, "little"), first.tobytes(), values[first].tobytes()))


def quality(source: Source) -> Iterator[Quality]:
    """Yield delay and loss to each line's device of which anything is known, by name."""
    told = [(name, line) for name, line in source.lines if line.device_id is not None]
    found = [q for some in parts(told, 2 * AT_ONCE) for q in _qualities(source, some)]
    yield from sorted(found, key=lambda q: q.line)


def _qualities(source: Source, some: Sequence[Named]) -> Iterator[Quality]:
    keys = [(line.device_id or 0, metric, "") for _, line in some for metric in ("rtt", "loss")]
    there = [k for k in keys if k[1:] in source.series.get(k[0], ())]
    # Of a gauge a bin's total and weight are the sum and the number of its values.
    found = {
        key: bins for key, *bins in source.samples.carried(there, source.period.since, source.period.until)
    }
    for name, line in some:
        rtt, loss = (found.get((line.device_id or 0, metric, "")) for metric in ("rtt", "loss"))
        if rtt is not None or loss is not None:
            yield _quality(source, name, rtt, loss)


def _quality(source: Source, name: str, rtt: Sequence[Array] | None, loss: Sequence[Array] | None) -> Quality:
    means = rtt[1] / rtt[2] if rtt is not None else np.empty(0)
    both = [b for b in (rtt, loss) if b is not None]
    return Quality(
        line=name,
        bins=max(len(b[0]) for b in both),
        window_bins=source.period.ms // STEP_MS,
        rtt_p95_ms=round(nearest_rank(means, 0.95) / 1000, 3) if len(means) >= LEAST_BINS else None,
        loss_pct=round(int(loss[1].sum()) / int(loss[2].sum()) / 100, 3) if loss is not None else None,
        sha256=_sha256([(b[0], b[1], b[2]) for b in both]),
    )


ANSWERS = {Load: loads, Quality: quality}
