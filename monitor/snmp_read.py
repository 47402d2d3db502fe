"""What is asked of a device, in which order, and the Observation that comes of it.

First who it is, then its interfaces, then its health, each part only as far as the device goes along: when it
falls silent it is asked once more whether it is still there, and what came before is kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from inventory.platform_format import Part, Platform
from inventory.platforms import parts_of, platform, platforms
from inventory.traits import base_mac, colons
from monitor import (
    address_tables,
    bridge,
    health,
    host_resources,
    identify,
    neighbour_tables,
    sensors,
    snmp_ports,
    supplies,
    wanted,
)
from monitor.observation import Identity, Observation, Port, Reach
from monitor.readings import ENTITY_DESCR, ENTITY_NAME
from monitor.snmp_agent import Agent, Answer, Fault
from monitor.tables import ENGINE_ID, Oid, Tables, Value, chunks, oid
from monitor.targets import Target

# What outlives a new name and a new address: snmpEngineID, dot1dBaseBridgeAddress (RFC 4188).
BRIDGE_ADDRESS = oid("1.3.6.1.2.1.17.1.1.0")
_PHYSICAL = (None, 6, 62, 69, 71, 117)  # ifType: Ethernet in its forms, 802.11
_PROCESSORS_AT_MOST = 64
_NAMES_AT_MOST = 4000
_FEW = 72  # names that are read by GET; more are walked
_LOOKED_INTO_AT_ONCE = 24
# Branches that are read of most makes, and in which many a device has nothing: one look tells, instead of many walks.
_LOOKED_INTO_FIRST = (
    host_resources.HR_LOAD,
    host_resources.HR_STORAGES,
    host_resources.UCD,
    identify.ENTITY,
    address_tables.OWN_V4,
    address_tables.OWN,
    neighbour_tables.REMOTE,
    neighbour_tables.CDP,
    neighbour_tables.MIKROTIK,
)


@dataclass
class Reading:
    """Everything one device said in one round: values, what went wrong, and the platform it turned out to be.

    `profile`: the platform that the inventory means it to be, which says where its health is read; what it is, is
    told by what it said alone.
    """

    seen: dict[Oid, Value] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    platform: Platform | None = None
    profile: Platform | None = None

    @property
    def read_as(self) -> Platform | None:
        """The platform whose file says what to ask."""
        return self.profile or self.platform


async def read(agent: Agent, known_as: str, *, full: bool) -> Reading:
    """Read a device; `known_as` is its platform as the inventory has it. Never raises for what a device does."""
    reader = _Reader(agent)
    await reader.get(identify.SYSTEM)
    if reader.seen or not reader.gone:
        reader.reading.platform = await _platform(reader)
        reader.reading.profile = platform(known_as) if known_as else None
        await _all(reader, full=full)
    return reader.reading


async def read_as(agent: Agent, known: Platform) -> Reading:
    """Read a device as this platform, whatever it may be."""
    reader = _Reader(agent)
    await reader.get(identify.SYSTEM)
    if reader.seen or not reader.gone:
        await _look_around(reader, [*platforms(), known])
        reader.reading.platform = known
        await _all(reader, full=True)
    return reader.reading


async def read_identity(agent: Agent, _known_as: str = "") -> Reading:
    """Read who a device is and nothing of how it is: some ten requests where `read` takes many more.

    What tells boxes apart is all a sweep keeps: platform, model, version, serial, engine ID, the MACs of the ports and
    the device's own addresses. Never raises for what a device does.
    """
    reader = _Reader(agent)
    await reader.get(identify.SYSTEM)
    if reader.seen or not reader.gone:
        found = reader.reading.platform = await _platform(reader)
        await _facts(reader, found)
        await reader.walk([snmp_ports.TYPE, snmp_ports.MAC])
        await reader.walk([address_tables.OWN_V4])
        if not reader.tables.column(address_tables.OWN_V4):
            await reader.walk([address_tables.OWN])
    return reader.reading


async def _all(reader: "_Reader", *, full: bool) -> None:
    await _ports(reader, full=full)
    await _health(reader, parts_of(reader.reading.read_as), full=full)
    if full:
        await _facts(reader, reader.reading.platform or reader.reading.profile)
        await _surroundings(reader)


def observation(
    target: Target, at: datetime, took_s: float, *, reading: Reading | None = None, fault: Fault | None = None
) -> Observation:
    """Return what was read as an Observation; a reading that found nothing keeps the reach of its first fault."""
    reading = reading or Reading(faults=[fault] if fault else [])
    tables = Tables(reading.seen)
    reach, reason = _reach(reading)
    ticks = tables.number(identify.SYS_UPTIME)
    ports = snmp_ports.ports(tables)
    parts = active(parts_of(reading.read_as), tables)
    return Observation(
        name=target.name,
        address=target.address,
        port=target.snmp_port,
        transport="snmp",
        at=at,
        reach=reach,
        reason=reason,
        took_s=took_s,
        uptime_s=None if ticks is None or ticks < 0 else ticks / 100,
        identity=_identity(reading, tables, ports) if reading.seen else Identity(),
        ports=ports,
        processors=health.processors(parts, tables),
        mempools=health.mempools(parts, tables),
        sensors=sensors.sensors(parts, tables),
        storage=health.storage(parts, tables),
        supplies=health.supplies(parts, tables),
        wireless=sensors.wireless(parts, tables),
        ipv4=address_tables.ipv4(tables),
        neighbours=neighbour_tables.neighbours(tables),
    )


def _identity(reading: Reading, tables: Tables, ports: Iterable[Port]) -> Identity:
    engine, bridge = tables.seen.get(ENGINE_ID), snmp_ports.mac(tables.seen.get(BRIDGE_ADDRESS))
    physical = (p.mac or "" for p in ports if p.ifType in _PHYSICAL)
    return replace(
        identify.identity(reading.platform, tables, meant=reading.profile),
        engine_id=engine.hex() if isinstance(engine, bytes) and 5 <= len(engine) <= 32 else "",
        base_mac=colons(base_mac(bridge or "", physical)),
    )


def _reach(reading: Reading) -> tuple[Reach, str]:
    if not reading.faults:
        return Reach.up, ""
    first = reading.faults[0]
    return (Reach.partial if reading.seen else first.reach), first.reason


class _Reader:
    """Asks an agent and gathers; after it fell silent for good, asks no more."""

    def __init__(self, agent: Agent) -> None:
        self.reading = Reading()
        self.gone = False
        self._agent = agent
        self._tables: Tables | None = None
        self._walked: set[Oid] = set()
        self._looked: set[Oid] = set()
        self._empty: set[Oid] = set()

    @property
    def seen(self) -> dict[Oid, Value]:
        return self.reading.seen

    @property
    def tables(self) -> Tables:
        """What was seen so far, in order; it is put in order again only after something came."""
        if self._tables is None:
            self._tables = Tables(self.seen)
        return self._tables

    async def get(self, oids: Iterable[Oid]) -> None:
        """Get the instances that were not read before."""
        wanted = [o for o in dict.fromkeys(oids) if o not in self.seen and not self._nothing_at(o)]
        if wanted and not self.gone:
            await self._take(await self._agent.get(wanted))

    async def peek(self, branches: Sequence[Oid]) -> None:
        """Look into the branches that were not looked into before, and remember those with nothing in them."""
        open_ones = [b for b in dict.fromkeys(branches) if b not in self._looked and not self._nothing_at(b)]
        for some in chunks(open_ones, _LOOKED_INTO_AT_ONCE):
            if self.gone:
                return
            answer = await self._agent.peek(some)
            await self._take(answer)
            if answer.fault is None:
                self._looked.update(some)
                found = Tables(answer.seen)
                self._empty.update(b for b in some if not found.column(b))

    def _nothing_at(self, place: Oid) -> bool:
        return any(place[:size] in self._empty for size in range(7, len(place) + 1))

    async def walk(self, columns: Sequence[Oid]) -> None:
        """Walk columns side by side, those that were not walked before."""
        open_ones = [c for c in columns if c not in self._walked and not self._nothing_at(c)]
        self._walked.update(open_ones)
        if open_ones and not self.gone:
            await self._take(await self._agent.walk(open_ones))

    async def walk_present(self, columns: Sequence[Oid]) -> None:
        """Walk those of the columns in which there is anything, table by table, as far as they were not walked."""
        open_ones = [c for c in columns if c not in self._walked]
        await self.peek(open_ones)
        tables = self.tables
        for group in wanted.by_table(c for c in open_ones if tables.column(c)):
            await self.walk(group)
        self._walked.update(open_ones)

    async def _take(self, answer: Answer) -> None:
        before = bool(self.seen)
        if answer.seen:
            self.seen.update(answer.seen)
            self._tables = None
        if answer.fault is None:
            return
        if answer.fault.reach is Reach.partial:
            self.reading.faults.append(answer.fault)
            return
        if not (before or answer.seen):
            self.reading.faults.append(answer.fault)
            self.gone = True
            return
        self.reading.faults.append(Fault(Reach.partial, _stopped(answer.fault)))
        still = await self._agent.get([identify.SYS_UPTIME])
        self.gone = still.fault is not None


def _stopped(fault: Fault) -> str:
    if fault.reach is Reach.silent:
        return f"The device stopped answering in the middle. {fault.reason}"
    return f"The device answered, then went wrong. {fault.reason}"


async def _platform(reader: _Reader) -> Platform | None:
    await _look_around(reader, platforms())
    return identify.identify(platforms(), reader.tables)


async def _look_around(reader: _Reader, known: Sequence[Platform]) -> None:
    """Look into what tells the platforms apart and what most of them read, in one request as a rule."""
    standard = (oid(branch) for part in parts_of(None) for branch in (*part.probe, *part.unless))
    await reader.peek([*identify.probes(known, reader.tables), *standard, *_LOOKED_INTO_FIRST])


async def _ports(reader: _Reader, *, full: bool) -> None:
    static = snmp_ports.STATIC if full else (snmp_ports.NAME, snmp_ports.DESCR)
    await reader.walk((*static, *snmp_ports.MOVING, *snmp_ports.MOVING_X))
    await reader.walk(snmp_ports.open_columns(reader.tables))


async def _surroundings(reader: _Reader) -> None:
    """Read the device's own addresses, and who it hears at its ports."""
    await reader.walk((*address_tables.OWN_V4_COLUMNS, *address_tables.OWN_COLUMNS))
    heard = (neighbour_tables.LLDP_COLUMNS, neighbour_tables.CDP_COLUMNS, neighbour_tables.MIKROTIK_COLUMNS)
    for columns in heard:
        await reader.walk(columns)
    if any(reader.tables.column(c) for columns in heard for c in columns):
        await reader.walk((*neighbour_tables.LOCAL_COLUMNS, bridge.BASE_PORT))


