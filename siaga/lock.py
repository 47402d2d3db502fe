"""One process at a time: flock(2) on a file, which the kernel lets go of when the process ends. It holds the pid."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from siaga.errors import AuthError, TemporaryError


class BusyError(TemporaryError):
    """Another process holds the lock."""


@contextmanager
def held(
    path: Path, code: str, sentence: str, *, wait_s: float = 0.0, unusable: str = "home-unavailable"
) -> Iterator[None]:
    """Hold the lock.

    Raises BusyError (`code`) with the sentence, in which `{pid}` is who holds it, when `wait_s` is over; AuthError
    (`no-permission`) or TemporaryError (`unusable`) for a file that cannot be opened.
    """
    descriptor = _opened(path, unusable)
    try:
        if not _got(descriptor, wait_s):
            raise BusyError(code, sentence.replace("{pid}", pid_in(descriptor)))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str:
    """Return the pid of the process that holds the lock; '' if none does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return pid_in(descriptor)
    finally:
        os.close(descriptor)
    return ""


def pid_in(descriptor: int) -> str:
    """Return the pid that a lock's file holds, or '?'."""
    said = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    return said if said.isdigit() else "?"


def _opened(path: Path, unusable: str) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except PermissionError as error:
        raise AuthError("no-permission", f"{path} may not be written by you: {error.strerror}.") from None
    except OSError as error:
        raise TemporaryError(unusable, f"{path} cannot be used now: {error.strerror}.") from None


def _got(descriptor: int, wait_s: float) -> bool:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(min(0.05, wait_s))
        else:
            return True


def device_lock(
    home: Path, device_id: int, name: str, *, wait_s: float = 0.0
) -> AbstractContextManager[None]:
    """Hold the one lock of a device while its command line is spoken to: to read its configuration, or change it.

    Two sessions that change one device at once undo each other, and a configuration read meanwhile is neither the old
    one nor the new. The lock is a file of its own in siaga's home; `name` is what the sentence calls the device. A
    process that holds it must not take it again. Raises as `held` does: BusyError `device-busy`.
    """
    sentence = (
        f"{name} is being read or changed by another process (pid {{pid}}); try again when that has ended."
    )
    return held(home / "locks" / f"device-{device_id}.lock", "device-busy", sentence, wait_s=wait_s)
