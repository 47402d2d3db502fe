"""Impact is held against doing it by hand: take things out, walk from the roots, look what is still there."""

import time
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from inventory.graph import NOBODY, NOT_REACHED, Graph, Line, gates, reached, ways
from inventory.impact import AREAS, impact
from inventory.impact_standing import Failed, after
from inventory.impact_text import headline, text
from inventory.impact_values import Impact
from inventory.impact_view import View
from inventory.impact_worst import Weak, weight, worst
from inventory.network import Network, build
from inventory.network_rows import (
    AgencyRow,
    ConnectionRow,
    ContactRow,
    ContractRow,
    DependencyRow,
    DeviceRow,
    LinkRow,
    PersonRow,
    PlaceRow,
    ProviderRow,
    Rows,
    ServiceRow,
)

CHANCE = st.randoms(use_true_random=False)


def keyed(rows: list[Any]) -> dict[int, Any]:
    return {r.id: r for r in rows}


# --- graphs -----------------------------------------------------------------------------------------------------


def graph_of(chance: Random) -> tuple[Graph, list[int]]:
    size = chance.randint(1, 9)
    lines = tuple(
        Line(chance.randrange(size), chance.randrange(size), chance.random() < 0.3)
        for _ in range(chance.randint(0, 13))
    )
    return Graph(size, lines), [chance.randrange(size) for _ in range(chance.randint(0, 3))]


def walked(graph: Graph, roots: list[int], nodes: set[int], lines: set[int]) -> set[int]:
    found = set(roots) - nodes
    for _ in range(graph.size):
        for number, (a, z, _) in enumerate(graph.lines):
            if number not in lines and {a, z} & found and not {a, z} & nodes:
                found |= {a, z}
    return found


@settings(max_examples=400, deadline=None)
@given(CHANCE)
def test_a_gate_is_what_alone_cuts_a_node_off(chance: Random) -> None:
    graph, roots = graph_of(chance)
    gone = {n for n in range(graph.size) if chance.random() < 0.1}
    tree = gates(graph, roots, gone)
    whole = walked(graph, roots, gone, set())
    assert {i for i in tree.above if i < graph.size} == whole
    for node in whole:
        alone = {n for n in range(graph.size) if node not in walked(graph, roots, gone | {n}, set())}
        alone -= gone
        bridges = {n for n in range(len(graph.lines)) if node not in walked(graph, roots, gone, {n})}
        assert set(tree.path(node)) == alone | {graph.size + n for n in bridges}
    assert all(tree.above[i] == NOBODY or tree.above[i] in tree.order[:n] for n, i in enumerate(tree.order))


@settings(max_examples=300, deadline=None)
@given(CHANCE)
def test_the_best_way_takes_the_fewest_backups_then_the_fewest_hops(chance: Random) -> None:
    graph, roots = graph_of(chance)
    lines = {n for n in range(len(graph.lines)) if chance.random() < 0.2}
    found = ways(graph, roots, frozenset(), lines)
    best: dict[int, tuple[int, int]] = dict.fromkeys(roots, (0, 0))
    for _ in range(graph.size):
        for number, (a, z, backup) in enumerate(graph.lines):
            for one, other in ((a, z), (z, a)):
                if one in best and number not in lines:
                    further = (best[one][0] + backup, best[one][1] + 1)
                    best[other] = min(best.get(other, further), further)
    assert {n for n, c in enumerate(found.cost) if c != NOT_REACHED} == set(best)
    assert {n: divmod(found.cost[n], 1 << 24) for n in best} == best
    assert reached(graph, roots, frozenset(), lines) == set(best)
    for node in best:
        steps = found.to(node)
        assert steps[0][0] in roots
        assert sum(graph.lines[line].backup for _, line in steps[1:]) == best[node][0]
        assert len(steps) - 1 == best[node][1]


# --- whole networks by hand -------------------------------------------------------------------------------------


