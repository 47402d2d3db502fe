"""Who a device is, and nothing of how it is: some ten requests where a whole reading takes many more.

A sweep asks thousands, and what tells boxes apart is all it keeps: the platform, model, version and serial, the engine
ID, the MACs of the ports and the device's own addresses.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

from inventory.platforms import platforms
from monitor import identify, snmp_ports
from monitor.address_tables import OWN, OWN_V4
from monitor.observation import Observation, Reach
from monitor.snmp import Engines, connected
from monitor.snmp_agent import Agent, Answer, Fault, Trouble
from monitor.snmp_read import BRIDGE_ADDRESS, ENGINE_ID, Reading, observation
from monitor.tables import Tables, chunks
from monitor.targets import Target

_LOOKED_INTO_AT_ONCE = 16


async def observe_identity(target: Target, *, now: datetime, engines: Engines) -> Observation:
    """Read who one device is. Whatever it does or does not do is a value; nothing is raised for it."""
    started = time.monotonic()
    try:
        async with connected(target, engines) as agent:
            seen = await read_identity(agent)
    except Trouble as trouble:
        return observation(target, now, time.monotonic() - started, fault=trouble.fault)
    return observation(target, now, time.monotonic() - started, reading=seen)


async def read_identity(agent: Agent) -> Reading:
    """Ask one thing after the other until the device stops answering; what came before is kept."""
    reading = Reading()
    async with aclosing(_steps(agent, reading)) as steps:
        async for answer in steps:
            reading.seen.update(answer.seen)
            if answer.fault is None:
                continue
            gone = answer.fault.reach is not Reach.partial
            stopped = gone and bool(reading.seen)
            reading.faults.append(_stopped(answer.fault) if stopped else answer.fault)
            if gone:
                break
    return reading


async def _steps(agent: Agent, reading: Reading) -> AsyncGenerator[Answer, None]:
    """Ask step by step; the caller takes each answer into the reading before the next step is asked."""
    yield await agent.get(identify.SYSTEM)
    for some in chunks(identify.probes(platforms(), Tables(reading.seen)), _LOOKED_INTO_AT_ONCE):
        yield await agent.peek(some)
    found = reading.platform = identify.identify(platforms(), Tables(reading.seen))
    yield await agent.get((*identify.fact_oids(found), ENGINE_ID, BRIDGE_ADDRESS))
    for column in identify.fact_columns(found):
        yield await agent.walk([column])
    yield await agent.walk([identify.ENTITY_CLASS])
    if not Tables(reading.seen).column(identify.ENTITY_CLASS):
        yield await agent.walk([identify.ENTITY_MODEL])
    rows = identify.chassis(Tables(reading.seen))
    yield await agent.get([(*column, *index) for index in rows for column in identify.entity_columns()])
    yield await agent.walk([snmp_ports.TYPE, snmp_ports.MAC])
    yield await agent.walk([OWN_V4])
    if not Tables(reading.seen).column(OWN_V4):
        yield await agent.walk([OWN])


def _stopped(fault: Fault) -> Fault:
    return Fault(Reach.partial, f"The device stopped answering in the middle. {fault.reason}")
