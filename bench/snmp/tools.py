"""What the benchmark needs besides Python: which of it is there, how it is installed, and what is built from it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.snmp import poll
from bench.snmp.processes import say

HERE = Path(__file__).parent
GUFO = "gufo-snmp==0.13.0"


@dataclass(frozen=True)
class Need:
    """A program on the PATH or a header of the C compiler, the Debian package it comes in, and what for."""

    what: str
    package: str
    purpose: str
    needed: bool = False

    def there(self) -> bool:
        """Whether this machine has it."""
        if self.what.endswith(".h"):
            source = f"#include <{self.what}>\n"
            return not subprocess.run(
                ("gcc", "-fsyntax-only", "-xc", "-"), input=source.encode(), capture_output=True
            ).returncode
        return shutil.which(self.what) is not None


NEEDS = (
    Need("taskset", "util-linux", "a core for each side", needed=True),
    Need("gcc", "gcc", "the responder", needed=True),
    Need("stdio.h", "libc6-dev", "the responder", needed=True),
    Need("openssl/evp.h", "libssl-dev", "the responder", needed=True),
    Need("net-snmp-config", "libsnmp-dev", "the row of net-snmp's C library"),
    Need("prometheus-snmp-exporter", "prometheus-snmp-exporter", "the row of snmp_exporter"),
    Need("snmpbulkwalk", "snmp", "the row of snmpbulkwalk processes"),
)


def missing() -> list[Need]:
    """Return what this machine lacks; a header cannot be looked for without a compiler and counts as lacking."""
    compiler = shutil.which("gcc") is not None
    return [n for n in NEEDS if (n.what.endswith(".h") and not compiler) or not n.there()]


def install(needs: Sequence[Need]) -> None:
    """Install Debian packages, as root only; raises CalledProcessError when apt-get fails."""
    if os.geteuid():
        say("Only root can install packages; going on without.")
        return
    packages = sorted({n.package for n in needs})
    say(f"apt-get install {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)
    subprocess.run(command, env=environment, check=True, stdout=sys.stderr)


def gufo_python(folder: Path) -> Path:
    """Make an environment with gufo-snmp in `folder`, apart from ours, and return its Python."""
    say(f"pip install {GUFO} into an environment of its own")
    subprocess.run((sys.executable, "-m", "venv", str(folder)), check=True)
    python = folder / "bin" / "python"
    subprocess.run((python, "-m", "pip", "-q", "--no-input", "install", GUFO), check=True, stdout=sys.stderr)
    return python


def build(folder: Path, name: str, libraries: Sequence[str]) -> Path:
    """Compile one of the C programs beside this module into `folder`; raises CalledProcessError."""
    program = folder / name
    options = ("-std=gnu11", "-O2", "-Wall", "-Wextra", *poll.definitions())
    subprocess.run(("gcc", *options, "-o", program, HERE / f"{name}.c", *libraries), check=True)
    return program


def build_agent(folder: Path) -> Path:
    """Compile the responder."""
    return build(folder, "agent", ("-lcrypto",))


def build_netsnmp(folder: Path) -> Path:
    """Compile the client that uses net-snmp's library."""
    told = subprocess.run(("net-snmp-config", "--netsnmp-libs"), check=True, capture_output=True, text=True)
    return build(folder, "netsnmp_async", told.stdout.split())
