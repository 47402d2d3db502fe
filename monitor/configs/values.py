"""What flows through a backup: the device that is wanted, what reading takes, and what came."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from monitor.configs.listen import Limits
from monitor.configs.normalise import Mark, Normal
from monitor.targets import Target
from siaga.hostkeys import HostKeys


@dataclass(frozen=True)
class Wanted:
    """One device whose configuration is wanted, and what is known of the last one (`lines`: 0 if there is none)."""

    device_id: int
    name: str
    role: str
    target: Target
    path: str = ""
    digest: str = ""
    mark: str = ""  # of the text without noise: equal marks, equal configurations
    lines: int = 0
    known: frozenset[str] = field(default=frozenset(), repr=False)  # its own secrets


@dataclass(frozen=True)
class Fetched:
    """What came. `result`: good, or why not; with good there are the full text, its mark, and the normal form.

    `same`: the mark is that of the last one, and no normal form was made.
    """

    wanted: Wanted
    result: str
    reason: str = ""
    normal: Normal = field(default=Normal(()), repr=False)
    full: str = field(default="", repr=False)
    took_s: float = 0.0
    mark: str = ""
    same: bool = False


@dataclass(frozen=True)
class Means:
    """What reading takes: trusted keys, limits, siaga's home for the lock; `locked`: the caller holds it already."""

    known_hosts: HostKeys
    home: Path
    timeout_s: float
    limits: Limits
    mark: Callable[[int], Mark]  # masks a secret of a device, by its id
    whole: Callable[[int, str], str]  # the keyed digest of a text of a device
    locked: bool = False
