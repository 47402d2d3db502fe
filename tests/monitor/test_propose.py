"""What answers is told apart by what it is, not by where it answers: on the wire, and in the rows."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from agent import OCTETS, Oid, Script, Tagged, served, switch
from pydantic import SecretStr
from sqlalchemy import Engine, event
from sqlmodel import col, select

from inventory import decisions, disagreements, store
from inventory.credentials import store_secret
from inventory.history import Author
from inventory.models import Device, Interface, Observed
from inventory.models_custody import Proposal
from inventory.writing import Writer
from monitor.poller import poll
from monitor.propose import facts_of, judge_identity
from monitor.propose_commands import propose
from monitor.snmp import observe
from monitor.targets import SnmpAuth, Target
from siaga.errors import NotFoundError, UsageError
from siaga.outcome import Format
from siaga.secrets import open_vault
from siaga.settings import Poll, Settings
from tests.homes import prepare

sys.path.insert(0, str(Path(__file__).parent.parent))
from cli_runner import answering, closed_port

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SERIAL, ENGINE = (1, 3, 6, 1, 4, 1, 14988, 1, 1, 7, 3, 0), (1, 3, 6, 1, 6, 3, 10, 2, 1, 1, 0)
BRIDGE, NAME = (1, 3, 6, 1, 2, 1, 17, 1, 1, 0), (1, 3, 6, 1, 2, 1, 1, 5, 0)


def box(number: int, name: str = "") -> dict[Oid, Tagged]:
    """Return a switch with hardware of its own."""
    rows = switch()
    for port in (1, 2, 3):
        rows[(1, 3, 6, 1, 2, 1, 2, 2, 1, 6, port)] = (OCTETS, bytes((0x48, 0x8F, 0x5A, number, 0, port)))
    return rows | {
        NAME: (OCTETS, (name or f"sw-{number}").encode()),
        SERIAL: (OCTETS, f"HE9080WQ{number:03}".encode()),
        ENGINE: (OCTETS, bytes.fromhex("80001f8880a05f733785") + bytes((number, 1, 2))),
        BRIDGE: (OCTETS, bytes((0x48, 0x8F, 0x5A, number, 0, 0xFF))),
    }


@pytest.fixture
def settings(scrubbed: Path) -> Settings:
    made = Settings(home=scrubbed, poll=Poll(timeout_s=0.3, retries=0))
    prepare(made)
    return made


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    opened = store.open_engine(settings)
    yield opened
    opened.dispose()


@pytest.fixture
def serve() -> Iterator[Callable[[Script], int]]:
    """Serve agents until the test ends, each on a port of its own."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(answering(lambda data: script.answer(data)))


@pytest.fixture
def record(engine: Engine, settings: Settings) -> Callable[..., None]:
    """Record devices on loopback that are asked with the community 'public'."""

    def recorded(**ports: int) -> None:
        with store.session(engine) as session:
            writer = Writer(session, Author("budi", NOW))
            writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
            writer.flush()
            store_secret(session, open_vault(settings.home), 1, "community", SecretStr("public"))
            for name, port in ports.items():
                place = {"address": "127.0.0.1", "snmp_port": port, "credential": "noc"}
                writer.put("device", {"name": name, **place})
            writer.finish()

    return recorded


@pytest.fixture
def round_of(engine: Engine, settings: Settings) -> Callable[..., None]:
    """Poll every device once; each round is an hour later."""
    rounds = iter(range(1, 1000))

    def polled() -> None:
        number = next(rounds)
        with store.reading(engine) as session:
            ids = [i for i in session.exec(select(Device.id)) if i is not None]
        poll(engine, settings, ids, run_id=number, now=lambda: NOW + timedelta(hours=number))

    return polled


def observed(engine: Engine, field: str) -> dict[str, str]:
    with store.reading(engine) as session:
        query = select(Device.name, Observed.value).join(Observed).where(Observed.field == field)
        return dict(session.exec(query).all())


