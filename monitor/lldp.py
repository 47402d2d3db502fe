"""Asks devices who is at the other end of their ports: by LLDP, CDP and MikroTik's neighbour table, over SNMP."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inventory.wires import Heard
from monitor.bridge import BASE_PORT
from monitor.crowd import each
from monitor.neighbour_tables import (
    AT_MOST,
    CDP_COLUMNS,
    LLDP_COLUMNS,
    LOCAL_COLUMNS,
    MIKROTIK_COLUMNS,
    heard,
)
from monitor.observation import Reach
from monitor.snmp import Engines, connected
from monitor.snmp_agent import Agent, Fault, Trouble
from monitor.snmp_ports import DESCR, NAME
from monitor.tables import SYS_UPTIME, Oid, Tables, Value
from monitor.targets import Target


@dataclass(frozen=True)
class Answer:
    """What one device said of its neighbours, how far it could be reached, and why no further."""

    device: str
    reach: Reach
    reason: str = ""
    heard: tuple[Heard, ...] = ()


async def ask(
    targets: Sequence[Target], *, concurrency: int, progress: Callable[[Answer], None] | None = None
) -> list[Answer]:
    """Ask all targets, at most `concurrency` at a time; the answers come in the order of the targets."""
    engines = Engines()
    return await each(
        targets, lambda target: neighbours(target, engines), concurrency=concurrency, progress=progress
    )


async def neighbours(target: Target, engines: Engines) -> Answer:
    """Ask one device. Whatever it does or does not do is a value; nothing is raised for it."""
    seen: dict[Oid, Value] = {}
    try:
        async with connected(target, engines) as agent:
            fault = await _walk(agent, seen)
    except Trouble as trouble:
        fault = trouble.fault
    reach = Reach.up if fault is None else Reach.partial if seen else fault.reach
    found = tuple(heard(Tables(seen), target.device_id)) if target.device_id is not None else ()
    return Answer(target.name, reach, fault.reason if fault else "", found[:AT_MOST])


async def _walk(agent: Agent, seen: dict[Oid, Value]) -> Fault | None:
    """Read the tables into `seen`; return the first thing that went wrong, after which what can be read was read."""
    answer = await agent.get([SYS_UPTIME])  # tells a silent device from one without any table
    first = answer.fault
    tables = (
        LLDP_COLUMNS,
        CDP_COLUMNS,
        MIKROTIK_COLUMNS,
        LOCAL_COLUMNS,
        (BASE_PORT,),
        (NAME,),
        (DESCR,),
    )
    for columns in tables:
        if answer.fault is not None and answer.fault.reach is not Reach.partial:
            break
        answer = await agent.walk(columns)
        seen.update(answer.seen)
        first = first or answer.fault
    return first
