"""What breaks if this fails: places, agencies, services and people cut off, and what goes on by another way.

`impact` is pure: from a recorded network, what fails and the roots, it makes one value with names in it. Three things
are told apart for what is not cut off: *on backup* has lost its best way and goes on by a worse one (a backup line,
or more hops); *no longer redundant* goes on as before, but one more failure of a link or device would cut it off;
*not known to be connected* was reached from no root before, so nothing is claimed about it.
"""

from collections.abc import Iterable, Mapping

from inventory.graph import NOBODY, NOT_REACHED, Gates, Ways, gates
from inventory.impact_doubts import careful, down_on
from inventory.impact_people import failed_names, people, unknown
from inventory.impact_standing import Failed, Standing, State, after
from inventory.impact_values import Application, Area, Impact, Loss, Survivor, Tenant
from inventory.impact_view import Requirement, View
from inventory.network import Network
from inventory.network_rows import PlaceRow

# A room or a rack is no place to be cut off.
AREAS = ("regency", "kecamatan", "desa", "kelurahan", "site", "building")


def impact(network: Network, failed: Failed, roots: Iterable[int]) -> Impact:
    """Return what breaks; `roots` are nodes of the graph, from which everything must be reached."""
    return told(after(View(network, frozenset(roots)), failed))


def told(standing: Standing) -> Impact:
    """Return a standing in names."""
    view = standing.view
    tree = gates(view.network.graph, view.roots, standing.nodes, standing.lines)
    areas = _areas(standing)
    thinned = _thinned(standing, tree)
    return Impact(
        failed=tuple(failed_names(standing)),
        roots=tuple(sorted(view.network.names[r] for r in view.roots)),
        devices=tuple(_losses(standing)),
        on_backup=tuple(_survivors(standing, tree)),
        no_longer_redundant=tuple(sorted(view.network.names[n] for n in thinned)),
        places=areas,
        population=_population(standing),
        agencies=tuple(_tenants(standing)),
        services=tuple(_applications(standing)),
        exits_lost=_exits(standing, lost=True),
        exits_left=_exits(standing, lost=False),
        people=tuple(people(standing)),
        unknown=unknown(view),
        careful=careful(standing, thinned),
    )


def _where(network: Network, device_id: int) -> tuple[str, str, str, str]:
    rows = network.rows
    device = rows.devices[device_id]
    place, agency = rows.places.get(device.place_id or 0), rows.agencies.get(device.agency_id or 0)
    return device.name, device.role, place.name if place else "", agency.name if agency else ""


def path(network: Network, ways: Ways, node: int) -> tuple[str, ...]:
    """Return the way to a node as names: root, line, node, line, … node; empty if it is not reached."""
    found: list[str] = []
    for at, line in ways.to(node):
        found += [network.wires[line].name, network.names[at]] if line >= 0 else [network.names[at]]
    return tuple(found)


def _losses(standing: Standing) -> list[Loss]:
    network, before = standing.view.network, standing.view.before
    hit = _hit_areas(standing)
    found = []
    for device in standing.down:
        node = network.node_of.get(device)
        way = path(network, before, node) if node is not None else ()
        state = "failed" if device in standing.broken else "cut-off"
        inside = _around(network.rows.places, network.rows.devices[device].place_id, hit)
        found.append(Loss(*_where(network, device), inside, state, way))
    return sorted(found, key=lambda loss: loss.name)


def _redundant(standing: Standing, tree: Gates, node: int) -> bool:
    """Tell whether no single link or device, but for a root, stands between the roots and this node."""
    above = tree.above.get(node)
    return above is not None and (above == NOBODY or above in standing.view.roots)


def _survivors(standing: Standing, tree: Gates) -> list[Survivor]:
    network, view = standing.view.network, standing.view
    found = []
    for device in standing.backup:
        node = network.node_of[device]
        doubts = _doubts(standing, node)
        ways = (path(network, view.before, node), path(network, standing.after, node))
        found.append(Survivor(*_where(network, device), *ways, _redundant(standing, tree, node), doubts))
    return sorted(found, key=lambda survivor: survivor.name)


def _doubts(standing: Standing, node: int) -> tuple[str, ...]:
    network = standing.view.network
    wires = [network.wires[line] for _, line in standing.after.to(node) if line >= 0]
    routes = {network.wires[n].path_group for n in standing.lines} - {""}
    doubts = [f"LLDP contradicts {w.name}" for w in wires if w.conflicting]
    doubts += [
        f"{w.name} runs along {w.path_group}, as what failed does" for w in wires if w.path_group in routes
    ]
    return (*doubts, *down_on(standing, node))