def rows_of(chance: Random) -> Rows:
    """Draw a small network with everything in it that makes a difference."""

    def some(ids: Any, share: float = 0.7) -> int | None:
        return chance.choice(list(ids)) if ids and chance.random() < share else None

    places = [PlaceRow(1, "Kab", "regency", None, None, None)]
    for i in range(2, chance.randint(3, 7)):
        kind = chance.choice(["kecamatan", "site", "room"])
        people = chance.choice([None, 1000])
        places.append(PlaceRow(i, f"P{i}", kind, chance.randint(1, i - 1), chance.choice([None, 1]), people))
    spots = [p.id for p in places]
    agencies = [AgencyRow(i, f"A{i}", place_id=some(spots)) for i in range(1, chance.randint(2, 4))]
    tenants = [a.id for a in agencies]
    providers = [ProviderRow(1, "PA"), ProviderRow(2, "PB")]
    kinds = ("internet", "circuit")
    contracts = [ContractRow(i, f"C{i}", chance.choice([1, 2]), chance.choice(kinds)) for i in range(1, 4)]
    devices = []
    for i in range(1, chance.randint(2, 10)):
        role = (
            "core-router" if i == 1 else chance.choice(["router", "switch", "ups", "core-router", "server"])
        )
        status = "active" if chance.random() < 0.9 else "planned"
        parent = some(range(1, i), 0.4) if i > 1 else None
        virtual = role == "server" and chance.random() < 0.5
        where = (some(spots), some(tenants, 0.5))
        devices.append(DeviceRow(i, f"d{i}", role, status, *where, parent, virtual, None))
    boxes = [d.id for d in devices]
    links = []
    for i in range(1, chance.randint(1, 14)):
        a, z = some(boxes, 0.95), some(boxes, 0.85)
        role = chance.choice(["primary", "primary", "backup"])
        contract, intra = some([1, 2, 3], 0.4), chance.random() < 0.8
        links.append(LinkRow(i, f"l{i}", i * 2, i * 2 + 1, a, z, contract, role, intra))
    lines = [x.id for x in links]
    connections = [
        ConnectionRow(
            i, f"k{i}", some(tenants), some(spots), some(lines, 0.5), some([1, 2, 3], 0.4), some(boxes)
        )
        for i in range(1, chance.randint(1, 5))
    ]
    services = [
        ServiceRow(i, f"s{i}", place_id=some(spots, 0.3), device_id=some(boxes, 0.6))
        for i in range(1, chance.randint(2, 5))
    ]
    dependencies = []
    for i in range(1, chance.randint(1, 8)):
        noun = chance.choice(["service", "device", "link", "connection"])
        known = {"service": services, "device": devices, "link": links, "connection": connections}[noun]
        target = chance.choice([r.name for r in known] or ["nothing"])
        owner = chance.choice(services).id
        dependencies.append(DependencyRow(i, owner, noun, target, chance.choice(["", "g", "g", "h"])))
    return Rows(
        *map(
            keyed,
            (places, agencies, providers, contracts, devices, links, connections, services, dependencies),
        )
    )


