"""What an impact says, in names only: one frozen value, whose JSON is stable."""

from dataclasses import dataclass, field

from inventory.impact_standing import State


@dataclass(frozen=True)
class Loss:
    """A device that is down. `state`: failed (it, its host or its UPS) or cut-off. `path`: the way that was.

    `inside` is the nearest of the places touched, for a device may stand in a room of it.
    """

    name: str
    role: str
    place: str
    agency: str
    inside: str
    state: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Survivor:
    """A device that goes on by another way. `redundant`: one more failure cannot cut it off.

    `doubts` say why the new way may not hold: LLDP contradicts it, it shares the route of what failed, or something
    on it is down now.
    """

    name: str
    role: str
    place: str
    agency: str
    path_before: tuple[str, ...]
    path: tuple[str, ...]
    redundant: bool
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class Area:
    """A place that is down or partly so; `inside` is the nearest place around it that is touched as well."""

    name: str
    kind: str
    state: str
    inside: str
    priority: int | None
    population: int | None


@dataclass(frozen=True)
class Tenant:
    """An agency that is touched: down, partly or on-backup."""

    name: str
    title: str
    kind: str
    state: str


@dataclass(frozen=True)
class Application:
    """A service that is down, degraded or on-backup, and why, as one phrase."""

    name: str
    title: str
    agency: str
    criticality: int | None
    state: str
    because: str


@dataclass(frozen=True)
class Told:
    """Somebody to tell: the parts that person has in what is hit, as (role, noun, name)."""

    name: str
    phone: str
    telegram: str
    email: str
    on_call: bool
    on_duty: str
    parts: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Unknown:
    """What the records do not tell, so that nothing is claimed about it."""

    devices_without_line: int = 0
    devices_not_reached: int = 0
    links_without_end: int = 0
    names: tuple[str, ...] = ()  # the first few of the devices


@dataclass(frozen=True)
class Impact:
    """What a failure does. Names only, in the order of the alphabet; paths are node, line, node … from the root.

    `careful`: sentences on what is recorded and cannot be counted on: lines that are not there, or down now.
    """

    failed: tuple[str, ...]
    roots: tuple[str, ...]
    devices: tuple[Loss, ...] = ()
    on_backup: tuple[Survivor, ...] = ()
    no_longer_redundant: tuple[str, ...] = ()
    places: tuple[Area, ...] = ()
    population: int | None = None
    agencies: tuple[Tenant, ...] = ()
    services: tuple[Application, ...] = ()
    exits_lost: tuple[str, ...] = ()
    exits_left: tuple[str, ...] = ()
    people: tuple[Told, ...] = ()
    unknown: Unknown = field(default_factory=Unknown)
    careful: tuple[str, ...] = ()

    @property
    def cut_off(self) -> tuple[Area, ...]:
        """The places that are wholly cut off."""
        return tuple(p for p in self.places if p.state == State.down)

    @property
    def priority_1(self) -> tuple[str, ...]:
        """The places of the first priority that are touched."""
        return tuple(p.name for p in self.places if p.priority == 1)
