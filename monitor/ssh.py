"""Reads devices over SSH. The only module that imports netmiko.

netmiko logs in and speaks the platform's CLI; monitor/parsers say which commands and read the output. The
host key is checked before anything secret is sent (netmiko by itself accepts any key). Every step is bounded:
`timeout_s` holds for the connection, the login, and each command on its own.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache
from socket import socket
from typing import Any, NamedTuple

import paramiko
from netmiko import ssh_dispatcher
from netmiko.exceptions import NetmikoBaseException
from paramiko.ssh_exception import IncompatiblePeer

from monitor.dial import Lines, MissedError, at_most, dial, first_words
from monitor.hostkeys import HostKeys
from monitor.observation import Observation, Reach
from monitor.ssh_client import Client, present_key, private_key, where_is
from monitor.ssh_parse import Found, Read, Reader, UnparsedError, merged, reader_for
from monitor.targets import SshAuth, Target
from siaga.errors import SiagaError
from siaga.text import safe

# What one session may say altogether, in characters; `show interfaces` of 500 ports is 0.7 MB.
HEARD_LIMIT = 2_000_000
# A command's own time-out comes first; cutting the line this much later is the last resort.
GRACE_S = 1.0
_TROUBLE = (NetmikoBaseException, paramiko.SSHException, OSError, EOFError, ValueError)

__all__ = ["observe", "observe_all", "present_key"]
_log = logging.getLogger(__name__)


class Told(NamedTuple):
    """What came of a conversation: what was found, how far it went, and a sentence if that was not all."""

    found: Found
    reach: Reach = Reach.up
    reason: str = ""


def observe(target: Target, *, now: datetime, known_hosts: HostKeys, timeout_s: float) -> Observation:
    """Return what one device tells over SSH. Blocks, and raises nothing: a silent device is a value."""
    return _observe(target, now, known_hosts, timeout_s, Lines())


def _observe(
    target: Target, now: datetime, known_hosts: HostKeys, timeout_s: float, lines: Lines
) -> Observation:
    started = time.monotonic()
    try:
        told = _converse(target, known_hosts, timeout_s, lines)
    except MissedError as missed:
        told = Told(Found(), missed.reach, missed.reason)
    except SiagaError as error:  # ours to mend (a platform file, known_hosts), not the device's fault
        told = Told(Found(), Reach.refused, error.sentence)
    except Exception as error:  # noqa: BLE001 - the rim of the loop: one odd device must not lose the others
        _log.warning("reading %s over SSH failed: %s", safe(target.name), safe(repr(error)))
        told = Told(
            Found(), Reach.garbage, f"{where_is(target)} could not be read: {safe(repr(error), 120)}."
        )
    return Observation(
        name=target.name,
        address=target.address,
        port=target.ssh_port,
        transport="ssh",
        at=now,
        reach=told.reach,
        reason=told.reason,
        took_s=time.monotonic() - started,
        uptime_s=told.found.uptime_s,
        identity=told.found.identity,
        ports=told.found.ports,
        processors=told.found.processors,
        mempools=told.found.mempools,
    )


async def observe_all(
    targets: Sequence[Target],
    *,
    concurrency: int,
    now: datetime,
    known_hosts: HostKeys,
    progress: Callable[[Observation], None] | None = None,
    timeout_s: float,
) -> list[Observation]:
    """Return the observations of all targets, in their order; at most `concurrency` are read side by side.

    `progress` is called in the event loop with each observation as it comes. When cancelled, no further
    device is begun, and the connections to those being read are cut.
    """
    loop = asyncio.get_running_loop()
    lines = Lines()
    pool = ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(targets))), thread_name_prefix="ssh")

    async def one(target: Target) -> Observation:
        seen = await loop.run_in_executor(pool, _observe, target, now, known_hosts, timeout_s, lines)
        if progress is not None:
            progress(seen)
        return seen

    try:
        return list(await asyncio.gather(*map(one, targets)))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        lines.cut()


def _converse(target: Target, known_hosts: HostKeys, timeout_s: float, lines: Lines) -> Told:
    """Dial, log in, ask, hang up. Raises MissedError where there was no conversation."""
    where, auth = where_is(target), target.ssh
    if auth is None or not auth.user:
        raise MissedError(Reach.refused, f"No SSH credential is recorded for {safe(target.name)}.")
    key = private_key(where, auth)
    with lines.held(dial(where, target.address, target.ssh_port, timeout_s)) as sock:
        words = first_words(where, sock, timeout_s)
        kind, reader = _reader(target.platform, words)
        client = Client(target, known_hosts)
        with closing(client), _session(kind, client, sock, auth, key, timeout_s) as session:
            _log_in(where, words, session, timeout_s)
            _prepare(where, session, reader, timeout_s)
            return _ask(where, session, reader, timeout_s)


def _reader(platform: str, words: str) -> tuple[str, Reader]:
    found = reader_for(platform, words)
    if found is None:
        reason = (
            f"Platform '{safe(platform)}' cannot be read over SSH yet; monitor/parsers has no module for it."
        )
        raise MissedError(Reach.refused, reason)
    return found


class _Careful:
    """Mixed in before a class of netmiko: our client, an end that is noticed, a bound on what is heard."""

    client: Client
    heard = 0

    def _build_ssh_client(self) -> paramiko.SSHClient:
        return self.client

    def read_channel(self) -> str:
        """Read what there is; raise EOFError at the end, where netmiko would poll until its time-out."""
        channel: paramiko.Channel = self.remote_conn  # type: ignore[attr-defined]
        ended = channel.closed or channel.eof_received
        text: str = super().read_channel()  # type: ignore[misc]
        self.heard += len(text)
        if self.heard > HEARD_LIMIT:
            raise ValueError(f"it said more than {HEARD_LIMIT} characters")
        if ended and not text:
            raise EOFError("it ended the session")
        return text

    def cleanup(self, command: str = "") -> None:
        """Say no farewell: netmiko's first looks for a configuration mode, and would wait for an answer."""


