"""The lean engine as siaga uses it: agents for walks, and rounds of windows over thousands of devices.

It speaks v1, v2c and v3 with MD5, SHA-1 and SHA-2, DES and AES-128; `speaks` tells. What it does not speak is
pysnmp's part (snmp_pysnmp.py); snmp.py chooses.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import inf
from typing import NamedTuple

from monitor import ber, usm
from monitor.engine_book import EngineBook
from monitor.lean import Wire
from monitor.lean_peer import Peer, numeric
from monitor.lean_round import V2_OCTETS, V3_OCTETS, Plan, Poll, Polled
from monitor.lean_waiting import Address, Tally
from monitor.observation import Reach
from monitor.snmp_agent import Fault, PoliteAgent, Reply, Request, Trouble, Windowed
from monitor.snmp_message import Community, Opened, Template, Voice, template
from monitor.tables import Oid, Value
from monitor.targets import SnmpAuth, SnmpVersion, Target
from monitor.windows import HAS_C, quick_reader
from siaga.settings import Poll as Asking

# One device may take this long; a slow trickle of good answers is no reason to wait longer.
PATIENCE_S = 300.0
_AT_ONCE = 128  # devices that begin before the loop has its turn


def speaks(auth: SnmpAuth) -> bool:
    """Tell whether the lean engine knows the protocols of this credential."""
    if auth.version is not SnmpVersion.v3:
        return True
    return auth.auth_protocol in ("", *usm.AUTH) and auth.priv_protocol in ("", *usm.PRIV)


class Wanted(NamedTuple):
    """One device of a round: its columns and the indexes of its rows. `down`: it was silent before; one probe.

    `round_s`: how long it is to its next round, where that is sooner than for all.
    """

    target: Target
    columns: tuple[Oid, ...]
    indexes: tuple[Oid, ...]
    down: bool = False
    round_s: float = inf


@dataclass(frozen=True)
class RoundTally:
    """What a round took: devices that answered and that did not, seconds, and what the wire counted."""

    answered: int
    silent: int
    took_s: float
    wire: Tally


class Lean:
    """The engine. `async with` opens it in the running loop; what it learned of devices stays when that ends."""

    def __init__(
        self, asking: Asking | None = None, book: EngineBook | None = None, parser: str = ""
    ) -> None:
        """`parser` is `pure` or `c`; by default c if it was built. Raises ValueError for `c` if it was not."""
        self.asking = asking or Asking()
        self.book = book or EngineBook()
        self._quick = quick_reader(parser or ("c" if HAS_C else "pure"))
        self._wire: Wire | None = None
        self._users = 0
        self._communities: dict[tuple[int, bytes], Community] = {}
        self._v3: dict[SnmpAuth, usm.User] = {}
        self._engines: dict[tuple[str, int, SnmpAuth], usm.Engine] = {}
        self._peers: dict[tuple[str, int], Peer] = {}  # with the plans of their rounds

    async def __aenter__(self) -> "Lean":
        self._users += 1
        if self._wire is None:
            self._wire = Wire(self.asking.window)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users and self._wire is not None:
            self._wire.close()
            self._wire = None
            self._remember()

    @property
    def tally(self) -> Tally:
        """What the wire counted since it was opened."""
        return self._open_wire().tally

    def _open_wire(self) -> Wire:
        if self._wire is None:
            raise RuntimeError("the lean engine is used outside its `async with`")
        return self._wire

    def peer(self, target: Target, address: Address | None = None) -> Peer:
        """Return the device with a question of its own; raises Trouble without a credential, address or protocol.

        What is known of the device's SNMPv3 engine is shared; at one address one question is open at a time.
        """
        wire = self._open_wire()
        if target.snmp is None:
            raise Trouble(Fault(Reach.refused, f"No SNMP credential is recorded for {target.name}."))
        address = address or numeric(target.address, target.snmp_port)
        if address is None:
            raise Trouble(Fault(Reach.silent, f"There is no way to {target.address}: no IP address."))
        peer = Peer(target, address, self._voice(target, target.snmp, wire), wire)
        peer.limit = wire.bucket(target.site, self.asking.site_pdus_per_s) if target.site else None
        return peer

    def _polled(self, target: Target) -> Peer:
        """Return the peer that is kept for a device's rounds; another if it is just being asked."""
        key = target.address, target.snmp_port
        peer = self._peers.get(key)
        if peer is None or peer.target is not target or peer.wire is not self._wire:
            known = peer
            peer = self.peer(target)
            if known is not None and known.target.snmp == target.snmp:
                peer.plan = known.plan
            self._peers[key] = peer
        return peer if not peer.busy else self.peer(target)

    def _voice(self, target: Target, auth: SnmpAuth, wire: Wire) -> Voice:
        if auth.version is not SnmpVersion.v3:
            version = 0 if auth.version is SnmpVersion.v1 else 1
            key = version, auth.community.get_secret_value().encode()
            if key not in self._communities:
                self._communities[key] = Community(*key)
            return self._communities[key]
        known = target.address, target.snmp_port, auth
        if known in self._engines:
            return self._engines[known]
        try:
            if auth not in self._v3:
                self._v3[auth] = usm.user(auth)
            engine = usm.Engine(self._v3[auth])
        except ValueError as error:
            raise Trouble(Fault(Reach.refused, str(error))) from None
        self.book.introduce(engine, target, wire.time())
        self._engines[known] = engine
        return engine

    def _remember(self) -> None:
        now_s = time.monotonic()  # the loop's clock
        for (address, port, auth), engine in self._engines.items():
            self.book.note(engine, Target("", address, snmp_port=port, snmp=auth), now_s)
        self.book.save()

    async def exchange(self, target: Target) -> "LeanExchange":
        """Return an Exchange with the device, whose name is looked up if it has one; raises Trouble."""
        address = numeric(target.address, target.snmp_port)
        if address is None:
            address = await _looked_up(target)
        return LeanExchange(self.peer(target, address))

    def poll(self, wanted: Wanted, done: Callable[[Polled], None]) -> Peer:
        """Ask one device's windows; `done` is called once, unless the peer that is returned is told to abandon.

        Raises Trouble as `peer` does, and for rows that have no names.
        """
        peer = self._polled(wanted.target)
        if not (wanted.columns and wanted.indexes):
            cells: list[Value | None] = []
            done(Polled(peer, 0.0, None, cells, changed=False, fault=None, width=len(wanted.columns)))
            return peer
        plan = peer.plan
        if plan is None or plan.columns != wanted.columns or plan.indexes != wanted.indexes:
            try:
                plan = peer.plan = self._plan(wanted)
            except ValueError:
                raise Trouble(Fault(Reach.garbage, "The device has rows whose names are too long.")) from None
        if not plan.steps:  # every one gave an error; perhaps not now
            plan.again()
        tries = 1 if wanted.down else wanted.target.retries + 1
        patience_s = float(self.asking.interval_s)
        round_s = min(patience_s, wanted.round_s)
        Poll(peer, plan, self._quick, done, tries=tries, patience_s=patience_s, round_s=round_s).begin()
        return peer

    def _plan(self, wanted: Wanted) -> Plan:
        auth = wanted.target.snmp
        v3 = auth is not None and auth.version is SnmpVersion.v3
        octets = self.asking.reply_bytes - (V3_OCTETS if v3 else V2_OCTETS)
        use_bulk = auth is not None and auth.version is not SnmpVersion.v1
        return Plan(wanted.columns, wanted.indexes, octets, use_bulk=use_bulk)

    async def round_of(
        self,
        devices: Sequence[Wanted],
        done: Callable[[Wanted, Polled | Fault], None],
        *,
        spread_s: float = 0.0,
    ) -> RoundTally:
        """Poll all devices once; `done` is called for each as it is ready. What it raises ends the round.

        With `spread_s` each begins at its own time within so many seconds, always the same for the same name.
        """
        wire = self._open_wire()
        loop = asyncio.get_running_loop()
        began_s = wire.time()
        over: asyncio.Future[None] = loop.create_future()
        left = len(devices)
        answered = 0
        peers: list[Peer] = []
        later: list[asyncio.TimerHandle] = []

        def finish(wanted: Wanted, polled: Polled | Fault) -> None:
            nonlocal left, answered
            left -= 1
            answered += isinstance(polled, Polled) and polled.uptime_ticks is not None
            try:
                done(wanted, polled)
            except BaseException as error:  # noqa: BLE001 - handed to who awaits the round
                if not over.done():
                    over.set_exception(error)
            if not left and not over.done():
                over.set_result(None)

        def begin(wanted: Wanted) -> None:
            try:
                peers.append(self.poll(wanted, lambda polled: finish(wanted, polled)))
            except Trouble as trouble:
                finish(wanted, trouble.fault)

        # Who was silent before takes longest and is asked first, so that the others are done meanwhile.
        try:
            for count, wanted in enumerate(sorted(devices, key=lambda wanted: not wanted.down)):
                if spread_s:
                    later.append(loop.call_later(spread_s * share(wanted.target.name), begin, wanted))
                else:
                    begin(wanted)
                if count % _AT_ONCE == _AT_ONCE - 1:
                    await asyncio.sleep(0)  # what came meanwhile is read
            if devices:
                await over
        finally:
            if left:  # cancelled, or `done` raised: nobody is asked any more
                _call_off(later, peers)
        return RoundTally(answered, len(devices) - answered, wire.time() - began_s, wire.tally)


