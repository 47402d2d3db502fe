"""How a device is asked: GET and walks of columns over one exchange of PDUs, patient with what agents do wrong.

The exchange (pysnmp's today, see snmp.py) sends one PDU and returns its answer or raises Trouble. Here live
the rules: fewer rows after tooBig or a lost reply, GETNEXT where GETBULK does not work, walks that do not
increase or do not end are stopped, and a device that stops answering leaves what came before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol

from monitor.observation import Reach
from monitor.tables import SYS_UPTIME, Oid, Value, chunks, dotted, is_scalar

BUDGET = 60  # varbinds in one reply: about 1.2 kB, which passes an MTU of 1500 (RFC 3417 asks for 1472 bytes)
GET_AT_ONCE = 24
MOST_ROWS = 25
WALK_CAP = 60_000  # varbinds of one walk: 15 columns of 4,000 interfaces
# What a varbind may take in memory before it counts for more than one: a name of 28 arcs, or a value of as many octets.
_VARBIND_BYTES = 1024
_ARC_BYTES = 36


class Kind(IntEnum):
    """The requests that read (RFC 3416)."""

    get = 0
    getnext = 1
    getbulk = 5


class Status(IntEnum):
    """error-status values that change what is asked next (RFC 3416, section 3)."""

    no_error = 0
    too_big = 1
    no_such_name = 2
    gen_err = 5
    authorization_error = 16


@dataclass(frozen=True)
class Fault:
    """Why reading stopped or was not complete: a reach and one sentence."""

    reach: Reach
    reason: str


class Trouble(Exception):  # noqa: N818 - not an error of the program but what a device did
    """One exchange brought no answer that can be used."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


@dataclass(frozen=True)
class Request:
    """One PDU to send. `rows` is max-repetitions; the exchange asks for fewer each time it must ask again."""

    kind: Kind
    oids: tuple[Oid, ...]
    rows: int = 1


@dataclass(frozen=True)
class Reply:
    """One PDU that came: None in place of a value is noSuchObject, noSuchInstance or endOfMibView."""

    varbinds: tuple[tuple[Oid, Value | None], ...] = ()
    status: int = 0
    index: int = 0
    tries: int = 1


class Exchange(Protocol):
    """Sends one request, repeats it when nothing comes, returns the reply or raises Trouble."""

    bulk: bool

    async def ask(self, request: Request, tries: int | None = None) -> Reply:
        """Return the reply; raises Trouble."""


@dataclass(frozen=True)
class Answer:
    """What was read, and the fault that ended it early, if any."""

    seen: dict[Oid, Value] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass(frozen=True)
class Windowed:
    """The cells of a table at known rows, and sysUpTime (hundredths of a second) with them.

    `rows` are in the order of the indexes asked for, each with its columns in the order asked for; None is what is
    not there or did not come. `changed`: rows have come or gone, and the table should be walked again.
    """

    rows: list[list[Value | None]]
    uptime_ticks: int | None = None
    changed: bool = False
    fault: Fault | None = None


class Late(NamedTuple):
    """Cells of a poll that were read at another time than its first window: a device was slow, or asked again.

    `cells` are the places of their values, `after_s` is how long after the first window they were read.
    """

    cells: frozenset[int]
    after_s: float
    uptime_ticks: int


class Agent(Protocol):
    """A device that can be read and never written; every engine (lean, pysnmp, a recording) is one of these."""

    async def get(self, oids: Sequence[Oid]) -> Answer:
        """Return the instances that exist."""

    async def peek(self, branches: Sequence[Oid]) -> Answer:
        """Return the first instance in each branch that has any."""

    async def walk(self, columns: Sequence[Oid]) -> Answer:
        """Return all rows of columns of one table."""

    async def windows(self, columns: Sequence[Oid], indexes: Sequence[Oid]) -> Windowed:
        """Return the cells of known rows."""


