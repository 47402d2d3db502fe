"""STR-SDM-04: the part of the service hours of a week in which somebody named is on call."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, covered, part, said, unknown
from report.records import Person
from report.rubric import Limits
from report.week import minutes


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return minutes with somebody on call over minutes of service; hours that cannot be read are not known."""
    people = ask.every(Person)
    if not people:
        return unknown(PERCENT, said("no-people"))
    on_call = [p for p in people if p.on_call]
    wanted = minutes(limits.service_hours) or set()
    duty = {p.name: minutes(p.on_duty) for p in on_call}
    known = {name: some for name, some in duty.items() if some is not None}
    covered_minutes = wanted & set().union(*known.values())
    whole = covered_minutes == wanted
    return part(
        len(covered_minutes),
        len(wanted),
        coverage=1.0 if whole or not on_call else covered(len(known), len(on_call)),
        listed=duty,
        met=(name for name, some in known.items() if some & wanted),
        evidence=("rows/person",),
        note="" if known else said("no-on-call"),
        as_of=ask.period.last_day,
    )
