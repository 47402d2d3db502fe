"""What a provider owes for a period: each line measured against its contract, outage by outage, with its evidence.

The seconds are those of `siaga availability`, one computation for both; the causes are those of the outages recorded.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, or_, select

from inventory.models import Contract, Provider
from inventory.models_people import Outage
from monitor.availability import NOT_OURS, Reach, Window, look
from monitor.bandwidth import measured
from monitor.lines import Line, bought
from monitor.models import StateChange
from monitor.samples import SampleStore, ms_of, time_of
from monitor.uptimes import Kind, Parts, Stretch, per_device, stretches
from monitor.usage import Load, load
from report.penalty import Rule, amount, monthly, rule
from siaga.clock import JAKARTA
from siaga.errors import NotFoundError
from siaga.text import safe

LEAD = timedelta(days=7)  # an outage is looked at as a whole, also before and after the period
_AWAY = (Kind.down, Kind.excused)


@dataclass(frozen=True)
class Event:
    """One outage of a line. `seconds`: in the period; `whole_s`: altogether; `end` None: it goes on.

    `claimable_ms` is what of it counts; `why` says it where it does not: short, excused.
    """

    start: datetime
    end: datetime | None
    seconds: float
    whole_s: float
    cause: str
    outage: str
    claimable_ms: int
    why: str
    changes: tuple[int, ...]
    silent_looks: int


@dataclass(frozen=True)
class LineClaim:
    """A line in the period, against its contract."""

    line: Line
    parts: Parts
    down: Load
    up: Load
    events: tuple[Event, ...]
    amount_idr: int | None

    @property
    def claimable_ms(self) -> int:
        """How much of the period is claimable."""
        return sum(e.claimable_ms for e in self.events)


@dataclass(frozen=True)
class ContractClaim:
    """A contract with its lines. `rule` None: nothing is written, or what is written cannot be computed."""

    contract: Contract
    rule: Rule | None
    monthly_idr: Fraction | None
    lines: tuple[LineClaim, ...]

    @property
    def amount_idr(self) -> int | None:
        """What is claimed, whole rupiah; None where it cannot be computed."""
        sums = [k.amount_idr for k in self.lines]
        known = [s for s in sums if s is not None]
        return sum(known) if len(known) == len(sums) else None

    @property
    def sla_pct(self) -> float | None:
        """The availability of all its lines together, as the contract counts it."""
        up = sum(k.parts.of(Kind.up) for k in self.lines)
        all_s = sum(k.parts.sla_s for k in self.lines)
        return 100 * up / all_s if all_s else None


@dataclass(frozen=True)
class Claim:
    """What is claimed of a provider for [start, end)."""

    provider: Provider
    start: datetime
    end: datetime
    contracts: tuple[ContractClaim, ...]
    mute: int  # lines without a device that could tell
    idle: tuple[str, ...] = ()  # contracts that did not run in this time

    @property
    def claimable_ms(self) -> int:
        """All that is claimable."""
        return sum(k.claimable_ms for c in self.contracts for k in c.lines)

    @property
    def amount_idr(self) -> int:
        """The sum of what can be computed."""
        return sum(c.amount_idr or 0 for c in self.contracts)


def claim(
    session: Session,
    samples: SampleStore,
    provider: str,
    window: Window,
    now: datetime,
    *,
    evidence: bool = True,
    zone: str = JAKARTA,
) -> Claim:
    """Measure all lines of a provider. Raises NotFoundError (`no-such-provider`, `nothing-bought`).

    A contract is measured on the days of its term, by `zone`; one that has none in the window is left out.
    Without `evidence` no look and no change is counted and no traffic read: sums of many lines need times alone.
    """
    row = session.exec(select(Provider).where(Provider.name == provider)).first()
    if row is None:
        raise NotFoundError("no-such-provider", f"There is no provider called '{safe(provider, 80)}'.")
    some = bought(session, provider, window.end.date())
    told = [k for k in some if k.device_id is not None]
    if not told:
        sentence = f"No connection or link of '{safe(provider, 80)}' has a device that could tell of it."
        raise NotFoundError("nothing-bought", sentence)
    contracts = {c.id: c for c in session.exec(select(Contract))}
    lines: dict[int | None, list[Line]] = {}
    for k in told:
        lines.setdefault(k.contract_id, []).append(k)
    spans = {i: span for i in lines if (span := term(contracts[i], window, zone)) is not None}
    idle = tuple(sorted(contracts[i].name for i in lines.keys() - spans.keys()))
    if not spans:
        sentence = (
            f"No contract of '{safe(provider, 80)}' ran in this time: {safe(', '.join(idle), 200)} did not."
        )
        raise NotFoundError("nothing-bought", sentence)
    facts = {}
    for span in set(spans.values()):
        within = [k for i, own in spans.items() if own == span for k in lines[i]]
        facts[span] = _Facts(session, samples, within, span, window.ms, now, evidence=evidence)
    found = [
        _contract(contracts[i], lines[i], facts[spans[i]])
        for i in sorted(spans, key=lambda i: contracts[i].name)
    ]
    mute = sum(k.device_id is None for k in some)
    return Claim(row, window.start, window.end, tuple(found), mute, idle)


def term(contract: Contract, window: Window, zone: str) -> Window | None:
    """Return the part of a window that lies in a contract's term; None if it has no day there."""
    start, end = window.start, window.end
    if contract.start is not None:
        start = max(start, _midnight(contract.start, zone))
    if contract.end is not None:
        end = min(end, _midnight(contract.end + timedelta(days=1), zone))
    return replace(window, start=start, end=end) if start < end else None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _contract(contract: Contract, lines: Sequence[Line], facts: "_Facts") -> ContractClaim:
    known = rule(contract.penalty)
    fee = monthly(contract.price_idr, contract.start, contract.end)
    each = fee if fee is None or (known and known.per_line) else fee / len(lines)
    claims = [facts.line(k, contract, known, each) for k in lines]
    return ContractClaim(contract, known, fee, tuple(claims))