def proposals(engine: Engine) -> list[tuple[str, str, str | None, str]]:
    with store.reading(engine) as session:
        query = select(Proposal, Device.name).outerjoin(Device).order_by(col(Proposal.id))
        return [(p.name, p.status, name, p.reason.partition(";")[0]) for p, name in session.exec(query)]


def decide(engine: Engine, work: Callable[[Writer], None]) -> None:
    with store.session(engine) as session:
        writer = Writer(session, Author("budi", NOW + timedelta(days=40)))
        work(writer)
        writer.finish()


def test_engine_id_and_base_mac_are_read() -> None:
    async def run() -> None:
        async with served(Script(box(7)).answer) as port:
            auth = SnmpAuth(community=SecretStr("public"))
            seen = await observe(Target("sw", "127.0.0.1", snmp_port=port, snmp=auth, timeout_s=0.5), now=NOW)
        assert seen.identity.engine_id == "80001f8880a05f733785070102"
        assert seen.identity.base_mac == "48:8f:5a:07:00:ff"
        facts = facts_of(seen, "noc")
        assert (facts.serial, facts.port, facts.more["credential"]) == ("HE9080WQ007", port, "noc")
        assert facts.macs == {f"488f5a07000{n}" for n in (1, 2, 3)}

    asyncio.run(run())


def test_without_a_bridge_the_base_mac_is_that_of_the_lowest_port() -> None:
    async def run() -> None:
        rows = {k: v for k, v in box(7).items() if k not in (BRIDGE, ENGINE)}
        rows[(1, 3, 6, 1, 2, 1, 2, 2, 1, 3, 1)] = (2, 24)  # a loopback is no port
        async with served(Script(rows).answer) as port:
            auth = SnmpAuth(community=SecretStr("public"))
            seen = await observe(Target("sw", "127.0.0.1", snmp_port=port, snmp=auth, timeout_s=0.5), now=NOW)
        assert (seen.identity.engine_id, seen.identity.base_mac) == ("", "48:8f:5a:07:00:02")

    asyncio.run(run())


def test_swapped_boxes_are_asked_about_and_put_right_together(engine, serve, record, round_of) -> None:  # type: ignore[no-untyped-def]
    one, two = Script(box(1)), Script(box(2))
    record(**{"sw-1": serve(one), "sw-2": serve(two)})
    round_of()
    before = {f: observed(engine, f) for f in ("serial", "engine_id", "base_mac", "sysname", "address")}
    assert before["serial"] == {"sw-1": "HE9080WQ001", "sw-2": "HE9080WQ002"}
    assert proposals(engine) == []

    one.rows, two.rows = box(2), box(1)
    for _ in range(3):
        round_of()
    assert proposals(engine) == [
        ("p1", "open", "sw-2", "answers at the address of sw-1"),
        ("p2", "open", "sw-1", "answers at the address of sw-2"),
    ]
    assert {f: observed(engine, f) for f in before} == before
    with store.reading(engine) as session:
        macs = {i.seen_mac[9:11] for i in session.exec(select(Interface).where(Interface.device_id == 1))}
    assert macs == {"01"}

    decide(engine, lambda w: decisions.accept(w, [1, 2], {}))
    round_of()
    assert [p[1] for p in proposals(engine)] == ["accepted", "accepted"]
    assert observed(engine, "serial") == before["serial"]


def test_a_replaced_box_is_asked_about_until_somebody_says_so(engine, serve, record, round_of) -> None:  # type: ignore[no-untyped-def]
    script = Script(box(1))
    record(**{"sw-1": serve(script)})
    round_of()
    script.rows = box(9, "sw-1")
    round_of()
    round_of()
    assert proposals(engine) == [("p1", "open", "sw-1", "another box answers at the address of sw-1")]
    assert observed(engine, "serial") == {"sw-1": "HE9080WQ001"}
    decide(engine, lambda w: decisions.merge(w, 1, 1, ["serial"]))
    round_of()
    assert observed(engine, "serial") == {"sw-1": "HE9080WQ009"}
    assert [p[:2] for p in proposals(engine)] == [("p1", "merged")]


