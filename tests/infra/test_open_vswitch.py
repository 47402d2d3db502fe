"""What Open vSwitch would carry at a port, from literal answers of ovs-vsctl."""

import pytest

from ansible_collections.siaga.siaga.plugins.filter.open_vswitch import mac_for, no_vlan_because

PLAIN = ["[]", "[]", "[]"]
TAKEN = "Open vSwitch has a port 'eth1.72' already, which this connection did not make."


def refused(settings: str) -> str:
    """Return what is said of a port that does not carry VLAN 72."""
    return f"Open vSwitch does not carry VLAN 72 at port 'eth1' ({settings})."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (PLAIN, ""),
        ([*PLAIN, "kec-mekar-baru"], ""),
        ([*PLAIN, '"kec-mekar-baru"'], ""),
        ([*PLAIN, "another"], TAKEN),
        ([*PLAIN, ""], TAKEN),
        (["72", "[]", "[]"], ""),
        (["64", "[]", "[]"], refused("tag 64")),
        (["[]", "[72]", "[]"], ""),
        (["[]", "[64, 72]", "[]"], ""),
        (["[]", "[64, 65]", "trunk"], refused("trunks [64, 65], vlan_mode trunk")),
        (["64", "[]", "native-untagged"], ""),
        (["64", "[64, 65]", '"native-tagged"'], refused("tag 64, trunks [64, 65], vlan_mode native-tagged")),
        (["64", "[72]", "dot1q-tunnel"], refused("tag 64, trunks [72], vlan_mode dot1q-tunnel")),
    ],
)
def test_a_vlan_is_had_where_the_port_carries_it_and_nobody_elses_port_is_taken(
    answer: list[str], said: str
) -> None:
    assert no_vlan_because(answer, "eth1", "eth1.72", 72, "kec-mekar-baru") == said


@pytest.mark.parametrize(("kind", "heard"), [("internal", True), ('""', False)])
def test_without_a_vlan_an_address_is_heard_on_internal_ports_alone(kind: str, heard: bool) -> None:
    said = no_vlan_because([*PLAIN, kind], "eth1", "eth1", 0, "kec-mekar-baru")
    assert bool(said) is not heard


def test_an_address_keeps_its_mac_which_no_maker_gave_out() -> None:
    assert mac_for("10.77.72.1/29") == mac_for("10.77.72.1/29") != mac_for("10.77.73.1/29")
    assert int(mac_for("10.77.72.1/29").split(":")[0], 16) & 3 == 2, "unicast, locally administered"
