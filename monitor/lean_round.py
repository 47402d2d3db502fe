"""The windows of one device, asked one after another, and the rows a device can take at once.

A reply that is short, too big or missing makes the next windows smaller; where names come that were not expected,
the cells are asked for one by one. What was learned of a device stays for the next round; windows made smaller only
because nothing came grow again after some good rounds.
"""

from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import NamedTuple

from monitor import ber
from monitor.lean_peer import Peer
from monitor.observation import Reach
from monitor.snmp_agent import GET_AT_ONCE, Fault, Late, Reply, Status
from monitor.snmp_message import Community, Opened
from monitor.tables import SYS_UPTIME, Oid, Value
from monitor.windows import Layout, Quick, Step, Values, bulk, exact, rows_that_fit

_GROW_AFTER = 16  # good rounds before a window that shrank is tried larger; doubled each time it was in vain
_GROW_AT_MOST = 1024
_APART_TICKS = 1.0  # for each second of a round: windows no hundredth of it apart were read at one time
_TIMES = 16  # of one poll, at most: a device whose clock is nonsense makes no more of them
_WRAP_TICKS = 2**32 - 2**20  # sysUpTime that fell by more has wrapped after 497 days
V2_OCTETS, V3_OCTETS = (
    50,
    150,
)  # of a message beside its varbinds, with a usual community, or user and engine ID
_PROBE = exact((), (), (), 0, 0)  # a GET of sysUpTime alone: is it there at all?


class Polled(NamedTuple):
    """What one device said in one round.

    `values` has the columns of the first index, then those of the second, and so on; None is what is not there or did
    not come. `uptime_ticks` is sysUpTime (hundredths of a second) of the first window; `late` tells of what
    was not read with it. `changed`: rows have come or gone, or the agent started anew, so that the indexes should be
    walked again. `fault` is None if all came.
    """

    peer: Peer
    at_s: float  # when the first window was answered, in the loop's time
    uptime_ticks: int | None
    values: Values
    changed: bool
    fault: Fault | None
    width: int
    late: tuple[Late, ...] = ()

    def rows(self) -> list[Values]:
        """Return the values row by row."""
        width = self.width
        return [self.values[at : at + width] for at in range(0, len(self.values), width or 1)]


