"""INF-FAS-03: the five points of physical security of the server rooms; the room with the fewest counts."""

from datetime import timedelta

from report.assessment import Reading
from report.questions import Questions
from report.readings import covered, said, unknown
from report.records import Device, Polled, Room, RoomCheck
from report.rubric import Limits

UNIT = "butir dari 5"
POINTS = ("door_control", "door_log", "cctv", "visitor_log", "fire_detection")


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return how many points hold; a camera that is watched tells of itself, whatever the list says."""
    rooms = [r.name for r in ask.every(Room) or () if r.purpose == "server"]
    if not rooms:
        return unknown(UNIT, said("no-server-room"))
    oldest = ask.period.last_day - timedelta(days=limits.room_check_days)
    checks = [c for c in ask.every(RoomCheck) or () if oldest <= c.dated <= ask.period.last_day]
    newest = {c.room: c for c in sorted(checks, key=lambda c: (c.dated, c.name)) if c.room in rooms}
    if not newest:
        return unknown(UNIT, said("no-room-check"))
    points = {f"{room}: {p}": so for room, c in newest.items() for p, so in _points(ask, c, limits).items()}
    known = {name: so for name, so in points.items() if so is not None}
    worst = min(sum(bool(points[f"{room}: {p}"]) for p in POINTS) for room in newest)
    return Reading(
        worst,
        UNIT,
        numerator=sum(known.values()),
        denominator=tuple(sorted(known)),
        met=tuple(sorted(n for n, so in known.items() if so)),
        as_of=max(c.dated for c in newest.values()),
        coverage=covered(len(known), len(POINTS) * len(rooms)),
        evidence=tuple(f"room_check/{c.name}" for c in newest.values()),
        counted=len(known),
        unknown=tuple(sorted(n for n, so in points.items() if so is None)),
    )


def _points(ask: Questions, check: RoomCheck, limits: Limits) -> dict[str, bool | None]:
    cameras = {d.name for d in ask.every(Device) or () if d.room == check.room and limits.cctv_tag in d.tags}
    polled = [p for p in ask.every(Polled) or () if p.device in cameras and p.answered_ms + p.silent_ms]
    found: dict[str, bool | None] = {p: getattr(check, p) for p in POINTS}
    if polled:
        found["cctv"] = all(100 * p.answered_ms >= limits.cctv_pct * p.window_ms for p in polled)
    return found
