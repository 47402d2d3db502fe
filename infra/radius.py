"""The blast radius of each host: what hangs on it, in names, from the recorded network (`siaga impact`)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from inventory import impact_targets, impact_text, network
from inventory.graph import NOT_REACHED
from inventory.impact import told
from inventory.impact_standing import Failed, after
from inventory.impact_values import Impact
from inventory.impact_view import View
from inventory.network import Network
from siaga.errors import SiagaError

BESIDE = 12  # devices next to a host that are looked at after a change


@dataclass(frozen=True)
class Radius:
    """What hangs on one host. `says` is one sentence; `beside` are its direct neighbours, `depth` its hops from a root.

    `depth` is None where no recorded line leads to it: nothing is known of what hangs on it.
    """

    says: str
    depth: int | None = None
    devices: int = 0
    places: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


UNKNOWN = Radius("no line to it is recorded: what hangs on it is not known")


def open_view(session: Session, today: date) -> View | None:
    """Return the recorded network as its roots see it, or None where nothing says where its middle is."""
    known = network.load(session, today)
    try:
        return View(known, impact_targets.roots(session, known))
    except SiagaError:
        return None


def radii(view: View | None, devices: Mapping[str, int]) -> dict[str, Radius]:
    """Return the radius of each device, by name; `devices` is name → id."""
    return {name: radius(view, device) for name, device in devices.items()}


def radius(view: View | None, device: int) -> Radius:
    """Return what hangs on one device."""
    node = view.network.node_of.get(device) if view else None
    if view is None or node is None or view.before.cost[node] == NOT_REACHED:
        return UNKNOWN
    found = told(after(view, Failed(devices=frozenset([device]))))
    return Radius(
        f"if it fails, it {impact_text.headline(found)}",
        len(view.before.to(node)) - 1,
        sum(d.state == "cut-off" for d in found.devices),
        tuple(p.name for p in found.cut_off),
        tuple(a.name for a in found.agencies if a.state in ("down", "partly")),
        _services(found),
        _beside(view.network, node),
    )


def _services(found: Impact) -> tuple[str, ...]:
    return tuple(s.name for s in found.services)


def _beside(known: Network, node: int) -> tuple[str, ...]:
    devices = {n for n, _ in known.graph.near[node] if n < len(known.device_of)}
    return tuple(sorted(known.names[n] for n in devices)[:BESIDE])


def from_plain(stored: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> dict[str, Radius]:
    """Return the radii that a plan was stored with."""
    return {n: _from(stored[n]) if n in stored else UNKNOWN for n in names}


def _from(row: Mapping[str, Any]) -> Radius:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Radius(**values)
