"""VLANs of a real router whose ports Open vSwitch has: two agencies over one trunk, and a wrong VLAN that goes back."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.real import lab as build
from tests.real import metro
from tests.real.conftest import Lab
from tests.real.machine import until
from tests.real.nodes import NODES
from tests.real.plays import Works

pytestmark = pytest.mark.real

# siaga itself stands in the second office: what cuts that one off cuts siaga off.
REGENCY = f"""\
place:
  - {{name: Kabupaten Contoh, kind: regency}}
  - {{name: Kresek, kind: kecamatan, parent: Kabupaten Contoh}}
  - {{name: Kantor Kresek, kind: site, parent: Kresek}}
agency:
  - {{name: kec-kresek, title: Kecamatan Kresek, kind: kecamatan, place: Kantor Kresek}}
  - {{name: pkm-kresek, title: Puskesmas Kresek, kind: puskesmas, place: Kantor Kresek}}
provider:
  - {{name: Penyedia B}}
contract:
  - {{name: SPK-12/2026, provider: Penyedia B, kind: circuit, committed_down_bps: 8000000, committed_up_bps: 4000000}}
device:
  - {{name: kec2, role: router, platform: linux, place: Kantor Kresek, address: {NODES["kec2"].address},
     ssh_credential: ops}}
  - {{name: metro, role: switch, place: Kantor Kresek, status: planned}}
interface:
  - {{device: kec2, name: eth1}}
  - {{device: metro, name: trunk}}
vlan:
  - {{name: pkm-kresek, vid: 72}}
  - {{name: kec-kresek, vid: 73}}
prefix:
  - {{name: 10.77.72.0/29, place: Kantor Kresek, agency: pkm-kresek}}
  - {{name: 10.77.73.0/29, place: Kantor Kresek, agency: kec-kresek}}
address:
  - {{name: 10.77.72.1, interface: "kec2:eth1"}}
  - {{name: 10.77.73.1, interface: "kec2:eth1"}}
link:
  - {{name: kec2-metro, kind: fibre, a_interface: "kec2:eth1", z_interface: "metro:trunk", contract: SPK-12/2026}}
connection:
  - {{name: pkm-kresek, agency: pkm-kresek, place: Kantor Kresek, device: kec2, link: kec2-metro,
     contract: SPK-12/2026, vlan: pkm-kresek, prefix: 10.77.72.0/29}}
  - {{name: kec-kresek, agency: kec-kresek, place: Kantor Kresek, device: kec2, link: kec2-metro,
     contract: SPK-12/2026, vlan: kec-kresek, prefix: 10.77.73.0/29}}
"""

UNIT = "siaga-connection-kec-kresek.service"


@pytest.fixture(scope="module")
def router(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Works:
    """kec2 with both connections made."""
    metro.start(access1=72, access2=73)
    lab.read("kec2", "ovs-vsctl", "--timeout=10", *metro.BRIDGE, "--", "add-port", "br0", "eth1")
    for node, interface in (("opd2", "eth0"), ("noc", "eth1")):
        # What a program reads of a veth has no checksum yet, unless the sender makes it.
        lab.read(node, "ethtool", "-K", interface, "tx", "off")
    works = Works(lab, tmp_path_factory.mktemp("home"))
    works.begin(REGENCY)
    connect(works, "pkm-kresek", "ospf_area=0")
    connect(works, "kec-kresek")
    return works


def connect(works: Works, name: str, *given: str, confirm_s: int = 20, code: int = 0) -> str:
    """Plan, approve and apply a connection; return the difference that the plan showed."""
    plan = works.plan("agency-connection", "kec2", f"connection={name}", f"confirm_s={confirm_s}", *given)
    assert (plan.code, plan.host["status"]) == (0, "changed"), plan.report
    works.approve(plan)
    done = works.apply(plan)
    assert done.code == code, done.report
    return plan.diff if not code else str(done.report)


def ping(lab: Lab, node: str, address: str) -> bool:
    """Whether an address answers a node."""
    return lab.run(node, "ping", "-c1", "-W1", address).returncode == 0


# Prints every frame of an interface as `type VLAN source`; the kernel hands the tag over beside the frame
# (PACKET_AUXDATA of packet(7): tp_status, tp_len, tp_snaplen, tp_mac, tp_net, tp_vlan_tci, tp_vlan_tpid).
LISTENER = """
import socket, struct, sys
heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
heard.bind((sys.argv[1], 0))
heard.setsockopt(263, 8, 1)
print("listening", flush=True)
while True:
    frame, beside, _, _ = heard.recvmsg(2048, 256)
    status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", beside[0][2])
    kind, vlan = (tpid, tci & 4095) if status & 16 else struct.unpack("!HH", frame[12:16])
    vlan = vlan & 4095 if kind == 0x8100 else 0
    print(f"{kind:04x} {vlan} {frame[6:12].hex(':')}", flush=True)
