"""STR-SDM-03: officers with a training or certificate in security that still holds."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Person
from report.rubric import Limits
from report.staff import staff


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of officers; as long as no certificate of anybody is recorded, nothing is known."""
    officers = staff(ask, limits.staff_roles)
    if not officers:
        return unknown(PERCENT, said("no-people"))
    if not any(p.certificates for p in ask.every(Person) or ()):
        return unknown(PERCENT, said("no-certificates"))
    day = ask.period.last_day
    held = {
        p.name: any(
            c.area.casefold() == limits.security_area and (c.expires is None or c.expires >= day)
            for c in p.certificates
        )
        for p in officers
    }
    return share(held, as_of=day, evidence=("rows/person", "rows/certificate"))
