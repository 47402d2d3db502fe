"""What a counters round asks of a device whose interfaces are known, and what its answer is worth. Pure.

The values of two rounds are enough for rates: an interface whose error counters did not move has none, and only of
the others, and of those that somebody asks the octets of, increments are classified (rates.py).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.news import flows
from monitor.observation import Observation, Port
from monitor.rules.subjects import Flow
from monitor.samples import MISSING, Layout, Name, Poll, ms_of, signed
from monitor.snmp_agent import Late
from monitor.snmp_ports import (
    ADMIN,
    DISCONTINUITY,
    IN_32,
    IN_64,
    IN_DISCARDS,
    IN_ERRORS,
    OPER,
    OUT_32,
    OUT_64,
    OUT_DISCARDS,
    OUT_ERRORS,
    admin_word,
    oper_word,
)
from monitor.store import named_ports
from monitor.tables import Oid, Value

if TYPE_CHECKING:
    from monitor.samples import Array

_ALWAYS = (ADMIN, OPER, IN_DISCARDS, IN_ERRORS, OUT_DISCARDS, OUT_ERRORS, DISCONTINUITY)
_WIDE, _NARROW = (IN_64, OUT_64), (IN_32, OUT_32)
_METRICS: Mapping[Oid, str] = {
    IN_32: "in_octets",
    OUT_32: "out_octets",
    IN_64: "in_octets_64",
    OUT_64: "out_octets_64",
    IN_ERRORS: "in_errors",
    OUT_ERRORS: "out_errors",
    IN_DISCARDS: "in_discards",
    OUT_DISCARDS: "out_discards",
    DISCONTINUITY: "discontinuity",
}
COUNTERS = frozenset(_METRICS.values())  # what a round of counters brings beside the uptime
_SMALL = (IN_ERRORS, OUT_ERRORS, IN_DISCARDS, OUT_DISCARDS)
_QUIET = Flow(None, None, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Known:
    """The interfaces of a device: what to ask (columns, indexes), and where each value stands in the answer.

    `takes`: for each column of `layout` after the uptime, the place of its value. `small`: for each interface the
    places of its error counters.
    """

    ports: tuple[tuple[str, Port], ...]
    columns: tuple[Oid, ...]
    indexes: tuple[Oid, ...]
    layout: Layout
    takes: tuple[int, ...]
    small: tuple[tuple[int, ...], ...]
    guessed: bool = False  # the width of the counters was not read but supposed

    def same_as(self, other: "Known") -> bool:
        """Tell whether the same interfaces are known in the same places, with the same speeds."""
        speeds = [[p.speed_bps for _, p in known.ports] for known in (self, other)]
        return (self.layout.id, self.indexes) == (other.layout.id, other.indexes) and speeds[0] == speeds[1]


@dataclass(frozen=True, eq=False)
class Counted:
    """The answer to one counters round; `values` as they came, row by row, at one time but those of `late`."""

    known: Known
    at: datetime
    uptime_ticks: int
    values: Sequence[Value | None]
    late: tuple[Late, ...] = ()  # which of them were read at other times


def known_of(seen: Observation) -> Known | None:
    """Return what a whole reading tells of a device's interfaces; None without any."""
    return known_ports(tuple(named_ports(seen.ports).items()))


def known_ports(ports: tuple[tuple[str, Port], ...], *, guessed: bool = False) -> Known | None:
    """Return how named interfaces are asked; one whose counters' width nobody knows is taken to have 64 bits."""
    if not ports:
        return None
    narrow = any(_in_iftable(p) for _, p in ports)
    wide = any(p.octets_bits == 64 and not p.octets_in_iftable for _, p in ports) or not narrow
    columns = (*_ALWAYS, *(_WIDE if wide else ()), *(_NARROW if narrow else ()))
    names: list[Name] = [("uptime", "")]
    takes: list[int] = []
    for row, (name, port) in enumerate(ports):
        octets = _NARROW if _in_iftable(port) else _WIDE
        for column in (*octets, *_SMALL, DISCONTINUITY):
            if column in columns:
                wider = "_64" if column in _NARROW and port.octets_in_iftable else ""
                names.append((_METRICS[column] + wider, name))
                takes.append(row * len(columns) + columns.index(column))
    small = tuple(tuple(row * len(columns) + columns.index(c) for c in _SMALL) for row in range(len(ports)))
    indexes = tuple((p.ifIndex,) for _, p in ports)
    return Known(ports, columns, indexes, Layout(tuple(names)), tuple(takes), small, guessed)


def _in_iftable(port: Port) -> bool:
    return port.octets_bits == 32 or port.octets_in_iftable


