"""What devices told is kept once, told on, and removed in time; what it makes desirable stays until it is done."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

import inventory.store
from inventory.store import open_engine, reading, session
from monitor.listen import keep
from monitor.listen.event import Event, Kind, Wish
from monitor.listen.keep import EventSink, trim
from monitor.models import DeviceEvent
from monitor.out import stream
from monitor.wishes import BACKUP, done, wish, wishes
from tests.cli_runner import Siaga, runner
from tests.monitor.out_world import EVIL, regency

NOW = datetime(2026, 3, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(regency(tmp_path / "home", NOW))
    yield opened
    opened.dispose()


def event(after_s: float = 0, text: str = "linkDown: ether1", **more: Any) -> Event:
    told = {"device": "rtr-1", "device_id": 1, "details": (("ifIndex", "1"),), **more}
    return Event(NOW + timedelta(seconds=after_s), "trap", Kind.link_down, "127.0.0.1", text, **told)


def rows(engine: Engine) -> list[tuple[Any, ...]]:
    with reading(engine) as opened:
        found = opened.exec(select(DeviceEvent).order_by(col(DeviceEvent.id)))
        return [(r.text, r.times, (r.last_at - r.at).total_seconds(), r.device_id) for r in found]


def told(sink: EventSink, *events: Event) -> bool:
    for one in events:
        sink.event(one)
    return asyncio.run(sink.flush())


def test_the_same_within_a_minute_is_one_row_and_later_another(engine: Engine) -> None:
    sink = EventSink(engine, print)
    assert told(sink, event(), event(1), event(2, "coldStart"))
    assert told(sink, event(59))
    assert told(sink, event(120))
    assert rows(engine) == [
        ("linkDown: ether1", 3, 59, 1), ("coldStart", 1, 0, 1), ("linkDown: ether1", 1, 0, 1)
    ]  # fmt: skip
    assert sink.tally == {"event.kept": 4}


def test_a_stranger_and_a_device_that_was_removed_are_kept_without_one(engine: Engine) -> None:
    sink = EventSink(engine, print)
    assert told(sink, event(device="", device_id=None), event(text="coldStart", device_id=9999))
    sink.wish(Wish(9999, "gone", BACKUP, "why", NOW))
    assert asyncio.run(sink.flush())
    assert [r[3] for r in rows(engine)] == [None, None]
    with reading(engine) as opened:
        assert wishes(opened) == []


def test_what_cannot_be_written_waits_and_is_written_once(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory.store, "BUSY_TIMEOUT_MS", 20)
    said: list[str] = []
    sink = EventSink(engine, said.append)
    with closing(sqlite3.connect(tmp_path / "home" / "siaga.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        sink.wish(Wish(1, "rtr-1", BACKUP, "changed", NOW))
        assert not told(sink, event())
        assert not told(sink, event(1), event(2, "coldStart"))
        other.execute("ROLLBACK")
    assert len(said) == 1
    assert told(sink)
    assert rows(engine) == [("linkDown: ether1", 2, 1, 1), ("coldStart", 1, 0, 1)]
    with reading(engine) as opened:
        assert [(w.device, w.why) for w in wishes(opened)] == [("rtr-1", "changed")]


def test_a_flood_is_bounded_and_counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "MOST_WAITING", 3)
    sink = EventSink(engine, print)
    assert told(sink, *(event(n, f"vendor {n}") for n in range(5)), event(6, "vendor 0"))
    assert len(rows(engine)) == 3
    assert sink.tally == {"event.lost": 2, "event.kept": 3}


def test_old_ones_go_and_so_do_too_many(engine: Engine) -> None:
    told(EventSink(engine, print), *(event(n, f"vendor {n}") for n in range(6)))
    with session(engine) as writing:
        assert trim(writing, NOW + timedelta(seconds=2)) == 2
        assert trim(writing, NOW, most=3) == 1
    assert [r[0] for r in rows(engine)] == ["vendor 3", "vendor 4", "vendor 5"]


def test_a_wish_is_one_row_until_it_is_done_and_one_that_came_meanwhile_stays(engine: Engine) -> None:
    for after_s in (0, 30):
        with session(engine) as writing:
            wish(writing, 1, BACKUP, f"changed {after_s}", NOW + timedelta(seconds=after_s))
    with session(engine) as writing:
        (one,) = wishes(writing)
        assert (one.device, one.times, one.why) == ("rtr-1", 2, "changed 30")
        assert (one.at, one.last_at) == (NOW, NOW + timedelta(seconds=30))
        assert not done(writing, 1, BACKUP, began=NOW + timedelta(seconds=29))
        assert done(writing, 1, BACKUP, began=NOW + timedelta(seconds=31))
        assert not done(writing, 1, BACKUP, began=NOW + timedelta(seconds=31))
        assert wishes(writing) == []


def test_the_stream_and_the_list_tell_it_safely(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIAGA_HOME", str(tmp_path / "home"))
    siaga: Siaga = runner(capsys)
    with reading(engine) as opened:
        before = stream.begin(opened, None)
    told(EventSink(engine, print), event(), event(1, EVIL, device="", device_id=None))
    with reading(engine) as opened:
        found, after = stream.look(opened, before)
        assert stream.look(opened, after) == ([], after)
    assert [(e["event"], e["id"], e["device"]) for e in found] == [
        ("message", "message-1", "rtr-1"), ("message", "message-2", "")
    ]  # fmt: skip
    assert "\x1b" not in "".join(map(stream.line, found))
    listed = json.loads(
        siaga("event", "heard", "name=rtr-1", "--since", "2020-01-01", "-o", "json").well().out
    )
    assert [(r["device"], r["kind"], r["times"], r["details"]) for r in listed] == [
        ("rtr-1", "link-down", 1, {"ifIndex": "1"})
    ]
    assert "\x1b" not in siaga("event", "heard", "--since", "2020-01-01").well().out
    assert "Is [monitor] listen on" in siaga("event", "heard", "--kind", "reload").well().err


def test_a_cursor_of_before_messages_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "cursor"
    place.write_text('{"state": 3, "alert": 2, "change": 1, "open": [2]}')
    assert stream.read(place) == stream.Cursor(3, 2, 1, (2,), 0)
