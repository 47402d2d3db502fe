"""Interfaces from IF-MIB tables (RFC 2863): pure functions from columns to ports."""

from monitor.observation import Port
from monitor.tables import Oid, Tables, Value, as_name, oid

_IF = oid("1.3.6.1.2.1.2.2.1")
_IFX = oid("1.3.6.1.2.1.31.1.1.1")


def _if(number: int) -> Oid:
    return (*_IF, number)


def _ifx(number: int) -> Oid:
    return (*_IFX, number)


DESCR, TYPE, SPEED, MAC, ADMIN, OPER = _if(2), _if(3), _if(5), _if(6), _if(7), _if(8)
IN_32, OUT_32 = _if(10), _if(16)
IN_DISCARDS, IN_ERRORS, OUT_DISCARDS, OUT_ERRORS = _if(13), _if(14), _if(19), _if(20)
NAME, IN_64, OUT_64, HIGH_SPEED, ALIAS, DISCONTINUITY = (
    _ifx(1),
    _ifx(6),
    _ifx(10),
    _ifx(15),
    _ifx(18),
    _ifx(19),
)

# What is always asked, and what only where the columns above leave something open.
STATIC = (DESCR, TYPE, MAC, NAME, ALIAS)
MOVING = (ADMIN, OPER, IN_DISCARDS, IN_ERRORS, OUT_DISCARDS, OUT_ERRORS)
MOVING_X = (IN_64, OUT_64, HIGH_SPEED, DISCONTINUITY)
OCTETS_32 = (IN_32, OUT_32)

_ADMIN_NAMES = {1: "up", 2: "down", 3: "testing"}
_OPER_NAMES = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "notPresent",
    7: "lowerLayerDown",
}


def ports(tables: Tables) -> tuple[Port, ...]:
    """Return the ports in the order of ifIndex. A row is any index that one of the columns has.

    Some agents put 64-bit counters into ifInOctets and ifOutOctets. Where one of them counts beyond 32 bits, none of
    that agent's wraps there.
    """
    columns = {c: tables.column(c) for c in (*STATIC, *MOVING, *MOVING_X, SPEED, *OCTETS_32)}
    indexes = {index[0] for rows in columns.values() for index in rows if len(index) == 1}
    beyond = any(_count(v) != _count(v, 64) for c in OCTETS_32 for v in columns[c].values())
    return tuple(
        _port(number, {c: rows.get((number,)) for c, rows in columns.items()}, 64 if beyond else 32)
        for number in sorted(indexes)
    )


def open_columns(tables: Tables) -> tuple[Oid, ...]:
    """Return the 32-bit columns that are still needed: those of rows without 64-bit octets, or without a speed."""
    rows = {i for c in (OPER, DESCR, ADMIN) for i in tables.column(c)}
    wanted: tuple[Oid, ...] = ()
    if not rows or any(i not in tables.column(IN_64) or i not in tables.column(OUT_64) for i in rows):
        wanted += OCTETS_32
    fast = tables.column(HIGH_SPEED)
    if not rows or any(not fast.get(i) for i in rows):
        wanted += (SPEED,)
    return wanted


def speed_bps(high: int | None, low: int | None) -> int | None:
    """Return the speed in bit/s: ifHighSpeed (Mbit/s) where it says something, else ifSpeed.

    ifHighSpeed rounds to Mbit/s, so a line slower than that reads 0 there and its true speed in ifSpeed.
    """
    if high:
        return high * 1_000_000 if high < 2**32 else None
    return low if low is not None else high


def mac(value: Value | None) -> str | None:
    """Return ifPhysAddress as 12 hex digits; None for no address or one that is no MAC."""
    return value.hex() if isinstance(value, bytes) and len(value) == 6 else None


def admin_word(value: Value | None) -> str | None:
    """Return ifAdminStatus as a word; None for what it cannot be."""
    return _named(value, _ADMIN_NAMES)


def oper_word(value: Value | None) -> str | None:
    """Return ifOperStatus as a word; None for what it cannot be."""
    return _named(value, _OPER_NAMES)


def _port(number: int, row: dict[Oid, Value | None], bits: int) -> Port:
    octets = _octets(row, bits)
    return Port(
        ifIndex=number,
        ifName=as_name(row[NAME]),
        ifDescr=as_name(row[DESCR]),
        ifAlias=as_name(row[ALIAS]),
        ifType=_count(row[TYPE]),
        speed_bps=speed_bps(_count(row[HIGH_SPEED]), _count(row[SPEED])),
        ifAdminStatus=_named(row[ADMIN], _ADMIN_NAMES),
        ifOperStatus=_named(row[OPER], _OPER_NAMES),
        in_octets=octets[0],
        out_octets=octets[1],
        octets_bits=octets[2],
        octets_in_iftable=octets[3],
        in_errors=_count(row[IN_ERRORS]),
        out_errors=_count(row[OUT_ERRORS]),
        in_discards=_count(row[IN_DISCARDS]),
        out_discards=_count(row[OUT_DISCARDS]),
        mac=mac(row[MAC]),
        discontinuity_ticks=_count(row[DISCONTINUITY]),
    )


def _octets(row: dict[Oid, Value | None], bits: int) -> tuple[int | None, int | None, int | None, bool]:
    """Return octets in, out, their width, and whether they are 64 bits of ifTable; both come from one table.

    `bits`: how wide the counters of ifTable are.
    """
    high = _count(row[IN_64], 64), _count(row[OUT_64], 64)
    low = _count(row[IN_32], bits), _count(row[OUT_32], bits)
    if high != (None, None) and (None not in high or low == (None, None)):
        return (*high, 64, False)
    if low != (None, None):
        return (*low, bits, bits == 64)
    return (*high, 64 if high != (None, None) else None, False)


def _count(value: Value | None, bits: int = 32) -> int | None:
    """Return a value that counts or enumerates; nothing negative, no text, and no more than the column's width."""
    return value if isinstance(value, int) and 0 <= value < 2**bits else None


def _named(value: Value | None, names: dict[int, str]) -> str | None:
    return names.get(value) if isinstance(value, int) else None
