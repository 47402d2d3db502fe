"""One service in a home, held by a lock; and what it says of itself.

`monitor.lock` holds the pid of who runs. `monitor.json` is written by the service every few seconds, in one piece.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from siaga.errors import TemporaryError
from siaga.lock import held, holder
from siaga.text import safe
from siaga.whole_file import replace_file

LOCK, STATUS = "monitor.lock", "monitor.json"
LATE_S = 60.0  # as the rule poller-late warns
_STALE_S = 30.0
_NAMED = 10
INSTEAD = (
    "it asks every device in its turn: see 'siaga status' and 'siaga monitor status', ask now with 'siaga inspect NAME'"
    " or 'siaga check', or stop the service to poll by hand"
)


def only(home: Path, name: str = LOCK) -> AbstractContextManager[None]:
    """Be the only one; raises TemporaryError (`already-running`) at once if another process is."""
    return held(home / name, "already-running", f"It runs already in {home} (pid {{pid}}).")


def running(home: Path) -> str:
    """Return the pid of the service that runs in this home; '' if none does."""
    return holder(home / LOCK)


def refuse_beside_service(home: Path) -> None:
    """Raise TemporaryError (`monitor-running`) if the service runs here: two would judge the same devices."""
    if pid := running(home):
        raise TemporaryError("monitor-running", f"The monitoring service runs here (pid {pid}); {INSTEAD}.")


def keep_status(home: Path, status: Mapping[str, Any]) -> None:
    """Write what the service says of itself. Raises OSError."""
    replace_file(home / STATUS, json.dumps(status, ensure_ascii=False, indent=1) + "\n")


def last_status(home: Path) -> dict[str, Any] | None:
    """Return what the service said last; None if it never did."""
    try:
        found = json.loads((home / STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


class Complaint(NamedTuple):
    """What is wrong with the service that runs, and what to do about it; `grave`: something is lost meanwhile."""

    said: str
    todo: str
    grave: bool = False


def complaints(status: Mapping[str, Any], now: datetime) -> Iterator[Complaint]:
    """Yield what the last status of a service that runs says is wrong, or its silence since."""
    age_s = (now - datetime.fromisoformat(status["at"])).total_seconds()
    if age_s > _STALE_S:
        said = f"The service (pid {status['pid']}) has said nothing of itself for {age_s:.0f} s."
        yield Complaint(said, f"See to the disk, then restart it (kill {status['pid']}).", grave=True)
    if status["late_s"] > LATE_S:
        todo = "See to the load, the disk and the database of this machine; or ask less often ([monitor])."
        yield Complaint(f"The service is {status['late_s']:.0f} s behind its schedule.", todo)
    if unpolled := status["unpolled_names"]:
        names = ", ".join(safe(n, 80) for n in unpolled[:_NAMED])
        said = f"Not asked for long: {len(unpolled)} ({names})."
        yield Complaint(said, "'siaga monitor status' shows which tier is late.")
    if lost := status["samples_lost"]:
        yield Complaint(f"Lost polls: {lost}.", "Make room, or free the lock, and restart it.", grave=True)
    for problem in status["problems"]:
        yield Complaint(f"The service says: {safe(problem, 300).rstrip('.')}.", "See docs/monitor.md.")
