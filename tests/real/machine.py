"""How the lab works on this machine: its name, its lock, commands with a time limit, waits with a bound."""

import contextlib
import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ID = os.environ.get("SIAGA_LAB_ID", "sg")
RUN = Path("/dev/shm") / f"{ID}-lab"
KEY = RUN / "id_ops"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LabError(Exception):
    """The lab could not be built, or a command that must work did not."""


@contextlib.contextmanager
def held(wait_s: float = 60) -> Iterator[None]:
    """Hold the lab's lock; a second session waits for at most `wait_s`, then raises LabError."""
    end = time.monotonic() + wait_s
    with Path(f"/run/lock/{ID}-lab").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise LabError(f"Another session has been using the lab for {wait_s:.0f} s.") from None
                time.sleep(0.2)
        yield


def sh(*command: str, stdin: str = "", check: bool = True, timeout_s: float = 60) -> str:
    """Run a command of this machine and return what it printed; raises LabError if it fails."""
    done = subprocess.run(command, input=stdin, text=True, capture_output=True, timeout=timeout_s)
    if check and done.returncode:
        raise LabError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def until(what: str, true: Callable[[], bool], wait_s: float = 45) -> None:
    """Ask until it is true, for at most `wait_s`; then raise LabError saying what did not happen."""
    end = time.monotonic() + wait_s
    while not true():
        if time.monotonic() > end:
            raise LabError(f"Waited {wait_s:.0f} s in vain: {what}.")
        time.sleep(0.1)
