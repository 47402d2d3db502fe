"""INF-JAR-01: agencies on the regency's own network, proven by watching: not only on the open internet."""

from report.assessment import Reading
from report.connected import connected, intra_up
from report.questions import Questions
from report.readings import ladder
from report.rubric import Limits

KINDS = ("opd", "rsud", "kecamatan")


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return p, the percentage of them with an intra line that was found up."""
    found = connected(ask, KINDS, intra_up)
    return ladder(found.value, {"p": found.value}, base=found)
