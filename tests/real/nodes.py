"""What each node of the lab is made of: addresses, links, daemons and the files that make them.

    noc 10.77.0.10 ─┐
    srv1 10.77.0.21 ─┤ bridge in its own namespace
    srv2 10.77.0.22 ─┤
    srv3 10.77.0.23 ─┤
    rtr1 10.77.0.1  ─┤      rtr1 eth1 10.77.9.1/30 ── 10.77.9.2/30 eth1 srv1
    kec1 10.77.0.2  ─┤      kec1 eth1 ── eth0 opd
    kec2 10.77.0.4  ─┘      kec2 eth1 ══ trunk metro access1 ── eth0 opd2, access2 ── eth1 noc

`noc` is where siaga runs and has no daemon. `srv1` has an SNMP agent set up by hand and is only read. `srv2`
is a server as the installer leaves it, to be provisioned, `srv3` one that the plays beside the baseline work on.
`rtr1` is a router with FRR, and the time server; `kec1` the router of a kecamatan, which an agency is connected to:
`opd`, a namespace without a daemon. `kec2` is a router whose ports Open vSwitch has: a trunk leads to `metro`, a switch
with VLANs (tests/real/metro.py), where `opd2` and the office that noc stands in are connected. The passwords guard
namespaces that live for minutes and that no packet can leave, so they stand here in the open.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

COMMUNITY = "lab-regency-ro"
SNMP_USER = "poller"
SNMP_AUTH = "auth-lab-balaraja"
SNMP_PRIV = "priv-lab-cisoka"
SSH_PASSWORD = "lab-kronjo-2077"


@dataclass(frozen=True)
class Node:
    """One machine of the lab; `booted` nodes run systemd, the others are a namespace only.

    `bare` are packages of this machine that the node lacks and can install from an archive of its own; `tun`: it may
    make tunnels of programs (WireGuard, where the kernel has none).
    """

    name: str
    address: str = ""
    services: tuple[str, ...] = ()
    shell: str = "/bin/bash"
    bare: tuple[str, ...] = ()
    tun: bool = False
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def booted(self) -> bool:
        """Whether the node is a container with its own file system."""
        return bool(self.services)


SNMPD = f"""\
agentaddress udp:161
rocommunity {COMMUNITY} 10.77.0.0/24
createUser {SNMP_USER} SHA-256 {SNMP_AUTH} AES {SNMP_PRIV}
rouser {SNMP_USER} authpriv
sysLocation Ruang server, Tigaraksa
sysContact noc@lab.invalid
sysName {{name}}
"""

FRR = """\
frr defaults traditional
hostname rtr1
service integrated-vtysh-config
!
interface eth0
 description LAN Tigaraksa
 ip address 10.77.0.1/24
exit
!
interface eth1
 description Balaraja 100 Mbps
 ip address 10.77.9.1/30
exit
!
interface eth2
 description spare
 shutdown
exit
!
ip route 10.77.200.0/24 10.77.9.2
!
"""

# No container has a screen: the compositor draws where nobody sees it.
NO_SCREEN = """\
[Service]
TTYPath=
TTYReset=no
TTYVHangup=no
StandardInput=null
Environment=WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 WLR_RENDERER=pixman
"""

KEC_FRR = """\
frr defaults traditional
hostname {name}
service integrated-vtysh-config
!
interface eth0
 description Jaringan kabupaten
 ip address {address}/24
exit
!
router ospf
 network 10.77.0.0/24 area 0
exit
!
"""


def kecamatan(name: str, address: str, *services: str) -> Node:
    """Return a kecamatan's router: FRR, and tunnels of programs (WireGuard, the ports of Open vSwitch)."""
    return Node(
        name,
        address,
        ("ssh.service", "frr.service", *services),
        shell="/usr/bin/vtysh",
        tun=True,
        files={
            "etc/frr/frr.conf": KEC_FRR.format(name=name, address=address),
            "etc/frr/daemons": 'ospfd=yes\nvtysh_enable=yes\nzebra_options="-A 127.0.0.1"\n',
            "etc/frr/vtysh.conf": f"service integrated-vtysh-config\nhostname {name}\n",
            # A container loads no modules: where the kernel has none for Open vSwitch, it works without.
            "etc/modprobe.d/lab.conf": "install openvswitch /bin/true\n",
        },
    )


