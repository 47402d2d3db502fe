"""Outages made of what was seen: which devices went away of themselves, together or alone, and the likely cause. Pure.

What tells the causes apart, strongest first: a window of maintenance; a UPS of the place on battery; sysUpTime after
the return (it ran through: the line was cut; it began anew: the device had no power, or restarted); who else at the
place went away with it, or stayed; lines of one provider at several places gone within two minutes. What none of
these tells is unknown, and is said to be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

TOGETHER_MS = 120_000  # two rounds: what falls silent within is taken to have one cause


class Cause(StrEnum):
    """Why something was down."""

    unknown = "unknown"
    link = "link"
    power = "power"
    device = "device"
    planned = "planned"
    upstream = "upstream"


@dataclass(frozen=True)
class Fall:
    """A device was away of itself from `start_ms` to `end_ms` (None: still is).

    `site`: the place whose power it shares. `restarted`: its uptime began anew meanwhile (None: not known).
    `with_it`: the same of others of the site that were away then too. `stayed`: some other of the site was seen up
    all the time. `on_battery`: names of UPSs of the site that ran on battery. `planned`: most of it lay in maintenance.
    """

    device: int
    start_ms: int
    end_ms: int | None = None
    site: int | None = None
    provider: str = ""
    restarted: bool | None = None
    with_it: Mapping[int, bool | None] = field(default_factory=dict)
    stayed: bool = False
    on_battery: tuple[str, ...] = ()
    planned: bool = False


@dataclass(frozen=True)
class Proposed:
    """An outage as siaga would record it: one fall, or several of one site with one cause. `because`: a phrase."""

    falls: tuple[Fall, ...]
    cause: Cause
    because: str

    @property
    def start_ms(self) -> int:
        """When the first of them fell silent."""
        return min(f.start_ms for f in self.falls)

    @property
    def end_ms(self) -> int | None:
        """When the last of them was back; None while one is away."""
        ends = [f.end_ms for f in self.falls]
        known = [e for e in ends if e is not None]
        return max(known) if len(known) == len(ends) else None


def proposed(falls: Iterable[Fall]) -> list[Proposed]:
    """Return the outages that falls make, by time. The order of the falls does not matter."""
    some = sorted(falls, key=lambda f: (f.start_ms, f.device))
    wide = _upstream(some)
    found: list[Proposed] = []
    for group in _together(some):
        if len(group) > 1 and (shared := _shared(group)) is not None:
            found.append(Proposed(tuple(group), *shared))
        else:
            found += [Proposed((f,), *_alone(f, wide)) for f in group]
    return sorted(found, key=lambda p: (p.start_ms, p.falls[0].device))


def _together(some: Sequence[Fall]) -> list[list[Fall]]:
    """Return falls in groups: of one site, within two minutes of the first."""
    open_: dict[int, list[Fall]] = {}
    groups: list[list[Fall]] = []
    for fall in some:
        group = open_.get(fall.site) if fall.site is not None else None
        if group is None or fall.start_ms - group[0].start_ms > TOGETHER_MS:
            group = []
            groups.append(group)
            if fall.site is not None:
                open_[fall.site] = group
        group.append(fall)
    return groups


def _shared(group: Sequence[Fall]) -> tuple[Cause, str] | None:
    """Return the one cause of several falls of a site, or None if each must be looked at alone."""
    if any(f.planned for f in group):
        return (Cause.planned, "in a window of maintenance") if all(f.planned for f in group) else None
    if names := sorted({n for f in group for n in f.on_battery}):
        return Cause.power, f"{', '.join(names)} ran on battery"
    if any(f.restarted is False for f in group):
        return None
    anew = sum(f.restarted is True for f in group)
    if anew > 1:
        return Cause.power, f"{anew} devices of the place went silent together and started anew"
    if not any(f.stayed for f in group):
        return (
            Cause.power,
            f"{len(group)} devices of the place, each reached its own way, went silent together",
        )
    return None


def _alone(fall: Fall, wide: Mapping[int, int]) -> tuple[Cause, str]:
    if fall.planned:
        return Cause.planned, "in a window of maintenance"
    if fall.on_battery:
        return Cause.power, f"{', '.join(fall.on_battery)} ran on battery"
    if fall.restarted:
        return _started_anew(fall)
    if places := wide.get(id(fall)):
        return Cause.upstream, f"lines of {fall.provider} at {places} places went silent together"
    if fall.restarted is False:
        return Cause.link, "its uptime ran through: the device was on all the time"
    if fall.stayed:
        return Cause.device, "others of the place stayed up"
    return Cause.unknown, "nothing tells"


def _started_anew(fall: Fall) -> tuple[Cause, str]:
    if anew := sum(r is True for r in fall.with_it.values()):
        return Cause.power, f"it and {anew} more of the place started anew"
    if fall.stayed or any(r is False for r in fall.with_it.values()):
        return Cause.device, "it started anew, and others of the place ran through"
    return Cause.unknown, "it started anew: by power or by itself, nobody else of the place tells"


def _upstream(some: Sequence[Fall]) -> dict[int, int]:
    """Return, by id() of a fall, how many places of its provider fell with it, where these are more than one."""
    found: dict[int, int] = {}
    by_provider: dict[str, list[Fall]] = {}
    for fall in some:
        if fall.provider and not fall.planned and not fall.on_battery and fall.restarted is not True:
            by_provider.setdefault(fall.provider, []).append(fall)
    for falls in by_provider.values():
        for fall in falls:
            near = [f for f in falls if abs(f.start_ms - fall.start_ms) <= TOGETHER_MS]
            places = {f.site if f.site is not None else -f.device for f in near}
            if len(places) > 1:
                found[id(fall)] = len(places)
    return found
