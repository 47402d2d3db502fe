"""Alerts from findings: what to open and what to close. Pure; at most one alert is open per subject."""

from collections.abc import Collection
from dataclasses import dataclass

from monitor.checks import Finding, Seen, all_checks

Subject = tuple[str, str]  # rule, subject


@dataclass(frozen=True)
class Verdict:
    """What the checks say of one device in one round; `silent` are rules that could not look."""

    findings: tuple[Finding, ...]
    silent: frozenset[str]


def examine(seen: Seen) -> Verdict:
    """Run every check on one device."""
    found: list[Finding] = []
    silent: set[str] = set()
    for check in all_checks():
        if check.observed(seen):
            found += check.judge(seen)
        else:
            silent.add(check.RULE)
    return Verdict(tuple(found), frozenset(silent))


def reconcile(opened: Collection[Subject], verdict: Verdict) -> tuple[list[Finding], list[Subject]]:
    """Return the findings to open alerts for, and the open alerts to close.

    What a check could not observe closes nothing: a gap is not a recovery.
    """
    now = {(f.rule, f.subject): f for f in verdict.findings}
    to_open = [f for key, f in now.items() if key not in opened]
    to_close = [key for key in sorted(opened) if key not in now and key[0] not in verdict.silent]
    return to_open, to_close