# eth2 of rtr1 ends in the bridge's namespace, attached to nothing.
LINKS = (
    ("noc", "eth0", "sw", "port1"),
    ("srv1", "eth0", "sw", "port2"),
    ("srv2", "eth0", "sw", "port3"),
    ("rtr1", "eth0", "sw", "port4"),
    ("srv3", "eth0", "sw", "port5"),
    ("kec1", "eth0", "sw", "port6"),
    ("kec2", "eth0", "sw", "port7"),
    ("kec1", "eth1", "opd", "eth0"),
    ("kec2", "eth1", "metro", "trunk"),
    ("opd2", "eth0", "metro", "access1"),
    ("noc", "eth1", "metro", "access2"),
    ("rtr1", "eth1", "srv1", "eth1"),
    ("rtr1", "eth2", "sw", "spare"),
)
ADDRESSES = {
    ("noc", "eth0"): "10.77.0.10/24",
    ("srv1", "eth0"): "10.77.0.21/24",
    ("srv1", "eth1"): "10.77.9.2/30",
    ("srv2", "eth0"): "10.77.0.22/24",
    ("srv3", "eth0"): "10.77.0.23/24",
    ("opd", "eth0"): "10.77.64.2/29",
    ("opd2", "eth0"): "10.77.72.2/29",
    ("noc", "eth1"): "10.77.73.2/29",
}

NODES = {
    node.name: node
    for node in (
        Node("noc", "10.77.0.10"),
        Node("sw"),
        Node("opd"),
        Node("opd2"),
        Node("metro"),
        Node(
            "srv1",
            "10.77.0.21",
            ("ssh.service", "snmpd.service"),
            files={"etc/snmp/snmpd.conf": SNMPD.format(name="srv1")},
        ),
        Node("srv2", "10.77.0.22", ("ssh.service",), bare=("chrony", "snmpd")),
        Node(
            "srv3",
            "10.77.0.23",
            ("ssh.service",),
            bare=("cage",),
            files={"etc/systemd/system/siaga-wallboard.service.d/lab.conf": NO_SCREEN},
        ),
        kecamatan("kec1", "10.77.0.2"),
        kecamatan("kec2", "10.77.0.4", "openvswitch-switch.service"),
        Node(
            "rtr1",
            "10.77.0.1",
            ("ssh.service", "snmpd.service", "frr.service", "chrony.service"),
            shell="/usr/bin/vtysh",
            files={
                "etc/snmp/snmpd.conf": SNMPD.format(name="rtr1"),
                "etc/chrony/chrony.conf": "local stratum 8\nallow 10.77.0.0/16\n",
                "etc/frr/frr.conf": FRR,
                "etc/frr/vtysh.conf": "service integrated-vtysh-config\nhostname rtr1\n",
            },
        ),
    )
}

# Where no host answers, for what siaga says about an unreachable one.
NOBODY = "10.77.0.99"

SSHD = """\
PasswordAuthentication yes
PermitRootLogin no
AllowUsers netops ops citra
"""

# A container may not set the clock, which is the machine's own: chronyd measures (-x) and never adjusts, and
# Debian's unit, which is skipped for want of CAP_SYS_TIME, is told to start.
CHRONY_UNIT = """\
[Unit]
ConditionCapability=
[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd -x $DAEMON_OPTS
"""

COMMON = {
    "etc/hosts": "127.0.0.1 localhost\n"
    + "".join(f"{n.address} {n.name}\n" for n in NODES.values() if n.address),
    "etc/resolv.conf": "",
    "etc/ssh/sshd_config.d/lab.conf": SSHD,
    "etc/systemd/system/chrony.service.d/lab.conf": CHRONY_UNIT,
    "etc/sudoers.d/ops": "ops ALL=(ALL) NOPASSWD: ALL\n",
    # The machine's own daily timers (apt, man-db) have no business here; masked by an empty unit file.
    "etc/systemd/system/timers.target": "",
    # A developer's shell files can cost a second per login.
    "root/.bashrc": "",
}


def target(node: Node) -> str:
    """Return the systemd target that starts only what this node needs, not all that the machine has."""
    wanted = " ".join(
        ("dbus.service", "systemd-logind.service", "systemd-user-sessions.service", *node.services)
    )
    return f"""\
[Unit]
Description=A node of the lab
Requires=basic.target
After=basic.target
AllowIsolate=yes
Wants={wanted}
"""
