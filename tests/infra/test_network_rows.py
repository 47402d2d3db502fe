"""What a play is told of an agency's connection, from literal rows of the inventory."""

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.siaga.siaga.plugins.filter.routeros import routeros_value
from infra.network_rows import Known, variables


def known(**changed: Any) -> Known:
    """Return a connection that is complete, but for what is changed in its row."""
    connection = {
        "name": "upt-pajak",
        "agency": "upt-pajak",
        "link": "core-pajak",
        "contract": "SPK-7",
        "prefix": "10.20.8.0/24",
        "interface": "",
        "committed_down_bps": None,
        "committed_up_bps": None,
        **changed,
    }
    return Known(
        connection,
        {"name": "core-pajak", "a_interface": "rtr-core:ether1", "z_interface": "rtr-pajak:ether1"},
        {"name": "SPK-7", "committed_down_bps": 20_000_000, "committed_up_bps": 10_000_000},
        {"name": "pajak", "vid": 64} if changed.get("vlan") else {},
        [
            {"name": "10.20.8.1", "interface": "rtr-core:ether1"},
            {"name": "10.20.9.1", "interface": "rtr-core:ether1"},
        ],
    )


def test_port_address_and_rate_come_from_the_inventory() -> None:
    assert variables(known(), "rtr-core") == {
        "agency_connection": "upt-pajak",
        "agency_name": "upt-pajak",
        "agency_port": "ether1",
        "agency_vlan": 0,
        "agency_interface": "ether1",
        "agency_address": "10.20.8.1/24",
        "agency_down_bps": 20_000_000,
        "agency_up_bps": 10_000_000,
    }


def test_a_vlan_names_the_interface_and_the_connections_own_rate_wins() -> None:
    found = variables(known(vlan="pajak", committed_down_bps=5_000_000), "rtr-core")
    assert (found["agency_vlan"], found["agency_interface"]) == (64, "ether1.64")
    assert (found["agency_down_bps"], found["agency_up_bps"]) == (5_000_000, 10_000_000)


@pytest.mark.parametrize(
    ("device", "changed", "said"),
    [
        ("rtr-other", {}, "neither end of the connection's link is one of its interfaces"),
        ("rtr-core", {"prefix": ""}, "the connection has no prefix"),
        (
            "rtr-core",
            {"prefix": "10.30.0.0/24"},
            "siaga ipam next-address 10.30.0.0/24 --claim device=rtr-core",
        ),
        ("rtr-pajak", {}, "no address of 10.20.8.0/24 is recorded on it"),
    ],
)
def test_what_the_inventory_lacks_is_said(device: str, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("/", ".")):
        variables(known(**changed), device)


def test_a_port_that_linux_does_not_call_so_is_refused_there() -> None:
    found = known(interface="rtr-mauk:ether2 Mauk; reboot", prefix="10.20.9.0/24", link="")
    row = {"name": "10.20.9.2", "interface": "rtr-mauk:ether2 Mauk; reboot"}
    found = replace(found, link={}, addresses=[row])
    with pytest.raises(ValueError, match="'ether2 Mauk; reboot' is not called so on a Linux router"):
        variables(found, "rtr-mauk")
    assert variables(found, "rtr-mauk", linux=False)["agency_port"] == "ether2 Mauk; reboot"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ether2-mauk", "ether2-mauk"),
        ("ether2 Mauk", '"ether2 Mauk"'),
        ("Seksi $a", '"Seksi \\$a"'),
        ("", '""'),
    ],
)
def test_a_value_of_routeros_is_quoted_where_it_must_be(text: str, value: str) -> None:
    assert routeros_value(text) == value
