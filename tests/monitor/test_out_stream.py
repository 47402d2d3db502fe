"""`siaga event follow`: what happens is told once, by its time, and a reader who was away misses nothing."""

import json
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from inventory.history import Author
from inventory.store import open_engine, reading, session
from inventory.writing import Writer
from monitor.models import Alert, StateChange
from monitor.out.stream import Cursor, begin, line, look
from siaga.clock import utc_now
from tests.cli_runner import Siaga, runner, started, until
from tests.monitor.out_world import EVIL, regency

NOW = utc_now().replace(microsecond=0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    regency(tmp_path / "home", NOW - timedelta(hours=2))
    return tmp_path / "home"


@pytest.fixture
def siaga(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Siaga:
    monkeypatch.setenv("SIAGA_HOME", str(home))
    return runner(capsys)


def engine(home: Path) -> Any:
    from siaga.settings import Settings

    return open_engine(Settings(home=home))


def happened(home: Path, minutes: int = 10) -> None:
    """A device goes down, an alert is opened, the one of before is closed, and somebody writes it down."""
    at = NOW - timedelta(minutes=minutes)
    with session(engine(home)) as writing:
        writing.add(StateChange(device_id=1, at=at, before="up", after="down", reason=EVIL))
        writing.add(
            Alert(device_id=1, rule="device-down", severity="critical", text=EVIL, opened_at=at + timedelta(minutes=1),
                  open_key=f"device-down/{minutes}")
        )  # fmt: skip
        before = writing.exec(select(Alert).order_by(Alert.id)).first()  # type: ignore[arg-type]
        assert before
        before.closed_at, before.closed_why, before.open_key = at + timedelta(minutes=2), "recovered", None
        writing.add(before)
        writer = Writer(writing, Author("budi", at + timedelta(minutes=3)))
        writer.put("place", {"name": f"Kemiri {minutes}", "kind": "kecamatan"})
        writer.flush()
        writer.finish()


def told(said: str) -> list[dict[str, Any]]:
    return [json.loads(row) for row in said.splitlines()]


KINDS = ["state", "alert-opened", "alert-closed", "change"]


def test_what_happened_is_told_by_its_time(home: Path, siaga: Siaga) -> None:
    happened(home)
    out = siaga("event", "follow", "--once", "--since", "1h").well().out
    events = told(out)
    assert [e["event"] for e in events] == KINDS
    assert [e["at"] for e in events] == sorted(e["at"] for e in events)
    state, opened, closed, change = events
    assert (state["device"], state["before"], state["after"]) == ("rtr-1", "up", "down")
    assert (opened["device"], opened["severity"]) == ("rtr-1", "critical")
    assert (closed["device"], closed["why"], closed["rule"]) == ("rtr-2", "recovered", "device-down")
    assert (change["noun"], change["action"], change["who"]) == ("place", "add", "budi")
    assert out.isascii()
    assert "\x1b" not in out


def test_each_kind_has_its_keys(home: Path, siaga: Siaga) -> None:
    happened(home)
    keys = {e["event"]: list(e) for e in told(siaga("event", "follow", "--once", "--since", "1h").well().out)}
    alert = ["at", "event", "id", "alert", "device", "rule", "subject", "severity", "text", "why"]
    assert keys == {
        "state": ["at", "event", "id", "device", "before", "after", "reason"],
        "alert-opened": alert,
        "alert-closed": alert,
        "change": ["at", "event", "id", "noun", "row_name", "action", "before", "after", "who", "why", "cause",
                   "change_set"],
    }  # fmt: skip


def test_without_a_time_only_what_is_to_come_is_told(home: Path, siaga: Siaga) -> None:
    happened(home)
    assert siaga("event", "follow", "--once").well().out == ""


def test_a_cursor_goes_on_where_the_last_run_ended(home: Path, siaga: Siaga, tmp_path: Path) -> None:
    file = tmp_path / "cursor"
    assert siaga("events", "follow", "--once", "--cursor", file).well().out == ""
    happened(home, 10)
    assert [
        e["event"] for e in told(siaga("events", "follow", "--once", "--cursor", file).well().out)
    ] == KINDS
    assert siaga("event", "follow", "--once", "--cursor", file).well().out == ""
    file.write_text("nonsense")
    siaga("event", "follow", "--once", "--cursor", file).failed(5, "bad-cursor")


def test_whatever_the_looks_are_each_event_is_told_once(home: Path) -> None:
    def looked(at: Cursor, opened: Session) -> tuple[list[str], Cursor]:
        found, moved = look(opened, at)
        return [e["id"] for e in found], moved

    with reading(engine(home)) as opened:
        first = begin(opened, None)
    cursor, ids = first, []
    for minutes in (30, 20, 10):
        happened(home, minutes)
        with reading(engine(home)) as opened:
            some, cursor = looked(cursor, opened)
            ids += some
    with reading(engine(home)) as opened:
        at_once, same = looked(first, opened)
    assert sorted(ids) == sorted(at_once)
    assert len(ids) == len(set(ids))
    assert cursor == same


def test_a_line_stays_a_line() -> None:
    assert line({"a": "x\ny\u2028z"}).count("\n") == 1


def test_it_follows_and_ends_at_a_signal(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "cursor"
    with started(home, "event", "follow", "--cursor", file) as process:
        until(file.exists, "it did not begin")
        happened(home)
        assert process.stdout
        assert [json.loads(process.stdout.readline())["event"] for _ in KINDS] == KINDS
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
