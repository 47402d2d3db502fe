"""The way back that a device keeps itself: armed before a change, called off after the proof, else taken alone.

What is typed for it is a part of the platform's dialect (`[back]` in dialects/). Whether it waits is asked of the
device each time and never believed: an answer that is not understood counts as no.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.network import Change
from infra.network_scripts import scripts


class Asked(Protocol):
    """What this module needs of a login."""

    def ask(self, command: str) -> str: ...
    def run(self, commands: Sequence[str]) -> None: ...


@dataclass(frozen=True)
class WayBack:
    """How a platform goes back by itself. `{n}` in a line is the time, counted in `unit_s` seconds.

    `asked`, `waits`: a command, and the expression in its answer that says that a way back waits.
    `arm`: lines before a change; `commit`: the line after it within the configuration mode, where a change counts
    only then, and for a time; `off`: lines that keep the change; `now`: lines that go back at once.
    `needs`: an expression that the configuration must hold, else `lacks` says what is missing.
    `script`, `clean`: the way back is scripts of ours, one line for each `{i}` with its `{source}`, and the lines that
    take away what an earlier one left. `traces`: lines of the configuration with this word are the way back itself.
    """

    asked: str
    waits: str
    off: tuple[str, ...]
    arm: tuple[str, ...] = ()
    commit: str = ""
    now: tuple[str, ...] = ()
    needs: str = ""
    lacks: str = ""
    script: str = ""
    clean: tuple[str, ...] = ()
    traces: str = ""
    unit_s: int = 1
    least: int = 1
    most: int = 3600

    def units(self, confirm_s: int) -> int:
        """Return the time as the platform counts it, never shorter than asked for unless it cannot be so long."""
        return min(self.most, max(self.least, math.ceil(confirm_s / self.unit_s)))

    def seconds(self, confirm_s: int) -> int:
        """Return after how many seconds the device really goes back."""
        return self.units(confirm_s) * self.unit_s

    def missing(self, running: str) -> str:
        """Return what the device lacks to go back by itself, or nothing."""
        return self.lacks if self.needs and not re.search(self.needs, running) else ""

    def arming(self, found: Sequence[Change], confirm_s: int) -> list[str]:
        """Return the lines that are typed before the change."""
        count = str(self.units(confirm_s))
        if not self.script:
            return [line.replace("{n}", count) for line in self.arm]
        sources, runs = scripts(found)
        made = [
            self.script.replace("{i}", str(i)).replace("{source}", s) for i, s in enumerate(sources, start=1)
        ]
        armed = [line.replace("{n}", count).replace("{runs}", runs) for line in self.arm]
        return [*self.clean, *made, *armed]

    def commit_line(self, confirm_s: int) -> str:
        """Return the line that makes the change count for a time, or nothing where each line counts at once."""
        return self.commit.replace("{n}", str(self.units(confirm_s)))

    def waiting(self, line: Asked) -> bool:
        """Ask the device whether a way back waits; raises RefusedError if it does not answer."""
        return re.search(self.waits, line.ask(self.asked)) is not None
