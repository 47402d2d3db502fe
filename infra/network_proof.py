"""One change of a network device, typed and proven: kept once a second login works, else taken back.

Whoever takes it back says so: siaga over the login that it still has, or the device, whose own time runs from before
the first line was typed. siaga then knocks until the device has gone back, and looks.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from infra.network import BY_DEVICE, BY_SIAGA, Change, Entry, changes, shown, taken_back, typed
from infra.network_back import WayBack
from infra.network_dialects import Dialect
from infra.network_session import NotReachedError, RefusedError, SilentError

PAUSE_S = 2.0  # between two knocks
SLACK_S = 60.0  # what a device may take to go back, after its time is over


class Line(Protocol):
    """What this module needs of a login; Session is one, and so is a recording."""

    def ask(self, command: str) -> str: ...
    def run(self, commands: Sequence[str]) -> None: ...
    def send(self, commands: Sequence[str], commit: str = "") -> None: ...
    def try_all(self, groups: Sequence[Sequence[str]]) -> None: ...
    def save(self) -> None: ...
    def close(self) -> None: ...


class NotConfiguredError(Exception):
    """The device does not have what was wanted; the sentence says why, and whether all was taken back."""


class GoneBackError(Exception):
    """The device has gone back before it was told to keep the change."""


@dataclass(frozen=True)
class Attempt:
    """A change and what it is made with. `before` is the configuration as it was, `confirm_s` the device's time."""

    line: Line
    login: Callable[[], Line]
    dialect: Dialect
    template: str
    todo: tuple[Change, ...]
    before: str
    confirm_s: int

    @property
    def lacking(self) -> str:
        """Why the device cannot go back by itself, as far as its configuration tells; or nothing."""
        back = self.dialect.back
        if back is None:
            return f"{self.dialect.name} has no timer for it"
        if back.script and not any(change.undo for change in self.todo):
            return "what would undo it is not known"
        return back.missing(self.before)

    @property
    def way_back(self) -> str:
        """The line of a difference that says who takes the change back if nobody can log in after it."""
        back = self.dialect.back
        if back is None or self.lacking:
            return f"{BY_SIAGA}{self.lacking}\n"
        return f"{BY_DEVICE}after {back.seconds(self.confirm_s)} s, unless siaga can log in anew\n"

    def entries(self, text: str) -> Counter[Entry]:
        """Return how often each line stands in a configuration, but for those that are the way back itself."""
        traces = self.dialect.back.traces if self.dialect.back else ""
        found = Counter(self.dialect.grammar.entries(text))
        return Counter({e: n for e, n in found.items() if not (traces and traces in f"{e.path} {e.text}")})

    def differences(self, line: Line) -> int:
        """Return how many lines are otherwise than before; comments and the order do not count."""
        then, now = self.entries(self.before), self.entries(line.ask(self.dialect.read))
        return ((then - now) + (now - then)).total()

    def undoing(self, line: Line) -> list[tuple[str, ...]]:
        """Return what undoes the change from where it has come to; what is still there is not added once more."""
        now = self.entries(line.ask(self.dialect.read))
        return taken_back([c for c in self.todo if c.add or c.entry not in now])

    @property
    def undoing_unseen(self) -> list[tuple[str, ...]]:
        """What undoes the lines that no configuration shows, which no device takes back by itself."""
        return taken_back([c for c in self.todo if c.unseen])


def prove(attempt: Attempt) -> str:
    """Make the change and keep it; return who would have taken it back, as the first line of the difference.

    Raises NotConfiguredError, with what became of the device.
    """
    said = attempt.way_back
    back = attempt.dialect.back if attempt.confirm_s and not attempt.lacking else None
    if back is not None and (refused := _armed(attempt, back)):
        back, said = None, f"{BY_SIAGA}{refused}\n"
    reason = _tried(attempt, back)
    if reason:
        raise NotConfiguredError(f"Not configured: {reason}; {_undone(attempt, back)}.")
    return said if attempt.confirm_s else ""


