"""Logins that devices tell of: those of a window and of staff are foreseen, all others are findings for a person."""

import asyncio
import json
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from inventory.findings import Verdict
from inventory.store import open_engine, reading
from monitor.access.judge import Book, Known, Login, Window, judged
from monitor.access.watch import LoginSink, login_of
from monitor.listen.event import Event, Kind
from monitor.listen.meaning import patterns
from monitor.listen.receiver import Receiver
from monitor.listen.sieve import Sieve
from monitor.listen.sources import Source, sources
from monitor.models import DeviceEvent
from monitor.service_listen import Listening
from siaga.clock import utc_now
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner
from tests.homes import prepare

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
VENDOR = Known("vendor1", "Andi", third_party=True)
STAFF = Known("budi", "Budi")
OPEN = Window("pasang", "Andi", "", frozenset({1}), NOW - HOUR, NOW + HOUR)
BOOK = Book((VENDOR, STAFF), (OPEN,), frozenset({"siaga"}))
LINES = Path(__file__).parent / "syslog_lines.toml"


def answer(user: str, book: Book = BOOK, device: int = 1, at: datetime = NOW) -> tuple[str, str]:
    found = judged(Login(device, "olt", user, "10.1.1.5", at), book)
    return (
        (found.key.rule, found.verdict.value)
        if found.verdict is Verdict.broken
        else ("", found.verdict.value)
    )


@pytest.mark.parametrize(
    ("user", "device", "at", "wanted"),
    [
        ("vendor1", 1, NOW, ("", "none")),
        ("vendor1", 1, NOW - HOUR, ("", "none")),  # the first moment is in it
        ("vendor1", 1, NOW + HOUR, ("login-outside-window", "broken")),  # the last is not
        ("vendor1", 1, NOW - 2 * HOUR, ("login-outside-window", "broken")),
        ("vendor1", 2, NOW, ("login-outside-window", "broken")),
        ("budi", 2, NOW, ("", "none")),
        ("siaga", 2, NOW, ("", "none")),
        ("root", 1, NOW, ("login-unknown", "broken")),
        ("", 1, NOW, ("login-unknown", "broken")),
    ],
)
def test_who_was_foreseen(user: str, device: int, at: datetime, wanted: tuple[str, str]) -> None:
    assert answer(user, BOOK, device, at) == wanted


def test_a_third_party_without_any_window_is_outside_of_all() -> None:
    assert answer("vendor1", Book((VENDOR, STAFF))) == ("login-outside-window", "broken")


def test_a_window_may_name_the_login_itself() -> None:
    named = Window("pasang", "Andi", "teknisi7", frozenset({1}), NOW - HOUR, NOW + HOUR)
    assert answer("teknisi7", Book((STAFF,), (named,))) == ("", "none")
    assert answer("teknisi7", Book((STAFF,), (named,)), at=NOW + HOUR) == ("login-outside-window", "broken")


def test_an_account_past_its_date_is_a_finding_even_of_staff() -> None:
    over = Known("budi", "Budi", expires=date(2026, 1, 31))
    assert answer("budi", Book((over,))) == ("login-expired", "broken")
    assert answer("budi", Book((over, STAFF))) == ("", "none")


def test_an_account_of_one_device_is_none_of_another() -> None:
    here = Known("budi", "Budi", device_id=1)
    assert answer("budi", Book((here,)), device=1) == ("", "none")
    assert answer("budi", Book((here,)), device=2) == ("login-unknown", "broken")


def test_where_no_account_is_recorded_nothing_is_known() -> None:
    assert answer("anybody", Book()) == ("", "unknown")


def test_what_is_told_names_the_window_that_ended() -> None:
    found = judged(Login(1, "olt", "vendor1", "10.1.1.5", NOW + 2 * HOUR, "the line"), BOOK)
    assert "the window 'pasang' ended 2026-11-26T11:00:00+07:00" in found.detail
    assert found.evidence[-1] == "the line"
    assert (found.severity, found.article) == ("high", "33(2)c")


# --- from the line of syslog to the finding


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], scrubbed: Path) -> Siaga:
    prepare(Settings(home=scrubbed))
    own = runner(capsys)
    own("provider", "add", "pt-vendor").well()
    own("person", "add", "Andi", "provider=pt-vendor").well()
    own("person", "add", "Budi").well()
    own("device", "add", "olt-mauk", "platform=linux", "address=127.84.3.1").well()
    own("account", "add", "vendor1", "person=Andi", "provider=pt-vendor").well()
    return own


def rows(siaga: Siaga) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        siaga("finding", "list", "--source", "access", "-o", "json").well().out
    )
    return found


