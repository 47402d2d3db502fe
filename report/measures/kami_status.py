"""SUP-PEL-04: the last official status of Indeks KAMI, as a person entered it with its file; it is not computed."""

from report.assessment import Reading
from report.papers import ids, kept, valid
from report.questions import Questions
from report.readings import ladder, said, unknown
from report.rubric import Limits

KIND = "hasil_kami"
FIRST = 2


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return 2 to 5 for the four statuses from the lowest on."""
    if not kept(ask):
        return unknown("tingkat", said("empty-register-all"))
    found = list(valid(ask, KIND))[:1]
    if not found:
        return ladder(None, {"kami_status": None}, note=said("no-such-document"))
    statuses = [s.casefold() for s in limits.kami_statuses]
    word = found[0].result.strip().casefold()
    status = FIRST + statuses.index(word) if word in statuses else None
    note = "" if status else said("kami-status-unread")
    return ladder(status, {"kami_status": status}, evidence=ids(found), note=note)
