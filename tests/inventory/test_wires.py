"""A link is confirmed or in conflict by what its ends hear; silence says nothing."""

import pytest

from inventory.wires import CONFIRMED, CONFLICTING, MISSING, Heard, Known, Port, Wire, judge, port_key

A, B, C = 1, 2, 3
NAMES = {A: "rtr-core", B: "rtr-mauk", C: "sw-cc"}
PORTS = [
    Port(10, A, "ether1"), Port(11, A, "ether2", "48:8f:5a:00:00:02"), Port(20, B, "ether1", "48:8f:5a:00:01:01"),
    Port(21, B, "ether2"), Port(30, C, "GigabitEthernet1/0/1"), Port(31, C, "GigabitEthernet1/0/11"),
]  # fmt: skip
SIGNS = {
    **{n: frozenset({i}) for i, n in NAMES.items()},
    "48:8f:5a:00:01:01": frozenset({B}),
    "10.3.1.1": frozenset({B}),
    "mikrotik": frozenset({A, B}),
}
KNOWN = Known(NAMES, PORTS, SIGNS)
LINK = Wire(1, "core-mauk", 10, 20)


def states(*heard: Heard, links: tuple[Wire, ...] = (LINK,)) -> list[tuple[str | None, str]]:
    return [(v.link.name if v.link else None, v.state) for v in judge(links, heard, KNOWN)]


@pytest.mark.parametrize(
    ("heard", "state"),
    [
        (Heard(A, ("ether1",), "rtr-mauk", port=("ether1",)), CONFIRMED),
        (Heard(A, ("ether1",), "rtr-mauk.tangerangkab.go.id", port=("ether1",)), CONFIRMED),
        (Heard(A, ("ether1",), "RTR-MAUK", port=("48:8f:5a:00:01:01",)), CONFIRMED),
        (Heard(A, ("ether1",), "", "48:8f:5a:00:01:01"), CONFIRMED),
        (Heard(A, ("ether1",), "MikroTik", address="10.3.1.1"), CONFIRMED),
        (Heard(B, ("ether1",), "rtr-core", port=("ether1",)), CONFIRMED),
        (Heard(A, ("ether1",), "rtr-mauk", port=("ether2",)), CONFLICTING),
        (Heard(A, ("ether1",), "sw-cc", port=("Gi1/0/1",)), CONFLICTING),
    ],
)
def test_what_an_end_hears_tells_of_its_link(heard: Heard, state: str) -> None:
    assert states(heard)[0] == ("core-mauk", state)


@pytest.mark.parametrize(
    "heard",
    [
        [],
        [Heard(A, ("ether1",), "telepon-3")],  # nobody's
        [Heard(A, ("ether1",), "MikroTik")],  # two are called so: nobody can tell
        [Heard(A, ("wlan9",), "rtr-mauk", port=("ether1",))],  # at a port that is not recorded
    ],
)
def test_nothing_that_can_be_told_apart_says_nothing(heard: list[Heard]) -> None:
    assert states(*heard) == []


def test_one_end_that_is_wrong_is_a_conflict_though_the_other_is_right() -> None:
    right = Heard(A, ("ether1",), "rtr-mauk", port=("ether1",))
    wrong = Heard(B, ("ether1",), "sw-cc", port=("Gi1/0/1",))
    (link, *_) = judge((LINK,), (right, wrong), KNOWN)
    assert (link.state, link.because) == (CONFLICTING, "rtr-mauk:ether1 hears sw-cc, not rtr-core")


def test_over_a_deaf_bridge_the_right_one_among_several_is_enough() -> None:
    both = Heard(A, ("ether1",), "sw-cc"), Heard(A, ("ether1",), "rtr-mauk", port=("ether1",))
    assert states(*both)[0] == ("core-mauk", CONFIRMED)


def test_who_hear_each_other_without_a_link_are_told_once() -> None:
    there = Heard(A, ("ether2",), "sw-cc", port=("Gi1/0/11",))
    back = Heard(C, ("GigabitEthernet1/0/11",), "rtr-core", port=("ether2",))
    (missing,) = judge((LINK,), (there, back), KNOWN)
    assert (missing.link, missing.state, missing.a, missing.z) == (
        None,
        MISSING,
        "rtr-core:ether2",
        "sw-cc:GigabitEthernet1/0/11",
    )


def test_short_forms_of_a_port_are_the_port() -> None:
    assert port_key("Gi1/0/1") == port_key("GigabitEthernet1/0/1") == port_key("gigabitethernet 1/0/1")
    assert port_key("Gi1/0/1") != port_key("Gi1/0/11")
    assert port_key("Te1/1") != port_key("Gi1/1")
    assert port_key("bridge") == "bridge"
