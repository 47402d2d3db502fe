"""INF-JAR-03: offices of desa and kelurahan with any line that was found up."""

from report.assessment import Reading
from report.connected import any_up, connected
from report.questions import Questions
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of desa and kelurahan, of as many as the dated list has."""
    return connected(ask, ("desa",), any_up)
