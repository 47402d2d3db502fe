"""How far a device is reached over SSH: every way it can fail is a value with a sentence."""

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from pydantic import SecretStr
from ssh_servers import KEY, NOW, OTHER_KEY, PASSWORD, USER, cli, look, ssh_server, target, tcp_server

from monitor.dial import MissedError
from monitor.observation import Observation, Reach
from monitor.ssh import observe_all, present_key
from monitor.ssh_client import private_key
from monitor.targets import SshAuth, Target
from siaga.hostkeys import HostKey, HostKeys

VERSION = "Cisco IOS Software, C2960 Software (C2960-X), Version 15.0(2)SE11, fc1\nrtr1 uptime is 1 day\n"
PROCESSES = (
    "CPU utilization for five seconds: 9%/1%; one minute: 8%; five minutes: 7%\n"
    " PID Runtime(ms)     Invoked      uSecs   5Sec   1Min   5Min TTY Process\n"
    "   1        1000        2000        500  0.10%  0.10%  0.10%   0 Chunk Manager\n"
)


async def _idle(process: Any) -> None:
    await process.stdin.read()


def _key(key: asyncssh.SSHKey) -> HostKey:
    kind, base64 = key.export_public_key().decode().split()[:2]
    return HostKey(kind, base64)


def _run(story: Awaitable[Observation]) -> Observation:
    return asyncio.run(story)  # type: ignore[arg-type]


def test_a_wrong_password_is_refused_and_told_to_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tried: list[str] = []

    async def story() -> Observation:
        async with ssh_server(_idle, tried) as port:
            return await look(target(port, password="salah-benar"), tmp_path)

    seen = _run(story())
    assert seen.reach is Reach.refused
    assert seen.reason.endswith("refused the login of 'noc'.")
    assert "salah-benar" in tried
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("asyncssh")]
    assert "salah-benar" not in repr(seen) + "".join(ours)


def test_a_changed_host_key_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    tried: list[str] = []

    async def story() -> Observation:
        async with ssh_server(_idle, tried, key=OTHER_KEY) as port:
            HostKeys(tmp_path / "known_hosts").trust("127.0.0.1", port, _key(KEY))
            return await look(target(port), tmp_path)

    seen = _run(story())
    assert seen.reach is Reach.refused
    assert seen.reason.startswith("The host key of rtr1 has changed")
    assert seen.reason.endswith("If this is right, run: siaga trust rtr1")
    assert tried == []


def test_an_unknown_host_key_is_refused_if_new_ones_are_not_accepted(tmp_path: Path) -> None:
    tried: list[str] = []

    async def story() -> Observation:
        async with ssh_server(_idle, tried) as port:
            return await look(target(port), tmp_path, accept_new=False)

    seen = _run(story())
    assert (seen.reach, tried) == (Reach.refused, [])
    assert "is not known" in seen.reason
    assert not (tmp_path / "known_hosts").exists()


def test_the_first_key_is_kept_and_another_server_there_refused(tmp_path: Path) -> None:
    async def story() -> Observation:
        async with ssh_server(cli({}, "h1 "), tried) as port:
            await look(target(port, "linux"), tmp_path, 0.5)
        async with ssh_server(_idle, tried, key=OTHER_KEY) as other:
            known = tmp_path / "known_hosts"
            known.write_text(known.read_text().replace(f":{port} ", f":{other} "))
            return await look(target(other), tmp_path)

    tried: list[str] = []
    assert _run(story()).reason.startswith("The host key of rtr1 has changed")
    assert tried == [USER, PASSWORD]  # of the first server alone


def test_the_known_type_of_key_is_asked_for(tmp_path: Path) -> None:
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048)

    async def story() -> Observation:
        async with ssh_server(cli({"show version": VERSION}), key=[KEY, rsa]) as port:
            HostKeys(tmp_path / "known_hosts").trust("127.0.0.1", port, _key(rsa))
            return await look(target(port), tmp_path)

    # paramiko by itself would take the ed25519 key, which is not the one trusted.
    assert _run(story()).identity.version == "15.0(2)SE11"


