"""The order of changes: one first, leaves before what they hang on, never both ends of a redundant pair."""

from collections.abc import Iterable
from itertools import combinations
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.batches import Batch, Together, batches
from infra.radius import UNKNOWN, radii, radius
from inventory.impact_standing import Failed, after
from inventory.impact_view import View
from inventory.network import build
from inventory.network_rows import DependencyRow, DeviceRow, LinkRow, Rows, ServiceRow

Names = dict[str, int]


def view_of(names: str, links: Iterable[tuple[str, str]], **more: Any) -> tuple[View, Names]:
    """Return a network of single-letter devices of which `c` is the root."""
    ids = {name: i for i, name in enumerate(names, 1)}
    devices = {i: DeviceRow(i, n, "core-router" if n == "c" else "switch") for n, i in ids.items()}
    lines = {i: LinkRow(i, f"{a}-{z}", a=ids[a], z=ids[z]) for i, (a, z) in enumerate(links, 1)}
    network = build(Rows(devices=devices, links=lines, **more))
    return View(network, frozenset([network.node_of[ids["c"]]])), ids


def planned(view: View | None, ids: Names, size: int = 50, canary_from: int = 3) -> list[Batch]:
    return batches(radii(view, ids), Together(view, ids), size, canary_from)


def hosts(found: Iterable[Batch]) -> list[str]:
    return ["".join(b.hosts) for b in found]


def test_leaves_come_before_what_they_hang_on_and_one_goes_first() -> None:
    view, ids = view_of("cabxy", [("c", "a"), ("a", "b"), ("b", "x"), ("b", "y")])
    found = planned(view, ids)
    assert (hosts(found), found[0].canary) == (["x", "y", "b", "a", "c"], True)


def test_what_stands_side_by_side_is_changed_side_by_side() -> None:
    view, ids = view_of("cwxyz", [("c", n) for n in "wxyz"])
    own = {n: ids[n] for n in "wxyz"}
    assert hosts(planned(view, own)) == ["w", "xyz"]
    assert hosts(planned(view, own, size=2)) == ["w", "xy", "z"]


def test_both_ends_of_a_redundant_pair_are_never_away_together() -> None:
    # A ring: either of a and b may be away, and d is still reached by the other.
    view, ids = view_of("cabd", [("c", "a"), ("c", "b"), ("a", "d"), ("b", "d")])
    own = {n: ids[n] for n in "ab"}
    assert hosts(planned(view, own)) == ["a", "b"]
    assert hosts(planned(view, {n: ids[n] for n in "abd"})) == ["d", "a", "b"]


def test_servers_that_stand_in_for_each_other_are_a_pair_too() -> None:
    service = ServiceRow(1, "tax")
    needs = {n: DependencyRow(n, 1, "device", name, "web") for n, name in enumerate("vw", 1)}
    view, ids = view_of("cvw", [("c", "v"), ("c", "w")], services={1: service}, dependencies=needs)
    assert hosts(planned(view, {n: ids[n] for n in "vw"})) == ["v", "w"]
    assert radius(view, ids["v"]).services == ("tax",)


def test_without_a_recorded_network_there_is_an_order_all_the_same() -> None:
    ids = {n: i for i, n in enumerate("abcd")}
    found = planned(None, ids, size=2)
    assert (hosts(found), [b.canary for b in found]) == (["a", "bc", "d"], [True, False, False])
    assert radius(None, 1) is UNKNOWN


def test_two_hosts_need_no_canary() -> None:
    view, ids = view_of("cxy", [("c", "x"), ("c", "y")])
    assert planned(view, {n: ids[n] for n in "xy"}) == [Batch(("x", "y"))]


def test_what_hangs_on_a_host_is_told_in_names() -> None:
    view, ids = view_of("cabx", [("c", "a"), ("a", "b"), ("b", "x")])
    found = radius(view, ids["a"])
    assert (found.devices, found.depth, found.beside) == (2, 1, ("b", "c"))
    assert found.says.startswith("if it fails, it cuts off 2 devices")


@settings(max_examples=40)
@given(st.randoms(use_true_random=False))
def test_a_batch_cuts_off_no_more_than_its_hosts_alone(chance: Random) -> None:
    names = "cabdefgh"
    links = [pair for pair in combinations(names, 2) if chance.random() < 0.3]
    view, ids = view_of(names, links)
    own = {n: i for n, i in ids.items() if chance.random() < 0.7}
    found = planned(view, own, size=chance.randint(1, 8))
    assert sorted("".join(hosts(found))) == sorted(own)

    def lost(some: Iterable[str]) -> set[int]:
        return set(after(view, Failed(devices=frozenset(ids[n] for n in some))).down)

    for batch in found:
        assert lost(batch.hosts) == set().union(*(lost([h]) for h in batch.hosts))
    place = {n: number for number, batch in enumerate(found) for n in batch.hosts}
    for host in own:
        behind = {n for n in own if n != host and ids[n] in lost([host])}
        assert all(place[n] < place[host] for n in behind), "a leaf is done before what it hangs on"
