"""How a simulated device goes back by itself: timed rollback, trial commits and RouterOS's scheduler, on its own clock.

The clock stands still until a test, or somebody who knocks in vain, moves it on.
"""

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulators.cli.menus import Menus

if TYPE_CHECKING:
    from tests.simulators.cli.device import Device
    from tests.simulators.cli.session import Session

_STEP = re.compile(r":do \{ (.*?) \} on-error=\{\}; ")
_ONLY_IF_GONE = re.compile(r":if \(\[:len \[(/.*) (find .*)\]\] = 0\) do=\{ (.*) \}")
_ESCAPED = re.compile(r"\\(3F|.)")


@dataclass(frozen=True)
class Pending:
    """A configuration that comes back at `due_s` of the device's clock; `owner` is the session it hangs on."""

    due_s: float
    config: Any
    owner: object = None


class Clock:
    """A device's time, and what happens by itself when it passes."""

    def __init__(self, device: "Device") -> None:
        self.now_s = 0.0
        self.pending: Pending | None = None
        self.notices: list[str] = []  # what every session is told, in the midst of whatever it does
        self._device = device
        self._events: dict[str, float] = {}

    def arm(self, after_s: float, owner: object = None) -> None:
        """Remember the configuration, and when it comes back."""
        self.pending = Pending(self.now_s + after_s, deepcopy(self._device.config), owner)

    def revert(self) -> None:
        """Go back now."""
        if self.pending is not None:
            self._device.config, self.pending = self.pending.config, None

    def passes(self, seconds: float) -> None:
        """Let time pass, and do what is due."""
        self._note_events()
        self.now_s += seconds
        if self.pending is not None and self.pending.due_s <= self.now_s:
            self.revert()
        elif (
            self.pending is not None and self.pending.due_s <= self.now_s + 60 and self._device.dialect.revert
        ):
            self.notices.append(self._device.dialect.revert.warns)
        for name in [n for n, due_s in self._events.items() if due_s <= self.now_s]:
            del self._events[name]
            self._run(self._scheduled().get(name, ""))

    def _scheduled(self) -> dict[str, str]:
        return self._values("/system scheduler", "on-event")

    def _values(self, menu: str, key: str) -> dict[str, str]:
        config = self._device.config
        entries = config.menus.get(menu, []) if isinstance(config, Menus) else []
        return {e.values["name"]: e.values.get(key, "") for e in entries}

    def _note_events(self) -> None:
        """An entry of the scheduler is first due after its interval; one that was removed never is."""
        every = self._values("/system scheduler", "interval")
        kept = {n: due_s for n, due_s in self._events.items() if n in every}
        self._events = {n: self.now_s + float(s.removesuffix("s")) for n, s in every.items()} | kept

    def _run(self, quoted: str) -> None:
        """Carry out a script: commands, each in a `:do` of its own, that run others or change entries."""
        for step in _STEP.findall(_ESCAPED.sub(_meant, quoted[1:-1])):
            name = step.removeprefix("/system script run ")
            if name != step:
                self._run(self._values("/system script", "source").get(name, '""'))
                continue
            guarded = _ONLY_IF_GONE.fullmatch(step)
            if guarded is None:
                self._device.config.enter(step, [])
            elif self._device.config.enter(f"{guarded[1]} print count-only where {guarded[2][5:]}", []) == [
                "0"
            ]:
                self._device.config.enter(guarded[3], [])


def _meant(found: re.Match[str]) -> str:
    return "?" if found[1] == "3F" else found[1]


def timed(session: "Session", line: str) -> list[str] | None:
    """Answer what belongs to a timed rollback; None if the line does not."""
    known, clock = session.dialect.revert, session.device.clock
    assert known is not None
    if begins := re.fullmatch(known.timer, line):
        if not re.search(known.needs, "\n".join(session.device.running())):
            return [known.lacks]
        clock.arm(int(begins[1]) * known.unit_s)
        session.at.mode = "config"
        return [known.says, "", *session.dialect.config_says]
    if line == known.asked:
        return [known.none] if clock.pending is None else known.waits.split("\n")
    if line not in (known.confirm, known.now):
        return None
    if clock.pending is None:
        return [known.none]
    if line == known.now:
        clock.revert()
    clock.pending = None
    return []


def staged(session: "Session", line: str) -> list[str] | None:
    """Answer what belongs to a configuration in two stages; None if the line does not."""
    known, device = session.dialect.trial, session.device
    assert known is not None
    foreign = device.clock.pending is not None and device.clock.pending.owner is not session
    if line == "clear configuration candidate":
        session.candidate = deepcopy(device.config)
        return []
    if line not in ("abort trial", "commit") and not line.startswith("commit "):
        return None
    if foreign:
        return [known.busy]
    return _aborted(session) if line == "abort trial" else _committed(session, line)


def _committed(session: "Session", line: str) -> list[str]:
    known, device = session.dialect.trial, session.device
    trial = re.fullmatch(r"commit trial (\d+)", line)
    if known is None or (line != "commit" and not (trial and 60 <= int(trial[1]) <= 65535)):
        return list(session.dialect.unknown)
    device.clock.pending = None
    if trial:
        device.clock.arm(int(trial[1]), session)
    device.config = deepcopy(session.candidate)
    session.at.path.clear()
    return [known.says.format(seconds=trial[1])] if trial else []


def _aborted(session: "Session") -> list[str]:
    def answered(line: str) -> bool:
        if line.lower() == "y":
            session.device.clock.revert()
            session.candidate = deepcopy(session.device.config)
        return session.prints([])

    known = session.dialect.trial
    assert known is not None
    session.asks(known.aborts, answered)
    return []


def trial_status(device: "Device") -> list[str]:
    """Return what a device in two stages says of a trial."""
    pending, now_s = device.clock.pending, device.clock.now_s
    left_s = 0 if pending is None else int(pending.due_s - now_s)
    return [f"Trial status: {'ACTIVE' if pending else 'INACTIVE'}", f"Trial time left (sec): {left_s}"]
