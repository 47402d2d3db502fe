"""How far a job is, in hosts × tasks: counted from events, told in one line. No I/O."""

from dataclasses import dataclass, field

from infra.desk import Step, Told
from infra.events import TaskEvent
from siaga.text import safe


@dataclass
class Progress:
    """Counts what has happened. `hosts` is how many the job is for; 0: not known yet."""

    title: str
    hosts: int = 0
    part: str = ""
    tasks: int = 0
    changed: int = 0
    bad: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    last: str = "connecting"

    def take(self, told: Told) -> None:
        """Count one event or step."""
        if isinstance(told, Step):
            self.part = told.detail.partition(":")[0] if told.name == "batch" else self.part
            self.last = told.name if told.name != "batch" else "connecting"
            return
        self.tasks += 1
        self.seen.add(told.host)
        self.changed += told.status == "changed"
        if told.status in ("failed", "unreachable"):
            self.bad.add(told.host)
        if told.status != "skipped":
            self.last = f"{safe(told.host, 60)}: {told.task}"

    def line(self) -> str:
        """Return where it is, in one line."""
        hosts = f"{len(self.seen)} of {self.hosts} hosts" if self.hosts else f"{len(self.seen)} hosts"
        parts = [self.part] if self.part else []
        parts += [hosts, f"{self.tasks} tasks", f"{self.changed} changes"]
        parts += [f"{len(self.bad)} bad"] if self.bad else []
        return f"{self.title}: {', '.join(parts)}: {self.last}"


def line(told: Told) -> str:
    """Return what happened as one line, or nothing if it needs no telling."""
    if isinstance(told, Step):
        return _step(told)
    return _task(told)


def _step(step: Step) -> str:
    mark = "" if step.status == "ok" else f" {step.status}"
    return f"{step.name}{mark}: {safe(step.detail, 600)}" if step.detail else f"{step.name}{mark}"


def _task(event: TaskEvent) -> str:
    if event.status not in ("changed", "failed", "unreachable"):
        return ""
    said = f": {safe(event.message, 160)}" if event.message and event.status != "changed" else ""
    return f"{safe(event.host, 60)}: {event.status}: {event.task}{said}"