class ByHand:
    """The same questions, answered without graphs, trees or sets of nodes: one walk for each question."""

    def __init__(self, rows: Rows, failed: Failed, roots: set[int]) -> None:
        self.rows, self.failed, self.roots = rows, failed, roots
        self.active = {d.id for d in rows.devices.values() if d.status == "active"}
        self.broken = self.fall(set(failed.devices))
        self.lost_contracts = set(failed.contracts) | {
            c.id for c in rows.contracts.values() if c.provider_id in failed.providers
        }
        self.before = self.walk(set(), set(), set())
        lost = {i for i, x in rows.links.items() if x.contract_id in self.lost_contracts} | failed.links
        self.lost_links = lost
        self.after = self.walk(self.broken, lost, set(failed.providers))
        self.down = self.broken | (self.before - self.after)

    def fall(self, devices: set[int]) -> set[int]:
        """Virtual devices fall with their host, and all with their UPS, again and again."""
        for _ in self.rows.devices:
            for d in self.rows.devices.values():
                above = self.rows.devices.get(d.parent_id or 0)
                if above and {d.id, above.id} <= self.active and (d.virtual or above.role == "ups"):
                    devices = devices | {d.id} if above.id in devices else devices
        return devices

    def ends(self, link: LinkRow) -> set[Any]:
        """The two ends of a link that is a path; a provider's network is an end as well."""
        there = [d for d in (link.a, link.z) if d in self.active]
        contract = self.rows.contracts.get(link.contract_id or 0)
        if len(there) == 2:
            return set(there)
        if (
            len(there) == 1
            and None in (link.a, link.z)
            and contract
            and link.intra
            and contract.kind == "circuit"
        ):
            return {there[0], ("provider", contract.provider_id)}
        return set()

    def walk(self, devices: set[int], links: set[int], providers: set[int]) -> set[int]:
        pairs = [self.ends(x) for i, x in self.rows.links.items() if i not in links]
        pairs += self.assumed()
        gone = devices | {("provider", p) for p in providers}
        found: set[Any] = self.roots - gone
        for _ in range(len(self.rows.devices) + 3):
            for pair in pairs:
                if pair & found and not pair & gone:
                    found |= pair
        return {x for x in found if isinstance(x, int)}

    def assumed(self) -> list[set[Any]]:
        """A parent is a way only where the links, all of them well, do not join the two."""
        found = []
        for d in self.rows.devices.values():
            above = self.rows.devices.get(d.parent_id or 0)
            if not above or not {d.id, above.id} <= self.active or above.role == "ups":
                continue
            if d.virtual or above.id not in self.linked(d.id):
                found.append({d.id, above.id})
        return found

    def linked(self, device: int) -> set[Any]:
        found: set[Any] = {device}
        for _ in range(len(self.rows.devices) + 3):
            for link in self.rows.links.values():
                if self.ends(link) & found:
                    found |= self.ends(link)
        return found

    def device(self, i: int | None) -> str:
        return "down" if i in self.down else "up" if i in self.before else "unknown"

    def under(self, place: int | None) -> set[int]:
        found = {place}
        for _ in self.rows.places:
            found |= {p.id for p in self.rows.places.values() if p.parent_id in found}
        return {i for i in found if i is not None}

    def connection(self, view: View, c: ConnectionRow) -> str:
        if (c.link_id is None and c.contract_id in self.lost_contracts) or c.id in self.failed.connections:
            return "down"
        state = self.device(view.far_end[c.id])
        return "down" if state == "unknown" and c.link_id in self.lost_links else state

    def owner(self, states: list[str]) -> str:
        known = [s for s in states if s != "unknown"]
        if not known or "down" not in known:
            return "stands"
        return "down" if set(known) == {"down"} else "partly"

    def agency(self, view: View, agency: AgencyRow) -> str:
        own = [c for c in self.rows.connections.values() if c.agency_id == agency.id]
        if own:
            return self.owner([self.connection(view, c) for c in own])
        devices = [d for d in self.active if self.rows.devices[d].agency_id == agency.id]
        if not devices and agency.place_id:
            inside = self.under(agency.place_id)
            devices = [d for d in self.active if self.rows.devices[d].place_id in inside]
        return self.owner([self.device(d) for d in devices])

    def place(self, view: View, place: int) -> str:
        inside = self.under(place)
        states = [self.device(d) for d in self.active if self.rows.devices[d].place_id in inside]
        states += [self.connection(view, c) for c in self.rows.connections.values() if c.place_id in inside]
        return self.owner(states)

    def services(self, view: View) -> set[str]:
        down: set[str] = set()
        for _ in range(len(self.rows.services) + 1):
            down |= {s.name for s in self.rows.services.values() if self.falls(view, s, down)}
        return down

    def falls(self, view: View, service: ServiceRow, down: set[str]) -> bool:
        if service.id in self.failed.services:
            return True
        groups: dict[Any, list[str]] = {}
        hosts = []
        for n, d in self.rows.dependencies.items():
            if d.service_id == service.id:
                groups.setdefault(d.group or n, []).append(self.target(view, d, down))
                hosts += [d.target] if d.target_noun == "device" else []
        if service.device_id and self.rows.devices[service.device_id].name not in hosts:
            groups["own"] = [self.device(service.device_id)]
        elif not service.device_id and service.place_id and not groups:
            groups["own"] = ["down" if self.place(view, service.place_id) == "down" else "up"]
        return any("down" in states and "up" not in states for states in groups.values())

    def target(self, view: View, d: DependencyRow, down: set[str]) -> str:
        known: Mapping[str, Mapping[int, Any]] = {
            "service": self.rows.services,
            "device": self.rows.devices,
            "link": self.rows.links,
            "connection": self.rows.connections,
        }
        row = next((r for r in known[d.target_noun].values() if r.name == d.target), None)
        if row is None:
            return "unknown"
        if d.target_noun == "service":
            return "down" if row.name in down else "up"
        if d.target_noun == "connection":
            return self.connection(view, row)
        if d.target_noun == "device":
            return self.device(row.id)
        states = {self.device(i) for i in (row.a, row.z) if i}
        if row.id in self.lost_links or "down" in states:
            return "down"
        return "up" if "up" in states else "unknown"


