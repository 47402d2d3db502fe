"""Two availabilities of one line: what users met, and what the contract counts. Pure, whole milliseconds.

Users met every minute away, whatever its cause. Claimable of the provider is only a failure of the line that is longer
than the contract's threshold: power, our own devices and planned work are not its fault, and what is short is not
counted. Time in which nobody looked is in neither denominator.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

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


def two(
    window_ms: int, observed_ms: int, up_ms: int, away: Iterable[tuple[int, str]], claim_after_s: int
) -> Two:
    """Return both availabilities; `away` are (milliseconds, cause) of every unbroken time away."""
    claimable = sum(ms for ms, cause in away if is_claimable(ms, cause, claim_after_s))
    return Two(window_ms, observed_ms, up_ms, claimable)


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


def line_months(ask: Questions, claim_after_s: int) -> list[LineMonth]:
    """Return every line with a contract in every month of the period; `claim_after_s` where the contract says none."""
    contracts = {c.name: c for c in ask.every(Contract) or ()}
    away = _away(ask.every(Away) or ())
    found = []
    days = _months(ask.every(Day) or ())
    for line in ask.every(Line) or ():
        contract = contracts.get(line.contract)
        for month, sums in sorted(days.get(line.name, {}).items()) if contract else ():
            assert contract is not None
            after = contract.claim_after_s if contract.claim_after_s is not None else claim_after_s
            inside = (_inside(a, month, ask.period, after) for a in away.get(line.name, ()))
            claimable = sum(inside)
            found.append(LineMonth(line, contract, month, Two(*sums, claimable)))
    return found


def _away(some: Iterable[Away]) -> Mapping[str, list[Away]]:
    found: dict[str, list[Away]] = {}
    for one in some:
        found.setdefault(one.line, []).append(one)
    return found


def _months(days: Iterable[Day]) -> Mapping[str, dict[date, tuple[int, int, int]]]:
    found: dict[str, dict[date, tuple[int, int, int]]] = {}
    for d in days:
        months = found.setdefault(d.line, {})
        window, observed, up = months.get(d.day.replace(day=1), (0, 0, 0))
        months[d.day.replace(day=1)] = (window + d.window_ms, observed + d.observed_ms, up + d.up_ms)
    return found


def _inside(one: Away, month: date, period: Period, after_s: int) -> int:
    """Return how many milliseconds of a time away lie in a month, if it counts at all: it is looked at whole."""
    if not is_claimable(one.ms, one.cause, after_s):
        return 0
    zone = ZoneInfo(period.zone)
    start = datetime(month.year, month.month, 1, tzinfo=zone)
    end = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=zone)
    first, last = max(one.start, start, period.since), min(one.end, end, period.until)
    return max(0, round((last - first).total_seconds() * 1000))