async def _health(reader: _Reader, parts: Sequence[Part], *, full: bool) -> None:
    """Read what the parts say: those that the device has something of, scalars by GET, columns by walks."""
    await reader.peek([oid(branch) for part in parts for branch in (*part.probe, *part.unless)])
    there = active(parts, reader.tables)
    scalars, columns = wanted.split(wanted.objects(there))
    await reader.get(scalars)
    await reader.walk_present(columns)
    # The chassis is looked for by its class later: that column costs nothing beside another of the table.
    named = wanted.entity_columns(there)
    await reader.walk_present([*named, identify.ENTITY_CLASS] if named and full else named)
    await _names(reader, wanted.named_parts(there, reader.tables), full=full)
    await _hosts(reader, there)
    if any("printer" in part.builtin for part in there) and full:
        for table in supplies.COLUMNS:
            await reader.walk_present(table)


async def _hosts(reader: _Reader, parts: Sequence[Part]) -> None:
    """Read processors, memory and disks as hosts have them, where the platform's own objects leave them open."""
    has = {name for part in parts for name in part.builtin}
    own = [part for part in parts if part.cpu]
    if "host-cpu" in has and not health.processors(own, reader.tables):
        await reader.walk([host_resources.HR_LOAD])
        rows = list(reader.tables.column(host_resources.HR_LOAD))[:_PROCESSORS_AT_MOST]
        await reader.get(host_resources.HR_DEVICE + i for i in rows)
    if "host-storage" in has or not health.mempools(parts, reader.tables):
        await reader.get([host_resources.HR_MEMORY])
        await reader.walk(host_resources.HR_STORAGE)
    if "ucd-storage" in has and not health.storage(parts, reader.tables):
        await reader.walk(host_resources.UCD_DISKS)
    scalars = [host_resources.UCD_IDLE] if not health.processors(parts, reader.tables) else []
    if not health.mempools(parts, reader.tables):
        scalars += host_resources.UCD_MEMORY
    await reader.get(o for o in scalars if has & {"ucd-cpu", "ucd-memory"})


