"""What the readers read from: rows that several of them need, each table once, at one moment of the database."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from sqlmodel import Session, col, select

from inventory import models as inventory
from inventory.models_people import Person
from monitor import lines as bought
from monitor.availability import Window, look
from monitor.outage_read import site
from monitor.samples import Name, SampleStore, Series, open_samples
from monitor.uptimes import Seen
from report import store
from report.questions import Period
from report.rubric import Limits
from siaga.text import safe

_DEEPEST = 32  # places above one another
_NAMED_AT_ONCE = timedelta(days=10)


@dataclass(frozen=True)
class Source:
    """A moment of the database, the samples, and for which period they are asked. `hold_s`: how long a look holds."""

    session: Session
    samples: SampleStore
    period: Period
    limits: Limits
    hold_s: float = 180.0
    home: Path | None = None
    filed: frozenset[date] | None = (
        None  # the days that are known to have had a file; None: those that have one now
    )

    @property
    def window(self) -> Window:
        """The period as the monitor's questions take it."""
        return Window(self.period.since, self.period.until, self.hold_s)

    @property
    def hold_ms(self) -> int:
        """How long a look holds, in milliseconds."""
        return round(self.hold_s * 1000)

    @property
    def day(self) -> date:
        """The last day of the period."""
        return self.period.last_day

    @cached_property
    def places(self) -> Mapping[int, inventory.Place]:
        """All places."""
        return store.everything(self.session, inventory.Place)

    @cached_property
    def agencies(self) -> Mapping[int, inventory.Agency]:
        """All agencies."""
        return store.everything(self.session, inventory.Agency)

    @cached_property
    def providers(self) -> Mapping[int, inventory.Provider]:
        """All providers."""
        return store.everything(self.session, inventory.Provider)

    @cached_property
    def contracts(self) -> Mapping[int, inventory.Contract]:
        """All contracts."""
        return store.everything(self.session, inventory.Contract)

    @cached_property
    def links(self) -> Mapping[int, inventory.Link]:
        """All links."""
        return store.everything(self.session, inventory.Link)

    @cached_property
    def connections(self) -> Mapping[int, inventory.Connection]:
        """All connections."""
        return store.everything(self.session, inventory.Connection)

    @cached_property
    def services(self) -> Mapping[int, inventory.Service]:
        """All applications."""
        return store.everything(self.session, inventory.Service)

    @cached_property
    def people(self) -> Mapping[int, Person]:
        """All people."""
        return store.everything(self.session, Person)

    @cached_property
    def devices(self) -> Mapping[int, inventory.Device]:
        """The devices in service, by id, in the order of their names."""
        return {d.id or 0: d for d in store.active_devices(self.session)}

    @cached_property
    def device_names(self) -> Mapping[int, str]:
        """The names of all devices, also of those that are not in service any more."""
        return {
            i or 0: safe(n) for i, n in self.session.exec(select(inventory.Device.id, inventory.Device.name))
        }

    @cached_property
    def lines(self) -> list[tuple[str, bought.Line]]:
        """The connections, and the links under a contract that none of them uses, with the name each is told by."""
        own = bought.lines(self.session, "connection", (), self.day)
        used = {c.link_id for c in own}
        links = bought.lines(self.session, "link", (), self.day)
        rest = [k for k in links if k.contract_id and k.id not in used]
        taken = {k.name for k in own}
        named = [(k.name, k) for k in own]
        return named + [(f"{k.name} (link)" if k.name in taken else k.name, k) for k in rest]

    @cached_property
    def series(self) -> Mapping[int, set[Name]]:
        """Which series there are in the period, by device.

        Asked some days at a time of a store that is closed again: it looks into the raw file of every day, whose
        mapped pages would count as ours until the end.
        """
        if self.home is None:
            return self.samples.names(self.period.since, self.period.until)
        found: dict[int, set[Name]] = {}
        start = self.period.since
        while start < self.period.until:
            end = min(start + _NAMED_AT_ONCE, self.period.until)
            with open_samples(self.home) as apart:
                for device, names in apart.names(start, end).items():
                    found.setdefault(device, set()).update(names)
            start = end
        return found

    @cached_property
    def view(self) -> Seen:
        """What was seen of every device in service and of every line's device."""
        wanted = {*self.devices, *(k.device_id for _, k in self.lines if k.device_id is not None)}
        return look(self.session, self.samples, sorted(wanted), self.window)

    def above(self, place_id: int | None) -> Iterator[inventory.Place]:
        """Yield a place and those above it, the nearest first."""
        at = place_id
        for _ in range(_DEEPEST):
            place = self.places.get(at or 0)
            if place is None:
                return
            yield place
            at = place.parent_id

    def priority(self, *places: int | None) -> int | None:
        """Return the priority of the first place that has one, itself or above it."""
        return next((p.priority for i in places for p in self.above(i) if p.priority is not None), None)

    def kecamatan(self, *places: int | None) -> str:
        """Return the kecamatan of the first place that lies in one."""
        found = (self.places[p].kecamatan for p in places if p is not None and p in self.places)
        return safe(next((k for k in found if k), ""))

    def place(self, place_id: int | None) -> str:
        """Return the name of a place; '' for none."""
        found = self.places.get(place_id or 0)
        return safe(found.name) if found else ""

    def site(self, place_id: int | None) -> str:
        """Return the name of the site, building or office that a place lies in."""
        found = site(place_id, self.places)
        return self.place(found) if found is not None else ""

    def room(self, place_id: int | None) -> inventory.Place | None:
        """Return the room that a place is or lies in; None where nobody said one."""
        return next((p for p in self.above(place_id) if p.kind == "room"), None)

    def agency(self, agency_id: int | None) -> str:
        """Return the name of an agency as it is printed; '' for none."""
        found = self.agencies.get(agency_id or 0)
        return safe(found.name) if found else ""

    def device(self, device_id: int | None) -> str:
        """Return the name of a device; '' for none."""
        return self.device_names.get(device_id or 0, "")


def digest_of(some: Iterable[Series | None]) -> str:
    """Return the hash of when series have values and which; '' of none at all."""
    digest, any_ = hashlib.sha256(), False
    for one in some:
        if one is not None and len(one.at_ms):
            digest.update(one.at_ms.tobytes() + one.values.tobytes())
            any_ = True
    return digest.hexdigest() if any_ else ""


def held(row: object, day: date) -> bool:
    """Tell whether a row with `active_from` and `active_to` held on a day."""
    since, until = getattr(row, "active_from", None), getattr(row, "active_to", None)
    return (since is None or since <= day) and (until is None or until >= day)


def ordered(session: Session, table: type[store.Row]) -> list[store.Row]:
    """Return every row of a table by its name."""
    return list(session.exec(select(table).order_by(col(table.name))))  # type: ignore[attr-defined]
