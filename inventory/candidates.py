"""The rows that a box may be: read from the database in sets, found by what they share with it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel import Session

from inventory.identity import Candidate, Verdict, judge
from inventory.models import Device, DeviceType, Interface, Observed
from inventory.models_custody import Proposal
from inventory.models_ipam import Address
from inventory.store import in_parts
from inventory.traits import Traits, endpoint, hexed, traits

_MACS_AT_MOST = 2_000  # to ask for one by one; of more, every interface is read
_FIELDS = ("serial", "engine_id", "base_mac", "sysname", "model", "platform", "address")


@dataclass
class Fleet:
    """Rows by their traits. An engine ID that two rows share was cloned and finds neither, unless one is retired.

    `answered`: device id → when it last answered at its own address.
    """

    rows: dict[int, Candidate] = field(default_factory=dict)
    answered: dict[int, datetime] = field(default_factory=dict)
    _by: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    def add(self, candidate: Candidate) -> None:
        """Take over a row, or what more is known of it."""
        self.rows[candidate.id] = candidate
        for key in candidate.traits.few():
            self._by.setdefault(key, set()).add(candidate.id)

    def near(self, seen: Traits) -> list[Candidate]:
        """Return the rows that have a serial, MAC, engine ID, name or address in common with the box."""
        ids = {i for key in seen.few() if not self._cloned(key) for i in self._by.get(key, ())}
        return [self.rows[i] for i in sorted(ids)]

    def judge(self, seen: Traits, without: Collection[int] = ()) -> Verdict:
        """Return what the box is, among all rows but those `without`."""
        own = frozenset(e for e in seen.engines if not self._cloned(("engines", e)))
        counting = seen if own == seen.engines else replace(seen, engines=own)
        return judge(counting, (c for c in self.near(counting) if c.id not in without))

    def _cloned(self, key: tuple[str, str]) -> bool:
        if key[0] != "engines":
            return False
        holders = [self.rows[i] for i in self._by.get(key, ())]
        return len([row for row in holders if not row.retired] or holders) > 1


def load(session: Session, boxes: Sequence[Traits]) -> Fleet:
    """Return all devices as candidates, with the MACs of those that these boxes may be."""
    fleet = Fleet()
    given = _observed(session, fleet)
    _accepted(session, given)
    for device_id, name, retired, raw in _devices(session):
        seen = given.get(device_id, {})
        for kind, values in raw.items():
            seen.setdefault(kind, set()).update(values)
        fleet.add(Candidate(device_id, name, traits(**seen), retired))
    near = {c.id for box in boxes for c in fleet.near(box)} | _sharing(session, boxes)
    for device_id, macs in _macs(session, near).items():
        row = fleet.rows[device_id]
        known = traits(macs=macs).macs
        fleet.add(replace(row, traits=replace(row.traits, macs=known)))
    return fleet


def _devices(session: Session) -> Iterator[tuple[int, str, bool, dict[str, set[str]]]]:
    d, t = Device.__table__.c, DeviceType.__table__.c  # type: ignore[attr-defined]
    columns = (d.id, d.name, d.status, d.serial, d.address, d.transport, d.snmp_port, d.ssh_port, d.platform)
    query = select(*columns, t.name, t.model, t.part_number).outerjoin(DeviceType, t.id == d.device_type_id)
    further = _addresses(session)
    for i, name, status, serial, address, transport, snmp, ssh, platform, *models in session.execute(query):
        where = endpoint(address, ssh if transport == "ssh" else snmp)
        yield (
            i,
            name,
            status == "retired",
            {
                "serials": {serial},
                "names": {name},
                "addresses": {where, *further.get(i, ())},
                "models": {m for m in models if m},
                "platforms": {platform},
            },
        )


def _addresses(session: Session) -> dict[int, set[str]]:
    """Return device id → the addresses given to it or to its interfaces."""
    a, i = Address.__table__.c, Interface.__table__.c  # type: ignore[attr-defined]
    query = select(a.device_id, i.device_id, a.name).outerjoin(Interface, i.id == a.interface_id)
    found: dict[int, set[str]] = {}
    for direct, by_port, name in session.execute(
        query.where(or_(a.device_id.is_not(None), i.id.is_not(None)))
    ):
        found.setdefault(direct or by_port, set()).add(endpoint(name.partition(" ")[0]))
    return found


_KINDS = {
    "serial": "serials",
    "engine_id": "engines",
    "base_mac": "base_macs",
    "sysname": "names",
    "model": "models",
    "platform": "platforms",
}


def _observed(session: Session, fleet: Fleet) -> dict[int, dict[str, set[str]]]:
    """Return device id → kind → raw values, and note in the fleet who answered at his own address, and when."""
    o, d = Observed.__table__.c, Device.__table__.c  # type: ignore[attr-defined]
    found: dict[int, dict[str, set[str]]] = {}
    plain = select(o.device_id, o.field, o.value).where(o.field.in_(list(_KINDS)))
    for device_id, field_name, value in session.execute(plain):
        found.setdefault(device_id, {}).setdefault(_KINDS[field_name], set()).add(value)
    there = select(o.device_id, func.max(o.at)).join(Device, d.id == o.device_id).group_by(o.device_id)
    for device_id, at in session.execute(there.where(o.field == "address", o.value == d.address)):
        fleet.answered[device_id] = at
    return found


def _accepted(session: Session, given: dict[int, dict[str, set[str]]]) -> None:
    """Add what an accepted proposal knew of the hardware, until the device has said something of it itself."""
    p = Proposal.__table__.c  # type: ignore[attr-defined]
    query = select(p.device_id, p.facts).where(p.status == "accepted", p.device_id.is_not(None))
    for device_id, facts in session.execute(query):
        own = given.setdefault(device_id, {})
        if not own.keys() & {"serials", "engines", "base_macs"}:
            own["engines"], own["base_macs"] = {facts.get("engine_id", "")}, {facts.get("base_mac", "")}


def _sharing(session: Session, boxes: Sequence[Traits]) -> set[int]:
    """Return the ids of devices that have a MAC in common with one of the boxes."""
    wanted = {m for box in boxes for m in box.macs | box.base_macs}
    if not wanted:
        return set()
    i = Interface.__table__.c  # type: ignore[attr-defined]
    query = select(i.device_id, i.mac, i.seen_mac).where(or_(i.mac != "", i.seen_mac != ""))
    if len(wanted) <= _MACS_AT_MOST:
        written = [*wanted, *(":".join(m[k : k + 2] for k in range(0, 12, 2)) for m in wanted)]
        query = query.where(or_(i.mac.in_(written), i.seen_mac.in_(written)))
    return {d for d, mac, seen in session.execute(query) if hexed(mac) in wanted or hexed(seen) in wanted}


def _macs(session: Session, ids: Collection[int]) -> dict[int, set[str]]:
    i = Interface.__table__.c  # type: ignore[attr-defined]
    found: dict[int, set[str]] = {}
    for part in in_parts(ids):
        for device_id, mac, seen in session.execute(
            select(i.device_id, i.mac, i.seen_mac).where(i.device_id.in_(part))
        ):
            found.setdefault(device_id, set()).update((mac, seen))
    return found


def observed_only(session: Session, device_ids: Collection[int], source: str) -> dict[int, Traits]:
    """Return device id → what this source said of its hardware before, and nothing from paper."""
    raw: dict[int, dict[str, Any]] = {i: {} for i in device_ids}
    o, i = Observed.__table__.c, Interface.__table__.c  # type: ignore[attr-defined]
    hardware = ("serial", "engine_id", "base_mac")
    for part in in_parts(device_ids):
        said = select(o.device_id, o.field, o.value).where(o.source == source, o.field.in_(hardware))
        for device_id, field_name, value in session.execute(said.where(o.device_id.in_(part))):
            raw[device_id].setdefault(_KINDS[field_name], set()).add(value)
        ports = select(i.device_id, i.seen_mac).where(i.device_id.in_(part), i.seen_mac != "")
        for device_id, mac in session.execute(ports):
            raw[device_id].setdefault("macs", set()).add(mac)
    return {device_id: traits(**given) for device_id, given in raw.items()}
