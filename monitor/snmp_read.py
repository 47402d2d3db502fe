"""What is asked of a device, in which order, and the Observation that comes of it.

First who it is, then its interfaces, then its health, each part only as far as the device goes along: when it
falls silent it is asked once more whether it is still there, and what came before is kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from inventory.platforms import Platform, platform, platforms
from inventory.traits import base_mac, colons
from monitor import identify, snmp_health, snmp_ports
from monitor.observation import Identity, Observation, Port, Reach
from monitor.snmp_agent import Agent, Answer, Fault
from monitor.tables import Oid, Tables, Value, is_scalar, oid
from monitor.targets import Target

# What outlives a new name and a new address: snmpEngineID (RFC 3411), dot1dBaseBridgeAddress (RFC 4188).
ENGINE_ID, BRIDGE_ADDRESS = oid("1.3.6.1.6.3.10.2.1.1.0"), oid("1.3.6.1.2.1.17.1.1.0")
_PHYSICAL = (None, 6, 62, 69, 71, 117)  # ifType: Ethernet in its forms, 802.11
_SENSORS_AT_MOST = 400


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
        await _ports(reader, full=full)
        await _health(reader, reader.reading.read_as)
        if full:
            await _facts(reader, reader.reading.platform or reader.reading.profile)
    return reader.reading


def observation(
    target: Target, at: datetime, took_s: float, *, reading: Reading | None = None, fault: Fault | None = None
) -> Observation:
    """Return what was read as an Observation; a reading that found nothing keeps the reach of its first fault."""
    reading = reading or Reading(faults=[fault] if fault else [])
    tables = Tables(reading.seen)
    reach, reason = _reach(reading)
    ticks = tables.number(identify.SYS_UPTIME)
    ports = snmp_ports.ports(tables)
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
        processors=snmp_health.processors(reading.read_as, tables),
        mempools=snmp_health.mempools(reading.read_as, tables),
        sensors=snmp_health.temperatures(reading.read_as, tables),
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

    @property
    def seen(self) -> dict[Oid, Value]:
        return self.reading.seen

    @property
    def tables(self) -> Tables:
        return Tables(self.reading.seen)

    async def get(self, oids: Iterable[Oid]) -> None:
        """Get the instances that were not read before."""
        wanted = [o for o in dict.fromkeys(oids) if o not in self.seen]
        if wanted and not self.gone:
            await self._take(await self._agent.get(wanted))

    async def peek(self, branches: Sequence[Oid]) -> None:
        """Look into branches."""
        if branches and not self.gone:
            await self._take(await self._agent.peek(branches))

    async def walk(self, columns: Sequence[Oid]) -> None:
        """Walk columns side by side."""
        if columns and not self.gone:
            await self._take(await self._agent.walk(columns))

    async def _take(self, answer: Answer) -> None:
        before = bool(self.seen)
        self.seen.update(answer.seen)
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
    await reader.peek(identify.probes(platforms(), reader.tables))
    return identify.identify(platforms(), reader.tables)


async def _ports(reader: _Reader, *, full: bool) -> None:
    static = snmp_ports.STATIC if full else (snmp_ports.NAME, snmp_ports.DESCR)
    await reader.walk((*static, *snmp_ports.MOVING, *snmp_ports.MOVING_X))
    await reader.walk(snmp_ports.open_columns(reader.tables))


async def _health(reader: _Reader, found: Platform | None) -> None:
    await _own_health(reader, found)
    tables = reader.tables
    if not snmp_health.processors(found, tables) and (found is None or found.standard_cpu):
        await reader.walk([snmp_health.HR_LOAD])
        await reader.get(
            snmp_health.HR_DEVICE + i for i in list(reader.tables.column(snmp_health.HR_LOAD))[:64]
        )
    if not snmp_health.mempools(found, tables) and (found is None or found.standard_memory):
        await reader.get([snmp_health.HR_MEMORY])
        await reader.walk(snmp_health.HR_STORAGE)
    if not (snmp_health.processors(found, reader.tables) and snmp_health.mempools(found, reader.tables)):
        await reader.get(snmp_health.UCD)
    if found is None or found.standard_temperature:
        await _sensors(reader, snmp_health.SENSOR_TYPE[:-1])
        if found is not None and found.vendor == "Cisco":
            await _sensors(reader, snmp_health.CISCO_SENSOR)


async def _own_health(reader: _Reader, found: Platform | None) -> None:
    """Read what the platform's file names: scalars by one GET, columns by a walk for each table."""
    if found is None:
        return
    wanted = [oid(o) for memory in found.memory for o in memory.columns]
    for reading in (*found.cpu, *found.temperature):
        others = (reading.text, reading.where.oid if reading.where else None)
        wanted += [oid(o) for o in (reading.oid, *others) if o]
    await reader.get(o for o in wanted if is_scalar(o))
    tables: dict[Oid, list[Oid]] = {}
    for column in dict.fromkeys(o for o in wanted if not is_scalar(o)):
        tables.setdefault(column[:-1], []).append(column)
    for columns in tables.values():
        await reader.walk(columns)
    named = [oid(r.oid) for r in (*found.cpu, *found.temperature) if r.entity]
    indexes = [i for column in named for i in reader.tables.column(column)]
    await _names(reader, indexes)


async def _sensors(reader: _Reader, table: Oid) -> None:
    """Read a sensor table's types, then only the rows that are temperatures."""
    await reader.walk([(*table, 1)])
    rows = snmp_health.celsius(reader.tables, (*table, 1))[:_SENSORS_AT_MOST]
    await reader.get((*table, part, *index) for index in rows for part in (2, 3, 4, 5))
    await _names(reader, rows)


async def _names(reader: _Reader, indexes: list[Oid]) -> None:
    rows = list(dict.fromkeys(indexes))[:_SENSORS_AT_MOST]
    await reader.get((*snmp_health.ENTITY_NAME, *index) for index in rows)
    unnamed = [i for i in rows if not reader.seen.get((*snmp_health.ENTITY_NAME, *i))]
    await reader.get((*snmp_health.ENTITY_DESCR, *index) for index in unnamed)


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
