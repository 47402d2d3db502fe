"""SNMP: which engine asks a device, and what one reading of it is.

The lean engine asks all it can speak to; pysnmp asks where the credential needs AES-192 or AES-256, and where a
target says so. Both answer through the same Exchange, so what is asked and in which order is the same (snmp_read.py).
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from inventory.platforms import platforms
from monitor import snmp_lean
from monitor.crowd import each
from monitor.engine_book import EngineBook
from monitor.observation import Observation, Reach
from monitor.snmp_agent import Agent, Fault, PoliteAgent, Trouble
from monitor.snmp_lean import Lean, LeanAgent
from monitor.snmp_read import Reading, observation, read, read_identity
from monitor.targets import Target
from siaga.settings import Poll
from siaga.text import safe

_log = logging.getLogger(__name__)


class Engines:
    """The engines of one session and what they learned of devices: rows at once, SNMPv3 engine IDs and clocks."""

    def __init__(self, asking: Poll | None = None, book: EngineBook | None = None) -> None:
        self.lean = Lean(asking, book)
        self._pysnmp: object = None

    @property
    def pysnmp(self) -> object:
        """The engines of pysnmp, which is loaded when it is needed first."""
        if self._pysnmp is None:
            from monitor import snmp_pysnmp

            self._pysnmp = snmp_pysnmp.Engines()
        return self._pysnmp


def engine_of(target: Target) -> str:
    """Return the engine that asks this device: `lean` or `pysnmp`."""
    if target.engine:
        return target.engine
    return "lean" if target.snmp is None or snmp_lean.speaks(target.snmp) else "pysnmp"


@asynccontextmanager
async def connected(target: Target, engines: Engines) -> AsyncIterator[PoliteAgent]:
    """Give an agent for the target; raises Trouble if there can be none."""
    if engine_of(target) == "pysnmp":
        from monitor import snmp_pysnmp

        assert isinstance(engines.pysnmp, snmp_pysnmp.Engines)
        async with snmp_pysnmp.connected(target, engines.pysnmp) as agent:
            yield agent
        return
    async with engines.lean as lean:
        yield LeanAgent(await lean.exchange(target), lean, target)


async def observe(
    target: Target, *, now: datetime, full: bool = True, engines: Engines | None = None
) -> Observation:
    """Read one device. Whatever it does or does not do is a value; nothing is raised for it.

    With `full` false only what changes is read: uptime, ports, processors, memory, temperature.
    """
    return await _observed(target, now, engines, partial(read, full=full))


async def observe_identity(target: Target, *, now: datetime, engines: Engines | None = None) -> Observation:
    """Read who one device is, and nothing of how it is; else as `observe`."""
    return await _observed(target, now, engines, read_identity)


async def _observed(
    target: Target,
    now: datetime,
    engines: Engines | None,
    read_by: Callable[[Agent, str], Awaitable[Reading]],
) -> Observation:
    started = time.monotonic()
    try:
        async with connected(target, engines or Engines()) as agent:
            seen = await read_by(agent, target.platform)
        return observation(target, now, time.monotonic() - started, reading=seen)
    except Trouble as trouble:
        fault = trouble.fault
    except Exception as error:  # noqa: BLE001 - the rim of the loop: one odd device must not lose the others
        _log.warning("reading %s over SNMP failed: %s", safe(target.name), safe(repr(error)))
        where = f"{target.address} port {target.snmp_port}"
        fault = Fault(Reach.garbage, f"{where} could not be read: {safe(repr(error), 120)}.")
    return observation(target, now, time.monotonic() - started, fault=fault)


async def observe_all(
    targets: Sequence[Target],
    *,
    concurrency: int,
    now: Callable[[], datetime],
    progress: Callable[[Observation], None] | None = None,
    full: bool = True,
    engines: Engines | None = None,
) -> list[Observation]:
    """Read all devices, at most `concurrency` at a time; the observations come in the order of the targets."""
    shared = engines or Engines()
    if targets:
        platforms()  # a mistake in a platform file is told before anything is sent
    async with shared.lean:  # opened once for all
        return await each(
            targets,
            lambda target: observe(target, now=now(), full=full, engines=shared),
            concurrency=concurrency,
            progress=progress,
        )
