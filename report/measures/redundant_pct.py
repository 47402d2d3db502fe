"""INF-JAR-11: places of the first priority with two ways in, and a change-over that was tried."""

from report import three
from report.assessment import Reading
from report.papers import ids, kept, valid
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Agency, Line
from report.rubric import Limits

TEST = "uji_alih_jalur"


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of agencies of priority 1 whose lines are of two path groups, with a test on paper."""
    agencies = [a for a in ask.every(Agency) or () if a.priority == 1]
    if not agencies:
        return unknown(PERCENT, said("no-priorities"))
    lines = ask.every(Line) or ()
    tests = list(valid(ask, TEST, limits.failover_days))
    about = {d.about for d in tests}
    members = {}
    for agency in agencies:
        own = [k for k in lines if k.agency == agency.name]
        names = {f"agency/{agency.name}", *(f"connection/{k.name}" for k in own)}
        tested = bool(about & names) if kept(ask) else None
        members[agency.name] = three.every((_two_ways(own), tested))
    return share(members, as_of=ask.period.last_day, evidence=("rows/connection", "rows/link", *ids(tests)))


def _two_ways(lines: list[Line]) -> bool | None:
    groups = {k.path_group for k in lines if k.path_group}
    if len(groups) > 1 or len(lines) < 2:
        return len(groups) > 1
    return None if any(not k.path_group for k in lines) else False
