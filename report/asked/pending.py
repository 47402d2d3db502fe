"""What is not kept in the database of record yet: backups, received logs. Not known."""

from collections.abc import Callable

from report.asked.source import Source
from report.records import Backup, Logged


def not_kept(_: Source) -> None:
    """Say that nobody keeps such facts."""


ANSWERS: dict[type, Callable[[Source], None]] = {Backup: not_kept, Logged: not_kept}
