"""The SNMPv3 engines that were met, kept in a file: their IDs and clocks, so that no round begins with greetings.

Keys are not kept: the file holds nothing secret, and a key is localized again in microseconds. What it says is only
a beginning: a clock counts as known after an authenticated message (usm.py), so a changed file can delay, not deceive.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitor.ber import INT31
from monitor.targets import Target
from monitor.usm import Engine
from siaga.whole_file import replace_file

FILE = "snmp-engines.json"
_AT_MOST = 200_000
_LATEST = 2**40  # seconds since 1970


class EngineBook:
    """Engines by the address, port and user they were met with; without a path it forgets them at the end."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, list[Any]] = _read(path) if path else {}
        self._saved = dict(self._known)

    def introduce(self, engine: Engine, target: Target, now_s: float) -> None:
        """Tell an engine what is remembered of it, its clock reckoned on to now."""
        found = self._known.get(_key(target))
        if found is None:
            return
        engine_id, boots, seconds, at = found
        passed = max(0, int(time.time() - at))
        engine.meet(bytes.fromhex(engine_id), boots, min(seconds + passed, INT31), now_s)

    def note(self, engine: Engine, target: Target, now_s: float) -> None:
        """Remember an engine that authenticated itself."""
        if engine.met and (engine.clock.sure or not engine.user.digest):
            clock = engine.clock
            self._known[_key(target)] = [
                engine.engine_id.hex(),
                clock.boots,
                clock.now(now_s),
                int(time.time()),
            ]

    def save(self) -> None:
        """Write the file (mode 0600) in one piece, if there is a path and something new.

        A file that cannot be written is left: it would only have spared some greetings.
        """
        if self._path is None or self._known == self._saved:
            return
        text = json.dumps({"version": 1, "engines": self._known}, separators=(",", ":"))
        try:
            replace_file(self._path, text, mode=0o600)
        except OSError:
            return
        self._saved = dict(self._known)


def _key(target: Target) -> str:
    user = target.snmp.user if target.snmp else ""
    return f"{target.address} {target.snmp_port} {user}"


def _read(path: Path) -> dict[str, list[Any]]:
    """Return what the file holds; what is not as it should be is left out, for it is only a beginning."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    engines = found.get("engines") if isinstance(found, Mapping) else None
    if not isinstance(engines, Mapping):
        return {}
    return {str(k): list(v) for k, v in list(engines.items())[:_AT_MOST] if _sound(v)}


def _sound(entry: object) -> bool:
    if not isinstance(entry, list) or len(entry) != 4 or not isinstance(entry[0], str):
        return False
    try:
        octets = len(bytes.fromhex(entry[0]))
    except ValueError:
        return False
    numbers = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in entry[1:])
    return 5 <= octets <= 32 and numbers and max(entry[1:3]) <= INT31 and entry[3] < _LATEST
