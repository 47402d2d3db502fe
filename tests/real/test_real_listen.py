"""Traps and informs of net-snmp and messages of util-linux's logger, taken by `siaga listen` on the loopback."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from siaga.settings import Settings
from tests.cli_runner import Siaga, runner, started
from tests.homes import prepare

pytestmark = pytest.mark.real

HOST = "127.86.3.1"
COMMUNITY, AUTH, PRIV = "trap-lab-mauk", "auth-lab-kronjo", "priv-lab-sepatan"
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
ENGINE = "0x80001f8804deadbeef"


@pytest.fixture(autouse=True)
def _tools() -> None:
    missing = [name for name in ("snmptrap", "snmpinform", "logger") if not shutil.which(name)]
    if missing and os.environ.get("SIAGA_REQUIRE_REAL") == "1":
        pytest.fail(f"{missing} are not installed", pytrace=False)
    if missing:
        pytest.skip(f"{missing} are not installed")


@pytest.fixture
def siaga(
    capsys: pytest.CaptureFixture[str], scrubbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Siaga:
    prepare(Settings(home=scrubbed))
    config = tmp_path / "listen.toml"
    config.write_text('[listen]\ncredentials = ["traps", "traps3"]\n')
    monkeypatch.setenv("SIAGA_CONFIG", str(config))
    for name, text in (("COMMUNITY", COMMUNITY), ("AUTH", AUTH), ("PRIV", PRIV)):
        monkeypatch.setenv(f"LAB_{name}", text)
    said = runner(capsys)
    said("credential", "add", "traps", "kind=snmp-v2c", "--secret", "community=env:LAB_COMMUNITY").well()
    user = ("kind=snmp-v3", "username=trapper", "auth_protocol=SHA-256", "priv_protocol=AES")
    secrets = ("--secret", "auth=env:LAB_AUTH", "--secret", "priv=env:LAB_PRIV")
    said("credential", "add", "traps3", *user, *secrets).well()
    said("device", "add", "rtr-1", "address=127.0.0.1", "platform=linux").well()
    return said


class Listening:
    """A running `siaga listen`: ports, and the next object that it prints."""

    def __init__(self, process: "subprocess.Popen[str]", trap: int, syslog: int) -> None:
        self.process, self.trap, self.syslog = process, f"{HOST}:{trap}", str(syslog)

    def next(self) -> dict[str, Any]:
        assert self.process.stdout
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def end(self) -> str:
        self.process.terminate()
        _, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0
        return err


@pytest.fixture
def listening(siaga: Siaga, scrubbed: Path) -> Iterator[Listening]:
    ports = []
    for _ in range(2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.bind((HOST, 0))
            ports.append(own.getsockname()[1])
    words = ("--address", HOST, "--trap-port", ports[0], "--syslog-port", ports[1], "--for", 60)
    with started(scrubbed, "listen", *words) as process:
        assert process.stderr
        assert "Listening" in process.stderr.readline()
        yield Listening(process, *ports)


def run(*command: str) -> int:
    return subprocess.run(command, capture_output=True, timeout=30).returncode


V2C = ("-v2c", "-c", COMMUNITY)
V3 = ("-v3", "-u", "trapper", "-l", "authPriv", "-a", "SHA-256", "-A", AUTH, "-x", "AES", "-X", PRIV)
SHORT = ("-r", "0", "-t", "2")
VARBINDS = ("1.3.6.1.2.1.2.2.1.1.7", "i", "7", "1.3.6.1.2.1.31.1.1.1.1.7", "s", "ge-0/0/7")


LINK_DOWNS = (
    (("snmptrap", *V2C), "trap", False),
    (("snmpinform", *V2C, *SHORT), "inform", False),
    (("snmptrap", "-e", ENGINE, *V3), "trap", True),
    (("snmpinform", *V3, *SHORT), "inform", True),
)


def test_link_down_by_net_snmp(listening: Listening) -> None:
    for command, channel, authentic in LINK_DOWNS:
        assert run(*command, listening.trap, "", LINK_DOWN, *VARBINDS) == 0, "an inform is acknowledged"
        event, wish = listening.next(), listening.next()
        assert (event["event"], event["channel"], event["authentic"]) == ("link-down", channel, authentic)
        assert (event["text"], event["device"]) == ("linkDown: ge-0/0/7", "rtr-1")
        assert (wish["wish"], wish["device"]) == ("poll", "rtr-1")
    said = listening.end()
    assert not [secret for secret in (COMMUNITY, AUTH, PRIV) if secret in said]


def test_wrong_ones_are_counted_and_not_acknowledged(listening: Listening) -> None:
    wrong = (
        ("snmptrap", "-v2c", "-c", "salah"),
        ("snmpinform", "-v2c", "-c", "salah", *SHORT),
        ("snmptrap", "-e", ENGINE, *V3[:5], "-a", "SHA-256", "-A", "not-this-one", "-x", "AES", "-X", PRIV),
        ("snmptrap", "-e", ENGINE, "-v3", "-u", "trapper", "-l", "noAuthNoPriv"),
        ("snmpinform", "-v3", "-u", "nobody", *V3[3:], *SHORT),
    )
    codes = [run(*command, listening.trap, "", LINK_DOWN, *VARBINDS) for command in wrong]
    assert [bool(code) for code in codes] == [False, True, False, False, True]
    assert run("snmpinform", *V2C, *SHORT, listening.trap, "", LINK_DOWN) == 0
    assert listening.next()["text"] == "linkDown: some interface"
    told = listening.end()
    for word in ("community 2", "digest 1", "level 1", "user 1"):
        assert f"trap.refused.{word}" in told
    assert "trap.event 1" in told


LOGGERS = (
    ("--udp", "--rfc5424"),
    ("--udp", "--rfc3164"),
    ("--tcp", "--rfc5424"),
    ("--tcp", "--octet-count"),
)


def test_messages_of_logger(listening: Listening) -> None:
    line = "Accepted publickey for noc from 10.1.1.5 port 50123 ssh2"
    for options in LOGGERS:
        command = ("logger", "--server", HOST, "--port", listening.syslog, *options, "-t", "sshd", line)
        assert run(*command) == 0, options
        event = listening.next()
        assert (event["event"], event["details"]) == ("login", {"user": "noc", "from": "10.1.1.5"}), options
    listening.end()
