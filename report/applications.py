"""Applications as measures group them: by the agency that owns them, and those of the first priority. Pure."""

from collections.abc import Callable

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import App


def by_agency(ask: Questions, judge: Callable[[list[App]], bool | None]) -> Reading:
    """Return the share of the agencies (OPD) with an application of which `judge` says yes, national ones apart."""
    owned: dict[str, list[App]] = {}
    for app in ask.every(App) or ():
        if app.agency_kind == "opd" and not app.national:
            owned.setdefault(app.agency, []).append(app)
    if not owned:
        return unknown(PERCENT, said("no-apps"))
    members = {agency: judge(apps) for agency, apps in owned.items()}
    return share(members, as_of=ask.period.last_day, evidence=("rows/service",))


def priority(ask: Questions) -> list[App]:
    """Return the applications of criticality 1 that are the regency's own."""
    return [a for a in ask.every(App) or () if a.criticality == 1 and not a.national]
