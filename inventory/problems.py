"""The error of one row that cannot be written."""

from collections.abc import Sequence


class BadRowError(Exception):
    """A row that cannot be written; `problems` holds (field or '', sentence) of each reason."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(p for _, p in problems))
        self.problems = tuple(problems)
