"""Builds the lab: real daemons in network namespaces of this machine, and takes it away without a trace.

    python -m tests.real.lab up | down | exec NODE COMMAND... | status

Every node is a network namespace; those with daemons are systemd-nspawn containers that boot systemd on an
overlay of this machine's own root with the upper layer in memory, so that what is changed in one node is
changed there only. All that is made carries the lab's name (`sg`, or $SIAGA_LAB_ID): the namespaces sg-*,
the directory /dev/shm/sg-lab, the control groups sg-lab. `down` finds its work by these names alone, so it
cleans up after a builder that was killed, too.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.real.furnish import furnish
from tests.real.machine import ID, KEY, PATH, RUN, LabError, held, sh, until
from tests.real.nodes import ADDRESSES, COMMUNITY, LINKS, NODES, SSH_PASSWORD, Node

CGROUPS = Path("/sys/fs/cgroup")
TOOLS = {
    "ip": "iproute2",
    "systemd-nspawn": "systemd-container",
    "nsenter": "util-linux",
    "snmpd": "snmpd",
    "snmpget": "snmp",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "sudo": "sudo",
    "vtysh": "frr",
    "chronyd": "chrony",
    "dpkg-repack": "dpkg-repack",
    "nft": "nftables",
    "nginx": "nginx",
    "upsd": "nut-server",
    "upsc": "nut-client",
    "rsyslogd": "rsyslog",
    "unattended-upgrade": "unattended-upgrades",
    "wg": "wireguard-tools",
    "wireguard-go": "wireguard-go",
    "ovs-vswitchd": "openvswitch-switch",
    "ethtool": "ethtool",
    "cage": "cage",
    "Xwayland": "xwayland",
    "chromium": "chromium",
}


def why_not() -> str:
    """Return the first reason why the lab cannot be built here, as a sentence; empty if it can."""
    if sys.platform != "linux":
        return "The lab needs Linux."
    if os.geteuid() != 0:
        return f"The lab needs root (this is user {os.geteuid()})."
    for tool, package in TOOLS.items():
        if not shutil.which(tool, path=PATH):
            return f"The lab needs {tool}: install the package {package}."
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "The lab needs overlayfs in the kernel."
    if not os.access(CGROUPS, os.W_OK):
        return f"The lab needs to write {CGROUPS}."
    scratch = f"{ID}-probe"
    made = subprocess.run(["ip", "netns", "add", scratch], capture_output=True, text=True)
    veth = subprocess.run(["ip", "-n", scratch, "link", "add", "a0", "type", "veth"], capture_output=True)
    subprocess.run(["ip", "netns", "del", scratch], capture_output=True)
    if made.returncode or veth.returncode:
        return f"The lab needs network namespaces and veth: {made.stderr.strip() or 'no veth'}."
    return ""


def netns(name: str) -> str:
    """Return the name of a node's network namespace."""
    return f"{ID}-{name}"


