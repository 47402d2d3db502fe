"""INF-KEA-06: priority systems of which a restore from backup was tried lately, and went well."""

from report.applications import priority
from report.assessment import Reading
from report.papers import ids, kept, valid
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.rubric import Limits

TEST = "uji_pulih"
FAILED = ("gagal", "failed")


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of priority applications with a report of a restore about them."""
    apps = priority(ask)
    if not apps or not kept(ask):
        return unknown(PERCENT, said("empty-register-all" if apps else "no-priority-apps"))
    tests = [d for d in valid(ask, TEST, limits.restore_days) if d.result.casefold() not in FAILED]
    about = {d.about for d in tests}
    members: dict[str, bool | None] = {a.name: f"service/{a.name}" in about for a in apps}
    return share(members, as_of=ask.period.last_day, evidence=("rows/service", *ids(tests)))
