"""A small regency of network namespaces with a real snmpd in each, whose links and daemons fail on demand (root).

    noc 10.79.0.2 ── core 10.79.0.1 ── each further node i: 10.79.i.2, its port eth0, at port ethI of the one in front

All that is made carries the net's name (`dy`, or $DAY_LAB_ID) and is gone after `down`. No namespace has a way out.
Of one name there is one at a time: whoever comes second would take away the first one's nodes.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from siaga.errors import TemporaryError
from siaga.lock import held

ID = os.environ.get("DAY_LAB_ID", "dy")
COMMUNITY = "day-regency-ro"
NOC, UPLINK = "10.79.0.2", "10.79.0.1"
_BATTERY = ".1.3.6.1.4.1.318.1.1.1.4.1.1.0"  # upsBasicOutputStatus of PowerNet-MIB: 2 on line, 3 on battery
_WAIT_S = 20.0

SNMPD = """\
agentaddress udp:161
view day included .1.3.6.1.2.1.1
view day included .1.3.6.1.2.1.2
view day included .1.3.6.1.2.1.31
view day included .1.3.6.1.4.1.318
rocommunity {community} default -V day
sysName {name}
sysLocation {place}
dontLogTCPWrappersConnects yes
"""
UPS = """\
sysObjectID .1.3.6.1.4.1.318.1.3.27
pass .1.3.6.1.4.1.318.1.1.1 /bin/sh {folder}/power.sh
"""
# snmpd asks by `-g` for an object and by `-n` for the one after it; after the only one there is none.
POWER = """\
[ "$1" = -n ] && [ "$2" = {oid} ] && exit 0
cat {folder}/power
"""


@dataclass(frozen=True)
class Node:
    """One machine: `on` is the node in front of it, '' for the core; `number` makes its address."""

    name: str
    role: str
    place: str
    on: str
    number: int

    @property
    def address(self) -> str:
        """Where it is managed."""
        return f"10.79.{self.number}.2" if self.on else UPLINK

    @property
    def port(self) -> str:
        """The port of the one in front that leads here."""
        return f"eth{self.number}"


class CannotError(Exception):
    """The net cannot be built here, or a command that must work did not."""


def why_not() -> str:
    """Return why the net cannot be built here, as a sentence; empty if it can."""
    if os.geteuid() != 0:
        return f"The day's network needs root (this is user {os.geteuid()})."
    for tool, package in {"ip": "iproute2", "snmpd": "snmpd", "snmpget": "snmp", "sysctl": "procps"}.items():
        if not shutil.which(tool):
            return f"The day's network needs {tool}: install the package {package}."
    done = subprocess.run(["ip", "netns", "add", f"{ID}-probe"], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", f"{ID}-probe"], capture_output=True)
    return f"The day's network needs network namespaces: {done.stderr.strip()}." if done.returncode else ""


def netns(name: str) -> str:
    """Return the namespace of a node."""
    return f"{ID}-{name}"


def sh(*command: str, check: bool = True, stdin: str = "") -> str:
    """Run a command and return what it printed; raises CannotError if it fails."""
    done = subprocess.run(command, input=stdin, text=True, capture_output=True, timeout=60)
    if check and done.returncode:
        raise CannotError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def inside(name: str, *command: str) -> list[str]:
    """Return the command line that runs a command in a node."""
    return ["ip", "netns", "exec", netns(name), *command]


@dataclass
class Net:
    """The nodes by name, and what is open of them; a context manager. `spares`: who has a second link to the core."""

    nodes: Mapping[str, Node]
    spares: Sequence[str]
    folder: Path
    daemons: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    alone: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Net":
        self._be_alone()
        self.down()
        try:
            self._wire()
            for name in self.nodes:
                self.power(name, "mains")
                self.start(name)
            for name in self.nodes:
                self._until(f"{name} answers", lambda n=name: self._answers(n))  # type: ignore[misc]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.down()
        self.alone.close()

    def _be_alone(self) -> None:
        sentence = f"Process {{pid}} has a net '{ID}' here: wait for its end, or give this one a DAY_LAB_ID."
        try:
            self.alone.enter_context(held(Path("/run/lock", f"{ID}-day"), "day-running", sentence))
        except TemporaryError as error:
            raise CannotError(error.sentence) from None

    # --- building -----------------------------------------------------------------------------------------

    def _wire(self) -> None:
        for name in ("noc", *self.nodes):
            sh("ip", "netns", "add", netns(name))
            sh("ip", "-n", netns(name), "link", "set", "lo", "up")
            sh(*inside(name, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
        core = next(iter(self.nodes))
        self._cable("noc", "eth0", f"{NOC}/30", core, "eth0", f"{UPLINK}/30")
        sh("ip", "-n", netns("noc"), "route", "add", "default", "via", UPLINK)
        for node in [n for n in self.nodes.values() if n.on]:
            ends = (f"10.79.{node.number}.1/30", f"{node.address}/30")
            self._cable(node.on, node.port, ends[0], node.name, "eth0", ends[1])
            self._default(node)
            self._lead(node)
        for name in self.spares:
            number = self.nodes[name].number
            self._cable(
                core, f"sp{number}", f"10.79.{100 + number}.1/30", name, "eth9", f"10.79.{100 + number}.2/30"
            )

    def _cable(self, a: str, i: str, a_address: str, b: str, j: str, b_address: str) -> None:
        sh("ip", "link", "add", i, "netns", netns(a), "type", "veth", "peer", "name", j, "netns", netns(b))
        for name, port, address in ((a, i, a_address), (b, j, b_address)):
            sh("ip", "-n", netns(name), "addr", "add", address, "dev", port)
            sh("ip", "-n", netns(name), "link", "set", port, "up")

    def _default(self, node: Node) -> None:
        sh("ip", "-n", netns(node.name), "route", "replace", "default", "via", f"10.79.{node.number}.1")

    def _lead(self, node: Node) -> None:
        """Let everybody between the core and the one in front of a node know the way to it."""
        via, at = self.nodes[node.on], self.nodes[node.on].on
        while at:
            sh("ip", "-n", netns(at), "route", "add", f"10.79.{node.number}.0/30", "via", via.address)
            via, at = self.nodes[at], self.nodes[at].on

    def start(self, name: str) -> None:
        """Start a node's daemon anew: it counts its uptime from now on."""
        own = self.folder / name
        own.mkdir(parents=True, exist_ok=True)
        node = self.nodes[name]
        text = SNMPD.format(community=COMMUNITY, name=name, place=node.place)
        if node.role == "ups":
            text += UPS.format(oid=_BATTERY, folder=own)
            (own / "power.sh").write_text(POWER.format(oid=_BATTERY, folder=own))
        (own / "snmpd.conf").write_text(text)
        command = inside(name, "snmpd", "-f", "-Lf", str(own / "log"), "-C", "-c", str(own / "snmpd.conf"))
        environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(own / "kept"), "MIBS": ""}
        self.daemons[name] = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)

    def _answers(self, name: str) -> bool:
        asked = (
            "snmpget",
            "-v2c",
            "-c",
            COMMUNITY,
            "-r0",
            "-t1",
            self.nodes[name].address,
            "1.3.6.1.2.1.1.3.0",
        )
        return subprocess.run(inside("noc", *asked), capture_output=True).returncode == 0

    def _until(self, what: str, true: Callable[[], bool]) -> None:
        end = time.monotonic() + _WAIT_S
        while not true():
            if time.monotonic() > end:
                raise CannotError(f"Waited {_WAIT_S:.0f} s in vain: {what}.")
            time.sleep(0.1)

    def down(self) -> None:
        """Take away all of it: daemons, namespaces, and with them cables and addresses."""
        for process in self.daemons.values():
            process.kill()
            process.wait()
        for name in ("noc", *self.nodes):
            if not Path("/run/netns", netns(name)).exists():
                continue
            for pid in sh("ip", "netns", "pids", netns(name), check=False).split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            sh("ip", "netns", "del", netns(name))

    # --- what happens -------------------------------------------------------------------------------------

    def cut(self, name: str) -> None:
        """Take the carrier from the link towards the core, at both ends."""
        sh("ip", "-n", netns(name), "link", "set", "eth0", "down")

    def mend(self, name: str) -> None:
        """Give it back."""
        sh("ip", "-n", netns(name), "link", "set", "eth0", "up")
        self._default(self.nodes[name])

    def cut_spare(self, name: str, way: str) -> None:
        """Set the second link of a node `down` or `up`."""
        sh("ip", "-n", netns(name), "link", "set", "eth9", way)

    def darken(self, name: str) -> None:
        """Take the power from a node."""
        self.daemons[name].kill()
        self.daemons[name].wait()
        self.cut(name)

    def lighten(self, name: str) -> None:
        """Give it back: it starts anew."""
        self.mend(name)
        self.start(name)

    def power(self, name: str, source: str) -> None:
        """Say of a UPS whence its power comes: mains or battery."""
        own = self.folder / name
        own.mkdir(parents=True, exist_ok=True)
        (own / "power").write_text(f"{_BATTERY}\ninteger\n{3 if source == 'battery' else 2}\n")