def leader(name: str) -> int:
    """Return the process id, as this machine sees it, of the init of a booted node; 0 if it does not run."""
    try:
        nspawn = (RUN / name / "pid").read_text().strip()
        return int(Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return 0


def inside(name: str, *command: str) -> list[str]:
    """Return the command line that runs `command` in a node: with its files if it has its own."""
    if not NODES[name].booted:
        return ["ip", "netns", "exec", netns(name), *command]
    return ["nsenter", "-t", str(leader(name)), "-m", "-u", "-i", "-n", "-p", "-C", "--", *command]


def run(name: str, *command: str, stdin: str = "", timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run `command` in a node and return its output and exit code; nothing is raised when it fails."""
    return subprocess.run(
        inside(name, *command), input=stdin, text=True, capture_output=True, timeout=timeout_s
    )


def read(name: str, *command: str) -> str:
    """Return what a command prints in a node; raises LabError if it fails."""
    done = run(name, *command)
    if done.returncode:
        raise LabError(f"{name}: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


# --- up ---------------------------------------------------------------------------------------------------


def up() -> None:
    """Build the lab and wait until every daemon answers; a lab that is whole is left as it is."""
    if reason := why_not():
        raise LabError(reason)
    if all(_answers(node) for node in NODES.values()):
        return
    down()
    (RUN / "up").mkdir(parents=True, mode=0o700)
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{ID}-lab", "-f", str(KEY))
    # Each container takes seven inotify instances (systemd, logind, dbus) and Debian grants 128.
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(limit.read_text()) < 512:
        limit.write_text("512")
    _wire()
    password = sh("openssl", "passwd", "-6", "-stdin", stdin=SSH_PASSWORD).strip()
    for node in NODES.values():
        if node.booted:
            furnish(node, password)
            _boot(node)
    for node in NODES.values():
        until(f"{node.name} answers", partial(_answers, node))


def _wire() -> None:
    """Make the namespaces and cables; a router's addresses come from its own configuration."""
    sh("ip", "-batch", "-", stdin="".join(f"netns add {netns(n)}\n" for n in NODES))
    cables = (
        f"link add {i} netns {netns(a)} type veth peer name {j} netns {netns(b)}\n" for a, i, b, j in LINKS
    )
    sh("ip", "-batch", "-", stdin="".join(cables))
    todo = {name: ["link set lo up"] for name in NODES}
    todo["sw"] += ["link add br0 type bridge stp_state 0", "link set br0 up"]
    for a, i, b, j in LINKS:
        todo[a].append(f"link set {i} up")
        todo[b] += [f"link set {j} up"] + ([f"link set {j} master br0"] if j.startswith("port") else [])
    for (name, interface), address in ADDRESSES.items():
        todo[name].append(f"addr add {address} dev {interface}")
    for name, lines in todo.items():
        sh("ip", "-n", netns(name), "-batch", "-", stdin="\n".join(lines) + "\n")
    # A container may not write net.*, so forwarding is turned on from outside.
    for router in ("rtr1", "kec1", "kec2"):
        sh("ip", "netns", "exec", netns(router), "sysctl", "-qw", "net.ipv4.ip_forward=1")


def _hierarchies() -> list[Path]:
    """Return the lab's control groups: in the named v1 hierarchy and beside it, or in v2 alone."""
    mixed = [CGROUPS / part for part in ("systemd", "unified") if (CGROUPS / part).is_dir()]
    return [part / f"{ID}-lab" for part in (mixed or [CGROUPS])]


# The shell leaves the container behind as nobody's child, in control groups of its own: nspawn would else use
# the machine's root group. $0 is the node's directory; the words before "--" are the groups.
_START = """\
(
  while [ "$1" != -- ]; do mkdir -p "$1"; echo $BASHPID > "$1/cgroup.procs"; shift; done
  shift
  echo $BASHPID > "$0/pid"
  exec setsid "$@" > "$0/console" 2>&1
) &
"""


def _boot(node: Node) -> None:
    """Start systemd in the node."""
    room = RUN / node.name
    nspawn = [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        "--keep-unit",
        "--register=no",
        f"--directory={room / 'root'}",
        f"--machine={netns(node.name)}",
        f"--hostname={node.name}",
        f"--network-namespace-path=/run/netns/{netns(node.name)}",
        "--capability=CAP_NET_ADMIN,CAP_NET_RAW",  # not given with a namespace path, and zebra needs them
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=read-only",
        *(["--bind=/dev/net/tun"] if node.tun else []),
        "systemd.unit=lab.target",
    ]
    groups = [str(group / node.name) for group in _hierarchies()]
    subprocess.run(
        ["bash", "-c", _START, str(room), *groups, "--", *nspawn],
        stdin=subprocess.DEVNULL,
        env={"PATH": PATH, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},
        check=True,
    )


def _answers(node: Node) -> bool:
    """Whether every daemon of the node answers, asked from noc; a bare node need only exist."""
    if not Path(f"/run/netns/{netns(node.name)}").exists():
        return False
    if not node.booted:
        return True
    banner = f"read -t 1 line </dev/tcp/{node.address}/22 && [[ $line == SSH-2.0-* ]]"
    asks = [["bash", "-c", banner]]
    if "snmpd.service" in node.services:
        asks.append(["snmpget", "-v2c", "-c", COMMUNITY, "-r0", "-t1", node.address, "1.3.6.1.2.1.1.3.0"])
    return all(run("noc", *ask, timeout_s=10).returncode == 0 for ask in asks)


# --- down -------------------------------------------------------------------------------------------------


def down() -> None:
    """Take away all that bears the lab's name: processes, mounts, namespaces, control groups, files."""
    until("all processes of the lab have ended", _killed, wait_s=20)
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        if line.split()[1].startswith(f"{RUN}/"):
            sh("umount", "--lazy", line.split()[1])
    for name in _namespaces():
        sh("ip", "netns", "del", name)
    until("its control groups are gone", _ungrouped, wait_s=10)
    shutil.rmtree(RUN, ignore_errors=True)


def _namespaces() -> list[str]:
    ours = {netns(name) for name in NODES}
    return [path.name for path in Path("/run/netns").glob(f"{ID}-*") if path.name in ours]


def left() -> list[str]:
    """Return what is left of the lab: processes, mounts, namespaces, control groups, files."""
    mounts = [x.split()[1] for x in Path("/proc/self/mounts").read_text().splitlines() if f" {RUN}/" in x]
    groups = [str(group) for group in _hierarchies() if group.exists()]
    files = [str(RUN)] if RUN.exists() else []
    return [f"process {pid}" for pid in _processes()] + mounts + _namespaces() + groups + files


def _processes() -> set[int]:
    """Return who is in the lab: all in its control groups, and all in its network namespaces."""
    found: set[int] = set()
    for top in _hierarchies():
        for procs in top.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found.update(int(pid) for pid in procs.read_text().split())
    for name in _namespaces():
        found.update(int(pid) for pid in sh("ip", "netns", "pids", name, check=False).split())
    return found - {0, os.getpid()}


def _killed() -> bool:
    """Kill who is left; true when nobody is. A container's init takes all of its processes with it."""
    found = _processes()
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not found


def _ungrouped() -> bool:
    """Remove the control groups, deepest first; true when none is left."""
    for top in filter(Path.exists, _hierarchies()):
        for group in [*sorted(top.rglob("*/"), reverse=True), top]:
            with contextlib.suppress(OSError):
                group.rmdir()
    return not any(top.exists() for top in _hierarchies())


def main(words: Sequence[str]) -> int:
    """Run one of up, down, status, exec."""
    match list(words):
        case ["up"]:
            with held():
                up()
        case ["down"]:
            with held():
                down()
        case ["status"]:
            print("\n".join(left()) or "nothing is left of the lab")
        case ["exec", name, *command] if name in NODES and command:
            return subprocess.run(inside(name, *command)).returncode
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(str(error))
