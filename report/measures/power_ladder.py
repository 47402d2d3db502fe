"""INF-FAS-02: how the server rooms live through a loss of mains: UPS watched, minutes at the real load, generator."""

from report.assessment import Reading
from report.needs import Term
from report.questions import Questions
from report.readings import ladder, said, share, unknown
from report.records import Away, Device, Room, Ups
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return r, the least minutes that a room's UPS lasts; a power outage is one of a device in a server room."""
    rooms = [r.name for r in ask.every(Room) or () if r.purpose == "server"]
    if not rooms:
        return unknown("tingkat", said("no-server-room"))
    units = [u for u in ask.every(Ups) or () if u.room in rooms]
    watched = {r: any(u.observed for u in units if u.room == r) for r in rooms}
    base = share(dict(watched), as_of=ask.period.last_day, evidence=("rows/device", "rows/ups", "rows/away"))
    minutes = {u.room: u.runtime_p5_min for u in units if u.runtime_p5_min is not None}
    least = min(minutes.values()) if set(minutes) == set(rooms) else None
    inside = {d.name for d in ask.every(Device) or () if d.data_centre}
    falls = [a for a in ask.every(Away) or () if a.line in inside and a.cause == "power"]
    known = any(watched.values())
    terms: dict[str, Term] = {
        "ups_monitored": all(watched.values()),
        "r": least,
        "dc_power_outages": len(falls) if known else None,
    }
    return ladder(least, terms, base=base, note="" if least is not None else said("no-runtime"))
