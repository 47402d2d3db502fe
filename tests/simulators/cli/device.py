"""One simulated device: what it is configured to, who may log in, and in which ways it misbehaves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.simulators.cli.blocks import Blocks
from tests.simulators.cli.dialect import Dialect, dialect
from tests.simulators.cli.going_back import Clock
from tests.simulators.cli.keys import Keys
from tests.simulators.cli.menus import Menus
from tests.simulators.cli.sets import Sets
from tests.simulators.cli.tables import Tables

_SHAPES = {"blocks": Blocks, "menus": Menus, "tables": Tables, "sets": Sets, "keys": Keys}


@dataclass(frozen=True)
class Faults:
    """How a device misbehaves; nothing of it by default.

    `cut_after`: the line is cut after so many characters of a configuration; `stall_after`: it falls silent there.
    `pages_always`: the command that turns the pager off is refused. `begins_in_config`: the session begins in
    configuration mode. `renamed_by`: after this command the prompt is another's. `no_tail`: the
    configuration ends without its end marker. `refuses`: a command that is answered with an error.
    `cut_by`: while this line stands in the configuration, nothing comes through any more (or, with `hangs_up`, who is
    there is thrown out); `shut_by`: nobody new is let in. `knock_s`: how far its clock goes on with each who is not let
    in. `slow_by`: its clock goes on by `knock_s` when this command is typed. `forbids`: what a command begins with that
    the user's policies do not allow.
    """

    cut_after: int | None = None
    stall_after: int | None = None
    pages_always: bool = False
    begins_in_config: bool = False
    renamed_by: str = ""
    no_tail: bool = False
    refuses: tuple[str, ...] = ()
    cut_by: str = ""
    hangs_up: bool = False
    shut_by: str = ""
    knock_s: float = 60.0
    slow_by: str = ""
    forbids: str = ""


class Device:
    """A device with a command line. Its configuration lives as long as the object, whoever logs in."""

    def __init__(
        self,
        make: str,
        text: str,
        *,
        user: str = "noc",
        password: str = "rahasia-noc",
        enable_secret: str = "",
        public_key: str = "",
        faults: Faults | None = None,
        raw: str | None = None,
    ) -> None:
        """`text` is a configuration as the make prints it; with `raw` that is printed, and never changes."""
        self.dialect: Dialect = dialect(make)
        self.user, self.password, self.enable_secret, self.public_key = (
            user,
            password,
            enable_secret,
            public_key,
        )
        self.config = _SHAPES[self.dialect.shape](self.dialect, text)
        self.saved = self.config.lines()
        self.faults = faults or Faults()
        self.raw = raw
        self.changed_at = self.saved_at = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self.changed_by = user
        self.heard: list[str] = []
        self.told: dict[str, str] = {}
        self.logins = 0
        self.clock = Clock(self)

    def hears(self, line: str) -> None:
        """Take note of a line before it is answered."""
        if line == self.faults.slow_by:
            self.clock.passes(self.faults.knock_s)

    def holds(self, line: str) -> bool:
        """Tell whether a line stands in the configuration."""
        return bool(line) and any(one.strip() == line for one in self.config.lines())

    @property
    def host(self) -> str:
        """The host name that the prompt shows."""
        return self.config.host() or "Device"

    def running(self, *, hidden: bool = False) -> list[str]:
        """Return the configuration as `show` prints it now."""
        if self.raw is not None:
            return self.raw.split("\n")
        if isinstance(self.config, Menus):
            return self._framed(self.config.lines(hidden=hidden))
        return self._framed(self.config.lines())

    def startup(self) -> list[str]:
        """Return the configuration that was saved last."""
        return self._framed(self.saved)

    def _framed(self, lines: list[str]) -> list[str]:
        said = {
            "bytes": str(sum(len(line) + 1 for line in lines)),
            "now": f"{datetime.now(UTC):%H:%M:%S UTC %a %b %d %Y}",
            "changed": f"{self.changed_at:%H:%M:%S UTC %a %b %d %Y}",
            "saved": f"{self.saved_at:%H:%M:%S UTC %a %b %d %Y}",
            "host": self.host,
            "user": self.changed_by,
        }
        shown = self.dialect.shown
        tail = [] if self.faults.no_tail else [line.format(**said) for line in shown.tail]
        return [*(line.format(**said) for line in shown.head), *lines, *tail]

    def note_change(self, user: str) -> None:
        """Remember who changed the configuration, and when."""
        self.changed_at, self.changed_by = datetime.now(UTC), user

    def save(self) -> None:
        """Keep the configuration over a restart."""
        self.saved, self.saved_at = self.config.lines(), datetime.now(UTC)


@dataclass
class Where:
    """Where a session is: its mode, and the sections it has entered."""

    mode: str
    path: list = field(default_factory=list)
