"""How far one destination has been told, and how far back it goes after a failure. Pure, but for a small file.

The cursor moves only when the other side has said 2xx. A database that is killed loses what it took in its last
seconds, so after a failure the cursor goes back to where it stood `rewind_s` before the last 2xx: by the time that
passed here, not by the times of the samples, for in a catch-up hours of samples go out in a second.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.tsdb.arrivals import Mark
from siaga.whole_file import replace_file

FOLDER = "remote-write"  # of siaga's home, a file for each destination
_APART_S = 1.0  # of the places that are remembered
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Taken:
    """At `clock_s` (seconds since the machine started) everything up to `mark` was taken."""

    clock_s: float
    mark: Mark


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a destination stands. `trail` is never empty; its last entry is where the next pass begins.

    `rests_until`: nothing is tried before, unless asked to.
    """

    trail: tuple[Taken, ...]
    failures: int = 0
    rests_until: float = 0.0  # Unix seconds
    error: str = ""
    sent: int = 0
    dropped: int = 0
    taken_at: str = ""

    @property
    def mark(self) -> Mark:
        """Where the next pass begins."""
        return self.trail[-1].mark


def taken(cursor: Cursor, mark: Mark, clock_s: float, rewind_s: float, *, sent: int, now: datetime) -> Cursor:
    """Return the cursor after a 2xx: it has moved on, and remembers where it was `rewind_s` ago and since."""
    trail = list(cursor.trail)
    if clock_s < trail[-1].clock_s:  # the machine was started anew: all of it may be recent
        trail = [replace(t, clock_s=clock_s) for t in trail]
    if len(trail) > 2 and trail[-1].clock_s - trail[-2].clock_s < _APART_S:
        trail.pop()
    trail.append(Taken(clock_s, mark))
    while len(trail) > 2 and trail[1].clock_s <= clock_s - rewind_s:
        trail.pop(0)
    at = now.isoformat(timespec="seconds")
    return replace(
        cursor,
        trail=tuple(trail),
        failures=0,
        rests_until=0.0,
        error="",
        sent=cursor.sent + sent,
        taken_at=at,
    )


def begins(cursor: Cursor, again_s: float) -> Mark:
    """Return where the next pass begins: at the cursor, or where it was `again_s` before the last 2xx."""
    return cursor.trail[_back(cursor.trail, again_s) - 1].mark if again_s else cursor.mark


def failed(cursor: Cursor, error: str, rests_until: float, rewind_s: float, *, rewind: bool = True) -> Cursor:
    """Return the cursor after a failure; without `rewind` (the other side lives and asks for patience) it stays."""
    trail = cursor.trail[: _back(cursor.trail, rewind_s)] if rewind else cursor.trail
    return replace(cursor, trail=trail, failures=cursor.failures + 1, rests_until=rests_until, error=error)


def _back(trail: Iterable[Taken], rewind_s: float) -> int:
    """Return how many entries stay: up to the newest that was taken `rewind_s` before the last one, at least one."""
    times = [t.clock_s for t in trail]
    return max(1, sum(t <= times[-1] - rewind_s for t in times))


def begun(mark: Mark, clock_s: float) -> Cursor:
    """Return the cursor of a destination that was never told anything."""
    return Cursor((Taken(clock_s, mark),))


def place(home: Path, name: str) -> Path:
    """Return where the cursor of a destination is kept."""
    return home / FOLDER / f"{name}.json"


def read(path: Path) -> Cursor | None:
    """Return what a file holds; None when there is none, or it is none of ours: then all is begun anew."""
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        trail = tuple(Taken(float(t["clock_s"]), Mark(**t["mark"])) for t in found["trail"][:_MOST])
        return Cursor(**{**found, "trail": trail}) if trail else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(path: Path, cursor: Cursor) -> None:
    """Write the file in one piece. One that is lost costs no sample: they are sent again."""
    replace_file(path, json.dumps(asdict(cursor)))
