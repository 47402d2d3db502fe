"""The samples that the store is measured with: counters of interfaces over time, made from one seed.

A third of the ports is dead, a quarter quiet, the others follow the day with correlated noise and bursts; errors and
discards are mostly zero; a poll comes a little early or late. It is synthetic, and says so beside every figure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.samples import Layout, Poll

Array = NDArray[np.int64]
PORTS, COUNTERS = 28, 10
METRICS = (
    "in_octets_64",
    "out_octets_64",
    "in_ucast_64",
    "out_ucast_64",
    "in_mcast_64",
    "out_mcast_64",
    "in_errors",
    "out_errors",
    "in_discards",
    "out_discards",
)
T0_MS = 1_780_012_800_000 // 86_400_000 * 86_400_000  # a midnight
LAYOUT = Layout(tuple((m, f"ether{p}") for p in range(1, PORTS + 1) for m in METRICS))


@dataclass(frozen=True)
class Load:
    """Devices × columns × polls, and how late each poll was."""

    late_ms: Array
    values: Array
    layout: Layout = LAYOUT

    @property
    def samples(self) -> int:
        """How many values they are."""
        return self.values.size


def made(
    devices: int, polls: int, *, seed: int, step_s: int = 60, ports: int = PORTS, counters: int = COUNTERS
) -> Load:
    """Return the load of some devices."""
    rng = np.random.default_rng(seed)
    late = (rng.random((devices, polls)) < 0.15) * rng.integers(-900, 2500, (devices, polls))
    values = np.stack([_device(rng, polls, step_s, ports, counters) for _ in range(devices)])
    names = tuple((m, f"ether{p}") for p in range(1, ports + 1) for m in METRICS[:counters])
    return Load(late, values, LAYOUT if names == LAYOUT.columns else Layout(names))


def _device(rng: np.random.Generator, polls: int, step_s: int, ports: int, counters: int) -> Array:
    kind = rng.random(ports)
    base = np.where(
        kind < 0.35, 0, np.where(kind < 0.6, 10 ** rng.uniform(1, 3, ports), 10 ** rng.uniform(4, 7.7, ports))
    )
    dead = kind < 0.35
    out = np.empty((ports, counters, polls), np.int64)
    for way in range(2):
        rate = _rates(rng, base * (1 if way == 0 else 10 ** rng.uniform(-1.2, 0.3, ports)), polls, step_s)
        octets = (rate * step_s).astype(np.int64)
        begun = np.where(dead & (rng.random(ports) < 0.6), 0, 10 ** rng.uniform(3, 13, ports)).astype(
            np.int64
        )
        if counters == 2:
            out[:, way] = begun[:, None] + np.cumsum(octets, axis=1)
            continue
        size = rng.uniform(250, 1100, ports)[:, None] * np.exp(rng.standard_normal((ports, polls)) * 0.08)
        share = np.minimum(rate / np.maximum(base[:, None], 1), 5)
        rare = [np.where(dead, 0, 10 ** rng.uniform(-1, 1.6, ports))[:, None] * np.ones_like(share)]
        for often, most in ((0.05, 1.0), (0.07, 1.5)):
            some = (~dead) & (rng.random(ports) < often)
            rare.append(np.where(some, 10 ** rng.uniform(-2, most, ports), 0)[:, None] * share)
        steps = [octets, (octets / size).astype(np.int64), *(rng.poisson(r) for r in rare)]
        first = [begun, begun // 600, begun // 9000, np.zeros_like(begun), np.zeros_like(begun)]
        for number in range(counters // 2):
            out[:, 2 * number + way] = first[number][:, None] + np.cumsum(steps[number], axis=1)
    return out.reshape(ports * counters, polls)


def _rates(
    rng: np.random.Generator, base: NDArray[np.float64], polls: int, step_s: int
) -> NDArray[np.float64]:
    """Return octets a second: the day's curve, noise that lasts some minutes, and bursts."""
    tod = (np.arange(polls) * step_s % 86_400) / 86_400
    day = (
        0.25 + np.clip(np.sin((tod - 0.29) * 2 * np.pi), 0, None) ** 1.2 + 0.1 * np.sin(tod * 4 * np.pi) ** 2
    )
    noise = rng.standard_normal((len(base), polls)) * 0.35
    for t in range(1, polls):
        noise[:, t] += 0.85 * noise[:, t - 1]
    burst = (rng.random((len(base), polls)) < 0.004) * rng.uniform(2, 8, (len(base), polls))
    return np.minimum(base[:, None] * day * np.exp(noise) * (1 + burst), 1.25e8)


def seconds(load: Load, devices: int, poll: int) -> Iterator[list[Poll]]:
    """Yield the polls of one round as they come: those of each second of the minute together.

    More devices than the load has repeat its devices at other moments.
    """
    rows = np.ascontiguousarray(load.values[:, :, poll])
    have, late = len(rows), load.late_ms[:, poll].tolist()
    for second in range(60):
        base = T0_MS + poll * 60_000 + second * 1000
        yield [
            Poll(
                d + 1, base + max(d * 37 % 1000 + late[d % have], -1000 * second), load.layout, rows[d % have]
            )
            for d in range(second * devices // 60, (second + 1) * devices // 60)
        ]
