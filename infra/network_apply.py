"""Configures one network device: reads, compares, types, reads back, logs in anew, saves; or takes it all back.

Nothing is saved on the device before a second login has worked and the configuration read back holds what the
template says. Until then every line can be undone, and is, if one is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.network import Change, changes, shown, taken_back, typed
from infra.network_dialects import Dialect
from infra.network_session import Access, NotReachedError, RefusedError, Session


class Line(Protocol):
    """What this module needs of a login; Session is one, and so is a recording."""

    def ask(self, command: str) -> str: ...
    def send(self, commands: Sequence[str]) -> None: ...
    def try_all(self, groups: Sequence[Sequence[str]]) -> None: ...
    def save(self) -> None: ...
    def close(self) -> None: ...


class NotConfiguredError(Exception):
    """The device does not have what was wanted; the sentence says why, and whether all was taken back."""


@dataclass(frozen=True)
class Configured:
    """What became of a device: whether lines were (or would be) typed, and the difference they make."""

    changed: bool
    diff: str


def opener(access: Access, dialect: Dialect, secrets: Mapping[str, str]) -> Callable[[], Session]:
    """Return what logs in."""
    return lambda: Session(access, dialect, secrets)


def configure(login: Callable[[], Line], dialect: Dialect, template: str, *, check: bool) -> Configured:
    """Make the device's configuration hold the template; with `check` only say what that would change.

    Raises NotReachedError, NotConfiguredError, or ValueError for a template that cannot be read.
    """
    line = login()
    try:
        running = _asked(line, dialect.read)
        todo = changes(dialect.grammar, running, template, line.ask)
        if todo and not check:
            _applied(line, login, dialect, template, todo, running)
        return Configured(bool(todo), shown(todo))
    finally:
        line.close()


def _asked(line: Line, command: str) -> str:
    try:
        return line.ask(command)
    except RefusedError as error:
        raise NotConfiguredError(f"Its configuration could not be read: {error}.") from None


def _applied(
    line: Line,
    login: Callable[[], Line],
    dialect: Dialect,
    template: str,
    todo: Sequence[Change],
    before: str,
) -> None:
    reason = _tried(line, login, dialect, template, todo)
    if not reason:
        return
    line.try_all(taken_back(todo))
    raise NotConfiguredError(f"Not configured: {reason}; {_how_far_back(line, dialect, before)}.")


def _tried(
    line: Line, login: Callable[[], Line], dialect: Dialect, template: str, todo: Sequence[Change]
) -> str:
    """Type the lines and prove them; return why they cannot stay, or nothing once they are saved."""
    try:
        line.send(typed(todo))
        left = changes(dialect.grammar, line.ask(dialect.read), template, line.ask, again=True)
        if left:
            return f"read back, it does not hold {shown(left[:3]).strip()!r}"
        login().close()
        line.save()
    except RefusedError as error:
        return str(error)
    except NotReachedError as error:
        return f"a second login did not work ({str(error).rstrip('.')})"
    return ""


def _how_far_back(line: Line, dialect: Dialect, before: str) -> str:
    """Compare the configuration with what it was before; comments and the order do not count."""
    try:
        after = line.ask(dialect.read)
    except RefusedError:
        return "what was typed may still stand, nothing was saved"
    left = set(dialect.grammar.entries(before)) ^ set(dialect.grammar.entries(after))
    return (
        f"{len(left)} lines could not be taken back, nothing was saved"
        if left
        else "all of it was taken back"
    )