def told(home: Path, user: str) -> None:
    """Receive one line of sshd by syslog, and judge what it tells of."""
    sink = LoginSink(open_engine(Settings(home=home)), utc_now)
    one = Source(1, "olt-mauk", "linux")
    receiver = Receiver(
        [], sources([("127.84.3.1", one)]), patterns(), sieve=Sieve(20, 200), now=utc_now, tell=sink.event
    )
    line = f"<38>Nov 26 03:00:00 olt-mauk sshd[7]: Accepted password for {user} from 10.9.9.9 port 50123 ssh2"
    receiver.syslog(line.encode(), "127.84.3.1")
    receiver.syslog(
        b"<38>Nov 26 03:00:01 olt-mauk sshd[7]: Failed password for x from 10.9.9.9 port 1 ssh2", "127.84.3.1"
    )
    assert len(sink) == 1
    assert asyncio.run(sink.flush())
    assert len(sink) == 0


def test_a_login_is_a_finding_before_the_window_and_none_within(siaga: Siaga, scrubbed: Path) -> None:
    told(scrubbed, "vendor1")
    (found,) = rows(siaga)
    assert (found["rule"], found["device"], found["subject"]) == (
        "login-outside-window",
        "olt-mauk",
        "vendor1",
    )
    assert "from 10.9.9.9" in found["detail"]
    siaga("finding", "close", found["id"], "--why", "darurat").well()
    allow = ("access", "add", "pasang", "Andi", "olt-mauk", "--until", "4h", "--approved-by", "Budi")
    siaga(*allow).well()
    told(scrubbed, "vendor1")
    assert rows(siaga) == []
    siaga("access", "close", "pasang").well()
    told(scrubbed, "vendor1")
    assert [r["rule"] for r in rows(siaga)] == ["login-outside-window"]
    siaga("history", "verify").well()


def test_windows_are_given_listed_and_closed(siaga: Siaga) -> None:
    add = ("access", "add", "pasang", "Andi", "olt-mauk", "--until", "4h")
    siaga(*add, "--approved-by", "Andi").failed(5, "not-staff")
    siaga(*add, "--approved-by", "Nobody").failed(3, "no-such-person")
    siaga("access", "add", "x", "Budi", "olt-mauk", "--until", "4h", "--approved-by", "Budi").failed(
        5, "not-third-party"
    )
    siaga(*add, "--approved-by", "Budi", "--from", "5h").failed(5, "bad-window")
    siaga(*add, "--approved-by", "Budi", "--why", "ganti modul").well()
    siaga(*add, "--approved-by", "Budi").failed(5, "window-exists")
    (row,) = json.loads(siaga("access", "list", "-o", "json").well().out)
    assert (row["state"], row["provider"], row["devices"]) == ("open", "pt-vendor", ["olt-mauk"])
    siaga("access", "close", "pasang").well()
    siaga("access", "close", "pasang").failed(5, "window-closed")
    siaga("access", "close", "none").failed(3, "no-such-window")
    assert json.loads(siaga("access", "list", "-o", "json").well().out) == []
    assert len(json.loads(siaga("access", "list", "--all", "-o", "json").well().out)) == 1


def test_a_database_that_is_locked_loses_no_login(
    siaga: Siaga, scrubbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inventory import store

    monkeypatch.setattr(store, "BUSY_TIMEOUT_MS", 20)
    engine = open_engine(Settings(home=scrubbed))
    sink = LoginSink(engine, utc_now)
    sink.event(
        Event(utc_now(), "syslog", Kind.login, "127.84.3.1", "x", "olt-mauk", 1, (("user", "vendor1"),))
    )
    with store.session(engine):
        assert not asyncio.run(sink.flush())
    assert len(sink) == 1
    assert "locked" in sink.problem
    assert asyncio.run(sink.flush())
    assert [r["subject"] for r in rows(siaga)] == ["vendor1"]


def test_the_service_keeps_the_event_and_judges_the_login(siaga: Siaga, scrubbed: Path) -> None:
    settings = Settings(home=scrubbed)
    engine = open_engine(settings)
    listening = Listening(engine, settings, lambda _: None, lambda _: None, {})
    event = Event(utc_now(), "syslog", Kind.login, "127.84.3.1", "x", "olt-mauk", 1, (("user", "vendor1"),))
    listening._event(event)
    assert asyncio.run(listening.flush())
    assert [r["rule"] for r in rows(siaga)] == ["login-outside-window"]
    with reading(engine) as opened:
        assert len(opened.exec(select(DeviceEvent)).all()) == 1


@pytest.mark.parametrize("line", [e for e in tomllib.loads(LINES.read_text())["line"] if e["event"] == "login"],
                         ids=lambda e: e["platform"])  # fmt: skip
def test_the_login_of_each_platform_is_a_login_of_somebody(line: dict[str, str]) -> None:
    kind, details = patterns().meaning(line["text"], line["platform"]) or (None, ())
    assert kind is Kind.login
    login = login_of(Event(NOW, "syslog", kind, "10.1.1.1", line["text"], "dev", 1, details))
    assert login is not None
    assert (login.user, login.source) == (line["user"], line.get("from", ""))
