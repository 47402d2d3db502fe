"""What is not kept in the database of record yet: backups, probes of management ports, received logs. Not known."""

from collections.abc import Callable

from report.asked.source import Source
from report.records import Backup, Exposure, Logged


def not_kept(_: Source) -> None:
    """Say that nobody keeps such facts."""


ANSWERS: dict[type, Callable[[Source], None]] = {Backup: not_kept, Exposure: not_kept, Logged: not_kept}