def _call_off(later: Iterable[asyncio.TimerHandle], peers: Iterable[Peer]) -> None:
    for handle in later:
        handle.cancel()
    for peer in peers:
        if peer.busy:
            peer.abandon()


def share(name: str) -> float:
    """Return where in an interval a device's turn is: 0 up to 1, even over names, always the same for one name."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") / 2**64


async def _looked_up(target: Target) -> Address:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.address, target.snmp_port)
    except (OSError, UnicodeError) as error:
        raise Trouble(Fault(Reach.silent, f"There is no way to {target.address}: {error}.")) from None
    address: Address = found[0][4]  # type: ignore[assignment]  # of an Internet family
    return address


class LeanExchange:
    """An Exchange (snmp_agent.py) over the lean engine: one question at a time, smaller with each try."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._target = peer.target
        self._until_s = peer.wire.time() + PATIENCE_S
        auth = peer.target.snmp
        self.bulk = auth is not None and auth.version is not SnmpVersion.v1

    async def ask(self, request: Request, tries: int | None = None) -> Reply:
        """Return the reply; raises Trouble (silent, refused or garbage)."""
        if self._peer.wire.time() > self._until_s:
            raise Trouble(Fault(Reach.silent, f"Reading took longer than {PATIENCE_S:.0f} s."))
        try:
            made = template(request.kind, request.oids, request.rows)
        except ValueError:
            raise Trouble(
                Fault(Reach.garbage, "The device gave a name that cannot be asked for again.")
            ) from None
        found = await self._answer(request, made, tries or self._target.retries + 1)
        if isinstance(found, Fault):
            raise Trouble(found)
        return replace(found, tries=self._peer.tries)

    async def _answer(self, request: Request, made: Template, tries: int) -> Reply | Fault:
        answer: asyncio.Future[Reply | Fault] = asyncio.get_running_loop().create_future()

        def done(found: Reply | Fault) -> None:
            if not answer.done():
                answer.set_result(found)

        def smaller(tried: int) -> Template:
            return template(request.kind, request.oids, max(1, request.rows >> tried))

        wait_s = self._target.timeout_s
        self._peer.ask(made, _reply, done, tries=tries, wait_s=wait_s, smaller=smaller)
        try:
            return await answer
        finally:
            if answer.cancelled():
                self._peer.abandon()