def failure_of(chance: Random, rows: Rows) -> Failed:
    def drawn(known: Mapping[int, Any], share: float = 0.2) -> frozenset[int]:
        return frozenset(i for i in known if chance.random() < share)

    return Failed(
        drawn(rows.devices),
        drawn(rows.links),
        drawn(rows.connections, 0.1),
        drawn(rows.contracts, 0.1),
        drawn(rows.providers, 0.1),
        drawn(rows.services, 0.1),
    )


def view_of(rows: Rows) -> tuple[View, set[int]]:
    network = build(rows)
    roots = {d.id for d in rows.devices.values() if d.role == "core-router" and d.status == "active"}
    return View(network, frozenset(network.node_of[d] for d in roots)), roots


@settings(max_examples=500, deadline=None)
@given(CHANCE)
def test_an_impact_is_what_one_finds_by_hand(chance: Random) -> None:
    rows = rows_of(chance)
    view, roots = view_of(rows)
    failed = failure_of(chance, rows)
    hand = ByHand(rows, failed, roots)
    said = impact(view.network, failed, view.roots)
    assert {d.name for d in said.devices} == {rows.devices[i].name for i in hand.down}
    agencies = {a.name: hand.agency(view, a) for a in rows.agencies.values()}
    assert {a.name: a.state for a in said.agencies if a.state != "on-backup"} == {
        n: s for n, s in agencies.items() if s != "stands"
    }
    places = {p.name: hand.place(view, i) for i, p in rows.places.items() if p.kind in AREAS}
    assert {p.name: p.state for p in said.places} == {n: s for n, s in places.items() if s != "stands"}
    assert {s.name for s in said.services if s.state == "down"} == hand.services(view)


def cases(view: View) -> Iterator[tuple[str, str, Failed]]:
    """Every failure that a ranking must know: of devices reached, of hosts and UPSes, of links, of providers."""
    network = view.network
    for device in view.known | {network.device_of[n] for n in network.graph.hang_on}:
        yield "device", network.rows.devices[device].name, Failed(devices=frozenset([device]))
    for link in network.rows.links.values():
        line = network.line_of.get(("link", link.id))
        if line is not None and view.before.cost[network.graph.lines[line].a] != NOT_REACHED:
            yield "link", link.name, Failed(links=frozenset([link.id]))
    for provider in network.rows.providers.values():
        yield "provider", provider.name, Failed(providers=frozenset([provider.id]))


@settings(max_examples=500, deadline=None)
@example(Random(164))  # a line that a service needs ends at a box that only hangs on another one
@example(Random(1077))
@given(CHANCE)
def test_the_ranking_is_what_trying_every_failure_gives(chance: Random) -> None:
    view, _ = view_of(rows_of(chance))
    tried = [weight(noun, name, after(view, failed)) for noun, name, failed in cases(view)]
    grave = [w for w in tried if w.agencies or w.services or w.places or w.devices > 1]
    assert worst(view) == sorted(grave, key=lambda w: w.rank)


@settings(max_examples=300, deadline=None)
@given(CHANCE)
def test_what_goes_on_is_told_by_what_it_lost(chance: Random) -> None:
    view, _ = view_of(rows_of(chance))
    graph, network = view.network.graph, view.network
    failed = failure_of(chance, network.rows)
    standing = after(view, failed)
    gone, lines = set(standing.nodes), set(standing.lines)

    def redundant(node: int, nodes: set[int], cut: set[int]) -> bool:
        others = set(range(graph.size)) - view.roots - {node}
        return all(node in walked(graph, [*view.roots], nodes | {n}, cut) for n in others) and all(
            node in walked(graph, [*view.roots], nodes, cut | {n}) for n in range(len(graph.lines))
        )

    thinned, backup = set(), {}
    for node in walked(graph, [*view.roots], gone, lines) - view.roots:
        if node >= len(network.device_of):
            continue
        if standing.after.cost[node] > view.before.cost[node]:
            backup[network.names[node]] = redundant(node, gone, lines)
        elif redundant(node, set(), set()) and not redundant(node, gone, lines):
            thinned.add(network.names[node])
    said = impact(network, failed, view.roots)
    assert {s.name: s.redundant for s in said.on_backup} == backup
    assert set(said.no_longer_redundant) == thinned


