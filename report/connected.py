"""Which agencies are connected, and by what: the dated list, and what was seen of their lines."""

from collections.abc import Callable, Collection, Iterable, Mapping

from report import three
from report.assessment import Reading
from report.once import once
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Agency, AgencyList, Day, Line

Judge = Callable[[Agency, list[Line], Mapping[str, bool | None]], bool | None]


def connected(ask: Questions, kinds: Collection[str], judge: Judge) -> Reading:
    """Return the share of the agencies of some kinds of which `judge` says yes.

    An agency that a dated list counts and the inventory does not name is not known. One without a line is not
    connected, unless no line at all is recorded: then the register is not kept, and nothing is known of anybody.
    """
    agencies = [a for a in ask.every(Agency) or () if a.kind in kinds]
    lines = ask.every(Line) or ()
    if not agencies or not lines:
        return unknown(PERCENT, said("no-lines" if agencies else "no-agencies"))
    own: dict[str, list[Line]] = {}
    for line in lines:
        own.setdefault(line.agency, []).append(line)
    up = found_up(ask)
    members = {a.name: judge(a, own.get(a.name, []), up) for a in agencies}
    lists = [one for one in ask.every(AgencyList) or () if one.kind in kinds]
    known = {one.kind: one.count for one in lists}
    recorded = {k: sum(a.kind == k for a in agencies) for k in kinds}
    total = sum(max(known.get(k, 0), recorded[k]) for k in kinds)
    evidence = ["rows/agency", "rows/connection", *(f"list/{one.kind}@{one.as_of}" for one in lists)]
    return share(members, total=total, as_of=ask.period.last_day, evidence=evidence)


@once
def found_up(ask: Questions) -> Mapping[str, bool | None]:
    """Return line → whether it was found up at some time of the period; None where nobody looked."""
    observed: dict[str, int] = {}
    up: dict[str, int] = {}
    for day in ask.every(Day) or ():
        observed[day.line] = observed.get(day.line, 0) + day.observed_ms
        up[day.line] = up.get(day.line, 0) + day.up_ms
    return {line: up[line] > 0 if ms else None for line, ms in observed.items()}


def any_up(_: Agency, lines: list[Line], up: Mapping[str, bool | None]) -> bool | None:
    """Say whether any line of an agency was found up."""
    return three.some(up.get(k.name) for k in lines)


def intra_up(_: Agency, lines: list[Line], up: Mapping[str, bool | None]) -> bool | None:
    """Say whether a line that is part of the regency's own network was found up."""
    return three.some(three.every((k.intra, up.get(k.name))) for k in lines)


def enough_up(least_bps: Mapping[str, int]) -> Judge:
    """Return what says whether the lines found up carry together what the agency's class is to have."""

    def judge(agency: Agency, lines: list[Line], up: Mapping[str, bool | None]) -> bool | None:
        least = least_bps.get(agency.kind)
        if least is None:
            return None
        sure = _sum(k.down_bps for k in lines if up.get(k.name))
        open_ = any(up.get(k.name) is None or (up.get(k.name) and k.down_bps is None) for k in lines)
        return True if sure >= least else None if open_ else False

    return judge


def _sum(values: Iterable[int | None]) -> int:
    return sum(v for v in values if v is not None)
