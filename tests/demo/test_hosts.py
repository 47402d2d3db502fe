"""The simulated hosts are real to whoever logs in: commands, exit codes, terminals, files, and nothing left over."""

import asyncio
import gc
import io
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from demo.hosts import Host, Hosts, Login, environment, furnish, host_key, serve
from siaga.errors import SiagaError

ADDRESS = "127.77.249.1"
KEY = asyncssh.generate_private_key("ssh-ed25519")
LOGIN = Login("siaga", "rahasia-sekali", KEY.export_public_key().decode())
Work = Callable[[asyncssh.SSHClientConnection, Hosts], Awaitable[Any]]


@asynccontextmanager
async def _running(home: Path) -> AsyncIterator[Hosts]:
    running = await serve([Host("srv-1", ADDRESS, home / "srv-1")], 0, LOGIN, home / "keys")
    try:
        yield running
    finally:
        await running.close()


def _connected(home: Path, work: Work, **how: Any) -> Any:
    """Run `work` with a connection that checks the host key against the file that `serve` wrote."""

    async def run() -> Any:
        async with _running(home) as hosts:
            known = str(home / "keys" / "known_hosts")
            login = {"username": "siaga", "client_keys": [KEY]} | how
            async with asyncssh.connect(
                ADDRESS, hosts.port, known_hosts=known, config=None, **login
            ) as client:
                return await work(client, hosts)

    return asyncio.run(run())


def test_a_command_gives_output_errors_and_exit_code_from_the_hosts_directory(tmp_path: Path) -> None:
    async def work(client: asyncssh.SSHClientConnection, _: Hosts) -> Any:
        done = await client.run('pwd; echo "$HOME" "$USER"; echo oh >&2; exit 3')
        return done.exit_status, done.stdout, done.stderr

    root = tmp_path / "srv-1"
    assert _connected(tmp_path, work) == (3, f"{root}\n{root} siaga\n", "oh\n")


def test_large_input_and_output_pass_unchanged(tmp_path: Path) -> None:
    data = os.urandom(2_000_000)

    async def work(client: asyncssh.SSHClientConnection, _: Hosts) -> Any:
        return (await client.run("cat", input=data, encoding=None)).stdout

    assert _connected(tmp_path, work) == data


def test_a_killed_command_is_told_by_its_signal(tmp_path: Path) -> None:
    async def work(client: asyncssh.SSHClientConnection, _: Hosts) -> Any:
        return (await client.run("kill -9 $$")).exit_signal

    assert _connected(tmp_path, work)[0] == "KILL"


def test_a_terminal_is_a_real_one(tmp_path: Path) -> None:
    async def work(client: asyncssh.SSHClientConnection, _: Hosts) -> Any:
        done = await client.run("tty; stty size; exit 4", term_type="vt100", term_size=(80, 24))
        return done.exit_status, done.stdout

    status, shown = _connected(tmp_path, work)
    assert status == 4
    assert shown.startswith("/dev/pts/")
    assert shown.endswith("\r\n24 80\r\n")


def test_an_interactive_shell_has_a_prompt_and_answers(tmp_path: Path) -> None:
    async def work(client: asyncssh.SSHClientConnection, _: Hosts) -> Any:
        shell = await client.create_process(term_type="vt100")
        await shell.stdout.readuntil("siaga@srv-1:~$ ")
        shell.stdin.write("echo $((6*7)); exit\n")
        return await shell.stdout.read()

    assert "42\r\n" in _connected(tmp_path, work)


