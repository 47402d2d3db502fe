"""What a person means by `siaga impact X`: the rows that fail, and the devices everything must be reached from."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlmodel import Session, col, select

from inventory.impact_standing import Failed
from inventory.models import Device, Interface
from inventory.network import Network
from inventory.select import selected
from siaga.errors import InvalidError, NotFoundError, UsageError
from siaga.text import safe

NOUNS = ("device", "link", "place", "provider", "contract", "connection", "service", "path")


def resolved(session: Session, network: Network, words: Sequence[str]) -> Failed:
    """Return what fails when all of this fails together.

    A word is the name of a device, link, place, provider, contract, connection, service or path group; NOUN:NAME
    where two nouns have the name; DEVICE:PORT for an interface. Raises NotFoundError (`no-such-name`) or
    UsageError (`ambiguous-name`).
    """
    found = [_one(session, network, word.strip()) for word in words]
    return Failed(**{f.name: frozenset().union(*(getattr(x, f.name) for x in found)) for f in fields(Failed)})


def _one(session: Session, network: Network, word: str) -> Failed:
    before, colon, after = word.partition(":")
    if colon:
        port = _port(session, network, before, after)
        if port is not None:
            return port
        if before in NOUNS:
            return _named(network, after, [before])
        raise NotFoundError("no-such-name", f"No device '{safe(before)}' has a port '{safe(after)}'.")
    return _named(network, word, NOUNS)


def _known(network: Network) -> Mapping[str, Mapping[str, Any]]:
    """Return for each noun its names, and what is meant by each."""
    rows = network.rows
    nouns: Mapping[str, Mapping[int, Any]] = {
        "device": rows.devices,
        "link": rows.links,
        "place": rows.places,
        "provider": rows.providers,
        "contract": rows.contracts,
        "connection": rows.connections,
        "service": rows.services,
    }
    known: dict[str, dict[str, Any]] = {n: {r.name: r.id for r in some.values()} for n, some in nouns.items()}
    return {
        **known,
        "path": {link.path_group: link.path_group for link in rows.links.values() if link.path_group},
    }


def _named(network: Network, name: str, nouns: Sequence[str]) -> Failed:
    known = _known(network)
    meant = [n for n in nouns if name in known[n]]
    if not meant:
        raise _missing(name, [n for noun in nouns for n in known[noun]], nouns)
    if len(meant) > 1:
        several = " or ".join(f"{n}:{name}" for n in meant)
        raise UsageError("ambiguous-name", f"'{safe(name)}' is the name of several things: write {several}.")
    return _FAILING[meant[0]](network, known[meant[0]][name])


def _missing(name: str, names: Sequence[str], nouns: Sequence[str]) -> NotFoundError:
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    what = (
        nouns[0]
        if len(nouns) == 1
        else "device, link, place, provider, contract, connection, service or path"
    )
    return NotFoundError("no-such-name", f"No {what} is called '{safe(name)}'.{hint}")


_FAILING: Mapping[str, Callable[[Network, Any], Failed]] = {
    "device": lambda _, i: Failed(devices=frozenset([i])),
    "link": lambda _, i: Failed(links=frozenset([i])),
    "place": lambda n, i: Failed(devices=_in_place(n, i)),
    "provider": lambda _, i: Failed(providers=frozenset([i])),
    "contract": lambda _, i: Failed(contracts=frozenset([i])),
    "connection": lambda n, i: _of_connection(n, i),
    "service": lambda _, i: Failed(services=frozenset([i])),
    "path": lambda n, p: Failed(links=frozenset(k for k, x in n.rows.links.items() if x.path_group == p)),
}


def _in_place(network: Network, place_id: int) -> frozenset[int]:
    places = network.under([place_id])
    return frozenset(d for d in network.node_of if network.rows.devices[d].place_id in places)


def _of_connection(network: Network, connection_id: int) -> Failed:
    link = network.rows.connections[connection_id].link_id
    return Failed(connections=frozenset([connection_id]), links=frozenset([link] if link else []))


def _port(session: Session, network: Network, device: str, port: str) -> Failed | None:
    """Return what fails with an interface and its members, or None if there is no such interface."""
    query = select(Interface.id).join(Device, col(Device.id) == col(Interface.device_id))
    found = {i for i in session.exec(query.where(Device.name == device, Interface.name == port)) if i}
    if not found:
        return None
    members: set[int] = found
    for _ in range(4):  # a member of a bond of a bridge: no deeper than this
        query = select(Interface.id).where(col(Interface.parent_id).in_(members))
        members = {i for i in session.exec(query) if i} - found
        if not members:
            break
        found |= members
    links = network.rows.links.values()
    on_it = (x.id for x in links if x.a_interface_id in found or x.z_interface_id in found)
    rows = network.rows.connections.values()
    alone = (c.id for c in rows if c.interface_id in found and c.link_id is None)
    return Failed(links=frozenset(on_it), connections=frozenset(alone))


def notes(network: Network, failed: Failed) -> list[str]:
    """Return the sentences on what was asked for and cannot do anything, so that nobody takes it for good news."""
    idle = sorted(network.rows.devices[d].name for d in failed.devices if d not in network.node_of)
    found = [f"{safe(name)} is not active: it carries nothing." for name in idle[:5]]
    rows = network.rows
    gone = [(rows.links[i].name, rows.absent(rows.links[i])) for i in failed.links]
    found += [f"{safe(name)} {reason}: it carries nothing." for name, reason in sorted(gone)[:5] if reason]
    if failed == Failed():
        found.append("No active device, link or connection is recorded there: nothing is known to fail.")
    return found


def roots(session: Session, network: Network, selector: str = "") -> frozenset[int]:
    """Return the nodes from which everything must be reached.

    The devices selected; without a selector the active core routers; without any, the ends of the lines to the
    providers. Raises NotFoundError (`nothing-selected`) or InvalidError (`no-root`).
    """
    if selector:
        found = [network.node_of[d] for d in selected(session, "device", selector) if d in network.node_of]
        if not found:
            raise NotFoundError("nothing-selected", f"No active device matches '{safe(selector)}'.")
        return frozenset(found)
    core = [n for d, n in network.node_of.items() if network.rows.devices[d].role == "core-router"]
    return frozenset(core or [*_outside(network)]) or _refused()


def _outside(network: Network) -> Iterable[int]:
    yield from network.provider_node.values()
    yield from (network.graph.lines[line].z for line in network.exits)


def _refused() -> frozenset[int]:
    raise InvalidError(
        "no-root",
        "Nothing says where the middle of the network is: give the core devices role=core-router, record the lines"
        " to the providers, or name devices with --root.",
    )