def test_a_port_that_makes_noise_is_garbage(tmp_path: Path) -> None:
    async def noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff\xfd\x18\x1b[2J login: " + bytes(range(256)))
        await writer.drain()
        writer.close()

    async def story() -> Observation:
        async with tcp_server(noise) as port:
            return await look(target(port), tmp_path, 3)

    seen = _run(story())
    assert seen.reach is Reach.garbage
    assert "does not speak SSH; it says:" in seen.reason
    assert "\x1b" not in seen.reason


def test_a_tar_pit_holds_nobody(tmp_path: Path) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"x7\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def story() -> Observation:
        async with tcp_server(drip) as port:
            return await look(target(port), tmp_path, 1.0)

    seen = _run(story())
    assert seen.reach is Reach.garbage
    assert seen.took_s < 3


def test_an_ssh_server_that_stops_after_its_first_line_is_silent(tmp_path: Path) -> None:
    async def stop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-Stuck\r\n")
        await reader.read()

    async def story() -> Observation:
        async with tcp_server(stop) as port:
            return await look(target(port), tmp_path, 0.7)

    seen = _run(story())
    assert (seen.reach, seen.took_s < 3) == (Reach.silent, True)
    assert seen.reason.endswith("did not finish the login within 0.7 s.")


def test_a_socket_that_never_answers_is_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        seen = _run(look(target(mute.getsockname()[1]), tmp_path, 0.3))
    assert (seen.reach, seen.took_s < 2) == (Reach.silent, True)
    assert seen.reason.endswith("took the connection but said nothing within 0.3 s.")


def test_a_port_where_nothing_listens_is_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    seen = _run(look(target(port), tmp_path, 1))
    assert (seen.reach, seen.reason) == (Reach.silent, f"Nothing listens for SSH at rtr1 (127.0.0.1:{port}).")


def test_a_connection_closed_without_a_word_is_silent(tmp_path: Path) -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def story() -> Observation:
        async with tcp_server(close) as port:
            return await look(target(port), tmp_path, 2)

    assert _run(story()).reason.endswith("closed it without a word.")


def test_a_device_without_a_credential_is_not_even_dialled(tmp_path: Path) -> None:
    seen = _run(look(Target("rtr1", "127.0.0.1", ssh_port=9), tmp_path))
    assert (seen.reach, seen.reason) == (Reach.refused, "No SSH credential is recorded for rtr1.")


def test_a_platform_without_a_reader_is_said_to_be_one(tmp_path: Path) -> None:
    async def story() -> Observation:
        async with ssh_server(_idle) as port:
            return await look(target(port, "teletype"), tmp_path)

    seen = _run(story())
    assert seen.reach is Reach.refused
    assert seen.reason.startswith("Platform 'teletype' cannot be read over SSH yet")


def test_a_private_key_logs_in_without_a_password(tmp_path: Path) -> None:
    mine = asyncssh.generate_private_key("ssh-ed25519")
    mine.write_private_key(tmp_path / "id")
    tried: list[str] = []

    async def story() -> Observation:
        async with ssh_server(cli({"show version": VERSION}), tried, login=mine) as port:
            return await look(target(port, password="", key_file=str(tmp_path / "id")), tmp_path)

    assert _run(story()).uptime_s == 86_400
    assert tried == [USER]


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_a_private_key_from_the_vault_logs_in(tmp_path: Path, kind: str) -> None:
    mine = asyncssh.generate_private_key(kind)
    text = SecretStr(mine.export_private_key().decode())

    async def story() -> Observation:
        async with ssh_server(cli({"show version": VERSION}), login=mine) as port:
            return await look(target(port, password="", private_key=text), tmp_path)

    assert _run(story()).uptime_s == 86_400


@pytest.mark.parametrize("form", ["openssh", "pkcs1-pem", "pkcs8-pem"])
def test_every_usual_form_of_private_key_is_read(form: str) -> None:
    # Ten, for paramiko by itself fails on one in two of those in OpenSSH's form.
    for _ in range(10):
        mine = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
        auth = SshAuth(USER, private_key=SecretStr(mine.export_private_key(form).decode()))
        key = private_key("rtr1", auth)
        assert key is not None
        assert HostKey(key.get_name(), key.get_base64()) == _key(mine)


def test_a_text_that_is_no_private_key_is_not_shown(tmp_path: Path) -> None:
    seen = _run(look(target(9, private_key=SecretStr("bukan-kunci")), tmp_path))
    assert seen.reach is Reach.refused
    assert "bukan-kunci" not in repr(seen)


@pytest.mark.parametrize("text", [None, "no key at all"])
def test_a_private_key_that_cannot_be_used_is_refused(tmp_path: Path, text: str | None) -> None:
    if text:
        (tmp_path / "id").write_text(text)
    at = Target("rtr1", "127.0.0.1", ssh=SshAuth("noc", key_file=str(tmp_path / "id")))
    seen = _run(look(at, tmp_path))
    assert seen.reach is Reach.refused
    assert seen.reason.startswith("The private key for rtr1 (127.0.0.1:22) cannot be used:")


def _asked(answers: dict[str, str | None], hosts: Path, timeout_s: float = 5) -> Observation:
    async def story() -> Observation:
        async with ssh_server(cli(answers)) as port:
            return await look(target(port), hosts, timeout_s)

    return _run(story())


def test_a_command_that_hangs_is_bounded_and_what_came_before_is_kept(tmp_path: Path) -> None:
    seen = _asked({"show version": VERSION, "show interfaces": None}, tmp_path, 1.0)
    assert (seen.reach, seen.identity.sysName, seen.uptime_s) == (Reach.partial, "rtr1", 86_400)
    assert seen.reason.endswith("was read in part: no answer to 'show interfaces' (time-out).")
    assert seen.took_s < 5


def test_a_session_that_ends_early_is_noticed_at_once(tmp_path: Path) -> None:
    seen = _asked({"show version": VERSION, "show interfaces": "hang up"}, tmp_path, 20)
    assert (seen.reach, seen.identity.sysName) == (Reach.partial, "rtr1")
    assert "no answer to 'show interfaces' (it ended the session)" in seen.reason
    assert seen.took_s < 10


def test_output_that_cannot_be_read_names_its_command_and_the_others_go_on(tmp_path: Path) -> None:
    answers: dict[str, str | None] = {
        "show version": VERSION,
        "show interfaces": "gibberish\n",
        "show processes cpu": PROCESSES,
        "show memory statistics": "              ^\n% Invalid input detected at '^' marker.\n",
    }
    seen = _asked(answers, tmp_path)
    assert (seen.reach, seen.uptime_s, seen.processors[0].percent) == (Reach.partial, 86_400, 7.0)
    assert "'show interfaces' has nothing in it that can be read" in seen.reason
    assert "'show memory statistics' was refused (% Invalid input detected" in seen.reason


def test_endless_output_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.ssh_session.HEARD_LIMIT", 50_000)
    seen = _asked({"show version": VERSION, "show interfaces": "x" * 60_000 + "\n"}, tmp_path)
    assert (seen.reach, seen.identity.sysName) == (Reach.partial, "rtr1")
    assert "it said more than 50000 characters" in seen.reason


def test_a_round_that_is_called_off_cuts_its_connections(tmp_path: Path) -> None:
    def readers() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("ssh_")]

    async def story() -> None:
        arrived = asyncio.Event()

        async def mute(process: Any) -> None:
            arrived.set()
            await process.stdin.read()

        async with ssh_server(mute) as port:
            targets, keys = [target(port), target(port)], HostKeys(tmp_path / "known_hosts")
            reading = observe_all(targets, concurrency=1, now=NOW, known_hosts=keys, timeout_s=60)
            task = asyncio.create_task(reading)
            await asyncio.wait_for(arrived.wait(), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            for thread in readers():
                await asyncio.to_thread(thread.join, 10)

    asyncio.run(story())
    assert readers() == []


def test_the_key_a_device_shows_can_be_asked_for(tmp_path: Path) -> None:
    async def story() -> HostKey:
        async with ssh_server(_idle) as port:
            return await asyncio.to_thread(present_key, target(port), 5)

    shown = asyncio.run(story())
    assert (shown, shown.fingerprint) == (_key(KEY), KEY.get_fingerprint())


def test_no_key_is_shown_where_no_ssh_is(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(MissedError, match="said nothing"):
        present_key(target(mute.getsockname()[1]), 0.2)
