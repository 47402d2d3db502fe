"""SUP-KEB-03: how old the approved document of the network's architecture is."""

from report.assessment import Reading
from report.papers import ids, kept, valid
from report.questions import Questions
from report.readings import ladder, said, unknown
from report.rubric import Limits

KIND = "arsitektur_jaringan"


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the days since the newest one; a register that is kept and has none says that there is none."""
    if not kept(ask):
        return unknown("tingkat", said("empty-register-all"))
    found = list(valid(ask, KIND))[:1]
    age = (ask.period.last_day - found[0].dated).days if found else None
    return ladder(age, {"age_days": age}, evidence=ids(found), note="" if found else said("no-such-document"))
