"""Bad weather between siaga and its agents: datagrams are lost, doubled, overtaken, and late by two rounds."""

import socket
from dataclasses import dataclass
from random import Random

from demo.agents import Agents, Behaviour

_LONGEST_S = 0.4  # within a time-out: what is sent later may come first
_TIMEOUT_S = 0.5


@dataclass(frozen=True)
class Forecast:
    """Shares of datagrams: `loss` each way, `double` and `late` of the answers; `late_s` is how late that is."""

    loss: float = 0.0
    double: float = 0.0
    late: float = 0.0
    late_s: float = 120.0


class Weather(Agents):
    """Agents whose datagrams go through the weather; drawn from a seed, and so the same each time."""

    def __init__(self, forecast: Forecast, seed: int = 5) -> None:
        super().__init__(0)
        self.forecast = forecast
        self.chance = Random(seed)
        self.lost = self.doubled = self.belated = 0

    def _reply(self, sock: socket.socket, answer: bytes, peer: tuple[str, int], how: Behaviour) -> None:
        own, chance = self.forecast, self.chance
        if (
            chance.random() < 1 - (1 - own.loss) ** 2
        ):  # the question on its way here, or the answer on its way back
            self.lost += 1
            return
        if chance.random() < own.late:
            self.belated += 1
            self._loop.call_later(own.late_s, self._send, sock, answer, peer)
            return
        for _ in range(1 + (chance.random() < own.double)):
            self._loop.call_later(chance.uniform(0, _LONGEST_S), self._send, sock, answer, peer)
            self.doubled += 1
        self.doubled -= 1
