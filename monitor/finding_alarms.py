"""What open findings give the alert rules to judge: of each device the gravest, and logins that nobody foresaw.

A finding waits in a list to be mended; of these two somebody is told at once, and again when they are over. What a
person has accepted, or closed, rings no more.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from inventory.models import Device
from inventory.models_findings import Finding
from inventory.store import reading, session
from monitor.access.judge import SOURCE as ACCESS
from monitor.alarms import take_own
from monitor.models import Alert
from monitor.rules.subjects import Subject
from monitor.scene import open_scene
from siaga.clock import as_utc
from siaga.settings import Settings

RULES = ("finding-critical", "login-not-foreseen")
Ringing = dict[str, frozenset[str]]  # device, or what the finding is of → the rules that hold


def ringing(opened: Session, now: datetime) -> Ringing:
    """Return of which devices a finding is open that somebody is to be told of."""
    grave = (col(Finding.severity) == "critical") | (col(Finding.source) == ACCESS)
    query = select(Finding, Device.name).outerjoin(Device, col(Device.id) == col(Finding.device_id))
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one, name in opened.exec(query.where(col(Finding.open_key).is_not(None), grave)):
        if one.accepted_until is None or as_utc(one.accepted_until) <= now:
            found[name or one.subject].add(RULES[one.source == ACCESS])
    return {name: frozenset(rules) for name, rules in found.items()}


def told(opened: Session) -> Ringing:
    """Return of which devices an alert says so now."""
    query = select(Alert.subject, Alert.rule).where(
        col(Alert.open_key).is_not(None), col(Alert.rule).in_(RULES)
    )
    found: defaultdict[str, set[str]] = defaultdict(set)
    for subject, rule in opened.exec(query):
        found[subject].add(rule)
    return {name: frozenset(rules) for name, rules in found.items()}


def subjects(names: Iterable[str], holds: Ringing) -> list[Subject]:
    """Return the findings of these devices as the rules look at them."""
    none: frozenset[str] = frozenset()
    return [
        Subject(
            "findings",
            name,
            {
                "worst": "critical" if RULES[0] in holds.get(name, none) else "not critical",
                "logins": "not foreseen" if RULES[1] in holds.get(name, none) else "as foreseen",
            },
        )
        for name in sorted(names)
    ]


def ring(engine: Engine, settings: Settings, now: datetime, *, run_id: int | None = None) -> int:
    """Open and close the alerts of findings; return how many changed. Where nothing has, nothing is written."""
    with reading(engine) as opened:
        holds, before = ringing(opened, now), told(opened)
    other = [name for name in {**holds, **before} if holds.get(name) != before.get(name)]
    if not other:
        return 0
    with session(engine) as writing:
        scene = open_scene(writing, settings, now)
        begun, ended = take_own(writing, scene, subjects(other, holds), now, run_id=run_id)
    return len(begun) + len(ended)
