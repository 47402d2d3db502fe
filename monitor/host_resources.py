"""HOST-RESOURCES-MIB (RFC 2790) and UCD-SNMP-MIB: processors, memory and disks of hosts. Pure.

net-snmp counts buffers and cache into the used part of physical memory and gives both again in rows of their own;
FreeBSD's agent gives only the active part of memory as the size. Numbers that grew past 31 bits come negative.
"""

from collections.abc import Iterator

from monitor.observation import Mempool, Processor, Storage
from monitor.tables import Oid, Tables, as_text, dotted, oid

HR_LOAD = oid("1.3.6.1.2.1.25.3.3.1.2")
HR_DEVICE = oid("1.3.6.1.2.1.25.3.2.1.3")
HR_TYPE, HR_DESCR, HR_UNIT, HR_SIZE, HR_USED = (oid(f"1.3.6.1.2.1.25.2.3.1.{n}") for n in (2, 3, 4, 5, 6))
HR_STORAGES = oid("1.3.6.1.2.1.25.2")
HR_MEMORY = oid("1.3.6.1.2.1.25.2.2.0")  # kB of RAM in the whole host
HR_STORAGE = (HR_TYPE, HR_DESCR, HR_UNIT, HR_SIZE, HR_USED)
_TYPES = oid("1.3.6.1.2.1.25.2.1")
_RAM, _VIRTUAL, _OTHER = ((*_TYPES, n) for n in (2, 3, 1))
_DISKS = {
    (*_TYPES, 4): "hrStorageFixedDisk",
    (*_TYPES, 8): "hrStorageRamDisk",
    (*_TYPES, 9): "hrStorageFlashMemory",
}
_FILE_SYSTEMS = oid("1.3.6.1.2.1.25.3.9")  # hrFSTypes: FreeBSD's agent says the file system's type instead
_NO_DISKS = ("memory", "swap", "buffers", "mbuf", "uma:", "malloc:")

UCD = oid("1.3.6.1.4.1.2021")
UCD_IDLE = oid("1.3.6.1.4.1.2021.11.11.0")
UCD_TOTAL, UCD_FREE, UCD_BUFFERS, UCD_CACHED = (oid(f"1.3.6.1.4.1.2021.4.{n}.0") for n in (5, 6, 14, 15))
UCD_SWAP, UCD_SWAP_FREE = (oid(f"1.3.6.1.4.1.2021.4.{n}.0") for n in (3, 4))
UCD_MEMORY = (UCD_TOTAL, UCD_FREE, UCD_BUFFERS, UCD_CACHED, UCD_SWAP, UCD_SWAP_FREE)
UCD_PATH, UCD_SIZE, UCD_AVAIL, UCD_USED = UCD_DISKS = tuple(
    oid(f"1.3.6.1.4.1.2021.9.1.{n}") for n in (2, 6, 7, 8)
)
_MOST_INTEGER = 2**31 - 1

_BUFFERS = ("memory buffers", "buffers", "buffer memory")
_CACHED = ("cached memory", "cache memory")
_PARTS = (*_BUFFERS, *_CACHED, "shared memory")  # parts of physical memory, each listed as if it were a whole
# Listed as memory too: FreeBSD's kernel zones, and net-snmp's row of what is left.
_OF_MEMORY = ("memory", "packet buffers", "packet descriptors")  # the latter of PAN-OS
_ZONES = ("uma: ", "malloc: ", "mbuf", "available memory")


def host_loads(tables: Tables) -> Iterator[Processor]:
    """Yield the load of each processor (hrProcessorLoad, percent)."""
    for index, value in tables.column(HR_LOAD).items():
        if isinstance(value, int) and 0 <= value <= 100:
            name = as_text(tables.seen.get(HR_DEVICE + index)) or "Processor"
            yield Processor(name, float(value), dotted(HR_LOAD + index))


def ucd_load(tables: Tables) -> Iterator[Processor]:
    """Yield what is not idle (ssCpuIdle)."""
    idle = tables.number(UCD_IDLE)
    if idle is not None and 0 <= idle <= 100:
        yield Processor("CPU", float(100 - idle), dotted(UCD_IDLE))


