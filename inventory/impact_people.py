"""Who is to be told of an impact, and what the records leave open."""

from collections.abc import Mapping, Sequence
from typing import Any

from inventory.impact_standing import Standing, State
from inventory.impact_values import Told, Unknown
from inventory.impact_view import View


def failed_names(standing: Standing) -> list[str]:
    """Return what fails, as 'noun name'."""
    rows, failed = standing.view.network.rows, standing.failed
    nouns: Mapping[str, tuple[Mapping[int, Any], frozenset[int]]] = {
        "device": (rows.devices, failed.devices),
        "link": (rows.links, failed.links),
        "connection": (rows.connections, failed.connections),
        "contract": (rows.contracts, failed.contracts),
        "provider": (rows.providers, failed.providers),
        "service": (rows.services, failed.services),
    }
    return [
        f"{noun} {name}"
        for noun, (known, ids) in nouns.items()
        for name in sorted(known[i].name for i in ids)
    ]


def _hit(standing: Standing) -> set[tuple[str, str]]:
    """Return what people are told of: (noun, name) of everything that failed, is down, partly down or degraded."""
    rows = standing.view.network.rows
    found = {(noun, name) for noun, _, name in (text.partition(" ") for text in failed_names(standing))}
    found |= {("device", rows.devices[d].name) for d in standing.down}
    bad = (State.down, State.partly, State.degraded)
    found |= {("agency", rows.agencies[i].name) for i, s in standing.agencies.items() if s in bad}
    found |= {("place", rows.places[i].name) for i, s in standing.places.items() if s is State.down}
    found |= {("service", rows.services[i].name) for i, s in standing.services.items() if s in bad}
    return found | {("link", rows.links[i].name) for i in standing.links}


def people(standing: Standing) -> list[Told]:
    """Return who has a part in what is hit: contacts, and the owners of devices; those on call first."""
    rows, hit = standing.view.network.rows, _hit(standing)
    parts: dict[int, set[tuple[str, str, str]]] = {}
    for contact in rows.contacts.values():
        if (contact.target_noun, contact.target) in hit:
            parts.setdefault(contact.person_id, set()).add(
                (contact.role, contact.target_noun, contact.target)
            )
    for device in standing.down:
        owner = rows.devices[device].owner_id
        if owner is not None:
            parts.setdefault(owner, set()).add(("owner", "device", rows.devices[device].name))
    found = [_told(rows.people[i], sorted(some)) for i, some in parts.items()]
    return sorted(found, key=lambda one: (not one.on_call, one.name))


def _told(person: Any, parts: Sequence[tuple[str, str, str]]) -> Told:
    _, name, phone, telegram, email, on_call, on_duty = person
    return Told(name, phone, telegram, email, bool(on_call), on_duty, tuple(parts))


def unknown(view: View) -> Unknown:
    """Return what the records leave open."""
    network = view.network
    unlinked = network.unlinked
    missing = sorted(network.rows.devices[d].name for d in network.node_of if d not in view.known)
    rows = network.rows
    open_ended = sum(("link", i) not in network.line_of for i, x in rows.links.items() if not rows.absent(x))
    return Unknown(len(unlinked), len(missing), open_ended, tuple(missing[:10]))