"""


@contextmanager
def listening(lab: Lab, node: str, interface: str) -> Iterator[list[str]]:
    """Collect the frames of an interface while the block lasts; they are there after it."""
    process = subprocess.Popen(
        build.inside(node, sys.executable, "-c", LISTENER, interface), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "listening\n"
    frames: list[str] = []
    try:
        yield frames
    finally:
        process.kill()
        frames += process.communicate()[0].splitlines()


def mac(lab: Lab, node: str, interface: str) -> str:
    """Return the MAC address of an interface."""
    return lab.read(node, "cat", f"/sys/class/net/{interface}/address").strip()


def test_each_agency_reaches_its_router_in_its_own_vlan_on_the_trunk(router: Works) -> None:
    lab = router.lab
    with listening(lab, "metro", "trunk") as frames:
        assert ping(lab, "opd2", "10.77.72.1")
        assert ping(lab, "noc", "10.77.73.1")
    ends = {mac(lab, "kec2", "eth1.72"): "72", mac(lab, "opd2", "eth0"): "72"}
    ends |= {mac(lab, "kec2", "eth1.73"): "73", mac(lab, "noc", "eth1"): "73"}
    seen = {tuple(frame.split()) for frame in frames}
    assert seen >= {("8100", vlan, end) for end, vlan in ends.items()}
    assert {(kind, vlan) for kind, vlan, _ in seen} <= {("8100", "72"), ("8100", "73")}, "nothing untagged"


def test_the_agencies_do_not_see_each_other(router: Works) -> None:
    lab = router.lab
    lab.read("opd2", "ip", "address", "add", "10.77.73.3/29", "dev", "eth0")
    with listening(lab, "noc", "eth1") as frames:
        assert not ping(lab, "opd2", "10.77.73.2")
        assert ping(lab, "kec2", "10.77.73.2")
    lab.read("opd2", "ip", "address", "del", "10.77.73.3/29", "dev", "eth0")
    sources = {frame.split()[2] for frame in frames}
    assert mac(lab, "kec2", "eth1.73") in sources
    assert mac(lab, "opd2", "eth0") not in sources, "not even its broadcasts"


def test_the_prefix_is_announced_to_the_next_router(router: Works) -> None:
    ask = ("vtysh", "-c", "show ip route 10.77.72.0/29")
    until("kec1 has the route", lambda: '"ospf"' in router.lab.read("kec1", *ask), wait_s=60)
    assert "10.77.0.4" in router.lab.read("kec1", *ask)


GIVER = """
import socket, sys
with socket.create_server(("", 7000)) as server:
    print("listening", flush=True)
    line, _ = server.accept()
    line.sendall(bytes(int(sys.argv[1])))
"""
TAKER = """
import socket, sys, time
begun, taken = time.monotonic(), 0
line = socket.create_connection((sys.argv[1], 7000), 30)
while part := line.recv(65536):
    taken += len(part)
