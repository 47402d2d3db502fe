"""Outages into the inventory: what siaga found is recorded and kept up, and what a person said stays as it was said.

A row is siaga's own where the history says that `outage detect` wrote it, field by field. A field that anybody else
has written is theirs; a row that somebody removed is not made again; an outage that a person recorded for the same
device and time takes the place of siaga's, and gets its end only if it has none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, and_, col, or_, select

from inventory.impact_targets import roots as found_roots
from inventory.models import Change, Link
from inventory.models_people import Outage
from inventory.network import load as load_network
from inventory.writing import Writer
from monitor.availability import Reach, Window
from monitor.outage_read import Found
from monitor.outages import Cause, Proposed
from monitor.samples import ms_of, time_of
from monitor.topology import hang_on
from siaga.errors import InvalidError
from siaga.text import safe

CAUSE = "outage detect"
_SHOWN = 12  # names in a note


@dataclass(frozen=True)
class Kept:
    """An outage as it was found, and what was done: added, set, same, or left to a person (`theirs`)."""

    name: str
    outage: Proposed
    action: str
    cut_off: tuple[str, ...]
    devices: tuple[str, ...]
    cause: str


def keep(
    session: Session, writer: Writer, found: Found, outages: Iterable[Proposed], window: Window
) -> list[Kept]:
    """Record outages. Raises what the writer raises."""
    cut = _Cut(session, found, window)
    known = list(session.exec(select(Outage).where(_overlapping(window))))
    reach = Reach(session, known, window)
    theirs, removed = _said(session)
    links: dict[int | None, str] = dict(session.exec(select(Link.id, Link.name)).all())
    kept = []
    for one in outages:
        cut_off = cut.behind(one)
        values = _values(one, found, links, cut_off)
        row = next((o for o in known if _same(o, one, reach.devices(o), window)), None)
        name = row.name if row else values["name"]
        action = "same"
        if row is None and name in removed:
            action = "theirs"
        elif row is None or name in theirs or values["name"] == name:
            wanted = _wanted(values, row, theirs.get(name, frozenset()), own=name == values["name"])
            truncated = one.start_ms <= ms_of(window.start)
            if row is not None and truncated:
                wanted.pop("start", None)
            diff = writer.put("outage", {**wanted, "name": name}) if wanted else None
            action = diff.action if diff else "theirs"
        cause = row.cause if row is not None and "cause" in theirs.get(name, ()) else one.cause.value
        devices = tuple(found.names.get(f.device, "?") for f in one.falls)
        kept.append(Kept(name, one, action, cut_off, devices, cause))
    return kept


def _overlapping(window: Window) -> Any:
    open_ = or_(col(Outage.end).is_(None), col(Outage.end) > window.start)
    return and_(col(Outage.start) < window.end, open_)


def _same(row: Outage, one: Proposed, devices: set[int], window: Window) -> bool:
    """Tell whether a recorded outage is of this one's time and of one of its devices."""
    end = one.end_ms if one.end_ms is not None else ms_of(window.end)
    there = ms_of(row.start) < end and (row.end is None or ms_of(row.end) > one.start_ms)
    return there and any(f.device in devices for f in one.falls)


def _said(session: Session) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """Return row name → fields that somebody else has written, and the names that somebody removed."""
    theirs: dict[str, set[str]] = {}
    removed: set[str] = set()
    query = select(Change).where(Change.noun == "outage").order_by(col(Change.id))
    for change in session.exec(query):
        mine = change.cause == CAUSE
        if change.action == "rm":
            removed.add(change.row_name)
        elif change.action == "add":
            removed.discard(change.row_name)
        theirs.setdefault(change.row_name, set()).update(() if mine else change.after)
    return {name: frozenset(fields) for name, fields in theirs.items()}, frozenset(removed)


def _wanted(
    values: Mapping[str, Any], row: Outage | None, theirs: frozenset[str], *, own: bool
) -> dict[str, Any]:
    """Return what to write: of a new row all, of siaga's own what nobody else wrote, of another's a missing end."""
    if row is None:
        return dict(values)
    if not own:
        return {"end": values["end"]} if row.end is None and values["end"] and "end" not in theirs else {}
    # What siaga once knew better stays: a cause is not taken back to unknown when its samples are gone.
    kept = {"cause"} if values["cause"] == Cause.unknown else set()
    return {k: v for k, v in values.items() if k not in theirs | kept | {"name"}}


def _values(
    one: Proposed,
    found: Found,
    links: Mapping[int | None, str],
    cut_off: tuple[str, ...],
) -> dict[str, Any]:
    first = min(one.falls, key=lambda f: (f.start_ms, f.device))
    several = len(one.falls) > 1
    device = found.names.get(first.device, "")
    line = found.lines.get(first.device)
    where = found.places.get(first.site or 0, "")
    what = where if several else device
    by_line = one.cause in (Cause.link, Cause.upstream) and line is not None
    return {
        "name": f"{what} {time_of(one.start_ms):%Y-%m-%d %H.%M.%S}"[:120],
        "place": where,
        "device": "" if several else device,
        "link": links.get(line.link_id, "") if by_line and line is not None else "",
        "start": _iso(one.start_ms),
        "end": _iso(one.end_ms) if one.end_ms is not None else "",
        "cause": one.cause.value,
        "notes": _note(one, found, cut_off),
    }


def _iso(at_ms: int) -> str:
    return time_of(at_ms).isoformat()


def _note(one: Proposed, found: Found, cut_off: tuple[str, ...]) -> str:
    parts = [f"{one.cause.value}: {one.because}"]
    if len(one.falls) > 1:
        parts.append(f"devices: {_listed([found.names.get(f.device, '?') for f in one.falls])}")
    if cut_off:
        parts.append(f"cut off behind: {_listed(cut_off)}")
    return safe("; ".join(parts), 1000)


def _listed(names: Iterable[str]) -> str:
    some = sorted(names)
    more = f" and {len(some) - _SHOWN} more" if len(some) > _SHOWN else ""
    return ", ".join(some[:_SHOWN]) + more


class _Cut:
    """Who was cut off: devices that hang on those that fell, by the recorded network, and were seen unreachable."""

    def __init__(self, session: Session, found: Found, window: Window) -> None:
        self.found = found
        self.network = load_network(session, window.end.date())
        try:
            self.roots = found_roots(session, self.network)
        except InvalidError:  # nothing says where the middle is
            self.roots = frozenset()
        self._hanging: dict[frozenset[int], frozenset[int]] = {}

    def behind(self, one: Proposed) -> tuple[str, ...]:
        """Return the names of who was cut off."""
        fell = frozenset(f.device for f in one.falls)
        end = one.end_ms if one.end_ms is not None else self.found.seen.end_ms
        during = {
            s.device for s in self.found.unreachable if s.start_ms < end and s.end_ms > one.start_ms
        } - fell
        if not during:
            return ()
        if self.roots:
            if fell not in self._hanging:
                self._hanging[fell] = hang_on(self.network, self.roots, fell)
            during &= self._hanging[fell]
        return tuple(sorted(self.found.names.get(d, "?") for d in during))
