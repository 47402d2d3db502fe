"""The benchmark's responder is an agent as net-snmp's own programs understand it, by SNMPv2c and SNMPv3."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.snmp import poll, processes, tools
from bench.snmp.client_tools import commands, varbinds

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(tools.missing()), reason="needs a C compiler, OpenSSL's headers and net-snmp"),
]
PORT = 18191


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tools.build_agent(tmp_path_factory.mktemp("agent"))


def told(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def impatient(command: Sequence[str]) -> list[str]:
    return [command[0], "-t", "0.3", "-r", "1", *command[1:]]


@pytest.mark.parametrize("version", ["2c", "3"])
def test_a_device_tells_the_whole_poll_and_counts_it(agent: Path, version: str):
    where = poll.address(70_000)
    with processes.responder(agent, PORT) as running:
        assert varbinds(commands(where, PORT, version)) == poll.VARBINDS
        walk = commands(where, PORT, version)[1 + list(poll.COLUMNS).index("ifInErrors")]
        assert {line.split()[-1] for line in told(walk).splitlines()} == {str(poll.mark(where))}
    assert running.counted["varbinds"] >= poll.VARBINDS
    assert running.counted["malformed"] == 0


def test_a_wrong_password_and_a_wrong_user_are_told_in_reports(agent: Path):
    get = commands(poll.address(1), PORT, "3")[0]
    with processes.responder(agent, PORT):
        assert "Authentication failure" in told([w.replace(poll.AUTH_PASSWORD, "notthisone") for w in get])
        assert "Unknown user name" in told([w.replace(poll.USER, "nobody") for w in get])


def test_what_is_signed_wrongly_is_not_believed(agent: Path):
    get = impatient(commands(poll.address(1), PORT, "3")[0])
    with processes.responder(agent, PORT, ["--wrong-mac"]):
        assert "Timeout" in told(get)


def test_silent_devices_are_as_many_as_the_responder_says(agent: Path):
    options = ["--silent", "40", "--seed", "7"]
    count = int(told([str(agent), *options, "--count-silent", "20"]))
    with processes.responder(agent, PORT, options):
        answers = [told(impatient(commands(poll.address(i), PORT, "2c")[0])) for i in range(20)]
    assert sum("Timeout" in a for a in answers) == count
    assert 0 < count < 20
