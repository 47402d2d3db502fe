"""The simulated Linux hosts: real SSH, real shells, real files, but no root, no sshd and no container.

Each host is a directory with etc/, var/ and home/ in it, and an SSH server on its own loopback address.
Commands run as the user who started the demo, with HOME at the host's directory, so what Ansible changes can
be looked at afterwards. A host is a directory and not a jail: who may log in may do what that user may do.
Therefore it listens on the loopback only, and the password and the key are drawn anew for each demo.
"""

import asyncio
import hmac
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from demo.agents import port_taken
from demo.shells import Shell

# What a host has before the first play: a default installation, which the baseline then improves.
SKELETON = {
    "etc/hostname": ("{name}",),
    "etc/ssh/sshd_config": ("PermitRootLogin yes", "PasswordAuthentication yes", "X11Forwarding yes"),
    "etc/chrony/chrony.conf": ("pool 2.debian.pool.ntp.org iburst", "driftfile /var/lib/chrony/chrony.drift"),
    "etc/snmp/snmpd.conf": ("agentaddress 127.0.0.1",),
}
_FOLDERS = ("etc", "home", "tmp", "var/lib", "var/log")
# The system directories as a login gets them, and the folder of the interpreter that runs this.
_PATH = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Host:
    """One host: its name, its address, and the directory that is its file system."""

    name: str
    address: str
    root: Path


@dataclass(frozen=True)
class Login:
    """Who may log in: a password, and the public half of a key in OpenSSH's one-line form (or empty)."""

    user: str
    password: str = field(repr=False)
    public_key: str = ""


class Door(asyncssh.SSHServer):
    """Lets in one user, by password or by key."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._key = asyncssh.import_public_key(login.public_key) if login.public_key else None

    def password_auth_supported(self) -> bool:
        """Take passwords only if there is one."""
        return bool(self._login.password)

    def validate_password(self, username: str, password: str) -> bool:
        """Compare without telling by the time taken how much was right."""
        right = hmac.compare_digest(password.encode(), self._login.password.encode())
        return right and username == self._login.user

    def public_key_auth_supported(self) -> bool:
        """Take keys only if there is one."""
        return self._key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Let in the one key."""
        return username == self._login.user and key == self._key


class _HostDoor(Door):
    """Remembers the connections, so that they can be ended."""

    def __init__(self, login: Login, connections: set[asyncssh.SSHServerConnection]) -> None:
        super().__init__(login)
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Note who came."""
        self._mine = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note who went."""
        self._connections.discard(self._mine)


class Files(asyncssh.SFTPServer):
    """SFTP and SCP on the files that the commands see; a relative path starts at the host's directory."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", root: Path) -> None:
        super().__init__(channel)
        self._root = root

    def map_path(self, path: bytes) -> bytes:
        """Return the real path: absolute paths are the machine's own, as for commands."""
        return os.fsencode(self._root / os.fsdecode(path))


class Hosts:
    """The running SSH servers and their shells; made by `serve`, ended by `close`."""

    def __init__(self, port: int, known_hosts: Path) -> None:
        self.port = port
        self.known_hosts = known_hosts
        self._servers: list[asyncssh.SSHAcceptor] = []
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._shells: dict[Shell, asyncio.Task[Any] | None] = {}

    async def open(self, host: Host, login: Login, key: asyncssh.SSHKey) -> None:
        """Start one host's server."""

        async def handle(process: "asyncssh.SSHServerProcess[bytes]") -> None:
            await self._run(Shell(process, host.root, environment(host, login.user)))

        server = await asyncssh.create_server(
            lambda: _HostDoor(login, self._connections),
            host.address,
            self.port,
            server_host_keys=[key],
            process_factory=handle,
            sftp_factory=lambda channel: Files(channel, host.root),
            allow_scp=True,
            encoding=None,
            line_editor=False,
            agent_forwarding=False,
            login_timeout=30,
            keepalive_interval=30,
        )
        self._servers.append(server)
        self.port = self.port or server.get_port()

    async def _run(self, shell: Shell) -> None:
        self._shells[shell] = asyncio.current_task()
        try:
            await shell.run()
        finally:
            del self._shells[shell]

    async def close(self) -> None:
        """Stop every server, hang up on everybody and kill what their commands left running."""
        tasks = [task for task in self._shells.values() if task]
        for shell in self._shells:
            shell.kill()
        for connection in list(self._connections):
            connection.abort()
        for server in self._servers:
            server.close()
            with suppress(OSError, asyncssh.Error):
                await server.wait_closed()
        self._servers.clear()
        if tasks:
            await asyncio.wait(tasks, timeout=5)


def environment(host: Host, user: str) -> dict[str, str]:
    """Return the environment of a login; nothing of ours is handed down."""
    return {
        "HOME": str(host.root),
        "PATH": _PATH,
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "PS1": f"{user}@{host.name}:~$ ",
    }


def furnish(host: Host) -> None:
    """Make the host's directories and first files; what is there already stays as it is."""
    for folder in _FOLDERS:
        (host.root / folder).mkdir(parents=True, exist_ok=True)
    for path, lines in SKELETON.items():
        place = host.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.write_text("".join(f"{line.format(name=host.name)}\n" for line in lines), "utf-8")


def host_key(path: Path) -> asyncssh.SSHKey:
    """Return the host key in `path`, made there (mode 0600) the first time."""
    if path.exists():
        return asyncssh.read_private_key(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.export_private_key())
    return key


async def serve(hosts: Sequence[Host], port: int, login: Login, keys: Path) -> Hosts:
    """Furnish and start every host on TCP `port` (0: any); `keys` holds host keys and known_hosts.

    Raises SiagaError `port-taken` if a port cannot be had; nothing is left running then.
    """
    running = Hosts(port, keys / "known_hosts")
    lines = []
    try:
        for host in hosts:
            furnish(host)
            key = host_key(keys / f"{host.name}.key")
            await running.open(host, login, key)
            public = key.export_public_key().decode().strip()
            lines.append(f"[{host.address}]:{running.port} {' '.join(public.split()[:2])}\n")
    except OSError as error:
        await running.close()
        raise port_taken("TCP", host.address, running.port, error) from error
    running.known_hosts.write_text("".join(lines), "utf-8")
    return running
