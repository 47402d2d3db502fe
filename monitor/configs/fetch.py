"""Reads the configuration of one device over SSH. Blocks, and raises nothing for a device: a failure is a value."""

import logging
import re
import time
from contextlib import closing, nullcontext
from typing import Any

from inventory.platform_format import Config
from inventory.platforms import config_of
from monitor.configs.clean import GarbledError, lines_of
from monitor.configs.complete import lacking, refusal, shrunk
from monitor.configs.listen import CutError, answer, prompt_of
from monitor.configs.normalise import Normal, noiseless, normal, rules_version
from monitor.configs.values import Fetched, Means, Wanted
from monitor.dial import Lines, MissedError, at_most, first_words
from monitor.login_alarms import host_key_of
from monitor.observation import Reach
from monitor.ssh_client import client_for, private_key, where_is
from monitor.ssh_jump import connected
from monitor.ssh_session import TROUBLE, briefly, log_in, prepare, session_for
from siaga.errors import SiagaError
from siaga.lock import BusyError, device_lock
from siaga.text import safe

_log = logging.getLogger(__name__)
_GRACE_S = 5.0


def fetch(wanted: Wanted, means: Means, open_lines: Lines) -> Fetched:
    """Return the configuration of one device, or why there is none."""
    began = time.monotonic()
    result, reason, form, full, mark = "failed", "", Normal(()), "", ""
    lock = nullcontext() if means.locked else device_lock(means.home, wanted.device_id, safe(wanted.name))
    try:
        with lock:
            lines, config = _read(wanted, means, open_lines)
        result, full = "good", "\n".join(lines) + "\n"
        # With other rules, or other secrets to mask, the same text is looked at anew.
        seen = "\n".join((rules_version(config), *sorted(wanted.known), noiseless(lines, config)))
        mark = means.whole(wanted.device_id, seen)
        if mark != wanted.mark:
            form = normal(lines, config, means.mark(wanted.device_id), wanted.known)
    except MissedError as missed:
        result = {Reach.silent: "silent", Reach.refused: "refused"}.get(missed.reach, "garbled")
        reason = missed.reason
    except CutError as cut:
        result, reason = cut.kind, f"Not kept: {cut} ({where_is(wanted.target)})."
    except BusyError as busy:
        result, reason = "busy", busy.sentence
    except SiagaError as error:
        result = "host-key-changed" if host_key_of(error) else "failed"
        reason = error.sentence
    except Exception as error:  # noqa: BLE001 - the rim of the loop: one odd device must not lose the others
        _log.warning("the backup of %s failed: %s", safe(wanted.name), type(error).__name__)
        reason = f"{where_is(wanted.target)} could not be read ({type(error).__name__})."
    took_s = time.monotonic() - began
    return Fetched(wanted, result, reason, form, full, took_s, mark, same=bool(mark) and mark == wanted.mark)


def _read(wanted: Wanted, means: Means, open_lines: Lines) -> tuple[list[str], Config]:
    target = wanted.target
    where, auth = where_is(target), target.ssh
    known = config_of(target.platform)
    if known is None:
        what = (
            f"Platform '{safe(target.platform)}'"
            if target.platform
            else f"{safe(wanted.name)} has no platform and"
        )
        raise MissedError(Reach.refused, f"{what} cannot be backed up: no platform file says how ([config]).")
    if auth is None or not auth.user:
        raise MissedError(Reach.refused, f"No SSH credential is recorded for {safe(wanted.name)}.")
    kind, config = known
    key = private_key(where, auth)
    with open_lines.held(connected(target, means.known_hosts, means.timeout_s)) as sock:
        words = first_words(where, sock, means.timeout_s)
        client = client_for(target, means.known_hosts)
        with closing(client), session_for(kind, client, sock, auth, key, means.timeout_s) as session:
            log_in(where, words, session, means.timeout_s)
            session.limit = means.limits.octets
            prepare(where, session, means.timeout_s)
            with at_most(session.sock, means.limits.longest_s * 2 + _GRACE_S):
                return _Talk(wanted, session, config, means).configuration(), config


class _Talk:
    """One session from the prompt on."""

    def __init__(self, wanted: Wanted, session: Any, config: Config, means: Means) -> None:
        self._wanted, self._session, self._config, self._means = wanted, session, config, means
        self._where = where_is(wanted.target)
        self._prompt = prompt_of(session.base_prompt)

    def configuration(self) -> list[str]:
        try:
            self._into_mode()
        except TROUBLE as error:
            reason = f"{self._where} let us in but did not get ready: {briefly(error)}."
            raise MissedError(Reach.partial, reason) from None
        lines = self._whole()
        if shrunk(len(lines), self._wanted.lines) and len(self._whole()) != len(lines):
            # Not even twice the same: half a configuration is worse than the old one.
            raise CutError("incomplete", f"it has {len(lines)} lines, the last one had {self._wanted.lines}")
        return lines

    def _into_mode(self) -> None:
        """Leave configuration mode if the session began in it; become privileged; say what must be said first."""
        config, session = self._config, self._session
        if config.mode and config.leave and re.search(config.mode, session.shown.strip()):
            self._say(config.leave)
            session.set_base_prompt()
            self._prompt = prompt_of(session.base_prompt)
        if config.enable and not session.check_enable_mode():
            session.enable()
        for command in config.prepare:
            self._say(command)

    def _whole(self) -> list[str]:
        said = ""
        for command in self._config.commands:
            lines = self._said(command)
            if said := refusal(lines, self._config):
                continue
            if wrong := lacking(lines, self._config):
                raise CutError("incomplete", wrong)
            return lines
        command = self._config.commands[0].split(";")[0][:60]
        raise MissedError(Reach.refused, f"{self._where} refused '{command}': {said}")

    def _said(self, command: str) -> list[str]:
        """Return the lines of an answer, without the echo before and the prompt after them."""
        octets = self._say(command)
        try:
            lines = lines_of(octets, self._config.more)
        except GarbledError as error:
            raise CutError("garbled", str(error)) from None
        return _without_prompt(_without_echo(lines, command), self._prompt)

    def _say(self, command: str) -> bytes:
        return answer(self._session, command, self._prompt, self._means.limits, self._config.more)


def _without_echo(lines: list[str], command: str) -> list[str]:
    """Drop the command as the device echoes it, which a long one does in several lines."""
    bare = re.sub(r"\s", "", command)
    seen = ""
    for number, line in enumerate(lines[:40]):
        seen += re.sub(r"\s", "", line)
        if bare in seen:
            return lines[number + 1 :]
    return lines


def _without_prompt(lines: list[str], prompt: re.Pattern[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines[:-1] if lines and prompt.search(lines[-1]) else lines
