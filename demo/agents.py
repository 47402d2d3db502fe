"""The simulated SNMP agents: one UDP socket each on 127.77.x.y, all in one event loop, without root.

How an agent behaves (up, down, slow, lossy, cut) is apart from what it answers (see demo.respond).
"""

import asyncio
import errno
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Protocol

from demo.ber import Oid
from demo.respond import Agent
from siaga.errors import SiagaError

_BATCH = 64  # datagrams taken from one socket before the next socket has its turn


class Mood(StrEnum):
    """How an agent behaves.

    up     it answers
    down   nothing listens at its address
    slow   it answers after `delay_s`
    lossy  it drops the share `loss` of the requests
    cut    it answers, but falls silent when a walk gets as far as `beyond`
    """

    up = "up"
    down = "down"
    slow = "slow"
    lossy = "lossy"
    cut = "cut"


@dataclass(frozen=True)
class Behaviour:
    """A mood and its measure; only the field that the mood names is used."""

    mood: Mood = Mood.up
    delay_s: float = 0.0
    loss: float = 0.0
    beyond: Oid = (1, 3, 6, 1, 2, 1, 31)


class Answering(Protocol):
    """What stands behind a socket: bytes in, bytes or nothing out."""

    def answer(self, data: bytes, at_s: float) -> bytes | None:
        """Return the answer to one datagram at `at_s` seconds after the start."""


@dataclass(frozen=True)
class Served:
    """One agent to serve: where, what, and how it behaves."""

    name: str
    address: str
    agent: Answering
    behaviour: Behaviour = Behaviour()


class Agents:
    """The open sockets of all agents; made by `serve`, ended by `close`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests = 0
        self.answers = 0
        self._sockets: list[socket.socket] = []
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()

    def clock(self) -> float:
        """Return the seconds since the simulation began."""
        return self._loop.time() - self._start

    def open(self, served: Served, seed: int) -> None:
        """Open one agent's socket; one that is down gets none."""
        if served.behaviour.mood is Mood.down:
            return
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sockets.append(sock)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        sock.bind((served.address, self.port))
        self.port = self.port or sock.getsockname()[1]
        draw = Random(f"{seed}:{served.name}")  # noqa: S311 - a simulation, not a secret
        self._loop.add_reader(sock, self._ready, sock, served, draw)

    def _ready(self, sock: socket.socket, served: Served, draw: Random) -> None:
        for _ in range(_BATCH):
            try:
                data, peer = sock.recvfrom(65535)
            except OSError:
                return
            self.requests += 1
            if served.behaviour.mood is Mood.lossy and draw.random() < served.behaviour.loss:
                continue
            answer = served.agent.answer(data, self.clock())
            if answer is not None:
                self._reply(sock, answer, peer, served.behaviour)

    def _reply(self, sock: socket.socket, answer: bytes, peer: tuple[str, int], how: Behaviour) -> None:
        self.answers += 1
        if how.mood is Mood.slow:
            self._loop.call_later(how.delay_s, self._send, sock, answer, peer)
        else:
            self._send(sock, answer, peer)

    def _send(self, sock: socket.socket, answer: bytes, peer: tuple[str, int]) -> None:
        with suppress(OSError):  # the asker is gone, or we are closing
            if sock.fileno() >= 0:
                sock.sendto(answer, peer)

    async def close(self) -> None:
        """Close every socket."""
        for sock in self._sockets:
            if sock.fileno() >= 0:
                self._loop.remove_reader(sock)
                sock.close()
        self._sockets.clear()


class CutAgent:
    """An agent that falls silent once a request names an object beyond a point: a walk is left unfinished."""

    def __init__(self, agent: Agent, beyond: Oid) -> None:
        self._agent = agent
        self._beyond = beyond

    def answer(self, data: bytes, at_s: float) -> bytes | None:
        """Answer as the agent would, but not what lies beyond the point."""
        answer = self._agent.answer(data, at_s)
        if answer is None or _contains(answer, self._beyond):
            return None
        return answer


def _contains(answer: bytes, prefix: Oid) -> bool:
    # The arcs used here are all below 128, so a prefix is one run of octets in the encoded name.
    return bytes((prefix[0] * 40 + prefix[1], *prefix[2:])) in answer


async def serve(agents: Sequence[Served], port: int, seed: int = 0) -> Agents:
    """Open every agent on UDP `port` (0: any one that is free at all addresses).

    Raises SiagaError `port-taken` if one of them cannot be had; nothing stays open then.
    """
    opened = Agents(port)
    try:
        for served in agents:
            opened.open(_shaped(served), seed)
    except OSError as error:
        await opened.close()
        raise port_taken("UDP", served.address, opened.port, error) from error
    return opened


def _shaped(served: Served) -> Served:
    if served.behaviour.mood is not Mood.cut or not isinstance(served.agent, Agent):
        return served
    return Served(served.name, served.address, CutAgent(served.agent, served.behaviour.beyond))


def port_taken(kind: str, address: str, port: int, error: OSError) -> SiagaError:
    """Return the error for a port that cannot be had, with what to do about it."""
    why = "is in use by another program" if error.errno == errno.EADDRINUSE else f"gives: {error.strerror}"
    return SiagaError(
        "port-taken",
        f"The simulated devices need {kind} port {port} at {address}, which {why}; "
        "end the other program (is a demo still running?) or choose another port.",
    )
