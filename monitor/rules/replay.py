"""What a rule would have done with what is stored: samples and changes of state, replayed. Nothing is written.

The same fold as the monitor's own (`verdict.step`) over the same values: what comes out is what it would have rung.
Of what is not kept as samples (words of sensors, own limits) nothing can be said.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from monitor.models import StateChange
from monitor.poller import rate_series
from monitor.rates import Count, increments
from monitor.rules.format import Rule
from monitor.rules.subjects import Committed
from monitor.rules.verdict import LONGEST_GAP_S, NOTHING, Value, step
from monitor.samples import SampleStore
from monitor.stored import instances, points
from siaga.errors import InvalidError

History = Iterable[tuple[datetime, Value]]
# (class, measure) → the metric that it is kept as, and how many of its units make one.
_GAUGES: Mapping[tuple[str, str], tuple[str, int]] = {
    ("device", "cpu_pct"): ("cpu", 100),
    ("device", "uptime_s"): ("uptime", 100),
    ("memory", "used_pct"): ("memory", 100),
}
_COUNTED = {
    "errors_per_min": ("in_errors", "out_errors"),
    "discards_per_min": ("in_discards", "out_discards"),
}
_KEPT = {("device", "state"), ("sensor", "value"), ("connection", "used_pct"), ("link", "bps")}
_THOUSANDTHS = 1000


@dataclass(frozen=True)
class Ring:
    """Once that a rule would have rung: from when, how gravely in the end, until when (None: it still would)."""

    device: int
    subject: str
    severity: str
    start: datetime
    end: datetime | None


def rings(
    device: int, subject: str, rule: Rule, history: History, gap_s: float = LONGEST_GAP_S
) -> Iterator[Ring]:
    """Yield when a rule would have rung for one subject. Pure."""
    memory, start, worst = NOTHING, None, ""
    for at, value in history:
        memory = step(rule, memory, value, at, gap_s)
        if memory.open and start is None:
            start = at
        worst = "critical" if "critical" in (worst, memory.open) else memory.open or worst
        if not memory.open and start is not None:
            yield Ring(device, subject, worst, start, at)
            start, worst = None, ""
    if start is not None:
        yield Ring(device, subject, worst, start, None)


@dataclass(frozen=True)
class Known:
    """What is needed to find the samples of a device: names of its interfaces, with their speed and contract."""

    speeds_bps: Mapping[str, int | None]
    committed: Mapping[str, Committed]
    links: Mapping[str, str]  # interface → the link there


def is_kept(rule: Rule) -> bool:
    """Tell whether what a rule looks at is kept, so that it can be replayed."""
    return (
        (rule.of, rule.measure) in _KEPT
        or (rule.of, rule.measure) in _GAUGES
        or (rule.of == "interface" and rule.measure in _COUNTED)
    )


def histories(
    session: Session,
    samples: SampleStore,
    rule: Rule,
    device: int,
    known: Known,
    since: datetime,
    until: datetime,
) -> Iterator[tuple[str, History]]:
    """Yield (subject, its values) of a rule's subjects on one device.

    Raises InvalidError (`not-kept`) for what no samples are kept of.
    """
    if (rule.of, rule.measure) == ("device", "state"):
        yield "", _states(session, rule, device, since, until)
    elif (rule.of, rule.measure) in _GAUGES:
        metric, scale = _GAUGES[rule.of, rule.measure]
        yield from _gauges(samples, device, metric, scale, since, until)
    elif (rule.of, rule.measure) == ("sensor", "value"):
        for metric in rule.where.get("class", ()):
            scale = 100 if metric == "temperature" else _THOUSANDTHS
            yield from _gauges(samples, device, metric, scale, since, until)
    elif rule.of == "interface" and rule.measure in _COUNTED:
        yield from _per_minute(samples, device, _COUNTED[rule.measure], list(known.speeds_bps), since, until)
    elif (rule.of, rule.measure) == ("connection", "used_pct"):
        yield from _used(samples, device, known, since, until)
    elif (rule.of, rule.measure) == ("link", "bps"):
        yield from _carried(samples, device, known, since, until)
    else:
        sentence = f"What '{rule.name}' looks at ({rule.of}, {rule.measure}) is not kept as samples: nothing to replay."
        raise InvalidError("not-kept", sentence)


def _states(session: Session, rule: Rule, device: int, since: datetime, until: datetime) -> History:
    """Yield the states from the last before the window on; where a rule waits, also while they last."""
    query = select(StateChange).where(StateChange.device_id == device, StateChange.at <= until)
    changes = list(session.exec(query.order_by(col(StateChange.at), col(StateChange.id))))
    chosen = [*[c for c in changes if c.at <= since][-1:], *(c for c in changes if c.at > since)]
    ends = [c.at for c in chosen[1:]] + [until]
    for change, end in zip(chosen, ends, strict=False):
        seen = None if change.after in ("not observed", "maintenance") else change.after
        yield from ((at, seen) for at in _moments(rule, max(change.at, since), end))


def _moments(rule: Rule, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield when a state that lasts is looked at: by its rule's waits to the second, else as seldom as is allowed."""
    yield begin
    waits = [begin + timedelta(seconds=wait_s) for wait_s in {rule.for_s, rule.clear_for_s} if wait_s]
    at, tick = begin, timedelta(seconds=LONGEST_GAP_S)
    while waits and (at := min([at + tick, *(wait for wait in waits if wait > at)])) < end:
        yield at


def _gauges(
    samples: SampleStore, device: int, metric: str, scale: int, since: datetime, until: datetime
) -> Iterator[tuple[str, History]]:
    keys = [(device, metric, i) for i in instances(samples, device, metric, since, until)]
    for key, values in sorted(points(samples, keys, since, until).items()):
        yield key[2], [(at, value / scale) for at, value in values]


def _per_minute(
    samples: SampleStore,
    device: int,
    metrics: Sequence[str],
    names: Sequence[str],
    since: datetime,
    until: datetime,
) -> Iterator[tuple[str, History]]:
    keys = [(device, m, n) for m in metrics for n in names]
    series = points(samples, [*keys, (device, "uptime", "")], since, until)
    uptimes = {at: value / 100 for at, value in series.get((device, "uptime", ""), ())}
    for name in names:
        sums: dict[datetime, float] = {}
        for metric in metrics:
            counts = [Count(at, v, uptimes.get(at)) for at, v in series.get((device, metric, name), ())]
            for one in increments(counts, bits=64, speed_bps=None):
                if one.per_second is not None:
                    sums[one.end] = sums.get(one.end, 0.0) + one.per_second * 60
        if sums:
            yield name, sorted(sums.items())


def _used(
    samples: SampleStore, device: int, known: Known, since: datetime, until: datetime
) -> Iterator[tuple[str, History]]:
    names = [n for n in known.committed if n in known.speeds_bps]
    series = rate_series(samples, device, names, known.speeds_bps, since, until)
    for name, pair in series.items():
        promised = known.committed[name]
        limits = (promised.down_bps, promised.up_bps)
        for direction, series_, limit in zip(("in", "out"), pair, limits, strict=True):
            if limit:
                yield f"{name} {direction}", [(at, bps * 100 / limit) for at, bps in series_]


def _carried(
    samples: SampleStore, device: int, known: Known, since: datetime, until: datetime
) -> Iterator[tuple[str, History]]:
    series = rate_series(samples, device, list(known.links), known.speeds_bps, since, until)
    for name, pair in series.items():
        busier: dict[datetime, float] = {}
        for at, bps in [*pair[0], *pair[1]]:
            busier[at] = max(busier.get(at, 0.0), bps)
        yield known.links[name], sorted(busier.items())
