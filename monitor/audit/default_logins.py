"""Tries the logins that a device was delivered with, over SSH: few, slowly, and never where the host key has changed.

Whoever gets in is out again at once: no channel is opened and no command sent. What is tried is public knowledge, and
so is no secret; that it worked is one, until it is mended.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import paramiko

from monitor.dial import MissedError, at_most, dial, first_words
from monitor.hostkeys import HostKey, HostKeys
from siaga.text import safe

_LOG_NAME = "siaga.ssh.transport"
logging.getLogger(_LOG_NAME).setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class Tried:
    """What came of it: how many logins were tried, which user got in ('' none), and why no more could be tried."""

    tries: int = 0
    user: str = ""
    why: str = ""


def tried(
    address: str,
    port: int,
    logins: Sequence[tuple[str, str]],
    *,
    known_hosts: HostKeys,
    timeout_s: float,
    pause_s: float,
    wait: Callable[[float], None] = time.sleep,
) -> Tried:
    """Try the logins one after another, `pause_s` apart, each on its own connection; stop at the first that works."""
    for number, (user, password) in enumerate(logins):
        if number:
            wait(pause_s)
        try:
            if _gets_in(address, port, user, password, known_hosts, timeout_s):
                return Tried(number + 1, user)
        except (MissedError, paramiko.SSHException, OSError, EOFError, ValueError) as error:
            return Tried(number, "", safe(getattr(error, "reason", error), 160) or type(error).__name__)
    return Tried(len(logins))


def _gets_in(
    address: str, port: int, user: str, password: str, known_hosts: HostKeys, timeout_s: float
) -> bool:
    with closing(dial(address, address, port, timeout_s)) as sock:
        first_words(address, sock, timeout_s)
        with at_most(sock, timeout_s * 2), closing(paramiko.Transport(sock)) as transport:
            transport.set_log_channel(_LOG_NAME)
            transport.auth_timeout = timeout_s
            transport.start_client(timeout=timeout_s)
            key = transport.get_remote_server_key()
            known = known_hosts.of(address, port)
            shown = HostKey(key.get_name(), key.get_base64())
            if shown not in known and shown.kind in {k.kind for k in known}:
                raise ValueError("Its host key has changed: nothing was tried.")
            return _accepted(transport, user, password)


def _accepted(transport: paramiko.Transport, user: str, password: str) -> bool:
    try:
        if not password:
            try:
                transport.auth_none(user)
            except paramiko.BadAuthenticationType:
                transport.auth_password(user, password)
        else:
            transport.auth_password(user, password)
    except paramiko.AuthenticationException:
        return False
    return transport.is_authenticated()
