"""What could be claimed of providers in a period, and what was: by contract and month. Pure, by `report.penalty`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from report.penalty import amount, rule
from report.questions import Questions
from report.records import Contract, Restitution
from report.sla import LineMonth, line_months


@dataclass(frozen=True)
class Owed:
    """A contract in a month: the claimable time of its lines, and the rupiah (None: its rule or price is not known)."""

    contract: Contract
    month: date
    claimable_ms: int
    amount_idr: int | None
    claimed_idr: int


def owed(ask: Questions, claim_after_s: int) -> list[Owed]:
    """Return every contract and month in which something can be claimed, or was."""
    groups: dict[tuple[str, date], list[LineMonth]] = {}
    for one in line_months(ask, claim_after_s):
        groups.setdefault((one.contract.name, one.month), []).append(one)
    claimed = _claimed(ask)
    found = []
    for (name, month), some in sorted(groups.items()):
        ms = sum(one.two.claimable_ms for one in some)
        if ms or claimed.get((name, month)):
            found.append(Owed(some[0].contract, month, ms, _amount(some), claimed.get((name, month), 0)))
    return found


def _claimed(ask: Questions) -> Mapping[tuple[str, date], int]:
    found: dict[tuple[str, date], int] = {}
    for row in ask.every(Restitution) or ():
        key = (row.contract, row.month.replace(day=1))
        found[key] = found.get(key, 0) + row.amount_idr
    return found


def _amount(some: list[LineMonth]) -> int | None:
    contract = some[0].contract
    known = rule(contract.penalty)
    if known is None or contract.monthly_idr is None:
        return None
    fee = Fraction(contract.monthly_idr) / (1 if known.per_line else len(some))
    sums = (amount(known, fee, m.two.claimable_ms, max(m.two.window_ms, 1), m.two.sla_pct) for m in some)
    return sum(int(s) for s in sums)
