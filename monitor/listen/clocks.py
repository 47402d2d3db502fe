"""What keeps SNMPv3 messages from being played again (RFC 3414, 3.2.7): boots and time of every engine, kept on disk.

A trap's sender is the authority on its time. A time may be late by 150 s, never before that, and boots never go back; a
sender's clock that goes slowly must not make it unheard, so the time that has passed here is not reckoned in.
"""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from siaga.whole_file import replace_file

WINDOW_S = 150
_LAST = 2**31 - 1  # boots that never count again
ENGINES = 100_000
# Format 5 (RFC 3411): octets of our own after an enterprise's number; pysnmp's, whose engine this is.
_PREFIX = bytes.fromhex("80004fb805")


@dataclass
class Clocks:
    """The receiver's own engine (identity and boots), and the newest boots and time of each sender's engine."""

    engine_id: bytes
    boots: int
    path: Path | None = None
    senders: dict[str, tuple[int, int]] = field(default_factory=dict)

    def accept(self, engine_id: bytes, boots: int, time_s: int) -> bool:
        """Return whether an authentic message of this engine is no older than may be, and remember its time."""
        key = engine_id.hex()
        known_boots, known_s = self.senders.get(key, (0, 0))
        if boots >= _LAST or boots < known_boots or (boots == known_boots and time_s < known_s - WINDOW_S):
            return False
        if key in self.senders or len(self.senders) < ENGINES:
            newer = boots > known_boots or time_s > known_s
            self.senders[key] = (boots, time_s) if newer else (known_boots, known_s)
        return True

    def restart(self) -> None:
        """Count one more boot of the own engine, on disk before it is used if there is a disk."""
        self.boots = min(self.boots + 1, _LAST)
        self.keep()

    def keep(self) -> bool:
        """Write everything, whole or not at all; return whether it is on disk. A full disk ends no receiver."""
        if self.path is None:
            return False
        try:
            replace_file(self.path, self._text(), mode=0o600, durable=True)
        except OSError:
            return False
        return True

    def _text(self) -> str:
        return json.dumps({"engine_id": self.engine_id.hex(), "boots": self.boots, "senders": self.senders})


def clocks(path: Path | None) -> Clocks:
    """Return what is kept at `path`, or a new identity; a file that cannot be read begins a new one."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text()) if path else {}
        senders = {str(k): (int(b), int(t)) for k, (b, t) in kept.get("senders", {}).items()}
        found = Clocks(bytes.fromhex(kept["engine_id"]), int(kept["boots"]), path, senders)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Clocks(_PREFIX + secrets.token_bytes(8), 0, path)
    return found
