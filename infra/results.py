"""What a job came to, host by host: task events are counted, and a job is judged by its hosts. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from infra.events import TaskEvent
from infra.reasons import explained

GOOD = ("ok", "changed")


@dataclass(frozen=True)
class HostTally:
    """One host's share, in tasks; `status` as in infra.models.HostResult. `unchecked`: left out by check."""

    host: str
    status: str = "not run"
    ok: int = 0
    changed: int = 0
    failed: int = 0
    skipped: int = 0
    unreachable: int = 0
    unchecked: int = 0
    reason: str = ""
    batch: int = 0
    duration_s: float | None = None
    before: str = ""
    after: str = ""
    verdict: str = ""
    rolled_back: bool = False

    @property
    def touched(self) -> bool:
        """Whether a task has run there at all."""
        return bool(self.ok or self.changed or self.failed)


def tally(hosts: Sequence[str], events: Iterable[TaskEvent], *, cut_off: bool = False) -> list[HostTally]:
    """Count each host's tasks, in the order of `hosts`; `cut_off`: the job did not come to its end."""
    found: Mapping[str, list[TaskEvent]] = {host: [] for host in hosts}
    for event in events:
        if event.host in found:
            found[event.host].append(event)
    return [_one(host, list(own), cut_off) for host, own in found.items()]


def _one(host: str, events: list[TaskEvent], cut_off: bool) -> HostTally:
    counts = Counter(e.status for e in events)
    bad = next((e for e in events if e.status in ("failed", "unreachable")), None)
    status = _status(counts, cut_off)
    said = explained(host, bad.message) if bad else ""
    reason = f"{bad.task}: {said}" if bad and bad.status == "failed" else said
    taken = [e.duration_s for e in events if e.duration_s is not None]
    return HostTally(
        host,
        status,
        counts["ok"] + counts["ignored"],
        counts["changed"],
        counts["failed"],
        counts["skipped"],
        counts["unreachable"],
        sum(not e.checked for e in events),
        reason if bad else f"cut off after {len(events)} tasks" if status == "interrupted" else "",
        duration_s=round(sum(taken), 3) if taken else None,
    )


def _status(counts: Mapping[str, int], cut_off: bool) -> str:
    for status in ("unreachable", "failed"):
        if counts[status]:
            return status
    if not sum(counts.values()):
        return "not run"
    return "interrupted" if cut_off else "changed" if counts["changed"] else "ok"


def unsure(tallies: Iterable[HostTally]) -> list[HostTally]:
    """Return the hosts of a batch that was cut off: on one of which nothing is known, a task may have begun."""
    said = "cut off; its first task may have begun there"
    return [replace(t, status="interrupted", reason=said) if t.status == "not run" else t for t in tallies]


def judged(tallies: Sequence[HostTally]) -> str:
    """Return a job's status: ok if every host went well, partial if some did, failed if none."""
    good = sum(t.status in GOOD for t in tallies)
    return "ok" if good == len(tallies) else "partial" if good else "failed"


def exit_code(status: str) -> int:
    """Return the exit code of a job's status; 130 is what a shell gives to Ctrl-C."""
    return {"ok": 0, "partial": 7, "interrupted": 130}.get(status, 1)
