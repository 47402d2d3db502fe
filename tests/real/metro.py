"""The switch between a router and its agencies: Open vSwitch in a namespace of its own, a trunk and access ports."""

from tests.real import lab as build
from tests.real.machine import RUN

NAME = "metro"
ROOM = RUN / NAME
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
SOCKET = ROOM / "db.sock"


def start(**access: int) -> None:
    """Start it with `trunk` and the access ports given by name and VLAN; the lab's end ends it."""
    ROOM.mkdir()
    ovs("ovsdb-tool", "create", str(ROOM / "conf.db"), SCHEMA)
    ovs("ovsdb-server", str(ROOM / "conf.db"), f"--remote=punix:{SOCKET}", *DAEMON)
    ovs("ovs-vsctl", "--no-wait", "init")
    ovs("ovs-vswitchd", f"unix:{SOCKET}", *DAEMON)
    ports = [word for port, vlan in access.items() for word in ("--", "add-port", "br0", port, f"tag={vlan}")]
    ovs("ovs-vsctl", "--timeout=10", *BRIDGE, "--", "add-port", "br0", "trunk", *ports)


# Frames are carried by the program itself: this kernel need not know Open vSwitch.
BRIDGE = ("add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=netdev")
DAEMON = ("--detach", "--pidfile", "--log-file", "--no-chdir")


def ovs(*command: str) -> str:
    """Return what a command of Open vSwitch prints there; its files are all in the switch's own directory."""
    own = [f"OVS_{part}DIR={ROOM}" for part in ("RUN", "DB", "LOG")]
    return build.read(NAME, "env", *own, *command)
