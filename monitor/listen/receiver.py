"""The receiver: a datagram or a line comes in, an event and a wish come out, all else is counted. No sockets here."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from monitor.listen.clocks import clocks
from monitor.listen.event import Event, Kind, Wish, wish_of
from monitor.listen.meaning import Patterns, trap_meaning
from monitor.listen.said import skew_ms
from monitor.listen.sieve import Recent, Sieve
from monitor.listen.sources import Source, Sources, plain
from monitor.listen.syslog import Line, parsed
from monitor.listen.traps import Trap, TrapReader
from monitor.targets import SnmpAuth
from siaga.clock import JAKARTA
from siaga.text import safe


class Receiver:
    """Makes events of what devices send. Nothing is raised for a message, whatever it is.

    `sources` may be replaced at any time, when the inventory has changed. `tally` counts what came and what became of
    it: trap.received, trap.event, trap.refused.WORD, trap.held (by the rate), and the same of syslog, with syslog.other
    for what matched no pattern.
    """

    def __init__(
        self,
        auths: Sequence[SnmpAuth],
        sources: Sources,
        patterns: Patterns,
        *,
        sieve: Sieve,
        now: Callable[[], datetime],
        tell: Callable[[Event], None],
        wish: Callable[[Wish], None] = lambda _: None,
        state: Path | None = None,
        clock_s: Callable[[], float] = time.monotonic,
        zone: str = JAKARTA,
    ) -> None:
        self.sources = sources
        self.tally: Counter[str] = Counter()
        self._heard: Counter[int] = Counter()  # messages of syslog by device, whatever they mean
        self._skews: dict[int, int] = {}  # by how many ms the clock of a device is ahead, by what it said
        self._zone = zone
        self._clocks = clocks(state)
        self._reader = TrapReader(auths, self._clocks)
        self._patterns = patterns
        self._sieve = sieve
        self._now, self._clock_s = now, clock_s
        self._tell, self._wish = tell, wish
        self._again = Recent(window_s=2.0)

    def trap(self, data: bytes, address: str) -> bytes | None:
        """Take one SNMP datagram; return what is to be sent back (an acknowledgement, or a report), if anything."""
        at_s, source = self._clock_s(), plain(address)
        sender = self.sources.find(source)
        if not self._let_in("trap", sender, at_s):
            return None
        read = self._reader.read(data, source, at_s)
        if read.trap is None:
            self.tally[f"trap.refused.{read.refused}"] += 1
        else:
            self._trap(read.trap, source, sender)
        return read.reply

    def syslog(self, data: bytes, address: str) -> None:
        """Take one message of syslog."""
        at_s, source = self._clock_s(), plain(address)
        sender = self.sources.find(source)
        if not self._let_in("syslog", sender, at_s):
            return
        line = parsed(data)
        if line is None:
            self.tally["syslog.refused.garbled"] += 1
            return
        if self._again.again(source.encode() + data[:2000], at_s):
            self.tally["syslog.refused.again"] += 1
            return
        about = self._meant(line.host, source, sender)
        if about is not None:
            self._heard[about.device_id] += 1
            self._clock(data, about.device_id)
        self._line(line, source, about)

    def take_heard(self) -> Mapping[int, int]:
        """Return how many messages of syslog came from each device since this was asked last."""
        heard, self._heard = self._heard, Counter()
        return heard

    def take_skews(self) -> Mapping[int, int]:
        """Return by how many ms the clock of each device that said a time is ahead, since this was asked last."""
        skews, self._skews = self._skews, {}
        return skews

    def keep(self) -> None:
        """Write what must outlive this process, now and then and at the end; what cannot be written is counted."""
        if not self._clocks.keep():
            self.tally["state.not-kept"] += 1

    def _let_in(self, channel: str, sender: Source | None, at_s: float) -> bool:
        self.tally[f"{channel}.received"] += 1
        if sender is None:
            self.tally[f"{channel}.stranger"] += 1
        if self._sieve.lets(sender.device_id if sender else None, at_s):
            return True
        self.tally[f"{channel}.held"] += 1
        return False

    def _clock(self, data: bytes, device_id: int) -> None:
        """Note what a device's clock said; a message that came late tells of no wrong clock, so the nearest counts."""
        found = skew_ms(data, self._now(), self._zone)
        if found is not None and abs(found) <= abs(self._skews.get(device_id, found)):
            self._skews[device_id] = found

    def _meant(self, name: str, source: str, sender: Source | None) -> Source | None:
        """Return the device that a message is about: its sender, or whom a relay speaks for."""
        if name and self.sources.relays_for_others(source):
            return self.sources.named(name) or sender
        return sender

    def _trap(self, trap: Trap, source: str, sender: Source | None) -> None:
        kind, text, details = trap_meaning(trap)
        about = self._meant(trap.address, source, sender)
        channel = "inform" if trap.inform else "trap"
        self._out("trap", channel, kind, source, text, about, details, authentic=trap.authentic)

    def _line(self, line: Line, source: str, about: Source | None) -> None:
        found = self._patterns.meaning(line.text, about.platform if about else "")
        if found is None:
            self.tally["syslog.other"] += 1
            return
        kind, details = found
        self._out("syslog", "syslog", kind, source, safe(line.text, 300), about, details, authentic=False)

    def _out(
        self,
        counted: str,
        channel: str,
        kind: Kind,
        source: str,
        text: str,
        about: Source | None,
        details: tuple[tuple[str, str], ...],
        *,
        authentic: bool,
    ) -> None:
        name, number = (about.name, about.device_id) if about else ("", None)
        event = Event(self._now(), channel, kind, source, text, name, number, details, authentic)
        self.tally[f"{counted}.event"] += 1
        self._tell(event)
        if wish := wish_of(event):
            self._wish(wish)
