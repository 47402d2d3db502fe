"""INF-APL-03: agencies that exchange data over the government's service exchange (sistem penghubung layanan)."""

from report import three
from report.applications import by_agency
from report.assessment import Reading
from report.questions import Questions
from report.readings import ladder
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return p, the percentage of the agencies (OPD) with an application of which one speaks over it."""
    found = by_agency(ask, lambda apps: three.some(a.spl for a in apps))
    return ladder(found.value, {"p": found.value}, base=found)
