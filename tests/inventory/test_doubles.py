"""What is there once is recorded once: a box by its serial, a cable in a port."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from inventory.models import Interface
from inventory.problems import BadRowError
from inventory.store import session
from tests.inventory.ipam_world import write

Put = Callable[..., list[str]]


@pytest.fixture
def put(engine: Engine) -> Put:
    """Write rows, and return the problems that kept them out."""

    def written(*rows: tuple[str, dict[str, Any]]) -> list[str]:
        try:
            write(engine, *rows)
        except BadRowError as error:
            return [sentence for _, sentence in error.problems]
        return []

    return written


# --- serials ------------------------------------------------------------------------------------------------------


@pytest.fixture
def one(put: Put) -> Put:
    types = [
        ("device_type", {"name": n, "maker": m, "model": n}) for n, m in (("A1", "Acme"), ("B1", "Bolt"))
    ]
    assert put(*types, ("device", {"name": "sw-1", "serial": "8ED5-0001", "device_type": "A1"})) == []
    return put


def test_one_box_is_not_two_active_rows(one: Put) -> None:
    (problem,) = one(("device", {"name": "sw-dup", "serial": "8ed50001"}))
    assert problem.startswith("sw-1 and sw-dup have one serial, 8ED5-0001: ")
    assert one(("device", {"name": "sw-dup", "serial": "8ED50001", "device_type": "A1"}))
    # A row written before keeps nobody from other work, and a change of it is held.
    assert one(("device", {"name": "sw-dup", "serial": "8ED50001", "status": "spare"})) == []
    assert one(("device", {"name": "sw-1", "notes": "seen"})) == []
    assert one(("device", {"name": "sw-dup", "status": "active"}))
    assert (
        one(
            ("device", {"name": "sw-1", "status": "retired"}),
            ("device", {"name": "sw-dup", "status": "active"}),
        )
        == []
    )


@pytest.mark.parametrize(
    "other",
    [
        {"serial": "8ED50001", "device_type": "B1"},
        {"serial": "8ED50001", "virtual": "yes"},
        {"serial": "8ED50001", "status": "planned"},
        {"serial": "8ED50002"},
        {"serial": "0000"},
        {"serial": "N/A"},
    ],
)
def test_another_box_may_be_called_so(one: Put, other: dict[str, str]) -> None:
    assert (
        one(("device", {"name": "sw-2", **other}), ("device", {"name": "sw-3", **other, "serial": ""})) == []
    )


def test_two_of_one_chassis_may_share_its_serial_and_fillers_are_none(put: Put) -> None:
    shared = {"serial": "FOC1234X5YZ", "chassis": "stack-1"}
    assert put(("device", {"name": "sw-1", **shared}), ("device", {"name": "sw-2", **shared})) == []
    assert put(("device", {"name": "sw-3", "serial": "FOC1234X5YZ", "chassis": "stack-2"}))
    fillers = [("device", {"name": f"pc-{n}", "serial": "To be filled by O.E.M."}) for n in range(3)]
    assert put(*fillers) == []


# --- links --------------------------------------------------------------------------------------------------------


@pytest.fixture
def cabled(put: Put) -> Put:
    devices = [("device", {"name": n, "role": "switch"}) for n in ("a", "b", "c")]
    ports = [("interface", {"device": n, "name": p}) for n in ("a", "b", "c") for p in ("e1", "e2", "bond1")]
    assert put(*devices, *ports, link("one", "a:e1", "b:e1")) == []
    return put


def link(name: str, a: str, z: str = "", **values: Any) -> tuple[str, dict[str, Any]]:
    return "link", {"name": name, "a_interface": a, "z_interface": z, **values}


def test_a_link_has_two_ends(cabled: Put) -> None:
    assert cabled(link("self", "a:e2", "a:e2")) == ["both ends of link 'self' are a:e2"]
    assert cabled(link("loop", "a:e2", "a:bond1")) == []


def test_a_port_holds_one_cable(cabled: Put) -> None:
    assert cabled(link("two", "b:e1", "a:e1")) == [
        "a:e1 is one port and cannot hold 2 cables: one, two",
        "b:e1 is one port and cannot hold 2 cables: one, two",
    ]
    assert cabled(link("two", "a:e1", "c:e1")) == ["a:e1 is one port and cannot hold 2 cables: one, two"]
    assert cabled(link("two", "a:e2", "c:e1")) == []
    assert cabled(link("two", "a:e1", "c:e1")) == ["a:e1 is one port and cannot hold 2 cables: one, two"]


@pytest.mark.parametrize("kind", ["radio", "satellite", "cellular", "other"])
def test_what_reaches_many_is_no_cable(cabled: Put, kind: str) -> None:
    assert cabled(link("two", "a:e1", "c:e1", kind=kind)) == []


def test_what_is_not_there_today_takes_no_port(cabled: Put) -> None:
    assert cabled(link("later", "a:e1", "c:e1", installed="2027-05-01")) == []
    ended = ("contract", {"name": "old", "end": "2026-01-31"})
    assert cabled(ended, link("past", "a:e1", "c:e1", contract="old")) == []
    assert cabled(link("later", "a:e1", "c:e1", installed="2026-05-01"))
    assert cabled(("device", {"name": "c", "status": "retired"}), link("late", "a:e1", "c:e2")) == []


def test_a_circuit_may_come_over_a_cable_and_bundles_hold_many(cabled: Put, engine: Engine) -> None:
    assert cabled(link("circuit", "a:e1")) == []
    bundled = ("interface", {"device": "a", "name": "e2", "parent": "a:bond1"})
    assert cabled(bundled, link("x", "a:bond1", "b:e2"), link("y", "a:bond1", "c:e2")) == []
    with session(engine) as opened:
        port = opened.get(Interface, 1)
        assert port is not None
        port.if_type = 135  # a VLAN
    assert cabled(link("vlan", "a:e1", "c:e1")) == []


def test_an_olt_splits_its_fibre(cabled: Put) -> None:
    olt = ("device", {"name": "olt", "role": "olt"})
    rows = [link(f"onu-{n}", "olt:pon1", f"c:{p}") for n, p in enumerate(("e1", "e2"))]
    assert cabled(olt, ("interface", {"device": "olt", "name": "pon1"}), *rows) == []
