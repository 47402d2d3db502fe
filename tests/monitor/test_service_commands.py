"""`siaga service check` and `siaga listen` as a user runs them: rows, exit codes, Nagios' line, errors in one line."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from siaga.settings import Settings
from tests.cli_runner import Siaga, runner, started, until
from tests.homes import prepare
from tests.monitor.web_servers import HOST, answers, issued, page, server


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], scrubbed: Path) -> Siaga:
    prepare(Settings(home=scrubbed))
    return runner(capsys)


@contextmanager
def serving(talk: Any, tls: Any = None) -> Iterator[int]:
    """Run a server beside the command, in a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    port: list[int] = []

    async def serve() -> None:
        async with server(talk, tls) as found:
            port.append(found)
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    until(lambda: port, "the server does not start")
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


def test_recorded_services_are_checked(siaga: Siaga, tmp_path: Path) -> None:
    made = issued(tmp_path)
    with serving(answers(page(b"Masuk"))) as plain, serving(answers(page(b"Masuk")), made.context()) as tls:
        siaga("service", "add", "e-planning", f"url=http://{HOST}:{plain}/", "expect=Masuk").well()
        assert siaga("service", "check").well().err.endswith("Checked 1 service: 1 ok.\n")
        siaga("service", "add", "e-monev", f"url=https://{HOST}:{tls}/", "criticality=1").well()
        siaga("service", "add", "mail", f"url=tcp://{HOST}:9").well()
        siaga("service", "add", "paper", "check=none").well()
        siaga("service", "add", "odd").well()
        said = siaga("service", "check", "-o", "json")
        rows = {row["name"]: row for row in json.loads(said.out)}
        assert said.code == 6
        assert {n: r["verdict"] for n, r in rows.items()} == {
            "e-planning": "ok", "e-monev": "warning", "mail": "critical", "odd": "unknown"
        }  # fmt: skip
        assert rows["e-monev"]["certificate"]["chain"]
        assert rows["e-planning"]["status"] == 200
        assert siaga("service", "check", "name=e-planning,odd").code == 7
        assert siaga("service", "check", "name=odd").code == 1
        assert siaga("service", "check", "criticality=1", "-o", "name").out == "e-monev\n"


def test_the_line_for_nagios(siaga: Siaga) -> None:
    with serving(answers(page(b"ok"))) as port:
        said = siaga("service", "check", f"http://{HOST}:{port}/", "--nagios").well()
    assert re.fullmatch(r"SIAGA OK - Checked 1 service: 1 ok\. \| 'time'=[0-9.e-]+s;3;10;0 .*\n", said.out)
    said = siaga("service", "check", f"tcp://{HOST}:9", "--nagios")
    assert (said.code, said.out.startswith("SIAGA CRITICAL - ")) == (2, True)
    siaga("service", "add", "odd").well()
    assert siaga("service", "check", "--nagios").code == 3


def test_a_plugin_of_the_settings(siaga: Siaga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = tmp_path / "check_disk"
    plugin.write_text('#!/bin/sh\necho "DISK WARNING $1 | used=81%;80;90"; exit 1\n')
    plugin.chmod(0o755)
    config = tmp_path / "plugins.toml"
    config.write_text(f'[plugins.disk]\nrun = ["{plugin}", "{{name}}"]\n')
    monkeypatch.setenv("SIAGA_CONFIG", str(config))
    siaga("service", "add", "files", "plugin=disk").well()
    said = siaga("service", "check", "-o", "json")
    (row,) = json.loads(said.out)
    assert (said.code, row["verdict"], row["reason"]) == (6, "warning", "DISK WARNING files")
    assert row["readings"][0] == {
        "label": "used", "value": 81.0, "unit": "percent", "warning": "80", "critical": "90",
        "minimum": None, "maximum": None,
    }  # fmt: skip


def test_errors_are_one_line(siaga: Siaga) -> None:
    siaga("service", "check", "name=none").failed(3, "nothing-selected")
    siaga("service", "check", "name=a", "--expect", "x").failed(2, "expect-without-url")
    siaga("listen", "--address", "nowhere").failed(2, "bad-address")
    assert siaga("service", "check", "-o", "json").well().out == "[]\n"
    siaga("service", "add", "a", "url=ftp://x/").failed(5, "bad-values")
    siaga("service", "add", "a", "url=https://a:rahasia@x/").failed(5, "bad-values")
    siaga("service", "add", "a", "expect=((").failed(5, "bad-values")
    siaga("service", "add", "a", "expect_status=ok").failed(5, "bad-values")
    siaga("service", "add", "a", "check=gopher").failed(5, "bad-values")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind((HOST, 0))
        return int(own.getsockname()[1])


def test_listen_prints_events_and_wishes(siaga: Siaga, scrubbed: Path) -> None:
    siaga("device", "add", "rtr-1", "address=127.0.0.1", "platform=routeros").well()
    port = free_port()
    options = ("--address", HOST, "--trap-port", 0, "--syslog-port", port, "-n", 1, "--for", 20)
    with started(scrubbed, "listen", *options) as process:
        assert process.stderr
        assert "Listening" in process.stderr.readline()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(b"<30>system,info filter rule changed by admin", (HOST, port))
        out, err = process.communicate(timeout=30)
    event, wish = map(json.loads, out.splitlines())
    assert (event["event"], event["device"], event["details"]) == (
        "config-changed",
        "rtr-1",
        {"user": "admin"},
    )
    assert (wish["wish"], wish["device"]) == ("backup", "rtr-1")
    assert process.returncode == 0
    assert "syslog.event 1" in err


def test_listen_says_which_credential_is_none(
    siaga: Siaga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "listen.toml"
    config.write_text('[listen]\ncredentials = ["tidak-ada"]\n')
    monkeypatch.setenv("SIAGA_CONFIG", str(config))
    siaga("listen", "--for", 1).failed(3, "no-such-credential")
    for kind in (
        ("kind=ssh-password",),
        ("kind=snmp-v2c",),
        ("kind=snmp-v3",),
        ("kind=snmp-v3", "username=x", "auth_protocol=SHA"),
        ("kind=snmp-v3", "username=x", "priv_protocol=AES"),
    ):
        siaga("credential", "add", "tidak-ada", *kind).well()
        siaga("listen", "--for", 1).failed(5, "bad-credential")
        siaga("credential", "rm", "tidak-ada", "--yes").well()
