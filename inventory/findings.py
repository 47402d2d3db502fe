"""What a check says of one thing, and what becomes of the findings by it: opened, seen again, closed as mended. Pure.

A check has three answers. Only `met`, which rests on evidence, closes a finding; `unknown` leaves it as it is, because
a silent device or a missing backup proves nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

SEVERITIES = ("critical", "high", "medium", "low")  # the worst first
_DAYS_TO_MEND = {"critical": 3, "high": 14, "medium": 30, "low": 90}


class Verdict(StrEnum):
    """What a check says: as it should be, not so, not to be told, or not meant for this device."""

    met = "met"
    broken = "broken"
    unknown = "unknown"
    none = "none"


@dataclass(frozen=True)
class Key:
    """What a finding is about: which check of which source, on which device (None: none), of what there."""

    source: str
    rule: str
    device_id: int | None = None
    subject: str = ""

    @property
    def text(self) -> str:
        """The key as the database holds it while the finding is open."""
        return f"{self.source}/{self.rule}/{self.device_id or ''}/{self.subject}"


@dataclass(frozen=True)
class Remedy:
    """Which playbook would mend a finding, on which devices (a selector), with which parameters."""

    playbook: str
    selector: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def assignments(self) -> tuple[str, ...]:
        """The parameters as a command line says them: name=value, the values of a list between commas."""
        return tuple(f"{name}={_written(value)}" for name, value in self.params.items())


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


@dataclass(frozen=True)
class Judged:
    """One answer of a check. All but `key` and `verdict` tell of what is broken; `evidence` are lines, safe to show."""

    key: Key
    verdict: Verdict
    severity: str = "medium"
    title: str = ""
    detail: str = ""
    article: str = ""
    evidence: tuple[str, ...] = ()
    evidence_at: datetime | None = None
    playbook: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Settled:
    """What a round of answers changes: opened, seen again (with the finding's id), and closed (id → why)."""

    opened: tuple[Judged, ...] = ()
    again: tuple[tuple[int, Judged], ...] = ()
    closed: Mapping[int, str] = field(default_factory=dict)


def settled(judged: Iterable[Judged], open_: Mapping[str, int], gone: Iterable[str] = ()) -> Settled:
    """Return what these answers make of the findings that are open (key → id).

    `gone` are keys of open findings that no check asks for any more: its rule, or its subject, is no longer there.
    """
    answers = {j.key.text: j for j in judged}
    broken = {k: j for k, j in answers.items() if j.verdict is Verdict.broken}
    closed = {open_[k]: "mended" for k, j in answers.items() if j.verdict is Verdict.met and k in open_}
    closed |= {open_[k]: "gone" for k, j in answers.items() if j.verdict is Verdict.none and k in open_}
    closed |= {open_[k]: "gone" for k in gone if k in open_ and k not in answers}
    return Settled(
        opened=tuple(j for k, j in broken.items() if k not in open_),
        again=tuple((open_[k], j) for k, j in broken.items() if k in open_),
        closed=closed,
    )


def due(severity: str, seen: datetime) -> date:
    """Return by when a finding of this severity is to be mended, unless somebody says another day."""
    return (seen + timedelta(days=_DAYS_TO_MEND.get(severity, 30))).date()


def standing(closed_at: datetime | None, accepted_until: datetime | None, now: datetime) -> str:
    """Return what a finding is now: open, accepted (its risk is carried for a time), or closed."""
    if closed_at is not None:
        return "closed"
    return "accepted" if accepted_until is not None and accepted_until > now else "open"


def rank(severity: str) -> int:
    """Return the place of a severity, the worst first; one that is none of ours comes last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
