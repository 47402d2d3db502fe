"""Goods change hands: numbered without a gap, in one transaction, with the history, and never against the rules."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import select

from inventory import store
from inventory.custody import Recorded, open_loans, record
from inventory.custody_end import cancel, digest_of, sign
from inventory.custody_number import formatted, next_number
from inventory.custody_record import recorded
from inventory.custody_terms import Loan, Transfer, settle
from inventory.history import Author, breaks
from inventory.models import Change
from inventory.problems import BadRowError
from inventory.writing import Writer
from siaga.errors import InvalidError, NotFoundError
from siaga.settings import Custody, Settings
from tests.inventory.conftest import NOW

DAY = date(2026, 11, 24)
ROWS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("place", {"name": "Kantor Mauk", "kind": "site"}),
    ("place", {"name": "Gudang", "kind": "site"}),
    ("agency", {"name": "DISKOMINFO", "title": "Dinas Komunikasi dan Informatika"}),
    ("person", {"name": "Ani", "nip": "198001012005012001", "title": "Pengurus Barang", "agency": "DISKOMINFO"}),
    ("person", {"name": "Budi", "nip": "198502022010011002", "role": "noc"}),
    ("person", {"name": "Citra"}),
    ("person", {"name": "Dedi", "active_to": "2025-12-31"}),
    ("device_type", {"name": "CCR2004", "maker": "MikroTik", "model": "CCR2004-1G-12S+2XS"}),
    ("device", {"name": "rtr-1", "place": "Gudang", "transport": "none"}),
    ("asset", {"name": "R/1", "title": "Router", "serial": "HB-1", "custodian": "Ani", "place": "Gudang",
               "status": "stored", "condition": "B", "device": "rtr-1", "device_type": "CCR2004"}),
    ("asset", {"name": "R/2", "title": "Router", "custodian": "Ani", "place": "Gudang", "condition": "B"}),
    ("asset", {"name": "R/3", "title": "Switch", "custodian": "Citra"}),
    ("asset", {"name": "R/4", "title": "Server", "status": "lost", "custodian": "Ani"}),
    ("asset", {"name": "R/5", "title": "Modem"}),
)  # fmt: skip


@pytest.fixture
def stocked(engine: Engine, author: Author) -> Engine:
    """An inventory with people, places and five assets."""
    with store.session(engine) as session:
        writer = Writer(session, author)
        for noun, values in ROWS:
            writer.put(noun, values)
        writer.finish()
    return engine


def do(engine: Engine, kind: str, *assets: str, settings: Settings | None = None, **more: Any) -> Recorded:
    """Record a transfer of these assets, to Budi on DAY unless said otherwise."""
    asked = Transfer(**{"kind": kind, "dated": DAY, "taker": "Budi", **more})
    with store.session(engine) as session:
        ids = {label: i for i, label in store.labels(session, "asset").items()}
        chosen = [ids[a] for a in assets]
        return record(session, settings or Settings(home=Path()), asked, chosen, Author("ani", NOW))


def asset(engine: Engine, name: str) -> dict[str, Any]:
    with store.reading(engine) as session:
        return next(a for a in store.rows(session, "asset") if a["name"] == name)


def ending(engine: Engine, act: Any, *arguments: Any) -> None:
    with store.session(engine) as session:
        writer = Writer(session, Author("ani", NOW, "because"))
        act(writer, *arguments)
        writer.finish()


def refused(engine: Engine, kind: str, *assets: str, **more: Any) -> list[str]:
    """Return why a transfer is refused; hold that nothing was written."""
    with store.reading(engine) as session:
        before = len(session.exec(select(Change.id)).all())
    with pytest.raises(InvalidError, match="custody-refused") as caught:
        do(engine, kind, *assets, **more)
    with store.reading(engine) as session:
        assert len(session.exec(select(Change.id)).all()) == before
    return list(caught.value.problems)


# --- numbers


def test_the_first_bast_of_a_year_is_number_one() -> None:
    assert next_number(Custody(), DAY, []) == "001/BAST/DISKOMINFO/XI/2026"
    assert next_number(Custody(), DAY, ["041/BAST/DISKOMINFO/XII/2025"]) == "001/BAST/DISKOMINFO/XI/2026"
    assert next_number(Custody(), DAY, ["041/BAST/DISKOMINFO/I/2026"]) == "042/BAST/DISKOMINFO/XI/2026"


def test_a_foreign_number_is_not_counted_and_never_given_again() -> None:
    assert next_number(Custody(number="{n}/{year}"), DAY, ["1/2026/x", "A/2026"]) == "1/2026"
    known = ["007/BAST/DISKOMINFO-LAMA/V/2026"]
    assert next_number(Custody(), DAY, known) == "008/BAST/DISKOMINFO/XI/2026"


FORMS = "BAST|{n}|{year}|{n}{n}{year}|{x}{n}{year}|{n!r}{year}|{n.real}{year}|{n:>9}{year}|{"


@pytest.mark.parametrize("form", FORMS.split("|"))
def test_a_form_that_cannot_number_is_refused(form: str) -> None:
    with pytest.raises(InvalidError, match=r"bad-settings: custody\.number"):
        next_number(Custody(number=form), DAY, [])


@given(
    st.lists(st.dates(date(2020, 1, 1), date(2030, 12, 31)), max_size=60),
    st.sampled_from(["{n:03}/BAST/{unit}/{month}/{year}", "{year}-{n}", "{unit}.{n:04}.{year}"]),
    st.sampled_from(["DISKOMINFO", "A.B/C-1", "12"]),
)
def test_the_numbers_of_each_year_have_no_gap(days: list[date], form: str, unit: str) -> None:
    custody, known = Custody(number=form, unit=unit), []
    for day in days:
        known.append(next_number(custody, day, known))
    assert len(set(known)) == len(days)
    for year in {d.year for d in days}:
        own = [d for d in days if d.year == year]
        assert {formatted(custody, n + 1, d) for n, d in enumerate(own)} <= set(known)


_ONE = """
import sys
from datetime import date
from inventory import store
from inventory.custody import record
from inventory.custody_terms import Transfer
from inventory.history import Author
from siaga.clock import utc_now
from siaga.settings import load
settings = load()
engine = store.open_engine(settings)
people = ("Ani", "Budi")
sys.stdin.readline()
for turn in range(int(sys.argv[2])):
    with store.session(engine) as session:
        ids = {label: i for i, label in store.labels(session, "asset").items()}
        asked = Transfer(kind="handover", dated=date(2026, 11, 24), taker=people[(turn + 1) % 2])
        print(record(session, settings, asked, [ids[sys.argv[1]]], Author("x", utc_now())).number, flush=True)