@cache
def _careful(kind: str) -> Any:
    """Return netmiko's class for a device type with our care mixed in."""
    return type("CarefulSession", (_Careful, ssh_dispatcher(kind)), {})


@contextmanager
def _session(
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
    )
    session.client = client
    session.remote_conn_pre = None
    try:
        yield session
    finally:
        session.disconnect()


def _log_in(where: str, words: str, session: Any, timeout_s: float) -> None:
    with at_most(session.sock, timeout_s) as cut:
        try:
            session.establish_connection()
        except _TROUBLE as error:
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


def _prepare(where: str, session: Any, reader: Reader, timeout_s: float) -> None:
    """Bring the CLI into a state to be read: prompt found, paging off, privileged if a secret is given."""
    if not reader.prompt:
        return
    with at_most(session.sock, timeout_s + GRACE_S):
        try:
            session.session_preparation()
            if session.secret:
                session.enable()
        except _TROUBLE as error:
            reason = f"{where} let us in but its prompt was not understood: {_briefly(error)}."
            raise MissedError(Reach.partial, reason) from None


def _ask(where: str, session: Any, reader: Reader, timeout_s: float) -> Told:
    """Run the reader's commands in order; what came before a silence or a broken line is kept."""
    parts: list[Found] = []
    notes: list[str] = []
    for read in reader.reads:
        name = read.title or read.command
        try:
            text = _say(session, read, timeout_s)
        except _TROUBLE as error:
            notes.append(f"no answer to '{name}' ({_briefly(error)})")
            break
        try:
            parts.append(read.parse(text))
        except UnparsedError as error:
            notes.append(f"'{name}' {error}")
    found = merged(iter(parts))
    notes += [f"{name} could not be read" for name in found.missing]
    if notes:
        return Told(found, Reach.partial, f"{where} was read in part: {'; '.join(notes)}.")
    return Told(found)


def _say(session: Any, read: Read, timeout_s: float) -> str:
    """Send one command and return its output, without echo and prompt where the prompt ends it."""
    with at_most(session.sock, timeout_s + GRACE_S):
        if read.until:
            text = session.send_command(
                read.command,
                expect_string=read.until,
                cmd_verify=False,
                strip_prompt=False,
                strip_command=False,
            )
        else:
            text = session.send_command(read.command)
        return str(text)


def _briefly(error: BaseException) -> str:
    """Return an error in few words; netmiko's time-outs are pages of advice to programmers."""
    text = safe(error, 120)
    return "time-out" if "Pattern not detected" in text or not text else text