def poll_of(device: int, counted: Counted) -> Poll:
    """Return what is stored of a counters round. It makes no mark: who is there is told by reachability."""
    import numpy as np

    values = counted.values
    row = [counted.uptime_ticks, *(_stored(values[place]) for place in counted.known.takes)]
    array: Array = np.array(row, np.int64)
    return Poll(device, ms_of(counted.at), counted.known.layout, array, asked=False, answered=False)


def polls_of_round(device: int, counted: Counted) -> list[Poll]:
    """Return what is stored of a counters round: what was read at one time stands under that time, with its uptime."""
    import numpy as np

    whole = poll_of(device, counted)
    assert whole.values is not None
    found = [whole]
    for late in counted.late:
        columns = [i for i, place in enumerate(counted.known.takes, 1) if place in late.cells]
        row: Array = np.full(len(whole.values), MISSING)
        row[0] = late.uptime_ticks
        row[columns] = whole.values[columns]
        whole.values[columns] = MISSING
        if columns:
            at_ms = max(whole.at_ms + round(late.after_s * 1000), found[-1].at_ms + 1)
            found.append(replace(whole, at_ms=at_ms, values=row))
    return found


def _stored(value: Value | None) -> int:
    return signed(value) if isinstance(value, int) and 0 <= value < 2**64 else MISSING


def bare(counted: Counted) -> bool:
    """Tell whether none of the octets came where their width was supposed: it is another, or the rows are others."""
    if not counted.known.guessed:
        return False
    octets = [
        i for i, (m, _) in enumerate(counted.known.layout.columns[1:]) if m.startswith(("in_o", "out_o"))
    ]
    return bool(octets) and all(counted.values[counted.known.takes[i]] is None for i in octets)


def outgrown(counted: Counted) -> bool:
    """Tell whether a counter that was taken for one of 32 bits says more: then it has 64."""
    known = counted.known
    if IN_32 not in known.columns:
        return False
    asked = zip(known.layout.columns[1:], known.takes, strict=True)
    narrow = (counted.values[place] for (metric, _), place in asked if metric in ("in_octets", "out_octets"))
    return any(isinstance(value, int) and value >= 2**32 for value in narrow)


def ports_of(counted: Counted) -> dict[str, Port]:
    """Return the interfaces as they are now, by the names that outlive a reboot."""
    known, width = counted.known, len(counted.known.columns)
    admin, oper = known.columns.index(ADMIN), known.columns.index(OPER)
    found = {}
    for row, (name, port) in enumerate(known.ports):
        up, runs = (
            admin_word(counted.values[row * width + admin]),
            oper_word(counted.values[row * width + oper]),
        )
        if (up, runs) != (port.ifAdminStatus, port.ifOperStatus):
            port = replace(port, ifAdminStatus=up, ifOperStatus=runs)
        found[name] = port
    return found


def flows_between(
    device: int, before: Counted | None, now: Counted, ports: Mapping[str, Port], busy: Collection[str]
) -> dict[str, Flow]:
    """Return what the counters come to since the round before; `busy`: interfaces whose octets are asked for."""
    if before is None or before.known is not now.known:
        return {}
    asked = {}
    found = {}
    restarted = now.uptime_ticks < before.uptime_ticks
    for (name, _), places in zip(now.known.ports, now.known.small, strict=True):
        still = all(now.values[p] == before.values[p] for p in places)
        if name in busy or restarted or not still:
            asked[name] = ports[name]
        elif now.values[places[0]] is not None:
            found[name] = _QUIET
    return found | (flows(device, asked, _series(device, before, now, asked), now.at) if asked else {})


def _series(
    device: int, before: Counted, now: Counted, names: Collection[str]
) -> dict[tuple[int, str, str], list[tuple[datetime, int]]]:
    uptimes = [(c.at, c.uptime_ticks) for c in (before, now)]
    uptimes += [(_late_at(c, late), late.uptime_ticks) for c in (before, now) for late in c.late]
    series = {(device, "uptime", ""): uptimes}
    for (metric, name), place in zip(now.known.layout.columns[1:], now.known.takes, strict=True):
        if name in names:
            pair = [(_read_at(c, place), v) for c in (before, now) if isinstance(v := c.values[place], int)]
            if pair:
                series[device, metric, name] = pair
    return series


def _read_at(counted: Counted, place: int) -> datetime:
    """Return when the value at a place was read."""
    times = (_late_at(counted, late) for late in counted.late if place in late.cells)
    return next(times, counted.at)


def _late_at(counted: Counted, late: Late) -> datetime:
    return counted.at + timedelta(seconds=late.after_s)