def test_files_go_in_and_out_by_sftp_and_commands_see_them(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    (tmp_path / "up").write_bytes(data)

    async def work(client: asyncssh.SSHClientConnection, _: Hosts) -> Any:
        async with client.start_sftp_client() as sftp:
            await sftp.put(tmp_path / "up", "etc/new.bin")
            await sftp.get(f"{tmp_path}/srv-1/etc/new.bin", tmp_path / "down")
        return (await client.run("wc -c < etc/new.bin")).stdout.strip()

    assert _connected(tmp_path, work) == "300000"
    assert (tmp_path / "down").read_bytes() == (tmp_path / "srv-1/etc/new.bin").read_bytes() == data


@pytest.mark.parametrize(
    "how", [{"password": "salah", "client_keys": None}, {"username": "root", "password": "rahasia-sekali"}]
)
def test_others_are_not_let_in(tmp_path: Path, how: dict[str, Any]) -> None:
    async def work(*_: Any) -> None:
        pytest.fail("let in")

    with pytest.raises(asyncssh.PermissionDenied):
        _connected(tmp_path, work, **how)


def test_a_password_is_enough(tmp_path: Path) -> None:
    async def work(client: asyncssh.SSHClientConnection, _: Hosts) -> Any:
        return (await client.run("echo in")).stdout

    assert _connected(tmp_path, work, password="rahasia-sekali", client_keys=None) == "in\n"


def test_what_ansible_uses_works_a_terminal_a_file_and_the_next_command(tmp_path: Path) -> None:
    """paramiko, as Ansible's connection plug-in drives it: a terminal for each command, SFTP for modules."""

    def drive(port: int) -> tuple[int, bytes]:
        with paramiko.SSHClient() as client:
            client.load_host_keys(str(tmp_path / "keys" / "known_hosts"))
            client.connect(ADDRESS, port, "siaga", "rahasia-sekali", look_for_keys=False, allow_agent=False)
            with client.open_sftp() as sftp:
                sftp.putfo(io.BytesIO(b"echo from a module\nexit 5\n"), f"{tmp_path}/srv-1/tmp/module")
            transport = client.get_transport()
            assert transport is not None
            with transport.open_session() as channel:
                channel.get_pty(width=0, height=0)
                channel.exec_command(f"/bin/sh {tmp_path}/srv-1/tmp/module")
                return channel.recv_exit_status(), channel.makefile("rb").read()

    async def run() -> tuple[int, bytes]:
        async with _running(tmp_path) as hosts:
            return await asyncio.to_thread(drive, hosts.port)

    assert asyncio.run(run()) == (5, b"from a module\r\n")


def _pid(path: Path) -> int:
    for _ in range(500):
        if path.exists() and path.read_text().strip():
            return int(path.read_text())
        time.sleep(0.01)
    raise AssertionError("The command did not start.")


def _gone(pid: int) -> bool:
    """Tell whether the process ends within a bound; one that only waits to be reaped has ended."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("terminal", [None, "vt100"])
def test_nothing_is_left_running_at_the_end(tmp_path: Path, terminal: str | None) -> None:
    async def work(client: asyncssh.SSHClientConnection, _: Hosts) -> int:
        command = "sleep 300 & echo $! > pid; sleep 300"
        await client.create_process(command, term_type=terminal)
        return await asyncio.to_thread(_pid, tmp_path / "srv-1" / "pid")

    assert _gone(_connected(tmp_path, work))


def test_what_a_command_leaves_running_dies_with_its_connection(tmp_path: Path) -> None:
    async def run() -> bool:
        async with _running(tmp_path) as hosts:
            client = await asyncssh.connect(
                ADDRESS, hosts.port, username="siaga", client_keys=[KEY], known_hosts=None, config=None
            )
            await client.create_process("echo $$ > pid; exec sleep 300")
            pid = await asyncio.to_thread(_pid, tmp_path / "srv-1" / "pid")
            client.abort()
            return await asyncio.to_thread(_gone, pid)

    assert asyncio.run(run())


def test_a_cut_off_command_whose_pipes_are_held_by_another_leaves_no_garbage(tmp_path: Path) -> None:
    """A descendant outside the process group holds the pipes when the loop ends: the collector found them open."""
    pid = tmp_path / "srv-1" / "pid"

    async def work(client: asyncssh.SSHClientConnection, _: Hosts) -> None:
        await client.create_process("setsid sh -c 'echo $$ > pid; exec sleep 300' & sleep 300")
        await asyncio.to_thread(_pid, pid)

    try:
        _connected(tmp_path, work)
        gc.collect()  # an "Exception ignored in" fails the test
    finally:
        os.kill(_pid(pid), signal.SIGKILL)


def test_furnishing_again_keeps_what_was_changed(tmp_path: Path) -> None:
    host = Host("srv-1", ADDRESS, tmp_path)
    furnish(host)
    (tmp_path / "etc/ssh/sshd_config").write_text("PermitRootLogin no\n")
    furnish(host)
    assert (tmp_path / "etc/ssh/sshd_config").read_text() == "PermitRootLogin no\n"
    assert (tmp_path / "etc/hostname").read_text() == "srv-1\n"


def test_a_host_key_is_made_once_and_only_we_can_read_it(tmp_path: Path) -> None:
    first, second = host_key(tmp_path / "k" / "a.key"), host_key(tmp_path / "k" / "a.key")
    assert first.public_data == second.public_data
    assert (tmp_path / "k" / "a.key").stat().st_mode & 0o777 == 0o600


def test_a_login_inherits_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIAGA_SECRET", "x")
    assert "SIAGA_SECRET" not in environment(Host("srv-1", ADDRESS, tmp_path), "siaga")
    assert "rahasia" not in repr(LOGIN)


def test_a_port_in_use_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SiagaError, match=f"port-taken: .*TCP port {port} at {ADDRESS}"):
            asyncio.run(serve([Host("srv-1", ADDRESS, tmp_path)], port, LOGIN, tmp_path / "keys"))
