"""Logs in to the hosts that come next while others are changed, so that their first task finds the connection open.

Most of what a first task takes is the login: round trips, and the work of both ends. While one host goes first, this
machine has nothing else to do. Nothing is run on the hosts that wait. A login that fails says nothing here: Ansible
tries it again in its turn, and tells.
"""

import hashlib
import shlex
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIDE_BY_SIDE = 6  # logins; more would take the processor from the host that goes first


@dataclass(frozen=True)
class Login:
    """Where and as whom Ansible logs in, and the file of the key."""

    host: str
    port: int
    user: str
    key: Path


def logins(variables: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str]) -> dict[str, Login]:
    """Return the logins of those hosts that are entered by OpenSSH with a key."""
    found = {}
    for name, key in keys.items():
        own = {k: _plain(v) for k, v in variables[name].items()}
        if str(own.get("ansible_connection", "ssh")).rpartition(".")[2] == "ssh":
            where = str(own["ansible_host"]), int(own["ansible_port"]), str(own["ansible_user"])
            found[name] = Login(*where, Path(key))
    return found


def _plain(value: Any) -> Any:
    return value["__ansible_unsafe"] if isinstance(value, Mapping) and "__ansible_unsafe" in value else value


def control_path(folder: Path, login: Login) -> Path:
    """Return the socket of a connection, under the name that Ansible's own plugin gives it (ansible-core 2.19)."""
    name = hashlib.sha1(f"{login.host}-{login.port}-{login.user}".encode(), usedforsecurity=False)
    return folder / name.hexdigest()[:10]


class Ahead:
    """Opens connections beside a run, with the options that Ansible gives to ssh."""

    def __init__(self, environ: Mapping[str, str], known: Mapping[str, Login]) -> None:
        self._environ, self._known = environ, known
        self._turns = threading.Semaphore(SIDE_BY_SIDE)
        self._over = threading.Event()

    def open(self, names: Iterable[str]) -> None:
        """Begin to log in to these hosts, and return at once."""
        self._over.clear()
        for name in names:
            if name in self._known:
                threading.Thread(target=self._login, args=(self._known[name],), daemon=True).start()

    def stop(self) -> None:
        """Begin no other login: those that are under way come to their end."""
        self._over.set()

    def _login(self, login: Login) -> None:
        with self._turns, suppress(OSError, subprocess.SubprocessError):
            if not self._over.is_set():
                subprocess.run(
                    [*self._words(login)],
                    env=self._environ,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=3 * int(self._environ["ANSIBLE_TIMEOUT"]),
                    check=False,
                )

    def _words(self, login: Login) -> Iterator[str]:
        """Yield the command: it is in the background, as a connection and nothing else, once the login has worked."""
        yield from ("ssh", "-fN", *shlex.split(self._environ["ANSIBLE_SSH_ARGS"]))
        folder = Path(self._environ["ANSIBLE_SSH_CONTROL_PATH_DIR"])
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": self._environ["ANSIBLE_TIMEOUT"],
            "Port": login.port,
            "IdentityFile": f'"{login.key}"',
            "User": f'"{login.user}"',
            "ControlPath": f'"{control_path(folder, login)}"',
        }
        yield from (word for key, value in options.items() for word in ("-o", f"{key}={value}"))
        yield login.host
