"""A new office as docs/new-office.md tells it, on a real router; and then what the router does for the agency."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import lab as build
from tests.real.conftest import SIAGA, Lab, _environment
from tests.real.machine import KEY, until
from tests.test_office_move import Step, held

pytestmark = pytest.mark.real

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "new-office.md").read_text()
NAME = re.compile(r"(baseline|agency-connection)-\d{8}-\d{6}(-\d+)?")


def steps() -> Iterator[Step]:
    """Yield the commands of the page with what they must print."""
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            first, *lines = part.splitlines()
            program, *arguments = shlex.split(first)
            assert program == "siaga", first
            yield Step(tuple(arguments), tuple(filter(str.strip, lines)))


class Office:
    """Follows the page, in noc."""

    def __init__(self, lab: Lab, home: Path) -> None:
        self.lab, self.home, self.plan = lab, home, ""

    def follow(self, step: Step) -> None:
        """Carry out one command and hold what it prints; the name of the plan is the last one made."""
        words = [NAME.sub(self.plan, word) for word in step.command]
        ended = self.siaga(*words, second="approve" in words)
        printed = ended.stderr + ended.stdout
        if made := NAME.search(ended.stdout if words[0] == "plan" else ""):
            self.plan = made.group()
        held(Step(step.command, tuple(NAME.sub(self.plan, line) for line in step.lines)), printed)
        taken_back = "took it back" in "".join(step.lines)
        assert ended.returncode == int(taken_back), printed

    def siaga(self, *words: str, second: bool = False, fast: bool = True) -> subprocess.CompletedProcess[str]:
        """Run siaga where the page's files lie, as root or as somebody who became root by sudo."""
        somebody = ["SUDO_USER=nobody"] if second else []
        somebody += [] if fast else ["SIAGA_PROVISION__FAST=false"]
        scrubbed = [*_environment(self.home)[:2], "-C", str(self.home), *_environment(self.home)[2:]]
        return build.run("noc", *scrubbed, *somebody, str(SIAGA), *words, timeout_s=900)


