"""What one job did otherwise than another, task by task. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.events import TaskEvent

_SAME = {"changed": "changed", "ok": "ok", "ignored": "ok"}


@dataclass(frozen=True)
class Otherwise:
    """One task on one host that came out otherwise; '-' where a job has no such task."""

    host: str
    task: str
    before: str
    after: str
    diff: str = ""


def differences(before: Iterable[TaskEvent], after: Iterable[TaskEvent]) -> list[Otherwise]:
    """Return what came out otherwise. A task that a check had to leave out is no difference, whatever became of it."""
    return list(_found(_numbered(before), _numbered(after)))


Key = tuple[str, str, int]


def _numbered(events: Iterable[TaskEvent]) -> dict[Key, TaskEvent]:
    """Return the events by host, task and how often that task has come before."""
    found: dict[Key, TaskEvent] = {}
    seen: dict[tuple[str, str], int] = {}
    for event in events:
        number = seen.get((event.host, event.task), 0)
        seen[event.host, event.task] = number + 1
        found[event.host, event.task, number] = event
    return found


def _found(before: dict[Key, TaskEvent], after: dict[Key, TaskEvent]) -> Iterator[Otherwise]:
    hosts = {host for host, _, _ in before} & {host for host, _, _ in after}
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if key[0] not in hosts or (one is not None and not one.checked):
            continue
        was, now = _said(one), _said(other)
        changed_otherwise = was == now == "changed" and one and other and one.diff != other.diff
        if was != now or changed_otherwise:
            yield Otherwise(key[0], key[1], was, now, other.diff if other else "")


def _said(event: TaskEvent | None) -> str:
    return "-" if event is None else _SAME.get(event.status, event.status)