def _armed(attempt: Attempt, back: WayBack) -> str:
    """Leave the device its way back; return why it would not take it, or nothing.

    Raises NotConfiguredError if one waits already, for that goes back to something else, or if the device does not
    say: a timer that runs unseen would take a good change back.
    """
    line = attempt.line
    try:
        if back.waiting(line):
            raise NotConfiguredError("Not configured: an earlier change still waits there to be taken back.")
        with _refusing() as refusals:
            line.run(back.arming(attempt.todo, attempt.confirm_s))
        if back.commit or back.waiting(line):
            return ""
    except RefusedError as error:
        raise NotConfiguredError(f"Not configured: {error}; nothing of the change was typed.") from None
    with suppress(RefusedError):
        # What was not refused may run unseen.
        line.run(back.clean if refusals else (*back.off, *back.clean))
    return refusals[0] if refusals else "it took the command, and no timer runs"


@contextmanager
def _refusing() -> Iterator[list[str]]:
    """Gather what is refused; a device that falls silent is another matter."""
    found: list[str] = []
    try:
        yield found
    except SilentError:
        raise
    except RefusedError as error:
        found.append(str(error))


def _tried(attempt: Attempt, back: WayBack | None) -> str:
    """Type the lines and prove them; return why they cannot stay, or nothing once they are saved."""
    line = attempt.line
    try:
        line.send(typed(attempt.todo), back.commit_line(attempt.confirm_s) if back else "")
        left = changes(
            attempt.dialect.grammar, line.ask(attempt.dialect.read), attempt.template, line.ask, again=True
        )
        if left and back is not None and not back.waiting(line):
            raise GoneBackError
        if left:
            return f"read back, it does not hold {shown(left[:3]).strip()!r}"
        attempt.login().close()
        if back is not None:
            _called_off(line, back)
        line.save()
    except GoneBackError:
        return f"its time of {back.seconds(attempt.confirm_s) if back else 0} s was over before it was proven"
    except RefusedError as error:
        return str(error)
    except NotReachedError as error:
        return f"a second login did not work ({str(error).rstrip('.')})"
    return ""


def _called_off(line: Line, back: WayBack) -> None:
    """Keep the change; raises GoneBackError if the device went back meanwhile."""
    if not back.waiting(line):
        raise GoneBackError
    line.run(back.off)
    if back.waiting(line):
        raise RefusedError("its way back could not be called off")


def _undone(attempt: Attempt, back: WayBack | None) -> str:
    """Take back what was typed, over the first login or by waiting for the device; return how far that came."""
    try:
        left = _typed_back(attempt, back)
    except RefusedError:
        if back is None:
            return "what was typed may still stand, nothing was saved"
        left = -1
    if back is None or not left:
        return _how_far(left)
    attempt.line.close()
    return _waited(attempt, back)


def _typed_back(attempt: Attempt, back: WayBack | None) -> int:
    """Take it back over the first login; return how many lines are still otherwise than before.

    A device that can goes back at once; else, or if that was not all, the lines are undone one by one.
    """
    line = attempt.line
    waiting = back is not None and back.waiting(line)
    if back is not None and back.now and waiting:
        line.run(back.now)
        waiting = back.waiting(line)
    alone = back is not None and not waiting and not attempt.differences(line)
    line.try_all(attempt.undoing_unseen if alone else attempt.undoing(line))
    left = attempt.differences(line)
    if back is not None and waiting and not left:
        with suppress(RefusedError):  # what the device would go back to is what it has
            line.run(back.off)
    return left


def _how_far(left: int) -> str:
    return f"{left} lines could not be taken back, nothing was saved" if left else "all of it was taken back"


def _waited(attempt: Attempt, back: WayBack) -> str:
    """Knock until the device has gone back by itself, and compare; return what became of it."""
    seconds = back.seconds(attempt.confirm_s)
    until = time.monotonic() + seconds + SLACK_S
    while time.monotonic() < until:
        with suppress(NotReachedError, RefusedError), _opened(attempt.login) as line:
            if not back.waiting(line):
                line.try_all(attempt.undoing_unseen)
                left = attempt.differences(line)
                return (
                    f"the device took it back by itself, {seconds} s after it began"
                    if not left
                    else _how_far(left)
                )
        time.sleep(PAUSE_S)
    return f"nobody could log in for {seconds + SLACK_S:g} s, in which the device should have taken it back by itself"


@contextmanager
def _opened(login: Callable[[], Line]) -> Iterator[Line]:
    line = login()
    try:
        yield line
    finally:
        line.close()
