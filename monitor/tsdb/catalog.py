"""What there is: which devices have samples in a window, and which series of each."""

from typing import TYPE_CHECKING

from monitor.samples import Name
from monitor.tsdb.days import RAW, days_in
from monitor.tsdb.faults import told_of
from monitor.tsdb.head import DAY_MS, DEVICE, LAYOUT, index_of

if TYPE_CHECKING:
    from monitor.tsdb.store import EmbeddedStore


def layouts(store: "EmbeddedStore", start_ms: int, end_ms: int) -> dict[int, set[Name]]:
    """Return device → the series that may have values in [start, end]."""
    found: dict[int, set[Name]] = {}
    known: set[tuple[int, int]] = set()  # most devices have the same layout on each day: it is added once
    with store.reading() as hot:
        if hot is not None:
            plans = hot.layouts()
            pairs = set(map(tuple, index_of(hot.head_index(start_ms, end_ms))[:, [DEVICE, LAYOUT]].tolist()))
            known = pairs | set(hot.hour_layouts(start_ms, end_ms))
            for device, layout in known:
                found.setdefault(device, set()).update(plans[layout].layout.columns)
    for day, file in store.shelves[RAW].between(start_ms // DAY_MS, end_ms // DAY_MS):
        with told_of(file.path, day * DAY_MS, store.told):
            for device, layout in set(file.layouts()) - known:
                known.add((device, layout))
                found.setdefault(device, set()).update(file.layout(layout).layout.columns)
    return {device: names for device, names in sorted(found.items()) if names}


def begins_ms(store: "EmbeddedStore") -> int | None:
    """Return the beginning of the first day of which anything is stored, None where nothing is."""
    days = [d for shelf in store.shelves.values() for d in days_in(shelf.folder)[:1]]
    with store.reading() as hot:
        days += hot.first_days() if hot is not None else []
    return min(days) * DAY_MS if days else None
