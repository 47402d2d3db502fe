"""Windows that somebody at work holds open: a lease, so that a process that is killed leaves none behind.

A window has its cause (a job) and ends by itself a little later unless it is held again. A selector has an end, so
many devices are several windows of one cause.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, select

from inventory.store import session
from monitor.models import Maintenance

_NAMES, _LETTERS = 100, 3_000  # of one selector


@dataclass(frozen=True)
class WorkWindows:
    """The windows of work in this database."""

    engine: Engine

    def hold(self, cause: str, devices: Sequence[str], until: datetime, who: str, now: datetime) -> None:
        """Open windows for these devices until then, or move the end of those that have this cause."""
        with session(self.engine) as writing:
            found = _of(writing, cause)
            for window in found:
                window.end = until
                writing.add(window)
            if not found:
                for number, selector in enumerate(selectors(devices), 1):
                    name = cause.replace(" ", "-") + (f"-{number}" if number > 1 else "")
                    writing.add(_window(writing, name, selector, cause, until, who, now))

    def close(self, cause: str, now: datetime) -> None:
        """End the windows that have this cause and are open."""
        with session(self.engine) as writing:
            for window in _of(writing, cause):
                if window.end is None or window.end > now:
                    window.ended_at = now
                    writing.add(window)


def _of(opened: Session, cause: str) -> list[Maintenance]:
    query = select(Maintenance).where(Maintenance.cause == cause)
    return [w for w in opened.exec(query) if w.ended_at is None]


def _window(
    opened: Session, name: str, selector: str, cause: str, until: datetime, who: str, now: datetime
) -> Maintenance:
    taken = opened.exec(select(Maintenance.name).where(Maintenance.name == name)).first()
    return Maintenance(
        name=f"{name}-{now:%Y%m%d%H%M%S}" if taken else name,
        selector=selector,
        start=now,
        end=until,
        cause=cause,
        who=who,
        why="siaga changes these devices",
    )


def selectors(names: Sequence[str]) -> Iterator[str]:
    """Yield selectors that together mean exactly these devices, none too long for the language of selectors."""
    part: list[str] = []
    for name in names:
        quote = '"' if "'" in name else "'"
        word = f"{quote}{name}{quote}"
        if part and (len(part) >= _NAMES or sum(map(len, part)) + len(word) > _LETTERS):
            yield ",".join(part)
            part = []
        part.append(word)
    if part:
        yield ",".join(part)