class _Facts:
    """What was measured of some lines in a window, read once; `month_ms`: the whole period that a fee is for."""

    def __init__(
        self,
        session: Session,
        samples: SampleStore,
        lines: Sequence[Line],
        window: Window,
        month_ms: tuple[int, int],
        now: datetime,
        *,
        evidence: bool,
    ) -> None:
        self._month_ms = month_ms[1] - month_ms[0]
        self.samples = samples if evidence else None
        self.window = window
        devices = sorted({k.device_id for k in lines if k.device_id is not None})
        self.parts = per_device(look(session, samples, devices, window))
        wide = Window(window.start - LEAD, max(window.end, min(window.end + LEAD, now)), window.hold_s)
        self.away: dict[int, list[Stretch]] = {}
        for one in stretches(look(session, samples, devices, wide), _AWAY):
            self.away.setdefault(one.device, []).append(one)
        self.carried = measured(samples, lines, window.start, window.end) if evidence else {}
        self.outages = recorded(session, wide)
        self.changes = _changes(session, devices, wide) if evidence else {}

    def line(self, line: Line, contract: Contract, known: Rule | None, fee: Fraction | None) -> LineClaim:
        """Return one line against its contract."""
        start_ms, end_ms = self.window.ms
        device = line.device_id or 0
        away = self.away.get(device, ())
        inside = [s for s in away if s.start_ms < end_ms and s.end_ms > start_ms]
        events = tuple(self._event(s, contract) for s in inside)
        parts = self.parts[device]
        claimable = sum(e.claimable_ms for e in events)
        due = None
        if known is not None and fee is not None:
            due = int(amount(known, fee, claimable, self._month_ms, parts.sla_pct))
        down, up = self.carried.get(line, (None, None))
        return LineClaim(line, parts, load(down, start_ms, end_ms), load(up, start_ms, end_ms), events, due)

    def _event(self, away: Stretch, contract: Contract) -> Event:
        start_ms, end_ms = self.window.ms
        inside_ms = min(away.end_ms, end_ms) - max(away.start_ms, start_ms)
        recorded = self._recorded(away)
        excused_ms = self._excused(away)
        long = away.seconds > (contract.claim_after_s or 0)
        claimable = inside_ms - excused_ms if long else 0
        why = "" if claimable else "short" if not long else "excused"
        changes = [i for i, at in self.changes.get(away.device, ()) if self._near(at, away)]
        return Event(
            start=time_of(away.start_ms),
            end=None if away.open else time_of(away.end_ms),
            seconds=inside_ms / 1000,
            whole_s=away.seconds,
            cause=recorded.cause if recorded else "",
            outage=safe(recorded.name) if recorded else "",
            claimable_ms=claimable,
            why=why,
            changes=tuple(changes),
            silent_looks=self._silent(away),
        )

    def _near(self, at_ms: int, away: Stretch) -> bool:
        slack = round(self.window.hold_s * 1000)
        return away.start_ms <= at_ms <= away.end_ms + slack

    def _recorded(self, away: Stretch) -> Outage | None:
        """Return the outage that covers most of it."""
        found = [(o, n) for o, devices in self.outages if away.device in devices and (n := shared(o, away))]
        return max(found, key=lambda pair: (pair[1], pair[0].name))[0] if found else None

    def _excused(self, away: Stretch) -> int:
        """Return how many milliseconds in the period are by a cause that is no fault of the provider."""
        start_ms, end_ms = self.window.ms
        spans = sorted(
            (max(ms_of(o.start), away.start_ms, start_ms), min(_end(o, away), away.end_ms, end_ms))
            for o, devices in self.outages
            if o.cause in NOT_OURS and away.device in devices
        )
        covered, reached = 0, start_ms
        for begin, end in spans:
            covered += max(0, end - max(begin, reached))
            reached = max(reached, end)
        return covered

    def _silent(self, away: Stretch) -> int:
        if self.samples is None:
            return 0
        looks = self.samples.asked(time_of(away.start_ms), time_of(away.end_ms), [away.device])
        return sum(not a.answered for a in looks.get(away.device, ()))


def _end(outage: Outage, away: Stretch) -> int:
    return ms_of(outage.end) if outage.end is not None else away.end_ms


def shared(outage: Outage, away: Stretch) -> int:
    """Return for how many milliseconds of a time away an outage is recorded."""
    return max(0, min(_end(outage, away), away.end_ms) - max(ms_of(outage.start), away.start_ms))


def recorded(session: Session, window: Window) -> list[tuple[Outage, set[int]]]:
    """Return the outages that reach into a window, by name, each with the devices it is about."""
    open_ = or_(col(Outage.end).is_(None), col(Outage.end) > window.start)
    found = list(session.exec(select(Outage).where(Outage.start < window.end, open_).order_by(Outage.name)))
    reach = Reach(session, found, window)
    return [(o, reach.devices(o)) for o in found]


def _changes(session: Session, devices: Iterable[int], window: Window) -> Mapping[int, list[tuple[int, int]]]:
    query = select(StateChange.id, StateChange.device_id, StateChange.at).where(
        StateChange.at >= window.start, StateChange.at <= window.end
    )
    wanted = set(devices)
    found: dict[int, list[tuple[int, int]]] = {}
    for row, device, at in session.exec(query.order_by(col(StateChange.id))):
        if device in wanted:
            found.setdefault(device, []).append((row or 0, ms_of(at)))
    return found