async def _names(reader: _Reader, indexes: list[Oid], *, full: bool) -> None:
    """Read what ENTITY-MIB calls these parts: a few by GET, many by a walk of the column."""
    rows = [i for i in indexes if len(i) == 1][:_NAMES_AT_MOST]
    for column in (ENTITY_NAME, ENTITY_DESCR):
        unnamed = [i for i in rows if not reader.tables.text((*ENTITY_NAME, *i))]
        if len(unnamed) > _FEW:
            await reader.walk([column, identify.ENTITY_CLASS] if full else [column])
        else:
            await reader.get((*column, *index) for index in unnamed)


def active(parts: Iterable[Part], tables: Tables) -> list[Part]:
    """Return the parts that the device has something of, by the branches they are known by."""

    def has(branches: Iterable[str]) -> bool:
        return any(tables.column(oid(branch)) for branch in branches)

    return [p for p in parts if (not p.probe or has(p.probe)) and not has(p.unless)]


async def _facts(reader: _Reader, found: Platform | None) -> None:
    """Read model, version, serial and what else tells boxes apart: the platform's places, the chassis' ENTITY-MIB."""
    await reader.get((*identify.fact_oids(found), ENGINE_ID, BRIDGE_ADDRESS))
    for column in identify.fact_columns(found):
        await reader.walk([column])
    await reader.walk([identify.ENTITY_CLASS])
    if not reader.tables.column(identify.ENTITY_CLASS):
        await reader.walk([identify.ENTITY_MODEL])
    rows = identify.chassis(reader.tables)
    await reader.get((*column, *index) for index in rows for column in identify.entity_columns())
