"""One service in a home, held by a lock; and what it says of itself.

`monitor.lock` holds the pid of who runs. `monitor.json` is written by the service every few seconds, in one piece.
"""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from siaga.errors import TemporaryError
from siaga.lock import held, holder
from siaga.whole_file import replace_file

LOCK, STATUS = "monitor.lock", "monitor.json"
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