class Plan:
    """The requests of a device's poll, and what was learned of what it can take."""

    __slots__ = (
        "bounded", "columns", "fits", "good", "grow_after", "indexes", "lacking", "octets", "rows", "shrank",
        "steps", "use_bulk",
    )  # fmt: skip

    def __init__(
        self, columns: tuple[Oid, ...], indexes: tuple[Oid, ...], octets: int, *, use_bulk: bool
    ) -> None:
        """`octets`: how many the varbinds of one reply may have."""
        self.columns = columns
        self.indexes = indexes
        self.octets = octets
        self.fits = self.rows = rows_that_fit(columns, indexes, octets)  # the most that is tried, and what is
        self.bounded = False  # the device cannot take more, or what it says is larger than it seemed
        self.use_bulk = use_bulk
        self.shrank = False  # because of time-outs alone
        self.lacking = False  # cells that gave an error are left out
        self.good = 0
        self.grow_after = _GROW_AFTER
        self.steps: list[Step] = []
        self.again()

    def again(self, start: int = 0) -> None:
        """Plan anew from a row on."""
        kept = [step for step in self.steps if step.end <= start]
        begin = max((step.end for step in kept), default=0)
        total = len(self.indexes)
        count = -(-(total - begin) // self.rows)
        # Windows of nearly one size: 28 rows at most 5 at once are 5, 5, 5, 5, 4, 4 and not 5, 5, 5, 5, 5, 3.
        for _ in range(count):
            size = -(-(total - begin) // count)
            count -= 1
            kept += self.window(begin, begin + size)
            begin += size
        self.steps = kept

    def window(self, start: int, end: int) -> list[Step]:
        """Return the requests of rows [start, end): one GETBULK, or GETs of the cells."""
        if self.use_bulk:
            before = self.indexes[start - 1] if start else ()
            return [bulk(self.columns, before, self.indexes[start:end], start)]
        return self.cells(range(start * len(self.columns), end * len(self.columns)), start, end)

    def cells(self, cells: Sequence[int], start: int, end: int, size: int = GET_AT_ONCE) -> list[Step]:
        """Return GETs of single cells, the rows of which are [start, end)."""
        parts = [cells[at : at + size] for at in range(0, len(cells), size)]
        return [exact(self.columns, self.indexes, part, start, end) for part in parts]

    def uptime(self, step: Step) -> Step:
        """Return a GET of sysUpTime alone in place of a step whose cells cannot be got."""
        return exact(self.columns, self.indexes, (), step.start, step.end)

    def shrink(self, start: int, rows: int, *, silent: bool = False) -> None:
        """Ask for at most `rows` rows at once from row `start` on; 0 means that GETBULK is no use."""
        self.use_bulk = self.use_bulk and rows > 0
        self.bounded = True
        self.rows = max(1, rows)
        self.shrank = silent
        self.good = 0
        self.again(start)

    def measured(self, octets: int, rows: int) -> None:
        """Take note of how large the varbinds of the largest window were: another number of rows may fit better."""
        if not octets:
            return
        fits = max(1, self.octets * rows // octets)
        if fits == self.rows:
            return
        too_much = octets > self.octets
        fewer = not self.bounded and -(-len(self.indexes) // fits) < len(self.steps)
        if too_much or fewer:
            self.bounded = self.bounded or too_much  # so that it does not go to and fro
            self.fits = self.rows = fits
            self.again()

    def over(self, *, whole: bool) -> None:
        """Take note of a round: now and then a window that shrank is tried larger, and what gave an error again."""
        if not ((self.shrank and whole) or self.lacking):
            return
        self.good += 1
        if self.good >= self.grow_after:
            self.good = 0
            self.grow_after = min(2 * self.grow_after, _GROW_AT_MOST)
            if self.shrank:
                self.rows = min(self.fits, 2 * self.rows)
                self.use_bulk = True
                self.shrank = self.rows < self.fits
            self.lacking = False
            self.again()


class Poll:
    """One device in one round: asks its plan's windows in turn and calls `done` once."""

    __slots__ = (
        "_apart_ticks", "_at", "_at_s", "_changed", "_done", "_fault", "_holes", "_largest", "_late", "_patience_s",
        "_peer", "_plan", "_probed", "_quick", "_rows", "_soon", "_step", "_tries", "_until_s",
        "_uptime", "_values", "_voice", "_wait_s", "_width",
    )  # fmt: skip

    def __init__(
        self,
        peer: Peer,
        plan: Plan,
        quick: Quick,
        done: Callable[[Polled], None],
        *,
        tries: int,
        patience_s: float,
        round_s: float,
    ) -> None:
        """`patience_s`: how long it may take; `round_s`: how long it is from one poll of this device to the next."""
        self._peer = peer
        self._plan = plan
        self._quick = quick
        self._done = done
        self._tries = tries
        self._wait_s = peer.target.timeout_s
        self._patience_s = patience_s
        self._apart_ticks = round_s * _APART_TICKS
        self._until_s = inf  # not known before the first answer
        self._width = len(plan.columns)
        self._holes = False
        self._largest = self._rows = 0  # octets of the varbinds in a window, and of how many rows
        self._probed = False
        self._at = 0
        self._at_s = 0.0
        self._uptime: int | None = None
        self._soon = 0.0  # sysUpTime up to which a window was read at one time with the first
        self._late: tuple[Late, ...] = ()
        self._changed = False
        self._fault: Fault | None = None
        self._values: Values = [None] * (len(plan.indexes) * len(plan.columns))
        self._step = plan.steps[0]

    def begin(self) -> None:
        """Ask the first window when it is this device's turn."""
        self._peer.ask(
            self._step.request,
            self._read,
            self._took,
            tries=self._tries,
            wait_s=self._wait_s,
            window=self._window,
            take=self._whole(),
            queued=True,
        )

    def _ask(self) -> None:
        if self._at >= len(self._plan.steps):
            self._end()
            return
        step = self._step = self._plan.steps[self._at]
        self._peer.go_on(step.request, self._tries, self._wait_s)

    def _whole(self) -> Callable[[bytes, float], bool] | None:
        """Return what takes datagrams as they come; None where they are sealed."""
        if not isinstance(self._peer.voice, Community):
            return None
        self._voice = self._peer.voice
        if self._quick is Layout.by_c:
            return self._compiled
        return self._alike if self._quick is Layout.by_pattern else None

    def _compiled(self, data: bytes, now_s: float) -> bool:
        """Take a datagram that is a window as expected, by the C parser, which reads the whole of it at once."""
        step = self._step
        if step.compiled is None or now_s > self._until_s:
            return False
        number, lead = self._peer.number, self._voice.lead
        uptime = step.compiled.message(data, lead, number, self._values, step.first)
        if uptime is None:
            return False
        self._go_on(uptime, len(data) - V2_OCTETS, now_s)
        return True

    def _alike(self, data: bytes, now_s: float) -> bool:
        """Do the same by patterns, for a message that is as one read before up to its varbinds."""
        size, step = len(data), self._step
        layout, shape = step.layout, self._voice.shapes.get(size)
        if layout is None or shape is None or now_s > self._until_s:
            return False
        before, after, start = shape
        if not data.startswith(before + self._peer.number + after):
            return False
        uptime = layout.by_pattern(data, start, size, self._values, step.first)
        if uptime is None:
            return False
        self._go_on(uptime, size - V2_OCTETS, now_s)
        return True

    def _window(self, opened: Opened, now_s: float) -> bool:
        """Take a window that is as expected, and ask for the next; False for any other answer."""
        data, status, _, start, end = opened
        step = self._step
        if step.layout is None or status or now_s > self._until_s:
            return False
        uptime = self._quick(step.layout, data, start, end, self._values, step.first)
        if uptime is None:
            return False
        self._go_on(uptime, end - start, now_s)
        return True

    def _go_on(self, uptime: int, octets: int, now_s: float) -> None:
        """Ask for the next window after one that was as expected.

        This is the way of hundred thousands of answers a minute, so it is written out.
        """
        if octets > self._largest:
            self._largest, self._rows = octets, self._step.end - self._step.start
        steps, peer = self._plan.steps, self._peer
        if self._uptime is None:
            self._began(uptime, now_s)
            self._until_s = now_s + self._patience_s
        elif not self._uptime <= uptime <= self._soon:
            self._apart(self._uptime, uptime, range(self._step.first, self._step.end * self._width), now_s)
        self._at = at = self._at + 1
        if at < len(steps) and not peer.muddy and peer.limit is None:
            self._step = step = steps[at]
            peer.at_once(step.request, now_s)
        else:
            peer.told(None)

    def _read(self, opened: Opened) -> Reply:
        """Return the reply that is no window as expected; raises Malformed."""
        data, status, index, start, end = opened
        return Reply(tuple(ber.varbinds(data, start, end)), status, index)

    def _took(self, found: Fault | Reply | None) -> None:
        """Go on after an answer: None is a window that was taken."""
        now_s = self._peer.wire.now_s
        if now_s > self._until_s:
            self._too_long()
            return
        self._until_s = min(self._until_s, now_s + self._patience_s)
        if found is None:
            self._ask()
        elif isinstance(found, Fault):
            self._failed(found)
        else:
            self._odd(found)

    def _began(self, uptime: int, now_s: float) -> None:
        """Take note of the first sysUpTime."""
        self._at_s, self._uptime, self._peer.heard = now_s, uptime, True
        self._soon = uptime + self._apart_ticks

    def _apart(self, first: int, uptime: int, cells: Iterable[int], now_s: float) -> None:
        """Take note of cells that came with a sysUpTime which is not about the first one."""
        if uptime < first and first - uptime < _WRAP_TICKS:
            self._changed = True
            self._fault = self._fault or Fault(Reach.partial, "The device restarted while it was read.")
        elif (uptime - first) % 2**32 <= self._apart_ticks:
            return  # it wrapped meanwhile
        late = self._late
        last = late[-1] if late else None
        near = last and 0 <= uptime - last.uptime_ticks <= self._apart_ticks
        if last and (near or len(late) == _TIMES):
            self._late = (*late[:-1], last._replace(cells=last.cells.union(cells)))
        else:
            self._late = (*late, Late(frozenset(cells), now_s - self._at_s, uptime))

    def _too_long(self) -> None:
        """Give up on a device that answers, but so slowly that the next round is due."""
        self._fault = Fault(Reach.partial, f"Reading took longer than {self._patience_s:.0f} s.")
        self._end()

    def _failed(self, fault: Fault) -> None:
        """Look whether it is the window that stays without an answer, or the device; keep what came before."""
        if (
            fault.reach is Reach.silent
            and self._step.layout is not None
            and self._tries > 1
            and not self._probed
        ):
            self._probed = True
            self._fault = fault
            self._step = _PROBE
            self._peer.go_on(_PROBE.request, 1, self._wait_s)
            return
        if self._step is _PROBE and self._fault is not None:
            fault, self._fault = self._fault, None
        if self._uptime is not None:
            reason = f"The device stopped answering in the middle. {fault.reason}"
            self._fault = Fault(Reach.partial, reason)
        else:
            self._fault = fault
        self._end()

    def _go_smaller(self) -> None:
        """The device is there, so its window was too much: ask for half, and if that was in vain too, by GET."""
        plan = self._plan
        start = plan.steps[self._at].start
        plan.shrink(start, 0 if plan.shrank else plan.rows // 2, silent=True)
        self._probed = False
        self._fault = None
        self._ask()

    def _odd(self, reply: Reply) -> None:
        """Take a reply that is not what a good window looks like."""
        if self._step is _PROBE:
            self._go_smaller()
        elif self._step.layout is None:
            self._take_cells(reply)
        elif reply.status == Status.too_big:
            self._plan.shrink(self._step.start, (self._step.end - self._step.start) // 2)
            self._ask()
        elif reply.status:
            self._one_by_one()
        else:
            self._take_rows(reply)

    def _take_rows(self, reply: Reply) -> None:
        """Take the whole rows that came as expected; ask on where a reply was cut, cell by cell where it differs."""
        step, width = self._step, self._width
        assert step.layout is not None
        names = step.layout.names()
        got = [name for name, _ in reply.varbinds]
        same = next(
            (i for i, (a, b) in enumerate(zip(got, names, strict=False)) if a != b), min(len(got), len(names))
        )
        rows = max(0, same - 1) // width
        if same < len(got):
            self._changed = self._changed or self._is_new(got[same])
            self._one_by_one()
            return
        self._holes = True
        if got:
            self._note_uptime(reply.varbinds[0][1], range(step.first, step.first + rows * width))
        cells = [v for _, v in reply.varbinds[1 : 1 + rows * width]]
        self._values[step.first : step.first + rows * width] = cells
        if step.start + rows < step.end:
            self._plan.steps[self._at : self._at + 1] = (
                self._plan.window(step.start, step.start + rows) if rows else []
            )
            self._plan.shrink(step.start + rows, rows or (step.end - step.start) // 2)
        if rows:
            self._at += 1
        self._ask()

    def _is_new(self, name: Oid) -> bool:
        """Tell whether a name is a row of our columns that nobody told us of."""
        return any(
            name[: len(column)] == column and name[len(column) :] not in self._plan.indexes
            for column in self._plan.columns
        )

    def _one_by_one(self) -> None:
        """Ask for the cells of this window instead, now and in the rounds to come."""
        step, width = self._step, self._width
        cells = range(step.start * width, step.end * width)
        self._plan.steps[self._at : self._at + 1] = self._plan.cells(cells, step.start, step.end)
        self._ask()

    def _take_cells(self, reply: Reply) -> None:
        step = self._step
        if reply.status:
            self._mend_cells(reply)
            return
        self._holes = True
        seen = dict(reply.varbinds)
        self._note_uptime(seen.get(SYS_UPTIME), step.cells)
        for cell, name in zip(step.cells, step.names[1:], strict=True):
            self._values[cell] = seen.get(name)
        self._at += 1
        self._ask()

    def _mend_cells(self, reply: Reply) -> None:
        """Ask for fewer cells, or without the one that the device cannot give (v1: noSuchName)."""
        step, plan = self._step, self._plan
        cells = list(step.cells)
        smaller: list[Step] = []
        if reply.status == Status.too_big and len(cells) > 1:
            smaller = plan.cells(cells, step.start, step.end, (len(cells) + 1) // 2)
        else:
            at = reply.index - 2  # the first is sysUpTime
            if 0 <= at < len(cells):
                del cells[at]
            else:
                cells = []
                self._fault = self._fault or Fault(
                    Reach.partial, f"The device answered error {reply.status}."
                )
            plan.lacking = True
            if cells or (step.cells and len(plan.steps) == 1):  # if nothing is left, sysUpTime alone
                smaller = plan.cells(cells, step.start, step.end) or [plan.uptime(step)]
        plan.steps[self._at : self._at + 1] = smaller
        self._ask()

    def _note_uptime(self, value: Value | None, cells: Iterable[int]) -> None:
        if not isinstance(value, int):
            return
        if self._uptime is None:
            self._began(value, self._peer.wire.now_s)
        elif not self._uptime <= value <= self._soon:
            self._apart(self._uptime, value, cells, self._peer.wire.now_s)

    def _end(self) -> None:
        plan, width = self._plan, len(self._plan.columns)
        plan.over(whole=self._fault is None)
        if self._fault is None:
            plan.measured(self._largest, self._rows)
            self._changed = self._changed or self._has_gone(width)
        values, changed, fault = self._values, self._changed, self._fault
        self._values = []  # the peer keeps this object until the next round; the values are the caller's
        self._done(Polled(self._peer, self._at_s, self._uptime, values, changed, fault, width, self._late))

    def _has_gone(self, width: int) -> bool:
        """Tell whether a row of which every cell was asked for is not there at all."""
        values = self._values
        return self._holes and any(
            not any(v is not None for v in values[at : at + width]) for at in range(0, len(values), width)
        )
