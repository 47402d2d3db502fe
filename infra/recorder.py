"""Keeps a job's record while it runs: events in batches, steps at once, and a pulse for what must be renewed.

Events are stored twice a second by a thread of their own, so that what a host did is never more than a second late in
the database, whether or not another event follows.
"""

import threading
from collections.abc import Callable
from types import TracebackType

from infra import store
from infra.desk import Desk, Step, Watch
from infra.events import TaskEvent
from inventory.store import session

FLUSH_S = 0.5


class Recorder:
    """Takes what happens in one job; to be used in a `with`, at whose end everything is stored.

    What goes wrong in the thread is raised by the next event, or at the end.
    """

    def __init__(self, desk: Desk, job_id: int, watch: Watch) -> None:
        self.events: list[TaskEvent] = []
        self.steps: list[Step] = []
        self._desk, self._job_id, self._watch = desk, job_id, watch
        self._stored = 0
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._failure: Exception | None = None
        self._renew: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._beat, name=f"job-{job_id}", daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if error is None:
            self._raise()
            self.flush()

    def __call__(self, event: TaskEvent) -> None:
        """Take one event."""
        self._raise()
        self.events.append(event)
        self._watch(event)

    def step(self, name: str, status: str = "ok", detail: str = "") -> None:
        """Take one step; it is stored at once, with all that happened before it."""
        self._raise()
        step = Step(name, status, detail)
        self.steps.append(step)
        self.flush()
        with session(self._desk.engine) as opened:
            store.add_step(opened, self._job_id, step, self._desk.clock())
        self._watch(step)

    def also(self, renew: Callable[[], None] | None) -> None:
        """Call this with every beat from now on (it decides itself whether there is anything to do)."""
        self._renew = renew

    def flush(self) -> None:
        """Store what has gathered."""
        with self._lock:
            waiting = self.events[self._stored :]
            if waiting:
                with session(self._desk.engine) as opened:
                    store.add_tasks(opened, self._job_id, waiting)
                self._stored += len(waiting)

    def _beat(self) -> None:
        while not self._ended.wait(FLUSH_S):
            try:
                self.flush()
                if self._renew is not None:
                    self._renew()
            except Exception as error:  # noqa: BLE001  # the rim of the thread: raised by whoever works with us
                self._failure = error
                return

    def _raise(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