def host_pools(tables: Tables) -> Iterator[Mempool]:
    """Yield the memory rows of hrStorageTable; physical memory without what the kernel uses for its caches."""
    rows = {i: row for i in tables.column(HR_TYPE) if (row := _memory(i, tables)) is not None}
    named = {descr.lower(): (total, used) for descr, total, used in rows.values()}
    spare = sum(named[name][1] for name in _BUFFERS + _CACHED if name in named)
    physical = named.get("physical memory", (0, 0))[0]
    host = (tables.number(HR_MEMORY) or 0) * 1024
    for index, (descr, total, used) in rows.items():
        name = descr.lower()
        if name == "physical memory" and spare <= used:
            used -= spare
        if name in _PARTS and physical >= used:
            total = physical
        if "real memory metrics" in name and host >= used:
            total = host
        yield Mempool(descr, round(100 * used / total, 1), total, used, oid=dotted(HR_USED + index))


def ucd_pools(tables: Tables) -> Iterator[Mempool]:
    """Yield physical memory without buffers and cache, these two, and swap (UCD-SNMP-MIB, kB)."""
    total, free = tables.number(UCD_TOTAL), tables.number(UCD_FREE)
    parts = {"Memory buffers": UCD_BUFFERS, "Cached memory": UCD_CACHED}
    spare = sum(tables.number(part) or 0 for part in parts.values())
    if total and free is not None:
        used = max(0, total - free)
        yield _pool("Physical memory", total, used - spare if spare <= used else used, UCD_FREE)
    swap, unused = tables.number(UCD_SWAP), tables.number(UCD_SWAP_FREE)
    if swap and unused is not None:
        yield _pool("Swap space", swap, max(0, swap - unused), UCD_SWAP_FREE)
    for name, part in parts.items():
        held = tables.number(part)
        if total and held is not None and 0 <= held <= total:
            yield _pool(name, total, held, part)


def _pool(descr: str, total: int, used: int, where: Oid) -> Mempool:
    return Mempool(descr, round(100 * used / total, 1), total * 1024, used * 1024, oid=dotted(where))


def ucd_storage(tables: Tables) -> Iterator[Storage]:
    """Yield the disks that snmpd.conf names (dskTable, kB); what root alone may use is not free.

    What is past 31 bits is said as their greatest number: such a size says nothing.
    """
    for index in tables.column(UCD_SIZE):
        size, free, used = (tables.number(column + index) for column in (UCD_SIZE, UCD_AVAIL, UCD_USED))
        if not size or not 0 < size < _MOST_INTEGER:
            continue
        used = size - free if free is not None and 0 <= free <= size else used
        if used is not None and 0 <= used <= size:
            name = tables.text(UCD_PATH + index) or "Disk"
            percent = round(100 * used / size, 1)
            yield Storage(name, percent, size * 1024, used * 1024, oid=dotted(UCD_AVAIL + index))


def host_storage(tables: Tables) -> Iterator[Storage]:
    """Yield the rows of hrStorageTable that hold files."""
    for index in tables.column(HR_TYPE):
        kind = tables.seen.get(HR_TYPE + index)
        descr = tables.text(HR_DESCR + index)
        if not isinstance(kind, tuple) or not (kind in _DISKS or kind[:-1] == _FILE_SYSTEMS):
            continue
        sizes = _sizes(index, tables)
        if sizes is None or descr.lower().startswith(_NO_DISKS):
            continue
        total, used = sizes
        name = _DISKS.get(kind, "hrFSTypes")
        percent = round(100 * used / total, 1)
        yield Storage(descr, percent, total, used, oid=dotted(HR_USED + index), kind=name)


def _memory(index: Oid, tables: Tables) -> tuple[str, int, int] | None:
    kind, descr = tables.seen.get(HR_TYPE + index), tables.text(HR_DESCR + index)
    if kind not in (_RAM, _VIRTUAL) and not (
        kind == _OTHER and any(word in descr.lower() for word in _OF_MEMORY)
    ):
        return None
    sizes = None if descr.lower().startswith(_ZONES) else _sizes(index, tables)
    return (descr, *sizes) if sizes else None


def _sizes(index: Oid, tables: Tables) -> tuple[int, int] | None:
    """Return (total, used) in bytes; None where the row says nothing that can be true."""
    unit, size, used = (tables.number(column + index) for column in (HR_UNIT, HR_SIZE, HR_USED))
    if not unit or not size or used is None or unit < 0:
        return None
    size, used = (n + 2**32 if n < 0 else n for n in (size, used))
    if size * unit >= 2**63:
        return None
    return size * unit, max(0, min(used, size)) * unit