def _thinned(standing: Standing, tree: Gates) -> list[int]:
    """Return the nodes of devices that go on as before, but were redundant and are so no longer."""
    view, network = standing.view, standing.view.network
    found = []
    for device in view.known - standing.down - standing.backup:
        node = network.node_of[device]
        was = node not in view.roots and _redundant(standing, view.gates, node)
        if was and not _redundant(standing, tree, node):
            found.append(node)
    return found


def _hit_areas(standing: Standing) -> dict[int, State]:
    places = standing.view.network.rows.places
    touched = (State.down, State.partly)
    return {i: s for i, s in standing.places.items() if s in touched and places[i].kind in AREAS}


def _areas(standing: Standing) -> tuple[Area, ...]:
    places, hit = standing.view.network.rows.places, _hit_areas(standing)
    found = []
    for place_id, state in hit.items():
        place = places[place_id]
        inside = _around(places, place.parent_id, hit)
        found.append(Area(place.name, place.kind, str(state), inside, place.priority, place.population))
    return tuple(sorted(found, key=lambda area: area.name))


def _around(places: Mapping[int, PlaceRow], at: int | None, hit: Mapping[int, State]) -> str:
    """Return the name of the nearest place touched, from `at` outwards."""
    left = 64
    while at is not None and left:
        if at in hit:
            return places[at].name
        at, left = places[at].parent_id if at in places else None, left - 1
    return ""


def _population(standing: Standing) -> int | None:
    """Return how many people live in the places that are wholly cut off, nobody counted twice; None if unknown."""
    network = standing.view.network
    lost = {i for i, s in standing.places.items() if s is State.down}
    outermost = [i for i in lost if network.rows.places[i].parent_id not in lost]
    found = [n for i in outermost for n in _people_in(network, i)]
    return sum(found) if found else None


def _people_in(network: Network, place_id: int) -> list[int]:
    waiting, found, left = [place_id], [], len(network.rows.places)
    while waiting and left:
        at, left = waiting.pop(), left - 1
        known = network.rows.places[at].population
        if known is None:
            waiting += network.inside.get(at, ())
        else:
            found.append(known)
    return found


def _tenants(standing: Standing) -> list[Tenant]:
    rows = standing.view.network.rows.agencies
    found = [Tenant(rows[i].name, rows[i].title, rows[i].kind, str(s)) for i, s in standing.agencies.items()]
    return sorted(found, key=lambda agency: agency.name)


def _applications(standing: Standing) -> list[Application]:
    rows = standing.view.network.rows
    found = []
    for service_id, state in standing.services.items():
        if state is State.up:
            continue
        service = rows.services[service_id]
        agency = rows.agencies.get(service.agency_id or 0)
        found.append(
            Application(
                service.name,
                service.title,
                agency.name if agency else "",
                service.criticality,
                str(state),
                _because(standing, service_id, state),
            )
        )
    return sorted(found, key=lambda one: (one.criticality or 9, one.name))


def _because(standing: Standing, service_id: int, state: State) -> str:
    if service_id in standing.failed.services:
        return "it failed itself"
    for needed in standing.view.needed[service_id]:
        if standing.requirement(needed, standing.services) is state:
            return _phrase(standing, needed, state)
    return ""


def _phrase(standing: Standing, needed: Requirement, state: State) -> str:
    members = {f"{m.noun} {m.name}": standing.member(m, standing.services) for m in needed.members}
    fallen = [name for name, s in members.items() if s is State.down]
    left = [name for name, s in members.items() if s not in (State.down, State.unknown)]
    if state is State.backup:
        return f"{left[0]} is on backup"
    if state is State.degraded and not fallen:
        return f"{left[0]} is degraded"
    if state is State.degraded:
        return f"{', '.join(fallen)} is down; {', '.join(left)} goes on"
    unsure = [name for name, s in members.items() if s is State.unknown]
    hint = f"; {', '.join(unsure)} is not known to be connected" if unsure else ""
    return f"{', '.join(fallen)} {'is' if len(fallen) == 1 else 'are'} down{hint}"


def _exits(standing: Standing, *, lost: bool) -> tuple[str, ...]:
    """Return the lines out of the network that were there before and are lost, or left."""
    view, network = standing.view, standing.view.network
    found = []
    for line, device in network.exits.items():
        gone = line in standing.lines or standing.device(device) is State.down
        before = device in view.known and view.before.cost[network.node_of[device]] != NOT_REACHED
        if before and gone is lost:
            wire = network.wires[line]
            provider = network.names[network.graph.lines[line].z].removeprefix("provider:")
            found.append(f"{wire.name} ({provider}, on {network.rows.devices[device].name})")
    return tuple(sorted(found))