def windowed(answer: Answer, columns: Sequence[Oid], indexes: Sequence[Oid]) -> Windowed:
    """Return what a GET of the cells and of sysUpTime brought as windows; a row with nothing in it has gone."""
    rows = [[answer.seen.get((*column, *index)) for column in columns] for index in indexes]
    uptime = answer.seen.get(SYS_UPTIME)
    gone = answer.fault is None and any(all(cell is None for cell in row) for row in rows)
    return Windowed(rows, uptime if isinstance(uptime, int) else None, gone, answer.fault)


class PoliteAgent:
    """An Agent over an Exchange; it remembers for the session how much the device can take at once."""

    def __init__(self, exchange: Exchange, cap: int = WALK_CAP) -> None:
        self._exchange = exchange
        self._cap = cap
        self._budget = BUDGET

    async def get(self, oids: Sequence[Oid]) -> Answer:
        """Return the instances that exist, asked in pieces; a fault keeps what came before it."""
        seen: dict[Oid, Value] = {}
        for some in chunks(list(oids), GET_AT_ONCE):
            try:
                await self._get_some(some, seen)
            except Trouble as trouble:
                return Answer(seen, trouble.fault)
        return Answer(seen)

    async def windows(self, columns: Sequence[Oid], indexes: Sequence[Oid]) -> Windowed:
        """Return the cells of known rows by GETs of each; an engine that knows a quicker way has its own."""
        cells = [(*column, *index) for index in indexes for column in columns]
        return windowed(await self.get([SYS_UPTIME, *cells]), columns, indexes)

    async def _get_some(self, oids: list[Oid], seen: dict[Oid, Value]) -> None:
        """Ask for all; leave out the one an error points at (v1 does so for each absent one), halve if too big."""
        while oids:
            reply = await self._exchange.ask(Request(Kind.get, tuple(oids)))
            if reply.status == Status.no_error:
                seen.update((o, v) for o, v in reply.varbinds if v is not None and o in oids)
                return
            if reply.status == Status.too_big and len(oids) > 1:
                half = len(oids) // 2
                await self._get_some(oids[:half], seen)
                oids = oids[half:]
            elif reply.status == Status.authorization_error:
                raise Trouble(
                    Fault(Reach.refused, "The device refused access to what was asked (authorizationError).")
                )
            else:
                at = reply.index - 1 if 0 < reply.index <= len(oids) else 0
                oids = oids[:at] + oids[at + 1 :]

    async def peek(self, branches: Sequence[Oid]) -> Answer:
        """Return the first instance in each branch that has any: one GETNEXT, in halves if that is too big."""
        seen: dict[Oid, Value] = {}
        left = list(branches)
        try:
            while left:
                reply = await self._exchange.ask(Request(Kind.getnext, tuple(left)))
                if reply.status == Status.no_error:
                    pairs = list(zip(left, reply.varbinds, strict=False))
                    seen.update((got, v) for b, (got, v) in pairs if v is not None and got[: len(b)] == b)
                    left = left[len(pairs) :] if pairs else []  # a short reply leaves some to be asked again
                    continue
                if reply.status == Status.too_big and len(left) > 1:
                    answers = [await self.peek(half) for half in chunks(left, (len(left) + 1) // 2)]
                    seen |= {o: v for answer in answers for o, v in answer.seen.items()}
                    return Answer(seen, next((a.fault for a in answers if a.fault), None))
                del left[reply.index - 1 if 0 < reply.index <= len(left) else 0]
        except Trouble as trouble:
            return Answer(seen, trouble.fault)
        return Answer(seen)

    async def walk(self, columns: Sequence[Oid]) -> Answer:
        """Return all rows of the columns, asked side by side; scalars among them are simply got."""
        scalars = [c for c in columns if is_scalar(c)]
        walk = _Walk([c for c in columns if not is_scalar(c)], self._cap)
        try:
            if scalars:
                await self._get_some(scalars, walk.seen)
            while walk.open:
                await self._step(walk)
        except Trouble as trouble:
            return Answer(walk.seen, trouble.fault)
        return Answer(walk.seen, walk.fault)

    async def _step(self, walk: "_Walk") -> None:
        asked = list(walk.open)[: self._budget]
        rows = max(1, min(MOST_ROWS, self._budget // len(asked)))
        kind = Kind.getbulk if self._exchange.bulk else Kind.getnext
        cursors = tuple(walk.open[c] for c in asked)
        reply = await self._ask(Request(kind, cursors, rows))
        if reply.tries > 1:
            self._budget = max(1, self._budget // 2)
        if reply.status != Status.no_error:
            self._mend(walk, asked, reply, len(asked) * (rows if kind is Kind.getbulk else 1))
        else:
            walk.take(asked, reply.varbinds)

    async def _ask(self, request: Request) -> Reply:
        """Ask; a GETBULK that stays without an answer, where a GETNEXT gets one, ends the use of GETBULK."""
        try:
            return await self._exchange.ask(request)
        except Trouble as trouble:
            if request.kind is not Kind.getbulk or trouble.fault.reach is not Reach.silent:
                raise
            try:
                reply = await self._exchange.ask(Request(Kind.getnext, request.oids), tries=1)
            except Trouble:
                raise trouble from None
            self._exchange.bulk = False
            return reply

    def _mend(self, walk: "_Walk", asked: list[Oid], reply: Reply, size: int) -> None:
        """Change what is asked after an error-status: fewer varbinds, or without the column it points at."""
        if reply.status == Status.too_big and size > 1:
            self._budget = size // 2
            return
        column = asked[reply.index - 1] if 0 < reply.index <= len(asked) else asked[0]
        del walk.open[column]
        if reply.status == Status.too_big:
            walk.note(f"One value below {dotted(column)} is too big for the device to send.")
        elif reply.status == Status.authorization_error:
            walk.note(f"The device refused access to {dotted(column)}.")
        elif reply.status != Status.no_such_name:
            walk.note(f"The device answered error {reply.status} below {dotted(column)}.")


def _weight(name: Oid, value: Value | None) -> int:
    """Return for how many varbinds one counts: a walk of large ones shall not fill the memory."""
    octets = len(value) if isinstance(value, bytes | tuple) else 0
    return 1 + (len(name) * _ARC_BYTES + octets) // _VARBIND_BYTES


class _Walk:
    """The state of one walk: where each column stands, and what came."""

    def __init__(self, columns: list[Oid], cap: int) -> None:
        self.open: dict[Oid, Oid] = {c: c for c in columns}
        self.seen: dict[Oid, Value] = {}
        self.fault: Fault | None = None
        self._left = cap

    def note(self, sentence: str) -> None:
        """Remember the first thing that was wrong."""
        self.fault = self.fault or Fault(Reach.partial, sentence)

    def take(self, asked: list[Oid], varbinds: Sequence[tuple[Oid, Value | None]]) -> None:
        """Put the varbinds (row by row, one of each column asked) where they belong, and close what ended."""
        if not varbinds:
            self._close_all(asked, "The device answered a walk with nothing in it.")
        for position, (got, value) in enumerate(varbinds):
            column = asked[position % len(asked)]
            if column in self.open:
                self._take_one(column, got, value)
        self._left -= sum(_weight(name, value) for name, value in varbinds)
        if self._left <= 0 and self.open:
            self._close_all(asked, f"A walk did not end: stopped below {dotted(asked[0])}.")

    def _take_one(self, column: Oid, got: Oid, value: Value | None) -> None:
        if value is None or got[: len(column)] != column:
            del self.open[column]
        elif got <= self.open[column]:
            del self.open[column]
            self.note(f"A walk did not increase: stopped at {dotted(got)}.")
        else:
            self.seen[got] = value
            self.open[column] = got

    def _close_all(self, columns: list[Oid], sentence: str) -> None:
        for column in columns:
            self.open.pop(column, None)
        self.note(sentence)
