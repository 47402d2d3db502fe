"""Ansible's linear strategy, but it sleeps until something happens instead of asking a thousand times a second."""

from __future__ import annotations

from collections import deque
from multiprocessing.connection import wait
from threading import Event
from typing import Any

from ansible.errors import AnsibleError  # type: ignore[import-untyped]
from ansible.plugins.strategy.linear import StrategyModule as Linear  # type: ignore[import-untyped]

DOCUMENTATION = """
name: patient
short_description: linear, without polling
version_added: "0.1.0"
description:
  - Does what the linear strategy does, which looks at each fork without a pause while all are busy, and for results
    every millisecond; that takes a third of the processor's time. This one is woken by the end of a worker and by a
    result.
author: [siaga]
"""

# Nobody is woken by what never comes, as from a worker that was killed: this often it is looked for all the same.
LOOK_S = 0.2


class Results(deque[Any]):
    """What the workers came to; each that is added wakes who waits for it."""

    def __init__(self, came: Event) -> None:
        super().__init__()
        self._came = came

    def append(self, result: Any) -> None:
        """Add a result, as Ansible's thread for results does."""
        super().append(result)
        self._came.set()


class StrategyModule(Linear):  # type: ignore[misc]
    """The names of what is overridden and looked at are ansible-core 2.19's."""

    def __init__(self, tqm: Any) -> None:
        super().__init__(tqm)
        self._came = Event()
        self._results = Results(self._came)

    def _queue_task(self, host: Any, task: Any, task_vars: Any, play_context: Any) -> None:
        """Wait for a free worker, and give it the task; a throttled task may have but some of them, and is polled."""
        while not task.throttle and not self._ended() and self._all_busy():
            wait([w.sentinel for w in self._workers], LOOK_S)
        self._look_for_killed()
        super()._queue_task(host, task, task_vars, play_context)

    def _all_busy(self) -> bool:
        return all(w is not None and w.is_alive() for w in self._workers)

    def _look_for_killed(self) -> None:
        """Raise AnsibleError if a worker was killed; linear forgets it once another takes its place."""
        if self._tqm.has_dead_workers():
            raise AnsibleError("one of its workers was killed")

    def _ended(self) -> bool:
        return bool(self._tqm._terminated)  # noqa: SLF001  # there is no other way to know

    def _wait_on_pending_results(self, iterator: Any) -> list[Any]:
        """Return the results of what is under way, once all are there."""
        found: list[Any] = []
        while self._pending_results > 0 and not self._ended():
            self._look_for_killed()
            self._came.clear()
            found += self._process_pending_results(iterator)
            if self._pending_results > 0:
                self._came.wait(LOOK_S)
        return found