def test_a_question_closes_when_the_old_box_is_back_or_the_row_is_corrected(
    engine, serve, record, round_of
) -> None:  # type: ignore[no-untyped-def]
    script = Script(box(1))
    record(**{"sw-1": serve(script)})
    round_of()
    script.rows = box(9, "sw-1")
    round_of()
    decide(engine, lambda w: w.set("device", 1, {"serial": "HE9080WQ009"}) and None)
    round_of()
    assert [p[:2] for p in proposals(engine)] == [("p1", "merged")]
    assert observed(engine, "serial") == {"sw-1": "HE9080WQ009"}


def test_what_differs_from_paper_only_is_a_disagreement(engine, serve, record, round_of) -> None:  # type: ignore[no-untyped-def]
    record(**{"sw-1": serve(Script(box(1)))})
    decide(engine, lambda w: w.set("device", 1, {"serial": "TYPED-WRONG-1"}) and None)
    round_of()
    assert proposals(engine) == []
    with store.reading(engine) as session:
        (found,) = disagreements.of(session)[1]
    assert (found.field, found.intended, found.observed) == ("serial", "TYPED-WRONG-1", "HE9080WQ001")


@pytest.mark.parametrize("parts", [[ENGINE], [SERIAL], [BRIDGE, NAME], [ENGINE, NAME]], ids=str)
def test_a_box_that_changed_in_part_is_still_the_row(parts, engine, serve, record, round_of) -> None:  # type: ignore[no-untyped-def]
    script = Script(box(1))
    record(**{"sw-1": serve(script)})
    round_of()
    other = box(9)
    script.rows = {**script.rows, **{part: other[part] for part in parts}}
    round_of()
    assert proposals(engine) == []
    if SERIAL in parts:
        assert observed(engine, "serial") == {"sw-1": "HE9080WQ009"}


def test_a_round_without_surprises_costs_two_queries(engine, serve, record, round_of) -> None:  # type: ignore[no-untyped-def]
    async def seen():  # type: ignore[no-untyped-def]
        async with served(Script(box(1)).answer) as port:
            auth = SnmpAuth(community=SecretStr("public"))
            return await observe(Target("sw", "127.0.0.1", snmp_port=port, snmp=auth, timeout_s=0.5), now=NOW)

    record(**{"sw-1": serve(Script(box(1)))})
    round_of()
    asked: list[str] = []
    with store.reading(engine) as session:
        session.connection()
        event.listen(engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
        assert judge_identity(session, {1: asyncio.run(seen())}) == []
    assert len(asked) == 2


# --- siaga propose ---------------------------------------------------------------------------------------------


def test_the_command_says_what_each_host_is(engine, serve, record, round_of) -> None:  # type: ignore[no-untyped-def]
    known, new, silent = serve(Script(box(1))), serve(Script(box(2))), closed_port()
    record(**{"sw-1": known})
    round_of()
    hosts = [f"127.0.0.1:{port}" for port in (known, new, silent)]
    told = propose(hosts, credential=["noc"], output=Format.json, timeout_s=0.3, retries=0)
    assert told.exit_code == 7
    assert [(r["what"], r["device"], r["proposal"]) for r in told.rows or []] == [
        ("known", "sw-1", ""),
        ("new", "", "p1"),
    ]
    assert len(told.messages) == 1
    assert f"127.0.0.1:{silent}: " in told.messages[0]
    decide(engine, lambda w: decisions.accept(w, [1], {}))
    with store.reading(engine) as session:
        row = store.rows(session, "device")[-1]
    assert (row["name"], row["snmp_port"], row["credential"], row["serial"]) == (
        "sw-2",
        new,
        "noc",
        "HE9080WQ002",
    )
    round_of()
    assert observed(engine, "serial") == {"sw-1": "HE9080WQ001", "sw-2": "HE9080WQ002"}


def test_a_dry_run_writes_nothing(engine, serve) -> None:  # type: ignore[no-untyped-def]
    told = propose([f"127.0.0.1:{serve(Script(box(2)))}"], dry_run=True, timeout_s=0.3, retries=0)
    assert [r["what"] for r in told.rows or []] == ["new"]
    assert proposals(engine) == []


def test_credentials_are_tried_in_turn(engine, serve, record, settings) -> None:  # type: ignore[no-untyped-def]
    record()
    with store.session(engine) as session:
        writer = Writer(session, Author("budi", NOW))
        writer.put("credential", {"name": "lama", "kind": "snmp-v2c"})
        writer.flush()
        store_secret(session, open_vault(settings.home), 2, "community", SecretStr("old"))
    host = f"127.0.0.1:{serve(Script(box(2), community=b'old'))}"
    told = propose([host], credential=["noc", "lama"], timeout_s=0.2, retries=0)
    assert told.exit_code == 0
    with store.reading(engine) as session:
        assert session.exec(select(Proposal)).one().facts["credential"] == "lama"


def test_a_host_that_is_silent_is_no_proposal(engine) -> None:  # type: ignore[no-untyped-def]
    told = propose([f"127.0.0.1:{closed_port()}"], timeout_s=0.2, retries=0)
    assert (told.exit_code, list(told.rows or [])) == (1, [])
    assert proposals(engine) == []


def test_one_login_is_enough(engine) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match="two-logins"):
        propose(["127.0.0.1"], credential=["noc"], user="x", snmp="3")
    with pytest.raises(NotFoundError, match="no-such-credential"):
        propose(["127.0.0.1"], credential=["nobody"])


