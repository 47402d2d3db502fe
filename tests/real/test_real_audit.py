"""The audit against OpenSSH and Net-SNMP on loopback: what they were set to is what is found; a login is judged."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from inventory.findings import Verdict
from monitor.access.judge import Book, Known, judged
from monitor.access.watch import login_of
from monitor.audit.doors import OPEN, Doors, Ports, tried
from monitor.audit.guesses import Answers, guessed
from monitor.audit.judge import Place
from monitor.audit.judge import judged as of_doors
from monitor.listen.event import Event
from monitor.listen.meaning import patterns
from monitor.listen.receiver import Receiver
from monitor.listen.sieve import Sieve
from monitor.listen.sources import Source, sources
from monitor.pace import Pace
from siaga.clock import utc_now
from tests.real.machine import until

pytestmark = pytest.mark.real
HERE = "127.84.4.1"


def found_here(name: str) -> str:
    """Return the path of a daemon; without it the test is skipped, or fails where real parts are required."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None and os.environ.get("SIAGA_REQUIRE_REAL") == "1":
        pytest.fail(f"{name} is not installed", pytrace=False)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def free_port(kind: socket.SocketKind) -> int:
    with closing(socket.socket(socket.AF_INET, kind)) as own:
        own.bind((HERE, 0))
        return int(own.getsockname()[1])


@contextmanager
def daemon(*command: str | Path, ready: Callable[[], bool], **more: str) -> Iterator[None]:
    """Run a daemon in the foreground until the end."""
    with subprocess.Popen(
        [str(c) for c in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **more},
    ) as process:
        try:
            until(f"{command[0]} answers", ready, 20)
            yield
        finally:
            process.terminate()


def answers(port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection((HERE, port), 1)):
        return True
    return False


def key(path: Path, *kind: str) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-N", "", *kind, "-f", path], check=True)
    return path


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """An OpenSSH server with a short RSA key and old algorithms beside good ones."""
    sshd = found_here("sshd")
    folder, port = tmp_path_factory.mktemp("sshd"), free_port(socket.SOCK_STREAM)
    Path("/run/sshd").mkdir(exist_ok=True)
    rsa, ed = key(folder / "rsa", "-t", "rsa", "-b", "1024"), key(folder / "ed", "-t", "ed25519")
    shutil.copy(key(folder / "login", "-t", "ed25519").with_suffix(".pub"), folder / "authorized")
    (folder / "conf").write_text(
        f"ListenAddress {HERE}:{port}\nHostKey {rsa}\nHostKey {ed}\nRequiredRSASize 1024\nUsePAM no\n"
        "KexAlgorithms curve25519-sha256,diffie-hellman-group1-sha1\nCiphers aes256-ctr,3des-cbc\n"
        f"MACs hmac-sha2-256,hmac-md5\nPidFile none\nStrictModes no\nAuthorizedKeysFile {folder / 'authorized'}\n"
        "PermitRootLogin yes\n"
    )
    command = (sshd, "-D", "-f", folder / "conf", "-E", folder / "log")
    with daemon(*command, ready=lambda: answers(port)):
        yield port, folder


def look(port: int) -> Doors:
    return asyncio.run(tried(HERE, Ports(port, 1, (1,), (1,)), 5, 20))


def test_what_openssh_offers_is_what_it_was_set_to(sshd: tuple[int, Path]) -> None:
    found = look(sshd[0])
    assert found.states["ssh"] == OPEN
    assert found.ssh is not None
    assert found.ssh.kex[:2] == ("curve25519-sha256", "diffie-hellman-group1-sha1")
    assert (found.ssh.ciphers, found.ssh.macs) == (("aes256-ctr", "3des-cbc"), ("hmac-sha2-256", "hmac-md5"))
    assert found.ssh.software.startswith("OpenSSH")
    assert found.rsa_bits == 1024
    place = Place(HERE, 1, "srv", "router")
    wrong = {
        j.key.rule: j.severity
        for j in of_doors(place, found, Answers(), utc_now())
        if j.verdict is Verdict.broken
    }
    assert wrong == {"ssh-weak-algorithms": "high", "ssh-weak-key": "high"}


def test_net_snmp_answers_what_it_was_delivered_with(tmp_path: Path) -> None:
    snmpd, port = found_here("snmpd"), free_port(socket.SOCK_DGRAM)
    (tmp_path / "conf").write_text(
        f"agentaddress udp:{HERE}:{port}\nrocommunity public\nrocommunity srvmauk\n"
    )
    found: dict[str, Answers] = {}

    def heard() -> bool:
        found.update(asyncio.run(guessed({HERE: ("srvmauk",)}, port, Pace(0, 0.2, 0))))
        return found[HERE].v3

    command = (snmpd, "-f", "-Lf", tmp_path / "log", "-C", "-c", tmp_path / "conf", "-p", tmp_path / "pid")
    with daemon(*command, ready=heard, SNMP_PERSISTENT_DIR=str(tmp_path)):
        assert {c for _, c in found[HERE].open_to} == {"public", "srvmauk"}
    place = Place(HERE, 1, "srv", credential="snmp-v2c")
    wrong = {
        j.key.rule
        for j in of_doors(place, Doors(HERE), found[HERE], utc_now())
        if j.verdict is Verdict.broken
    }
    assert wrong == {"snmp-default-community", "snmp-guessable-community", "snmp-v1", "snmp-v3-unused"}


def test_a_real_login_is_judged_by_the_line_that_openssh_writes(sshd: tuple[int, Path]) -> None:
    port, folder = sshd
    options = (
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "BatchMode=yes",
        "IdentitiesOnly=yes",
    )
    words = [w for o in options for w in ("-o", o)]
    subprocess.run(
        ["ssh", "-F", "none", "-p", str(port), "-i", folder / "login", *words, f"root@{HERE}", "true"],
        check=True,
        capture_output=True,
        timeout=30,
    )
    log = folder / "log"
    until("the login is logged", lambda: "Accepted publickey" in log.read_text())
    line = next(s for s in log.read_text().splitlines() if "Accepted publickey" in s)
    events: list[Event] = []
    one = Source(1, "srv", "linux")
    receiver = Receiver(
        [], sources([(HERE, one)]), patterns(), sieve=Sieve(20, 200), now=utc_now, tell=events.append
    )
    receiver.syslog(f"<38>Nov 26 03:00:00 srv sshd[7]: {line}".encode(), HERE)
    login = login_of(events[0])
    assert login is not None
    assert login.user == "root"
    vendor = Book((Known("root", "Andi", third_party=True),))
    assert judged(login, vendor).key.rule == "login-outside-window"
