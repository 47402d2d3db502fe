"""A counters round: what is asked of known interfaces, what is stored of the answer, and what it comes to."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from monitor.known import (
    Counted,
    Known,
    bare,
    flows_between,
    known_of,
    known_ports,
    outgrown,
    poll_of,
    ports_of,
)
from monitor.observation import Observation, Port, Reach
from monitor.reaching import heard_of
from monitor.rules.subjects import Flow
from monitor.samples import MISSING
from monitor.snmp import observe
from monitor.snmp_agent import Fault
from monitor.snmp_ports import IN_32, IN_64, IN_ERRORS, OPER
from monitor.tables import Value
from monitor.targets import SnmpAuth, Target
from monitor.watched import Periods, periods
from siaga.settings import Monitor
from tests.monitor.agent import Script, served, switch

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def read(*, sixty_four: bool = True) -> Observation:
    async def run() -> Observation:
        async with served(Script(switch(sixty_four=sixty_four)).answer) as port:
            auth = SnmpAuth(community=SecretStr("public"))
            return await observe(Target("sw", "127.0.0.1", snmp_port=port, snmp=auth), now=T0)

    return asyncio.run(run())


def known(*, sixty_four: bool = True) -> Known:
    found = known_of(read(sixty_four=sixty_four))
    assert found is not None
    return found


def counted(own: Known, at_s: float, uptime_ticks: int, **cells: Value | None) -> Counted:
    """Return a round in which every cell is 0 but those given, of the first interface."""
    values: list[Value | None] = [0] * (len(own.columns) * len(own.indexes))
    columns = {"in_64": IN_64, "in_errors": IN_ERRORS, "oper": OPER, "in_32": IN_32}
    for name, value in cells.items():
        values[own.columns.index(columns[name])] = value
    return Counted(own, T0 + timedelta(seconds=at_s), uptime_ticks, values)


def test_counters_of_both_widths_are_asked_where_a_device_has_both() -> None:
    wide, narrow = known(), known(sixty_four=False)
    assert IN_64 in wide.columns
    assert IN_32 not in wide.columns
    assert IN_32 in narrow.columns
    assert IN_64 not in narrow.columns
    seen = read()
    mixed = known_of(replace(seen, ports=(replace(seen.ports[0], octets_bits=32), *seen.ports[1:])))
    assert mixed is not None
    assert {IN_32, IN_64} <= set(mixed.columns)
    assert mixed.layout.columns[1] == ("in_octets", "ether1")
    assert ("in_octets_64", "ether2") in mixed.layout.columns


def test_64_bits_in_iftable_are_asked_there_and_stored_as_such() -> None:
    seen = read()
    odd = replace(seen.ports[0], octets_in_iftable=True)
    own = known_of(replace(seen, ports=(odd,)))
    assert own is not None
    assert IN_32 in own.columns
    assert IN_64 not in own.columns
    assert own.layout.columns[1] == ("in_octets_64", "ether1")
    stored = poll_of(7, counted(own, 0, 1, in_32=2**40)).values
    assert stored is not None
    assert stored[1] == 2**40
    assert not outgrown(counted(own, 0, 1, in_32=2**40))


def test_a_counter_that_says_more_than_its_32_bits_makes_the_device_be_read_anew() -> None:
    narrow = known(sixty_four=False)
    assert not outgrown(counted(narrow, 0, 1, in_32=2**32 - 1))
    assert outgrown(counted(narrow, 0, 1, in_32=2**32))
    assert not outgrown(counted(narrow, 0, 1, in_errors=2**32))


def test_values_stand_in_their_columns_and_what_is_missing_is_a_mark() -> None:
    own = known()
    poll = poll_of(7, counted(own, 0, 123, in_64=2**64 - 1, in_errors=None))
    assert poll.values is not None
    stored = dict(zip(own.layout.columns, poll.values.tolist(), strict=True))
    assert stored[("uptime", "")] == 123
    assert stored[("in_octets_64", "ether1")] == -1  # two's complement
    assert stored[("in_errors", "ether1")] == MISSING
    assert (poll.asked, poll.answered) == (False, False)


def test_flows_are_of_two_rounds_of_the_same_interfaces() -> None:
    own = known()
    before, now = counted(own, 0, 100, in_64=1000), counted(own, 60, 6100, in_64=61_000, in_errors=30)
    ports = ports_of(now)
    found = flows_between(1, before, now, ports, {"ether1"})
    assert found["ether1"] == Flow(8000.0, 0.0, 30.0, 0.0)
    assert found["ether2"] == Flow(None, None, 0.0, 0.0)
    assert flows_between(1, None, now, ports, ()) == {}
    assert flows_between(1, replace(before, known=known()), now, ports, ()) == {}


def test_a_restart_between_two_rounds_is_no_rate() -> None:
    own = known()
    before, now = counted(own, 0, 900_000, in_64=10**9), counted(own, 60, 2000, in_64=500)
    found = flows_between(1, before, now, ports_of(now), {"ether1"})
    assert set(found.values()) == {Flow()}


def test_a_port_that_goes_down_is_seen_by_the_counters() -> None:
    own = known()
    assert ports_of(counted(own, 0, 1, oper=2))["ether1"].ifOperStatus == "down"


def test_a_supposed_width_that_brings_nothing_is_noticed_once_it_was_read_no_more() -> None:
    supposed = known_ports((("ether1", Port(1)),), guessed=True)
    assert supposed is not None
    nothing: list[Value | None] = [None] * len(supposed.columns)
    assert bare(Counted(supposed, T0, 1, nothing))
    assert not bare(Counted(replace(supposed, guessed=False), T0, 1, nothing))


SILENT, REFUSED = Fault(Reach.silent, "No answer in 2 s."), Fault(Reach.refused, "Wrong community.")


@pytest.mark.parametrize(
    ("pinged", "managed", "asked", "reach"),
    [
        (True, None, False, Reach.up),
        (True, SILENT, True, Reach.partial),
        (True, SILENT, False, Reach.partial),  # the trouble of the last round
        (True, REFUSED, False, Reach.refused),
        (False, None, True, Reach.up),  # a firewall that drops ICMP
        (False, REFUSED, True, Reach.refused),
        (False, SILENT, True, Reach.silent),
        (False, None, False, Reach.silent),
        (None, None, True, Reach.up),
        (None, SILENT, True, Reach.silent),
    ],
)
def test_silence_is_that_of_both_ways(
    pinged: bool | None, managed: Fault | None, asked: bool, reach: Reach
) -> None:
    heard = heard_of(1, T0, pinged, managed, asked)
    assert heard.reach is reach
    assert bool(heard.reason) == (reach is not Reach.up)


def test_layers_say_periods_and_nonsense_leaves_the_usual_ones() -> None:
    assert periods(Monitor(), None) == (Periods(), "")
    assert periods(Monitor(), {"counters_s": 30})[0].counters_s == 30
    for wrong in ("often", {"counters_s": 0}, {"counters_s": True}, {"minutes": 5}):
        own, why = periods(Monitor(), wrong)
        assert own == Periods()
        assert why.startswith("poll")
    assert periods(Monitor(), None, ssh=True)[0].health_s == Monitor().ssh_s
