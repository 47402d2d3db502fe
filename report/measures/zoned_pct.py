"""INF-KEA-02: sites whose zones are apart, and whose unused ports are shut."""

from report import three
from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Zoning
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of sites with a managed switch; one of whose zones nobody judged is at most not known."""
    sites = ask.every(Zoning)
    if not sites:
        return unknown(PERCENT, said("no-switches"))
    members = {z.site: three.every((z.zones_ok, _shut(z, limits.shut_share))) for z in sites}
    note = said("zones-not-judged") if all(z.zones_ok is None for z in sites) else ""
    return share(
        members,
        as_of=ask.period.last_day,
        evidence=("rows/zoning", "rows/interface", "rows/prefix"),
        note=note,
    )


def _shut(zoning: Zoning, least: float) -> bool | None:
    if zoning.unused is None or zoning.shut is None:
        return None
    return zoning.shut >= least * zoning.unused