def test_what_a_box_is_told_by_the_box_and_not_by_its_row(engine, serve, record, round_of) -> None:  # type: ignore[no-untyped-def]
    record(**{"sw-1": serve(Script(box(1)))})
    decide(engine, lambda w: w.set("device", 1, {"platform": "ios"}) and None)
    round_of()
    assert observed(engine, "platform") == {"sw-1": "routeros"}
    assert observed(engine, "vendor") == {"sw-1": "MikroTik"}
    with store.reading(engine) as session:
        (found,) = [d for d in disagreements.of(session)[1] if d.field == "platform"]
    assert (found.intended, found.observed) == ("ios", "routeros")


def test_a_box_that_no_platform_fits_is_read_as_it_is_meant(engine, serve, record, round_of) -> None:  # type: ignore[no-untyped-def]
    rows = {k: v for k, v in box(1).items() if k[:8] != (1, 3, 6, 1, 2, 1, 1, 2)}
    rows[(1, 3, 6, 1, 2, 1, 1, 1, 0)] = (OCTETS, b"box of a kind")
    record(**{"sw-1": serve(Script(rows))})
    decide(engine, lambda w: w.set("device", 1, {"platform": "routeros"}) and None)
    round_of()
    assert observed(engine, "serial") == {"sw-1": "HE9080WQ001"}
    assert observed(engine, "platform") == {}


def test_a_retired_row_does_not_hold_its_box_back(engine, serve, record, round_of) -> None:  # type: ignore[no-untyped-def]
    script = Script(box(1))
    record(**{"sw-1": serve(script)})
    round_of()
    decide(engine, lambda w: w.set("device", 1, {"status": "retired"}) and None)
    with store.session(engine) as session:
        writer = Writer(session, Author("budi", NOW))
        where = session.exec(select(Device.snmp_port).where(Device.name == "sw-1")).one()
        values = {"name": "sw-new", "address": "127.0.0.1", "snmp_port": str(where), "credential": "noc"}
        writer.put("device", values)
        writer.finish()
    for _ in range(2):
        round_of()
    assert proposals(engine) == []
    assert observed(engine, "serial") == {"sw-1": "HE9080WQ001", "sw-new": "HE9080WQ001"}
