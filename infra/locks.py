"""The locks of the devices that an apply changes: all of them before anything begins, or none."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from infra.hosts import Host
from siaga.lock import device_lock
from siaga.settings import Settings

_SPARE = 256  # descriptors for all else


@contextmanager
def locked(settings: Settings, hosts: Sequence[Host]) -> Iterator[None]:
    """Hold the lock of every host; it is the one that backups and sessions of the monitor take.

    They are taken in one order, so that two applies cannot wait for each other. A killed process holds none.
    Raises BusyError (`device-busy`) with the first device that somebody else holds for too long.
    """
    _make_room(len(hosts))
    with ExitStack() as stack:
        for host in sorted(hosts, key=lambda h: h.device_id):
            wait_s = settings.provision.lock_wait_s
            stack.enter_context(device_lock(settings.home, host.device_id, host.name, wait_s=wait_s))
        yield


def _make_room(files: int) -> None:
    """Let this process have as many files open as there are locks, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files + _SPARE
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))