# --- a regency one can draw ---------------------------------------------------------------------------------------


def tangerang(**more: list[Any]) -> Network:
    """Two cores; Mauk has fibre and a radio backup, Rajeg fibre only; the server room hangs on both cores."""
    rows = {
        "places": [
            PlaceRow(1, "Kabupaten", "regency"),
            PlaceRow(2, "Mauk", "kecamatan", 1, None, 80_000),
            PlaceRow(3, "Rajeg", "kecamatan", 1, None, 130_000),
            PlaceRow(4, "Kantor Mauk", "site", 2, 1),
            PlaceRow(5, "Kantor Rajeg", "site", 3),
            PlaceRow(6, "Gedung Kominfo", "building", 1),
            PlaceRow(7, "Ruang server", "room", 6),
        ],
        "agencies": [AgencyRow(1, "kec-mauk"), AgencyRow(2, "kec-rajeg"), AgencyRow(3, "diskominfo")],
        "providers": [ProviderRow(1, "PA"), ProviderRow(2, "PB")],
        "contracts": [ContractRow(1, "FO-A", 1, "circuit"), ContractRow(2, "NET-B", 2, "internet")],
        "devices": [
            DeviceRow(1, "core-1", "core-router", place_id=7, agency_id=3),
            DeviceRow(2, "core-2", "core-router", place_id=7, agency_id=3),
            DeviceRow(3, "rtr-mauk", "router", place_id=4, agency_id=1, owner_id=1),
            DeviceRow(4, "rtr-rajeg", "router", place_id=5, agency_id=2),
            DeviceRow(5, "sw-srv", "switch", place_id=7, agency_id=3),
            DeviceRow(6, "host-1", "server", place_id=7, agency_id=3),
            DeviceRow(7, "vm-db", "server", place_id=7, agency_id=3, parent_id=6, virtual=True),
            DeviceRow(8, "ups-1", "ups", place_id=7, agency_id=3),
            DeviceRow(9, "sw-lonely", "switch", place_id=5, agency_id=2),
            DeviceRow(10, "host-2", "server", place_id=7, agency_id=3, parent_id=8),
        ],
        "links": [
            LinkRow(1, "fo-mauk", 11, 31, 1, 3, 1, path_group="utara"),
            LinkRow(2, "radio-mauk", 21, 32, 2, 3, role="backup", path_group="udara"),
            LinkRow(3, "fo-rajeg", 12, 41, 1, 4, 1),
            LinkRow(4, "srv-1", 13, 51, 1, 5),
            LinkRow(5, "srv-2", 23, 52, 2, 5),
            LinkRow(6, "host-1 up", 53, 61, 5, 6),
            LinkRow(7, "host-2 up", 54, 101, 5, 10),
            LinkRow(8, "net", 24, None, 2, None, 2, intra=False),
            LinkRow(9, "nowhere", 91, None, 9, None),
        ],
        "connections": [
            ConnectionRow(1, "k-mauk", 1, 4, 1, 1),
            ConnectionRow(2, "k-rajeg", 2, 5, 3, 1),
        ],
        "services": [
            ServiceRow(1, "oss", device_id=6, criticality=1),
            ServiceRow(2, "e-planning"),
            ServiceRow(3, "portal"),
        ],
        "dependencies": [
            DependencyRow(1, 2, "device", "vm-db", "db"),
            DependencyRow(2, 2, "device", "host-2", "db"),
            DependencyRow(3, 3, "service", "oss"),
        ],
        "contacts": [
            ContactRow(1, 2, "technical", "agency", "kec-rajeg"),
            ContactRow(2, 2, "sla", "provider", "PA"),
        ],
        "people": [PersonRow(1, "Budi", "0811"), PersonRow(2, "Siti", "0812", on_call=True)],
    }
    return build(Rows(**{noun: keyed(found) for noun, found in {**rows, **more}.items()}))


def cut(network: Network, **failed: set[int]) -> Impact:
    view = View(network, frozenset([network.node_of[1], network.node_of[2]]))
    return impact(network, Failed(**{noun: frozenset(ids) for noun, ids in failed.items()}), view.roots)


