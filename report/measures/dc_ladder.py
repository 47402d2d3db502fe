"""INF-FAS-04: agencies all of whose applications run in a data centre: the regency's, the national one, or a cloud."""

from report import three
from report.applications import by_agency
from report.assessment import Reading
from report.questions import Questions
from report.readings import ladder
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return p, the percentage of the agencies (OPD) that have an application."""
    found = by_agency(ask, lambda apps: three.every(a.data_centre for a in apps))
    return ladder(found.value, {"p": found.value}, base=found)
