"""Two availabilities of one line: what users met, and what the contract counts. Pure, whole milliseconds.

Users met every minute away, whatever its cause. Claimable of the provider is only a failure of the line that is longer
than the contract's threshold: power, our own devices and planned work are not its fault, and what is short is not
counted. Time in which nobody looked is in neither denominator.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from report.once import once
from report.questions import Period, Questions
from report.readings import shown
from report.records import Away, Contract, Day, Line

EXCUSED = ("power", "device", "planned", "behind")  # no fault of who provides the line


@dataclass(frozen=True)
class Two:
    """A line in a window. Both percentages have two decimals, as they are printed; None if nothing was watched."""

    window_ms: int
    observed_ms: int
    up_ms: int
    claimable_ms: int

    @property
    def users_pct(self) -> float | None:
        """What users met: nothing is taken off."""
        return shown(Fraction(100 * self.up_ms, self.observed_ms)) if self.observed_ms else None

    @property
    def sla_pct(self) -> float | None:
        """What the contract counts."""
        counted = self.observed_ms - self.claimable_ms
        return shown(Fraction(100 * counted, self.observed_ms)) if self.observed_ms else None


def is_claimable(ms: int, cause: str, claim_after_s: int) -> bool:
    """Tell whether a time away is the provider's fault, and longer than what is let pass."""
    return cause not in EXCUSED and ms > claim_after_s * 1000


@dataclass(frozen=True)
class LineMonth:
    """A line under a contract, in the part of a month that lies in the period."""

    line: Line
    contract: Contract
    month: date
    two: Two


@once
def line_months(ask: Questions, claim_after_s: int) -> list[LineMonth]:
    """Return every line with a contract in every month of the period; `claim_after_s` where the contract says none."""
    contracts = {c.name: c for c in ask.every(Contract) or ()}
    bounds = _bounds(ask.period)
    away: dict[str, list[Away]] = {}
    for one in ask.every(Away) or ():
        away.setdefault(one.line, []).append(one)
    days = _months(ask.every(Day) or ())
    found = []
    for line in ask.every(Line) or ():
        contract = contracts.get(line.contract)
        if contract is not None and line.name in days:
            after_s = contract.claim_after_s if contract.claim_after_s is not None else claim_after_s
            claimable = _claimable(away.get(line.name, ()), bounds, after_s)
            for month, sums in sorted(days[line.name].items()):
                found.append(LineMonth(line, contract, month, Two(*sums, claimable.get(month, 0))))
    return found


Bounds = list[tuple[date, datetime, datetime]]


def _bounds(period: Period) -> Bounds:
    """Return the months of a period, with when each begins and ends in it."""
    months: dict[date, tuple[datetime, datetime]] = {}
    for day, start, end in period.days():
        month = day.replace(day=1)
        months[month] = (months[month][0] if month in months else start, end)
    return [(month, start, end) for month, (start, end) in months.items()]


def _months(days: Iterable[Day]) -> Mapping[str, dict[date, tuple[int, int, int]]]:
    found: dict[str, dict[date, tuple[int, int, int]]] = {}
    for d in days:
        months, month = found.setdefault(d.line, {}), d.day.replace(day=1)
        window, observed, up = months.get(month, (0, 0, 0))
        months[month] = (window + d.window_ms, observed + d.observed_ms, up + d.up_ms)
    return found


def _claimable(some: Iterable[Away], bounds: Bounds, after_s: int) -> Mapping[date, int]:
    """Return the claimable milliseconds of each month; a time away counts if it is long enough as a whole."""
    found: dict[date, int] = {}
    for one in some:
        if is_claimable(one.ms, one.cause, after_s):
            for month, start, end in bounds:
                if one.start < end and one.end > start:
                    inside = min(one.end, end) - max(one.start, start)
                    found[month] = found.get(month, 0) + round(inside.total_seconds() * 1000)
    return found
