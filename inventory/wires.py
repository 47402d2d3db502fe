"""Is a recorded link there? What devices hear at their ports (LLDP, CDP) is held against the links.

A link is *confirmed* when one end hears the other at the port that is recorded, *conflicting* when it hears another
recorded device there or the other end's wrong port. Nothing heard says nothing: a link that is down is not heard, and
many devices do not speak; the state stays what it was.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlmodel import Session

from inventory.models import Device, Interface, Link, Observed
from inventory.writing import Writer

DECLARED, CONFIRMED, CONFLICTING, MISSING = "declared", "confirmed", "conflicting", "not recorded"
_PORT = re.compile(r"([a-z]*)[ _-]*(.*)")


@dataclass(frozen=True)
class Heard:
    """What one device heard at one port: its own names for the port, and who the other one says it is.

    `port` are the names that the other end gave its port: an interface's name, description or MAC.
    """

    device_id: int
    local: tuple[str, ...]
    name: str = ""
    mac: str = ""
    address: str = ""
    port: tuple[str, ...] = ()


@dataclass(frozen=True)
class Port:
    """A recorded interface."""

    id: int
    device_id: int
    name: str
    mac: str = ""


@dataclass(frozen=True)
class Wire:
    """A recorded link between two interfaces, and its state so far."""

    id: int
    name: str
    a: int
    z: int
    state: str = DECLARED


@dataclass(frozen=True)
class Verdict:
    """What was heard of a link; `link` is None for two recorded devices that hear each other over no recorded one."""

    link: Wire | None
    state: str
    because: str
    a: str = ""
    z: str = ""


@dataclass
class Known:
    """Who is who: devices by each name, MAC and address they have; their ports by each name they may be called."""

    names: Mapping[int, str]
    ports: Sequence[Port]
    by_sign: Mapping[str, frozenset[int]]
    _of: dict[int, list[Port]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.by_id = {p.id: p for p in self.ports}
        for port in self.ports:
            self._of[port.device_id].append(port)

    def device(self, heard: Heard) -> int | None:
        """Return the device that was heard: its MAC tells surest, then its name, then its address."""
        for sign in (heard.mac, heard.name, heard.name.partition(".")[0], heard.address):
            found = self.by_sign.get(sign.lower()) if sign else None
            if found and len(found) == 1:
                return next(iter(found))
        return None

    def port(self, device_id: int, called: Iterable[str]) -> Port | None:
        """Return the port of a device that is called so: exactly, by its MAC, or by the usual short form."""
        words = [c for c in called if c]
        ports = self._of.get(device_id, ())
        for word in words:
            exact = [p for p in ports if word == p.name or word.lower() == p.mac]
            if len(exact) == 1:
                return exact[0]
        for word in words:
            short = [p for p in ports if port_key(p.name) == port_key(word)]
            if len(short) == 1:
                return short[0]
        return None

    def label(self, port: Port) -> str:
        """Return DEVICE:INTERFACE."""
        return f"{self.names.get(port.device_id, '?')}:{port.name}"


def port_key(name: str) -> str:
    """Return what Gi1/0/1 and GigabitEthernet1/0/1 have in common: two letters and the number."""
    match = _PORT.fullmatch(name.strip().lower())
    return f"{match[1][:2]}{match[2]}" if match and match[2] else name.strip().lower()


def judge(wires: Sequence[Wire], heard: Iterable[Heard], known: Known) -> Iterator[Verdict]:
    """Yield what was heard of links: each of which something was heard, then what no recorded link explains."""
    at: dict[int, list[Heard]] = defaultdict(list)
    unplaced: list[Heard] = []
    for one in heard:
        port = known.port(one.device_id, one.local)
        if port is not None:
            at[port.id].append(one)
        else:
            unplaced.append(one)
    for wire in wires:
        verdict = _judged(wire, at, known)
        if verdict:
            yield verdict
    yield from _unrecorded(wires, at, unplaced, known)


def _judged(wire: Wire, at: Mapping[int, list[Heard]], known: Known) -> Verdict | None:
    a, z = known.by_id.get(wire.a), known.by_id.get(wire.z)
    if a is None or z is None:
        return None
    said = [*_said(a, z, at, known), *_said(z, a, at, known)]
    if not said:
        return None
    against = [sentence for state, sentence in said if state == CONFLICTING]
    because = "; ".join(against or [sentence for _, sentence in said])
    return Verdict(wire, CONFLICTING if against else CONFIRMED, because, known.label(a), known.label(z))


def _said(near: Port, far: Port, at: Mapping[int, list[Heard]], known: Known) -> list[tuple[str, str]]:
    """Return what `near` heard of `far`; where a port hears several (over a deaf bridge), one right one will do."""
    found = [_one(near, far, one, known) for one in at.get(near.id, ())]
    kept = [f for f in found if f is not None]
    right = [f for f in kept if f[0] == CONFIRMED]
    return right[:1] or kept[:1]


def _one(near: Port, far: Port, heard: Heard, known: Known) -> tuple[str, str] | None:
    device = known.device(heard)
    if device is None:
        return None  # a telephone, or a box that nobody recorded: no word about this link
    here = known.label(near)
    if device != far.device_id:
        return CONFLICTING, f"{here} hears {known.names[device]}, not {known.names.get(far.device_id, '?')}"
    port = known.port(device, heard.port)
    if port is None:
        return CONFIRMED, f"{here} hears {known.names[device]} (which port, it does not say)"
    if port.id != far.id:
        return CONFLICTING, f"{here} hears {known.label(port)}, not {known.label(far)}"
    return CONFIRMED, f"{here} hears {known.label(far)}"


def _unrecorded(
    wires: Sequence[Wire], at: Mapping[int, list[Heard]], unplaced: Iterable[Heard], known: Known
) -> Iterator[Verdict]:
    """Yield pairs of recorded devices that hear each other without any link between them, each pair once."""
    ends = [(known.by_id.get(w.a), known.by_id.get(w.z)) for w in wires]
    told = {frozenset((a.device_id, z.device_id)) for a, z in ends if a and z}
    placed = [(one, known.label(known.by_id[port_id])) for port_id, found in at.items() for one in found]
    placed += [(one, known.names.get(one.device_id, "?")) for one in unplaced]
    for one, here in placed:
        device = known.device(one)
        if device is None or device == one.device_id or frozenset((device, one.device_id)) in told:
            continue
        told.add(frozenset((device, one.device_id)))
        port = known.port(device, one.port)
        there = known.label(port) if port else known.names[device]
        yield Verdict(None, MISSING, f"{here} hears {there}", here, there)


# --- from and to the database ------------------------------------------------------------------------------


def known(session: Session) -> Known:
    """Return every device that is not retired, and every interface, with the signs that they are known by."""
    signs: dict[str, set[int]] = defaultdict(set)
    names: dict[int, str] = {}
    devices = Device.__table__  # type: ignore[attr-defined]
    for row in session.execute(select(devices.c.id, devices.c.name, devices.c.address, devices.c.status)):
        if row.status != "retired":
            names[row.id] = row.name
            for sign in (row.name, row.address):
                signs[sign.lower()].add(row.id)
    seen = Observed.__table__  # type: ignore[attr-defined]
    for row in session.execute(select(seen).where(seen.c.field.in_(("name", "sysname", "base_mac")))):
        for sign in (row.value, row.value.partition(".")[0]):
            signs[sign.lower()].add(row.device_id)
    ports = list(_ports(session, signs))
    signs.pop("", None)
    return Known(names, ports, {s: frozenset(i for i in ids if i in names) for s, ids in signs.items()})


def _ports(session: Session, signs: dict[str, set[int]]) -> Iterator[Port]:
    table = Interface.__table__  # type: ignore[attr-defined]
    columns = (table.c.id, table.c.device_id, table.c.name, table.c.mac, table.c.seen_mac)
    for row in session.execute(select(*columns)):
        macs = [(m or "").lower() for m in (row.mac, row.seen_mac)]
        for sign in macs:
            signs[sign].add(row.device_id)
        yield Port(row.id, row.device_id, row.name, macs[0] or macs[1])


def wires(session: Session) -> list[Wire]:
    """Return every link between two interfaces."""
    table = Link.__table__  # type: ignore[attr-defined]
    query = select(table.c.id, table.c.name, table.c.a_interface_id, table.c.z_interface_id, table.c.state)
    both = table.c.a_interface_id.is_not(None) & table.c.z_interface_id.is_not(None)
    return [Wire(*row) for row in session.execute(query.where(both).order_by(table.c.name))]


def keep(writer: Writer, verdicts: Iterable[Verdict]) -> int:
    """Write the states that changed, as changes like any other; return how many."""
    changed = [(v.link, v.state) for v in verdicts if v.link is not None and v.link.state != v.state]
    for link, state in changed:
        writer.set("link", link.id, {"state": state})
    return len(changed)
