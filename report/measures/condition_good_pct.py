"""INF-PER-03: assets in good condition (B), of those whose condition the books say."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import GONE, Asset
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of assets that are still there."""
    assets = [a for a in ask.every(Asset) or () if a.status not in GONE]
    if not assets:
        return unknown(PERCENT, said("no-assets"))
    members = {a.name: a.condition == "B" if a.condition else None for a in assets}
    return share(members, as_of=ask.period.last_day, evidence=("rows/asset",))
