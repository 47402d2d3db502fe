"""Counts rows that are written, and says so now and then."""

from collections.abc import Callable, Sequence

from inventory.exports.tables import Table

Progress = Callable[[int, int], None] | None


class Counted:
    """How many rows of all are done; `progress(done, total)` is told, if there is one."""

    def __init__(self, tables: Sequence[Table], progress: Progress) -> None:
        self.total = sum(t.count for t in tables)
        self.done = 0
        self.progress = progress

    def add(self, rows: int) -> None:
        """Count rows that are written."""
        self.done += rows
        if self.progress and rows:
            self.progress(self.done, self.total)
