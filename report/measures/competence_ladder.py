"""STR-SDM-02: how many of the six fields of competence are held by enough people."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import ladder, said, share, unknown
from report.records import Person
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return k, the fields with at least so many people; without any competence recorded nothing is known."""
    people = [p for p in ask.every(Person) or () if p.competences]
    if not people:
        return unknown("tingkat", said("no-competences"))
    many = {c: sum(c in p.competences for p in people) for c in limits.competences}
    fields = share(
        {c: n >= limits.competence_people for c, n in many.items()},
        as_of=ask.period.last_day,
        evidence=("rows/person",),
    )
    return ladder(len(fields.met), {"k": len(fields.met)}, base=fields)
