"""Opens a command line over SSH. The only module that imports netmiko.

netmiko logs in, finds the prompt, turns the pager off and becomes privileged, as each make wants it; what is asked then
is said by monitor/ssh.py and monitor/configs. The host key is checked before anything secret is sent (netmiko by itself
accepts any key), and every step is bounded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from socket import socket
from typing import Any

import paramiko
from netmiko import ssh_dispatcher
from netmiko.exceptions import NetmikoBaseException
from paramiko.ssh_exception import IncompatiblePeer

from inventory.ssh_client import Client
from monitor.dial import MissedError, at_most
from monitor.observation import Reach
from monitor.targets import SshAuth
from siaga.text import safe

# What one session may say altogether, in characters; `show interfaces` of 500 ports is 0.7 MB.
HEARD_LIMIT = 2_000_000
# A command's own time-out comes first; cutting the line this much later is the last resort.
GRACE_S = 1.0
TROUBLE = (NetmikoBaseException, paramiko.SSHException, OSError, EOFError, ValueError)


class _Careful:
    """Mixed in before a class of netmiko: our client, an end that is noticed, a bound on what is heard."""

    client: Client
    heard = 0
    shown = ""  # the prompt as it was last seen
    limit: int | None = None

    def _build_ssh_client(self) -> paramiko.SSHClient:
        return self.client

    def find_prompt(self, *args: Any, **kwargs: Any) -> str:
        """Find the prompt, and remember it."""
        self.shown = str(super().find_prompt(*args, **kwargs))  # type: ignore[misc]
        return self.shown

    def read_channel(self) -> str:
        """Read what there is; raise EOFError at the end, where netmiko would poll until its time-out."""
        channel: paramiko.Channel = self.remote_conn  # type: ignore[attr-defined]
        ended = channel.closed or channel.eof_received
        text: str = super().read_channel()  # type: ignore[misc]
        self.heard += len(text)
        if self.heard > (limit := self.limit or HEARD_LIMIT):
            raise ValueError(f"it said more than {limit} characters")
        if ended and not text:
            raise EOFError("it ended the session")
        return text

    def cleanup(self, command: str = "") -> None:
        """Say no farewell: netmiko's first looks for a configuration mode, and would wait for an answer."""


# Where the pager is part of the configuration, it stays on: who only reads changes nothing. Pages are turned instead.
_PAGER_IS_CONFIGURED = ("fortinet",)


def _left_on(_session: Any, *_args: Any, **_kwargs: Any) -> str:
    return ""


_NONE_DISABLED = {"kex": ["none"], "pubkeys": ["none"]}


@cache
def _careful(kind: str) -> Any:
    """Return netmiko's class for a device type with our care mixed in."""
    own = {"disable_paging": _left_on} if kind in _PAGER_IS_CONFIGURED else {}
    return type("CarefulSession", (_Careful, ssh_dispatcher(kind)), own)


@contextmanager
def session_for(
    kind: str, client: Client, sock: socket, auth: SshAuth, key: paramiko.PKey | None, timeout_s: float
) -> Iterator[Any]:
    """Give a netmiko session that is not connected yet, and take it down afterwards."""
    session = _careful(kind)(
        host=client.host,
        port=client.port,
        username=auth.user,
        password=auth.password.get_secret_value() or None,
        secret=auth.enable_secret.get_secret_value(),
        pkey=key,
        sock=sock,
        device_type=kind,
        auto_connect=False,
        conn_timeout=timeout_s,
        auth_timeout=timeout_s,
        banner_timeout=timeout_s,
        blocking_timeout=timeout_s,
        read_timeout_override=timeout_s,
        # netmiko asks some makes for nothing but the weakest key exchanges; what is still safe is paramiko's to say.
        disabled_algorithms=_NONE_DISABLED,
    )
    session.client = client
    session.remote_conn_pre = None
    try:
        yield session
    finally:
        session.disconnect()


def log_in(where: str, words: str, session: Any, timeout_s: float) -> None:
    with at_most(session.sock, timeout_s) as cut:
        try:
            session.establish_connection()
        except TROUBLE as error:
            # netmiko turns every exception of paramiko into two of its own; the first one tells more.
            raise _misfortune(where, words, error.__context__ or error, session, cut.is_set()) from None


def _misfortune(where: str, words: str, error: BaseException, session: Any, cut: bool) -> MissedError:
    """Say what a failed login was: silence, a refusal, or no SSH."""
    text = safe(error, 120)
    if not words.startswith("SSH-"):
        return MissedError(Reach.garbage, f"{where} does not speak SSH; it says: {words}")
    if cut or "timeout" in text.lower() or "No existing session" in text:
        return MissedError(
            Reach.silent, f"{where} did not finish the login within {session.conn_timeout:g} s."
        )
    if isinstance(error, IncompatiblePeer):
        return MissedError(Reach.refused, f"{where} offers no SSH algorithm that is still safe: {text}.")
    if isinstance(error, paramiko.AuthenticationException):
        return MissedError(Reach.refused, f"{where} refused the login of '{safe(session.username)}'.")
    return MissedError(Reach.garbage, f"{where} does not keep to the SSH protocol: {text}.")


def prepare(where: str, session: Any, timeout_s: float) -> None:
    """Bring the CLI into a state to be read: prompt found, paging off, privileged if a secret is given."""
    with at_most(session.sock, timeout_s + GRACE_S):
        try:
            session.session_preparation()
            if session.secret:
                session.enable()
        except TROUBLE as error:
            reason = f"{where} let us in but its prompt was not understood: {briefly(error)}."
            raise MissedError(Reach.partial, reason) from None


def briefly(error: BaseException) -> str:
    """Return an error in few words; netmiko's time-outs are pages of advice to programmers."""
    text = safe(error, 120)
    return "time-out" if "Pattern not detected" in text or not text else text
