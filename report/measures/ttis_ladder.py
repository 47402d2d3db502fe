"""SUP-KEL-02: the cyber incident response team (TTIS), and the priority applications that it answers for."""

from report.applications import priority
from report.assessment import Reading
from report.questions import Questions
from report.readings import ladder, said, share
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return q, the percentage of priority applications with an incident contact (a contact of the role `ttis`)."""
    apps = priority(ask)
    if not apps:
        return ladder(None, {"q": None}, note=said("no-priority-apps"))
    members: dict[str, bool | None] = {a.name: a.incident_contact for a in apps}
    found = share(members, as_of=ask.period.last_day, evidence=("rows/service", "rows/contact"))
    return ladder(found.value, {"q": found.value}, base=found)