@pytest.fixture(scope="module")
def office(lab: Lab, home: Path, secrets: dict[str, str]) -> Office:
    """The page's files in a home of their own."""
    (start,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (home / "kantor.yaml").write_text(start)
    (home / "ops.key").write_text(KEY.read_text())
    for name in ("auth", "priv"):
        (home / name).write_text(Path(secrets[name]).read_text())
    for name in ("ops.key", "auth", "priv"):
        (home / name).chmod(0o600)
    (home / ".config/siaga").mkdir(parents=True)
    (home / ".config/siaga/siaga.toml").write_text("[provision]\nfast = true\n")
    made = Office(lab, home)
    assert made.siaga("init").returncode == 0
    return made


def test_the_office_is_connected_as_it_is_told_and_a_bad_change_goes_back(office: Office) -> None:
    followed = list(steps())
    assert len(followed) > 20
    for step in followed:
        office.follow(step)


def test_the_agency_reaches_the_router_and_is_held_to_its_contract(office: Office) -> None:
    lab = office.lab
    assert "1 received" in lab.read("opd", "ping", "-c1", "-W2", "10.77.64.1")
    shaped = lab.read("kec1", "tc", "-s", "qdisc", "show", "dev", "eth1")
    assert "tbf" in shaped
    assert "rate 8Mbit" in shaped
    lab.run("opd", "ping", "-f", "-c", "80", "-s", "60000", "-w", "4", "10.77.64.1")
    policed = lab.read("kec1", "nft", "list", "table", "netdev", "siaga_kec_mekar_baru")
    found = re.search(r"limit rate over 500000 bytes/second burst \d+ bytes counter packets (\d+)", policed)
    assert found, policed
    assert int(found[1]) > 0, "what is more than the contract is dropped"
    assert "10.77.0.3" not in lab.read("kec1", "ip", "-br", "address")


def test_a_tunnel_carries_packets_to_the_agency(office: Office, tmp_path: Path) -> None:
    lab = office.lab
    private = lab.read("opd", "wg", "genkey").strip()
    public = lab.run("opd", "wg", "pubkey", stdin=private).stdout.strip()
    given = [
        "--connection",
        "kec-mekar-baru",
        "--wireguard-peer",
        public,
        "--wireguard-address",
        "10.99.7.1/30",
    ]
    made = office.siaga("plan", "agency-connection", "kec1", *given, "--ospf-area", "0", "--confirm-s", "30")
    found = NAME.search(made.stdout)
    assert found, made.stdout + made.stderr
    assert office.siaga("plan", "approve", found.group(), second=True).returncode == 0
    done = office.siaga("apply", found.group(), "--yes", fast=False)
    assert done.returncode == 0, done.stdout + done.stderr
    key = lab.read("kec1", "sh", "-c", "wg pubkey < /etc/wireguard/siaga.key").strip()
    assert lab.read("kec1", "stat", "-c", "%a", "/etc/wireguard/siaga.key") == "600\n"
    with tunnel(lab, tmp_path, private, key):
        until("the tunnel answers", lambda: ping(lab, "10.99.7.1"), wait_s=30)
    announced = lab.read("kec1", "vtysh", "-c", "show running-config")
    assert "network 10.77.64.0/29 area 0" in announced


def test_a_tunnel_that_cuts_the_line_is_taken_back_with_its_file(office: Office) -> None:
    lab = office.lab
    before = lab.read("kec1", "cat", TUNNEL)
    peer = re.search(r"PublicKey = (\S+)", before)
    assert peer
    given = [
        "--connection",
        "kec-mekar-baru",
        "--wireguard-peer",
        peer[1],
        "--wireguard-address",
        "10.99.7.1/30",
    ]
    # What leads to siaga is routed into the tunnel.
    given += ["--wireguard-allowed", "10.77.0.8/29", "--confirm-s", "5"]
    made = office.siaga("plan", "agency-connection", "kec1", *given)
    found = NAME.search(made.stdout)
    assert found, made.stdout + made.stderr
    assert office.siaga("plan", "approve", found.group(), second=True).returncode == 0
    done = office.siaga("apply", found.group(), "--yes")
    assert "took it back by itself after 5 s" in done.stdout, done.stdout + done.stderr
    assert lab.read("kec1", "cat", TUNNEL) == before


def ping(lab: Lab, address: str) -> bool:
    """Whether the agency's end gets an answer."""
    return lab.run("opd", "ping", "-c1", "-W1", address).returncode == 0


class tunnel:  # noqa: N801 - it reads as what it makes
    """The agency's end of the tunnel while the block lasts, by wireguard-go."""

    def __init__(self, lab: Lab, folder: Path, private: str, peer: str) -> None:
        self.lab, self.peer, self.file = lab, peer, folder / "private"
        self.file.write_text(private)
        self.file.chmod(0o600)

    def __enter__(self) -> None:
        words = build.inside("opd", "wireguard-go", "-f", "wgopd")
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(
            "wireguard-go has its interface",
            lambda: self.lab.run("opd", "wg", "show", "wgopd").returncode == 0,
        )
        peer = ("peer", self.peer, "allowed-ips", "10.99.7.0/30", "endpoint", "10.77.64.1:51820")
        self.lab.read("opd", "wg", "set", "wgopd", "private-key", str(self.file), *peer)
        self.lab.read("opd", "ip", "address", "add", "10.99.7.2/30", "dev", "wgopd")
        self.lab.read("opd", "ip", "link", "set", "wgopd", "up")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


def test_a_kernel_that_refuses_leaves_the_router_as_it_was(office: Office) -> None:
    lab = office.lab
    if (
        lab.run(
            "kec1", "ip", "link", "add", "link", "eth1", "name", "eth1.9", "type", "vlan", "id", "9"
        ).returncode
        == 0
    ):
        lab.read("kec1", "ip", "link", "del", "eth1.9")
        pytest.skip("this kernel has 802.1Q")
    before = lab.read("kec1", "cat", UNIT)
    for words in (
        ("vlan", "add", "kantor", "vid=64"),
        ("connection", "set", "kec-mekar-baru", "vlan=kantor"),
    ):
        assert office.siaga(*words).returncode == 0
    made = office.siaga(
        "plan", "agency-connection", "kec1", "--connection", "kec-mekar-baru", "--confirm-s", "30"
    )
    found = NAME.search(made.stdout)
    assert found, made.stdout + made.stderr
    assert "type vlan id 64" in made.stdout
    assert office.siaga("plan", "approve", found.group(), second=True).returncode == 0
    done = office.siaga("apply", found.group(), "--yes")
    assert (done.returncode, "could not be made, and was taken back" in done.stdout) == (1, True), done.stdout
    assert lab.read("kec1", "cat", UNIT) == before
    assert ping(lab, "10.77.64.1")


UNIT = "/etc/systemd/system/siaga-connection-kec-mekar-baru.service"
TUNNEL = "/etc/wireguard/wg-kecmekarbar.conf"
