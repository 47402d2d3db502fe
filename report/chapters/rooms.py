"""III.C, facilities: the server, system and command rooms, and what stands in them."""

from report.books import Matter, Room
from report.chapters import indicators
from report.figures import Block, Cell, Chapter, Column, Figure, Numbers, Table, Tone
from report.language import Tongue


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figures F-01 and F-02: rooms recorded, and those with a UPS that is recorded."""
    rooms = matter.books.rooms
    powered = [r for r in rooms if r.power]
    of = t.say("share-of", part=t.number(len(powered)), whole=t.number(len(rooms)))
    source = t.say("src-rooms")
    return [
        Figure("F-01", t.say("f-rooms"), len(rooms), "1", t.number(len(rooms)), source),
        Figure(
            "F-02",
            t.say("f-power"),
            len(powered),
            "1",
            t.number(len(powered)),
            source,
            len(powered),
            len(rooms),
            note=of,
        ),
    ]


def chapter(matter: Matter, t: Tongue, number: str, known: dict[str, Figure]) -> Chapter:
    """Return the chapter."""
    blocks: list[Block] = [
        Numbers((known["F-01"], known["F-02"])),
        *indicators.section(matter, t, "F-I1", "INF-FAS"),
        _rooms(matter, t),
    ]
    return Chapter(number, t.say("chapter-rooms"), tuple(blocks))


def _rooms(matter: Matter, t: Tongue) -> Table:
    columns = (
        Column(t.say("room"), 2.4),
        Column(t.say("purpose"), 1.2),
        Column(t.say("building"), 2.0),
        Column(t.say("area"), 0.9, right=True),
        Column(t.say("devices-col"), 0.9, right=True),
        Column(t.say("ups"), 0.8, right=True),
    )
    rows = tuple(_room(r, t) for r in matter.books.rooms)
    return Table(
        "F-T1",
        t.say("t-rooms"),
        columns,
        rows,
        t.say("src-rooms"),
        t.say("t-rooms-note"),
        t.say("rooms-none"),
    )


def _room(room: Room, t: Tongue) -> tuple[Cell, ...]:
    area = Cell(room.area_m2, t.say("none") if room.area_m2 is None else t.number(room.area_m2, 1))
    purpose = t.known("purpose", room.purpose) if room.purpose else t.word("not-recorded", Tone.unknown)
    return t.text(room.name), purpose, t.text(room.building), area, t.count(room.devices), t.count(room.power)
