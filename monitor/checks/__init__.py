"""Health checks: one file, one check. A check is `judge(Seen) -> findings`, pure; this folder is scanned."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from monitor.observation import Observation
from monitor.state import State


@dataclass(frozen=True)
class Finding:
    """Something wrong with a device, or with one of its parts (`subject`)."""

    rule: str
    severity: str  # warning, critical
    text: str
    subject: str = ""


@dataclass(frozen=True)
class Committed:
    """What a contract promises on an interface, in bits per second (None: not written down)."""

    connection: str
    down_bps: int | None
    up_bps: int | None


@dataclass(frozen=True)
class Seen:
    """What a check may look at: the observation, the state after it, rates (interface → in, out; bps)."""

    observation: Observation
    state: State
    rates_bps: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    committed: Mapping[str, Committed] = field(default_factory=dict)


class Check(Protocol):
    """A module of this folder. `RULE` names its alerts."""

    RULE: str

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Yield what is wrong."""

    def observed(self, seen: Seen) -> bool:
        """Return whether the check could look at all; if not, its open alerts stay as they are."""


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check of this folder."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{n}") for n in names)
