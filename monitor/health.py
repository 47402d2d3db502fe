"""What a device's parts read of its health: processors, memory, disks, supplies. Pure.

What the platform's own file names comes first; what the standards have stands in where that gave nothing.
"""

from collections.abc import Iterable, Iterator

from inventory.platform_format import Part, Reading
from monitor.host_resources import host_loads, host_pools, host_storage, ucd_load, ucd_pools, ucd_storage
from monitor.observation import Mempool, Processor, Storage, Supply
from monitor.pools import pools
from monitor.readings import rows
from monitor.supplies import supplies as printed
from monitor.tables import Tables

_MOST_LISTED = 1000


def processors(parts: Iterable[Part], tables: Tables) -> tuple[Processor, ...]:
    """Return the load of each processor in percent, from the first part that gives any."""
    for part in parts:
        found = list(_loads(part.cpu, tables))
        if not found and "host-cpu" in part.builtin:
            found = list(host_loads(tables))
        if not found and "ucd-cpu" in part.builtin:
            found = list(ucd_load(tables))
        if found:
            return tuple(found[:_MOST_LISTED])
    return ()


def mempools(parts: Iterable[Part], tables: Tables) -> tuple[Mempool, ...]:
    """Return the memory pools, from the first part that gives any."""
    for part in parts:
        found = [pool for _, pool in pools(part.memory, tables)]
        if not found and "host-memory" in part.builtin:
            found = list(host_pools(tables))
        if not found and "ucd-memory" in part.builtin:
            found = list(ucd_pools(tables))
        if found:
            return tuple(found[:_MOST_LISTED])
    return ()


def storage(parts: Iterable[Part], tables: Tables) -> tuple[Storage, ...]:
    """Return the disks and volumes of all parts; those of UCD-SNMP-MIB where nothing else gives any."""
    found: list[Storage] = []
    for part in parts:
        found += [
            Storage(p.descr, p.percent, p.total, p.used, oid=p.oid, kind=of.kind)
            for of, p in pools(part.storage, tables)
        ]
        if "host-storage" in part.builtin:
            found += host_storage(tables)
        if not found and "ucd-storage" in part.builtin:
            found += ucd_storage(tables)
    return tuple(found[:_MOST_LISTED])


def supplies(parts: Iterable[Part], tables: Tables) -> tuple[Supply, ...]:
    """Return what a printer uses up."""
    return tuple(printed(tables))[:_MOST_LISTED] if any("printer" in p.builtin for p in parts) else ()


def _loads(readings: tuple[Reading, ...], tables: Tables) -> Iterator[Processor]:
    any_yet = False
    for reading in readings:
        if reading.fallback and any_yet:
            continue
        for row in rows(reading, tables, "CPU"):
            if 0 <= row.value <= 100:
                any_yet = True
                yield Processor(row.title, row.value, row.oid)
