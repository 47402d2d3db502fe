"""Reads devices over SSH: monitor/ssh_session.py opens the command line, monitor/parsers say what to ask.

Every step is bounded: `timeout_s` holds for the connection, the login, and each command on its own.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from typing import Any, NamedTuple

from monitor.dial import Lines, MissedError, at_most, first_words
from monitor.login_alarms import TRUSTED, host_key_of
from monitor.observation import Observation, Reach
from monitor.ssh_client import client_for, present_key, private_key, where_is
from monitor.ssh_jump import connected
from monitor.ssh_parse import Found, Read, Reader, UnparsedError, merged, reader_for
from monitor.ssh_session import GRACE_S, TROUBLE, briefly, log_in, prepare, session_for
from monitor.targets import Target
from siaga.errors import SiagaError
from siaga.hostkeys import HostKeys
from siaga.text import safe

__all__ = ["observe", "observe_all", "present_key"]
_log = logging.getLogger(__name__)


class Told(NamedTuple):
    """What came of a conversation: what was found, how far it went, and a sentence if that was not all."""

    found: Found
    reach: Reach = Reach.up
    reason: str = ""
    host_key: str = ""


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
        told = Told(Found(), Reach.refused, error.sentence, host_key_of(error))
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
        host_key=told.host_key or (TRUSTED if told.reach in (Reach.up, Reach.partial) else ""),
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
    with lines.held(connected(target, known_hosts, timeout_s)) as sock:
        words = first_words(where, sock, timeout_s)
        kind, reader = _reader(target.platform, words)
        client = client_for(target, known_hosts)
        with closing(client), session_for(kind, client, sock, auth, key, timeout_s) as session:
            log_in(where, words, session, timeout_s)
            if reader.prompt:
                prepare(where, session, timeout_s)
            return _ask(where, session, reader, timeout_s)


def _reader(platform: str, words: str) -> tuple[str, Reader]:
    found = reader_for(platform, words)
    if found is None:
        reason = (
            f"Platform '{safe(platform)}' cannot be read over SSH yet; monitor/parsers has no module for it."
        )
        raise MissedError(Reach.refused, reason)
    return found


def _ask(where: str, session: Any, reader: Reader, timeout_s: float) -> Told:
    """Run the reader's commands in order; what came before a silence or a broken line is kept."""
    parts: list[Found] = []
    notes: list[str] = []
    for read in reader.reads:
        name = read.title or read.command
        try:
            text = _say(session, read, timeout_s)
        except TROUBLE as error:
            notes.append(f"no answer to '{name}' ({briefly(error)})")
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
