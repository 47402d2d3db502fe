"""What provisioning works with, and what it reports: values that every step hands on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from infra.around import NOTHING, Around
from infra.events import TaskEvent
from infra.radius import Radius
from infra.results import HostTally
from siaga.secrets import Vault
from siaga.settings import Settings


@dataclass(frozen=True)
class Step:
    """One step of an apply, as it is told and recorded. `status`: ok, failed, skipped."""

    name: str
    status: str = "ok"
    detail: str = ""


Told = TaskEvent | Step
Watch = Callable[[Told], None]
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Desk:
    """What provisioning works with: where it stores, what opens secrets, who asks, and what time it is."""

    engine: Engine
    vault: Vault
    settings: Settings
    who: str
    clock: Clock
    around: Around = field(default=NOTHING)


@dataclass(frozen=True)
class Report:
    """How a plan or an apply went. `status`: ok, partial, failed, interrupted; `notes` are sentences."""

    plan: str
    job_id: int
    status: str
    hosts: tuple[HostTally, ...]
    tasks: tuple[TaskEvent, ...]
    notes: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    radii: dict[str, Radius] = field(default_factory=dict)
    needs_approval: bool = False
    risk: str = ""

    @property
    def unchecked(self) -> list[TaskEvent]:
        """The tasks that check mode had to leave out."""
        return [t for t in self.tasks if not t.checked]