"""


def test_processes_at_once_never_take_the_same_number(
    settings: Settings, engine: Engine, author: Author
) -> None:
    with store.session(engine) as session:
        writer = Writer(session, author)
        for noun, values in ROWS[:7]:
            writer.put(noun, values)
        for n in range(4):
            writer.put("asset", {"name": f"P/{n}", "custodian": "Ani"})
        writer.finish()
    environment = {**os.environ, "SIAGA_HOME": str(settings.home), "PYTHONPATH": str(Path.cwd())}
    if settings.database_url:
        environment["SIAGA_DATABASE_URL"] = settings.database_url
    crew = [
        subprocess.Popen(
            [sys.executable, "-c", _ONE, f"P/{n}", "6"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    for process in crew:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    given_out = [n for process in crew for n in process.communicate(timeout=120)[0].split()]
    assert [p.returncode for p in crew] == [0, 0, 0, 0]
    assert sorted(given_out) == [formatted(Custody(), n, DAY) for n in range(1, 25)]
    with store.reading(engine) as session:
        assert list(breaks(session)) == []


# --- what may be done


def test_a_handover_moves_custody_place_and_status_with_the_number_as_cause(stocked: Engine) -> None:
    done = do(
        stocked,
        "handover",
        "R/1",
        "R/2",
        place="Kantor Mauk",
        reason="pindah kantor",
        conditions={"R/2": "RR"},
    )
    assert done.number == "001/BAST/DISKOMINFO/XI/2026"
    one, two = asset(stocked, "R/1"), asset(stocked, "R/2")
    assert (one["custodian"], one["place"], one["status"], one["condition"]) == (
        "Budi",
        "Kantor Mauk",
        "in-use",
        "B",
    )
    assert (two["custodian"], two["condition"]) == ("Budi", "RR")
    with store.reading(stocked) as session:
        changes = session.exec(select(Change).where(Change.cause == f"BAST {done.number}")).all()
        assert {(c.noun, c.action, c.why) for c in changes} == {
            ("custody", "add", "pindah kantor"),
            ("custody_item", "add", "pindah kantor"),
            ("asset", "set", "pindah kantor"),
        }
        assert len({c.change_set for c in changes}) == 1
        assert list(breaks(session)) == []


def test_the_device_follows_only_when_it_is_told_to(stocked: Engine) -> None:
    do(stocked, "handover", "R/1", place="Kantor Mauk")
    with store.reading(stocked) as session:
        assert store.rows(session, "device")[0]["place"] == "Gudang"
    do(stocked, "handover", "R/1", place="Kantor Mauk", taker="Citra", move_device=True)
    with store.reading(stocked) as session:
        assert store.rows(session, "device")[0]["place"] == "Kantor Mauk"


def test_a_loan_is_open_until_its_return(stocked: Engine) -> None:
    lent = do(stocked, "loan", "R/1", "R/2", due=DAY + timedelta(days=30), place="Kantor Mauk")
    with store.reading(stocked) as session:
        loans = open_loans(session)
    assert loans["R/1"] == Loan("R/1", lent.number, "Ani", "Budi", "Gudang", DAY + timedelta(days=30))
    assert asset(stocked, "R/1")["status"] == "loaned"
    back = do(stocked, "return", "R/1", taker="")
    assert (back.settled.giver, back.settled.taker, back.settled.to_place) == ("Budi", "Ani", "Gudang")
    with store.reading(stocked) as session:
        assert list(open_loans(session)) == ["R/2"]
    found = asset(stocked, "R/1")
    assert (found["custodian"], found["place"], found["status"]) == ("Ani", "Gudang", "stored")


def test_what_is_on_loan_is_not_handed_on(stocked: Engine) -> None:
    do(stocked, "loan", "R/1", due=DAY)
    assert refused(stocked, "handover", "R/1", taker="Citra") == [
        "R/1 is on loan by 001/BAST/DISKOMINFO/XI/2026 to Budi: record its return first"
    ]


def test_every_reason_is_told_at_once(stocked: Engine) -> None:
    found = refused(stocked, "loan", "R/1", "R/3", "R/4", conditions={"": "X"})
    assert found == [
        "the assets are held by Ani (2), Citra (1): one BAST has one giver, so make one for each",
        "a loan ends on a day: say with --due when",
        "R/4 is lost: it cannot change hands before its status is set right",
        "a condition is one of B, RR, RB, not X",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "more", "why"),
    [
        ("handover", "R/1", {"taker": "Ani"}, "Ani cannot give to themselves"),
        ("handover", "R/1", {"taker": ""}, "say with --to who takes the assets"),
        ("handover", "R/1", {"taker": "Nobody"}, "there is no person called 'Nobody'"),
        ("handover", "R/1", {"taker": "Dedi"}, "Dedi is not on duty on 2026-11-24 (from … to 2025-12-31)"),
        ("handover", "R/1", {"known_by": "X"}, "there is no person called 'X'"),
        ("handover", "R/1", {"giver": "Citra"}, "1 of the assets is held by Ani, not Citra"),
        ("handover", "R/5", {}, "nobody is recorded as holding the assets: say with --from who gives them"),
        ("handover", "R/1", {"due": DAY}, "a handover has no --due: it is for good"),
        ("loan", "R/1", {"due": date(2026, 1, 2)}, "it would be due on 2026-01-02, before it begins on 2026-11-24"),
        ("handover", "R/1", {"move_device": True}, "--move-device needs --place: nothing says where the devices go"),
        ("handover", "R/1", {"conditions": {"R/9": "B"}}, "R/9 is not among the assets"),
        ("return", "R/5", {"giver": "Citra"}, "R/5 is held by nobody, so nobody can return it"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(
    stocked: Engine, kind: str, name: str, more: dict[str, Any], why: str
) -> None:
    assert why in refused(stocked, kind, name, **more)


def test_an_unknown_place_leaves_nothing_behind(stocked: Engine) -> None:
    with pytest.raises(BadRowError, match="no place called 'Mauk'"):
        do(stocked, "handover", "R/1", place="Mauk")
    with store.reading(stocked) as session:
        assert store.rows(session, "custody") == []
    assert do(stocked, "handover", "R/1").number.startswith("001/")


def test_names_that_nobody_has_are_told_with_all_the_rest(stocked: Engine) -> None:
    wrong = {"giver": "Nobodi", "taker": "Nobody", "place": "Nowhere", "known_by": "Dedi", "due": DAY}
    found = refused(stocked, "handover", "R/1", "R/4", conditions={"": "XX", "R/9": "B"}, **wrong)
    assert found == [
        "2 of the assets are held by Ani, not Nobodi",
        "a handover has no --due: it is for good",
        "R/4 is lost: it cannot change hands before its status is set right",
        "a condition is one of B, RR, RB, not XX",
        "R/9 is not among the assets",
        "there is no person called 'Nobodi'",
        "there is no person called 'Nobody'",
        "Dedi is not on duty on 2026-11-24 (from … to 2025-12-31)",
        "there is no place called 'Nowhere'",
    ]


def test_a_place_may_be_said_by_its_code(stocked: Engine, author: Author) -> None:
    ending(stocked, lambda w: w.put("place", {"name": "Kantor Mauk", "code": "36.03.01"}))
    do(stocked, "handover", "R/1", place=" 36.03.01")
    assert asset(stocked, "R/1")["place"] == "Kantor Mauk"


@given(
    st.sampled_from(["handover", "loan", "return"]),
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.sampled_from(["a", "b", "c"]),
                "custodian": st.sampled_from([None, "Ani", "Budi"]),
                "place": st.sampled_from([None, "p", "q"]),
                "status": st.sampled_from(["in-use", "stored", "loaned", "lost", "disposed"]),
                "condition": st.just("B"),
            }
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda a: a["name"],
    ),
    st.sampled_from(["", "Ani", "Budi", "Citra"]),
    st.sampled_from(["", "Ani", "Budi"]),
    st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2027, 1, 1))),
)
def test_what_is_settled_is_between_two_people_and_never_of_goods_that_are_gone(
    kind: str, assets: list[dict[str, Any]], taker: str, giver: str, due: date | None
) -> None:
    try:
        found = settle(Transfer(kind, DAY, taker, giver, due=due), assets, {})
    except InvalidError:
        return
    assert found.giver != found.taker
    assert found.giver
    assert found.taker
    assert all(a["custodian"] in (None, found.giver) for a in assets)
    assert all(a["status"] not in ("lost", "disposed") for a in assets)
    assert (due is not None) == (kind == "loan")


# --- the record


def test_the_record_stays_as_it_was_whatever_becomes_of_its_rows(stocked: Engine) -> None:
    done = do(stocked, "handover", "R/1", "R/2", place="Kantor Mauk", known_by="Citra", reason="mutasi")
    with store.reading(stocked) as session:
        before = recorded(session, done.number)
    assert (before.giver.name, before.giver.position, before.giver.unit) == (
        "Ani",
        "Pengurus Barang",
        "Dinas Komunikasi dan Informatika",
    )
    assert (before.known_by.name if before.known_by else "", before.from_place) == ("Citra", "Gudang")
    assert [(g.asset, g.make, g.serial) for g in before.goods] == [
        ("R/1", "MikroTik CCR2004-1G-12S+2XS", "HB-1"),
        ("R/2", "", ""),
    ]
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("person", "Ani", {"name": "Ani Wijaya", "nip": "", "title": "Pensiun", "agency": ""}),
        ("agency", "DISKOMINFO", {"name": "KOMINFO", "title": "Baru"}),
        ("device_type", "CCR2004", {"name": "CCR-X", "maker": "X"}),
        ("place", "Kantor Mauk", {"name": "Kantor Baru"}),
        ("asset", "R/1", {"name": "A/1", "title": "Lain", "serial": "ZZ", "device_type": ""}),
        ("asset", "A/1", {"name": "A/2"}),
    ]
    for noun, name, values in changes:
        ending(
            stocked, lambda w, noun, name, values: w.set(noun, w.ids(noun)[name], values), noun, name, values
        )
    ending(stocked, lambda w: w.remove("asset", w.ids("asset")["R/2"]))
    ending(stocked, lambda w: w.put("person", {"name": "Ani"}))
    with store.reading(stocked) as session:
        assert recorded(session, done.number) == before


def test_signing_keeps_the_digest_here_and_among_the_evidence(stocked: Engine, tmp_path: Path) -> None:
    done = do(stocked, "handover", "R/1")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"abc")
    digest = digest_of(scan)
    assert digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    ending(stocked, sign, done.number, digest, DAY)
    with store.reading(stocked) as session:
        (row,) = store.rows(session, "custody")
        (proof,) = store.rows(session, "evidence")
    assert (row["status"], row["sha256"]) == ("signed", digest)
    assert (proof["kind"], proof["dated"], proof["signer"], proof["sha256"]) == (
        "bast",
        DAY,
        "Ani, Budi",
        digest,
    )
    with pytest.raises(InvalidError, match=r"custody-not-draft: .* is signed and cannot be signed"):
        ending(stocked, sign, done.number, digest, DAY)
    with pytest.raises(InvalidError, match="record a return instead"):
        ending(stocked, cancel, done.number)


def test_a_document_is_not_signed_before_its_day_nor_by_nothing(stocked: Engine, tmp_path: Path) -> None:
    done = do(stocked, "handover", "R/1")
    with pytest.raises(InvalidError, match="signed-too-early"):
        ending(stocked, sign, done.number, "0" * 64, DAY - timedelta(days=1))
    with pytest.raises(NotFoundError, match="no-such-custody"):
        ending(stocked, sign, "999/X", "0" * 64, DAY)
    (tmp_path / "empty").touch()
    with pytest.raises(InvalidError, match="empty-file"):
        digest_of(tmp_path / "empty")
    with pytest.raises(NotFoundError, match="no-such-file"):
        digest_of(tmp_path / "none")


def test_a_cancelled_bast_takes_back_what_it_did_and_keeps_its_number(stocked: Engine) -> None:
    before = asset(stocked, "R/1")
    done = do(stocked, "loan", "R/1", due=DAY, place="Kantor Mauk", move_device=True, conditions={"": "RB"})
    ending(stocked, cancel, done.number)
    after = asset(stocked, "R/1")
    assert {**after, "revision": 0} == {**before, "revision": 0}
    with store.reading(stocked) as session:
        assert store.rows(session, "device")[0]["place"] == "Gudang"
        assert [(c["name"], c["status"]) for c in store.rows(session, "custody")] == [
            (done.number, "cancelled")
        ]
        assert open_loans(session) == {}
    assert do(stocked, "handover", "R/1").number.startswith("002/")


def test_what_went_on_since_is_not_taken_back(stocked: Engine) -> None:
    first = do(stocked, "handover", "R/1", "R/2")
    second = do(stocked, "handover", "R/1", taker="Citra")
    with pytest.raises(InvalidError, match=f"custody-moved-on: .*{second.number}"):
        ending(stocked, cancel, first.number)
    ending(stocked, cancel, second.number)
    ending(stocked, lambda w: w.put("asset", {"name": "R/2", "custodian": "Citra"}))
    with pytest.raises(InvalidError, match="changed again since") as caught:
        ending(stocked, cancel, first.number)
    assert caught.value.problems == ("asset 'R/2': custodian was changed since (change set 5, ani)",)
