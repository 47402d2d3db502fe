"""A scripted day as values: what is there, what befalls it and when, and what siaga is to make of it (day.toml)."""

import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

DAY = Path(__file__).with_name("day.toml")
Span = tuple[float, float]  # seconds of the day, from and until


@dataclass(frozen=True)
class Box:
    """A device; `number` is the last octet of its address."""

    name: str
    role: str
    place: str
    number: int


@dataclass(frozen=True)
class Cable:
    """A link between two devices."""

    name: str
    a: str
    z: str


@dataclass(frozen=True)
class Script:
    """The day. `cuts` are of links, `dark` and `battery` of devices; each a list of times."""

    begin: datetime
    boxes: Mapping[str, Box]
    cables: Mapping[str, Cable]
    cuts: Mapping[str, tuple[Span, ...]]
    dark: Mapping[str, tuple[Span, ...]]
    battery: Mapping[str, tuple[Span, ...]]
    windows: Mapping[str, tuple[str, Span]]  # name → selector, time
    until_s: float
    watching: tuple[Span, ...]  # when siaga runs
    expected: Mapping[str, Any]

    def time_of(self, second: float) -> datetime:
        """Return a moment of the day."""
        return self.begin + timedelta(seconds=second)

    def is_dark(self, box: str, at_s: float) -> bool:
        """Tell whether a device has no power."""
        return within(self.dark.get(box, ()), at_s)

    def is_cut(self, cable: str, at_s: float) -> bool:
        """Tell whether a link is cut, or an end of it has no power."""
        own = self.cables[cable]
        return within(self.cuts.get(cable, ()), at_s) or any(self.is_dark(b, at_s) for b in (own.a, own.z))

    def booted_s(self, box: str, at_s: float) -> float:
        """Return when a device began to run last; a negative second for one that ran before the day."""
        return max((end for _, end in self.dark.get(box, ()) if end <= at_s), default=-900_000.0)

    def answers(self, box: str, at_s: float) -> bool:
        """Tell whether a device can be reached from where siaga stands: the first device."""
        return box in self._reached[bisect_right(self.changes_s, at_s)]

    @cached_property
    def changes_s(self) -> list[float]:
        """Every second at which a link or a device goes or comes."""
        spans = [span for some in (*self.cuts.values(), *self.dark.values()) for span in some]
        return sorted({edge for span in spans for edge in span})

    @cached_property
    def _reached(self) -> list[set[str]]:
        """Who can be reached before the first change, and after each."""
        return [self._reached_at(at_s) for at_s in (-1.0, *self.changes_s)]

    def _reached_at(self, at_s: float) -> set[str]:
        first = next(iter(self.boxes))
        found, waiting = {first}, [first]
        while waiting:
            at = waiting.pop()
            for cable in self.cables.values():
                if at in (cable.a, cable.z) and not self.is_cut(cable.name, at_s):
                    other = cable.z if at == cable.a else cable.a
                    if other not in found:
                        found.add(other)
                        waiting.append(other)
        return found


def star(
    *names: str, until_s: float, begin: datetime, dark: Mapping[str, tuple[Span, ...]] | None = None
) -> Script:
    """Return a script of switches around a core, some of them dark at times, with siaga watching all the time."""
    boxes = {"core": Box("core", "core-router", "Tigaraksa", 1)}
    boxes |= {n: Box(n, "switch", "Tigaraksa", 10 + i) for i, n in enumerate(names)}
    cables = {f"kabel-{n}": Cable(f"kabel-{n}", "core", n) for n in names}
    return Script(begin, boxes, cables, {}, dark or {}, {}, {}, until_s, ((0.0, until_s),), {})


def within(spans: tuple[Span, ...], at_s: float) -> bool:
    """Tell whether a second lies in one of the times."""
    return any(a <= at_s < b for a, b in spans)


def read(path: Path = DAY) -> Script:
    """Return the script in a file."""
    tree = tomllib.loads(path.read_text("utf-8"))
    boxes = {n: Box(n, **row) for n, row in tree["device"].items()}
    cables = {n: Cable(n, *ends) for n, ends in tree["link"].items()}
    happens = tree["happens"]
    return Script(
        begin=tree["begin"],
        boxes=boxes,
        cables=cables,
        cuts=_spans(happens["cut"]),
        dark=_spans(happens["dark"]),
        battery=_spans(happens["battery"]),
        windows={n: (w["selector"], _span(w["time"])) for n, w in happens["maintenance"].items()},
        until_s=seconds(tree["until"]),
        watching=tuple(map(_span, tree["watching"])),
        expected=tree["expected"],
    )


def _spans(table: Mapping[str, Any]) -> dict[str, tuple[Span, ...]]:
    return {name: tuple(map(_span, spans)) for name, spans in table.items()}


def _span(pair: list[time]) -> Span:
    return seconds(pair[0]), seconds(pair[1])


def seconds(at: time) -> float:
    """Return a time of the day as its second."""
    return at.hour * 3600.0 + at.minute * 60 + at.second
