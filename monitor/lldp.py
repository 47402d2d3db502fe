"""Who is at the other end of a port: by LLDP (IEEE 802.1AB), CDP and MikroTik's neighbour table, over SNMP.

RouterOS gives its lldpRemTable without the number of the local port, and a chassis ID as text; its own neighbour table
says at which interface each neighbour is.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from inventory.wires import Heard
from monitor.arp import IF_DESCR, IF_NAME, SYS_UPTIME
from monitor.bridge import BASE_PORT
from monitor.crowd import each
from monitor.observation import Reach
from monitor.snmp import Engines, connected
from monitor.snmp_agent import Agent, Fault, Trouble
from monitor.tables import Oid, Tables, Value, as_mac, as_name, oid
from monitor.targets import Target

REMOTE = oid("1.0.8802.1.1.2.1.4.1.1")  # lldpRemEntry; index: TimeMark, local port, number
LOCAL = oid("1.0.8802.1.1.2.1.3.7.1")  # lldpLocPortEntry; index: local port
CDP = oid("1.3.6.1.4.1.9.9.23.1.2.1.1")  # cdpCacheEntry; index: ifIndex, number
MIKROTIK = oid("1.3.6.1.4.1.14988.1.1.11.1.1")  # mtxrNeighborEntry; index: number
_CHASSIS_TYPE, _CHASSIS, _PORT_TYPE, _PORT, _PORT_TEXT, _NAME = 4, 5, 6, 7, 8, 9
_CDP_DEVICE, _CDP_PORT = 6, 7
_MT_ADDRESS, _MT_MAC, _MT_NAME, _MT_INTERFACE = 2, 3, 6, 8
_CHASSIS_MAC, _PORT_MAC = 4, 3  # of LldpChassisIdSubtype and LldpPortIdSubtype
_MAC_TEXT = re.compile(rb"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")
_AT_MOST = 4000  # entries of one device


@dataclass(frozen=True)
class Answer:
    """What one device said of its neighbours, how far it could be reached, and why no further."""

    device: str
    reach: Reach
    reason: str = ""
    heard: tuple[Heard, ...] = ()


async def ask(
    targets: Sequence[Target], *, concurrency: int, progress: Callable[[Answer], None] | None = None
) -> list[Answer]:
    """Ask all targets, at most `concurrency` at a time; the answers come in the order of the targets."""
    engines = Engines()
    return await each(
        targets, lambda target: neighbours(target, engines), concurrency=concurrency, progress=progress
    )


async def neighbours(target: Target, engines: Engines) -> Answer:
    """Ask one device. Whatever it does or does not do is a value; nothing is raised for it."""
    seen: dict[Oid, Value] = {}
    try:
        async with connected(target, engines) as agent:
            fault = await _walk(agent, seen)
    except Trouble as trouble:
        fault = trouble.fault
    reach = Reach.up if fault is None else Reach.partial if seen else fault.reach
    found = tuple(heard(Tables(seen), target.device_id)) if target.device_id is not None else ()
    return Answer(target.name, reach, fault.reason if fault else "", found[:_AT_MOST])


async def _walk(agent: Agent, seen: dict[Oid, Value]) -> Fault | None:
    """Read the tables into `seen`; return the first thing that went wrong, after which what can be read was read."""
    answer = await agent.get([SYS_UPTIME])  # tells a silent device from one without any table
    first = answer.fault
    tables = (
        [(*REMOTE, part) for part in (_CHASSIS_TYPE, _CHASSIS, _PORT_TYPE, _PORT, _PORT_TEXT, _NAME)],
        [(*CDP, part) for part in (_CDP_DEVICE, _CDP_PORT)],
        [(*MIKROTIK, part) for part in (_MT_ADDRESS, _MT_MAC, _MT_NAME, _MT_INTERFACE)],
        [(*LOCAL, part) for part in (3, 4)],
        [BASE_PORT],
        [IF_NAME],
        [IF_DESCR],
    )
    for columns in tables:
        if answer.fault is not None and answer.fault.reach is not Reach.partial:
            break
        answer = await agent.walk(columns)
        seen.update(answer.seen)
        first = first or answer.fault
    return first


# --- what the tables mean ----------------------------------------------------------------------------------


def heard(tables: Tables, device_id: int) -> Iterator[Heard]:
    """Yield who was heard at which port, by each of the three tables."""
    yield from _lldp(tables, device_id)
    yield from _cdp(tables, device_id)
    yield from _mikrotik(tables, device_id)


def _lldp(tables: Tables, device_id: int) -> Iterator[Heard]:
    kinds, ids = tables.column((*REMOTE, _PORT_TYPE)), tables.column((*REMOTE, _PORT))
    texts, names = tables.column((*REMOTE, _PORT_TEXT)), tables.column((*REMOTE, _NAME))
    chassis_kinds = tables.column((*REMOTE, _CHASSIS_TYPE))
    for index, chassis in tables.column((*REMOTE, _CHASSIS)).items():
        if len(index) != 3:
            continue  # RouterOS: at which port, its own table says
        port = _mac(ids.get(index)) if kinds.get(index) == _PORT_MAC else as_name(ids.get(index))
        yield Heard(
            device_id,
            _local(tables, index[1]),
            as_name(names.get(index)),
            _mac(chassis) if chassis_kinds.get(index) == _CHASSIS_MAC else "",
            port=_words(port, as_name(texts.get(index))),
        )


def _cdp(tables: Tables, device_id: int) -> Iterator[Heard]:
    ports = tables.column((*CDP, _CDP_PORT))
    for index, name in tables.column((*CDP, _CDP_DEVICE)).items():
        if len(index) == 2:
            # NX-OS adds the serial: 'core.example(FOC1234X)'.
            called = as_name(name).partition("(")[0]
            yield Heard(
                device_id, _interface(tables, index[0]), called, port=_words(as_name(ports.get(index)))
            )


def _mikrotik(tables: Tables, device_id: int) -> Iterator[Heard]:
    names, macs = tables.column((*MIKROTIK, _MT_NAME)), tables.column((*MIKROTIK, _MT_MAC))
    addresses = tables.column((*MIKROTIK, _MT_ADDRESS))
    for index, port in tables.column((*MIKROTIK, _MT_INTERFACE)).items():
        octets = addresses.get(index)
        quad = ".".join(map(str, octets)) if isinstance(octets, bytes) and len(octets) == 4 else ""
        name, mac = as_name(names.get(index)), _mac(macs.get(index))
        if isinstance(port, int):
            yield Heard(device_id, _interface(tables, port), name, mac, quad)


def _local(tables: Tables, number: int) -> tuple[str, ...]:
    """Return the names of a port that LLDP numbers so; it has its own numbers, often those of the bridge or ifIndex."""
    own = [as_name(tables.seen.get((*LOCAL, part, number))) for part in (3, 4)]
    port = tables.seen.get((*BASE_PORT, number))
    return _words(*own, *_interface(tables, port if isinstance(port, int) else number))


def _interface(tables: Tables, index: int) -> tuple[str, ...]:
    return _words(as_name(tables.seen.get((*IF_NAME, index))), as_name(tables.seen.get((*IF_DESCR, index))))


def _words(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t for t in texts if t))


def _mac(value: Value | None) -> str:
    """Return a MAC as 00:11:22:33:44:55, from six octets or from its text; '' for anything else."""
    if as_mac(value) or not isinstance(value, bytes):
        return as_mac(value)
    text = value.strip()
    return text.decode().replace("-", ":").lower() if _MAC_TEXT.fullmatch(text) else ""
