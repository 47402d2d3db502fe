"""INF-PER-08: assets that somebody saw within a year, in the room where the books have them."""

from datetime import timedelta

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import GONE, Asset
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of assets that are still there; one never looked at was not verified."""
    assets = [a for a in ask.every(Asset) or () if a.status not in GONE]
    if not assets:
        return unknown(PERCENT, said("no-assets"))
    oldest = ask.period.last_day - timedelta(days=limits.verified_days)
    members: dict[str, bool | None] = {
        a.name: a.verified_at is not None and a.verified_at >= oldest and a.seen_in in ("", a.place)
        for a in assets
    }
    return share(members, as_of=ask.period.last_day, evidence=("rows/asset", "rows/sighting"))
