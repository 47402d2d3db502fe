"""INF-FAS-01: the part of the measured time in which the air at the racks was right."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, covered, part, said, unknown
from report.records import Climate, Room
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return good over known 5-minute bins of all sensors in server rooms; a room without one is not known."""
    rooms = [r.name for r in ask.every(Room) or () if r.purpose == "server"]
    if not rooms:
        return unknown(PERCENT, said("no-server-room"))
    some = [c for c in ask.every(Climate) or () if c.room in rooms]
    measured = {c.room for c in some if c.bins}
    bins, window = sum(c.bins for c in some), sum(c.window_bins for c in some)
    if not measured:
        return unknown(PERCENT, said("no-climate"))
    return part(
        sum(c.good_bins for c in some),
        bins,
        coverage=min(covered(bins, window), covered(len(measured), len(rooms))),
        listed=(f"{c.room}: {c.device}" for c in some if c.bins),
        met=(f"{c.room}: {c.device}" for c in some if c.bins and c.good_bins == c.bins),
        evidence=("rows/climate", *(f"samples/{c.device}@{c.sha256[:16]}" for c in some if c.bins)),
        as_of=ask.period.last_day,
    )