def test_a_backup_line_keeps_going_and_what_has_none_is_cut_off() -> None:
    said = cut(tangerang(), devices={1})
    assert [(d.name, d.state) for d in said.devices] == [("core-1", "failed"), ("rtr-rajeg", "cut-off")]
    assert said.devices[1].path == ("core-1", "fo-rajeg", "rtr-rajeg")
    (mauk,) = said.on_backup
    assert (mauk.name, mauk.redundant, mauk.doubts) == ("rtr-mauk", False, ())
    assert (mauk.path_before, mauk.path) == (
        ("core-1", "fo-mauk", "rtr-mauk"),
        ("core-2", "radio-mauk", "rtr-mauk"),
    )
    assert said.no_longer_redundant == ("sw-srv",)
    assert [(p.name, p.state) for p in said.cut_off] == [("Kantor Rajeg", "down"), ("Rajeg", "down")]
    assert said.population == 130_000
    assert {a.name: a.state for a in said.agencies} == {
        "kec-rajeg": "down",
        "kec-mauk": "on-backup",
        "diskominfo": "partly",
    }
    assert headline(said) == (
        "cuts off 1 kecamatan, 1 agency, 1 device; 1 agency loses a part; 1 agency keeps going on backup;"
        " 1 device is no longer redundant."
    )


def test_a_provider_takes_all_its_lines_with_it() -> None:
    said = cut(tangerang(), providers={1})
    assert {d.name for d in said.devices} == {"rtr-rajeg"}
    assert [s.name for s in said.on_backup] == ["rtr-mauk"]
    assert cut(tangerang(), contracts={1}).devices == said.devices


def test_a_new_way_along_the_same_route_is_doubted() -> None:
    links = {
        1: LinkRow(1, "fo-mauk", a=1, z=3, path_group="utara"),
        2: LinkRow(2, "fo-2", a=2, z=3, role="backup", path_group="utara", state="conflicting"),
    }
    said = cut(tangerang(links=list(links.values())), links={1})
    assert said.on_backup[0].doubts == ("LLDP contradicts fo-2", "fo-2 runs along utara, as what failed does")


def test_a_host_takes_its_machines_and_a_ups_what_it_feeds() -> None:
    network = tangerang()
    assert [(d.name, d.state) for d in cut(network, devices={6}).devices] == [
        ("host-1", "failed"),
        ("vm-db", "failed"),
    ]
    assert {d.name for d in cut(network, devices={8}).devices} == {"ups-1", "host-2"}


def test_members_of_a_group_stand_in_for_each_other() -> None:
    network = tangerang()
    one = cut(network, devices={6})
    assert [(s.name, s.state, s.because) for s in one.services] == [
        ("oss", "down", "device host-1 is down"),
        ("e-planning", "degraded", "device vm-db is down; device host-2 goes on"),
        ("portal", "down", "service oss is down"),
    ]
    both = cut(network, devices={6, 8})
    assert {s.name: s.because for s in both.services}["e-planning"] == "device vm-db, device host-2 are down"


def test_services_that_need_each_other_stand_until_one_falls() -> None:
    ring = [DependencyRow(1, 2, "service", "portal"), DependencyRow(2, 3, "service", "e-planning")]
    assert cut(tangerang(dependencies=ring), devices={4}).services == ()
    fallen = cut(tangerang(dependencies=ring), services={2}).services
    assert {s.name: s.because for s in fallen} == {
        "e-planning": "it failed itself",
        "portal": "service e-planning is down",
    }


def test_what_was_never_known_to_be_connected_is_not_called_cut_off() -> None:
    said = cut(tangerang(), devices={1, 2})
    assert "sw-lonely" not in {d.name for d in said.devices}
    assert (said.unknown.devices_not_reached, said.unknown.names) == (2, ("sw-lonely", "ups-1"))
    assert said.unknown.links_without_end == 1


def test_two_offices_with_internet_do_not_reach_each_other_by_it() -> None:
    def roof(kind: str, *, intra: bool) -> list[str]:
        contracts = [ContractRow(1, "C", 1, kind)]
        links = [
            LinkRow(1, "core out", a=1, contract_id=1, intra=intra),
            LinkRow(2, "mauk out", a=3, contract_id=1, intra=intra),
        ]
        network = tangerang(contracts=contracts, links=links, connections=[])
        return [d.name for d in cut(network, links={1}).devices]

    assert roof("circuit", intra=True) == [
        "rtr-mauk"
    ]  # by the provider's own network, so the core's line carries it
    assert roof("internet", intra=True) == roof("circuit", intra=False) == []


