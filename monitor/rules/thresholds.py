"""A rule as it holds for one device: what the layers of the inventory say comes over what its file says.

Under the variable `alerts`, by the rule's name: `alerts.cpu-busy.warning.above = 70`, `alerts.cpu-busy.off = true`,
`alerts.cpu-busy.for_s = 600`; and under `alerts.state` the limits of the machine of states (`alerts.state.grace_s`).
A limit that is moved without its `clear` takes that along at the same distance.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from pydantic import ValidationError

from inventory.layers import merged_over
from monitor.observation import Thresholds
from monitor.rules.format import SEVERITIES, Level, Rule
from monitor.state import Limits

KEY = "alerts"
STATE = "state"
# What a layer may say of a rule. Its class and measure make it the rule that it is.
LAYERED = ("warning", "critical", "for_s", "clear_for_s", "within_s", "own_limits", "off", "tell", "playbook")
# Where siaga itself asks again at once: sooner for what everything hangs on.
PATIENT = Limits(failures=3, grace_s=30.0)
_BY_ROLE = {"core-router": replace(PATIENT, grace_s=10.0), "ap": replace(PATIENT, grace_s=60.0)}
_HIGHEST = {"failures": 100.0, "grace_s": 86_400.0, "recheck_s": 3600.0, "patience": 100.0}


def effective(rule: Rule, said: Any) -> tuple[Rule, str]:
    """Return the rule with what the layers say of it, and what is wrong with that; then the file's own holds."""
    if said is None:
        return rule, ""
    if not isinstance(said, Mapping):
        return rule, f"{KEY}.{rule.name} must be a mapping, such as {KEY}.{rule.name}.off = true"
    unknown = [k for k in said if k not in LAYERED]
    if unknown:
        return (
            rule,
            f"{KEY}.{rule.name}.{unknown[0]} is nothing a layer may say; it may say {', '.join(LAYERED)}",
        )
    own = rule.model_dump(exclude_none=True)
    tree = merged_over(own, said)
    for severity in SEVERITIES:
        _along(own.get(severity), said.get(severity), tree.get(severity))
    try:
        return Rule.model_validate(tree), ""
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return rule, f"{KEY}.{rule.name}{'.' if where else ''}{where}: {first['msg']}"


def _along(own: Any, said: Any, tree: Any) -> None:
    if not (isinstance(own, Mapping) and isinstance(said, Mapping) and isinstance(tree, dict)):
        return
    for condition in ("above", "below"):
        moved = said.get(condition)
        if "clear" in own and "clear" not in said and condition in own and isinstance(moved, (int, float)):
            tree["clear"] = moved + own["clear"] - own[condition]


def with_own_limits(rule: Rule, limits: Thresholds | None) -> Rule:
    """Return the rule with what the device itself holds for too much, where it says so."""
    if not rule.own_limits or limits is None or (limits.critical is None and limits.warning is None):
        return rule
    given = {"critical": limits.critical, "warning": limits.warning}
    return rule.model_copy(update={s: _level(getattr(rule, s), limit) for s, limit in given.items()})


def _level(own: Level | None, limit: float | None) -> Level | None:
    if limit is None:
        return None
    away = (
        own.above - own.clear if own is not None and own.above is not None and own.clear is not None else 0.0
    )
    return Level(above=limit, clear=limit - away)


def limits(role: str, said: Any, *, patient: bool) -> tuple[Limits, str]:
    """Return when a device is called down, and what is wrong in the layers.

    `patient`: somebody asks again when the machine wants it (the service); without, a round is one question.
    """
    usual = _BY_ROLE.get(role, PATIENT) if patient else Limits(patience=0)
    if said is None:
        return usual, ""
    known = {f.name for f in fields(Limits)}
    if not isinstance(said, Mapping) or set(said) - known:
        return usual, f"{KEY}.{STATE} may say {', '.join(sorted(known))}"
    for key, value in said.items():
        highest = _HIGHEST.get(key, 86_400.0)
        low = 1 if key in ("failures", "flap_half_life_s", "longest_gap_s") else 0
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= highest:
            return usual, f"{KEY}.{STATE}.{key} must be a number from {low} to {highest:g}"
    whole = {k: int(v) if k in ("failures", "patience") else float(v) for k, v in said.items()}
    return replace(usual, **whole), ""  # type: ignore[arg-type]
