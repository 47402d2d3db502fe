"""Configures one network device: reads, compares, types, reads back, logs in anew, saves; or takes it all back.

Nothing is saved on the device before a second login has worked and the configuration read back holds what the
template says. Until then every line can be undone, and is, if one is refused; and where the platform can, the device
itself goes back when its time is over and nobody has called that off (infra/network_proof.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.network import changes, shown
from infra.network_dialects import Dialect
from infra.network_proof import Attempt, Line, NotConfiguredError, prove
from infra.network_session import Access, RefusedError, Session


@dataclass(frozen=True)
class Configured:
    """What became of a device: whether lines were (or would be) typed, and the difference they make."""

    changed: bool
    diff: str


def opener(
    access: Access, dialect: Dialect, secrets: Mapping[str, str], *, quiet: bool = False
) -> Callable[[], Session]:
    """Return what logs in; `quiet` as in Session."""
    return lambda: Session(access, dialect, secrets, quiet=quiet)


def configure(
    login: Callable[[], Line], dialect: Dialect, template: str, *, check: bool, confirm_s: int = 0
) -> Configured:
    """Make the device's configuration hold the template; with `check` only say what that would change.

    `confirm_s`: the seconds after which the device goes back by itself; 0 leaves it no way back of its own.
    Raises NotReachedError, NotConfiguredError, or ValueError for a template that cannot be read.
    """
    line = login()
    try:
        running = _asked(line, dialect.read)
        todo = changes(dialect.grammar, running, template, line.ask)
        attempt = Attempt(line, login, dialect, template, tuple(todo), running, confirm_s)
        said = attempt.way_back if todo and confirm_s else ""
        if todo and not check:
            said = prove(attempt)
        return Configured(bool(todo), said + shown(todo))
    finally:
        line.close()


def _asked(line: Line, command: str) -> str:
    try:
        return line.ask(command)
    except RefusedError as error:
        raise NotConfiguredError(f"Its configuration could not be read: {error}.") from None
