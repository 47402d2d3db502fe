"""STR-SDM-01: how many active devices there are for each full-time officer who keeps network or systems."""

from fractions import Fraction

from report.assessment import Reading
from report.questions import Questions
from report.readings import covered, said, shown, unknown
from report.records import Device, Person
from report.rubric import Limits
from report.staff import staff

UNIT = "perangkat/orang"


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return devices over the sum of posts; an officer whose share of a post is not recorded is not known."""
    if not ask.every(Person):
        return unknown(UNIT, said("no-people"))
    officers = staff(ask, limits.staff_roles)
    posts = [Fraction(str(p.fte)) for p in officers if p.fte is not None]
    devices = ask.every(Device) or ()
    if not sum(posts) or not devices:
        return unknown(UNIT, said("no-posts" if devices else "no-devices"))
    return Reading(
        shown(len(devices) / sum(posts, Fraction())),
        UNIT,
        numerator=len(devices),
        denominator=tuple(p.name for p in officers if p.fte is not None),
        as_of=ask.period.last_day,
        coverage=covered(len(posts), len(officers)),
        evidence=("rows/device", "rows/person"),
        counted=shown(sum(posts, Fraction())),
        unknown=tuple(p.name for p in officers if p.fte is None),
    )
