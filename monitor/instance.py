"""One service in a home: flock(2) on a file, which the kernel lets go of with the process; and what it says of itself.

`monitor.lock` holds the pid of who runs. `monitor.json` is written by the service every few seconds, in one piece.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from siaga.errors import AuthError, TemporaryError

LOCK, STATUS = "monitor.lock", "monitor.json"
INSTEAD = (
    "it asks every device in its turn: see 'siaga status' and 'siaga monitor status', ask now with 'siaga inspect NAME'"
    " or 'siaga check', or stop the service to poll by hand"
)


@contextmanager
def only(home: Path, name: str = LOCK) -> Iterator[None]:
    """Be the only one; raises TemporaryError (`already-running`) at once if another process is."""
    descriptor = _opened(home / name)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _pid(descriptor)
            raise TemporaryError("already-running", f"It runs already in {home} (pid {holder}).") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except PermissionError as error:
        raise AuthError("no-permission", f"{path} may not be written by you: {error.strerror}.") from None
    except OSError as error:
        raise TemporaryError("home-unavailable", f"{path} cannot be used now: {error.strerror}.") from None


def _pid(descriptor: int) -> str:
    said = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    return said if said.isdigit() else "?"


def running(home: Path) -> str:
    """Return the pid of the service that runs in this home; '' if none does."""
    try:
        descriptor = os.open(home / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _pid(descriptor)
    finally:
        os.close(descriptor)
    return ""


def refuse_beside_service(home: Path) -> None:
    """Raise TemporaryError (`monitor-running`) if the service runs here: two would judge the same devices."""
    if pid := running(home):
        raise TemporaryError("monitor-running", f"The monitoring service runs here (pid {pid}); {INSTEAD}.")


def keep_status(home: Path, status: Mapping[str, Any]) -> None:
    """Write what the service says of itself. Raises OSError."""
    path = home / STATUS
    new = path.with_suffix(".json.new")
    new.write_text(json.dumps(status, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    new.replace(path)


def last_status(home: Path) -> dict[str, Any] | None:
    """Return what the service said last; None if it never did."""
    try:
        found = json.loads((home / STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
