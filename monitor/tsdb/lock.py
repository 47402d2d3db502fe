"""One writer at a time: flock(2) on a file, which the kernel lets go of when a process dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from siaga.errors import AuthError, TemporaryError


class BusyError(TemporaryError):
    """Another process holds the lock."""


@contextmanager
def held(path: Path, what: str, *, wait_s: float) -> Iterator[None]:
    """Hold the lock. Raises BusyError (`samples-busy`) naming who holds it when `wait_s` is over."""
    descriptor = _opened(path)
    try:
        _wait(descriptor, path, what, wait_s)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except PermissionError as error:
        sentence = f"The samples in {path.parent} may not be written by you: {error.strerror}."
        raise AuthError("no-permission", sentence) from None
    except OSError as error:
        sentence = f"The samples in {path.parent} cannot be used now: {error.strerror}."
        raise TemporaryError("samples-unavailable", sentence) from None


def _wait(descriptor: int, path: Path, what: str, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                break
        time.sleep(min(0.05, wait_s))
    holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "?"
    sentence = (
        f"Another process (pid {holder}) {what} the samples in {path.parent}; one may at a time."
        " Wait for it, or stop it."
    )
    raise BusyError("samples-busy", sentence)
