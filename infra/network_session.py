"""One login at a network device's command line. The only module of infra that imports netmiko.

netmiko logs in and turns paging off; what is typed then, and what is understood of it, is the dialect's. The
host key is judged by inventory/ssh_client.py before anything secret is sent.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
from netmiko import ssh_dispatcher
from netmiko.exceptions import NetmikoBaseException

from infra.network import SECRET, filled, masked
from infra.network_dialects import Dialect
from inventory.ssh_client import Client
from siaga.errors import SiagaError
from siaga.hostkeys import HostKeys
from siaga.text import safe

MOST_QUESTIONS = 6
_TROUBLE = (NetmikoBaseException, paramiko.SSHException, OSError, EOFError, ValueError)


class NotReachedError(Exception):
    """There was no login; the sentence says why."""


class RefusedError(Exception):
    """The device refused a line, or fell silent; the sentence says which."""


class SilentError(RefusedError):
    """The device's prompt did not come back."""


@dataclass(frozen=True)
class Access:
    """Where a device is and how to log in. `known_hosts` is in OpenSSH's format; new keys are added to it."""

    host: str
    port: int
    user: str
    password: str = ""
    key_file: str = ""
    enable: str = ""
    known_hosts: Path = Path("~/.ssh/known_hosts")
    accept_new: bool = False
    timeout_s: float = 20.0


class Session:
    """A device's command line, logged in, outside its configuration mode."""

    def __init__(
        self, access: Access, dialect: Dialect, secrets: Mapping[str, str], *, quiet: bool = False
    ) -> None:
        """Log in; raises NotReachedError. With `quiet` no error says which line it is about: it may hold a secret."""
        self._dialect, self._secrets, self._access = dialect, secrets, access
        self._line = _logged_in(access, dialect)
        host = re.escape(str(self._line.base_prompt))
        self._prompt = dialect.prompt.replace("{host}", host)
        self._quiet = quiet

    def ask(self, command: str) -> str:
        """Return what the device prints for a command; raises RefusedError if it never comes to an end."""
        return self._type(command)

    def run(self, commands: Sequence[str]) -> None:
        """Type lines outside the configuration mode; raises RefusedError at the first that is not taken."""
        for command in commands:
            self._typed(command)

    def send(self, commands: Sequence[str], commit: str = "") -> None:
        """Type lines of configuration; raises RefusedError at the first that the device does not take.

        Where they count only once they are committed, `commit` is the line for it if it is not the usual one.
        """
        try:
            for command in (self._dialect.enter, *commands, commit or self._dialect.commit):
                self._typed(command)
        except SilentError:
            raise
        except RefusedError:
            self._typed(self._dialect.discard)
            self._typed(self._dialect.leave)
            raise
        self._typed(self._dialect.leave)

    def try_all(self, groups: Sequence[Sequence[str]]) -> None:
        """Type each group of lines as far as the device takes it, until it says nothing any more.

        Each begins and ends outside the configuration mode, so that a refused line cannot misplace the next.
        """
        for group in groups:
            with suppress(RefusedError):
                try:
                    self.send(group)
                except SilentError:
                    return

    def save(self) -> None:
        """Keep the configuration over a restart; a device that keeps it by itself is asked nothing."""
        self._typed(self._dialect.save)

    def close(self) -> None:
        """Hang up."""
        self._line.disconnect()

    def _typed(self, command: str) -> None:
        if not command:
            return
        said = self._type(command)
        if found := re.search(self._dialect.refused, said):
            answer = safe(masked(found.group().strip(), self._secrets), 200)
            raise RefusedError(
                "it refused a line" if self._quiet else f"it refused {self._shown(command)}: {answer}"
            )

    def _type(self, command: str) -> str:
        """Type a line, answer what is asked, and return all that was printed until the prompt came again."""
        due = SECRET.search(command)
        if self._dialect.prompted and self._dialect.prompted in command:
            command = command[: command.index(self._dialect.prompted)]
        secret = self._secrets[due[1]] if due else ""
        ends = "|".join([f"(?:{self._prompt})", *(f"(?:{ask})" for ask in self._dialect.asks)])
        words, heard = filled(command, self._secrets), ""
        for _ in range(MOST_QUESTIONS):
            try:
                said = self._line.send_command(
                    words,
                    expect_string=_flat(ends),
                    strip_prompt=False,
                    strip_command=False,
                    cmd_verify=False,
                )
            except EOFError:
                raise SilentError(f"after {self._shown(command)} it hung up") from None
            except _TROUBLE:
                said = f"no prompt came within {self._access.timeout_s:g} s"
                raise SilentError(f"after {self._shown(command)} {said}") from None
            heard += said
            asked = next((a for p, a in self._dialect.asks.items() if re.search(p, said)), None)
            if re.search(self._prompt, said) or asked is None:
                return self._body(heard, command)
            words = asked.replace("{secret}", secret)
        raise SilentError(f"it asked too much after {self._shown(command)}")

    def _shown(self, command: str) -> str:
        return "a line" if self._quiet else f"'{safe(SECRET.sub('…', command), 120)}'"

    def _body(self, heard: str, command: str) -> str:
        """Return the output without the echo and the prompt."""
        lines = re.sub(self._prompt, "", heard.replace("\r", "")).splitlines()
        return "\n".join(lines[1:] if lines and command[:20] in lines[0] else lines)


