"""What an alarm is judged in: rules, the recorded network, windows of maintenance, silences, routes.

Read in a few queries and used for many rounds; the service reads it again each half minute, and after a reload.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlmodel import Session, select

from inventory import network as networks
from inventory.impact_targets import roots as found_roots
from inventory.network import Network
from inventory.select import selected
from monitor import maintenance
from monitor.models import Maintenance, Silence
from monitor.rules.book import Book, open_book
from monitor.rules.files import Rules
from monitor.rules.subjects import Wired
from monitor.state import Standing, World
from monitor.store import parents
from monitor.topology import Topology, of_parents, topology
from siaga.errors import InvalidError, SiagaError
from siaga.settings import Settings


@dataclass(frozen=True)
class Hushed:
    """A silence as it holds now: `devices` None means every one, `rule` '' every rule."""

    rule: str
    devices: frozenset[int] | None
    until: datetime


@dataclass(frozen=True)
class Ends:
    """A recorded link at the end that tells of it: the interface there, and the device at the other end."""

    device: int
    interface_id: int
    far: int | None
    wired: Wired


@dataclass(frozen=True)
class Scene:
    """What holds while a round is judged; `problems` are sentences on what could not be read."""

    settings: Settings
    book: Book
    world: World
    windows: Mapping[str, tuple[Maintenance, frozenset[int]]] = field(default_factory=dict)
    silences: tuple[Hushed, ...] = ()
    selectors: Mapping[str, frozenset[int]] = field(default_factory=dict)
    ends: tuple[Ends, ...] = ()
    problems: tuple[str, ...] = ()

    def silent_until(self, device: int | None, rule: str) -> datetime | None:
        """Return until when nobody is told of this rule on this device, or None."""
        found = [
            s.until
            for s in self.silences
            if s.rule in ("", rule) and (s.devices is None or device in s.devices)
        ]
        return max(found, default=None)

    def routed(self, device: int | None) -> frozenset[str]:
        """Return the selectors of routes that select this device."""
        return frozenset(text for text, ids in self.selectors.items() if device in ids)


def open_scene(
    session: Session,
    settings: Settings,
    now: datetime,
    before: Rules | None = None,
    *,
    patient: bool = False,
) -> Scene:
    """Read the scene. `patient`: who asks follows the machine's wishes (`Probe`); without, it is told at once."""
    book = open_book(session, settings.home, before, patient=patient)
    network = networks.load(session, now.date())
    known, roots = _topology(session, network)
    zone = settings.timezone
    windows = maintenance.open_windows(session, now, zone)
    world = World(
        topology=known,
        limits=book.limits,
        maintenance=maintenance.in_maintenance(session, windows, network, roots),
        watch_uplink=bool(settings.alarms.uplink),
        blind_share=settings.alarms.blind_share,
    )
    problems = list(book.problems)
    return Scene(
        settings,
        book,
        world,
        windows={w.name: (w, maintenance.members(session, w)) for w in windows},
        silences=_silences(session, now),
        selectors={r.when: _ids(session, r.when, problems) for r in settings.routes if r.when},
        ends=tuple(_ends(network, known)),
        problems=tuple(problems),
    )


def _topology(session: Session, network: Network) -> tuple[Topology, frozenset[int]]:
    try:
        roots = found_roots(session, network)
    except InvalidError:  # nothing says where the middle is: what is recorded as being in front must do
        return of_parents(parents(session)), frozenset()
    return topology(network, roots), roots


def _silences(session: Session, now: datetime) -> tuple[Hushed, ...]:
    found = []
    for row in session.exec(select(Silence).where(Silence.at <= now, Silence.until > now)):
        ids = _ids(session, row.selector, []) if row.selector else None
        found.append(Hushed(row.rule, ids, row.until))
    return tuple(found)


def _ids(session: Session, selector: str, problems: list[str]) -> frozenset[int]:
    try:
        return frozenset(selected(session, "device", selector))
    except SiagaError as error:
        problems.append(f"'{selector}' cannot be read: {error.sentence.splitlines()[0]}")
        return frozenset()


def far_ends(session: Session, today: date | None) -> dict[int, tuple[int, int | None]]:
    """Return link id → (device at the near end, device at the far end or None), seen from where siaga stands."""
    network = networks.load(session, today)
    known, _ = _topology(session, network)
    named = {link.name: link.id for link in network.rows.links.values()}
    return {named[e.wired.link]: (e.device, e.far) for e in _ends(network, known)}


def _ends(network: Network, known: Topology) -> list[Ends]:
    """Return each link at its end nearer to siaga: the other end cannot tell when the link is cut."""
    hops = _hops(known)
    found = []
    for link in network.rows.links.values():
        if network.rows.absent(link):
            continue
        sides = [(link.a, link.a_interface_id, link.z), (link.z, link.z_interface_id, link.a)]
        near = [(d, i, far) for d, i, far in sides if d in network.node_of and i is not None]
        if not near:
            continue
        device, interface, far = min(near, key=lambda side: hops.get(side[0] or 0, len(hops) + 1))
        assert device is not None
        assert interface is not None
        found.append(Ends(device, interface, far, Wired(link.name, link.role)))
    return found


def _hops(known: Topology) -> dict[int, int]:
    hops = dict.fromkeys(known.roots, 0)
    waiting = list(known.roots)
    for at in waiting:  # grows while it is walked
        for other in known.near.get(at, ()):
            if other not in hops:
                hops[other] = hops[at] + 1
                waiting.append(other)
    return hops


def away(standing: Standing | None) -> bool:
    """Tell whether a device is not there, or may not be: silent just now, or held to be away."""
    return standing is not None and (standing.silent or standing.beneath.value in ("down", "unreachable"))
