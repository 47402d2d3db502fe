"""A sweep over real sockets: who is there, what opens whom, which addresses are one box, who is followed."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from agent import INTEGER, OCTETS, Oid, Script, Tagged
from fleet import Answer, Fleet, fleet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select
from test_propose import ENGINE, NAME, box

from bench.discover import device
from demo import usm
from demo.mib import Tree, makes, tree
from demo.respond import Agent
from inventory import store
from inventory.history import Author
from inventory.models import Device, Observed
from inventory.models_custody import Proposal
from inventory.models_ipam import Node
from inventory.proposals import stored
from inventory.traits import Facts
from inventory.writing import Writer
from monitor import icmp
from monitor.boxes import Answered, boxes
from monitor.discover import Sweep
from monitor.discover_keep import Kept, keep
from monitor.hosts import Host, Login, Plan
from monitor.observation import Observation
from monitor.pace import Pace
from monitor.propose import facts_of
from monitor.scope import Scope, bound, read
from monitor.snmp import Engines, observe, observe_identity
from monitor.targets import SnmpAuth, SnmpVersion, Target
from siaga.errors import AuthError
from siaga.settings import Settings
from tests.homes import prepare

NOW = datetime(2026, 11, 26, tzinfo=UTC)
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
TICKS = 0x43


def login(community: str) -> Login:
    return Login(community, SnmpAuth(community=SecretStr(community)))


def plan(port: int, *asked: str, **more: object) -> Plan:
    scope = Scope(tuple(map(read, asked)))
    whole = Plan(scope, (login("public"),), Pace(0, 0.25, 0), port, timeout_s=0.3, retries=0)
    return replace(whole, **more)  # type: ignore[arg-type]


def swept(how: Plan) -> Sweep:
    found = Sweep(how, now=lambda: NOW)
    asyncio.run(found.run())
    return found


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Answer]], Fleet]]:
    """Serve agents until the test ends."""
    with ExitStack() as stack:
        yield lambda answers: stack.enter_context(fleet(answers))


@pytest.fixture
def engine(scrubbed: Path) -> Iterator[Engine]:
    settings = Settings(home=scrubbed)
    prepare(settings)
    opened = store.open_engine(settings)
    yield opened
    opened.dispose()


def kept(engine: Engine, found: Sweep, *, at: datetime = NOW, all_alive: bool = False) -> Kept:
    with store.session(engine) as session:
        return keep(session, Author("noc", at), found.hosts, port=found.plan.port, all_alive=all_alive)


def record(engine: Engine, name: str, address: str, port: int) -> None:
    with store.session(engine) as session:
        writer = Writer(session, Author("noc", NOW - timedelta(days=1)))
        given = {
            "name": name,
            "role": "switch",
            "address": address,
            "snmp_port": str(port),
            "transport": "snmp",
        }
        writer.put("device", given, mode="add")
        writer.finish()


# --- who is there -------------------------------------------------------------------------------------------------


def test_who_answers_is_found_among_those_who_are_silent(serve: Callable[..., Fleet]) -> None:
    own = serve({f"127.83.4.{n}": Script(box(n)).answer for n in (1, 2, 3)})
    found = swept(plan(own.port, "127.83.4.0/28"))
    opened = {a: h for a, h in found.hosts.items() if h.login}
    assert set(opened) == {"127.83.4.1", "127.83.4.2", "127.83.4.3"}
    assert {h.seen.identity.serial for h in opened.values() if h.seen} == {
        f"HE9080WQ00{n}" for n in (1, 2, 3)
    }
    assert set(found.hosts) == {f"127.83.4.{n}" for n in range(1, 15)}  # all of loopback is alive
    assert (found.tally.asked, found.tally.answering, found.tally.looked) == (14, 3, 3)


def test_without_icmp_hosts_are_found_by_snmp_alone_and_it_is_said_once(
    serve: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise AuthError("no-ping", icmp.UNPERMITTED)

    monkeypatch.setattr(icmp, "opened", refuse)
    monkeypatch.setattr("monitor.discover.SLICE", 4)
    own = serve({"127.83.4.9": Script(box(9)).answer})
    found = swept(plan(own.port, "127.83.4.0/28"))
    assert [a for a, h in found.hosts.items() if h.login] == ["127.83.4.9"]
    (warning,) = found.warnings
    assert "CAP_NET_RAW" in warning


def test_slices_together_are_the_whole(serve: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.discover.SLICE", 5)
    own = serve({f"127.83.4.{n}": Script(box(n)).answer for n in range(1, 20)})
    found = swept(plan(own.port, "127.83.4.0/27"))
    assert sum(h.login is not None for h in found.hosts.values()) == 19
    assert found.asked == {"127.83.4.0/27": 30}


def test_nothing_is_asked_that_is_denied(serve: Callable[..., Fleet]) -> None:
    own = serve({f"127.83.4.{n}": Script(box(n)).answer for n in (1, 2)})
    how = plan(own.port, "127.83.4.0/29", ping=False)
    swept(replace(how, scope=replace(how.scope, denied=(bound("127.83.4.2"),))))
    assert own.asked["127.83.4.1"]
    assert not own.asked["127.83.4.2"]


# --- credentials --------------------------------------------------------------------------------------------------


def test_credentials_are_tried_in_order_until_one_opens(serve: Callable[..., Fleet]) -> None:
    own = serve(
        {
            "127.83.5.1": Script(box(1), community=b"satu").answer,
            "127.83.5.2": Script(box(2), community=b"dua").answer,
        }
    )
    found = swept(plan(own.port, "127.83.5.1-127.83.5.2", logins=(login("satu"), login("dua"))))
    by = {a: h.login.name for a, h in found.hosts.items() if h.login}
    assert by == {"127.83.5.1": "satu", "127.83.5.2": "dua"}
    assert not any(b"dua" in message for message in own.asked["127.83.5.1"])  # it was open already
    assert found.hosts["127.83.5.2"].attempts == 2


def test_no_more_credentials_are_tried_at_one_address_than_allowed(serve: Callable[..., Fleet]) -> None:
    own = serve({"127.83.5.1": Script(box(1), community=b"lain").answer})
    logins = tuple(login(f"salah-{n}") for n in range(6))
    found = swept(plan(own.port, "127.83.5.1", logins=logins, attempts=3))
    assert {m for m in range(6) if any(f"salah-{m}".encode() in d for d in own.asked["127.83.5.1"])} == {
        0,
        1,
        2,
    }
    assert found.hosts["127.83.5.1"].login is None


def user_of(engine_id: bytes) -> Answer:
    user = usm.User.of("noc", "autentikasi-1", "privasi-rahasia", engine_id)
    whole = Agent(Tree({NAME: b"\x04\x06sw-v3x"}), user=user, engine=engine_id)
    started = time.monotonic()
    return lambda data: whole.answer(data, time.monotonic() - started)


def test_users_of_snmpv3_are_let_in_or_refused_by_name(serve: Callable[..., Fleet]) -> None:
    own = serve(
        {
            "127.83.5.1": user_of(usm.engine_id("sw-v3")),
            "127.83.5.2": user_of(usm.engine_id("sw-v3-lain")),
            "127.83.5.3": Script(box(3)).answer,
        }
    )
    good = SnmpAuth(
        SnmpVersion.v3,
        SecretStr(""),
        "noc",
        "SHA-256",
        SecretStr("autentikasi-1"),
        "AES",
        SecretStr("privasi-rahasia"),
    )
    wrong = replace(good, auth_secret=SecretStr("salah-sekali"))
    how = plan(own.port, "127.83.5.1-127.83.5.3", timeout_s=2.0)
    found = swept(replace(how, logins=(Login("v3", good), login("public"))))
    assert {a: h.login.name for a, h in found.hosts.items() if h.login} == {
        "127.83.5.1": "v3",
        "127.83.5.2": "v3",
        "127.83.5.3": "public",
    }
    assert not any(b"noc" in message for message in own.asked["127.83.5.3"])  # it did not answer the greeting
    refused = swept(replace(how, logins=(Login("v3", wrong),))).hosts["127.83.5.1"]
    assert refused.login is None
    assert "password" in refused.refused


@pytest.mark.parametrize("number", range(len(makes())))
def test_a_look_at_who_a_box_is_tells_the_same_as_a_whole_reading(
    serve: Callable[..., Fleet], number: int
) -> None:
    """Of each make of the simulated devices: what tells boxes apart is the same, for a part of the requests."""
    made = device(number)
    whole = Agent(tree(made), community=b"public")
    own = serve({"127.83.5.9": lambda data: whole.answer(data, 1.0)})
    target = Target("x", "127.83.5.9", own.port, snmp=login("public").auth, timeout_s=2.0)

    async def both() -> tuple[Observation, int, Observation, int]:
        some = await observe_identity(target, now=NOW, engines=Engines())
        before = len(own.asked["127.83.5.9"])
        full = await observe(target, now=NOW)
        return some, before, full, len(own.asked["127.83.5.9"]) - before

    some, few, full, many = asyncio.run(both())
    assert facts_of(some) == facts_of(full)
    assert (some.identity.sysName, bool(some.identity.base_mac)) == (made.name, True)
    assert few < many


# --- hostile and slow ---------------------------------------------------------------------------------------------


def test_hostile_boxes_hold_up_nobody_and_are_values(serve: Callable[..., Fleet], engine: Engine) -> None:
    endless = Script(box(4))

    def forever(data: bytes) -> bytes | None:
        """Answer the light probe; of all else nothing, ever."""
        endless.asked += 1
        return endless.answer(data) if endless.asked == 1 else None

    loud = box(5) | {NAME: (OCTETS, b"\x1b[2Jsw-5\n" + b"\xff" * 3000)}
    own = serve(
        {
            "127.83.6.1": Script(box(1)).answer,
            "127.83.6.2": lambda data: data,
            "127.83.6.3": lambda _: b"\x30\x84\xff\xff\xff\xff",
            "127.83.6.4": forever,
            "127.83.6.5": Script(loud).answer,
        }
    )
    found = kept(engine, swept(plan(own.port, "127.83.6.0/29")))
    by = {f.addresses[0]: f for f in found.found}
    assert {a for a, f in by.items() if f.what == "new"} == {"127.83.6.1", "127.83.6.4", "127.83.6.5"}
    assert by["127.83.6.4"].facts.sysname == "sw-4"  # what the light probe told is all there is
    assert by["127.83.6.4"].reason
    assert "\x1b" not in by["127.83.6.5"].facts.sysname
    assert {by[f"127.83.6.{n}"].what for n in (2, 3)} == {"alive"}


def test_a_box_that_takes_too_long_is_left_after_its_time(serve: Callable[..., Fleet]) -> None:
    # It tells one thing at a time, and every answer is in time: dozens of them take more than a thousandth of a second.
    slow = box(1) | {(1, 3, 6, 1, 2, 1, 2, 2, 1, 2, n): (OCTETS, b"x") for n in range(4, 20_000)}
    own = serve({"127.83.6.1": Script(slow, most=1).answer})
    how = plan(own.port, "127.83.6.1", look_s=0.001, timeout_s=5.0)
    found = swept(replace(how, pace=Pace(0, 5.0, 0)))
    host = found.hosts["127.83.6.1"]
    assert host.login is not None
    assert "longer than 0.001 s" in host.refused


# --- one box, many addresses --------------------------------------------------------------------------------------


def own_addresses(*addresses: str) -> dict[Oid, Tagged]:
    table = (1, 3, 6, 1, 2, 1, 4, 20, 1, 2)
    return {(*table, *map(int, a.split("."))): (INTEGER, 1) for a in addresses}


def test_a_box_with_many_addresses_is_one_proposal_that_names_them(
    serve: Callable[..., Fleet], engine: Engine
) -> None:
    script = Script(box(7) | own_addresses("127.83.7.1", "127.83.7.9", "127.83.7.12"))
    own = serve(dict.fromkeys(("127.83.7.1", "127.83.7.9", "127.83.7.12"), script.answer))
    found = swept(plan(own.port, "127.83.7.0/28"))
    assert found.tally.looked == 1  # the light probe told that it is one engine
    (one,) = [f for f in kept(engine, found).found if f.what == "new"]
    assert one.addresses == ("127.83.7.1", "127.83.7.9", "127.83.7.12")
    with store.reading(engine) as session:
        (proposal,) = session.exec(select(Proposal))
        assert proposal.facts["also_at"] == "127.83.7.9 127.83.7.12"


def test_clones_that_got_power_at_one_moment_are_two_boxes(
    serve: Callable[..., Fleet], engine: Engine
) -> None:
    """One engine ID, name and start, as two machines of one image have; what they do not share is their hardware."""
    one, two = box(7, "localhost"), box(8, "localhost")
    two |= {ENGINE: one[ENGINE]}
    both = (*two.items(), *own_addresses("127.83.7.2", "127.83.7.3").items())
    clone = Script(dict(both)).answer
    own = serve({"127.83.7.1": Script(one).answer, "127.83.7.2": clone, "127.83.7.3": clone})
    found = swept(plan(own.port, "127.83.7.0/28"))
    assert found.tally.looked == 2  # of the second one both addresses are its own
    assert [(f.addresses, f.facts.serial) for f in kept(engine, found).found if f.what == "new"] == [
        (("127.83.7.1",), "HE9080WQ007"),
        (("127.83.7.2", "127.83.7.3"), "HE9080WQ008"),
    ]


def facts(address: str, number: int = 0, **more: str) -> Facts:
    return Facts(address=address, serial=f"SN{number:06}X" if number else "", **more)  # type: ignore[arg-type]


def test_what_is_one_box_is_told_by_hardware_and_by_its_own_addresses() -> None:
    by_serial = [Answered(facts("10.1.0.2", 1)), Answered(facts("10.1.0.1", 1))]
    assert [b.addresses for b in boxes(by_serial)] == [("10.1.0.1", "10.1.0.2")]
    by_address = [Answered(facts("10.1.0.1", 1), frozenset({"10.1.0.5"})), Answered(facts("10.1.0.5"))]
    assert [b.addresses for b in boxes(by_address)] == [("10.1.0.1", "10.1.0.5")]
    # Both have 192.168.88.1, as they are delivered; the serials tell them apart.
    shared = [
        Answered(facts("10.1.0.1", 1), frozenset({"10.1.0.1", "192.168.88.1"})),
        Answered(facts("192.168.88.1", 2), frozenset({"192.168.88.1"})),
    ]
    assert len(boxes(shared)) == 2
    named = [
        Answered(facts("10.1.0.1", sysname="rtr-1"), frozenset({"10.1.0.5"})),
        Answered(facts("10.1.0.5", sysname="rtr-5")),
    ]
    assert len(boxes(named)) == 2


def test_of_a_box_with_hundreds_of_addresses_a_proposal_names_some_whole_and_says_how_many_there_are() -> (
    None
):
    wide = "2001:db8:1111:2222:3333:4444:5555:{:04x}"
    (one,) = boxes(Answered(facts(wide.format(n), 1)) for n in range(0x1000, 0x1000 + 500))
    assert len(one.addresses) == 500
    kept = stored(one.facts)
    assert set(kept["also_at"].split()) <= set(one.addresses)
    assert len(kept["also_at"].split()) > 40
    assert kept["addresses"] == "500"


def test_a_box_goes_by_the_address_that_is_known_of_it() -> None:
    several = [Answered(facts(f"10.1.0.{n}", 1)) for n in (1, 2, 3)]
    (one,) = boxes(several, known={"10.1.0.2"})
    assert one.facts.address == one.addresses[0] == "10.1.0.2"


@given(st.permutations([(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)]))
def test_the_order_of_answers_makes_no_difference(order: list[tuple[int, int]]) -> None:
    found = boxes(Answered(facts(f"10.1.0.{n}", number)) for n, number in order)
    assert [b.addresses for b in found] == [("10.1.0.1", "10.1.0.2"), ("10.1.0.3", "10.1.0.4"), ("10.1.0.5",)]


# --- what is kept -------------------------------------------------------------------------------------------------


def test_a_second_sweep_finds_nothing_new_and_writes_no_second_row(
    serve: Callable[..., Fleet], engine: Engine
) -> None:
    own = serve(
        {f"127.83.8.{n}": Script(box(n)).answer for n in (1, 2)} | {"127.83.8.3": Script(box(2)).answer}
    )
    how = plan(own.port, "127.83.8.0/29")
    first = kept(engine, swept(how))
    again = kept(engine, swept(how), at=NOW + timedelta(hours=6))
    assert [f.what for f in first.found if f.facts.transport] == ["new", "new"]
    assert [f.what for f in again.found if f.facts.transport] == ["waiting", "waiting"]
    with store.reading(engine) as session:
        rows = list(session.exec(select(Proposal)))
    assert [(p.name, p.facts["address"], p.facts.get("also_at", "")) for p in rows] == [
        ("p1", "127.83.8.1", ""),
        ("p2", "127.83.8.2", "127.83.8.3"),
    ]


def test_sweeps_of_two_prefixes_find_one_box_and_remember_both_addresses(
    serve: Callable[..., Fleet], engine: Engine
) -> None:
    own = serve({a: Script(box(1)).answer for a in ("127.83.8.1", "127.83.9.1")})
    kept(engine, swept(plan(own.port, "127.83.8.0/29")))
    kept(engine, swept(plan(own.port, "127.83.9.0/29")), at=NOW + timedelta(hours=1))
    with store.reading(engine) as session:
        (proposal,) = session.exec(select(Proposal))
    assert (proposal.facts["address"], proposal.facts["also_at"]) == ("127.83.9.1", "127.83.8.1")


def test_a_recorded_box_is_known_and_gets_observed_values(
    serve: Callable[..., Fleet], engine: Engine
) -> None:
    own = serve({"127.83.8.1": Script(box(1)).answer, "127.83.8.2": Script(box(2)).answer})
    record(engine, "sw-1", "127.83.8.1", own.port)
    found = kept(engine, swept(plan(own.port, "127.83.8.0/29")))
    assert {f.addresses[0]: f.what for f in found.found if f.facts.transport} == {
        "127.83.8.1": "known",
        "127.83.8.2": "new",
    }
    with store.reading(engine) as session:
        said = {o.field: o.value for o in session.exec(select(Observed))}
        assert len(list(session.exec(select(Device)))) == 1
    assert said["serial"] == "HE9080WQ001"


def test_hosts_that_are_only_alive_are_proposed_only_when_asked_for(
    serve: Callable[..., Fleet], engine: Engine
) -> None:
    own = serve({"127.83.8.1": Script(box(1)).answer})
    record(engine, "srv-1", "127.83.8.2", own.port)
    found = swept(plan(own.port, "127.83.8.1-127.83.8.3"))
    assert [f.what for f in kept(engine, found).found] == ["new", "alive", "alive"]
    asked = kept(engine, found, at=NOW + timedelta(hours=1), all_alive=True).found
    # The address of a recorded device is that device, which is silent by SNMP.
    assert [f.what for f in asked] == ["waiting", "alive", "new"]
    again = kept(engine, found, at=NOW + timedelta(hours=2), all_alive=True).found
    assert [f.what for f in again] == ["waiting", "alive", "waiting"]


def test_who_is_alive_is_a_sighting_where_ipam_has_a_prefix(engine: Engine) -> None:
    with store.session(engine) as session:
        writer = Writer(session, Author("noc", NOW))
        writer.put("prefix", {"name": "10.1.0.0/24"}, mode="add")
        writer.finish()
    found = Sweep(plan(161, "10.1.0.0/16"), now=lambda: NOW)
    found.hosts = {a: Host(a, 0.001) for a in ("10.1.0.5", "10.1.7.5", "127.83.0.1")}
    assert kept(engine, found).seen.new == 1
    assert kept(engine, found, at=NOW + timedelta(hours=1)).seen.known == 1
    with store.reading(engine) as session:
        (node,) = session.exec(select(Node))
        assert (node.address, node.mac, node.source) == ("10.1.0.5", "", "ping")


def test_a_rejected_box_is_not_asked_about_again(serve: Callable[..., Fleet], engine: Engine) -> None:
    own = serve({"127.83.8.1": Script(box(1)).answer})
    found = swept(plan(own.port, "127.83.8.1"))
    kept(engine, found)
    with store.session(engine) as session:
        writer = Writer(session, Author("noc", NOW))
        writer.put("proposal", {"name": "p1", "status": "rejected"}, mode="set")
        writer.finish()
    (one,) = kept(engine, found, at=NOW + timedelta(hours=1)).found
    assert one.what == "rejected"


# --- neighbours ---------------------------------------------------------------------------------------------------


def lldp_address(number: int, address: str) -> dict[Oid, Tagged]:
    table = (1, 0, 8802, 1, 1, 2, 1, 4, 2, 1, 4)
    return {(*table, 0, number, 1, 1, 4, *map(int, address.split("."))): (INTEGER, number)}


def chain() -> dict[str, Answer]:
    """Four boxes in a row, of which each names the next, and the last one somebody far away."""
    names = {n: f"127.83.9.{n}" for n in (1, 2, 3, 4)} | {5: "127.84.0.1"}
    return {
        names[n]: Script(box(n) | lldp_address(n, names[n + 1]) | lldp_address(9, "127.83.9.77")).answer
        for n in (1, 2, 3, 4)
    }


def test_neighbours_are_followed_hop_by_hop_and_never_out_of_scope(serve: Callable[..., Fleet]) -> None:
    own = serve(chain() | {"127.84.0.1": Script(box(5)).answer, "127.83.9.77": Script(box(77)).answer})
    how = plan(own.port, "127.83.9.1", hops=2)
    within = replace(
        how, scope=replace(how.scope, within=(bound("127.83.9.0/24"),), denied=(bound("127.83.9.77"),))
    )
    found = swept(within)
    opened = [a for a, h in found.hosts.items() if h.login]
    assert opened == ["127.83.9.1", "127.83.9.2", "127.83.9.3"]
    assert found.hosts["127.83.9.3"].found_by == "lldp of 127.83.9.2"
    assert not own.asked["127.83.9.77"]
    whole = swept(replace(within, hops=16))
    assert {a for a, h in whole.hosts.items() if h.login} == {f"127.83.9.{n}" for n in (1, 2, 3, 4)}
    assert not own.asked["127.84.0.1"]  # it lies in nothing that was asked for


def test_without_within_neighbours_stay_in_what_was_asked(serve: Callable[..., Fleet]) -> None:
    own = serve(chain())
    found = swept(plan(own.port, "127.83.9.1", hops=3))
    assert list(found.hosts) == ["127.83.9.1"]
    assert not own.asked["127.83.9.2"]
