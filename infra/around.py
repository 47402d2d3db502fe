"""What stands around an apply and belongs to other floors: the monitor's eyes, backups, windows, findings.

infra may not know the monitor, so the roof hands these over as functions (`cli.py`). Each may be missing: then that
step is left out, and the job's record says so. None of them may take a device's lock: the apply holds it already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from siaga.settings import Settings


class Seen(Protocol):
    """One device or service as it is seen now. `state`: up, or what it is instead; `neighbours` None: not observed."""

    @property
    def state(self) -> str:
        """How it is."""

    @property
    def reason(self) -> str:
        """Why, as a sentence."""

    @property
    def neighbours(self) -> frozenset[str] | None:
        """Whom it hears."""


class Look(Protocol):
    """What was seen at one moment, by name; what is not in it was not observed."""

    @property
    def devices(self) -> Mapping[str, Seen]:
        """The devices."""

    @property
    def services(self) -> Mapping[str, Seen]:
        """The services."""


@dataclass(frozen=True)
class Nothing:
    """A look at nothing."""

    devices: Mapping[str, Seen] = field(default_factory=dict)
    services: Mapping[str, Seen] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What a finding asks for: a play, the devices it is about, and parameters as name=value."""

    playbook: str
    selector: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """A configuration that was kept: what names it; or why it was not."""

    name: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Given:
    """What gives a device an earlier configuration back: lines to type, which hold secrets, and what they change."""

    lines: tuple[str, ...] = field(repr=False)
    shown: tuple[str, ...] = ()


class Windows(Protocol):
    """Maintenance windows: a lease that must be renewed, so that a killed apply leaves none open."""

    def hold(self, cause: str, devices: Sequence[str], until: "datetime", who: str, now: "datetime") -> None:
        """Open a window for these devices, or move the end of the one that has this cause."""

    def close(self, cause: str, now: "datetime") -> None:
        """End the window that has this cause, if there is one."""


@dataclass(frozen=True)
class Around:
    """The functions of other floors.

    look      device names, service names → what is seen now; it asks, and stores nothing
    backup    device names, job ('' before it, 'job:7' after) → name → what names its configuration as it is now, or
              why it could not be kept; of a name that is not among them nothing of its kind is kept
    restore   device name, what named it ('' or 0: the one before the newest) → the lines that give it back
    finding   number → what it asks for

    `restore` and `finding` raise SiagaError with a sentence.
    """

    look: Callable[[Sequence[str], Sequence[str]], Look] | None = None
    backup: Callable[[Sequence[str], str], Mapping[str, Kept]] | None = None
    restore: Callable[[str, str], Given] | None = None
    windows: Windows | None = None
    finding: Callable[[int], Wanted] | None = None


NOTHING = Around()
Maker = Callable[["Engine", "Settings"], Around]
_made_by: list[Maker] = []


def provide(maker: Maker) -> None:
    """Say what stands around applies from now on; the roof calls this once."""
    _made_by[:] = [maker]


def around(engine: "Engine", settings: "Settings") -> Around:
    """Return what the roof has provided."""
    return _made_by[0](engine, settings) if _made_by else NOTHING
