"""Bins and percentiles over days and months: from the tiers, and from raw values where there is no file yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.samples import MISSING, Bins, Key, Layout, Name, Percentile
from monitor.tsdb import codec, pieces, tiers
from monitor.tsdb.catalog import begins_ms
from monitor.tsdb.compact import BINS
from monitor.tsdb.days import FIVE, HOURLY, DayFile
from monitor.tsdb.faults import Damage, told_of
from monitor.tsdb.groups import Plan, counted
from monitor.tsdb.head import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from monitor.tsdb.store import EmbeddedStore

Array = NDArray[np.int64]
_LONG_MS = 100 * DAY_MS
_AT_ONCE = 1000  # series of a month: 140 MB
_FEW = 200  # below 32 MB the allocator gives the same memory again, which need not be cleared by the system


def bins(
    store: "EmbeddedStore", keys: Sequence[Key], start_ms: int, end_ms: int, step_s: int
) -> Mapping[Key, Bins]:
    """Return the bins of each series whose beginnings lie in [start, end), those without a value left out."""
    if step_s % 300 or (86_400 % step_s and step_s % 86_400):
        raise ValueError(f"{step_s} s is no step: it is a multiple of 300 that divides a day, or whole days")
    tier = FIVE if step_s % 3600 else HOURLY
    first, last = start_ms // DAY_MS, (end_ms - 1) // DAY_MS
    found = {}
    for key, dense in _dense(store, list(dict.fromkeys(keys)), first, last, tier).items():
        whole = _folded(dense, counted(key[1]), step_s * 1000 * BINS[tier] // DAY_MS)
        at = first * DAY_MS + np.arange(whole.shape[1]) * (step_s * 1000)
        keep = (whole[tiers.WEIGHT] > 0) & (at > start_ms - step_s * 1000) & (at < end_ms)
        if keep.any():
            found[key] = Bins(step_s, counted(key[1]), at[keep], *whole[:, keep])
    return found


def _folded(dense: Array, counter: bool, factor: int) -> Array:
    spare = -dense.shape[1] % factor
    padded = np.pad(dense, ((0, 0), (0, spare)), constant_values=MISSING)
    whole: Array = tiers.folded(padded[None], np.array([counter]), factor)[0]
    return whole


def percentiles(
    store: "EmbeddedStore", keys: Sequence[Key], share: float, start_ms: int, end_ms: int
) -> Mapping[Key, Percentile]:
    """Return the nearest-rank percentile of each series' 5-minute means (ceil(share × n), as providers bill)."""
    first, last = start_ms // DAY_MS, (end_ms - 1) // DAY_MS
    inside = slice(-(-(start_ms - first * DAY_MS) // 300_000), (end_ms - first * DAY_MS) // 300_000)
    found = {}
    unique = list(dict.fromkeys(keys))
    parts = (unique[i : i + _AT_ONCE] for i in range(0, len(unique), _AT_ONCE))
    for key, dense in (pair for part in parts for pair in _dense(store, part, first, last, FIVE, 1).items()):
        total, weight = dense[0, inside], dense[1, inside]
        known = weight > 0
        means = total[known] * 1000 / weight[known]
        if len(means):
            rank = max(1, -(-round(share * 1_000_000) * len(means) // 1_000_000))
            place = min(rank, len(means)) - 1
            found[key] = Percentile(float(np.partition(means, place)[place]), len(means))
    return found


def carried(
    store: "EmbeddedStore", keys: Sequence[Key], start_ms: int, end_ms: int
) -> Iterator[tuple[Key, Array, Array, Array]]:
    """Yield (key, begins, totals, known milliseconds) of the 5-minute bins that lie whole in [start, end)."""
    unique = list(dict.fromkeys(keys))
    long = end_ms - start_ms > _LONG_MS
    if long:
        first_ms = begins_ms(store)
        start_ms = end_ms if first_ms is None else max(start_ms, first_ms)
    for i in range(0, len(unique), _FEW):
        part = unique[i : i + _FEW]
        if not long:
            yield from _carried(store, part, start_ms, end_ms)
            continue
        found: dict[Key, list[tuple[Array, ...]]] = {}
        for begin_ms, until_ms in _stretches(start_ms, end_ms):
            for key, *columns in _carried(store, part, begin_ms, until_ms):
                found.setdefault(key, []).append(tuple(columns))
        for key, some in found.items():
            at, total, weight = (np.concatenate(column) for column in zip(*some, strict=True))
            yield key, at, total, weight


def _stretches(start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    """Yield a long window in parts that end with a day: every bin of all of it at once might not fit into memory."""
    while start_ms < end_ms:
        until_ms = min(end_ms, (start_ms + _LONG_MS) // DAY_MS * DAY_MS)
        yield start_ms, until_ms
        start_ms = until_ms


def _carried(
    store: "EmbeddedStore", keys: Sequence[Key], start_ms: int, end_ms: int
) -> Iterator[tuple[Key, Array, Array, Array]]:
    first, last = start_ms // DAY_MS, (end_ms - 1) // DAY_MS
    inside = slice(-(-(start_ms - first * DAY_MS) // 300_000), (end_ms - first * DAY_MS) // 300_000)
    at = first * DAY_MS + 300_000 * np.arange((last - first + 1) * BINS[FIVE], dtype=np.int64)[inside]
    for key, dense in _dense(store, keys, first, last, FIVE, 1).items():
        total, weight = dense[0, inside], dense[1, inside]
        known = weight > 0
        if known.all():
            yield key, at, total, weight
        elif known.any():
            yield key, at[known], total[known], weight[known]


def _dense(
    store: "EmbeddedStore", keys: Sequence[Key], first: int, last: int, tier: str, parts: int = 2
) -> dict[Key, Array]:
    """Return total, weight (and low and high, with `parts` 2) of each series, for every bin of these days."""
    width = BINS[tier]
    dense = np.full((len(keys), 2 * parts, (last - first + 1) * width), MISSING)
    wanted = _Wanted(keys, parts)
    filed = set()
    for day, file in store.shelves[tier].between(first, last):
        filed.add(day)
        begin = (day - first) * width
        with told_of(file.path, day * DAY_MS, store.told):
            wanted.read(store, file, day, dense[:, :, begin : begin + width])
    for begin, end in _gaps(first, last, filed):
        for i, key in enumerate(keys):
            computed = _from_raw(store, key, begin, end, tier)
            if computed is not None:
                at = (begin - first) * width
                dense[i, :, at : at + computed.shape[1]] = computed[: 2 * parts]
    return dict(zip(keys, dense, strict=True))


class _Wanted:
    """Which blocks of a day file hold some series; the same for every day on which a device has the same layout."""

    def __init__(self, keys: Sequence[Key], parts: int) -> None:
        self.parts = parts
        self.numbers: dict[int, dict[Name, int]] = {}
        for i, (device, metric, instance) in enumerate(keys):
            self.numbers.setdefault(device, {})[metric, instance] = i
        self._known: dict[tuple[int, int], list[_Blocks]] = {}

    def read(self, store: "EmbeddedStore", file: DayFile, day: int, dense: Array) -> None:
        """Put a day's bins into series × rows × bins."""
        plans = file.plans(self.numbers.keys())
        asked = [
            (device, number, part, some)
            for device in self.numbers
            for some in self._blocks(device, plans.get(device))
            for part, number in enumerate(some.blocks)
        ]
        blocks = file.some_blocks([(device, number) for device, number, _, _ in asked])
        for places, values in codec.decode_alike(blocks, [some.rows for *_, some in asked]):
            if isinstance(values, codec.DamagedError):
                store.told(Damage(file.path, asked[places[0]][0], day * DAY_MS, f"{values}"))
                continue
            numbers = np.array([asked[i][3].numbers for i in places])
            rows = np.repeat([2 * asked[i][2] for i in places], numbers.shape[1])[:, None] + np.arange(2)
            dense[numbers.reshape(-1, 1), rows] = values.reshape(*rows.shape, -1)

    def _blocks(self, device: int, plan: Plan | None) -> "list[_Blocks]":
        if plan is None:
            return []
        key = (device, plan.layout.id)
        if key not in self._known:
            found: dict[int, list[tuple[int, int]]] = {}
            for name, number in self.numbers[device].items():
                if name in plan.in_groups:
                    group, row = plan.in_groups[name]
                    found.setdefault(group, []).append((row, number))
            self._known[key] = [self._of(plan, group, members) for group, members in found.items()]
        return self._known[key]

    def _of(self, plan: Plan, group: int, members: list[tuple[int, int]]) -> "_Blocks":
        size = len(plan.groups[group].columns)
        return _Blocks(
            tuple(2 * group + part for part in range(self.parts)),
            tuple(r for row, _ in members for r in (row, row + size)),
            tuple(number for _, number in members),
        )


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Blocks of one group, the rows wanted of them (two for each series), and the numbers of the series."""

    blocks: tuple[int, ...]
    rows: tuple[int, ...]
    numbers: tuple[int, ...]


def _gaps(first: int, last: int, filed: set[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last of each stretch of days without a file."""
    begin = None
    for day in range(first, last + 2):
        if day <= last and day not in filed:
            begin = day if begin is None else begin
        elif begin is not None:
            yield begin, day - 1
            begin = None


def _from_raw(store: "EmbeddedStore", key: Key, begin: int, end: int, tier: str) -> Array | None:
    """Return 4 × bins of these days, computed from raw values as compaction would."""
    device, metric, instance = key
    names: list[Name] = [(metric, instance)]
    if counted(metric):
        names += [("discontinuity", instance), ("speed", instance), ("uptime", "")]
    start_ms, end_ms = begin * DAY_MS, (end + 1) * DAY_MS
    some = store.pieces(device, names, start_ms - HOUR_MS, end_ms + HOUR_MS)
    columns = [pieces.series(some, name, 0, 2**62) for name in names]
    times = columns[0][0]
    if not len(times):
        return None
    values = np.stack([_laid(times, at, some) for at, some in columns])
    count = (end - begin + 1) * BINS[FIVE]
    found = tiers.binned(Plan(Layout(tuple(names))), times, values, start_ms, count)[:1]
    whole: Array = (found if tier == FIVE else tiers.folded(found, np.array([counted(metric)]), 12))[0]
    return whole


def _laid(times: Array, at: Array, values: Array) -> Array:
    """Return values at these times, `MISSING` where there is none."""
    if not len(at):
        return np.full(len(times), MISSING)
    place = np.minimum(np.searchsorted(at, times), len(at) - 1)
    return np.where(at[place] == times, values[place], MISSING)
