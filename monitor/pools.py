"""Pools of memory and of disk space: pure functions from columns to how full each is."""

from collections.abc import Iterable, Iterator

from inventory.platform_format import Memory
from monitor.observation import Mempool
from monitor.readings import at, kept, title_of
from monitor.tables import Oid, Tables, as_number, instance, is_scalar, oid
from siaga.expressions import prompt

_PARTS = ("total", "used", "free", "percent", "free_percent")
_OF_A_ROW = ("used", "free", "percent", "free_percent")


def pools(given: Iterable[Memory], tables: Tables) -> list[tuple[Memory, Mempool]]:
    """Return the pools of several tables, each with its table; a fall-back's only where those before gave nothing."""
    found: list[tuple[Memory, Mempool]] = []
    for memory in given:
        if not (memory.fallback and found):
            found += [(memory, pool) for pool in _pools(memory, tables)]
    return found


def _pools(memory: Memory, tables: Tables) -> Iterator[Mempool]:
    columns = {name: _numbers(getattr(memory, name), memory, tables) for name in _PARTS}
    shared = columns["total"].get((0,)) if memory.total and is_scalar(oid(memory.total)) else None
    for index in sorted({i for name in _OF_A_ROW for i in columns[name]}):
        if memory.index_ends not in (None, index[-1]) or not kept(memory.where, index, tables):
            continue
        row = {name: values.get(index) for name, values in columns.items()}
        row["total"] = row["total"] if row["total"] is not None else shared
        title = title_of(memory, index, tables, "Memory")
        if memory.name_regex and not prompt(memory.name_regex).search(title):
            continue
        if pool := pool_of(title, memory, _unit(memory, index, tables), _where(memory, index), **row):
            yield pool


def _numbers(dotted_oid: str | None, memory: Memory, tables: Tables) -> dict[Oid, float]:
    rows = tables.column(oid(dotted_oid)) if dotted_oid else {}
    numbers = {index: as_number(value, memory.regex) for index, value in rows.items()}
    return {i: n for i, n in numbers.items() if n is not None and n not in memory.skip}


def _unit(memory: Memory, index: Oid, tables: Tables) -> float:
    if memory.unit is None:
        return memory.scale
    return memory.scale * (as_number(tables.seen.get(instance(oid(memory.unit), index))) or 1.0)


def _where(memory: Memory, index: Oid) -> str | None:
    column = next((c for c in (getattr(memory, n) for n in _OF_A_ROW) if c), None)
    return at(column, index) if column else None


def pool_of(
    descr: str,
    memory: Memory,
    unit: float = 1.0,
    where: str | None = None,
    *,
    total: float | None,
    used: float | None,
    free: float | None,
    percent: float | None,
    free_percent: float | None = None,
) -> Mempool | None:
    """Return a pool from any two of total, used and free, or from the percentage; None if they make no sense."""
    if total is None and used is not None and free is not None:
        total = used + free
    if used is None and total is not None and free is not None:
        used = total - free
    if percent is None and free_percent is not None:
        percent = 100 / memory.percent_scale - free_percent
    if percent is not None:
        percent *= memory.percent_scale
        used = total * percent / 100 if total else None
    elif total and used is not None:
        percent = 100 * used / total
    if percent is None or not 0 <= percent <= 100:
        return None
    if not total or used is None or not 0 < total * unit < 2**63:
        return Mempool(descr, round(percent, 1), oid=where)
    return Mempool(descr, round(percent, 1), int(total * unit), int(used * unit), oid=where)