def _flat(pattern: str) -> str:
    """Move the flags to the front, where the expression that joins several must have them."""
    return "(?mi)" + pattern.replace("(?m)", "").replace("(?i)", "")


def _logged_in(access: Access, dialect: Dialect) -> Any:
    """Return a netmiko connection, its paging off, its prompt known; privileged if a secret is given."""
    known = HostKeys(access.known_hosts.expanduser(), accept_new=access.accept_new)
    client = Client(f"{access.host}:{access.port}", access.host, access.port, known)
    kind = type("CheckedSession", (_Checked, ssh_dispatcher(dialect.netmiko)), {"client": client})
    try:
        line = kind(
            host=access.host,
            port=access.port,
            username=access.user,
            password=access.password or None,
            use_keys=bool(access.key_file),
            key_file=access.key_file or None,
            secret=access.enable,
            device_type=dialect.netmiko,
            conn_timeout=access.timeout_s,
            auth_timeout=access.timeout_s,
            banner_timeout=access.timeout_s,
            read_timeout_override=access.timeout_s,
        )
        if access.enable:
            line.enable()
    except SiagaError as error:  # of its host key
        raise NotReachedError(error.sentence) from None
    except _TROUBLE as error:
        raise NotReachedError(_misfortune(access, error)) from None
    return line


def _misfortune(access: Access, error: BaseException) -> str:
    """Say in one sentence why nobody could log in; netmiko turns paramiko's errors into pages of its own."""
    cause = error.__context__ or error
    where = f"{access.host}:{access.port}"
    for known in (error, cause):
        if isinstance(known, paramiko.AuthenticationException):
            return f"{where} refused the login of '{safe(access.user, 40)}'."
    said = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
    return f"{where} could not be logged in to: {safe(said, 160)}."


class _Checked:
    """Mixed in before a class of netmiko: our client, which judges host keys, and an end that is noticed."""

    client: Client

    def read_channel(self) -> str:
        """Return what has come; raises EOFError at once, not after all patience, if the device has hung up."""
        said = str(super().read_channel())  # type: ignore[misc]
        transport = self.client.get_transport()
        if not said and (transport is None or not transport.is_active()):
            raise EOFError("it hung up")
        return said

    def _build_ssh_client(self) -> Client:
        return self.client

    def cleanup(self, command: str = "") -> None:
        """Say no farewell: netmiko's first looks for a configuration mode, and would wait for an answer."""
