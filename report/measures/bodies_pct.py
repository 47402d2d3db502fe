"""SUP-KEL-01: the bodies that govern: coordination team, managing team, and somebody named in every agency."""

from fractions import Fraction

from report.assessment import Reading
from report.papers import ids, kept, valid
from report.questions import Questions
from report.readings import PERCENT, said, shown, unknown
from report.records import Agency
from report.rubric import Limits

TEAMS = ("sk_tim_koordinasi", "sk_pengelola")


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return a third for each of them; the last by the share of agencies (OPD) with a named contact."""
    opd = [a for a in ask.every(Agency) or () if a.kind == "opd"]
    if not opd or not kept(ask):
        return unknown(PERCENT, said("empty-register-all" if opd else "no-agencies"))
    papers = [p for kind in TEAMS for p in list(valid(ask, kind))[:1]]
    named = [a.name for a in opd if a.contacts]
    points = len(papers) + Fraction(len(named), len(opd))
    return Reading(
        shown(100 * points / 3),
        PERCENT,
        numerator=shown(points),
        denominator=(*TEAMS, *(a.name for a in opd)),
        met=(*(p.kind for p in papers), *named),
        as_of=ask.period.last_day,
        coverage=1.0,
        evidence=("rows/contact", *ids(papers)),
        counted=3,
    )