def test_the_ways_out_are_told() -> None:
    said = cut(tangerang(), devices={2})
    assert (said.exits_lost, said.exits_left) == (("net (PB, on core-2)",), ())
    assert "left: NONE" in text(said)
    plain = [ConnectionRow(9, "Internet", 3, 6, None, 2, 1)]  # a contract and a device, and no link recorded
    assert cut(tangerang(connections=plain), devices={2}).exits_left == ("Internet (PB, on core-1)",)


def test_those_concerned_are_told_the_one_on_call_first() -> None:
    said = cut(tangerang(), providers={1}, devices={3})
    assert [(p.name, p.parts) for p in said.people] == [
        ("Siti", (("sla", "provider", "PA"), ("technical", "agency", "kec-rajeg"))),
        ("Budi", (("owner", "device", "rtr-mauk"),)),
    ]


def test_a_parent_is_a_way_only_where_no_links_lead() -> None:
    devices = [
        DeviceRow(1, "core-1", "core-router"),
        DeviceRow(2, "core-2", "core-router"),
        DeviceRow(3, "a", parent_id=1),
        DeviceRow(4, "b", parent_id=1),
    ]
    empty: dict[str, list[Any]] = {"connections": [], "services": [], "dependencies": []}
    network = tangerang(devices=devices, links=[LinkRow(1, "l", a=1, z=3)], **empty)
    assert [w.name for w in network.wires] == ["l", "b (parent)"]
    assert {d.name for d in cut(network, links={1}).devices} == {"a"}


def test_the_text_is_a_tree_under_one_line() -> None:
    assert text(cut(tangerang(), devices={4}), ["rtr-rajeg"]).splitlines()[:5] == [
        "If rtr-rajeg fails, it cuts off 1 kecamatan, 1 agency.",
        "130,000 people live in the places cut off.",
        "",
        "DOWN",
        "  Rajeg: kecamatan, cut off, 130,000 people",
    ]
    shown = text(cut(tangerang(), links={1}), paths=True)
    assert "rtr-mauk (router, Kantor Mauk); nothing to fall back on after this" in shown
    assert "now: core-2 –[radio-mauk]– rtr-mauk" in shown


def test_foreign_text_is_made_safe() -> None:
    devices = [DeviceRow(1, "core-1\x1b[2J", "core-router"), DeviceRow(2, "x", "core-router")]
    network = tangerang(devices=devices, services=[], dependencies=[])
    assert "\x1b" not in text(cut(network, devices={1}))


def test_the_ranking_names_the_worst_first() -> None:
    network = tangerang()
    found = worst(View(network, frozenset([0, 1])))
    assert found[:4] == [
        Weak("device", "sw-srv", services=3, devices=4),
        Weak("device", "host-1", services=2, devices=2),
        Weak("link", "host-1 up", services=2, devices=2),
        Weak("device", "core-1", kecamatan=1, places=2, agencies=1, devices=2),
    ]
    assert ("device", "ups-1") in {(w.noun, w.name) for w in found}


def test_ten_thousand_devices_take_no_time() -> None:
    chance = Random(1)
    devices = [DeviceRow(i, f"d{i}", "core-router" if i < 3 else "switch") for i in range(1, 10_001)]
    links = [LinkRow(i, f"l{i}", a=chance.randrange(1, i), z=i) for i in range(3, 10_001)]
    network = build(Rows(devices=keyed(devices), links=keyed(links)))
    began = time.process_time()
    assert len(impact(network, Failed(devices=frozenset([1, 2])), [0, 1]).devices) == 10_000
    assert len(worst(View(network, frozenset([0, 1])))) > 1000
    assert (
        time.process_time() - began < 3
    )  # a tenth of it on a machine at rest: quadratic work would take minutes


def test_a_chain_as_long_as_the_regency_is_no_trouble() -> None:
    devices = [DeviceRow(i, f"d{i}", "core-router" if i == 1 else "switch") for i in range(1, 3001)]
    links = [LinkRow(i, f"l{i}", a=i - 1, z=i) for i in range(2, 3001)]
    network = build(Rows(devices=keyed(devices), links=keyed(links)))
    found = worst(View(network, frozenset([0])))
    assert (found[0].name, found[0].devices) == ("d1", 3000)
