"""INF-APL-01: applications of which owner, place, address, criticality and what they need are recorded."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import App
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of applications; that a field is empty is known."""
    apps = ask.every(App) or ()
    if not apps:
        return unknown(PERCENT, said("no-apps"))
    members: dict[str, bool | None] = {
        a.name: bool(a.agency and (a.place or a.hosting) and a.url and a.criticality and a.depends_on)
        for a in apps
    }
    return share(members, as_of=ask.period.last_day, evidence=("rows/service", "rows/dependency"))
