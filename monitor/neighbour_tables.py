"""Who was heard at a port, as LLDP (IEEE 802.1AB), CDP and MikroTik's neighbour table say it. Pure.

RouterOS gives its lldpRemTable without the number of the local port (7: with the number 0), and a chassis ID as text;
its own neighbour table, where a neighbour has the same number, says at which interface and address he is.
"""

import re
from collections.abc import Iterator

from inventory.wires import Heard
from monitor.bridge import BASE_PORT
from monitor.observation import Neighbour
from monitor.snmp_ports import DESCR as IF_DESCR
from monitor.snmp_ports import NAME as IF_NAME
from monitor.tables import Oid, Tables, Value, as_mac, as_name, oid

REMOTE = oid("1.0.8802.1.1.2.1.4.1.1")  # lldpRemEntry; index: TimeMark, local port, number
LOCAL = oid("1.0.8802.1.1.2.1.3.7.1")  # lldpLocPortEntry; index: local port
CDP = oid("1.3.6.1.4.1.9.9.23.1.2.1.1")  # cdpCacheEntry; index: ifIndex, number
MIKROTIK = oid("1.3.6.1.4.1.14988.1.1.11.1.1")  # mtxrNeighborEntry; index: number
_CHASSIS_TYPE, _CHASSIS, _PORT_TYPE, _PORT, _PORT_TEXT, _NAME = 4, 5, 6, 7, 8, 9
_CDP_DEVICE, _CDP_PORT = 6, 7
_MT_ADDRESS, _MT_MAC, _MT_NAME, _MT_INTERFACE = 2, 3, 6, 8
_CHASSIS_MAC, _PORT_MAC = 4, 3  # of LldpChassisIdSubtype and LldpPortIdSubtype
AT_MOST = 4000  # entries of one device
_MAC_TEXT = re.compile(rb"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")

LLDP_COLUMNS = tuple(
    (*REMOTE, part) for part in (_CHASSIS_TYPE, _CHASSIS, _PORT_TYPE, _PORT, _PORT_TEXT, _NAME)
)
CDP_COLUMNS = tuple((*CDP, part) for part in (_CDP_DEVICE, _CDP_PORT))
MIKROTIK_COLUMNS = tuple((*MIKROTIK, part) for part in (_MT_ADDRESS, _MT_MAC, _MT_NAME, _MT_INTERFACE))
LOCAL_COLUMNS = tuple((*LOCAL, part) for part in (3, 4))


def neighbours(tables: Tables) -> tuple[Neighbour, ...]:
    """Return who was heard, as an observation lists it, each at each port once."""
    found: dict[tuple[str, str], Neighbour] = {}
    names = {as_name(name) for column in (IF_NAME, IF_DESCR) for name in tables.column(column).values()}
    for protocol, several in (("lldp", _lldp), ("cdp", _cdp), ("mndp", _mikrotik)):
        for one in several(tables, 0):
            if not (one.name or one.mac or one.address):
                continue
            local, port = _called(one.local, names), "".join(one.port[:1])
            row = Neighbour(local, one.name, port, protocol, one.mac, one.address)
            found.setdefault((local, one.name or one.mac or one.address), row)
    return tuple(found.values())[:AT_MOST]


def _called(local: tuple[str, ...], names: set[str]) -> str:
    """Return the port's name as the interface table has it, if one of those that LLDP gives is there."""
    return next((name for name in local if name in names), local[0] if local else "")


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
        own = _own_row(tables, index)
        if len(index) != 3 and own is None:
            continue
        port = _mac(ids.get(index)) if kinds.get(index) == _PORT_MAC else as_name(ids.get(index))
        name, mac = (
            as_name(names.get(index)),
            _mac(chassis) if chassis_kinds.get(index) == _CHASSIS_MAC else "",
        )
        other = _mikrotik_row(tables, own, device_id) if own is not None else None
        yield Heard(
            device_id,
            other.local if other else _local(tables, index[1]),
            name or (other.name if other else ""),
            mac or (other.mac if other else ""),
            other.address if other else "",
            port=_words(port, as_name(texts.get(index))),
        )


def _own_row(tables: Tables, index: Oid) -> Oid | None:
    """Return the row of RouterOS's own table that has the same neighbour; None where LLDP itself says the port."""
    if len(index) not in (1, 3) or (len(index) == 3 and index[1] != 0):
        return None
    row = index[-1:]
    return row if isinstance(tables.seen.get((*MIKROTIK, _MT_INTERFACE, *row)), int) else None


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
    told = {_own_row(tables, index) for index in tables.column((*REMOTE, _CHASSIS))}
    for index, port in tables.column((*MIKROTIK, _MT_INTERFACE)).items():
        if isinstance(port, int) and index not in told:
            yield _mikrotik_row(tables, index, device_id)


def _mikrotik_row(tables: Tables, row: Oid, device_id: int) -> Heard:
    octets, port = (tables.seen.get((*MIKROTIK, part, *row)) for part in (_MT_ADDRESS, _MT_INTERFACE))
    name, mac = (tables.seen.get((*MIKROTIK, part, *row)) for part in (_MT_NAME, _MT_MAC))
    quad = ".".join(map(str, octets)) if isinstance(octets, bytes) and len(octets) == 4 else ""
    local = _interface(tables, port) if isinstance(port, int) else ()
    return Heard(device_id, local, as_name(name), _mac(mac), quad)


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
    """Return a MAC as 00:11:22:33:44:55, from six octets or from its text; '' for anything else, and for zeros."""
    mac = as_mac(value)
    if not mac and isinstance(value, bytes) and _MAC_TEXT.fullmatch(value.strip()):
        mac = value.strip().decode().replace("-", ":").lower()
    return mac if mac != "00:00:00:00:00:00" else ""
