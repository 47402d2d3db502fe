"""Counts of devices and agencies in three values: up, down, not observed."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from report.facts import Connection, Device, Facts, Seen


@dataclass(frozen=True)
class Count:
    """How many are up, down and not observed; `degraded` of the up ones answer but are not well."""

    up: int = 0
    down: int = 0
    unobserved: int = 0
    degraded: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.up + self.down + self.unobserved

    @property
    def observed(self) -> int:
        """Those of which something is known."""
        return self.up + self.down


def count(devices: Iterable[Device]) -> Count:
    """Count devices by what was seen of them."""
    some = list(devices)
    seen = Counter(d.seen for d in some)
    degraded = sum(d.degraded for d in some if d.seen is Seen.up)
    return Count(seen[Seen.up], seen[Seen.down], seen[Seen.unobserved], degraded)


def grouped(devices: Iterable[Device], *fields: str) -> dict[tuple[str, ...], Count]:
    """Count devices by the named fields, in the order of the fields' values."""
    groups: dict[tuple[str, ...], list[Device]] = defaultdict(list)
    for device in devices:
        groups[tuple(getattr(device, f) for f in fields)].append(device)
    return {key: count(groups[key]) for key in sorted(groups)}


def agency_seen(connections: Iterable[Connection], devices: dict[int, Device]) -> dict[str, Seen]:
    """Return what is seen of each connected agency: one connection up is enough; down only if none is up.

    An agency of which some connection is down and another not observed is not observed: it may be up.
    """
    states: dict[str, set[Seen]] = defaultdict(set)
    for connection in connections:
        device = devices.get(connection.device_id) if connection.device_id is not None else None
        if connection.agency:
            states[connection.agency].add(device.seen if device else Seen.unobserved)
    return {agency: best(seen) for agency, seen in states.items()}


def best(seen: Collection[Seen]) -> Seen:
    """Return the state of an agency by those of its connections, of which there is one at least."""
    return next(s for s in (Seen.up, Seen.unobserved, Seen.down) if s in seen)


@dataclass(frozen=True)
class Reach:
    """Of the agencies of some kinds: how many there are, have a connection, and are seen up."""

    denominator: int
    recorded: int
    connected: int
    up: int
    down: int
    unobserved: int
    dated: str
    source: str


def reach(facts: Facts, kinds: tuple[str, ...]) -> Reach:
    """Count the agencies of `kinds` against the dated denominator, or the inventory where there is none."""
    names = {a.name for a in facts.agencies if a.kind in kinds}
    by_id = {d.id: d for d in facts.devices}
    seen = {k: v for k, v in agency_seen(facts.connections, by_id).items() if k in names}
    dated = [d for d in facts.denominators if d.kind in kinds]
    whole = {d.kind for d in dated} == set(kinds)
    tally = Counter(seen.values())
    return Reach(
        denominator=sum(d.count for d in dated) if whole else len(names),
        recorded=len(names),
        connected=len(seen),
        up=tally[Seen.up],
        down=tally[Seen.down],
        unobserved=tally[Seen.unobserved],
        dated="; ".join(dict.fromkeys(d.as_of for d in dated)) if whole else "",
        source="; ".join(dict.fromkeys(d.source for d in dated)) if whole else "",
    )
