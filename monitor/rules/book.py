"""Which rules hold for which device, with its own limits: read from files, layers and selectors in a few queries."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from inventory import layers
from inventory.models import Device
from inventory.select import selected
from monitor.rules import files, thresholds
from monitor.rules.format import OWN, Rule
from monitor.state import Limits
from monitor.store import HAS_ADDRESS
from siaga.errors import SiagaError


@dataclass(frozen=True)
class Book:
    """The rules of each device that is watched and of siaga itself, the limits of its state; `problems` in sentences.

    `unread`: rules whose file or selector cannot be read, so that nothing is known of what they have rung.
    """

    rules: files.Rules
    of_device: Mapping[int, tuple[Rule, ...]]
    limits: Mapping[int, Limits]
    names: Mapping[int, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()

    @property
    def own(self) -> tuple[Rule, ...]:
        """The rules on siaga itself, on services, on logins and on findings."""
        return tuple(r for r in self.rules.values() if r.of in OWN and not r.off)


def open_book(
    session: Session,
    home: Path,
    before: files.Rules | None = None,
    *,
    patient: bool = False,
    ids: Sequence[int] | None = None,
) -> Book:
    """Read the book. Broken rule files keep `before` (or siaga's own), and are told in `problems`."""
    loaded = files.reload(home, before)
    problems = list(loaded.problems)
    chosen = {r.name: _chosen(session, r, problems) for r in loaded.rules.values() if r.selector}
    variables = layers.merged(session, ids)
    of_device: dict[int, tuple[Rule, ...]] = {}
    limits: dict[int, Limits] = {}
    shared: dict[tuple[str, str], tuple[tuple[Rule, ...], Limits]] = {}
    # One that nobody asks is not watched: what was open of it would never end, and what it was would hold for ever.
    query = select(Device.id, Device.name, Device.role).where(*HAS_ADDRESS)
    devices = [(i, n, r) for i, n, r in session.exec(query) if i in variables]
    for device_id, name, role in devices:
        assert device_id is not None
        said = variables[device_id].get(thresholds.KEY)
        key = (role, json.dumps(said, sort_keys=True, default=str) if said else "")
        if key not in shared:
            wrong: list[str] = []
            shared[key] = _of_role(loaded.rules, role, said, patient, wrong)
            problems += [f"device '{name}': {w}" for w in wrong]
        rules, limits[device_id] = shared[key]
        of_device[device_id] = tuple(
            r for r in rules if r.name not in chosen or device_id in (chosen[r.name] or ())
        )
    names = {i: n for i, n, _ in devices if i is not None}
    unread = loaded.unread | {name for name, ids in chosen.items() if ids is None}
    return Book(loaded.rules, of_device, limits, names, tuple(dict.fromkeys(problems)), unread)


def _chosen(session: Session, rule: Rule, problems: list[str]) -> frozenset[int] | None:
    try:
        return frozenset(selected(session, "device", rule.selector))
    except SiagaError as error:
        problems.append(f"{rule.name}.toml: its selector cannot be read: {error.sentence.splitlines()[0]}")
        return None


def _of_role(
    rules: files.Rules, role: str, said: Any, patient: bool, wrong: list[str]
) -> tuple[tuple[Rule, ...], Limits]:
    layered = said if isinstance(said, Mapping) else {}
    found = []
    for rule in rules.values():
        if rule.of in OWN or (rule.roles and role not in rule.roles):
            continue
        own, problem = thresholds.effective(rule, layered.get(rule.name))
        wrong += [problem] if problem else []
        found += [] if own.off else [own]
    limits, problem = thresholds.limits(role, layered.get(thresholds.STATE), patient=patient)
    wrong += [problem] if problem else []
    wrong += [
        f"{thresholds.KEY}.{name}: there is no such rule"
        for name in layered
        if name not in rules and name != thresholds.STATE
    ]
    return tuple(found), limits
