"""Which routes an alert takes, and when: pure. A default route always exists, so that no alert is told to nobody.

The default is the route called `default`; where the settings have none, siaga writes to `alerts.jsonl` in its home.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from siaga.clock import JAKARTA
from siaga.hours import hours
from siaga.settings import Route

DEFAULT = "default"
BUILT_IN = Route(name=DEFAULT, channel="file")
# Machines that hold an alert open until they are told its end, also where another alert takes its place.
KEEP_OPEN = ("alertmanager", "webhook")
FORGETFUL = ("alertmanager",)  # machines that must be told of an open alert again and again


@dataclass(frozen=True)
class Told:
    """What a route is chosen by. `selectors`: those of the routes that select the alert's device."""

    severity: str
    rule: str
    selectors: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Way:
    """One thing to tell: by which route, when, and whether only if the alert is still open then.

    `escalates`: and only if nobody has acknowledged it.
    """

    route: str
    due_at: datetime
    if_open: bool = False
    escalates: bool = False


def all_routes(routes: Sequence[Route]) -> Mapping[str, Route]:
    """Return the routes by name, the default among them."""
    return {DEFAULT: BUILT_IN, **{r.name: r for r in routes}}


def ways(
    routes: Sequence[Route],
    told: Told,
    now: datetime,
    *,
    silent_until: datetime | None = None,
    zone: str = JAKARTA,
) -> list[Way]:
    """Return the ways an alert takes; those that no route at once would tell of take the default one."""
    chosen = [r for r in routes if _takes(r, told, now, zone)]
    if all(r.after_s for r in chosen):
        chosen.insert(0, all_routes(routes)[DEFAULT])
    found = {r.name: _way(r, told, now, silent_until, zone) for r in chosen}
    return list(found.values())


def _takes(route: Route, told: Told, now: datetime, zone: str) -> bool:
    return (
        told.severity in route.severities
        and (not route.rules or told.rule in route.rules)
        and (not route.when or route.when in told.selectors)
        and (not route.hours or hours(route.hours, zone).hold(now))
    )


def _way(route: Route, told: Told, now: datetime, silent_until: datetime | None, zone: str) -> Way:
    due = now + timedelta(seconds=route.after_s or route.wait_s)
    late = bool(route.after_s)
    if route.quiet and told.severity in route.quiet_for:
        rested = hours(route.quiet, zone).until(due)
        if rested is not None:
            due, late = rested, True
    if silent_until is not None and silent_until > due:
        due, late = silent_until, True
    return Way(route.name, due, late, bool(route.after_s))