def _reply(opened: Opened) -> Reply:
    data, status, index, start, end = opened
    return Reply(tuple(ber.varbinds(data, start, end)), status, index)


class LeanAgent(PoliteAgent):
    """The polite walker over the lean engine, with windows that are one GETBULK for several rows."""

    def __init__(self, exchange: LeanExchange, engine: Lean, target: Target) -> None:
        super().__init__(exchange)
        self._engine = engine
        self._target = target

    async def windows(self, columns: Sequence[Oid], indexes: Sequence[Oid]) -> Windowed:
        """Return the cells of known rows; what the device can take at once is remembered for the next time."""
        came: asyncio.Future[Polled] = asyncio.get_running_loop().create_future()

        def done(polled: Polled) -> None:
            if not came.done():
                came.set_result(polled)

        try:
            peer = self._engine.poll(wanted_of(self._target, columns, indexes), done)
        except Trouble as trouble:
            return Windowed([[None] * len(columns) for _ in indexes], fault=trouble.fault)
        try:
            polled = await came
        finally:
            if came.cancelled():
                peer.abandon()
        return Windowed(polled.rows(), polled.uptime_ticks, polled.changed, polled.fault)


def wanted_of(
    target: Target,
    columns: Iterable[Oid],
    indexes: Iterable[Oid],
    *,
    down: bool = False,
    round_s: float = inf,
) -> Wanted:
    """Return what a round asks of a device."""
    return Wanted(target, tuple(columns), tuple(indexes), down, round_s)