print(taken, time.monotonic() - begun)
"""


@pytest.mark.parametrize(
    ("giver", "address", "taker", "size", "least_s"),
    [("kec2", "10.77.72.1", "opd2", 2_100_000, 1.9), ("opd2", "10.77.72.2", "kec2", 1_550_000, 1.9)],
)
def test_what_the_contract_promises_is_what_goes_through(
    router: Works, giver: str, address: str, taker: str, size: int, least_s: float
) -> None:
    """Down 1 MB a second after a burst of a tenth; up 0.5 MB a second after the burst and what a second grants.

    (The kernel's bucket for bytes holds both: tokens_max in net/netfilter/nft_limit.c.)
    """
    lab = router.lab
    process = subprocess.Popen(
        build.inside(giver, sys.executable, "-c", GIVER, str(size)), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "listening\n"
        taken, took_s = lab.read(taker, sys.executable, "-c", TAKER, address).split()
    finally:
        process.kill()
        process.communicate()
    assert int(taken) == size
    assert float(took_s) >= least_s


def test_a_restart_of_open_vswitch_keeps_the_connection(router: Works) -> None:
    before = mac(router.lab, "kec2", "eth1.72")
    router.lab.read("kec2", "systemctl", "restart", "openvswitch-switch")
    until("the router answers", lambda: ping(router.lab, "opd2", "10.77.72.1"))
    assert mac(router.lab, "kec2", "eth1.72") == before, "which the agency's end still knows"
    assert "tbf" in router.lab.read("kec2", "tc", "qdisc", "show", "dev", "eth1.72")


def test_a_second_time_there_is_nothing_to_do(router: Works) -> None:
    again = router.plan("agency-connection", "kec2", "connection=pkm-kresek", "ospf_area=0", "confirm_s=20")
    assert (again.code, again.host["status"], again.host["changed"]) == (0, "ok", 0), again.diff
    assert not again.report["partly_checked"], again.report


@pytest.mark.slow
def test_a_wrong_vlan_that_cuts_siaga_off_is_taken_back(router: Works) -> None:
    lab = router.lab
    before = lab.read("kec2", "systemctl", "cat", UNIT)
    router.say("device", "set", "kec2", "address=10.77.73.1")
    router.say("vlan", "set", "kec-kresek", "vid=74")
    assert "took it back by itself after 5 s" in connect(router, "kec-kresek", confirm_s=5, code=1)
    assert ping(lab, "noc", "10.77.73.1")
    assert lab.read("kec2", "systemctl", "cat", UNIT) == before
    assert sorted(lab.read("kec2", "ovs-vsctl", "list-ports", "br0").split()) == [
        "eth1",
        "eth1.72",
        "eth1.73",
    ]


def test_what_cannot_be_made_is_taken_back_also_after_a_change_that_cut_the_line(router: Works) -> None:
    lab = router.lab
    router.say("device", "set", "kec2", f"address={NODES['kec2'].address}")
    router.say("vlan", "set", "kec-kresek", "vid=73")
    lab.read("kec2", "mkdir", "-p", "/run/siaga")
    # What a change leaves that was made, and cut the line.
    lab.read("kec2", "touch", "/run/siaga/connection-kec-kresek.done")
    # The shaper has no bucket of that size.
    router.say("contract", "set", "SPK-12/2026", "committed_down_bps=1000000000000")
    assert "could not be made, and was taken back" in connect(router, "kec-kresek", code=1)
    router.say("contract", "set", "SPK-12/2026", "committed_down_bps=8000000")
    assert ping(lab, "noc", "10.77.73.1")
    assert lab.read("kec2", "nft", "list", "table", "netdev", "siaga_kec_kresek").count("limit rate") == 1
    again = router.plan("agency-connection", "kec2", "connection=kec-kresek")
    assert (again.host["status"], again.host["changed"]) == ("ok", 0), again.diff


def test_a_description_that_systemd_has_not_read_is_not_taken_for_done(router: Works) -> None:
    """As an apply leaves it that was killed after it wrote the file."""
    router.lab.read("kec2", "touch", f"/etc/systemd/system/{UNIT}")
    plan = router.plan("agency-connection", "kec2", "connection=kec-kresek")
    router.lab.read("kec2", "systemctl", "daemon-reload")
    assert (plan.host["status"], plan.host["changed"]) == ("changed", 1), plan.report


@pytest.mark.slow
def test_a_trunk_that_would_not_carry_the_vlan_is_said_in_the_plan(router: Works) -> None:
    router.lab.read("kec2", "ovs-vsctl", "set", "Port", "eth1", "trunks=73")
    plan = router.plan("agency-connection", "kec2", "connection=pkm-kresek")
    router.lab.read("kec2", "ovs-vsctl", "clear", "Port", "eth1", "trunks")
    assert plan.host["status"] == "failed"
    assert "does not carry VLAN 72 at port 'eth1' (trunks [73])" in str(plan.report)


def test_a_connection_that_is_stopped_leaves_nothing(router: Works) -> None:
    lab = router.lab
    lab.read("kec2", "systemctl", "disable", "--now", "siaga-connection-pkm-kresek.service")
    assert lab.read("kec2", "ovs-vsctl", "list-ports", "br0").split() == ["eth1", "eth1.73"]
    until("the interface is gone", lambda: lab.run("kec2", "ip", "link", "show", "eth1.72").returncode != 0)
    assert "siaga_pkm_kresek" not in lab.read("kec2", "nft", "list", "tables")
    assert ping(lab, "noc", "10.77.73.1"), "the other goes on"
