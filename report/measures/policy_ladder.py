"""SUP-KEB-01: how many of the five policies on infrastructure are enacted and on file."""

from report.assessment import Reading
from report.papers import ids, kept, valid
from report.questions import Questions
from report.readings import ladder, said, share, unknown
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return n, the policies of which a valid document is in the register."""
    if not kept(ask):
        return unknown("tingkat", said("empty-register-all"))
    papers = {kind: list(valid(ask, kind)) for kind in limits.policies}
    evidence = [i for some in papers.values() for i in ids(some[:1])]
    found = share({k: bool(p) for k, p in papers.items()}, as_of=ask.period.last_day, evidence=evidence)
    return ladder(len(found.met), {"n": len(found.met)}, base=found)
