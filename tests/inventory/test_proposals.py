"""What is found becomes a question a person answers once: never a second row, never a silent merge."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import col, select

from inventory import decisions, store
from inventory.history import Author, breaks
from inventory.identity import Kind
from inventory.models import Change, Device, Interface, Observed
from inventory.models_custody import Proposal
from inventory.observed import Said, keep
from inventory.problems import BadRowError
from inventory.proposals import Finding, Proposed, facts_of, propose_all, settle, stored
from inventory.traits import Facts
from inventory.undo import entries, undo
from inventory.writing import Writer

BOX = Facts(
    serial="HE9080WQ12X",
    engine_id="80001f8880a05f733785436d38",
    base_mac="48:8f:5a:00:00:01",
    macs=frozenset(f"48:8f:5a:00:00:{n:02x}" for n in range(1, 9)),
    sysname="sw-mauk-01",
    address="10.3.1.2",
    platform="routeros",
    model="CRS317-1G-16S+",
    transport="snmp",
    port=161,
    more={"version": "7.16", "vendor": "MikroTik", "credential": "noc"},
)
OTHER = replace(
    BOX,
    serial="HE9080ZZ99Y",
    engine_id="80001f888092c37021529f4647",
    base_mac="e4:8d:8c:00:00:01",
    macs=frozenset(f"e4:8d:8c:00:00:{n:02x}" for n in range(1, 9)),
    sysname="sw-kronjo-01",
    address="10.3.2.2",
)
Row = Callable[..., None]


@pytest.fixture
def device(engine: Engine, author: Author) -> Row:
    """Record devices."""

    def record(name: str, **values: str) -> None:
        with store.session(engine) as session:
            writer = Writer(session, author)
            writer.put("device", {"name": name, **values})
            writer.finish()

    return record


def found(
    engine: Engine, *facts: Facts, at: timedelta = timedelta(), source: str = "discover"
) -> list[Proposed]:
    """Take findings in one round, `at` so much later."""
    with store.session(engine) as session:
        author = Author("siaga", NOW + at, cause="discover 7")
        return propose_all(session, author, [Finding(f) for f in facts], source=source)


def decided(engine: Engine, work: Callable[[Writer], None], at: timedelta = timedelta()) -> Writer:
    """Decide something as a person."""
    with store.session(engine) as session:
        writer = Writer(session, Author("budi", NOW + at))
        work(writer)
        writer.finish()
    return writer


def proposals(engine: Engine) -> dict[str, Proposal]:
    with store.reading(engine) as session:
        return {p.name: p for p in session.exec(select(Proposal).order_by(col(Proposal.id)))}


def devices(engine: Engine) -> dict[str, dict[str, Any]]:
    with store.reading(engine) as session:
        return {r["name"]: r for r in store.rows(session, "device")}


def observed(engine: Engine, name: str) -> dict[str, tuple[str, str, str]]:
    with store.reading(engine) as session:
        rows = session.exec(select(Observed).join(Device).where(Device.name == name))
        return {o.field: (o.value, o.source, o.cause) for o in rows}


def test_a_box_that_is_not_recorded_is_proposed_once_however_often_it_is_found(engine: Engine) -> None:
    first = found(engine, BOX)[0]
    again = found(engine, replace(BOX, address="10.3.1.9"), at=timedelta(hours=6))[0]
    assert (first.kind, first.proposal, again.proposal) == (Kind.new, "p1", "p1")
    (row,) = proposals(engine).values()
    assert (row.status, row.device_id, row.source, row.first_seen) == ("open", None, "discover", NOW)
    assert (row.last_seen, row.facts["address"]) == (NOW + timedelta(hours=6), "10.3.1.9")
    assert devices(engine) == {}


def test_one_box_found_at_two_addresses_in_one_round_is_one_proposal(engine: Engine) -> None:
    told = found(engine, BOX, replace(BOX, address="10.99.0.1"), OTHER)
    assert [t.proposal for t in told] == ["p1", "p1", "p2"]
    facts = proposals(engine)["p1"].facts
    assert (facts["address"], facts["also_at"]) == ("10.3.1.2", "10.99.0.1")


def test_a_host_of_which_only_the_address_is_known_is_one_proposal_too(engine: Engine) -> None:
    found(engine, Facts(address="10.3.1.7"))
    assert found(engine, Facts(address="10.3.1.7"), at=timedelta(days=1))[0].proposal == "p1"
    # The next time it tells who it is, and stays the same question.
    assert found(engine, replace(BOX, address="10.3.1.7"), at=timedelta(days=2))[0].proposal == "p1"
    assert proposals(engine)["p1"].facts["serial"] == BOX.serial


def test_what_is_certainly_a_row_becomes_its_observed_values(engine: Engine, device: Row) -> None:
    device("sw-mauk-01", serial="HE9080 WQ12X", address="10.3.1.2")
    told = found(engine, BOX)[0]
    assert (told.kind, told.device, told.proposal) == (Kind.known, "sw-mauk-01", "")
    assert proposals(engine) == {}
    seen = observed(engine, "sw-mauk-01")
    assert seen["engine_id"] == (BOX.engine_id, "snmp", "discover 7")
    assert {f: v[0] for f, v in seen.items()} == {
        "serial": BOX.serial,
        "engine_id": BOX.engine_id,
        "base_mac": "48:8f:5a:00:00:01",
        "sysname": "sw-mauk-01",
        "address": "10.3.1.2",
        "platform": "routeros",
        "model": "CRS317-1G-16S+",
        "version": "7.16",
        "vendor": "MikroTik",
    }
    assert devices(engine)["sw-mauk-01"]["platform"] == ""  # what is intended is nobody's but the operators'


def test_a_row_that_answers_elsewhere_is_proposed_for_its_new_address(engine: Engine, device: Row) -> None:
    device("sw-mauk-01", serial=BOX.serial, address="10.3.1.2")
    told = found(engine, replace(BOX, address="10.3.1.77"))[0]
    assert (told.kind, told.device, told.note) == (Kind.known, "sw-mauk-01", "answers at 10.3.1.77")
    decided(engine, lambda w: decisions.accept(w, [1], {}))
    assert devices(engine)["sw-mauk-01"]["address"] == "10.3.1.77"
    assert proposals(engine)["p1"].status == "accepted"
    assert found(engine, replace(BOX, address="10.3.1.77"))[0].proposal == ""


def test_a_second_address_of_a_box_that_answers_at_its_own_is_no_question(
    engine: Engine, device: Row
) -> None:
    device("sw-mauk-01", serial=BOX.serial, address="10.3.1.2")
    told = found(engine, replace(BOX, address="10.99.0.1"), BOX)
    assert [(t.kind, t.proposal, t.note) for t in told] == [
        (Kind.known, "", "also answers at 10.99.0.1"),
        (Kind.known, "", ""),
    ]
    later = found(engine, replace(BOX, address="10.99.0.1"), at=timedelta(minutes=50))[0]
    assert later.proposal == ""
    assert observed(engine, "sw-mauk-01")["address"][0] == "10.3.1.2"
    # Not heard of at its own for too long, it may have moved.
    assert found(engine, replace(BOX, address="10.99.0.1"), at=timedelta(hours=2))[0].proposal == "p1"
    assert found(engine, BOX, at=timedelta(hours=3))[0].proposal == ""
    assert (proposals(engine)["p1"].status, proposals(engine)["p1"].decided_by) == ("merged", "siaga")


def test_boxes_that_changed_places_a_moment_ago_were_moved(engine: Engine, device: Row) -> None:
    """Each was heard of at its own address minutes before; a box with two addresses has both to itself."""
    device("sw-mauk-01", serial=BOX.serial, address="10.3.1.2")
    device("sw-kronjo-01", serial=OTHER.serial, address="10.3.2.2")
    found(engine, replace(BOX, address="10.3.1.2"), replace(OTHER, address="10.3.2.2"))
    swapped = (replace(BOX, address="10.3.2.2"), replace(OTHER, address="10.3.1.2"))
    told = found(engine, *swapped, at=timedelta(minutes=5))
    assert [(t.device, t.note, t.proposal) for t in told] == [
        ("sw-mauk-01", "answers at 10.3.2.2", "p1"),
        ("sw-kronjo-01", "answers at 10.3.1.2", "p2"),
    ]


def test_a_box_that_a_new_one_replaced_a_moment_ago_was_moved(engine: Engine, device: Row) -> None:
    device("sw-mauk-01", serial=BOX.serial, address="10.3.1.2")
    found(engine, BOX)
    both = (replace(BOX, address="10.3.1.77"), replace(OTHER, address="10.3.1.2"))
    told = found(engine, *both, at=timedelta(minutes=5))[0]
    assert (told.device, told.note) == ("sw-mauk-01", "answers at 10.3.1.77")


def test_a_further_address_that_is_recorded_is_no_question(engine: Engine, device: Row) -> None:
    device("sw-mauk-01", serial=BOX.serial, address="10.3.1.2")
    decided(engine, lambda w: w.put("address", {"name": "10.99.0.1", "device": "sw-mauk-01"}) and None)
    assert found(engine, replace(BOX, address="10.99.0.1"))[0].proposal == ""


def test_another_box_in_a_rows_place_is_a_question_and_leaves_the_row_alone(
    engine: Engine, device: Row
) -> None:
    device("sw-mauk-01", address="10.3.1.2")
    found(engine, BOX)
    before = observed(engine, "sw-mauk-01")
    told = found(engine, replace(OTHER, address="10.3.1.2", sysname="sw-mauk-01"), at=timedelta(days=1))[0]
    assert (told.kind, told.device, told.proposal) == (Kind.perhaps, "sw-mauk-01", "p1")
    assert observed(engine, "sw-mauk-01") == before
    row = proposals(engine)["p1"]
    assert 20 <= row.score < 70
    assert "serial differs (-60)" in row.reason
    with pytest.raises(BadRowError, match="may be sw-mauk-01"):
        decided(engine, lambda w: decisions.accept(w, [1], {}))


def test_macs_of_interfaces_find_a_box_without_a_serial(engine: Engine, device: Row) -> None:
    device("sw-mauk-01", address="10.3.1.2")
    with store.session(engine) as session:
        for n, mac in enumerate(sorted(BOX.macs)):
            session.add(Interface(device_id=1, name=f"ether{n}", seen_mac=mac.replace(":", "")))
    told = found(engine, replace(BOX, serial="", engine_id="", address="10.3.1.50"))[0]
    assert (told.kind, told.device) == (Kind.known, "sw-mauk-01")


# --- what a person decides -------------------------------------------------------------------------------------


def test_accepting_makes_the_device_with_all_that_is_known(engine: Engine, author: Author) -> None:
    with store.session(engine) as session:
        writer = Writer(session, author)
        writer.put("device_type", {"name": "MikroTik CRS317", "maker": "MikroTik", "model": "CRS317-1G-16S+"})
        writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
        writer.finish()
    found(engine, replace(BOX, port=1161, sysname="SW_Mauk 01.tangerangkab.go.id"))
    decided(engine, lambda w: decisions.accept(w, [1], {"role": "switch"}))
    row = devices(engine)["sw-mauk-01"]
    wanted = {"serial": BOX.serial, "address": "10.3.1.2", "platform": "routeros", "role": "switch"}
    wanted |= {"device_type": "MikroTik CRS317", "credential": "noc", "transport": "snmp", "snmp_port": 1161}
    assert {k: row[k] for k in wanted} == wanted
    proposal = proposals(engine)["p1"]
    assert (proposal.status, proposal.decided_by, proposal.device_id) == ("accepted", "budi", row["id"])
    assert found(engine, replace(BOX, port=1161))[0].kind is Kind.known


def test_the_history_says_which_proposal_it_was(engine: Engine) -> None:
    found(engine, BOX, OTHER)
    decided(engine, lambda w: decisions.accept(w, [1, 2], {"role": "switch"}))
    with store.reading(engine) as session:
        causes = {(c.row_name, c.cause) for c in session.exec(select(Change).where(Change.noun == "device"))}
        assert list(breaks(session)) == []
    assert causes == {("sw-mauk-01", "proposal p1"), ("sw-kronjo-01", "proposal p2")}


def test_an_accepted_box_with_the_name_of_the_factory_is_known_again(engine: Engine) -> None:
    nameless = replace(BOX, serial="", sysname="MikroTik", macs=frozenset(), address="10.3.1.8")
    found(engine, nameless)
    decided(engine, lambda w: decisions.accept(w, [1], {"name": "rtr-baru"}))
    told = found(engine, nameless, at=timedelta(hours=1))[0]
    assert (told.kind, told.device, told.proposal) == (Kind.known, "rtr-baru", "")
    moved = found(engine, replace(nameless, address="10.3.1.9"), at=timedelta(hours=9))[0]
    assert (moved.kind, moved.note) == (Kind.known, "answers at 10.3.1.9")


def test_a_name_that_is_taken_is_said_and_nothing_is_written(engine: Engine, device: Row) -> None:
    device("sw-mauk-01", serial="SOMETHING-ELSE", address="10.9.9.9")
    found(engine, OTHER, replace(BOX, address="10.3.1.2"))
    assert {p.name: p.device_id for p in proposals(engine).values()} == {"p1": None, "p2": None}
    with pytest.raises(BadRowError, match="p2: there is already a device called 'sw-mauk-01'"):
        decided(engine, lambda w: decisions.accept(w, [1, 2], {}))
    assert list(devices(engine)) == ["sw-mauk-01"]
    decided(engine, lambda w: decisions.accept(w, [2], {"name": "sw-mauk-02"}))
    assert sorted(devices(engine)) == ["sw-mauk-01", "sw-mauk-02"]


def test_a_box_recorded_by_hand_meanwhile_is_not_made_twice(engine: Engine, device: Row) -> None:
    found(engine, BOX)
    device("switch-kantor-mauk", serial=BOX.serial)
    with pytest.raises(BadRowError, match=r"the box is switch-kantor-mauk .*merge p1 switch-kantor-mauk"):
        decided(engine, lambda w: decisions.accept(w, [1], {}, new=True))
    found(engine, replace(BOX, address="10.3.1.2"), at=timedelta(hours=1))
    # Known by its serial now; the row has no address yet, and that is what is asked.
    assert proposals(engine)["p1"].device_id == 1


def test_merging_takes_what_is_asked_for_and_keeps_the_rest_as_observed(engine: Engine, device: Row) -> None:
    device("sw-lama", serial="OLD-SERIAL-1", address="10.3.1.2")
    found(engine, BOX)
    assert proposals(engine)["p1"].device_id == 1
    decided(engine, lambda w: decisions.merge(w, 1, 1, ["serial"]))
    row = devices(engine)["sw-lama"]
    assert (row["serial"], row["platform"], row["address"]) == (BOX.serial, "", "10.3.1.2")
    assert observed(engine, "sw-lama")["platform"] == ("routeros", "snmp", "proposal p1")
    assert proposals(engine)["p1"].status == "merged"
    assert found(engine, BOX, at=timedelta(hours=1))[0].kind is Kind.known


def test_merging_without_taking_the_serial_settles_the_question_too(engine: Engine, device: Row) -> None:
    device("sw-lama", serial="OLD-SERIAL-1", address="10.3.1.2")
    found(engine, BOX)
    decided(engine, lambda w: decisions.merge(w, 1, 1, []))
    told = found(engine, BOX, at=timedelta(hours=1))[0]
    assert (told.kind, told.proposal) == (Kind.known, "")
    assert devices(engine)["sw-lama"]["serial"] == "OLD-SERIAL-1"


def test_what_was_not_seen_cannot_be_taken(engine: Engine, device: Row) -> None:
    device("sw-lama")
    found(engine, replace(BOX, serial="To be filled by O.E.M."))
    with pytest.raises(BadRowError, match="nothing was seen of serial; address, platform, name can be taken"):
        decided(engine, lambda w: decisions.merge(w, 1, 1, ["serial"]))


def test_what_was_rejected_is_asked_again_only_when_it_changes(engine: Engine) -> None:
    found(engine, BOX)
    decided(engine, lambda w: decisions.reject(w, [1]))
    hour = timedelta(hours=1)
    assert found(engine, BOX, at=hour)[0].proposal == ""
    assert found(engine, replace(BOX, address="10.77.0.1", serial=""), at=hour)[0].proposal == ""
    assert found(engine, replace(BOX, sysname="cctv-mauk"), at=hour)[0].proposal == "p2"
    assert [p.status for p in proposals(engine).values()] == ["rejected", "open"]


def test_a_rejected_box_is_asked_again_when_a_row_comes_into_question(engine: Engine, device: Row) -> None:
    found(engine, BOX)
    decided(engine, lambda w: decisions.reject(w, [1]))
    device("sw-lama", serial="OLD-SERIAL-1", address="10.3.1.2")
    assert found(engine, BOX, at=timedelta(hours=1))[0].proposal == "p2"


def test_what_is_decided_is_decided(engine: Engine) -> None:
    found(engine, BOX)
    decided(engine, lambda w: decisions.reject(w, [1]))
    with pytest.raises(BadRowError, match="p1 was rejected by budi before"):
        decided(engine, lambda w: decisions.accept(w, [1], {}))


def test_two_boxes_that_changed_places_are_put_right_together(engine: Engine, device: Row) -> None:
    device("sw-mauk-01", serial=BOX.serial, address="10.3.1.2")
    device("sw-kronjo-01", serial=OTHER.serial, address="10.3.2.2")
    found(engine, replace(BOX, address="10.3.2.2"), replace(OTHER, address="10.3.1.2"))
    with pytest.raises(BadRowError, match="both polled at"):
        decided(engine, lambda w: decisions.accept(w, [1], {}))
    decided(engine, lambda w: decisions.accept(w, [1, 2], {}))
    now = devices(engine)
    assert (now["sw-mauk-01"]["address"], now["sw-kronjo-01"]["address"]) == ("10.3.2.2", "10.3.1.2")


def test_a_decision_can_be_undone(engine: Engine) -> None:
    found(engine, BOX)
    writer = decided(engine, lambda w: decisions.accept(w, [1], {}))
    decided(engine, lambda w: undo(w, entries(w.session, writer.chain.change_set)) and None)
    assert devices(engine) == {}
    assert proposals(engine)["p1"].status == "open"


def test_a_question_that_answered_itself_is_closed(engine: Engine, device: Row) -> None:
    found(engine, BOX)
    device("sw-mauk-01", serial=BOX.serial, address="10.3.1.2")
    with store.session(engine) as session:
        settle(session, Author("siaga", NOW, cause="poll 1"), {1: BOX.traits})
    assert proposals(engine)["p1"].status == "open", "seen in this very round"
    with store.session(engine) as session:
        settle(session, Author("siaga", NOW + timedelta(hours=1), cause="poll 2"), {1: BOX.traits})
    assert (proposals(engine)["p1"].status, proposals(engine)["p1"].device_id) == ("merged", 1)


def test_observed_values_are_kept_in_sets_by_source(engine: Engine, device: Row) -> None:
    device("a")
    device("b")
    with store.session(engine) as session:
        keep(
            session,
            [Said(1, "snmp", NOW, {"serial": "S1", "model": ""}), Said(2, "ssh", NOW, {"serial": "S2"})],
            cause="poll 1",
        )
    with store.session(engine) as session:
        keep(
            session,
            [Said(1, "snmp", NOW + timedelta(1), {"serial": "S9"}), Said(1, "ssh", NOW, {"serial": "S1"})],
            cause="poll 2",
        )
        rows = {(o.device_id, o.source): (o.value, o.at, o.cause) for o in session.exec(select(Observed))}
    assert rows == {
        (1, "snmp"): ("S9", NOW + timedelta(1), "poll 2"),
        (1, "ssh"): ("S1", NOW, "poll 2"),
        (2, "ssh"): ("S2", NOW, "poll 1"),
    }


def test_facts_come_back_as_they_were_kept() -> None:
    assert facts_of(stored(BOX)) == BOX
    assert facts_of({}) == Facts()
    assert facts_of(stored(replace(BOX, sysname="sw\x1b[31m\u202e"))).sysname == "sw[31m"


# --- whole rounds ----------------------------------------------------------------------------------------------


def _box(n: int) -> Facts:
    return replace(
        BOX,
        serial=f"HE{n:03}A7K{n:03}",
        engine_id=f"80001f8880a05f73378543{n:04x}",
        base_mac=f"48:8f:5a:{n:02x}:00:00",
        macs=frozenset(f"48:8f:5a:{n:02x}:00:{k:02x}" for k in range(4)),
        sysname=f"sw-{n}",
        address=f"10.0.{n}.1",
    )


CHANGES = (
    lambda f, n: f,
    lambda f, n: replace(f, sysname=f"baru-{n}"),
    lambda f, n: replace(f, address=f"10.77.{n}.1"),
    lambda f, n: replace(f, serial=""),
    lambda f, n: replace(f, engine_id=""),
    lambda f, n: replace(f, macs=frozenset(), base_mac=""),
    lambda f, n: replace(f, sysname="MikroTik", address=f"10.78.{n}.1"),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 4), st.sampled_from(CHANGES)), max_size=6), min_size=1, max_size=4
    )
)
def test_whatever_is_found_in_whatever_order_a_box_has_one_row_or_one_question(
    engine: Engine, rounds: list[list[tuple[int, Callable[[Facts, int], Facts]]]]
) -> None:
    with store.session(engine) as session:
        for table in (Proposal, Observed, Interface, Device):
            for row in session.exec(select(table)):
                session.delete(row)
            session.flush()
        writer = Writer(session, Author("budi", NOW))
        for n in (0, 1):  # of five boxes two are recorded
            box = _box(n)
            writer.put("device", {"name": box.sysname, "serial": box.serial, "address": box.address})
        writer.finish()
    for number, boxes in enumerate(rounds):
        at = timedelta(hours=2 * number)
        found(engine, *(change(_box(n), n) for n, change in boxes), at=at)
    assert set(devices(engine)) == {"sw-0", "sw-1"}
    asked = [p for p in proposals(engine).values() if p.status == "open"]
    by_serial: dict[str, list[str]] = {}
    for p in asked:
        by_serial.setdefault(p.facts.get("serial", "-"), []).append(p.name)
    assert all(len(names) == 1 for serial, names in by_serial.items() if serial != "-"), by_serial
    for name in ("sw-0", "sw-1"):
        told = observed(engine, name).get("serial")
        assert told is None or told[0] == _box(int(name[-1])).serial, "a wrong merge"
