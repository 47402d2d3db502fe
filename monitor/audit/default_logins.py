"""Tries the logins that a device was delivered with, over SSH: few, slowly, and never where the host key has changed.

Whoever gets in is out again at once: no channel is opened and no command sent. What is tried is public knowledge, and
so is no secret; that it worked is one, until it is mended.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from inventory.findings import Judged, Verdict
from monitor.audit.judge import Place
from siaga.hostkeys import HostKey, HostKeys
from siaga.text import safe

if TYPE_CHECKING:
    import asyncssh


@dataclass(frozen=True)
class Tried:
    """What came of it: how many logins were tried, which user got in ('' none), and why no more could be tried."""

    tries: int = 0
    user: str = ""
    why: str = ""


@dataclass(frozen=True)
class Gate:
    """A device's SSH server, and the host keys that are known of it."""

    address: str
    port: int
    known_hosts: HostKeys

    def may(self, shown: HostKey) -> bool:
        """Tell whether a host key is no other than the one of its kind that is known; a first one may be."""
        known = self.known_hosts.of(self.address, self.port)
        return shown in known or shown.kind not in {k.kind for k in known}


async def tried(
    gate: Gate,
    logins: Sequence[tuple[str, str]],
    *,
    timeout_s: float,
    pause_s: float,
    wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Tried:
    """Try the logins one after another, `pause_s` apart, each on its own connection; stop at the first that works."""
    for number, (user, password) in enumerate(logins):
        if number:
            await wait(pause_s)
        accepted, why = await _gets_in(gate, user, password, timeout_s)
        if accepted:
            return Tried(number + 1, user)
        if why:
            return Tried(number, "", why)
    return Tried(len(logins))


async def _gets_in(gate: Gate, user: str, password: str, timeout_s: float) -> tuple[bool, str]:
    """Return whether this login is let in, and why it could not be tried ('': it was)."""
    import asyncssh

    logging.getLogger("asyncssh").setLevel(logging.CRITICAL + 1)  # what fails here is a value
    try:
        async with asyncio.timeout(timeout_s):
            connection = await asyncssh.connect(
                gate.address,
                gate.port,
                client_factory=lambda: _client(gate),
                options=_options(user, password),
            )
    except asyncssh.PermissionDenied:
        return False, ""
    except asyncssh.HostKeyNotVerifiable:
        return False, "Its host key has changed: nothing was tried."
    except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
        return False, safe(error, 160) or "It did not answer in time."
    connection.abort()
    return True, ""


def _options(user: str, password: str) -> Any:
    import asyncssh

    return asyncssh.SSHClientConnectionOptions(
        username=user,
        password=password,
        known_hosts=([], [], []),  # nobody: the client below judges every key
        client_keys=None,
        agent_path=None,
        preferred_auth="none,password,keyboard-interactive",
        kex_algs="*",
        server_host_key_algs="*",
        encryption_algs="*",
        mac_algs="*",
        config=None,
        client_version="siaga_audit",
    )


def _client(gate: Gate) -> "asyncssh.SSHClient":
    import asyncssh

    class Client(asyncssh.SSHClient):
        """Takes a host key that is not another than the known one; sends nothing before that."""

        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            kind, base64 = key.export_public_key("openssh").decode().split()[:2]
            return gate.may(HostKey(kind, base64))

    return Client()


def judged(tried_at: Sequence[tuple[Place, Tried]], now: datetime) -> Iterator[Judged]:
    """Yield for each device whether a login of its delivery works; one that could not be tried is unknown."""
    for place, one in tried_at:
        told = f"SSH let in the user '{one.user}' with the password of the delivery"
        evidence = (told,) if one.user else ()
        verdict = Verdict.broken if one.user else Verdict.unknown if one.why else Verdict.met
        title = "A login that it was delivered with still works."
        key = place.key("default-login")
        yield Judged(key, verdict, "critical", title, "; ".join(evidence), "33(2)b", evidence, now)
