"""INF-JAR-02: kecamatan whose lines that were found up carry together what their class is to have."""

from report.assessment import Reading
from report.connected import connected, enough_up
from report.questions import Questions
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of the kecamatan."""
    return connected(ask, ("kecamatan",), enough_up(limits.min_cir_bps))
