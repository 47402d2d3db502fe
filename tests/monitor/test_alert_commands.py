"""The commands on alerts, maintenance and telling do what they say, and say clearly what they cannot do."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

import monitor.rules
from inventory.store import session
from monitor.models import Alert, StateChange
from monitor.observation import Processor
from monitor.samples import Asked, Sample, open_samples, polls_of
from siaga.clock import utc_now
from tests.cli_runner import Siaga, runner
from tests.monitor.alarm_world import Net, net, read


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Net]:
    """A network that was watched until a minute ago, of which one router is down."""
    monkeypatch.setenv("SIAGA_HOME", str(tmp_path / "net"))
    with net(tmp_path / "net", now=utc_now() - timedelta(minutes=10)) as made:
        for n in range(6):
            made.dead = {"rtr-a"} if n > 2 else set()
            made.round()
        yield made


def rows(siaga: Siaga, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(siaga(*words, "-o", "json").well().out)
    return found


def test_what_is_wrong_is_listed_and_shown_with_its_evidence(world: Net, siaga: Siaga) -> None:
    (row,) = rows(siaga, "alert", "list")
    assert (row["device"], row["severity"], row["acked_by"]) == ("rtr-a", "critical", "")
    assert rows(siaga, "alert", "list", "rtr-b") == []
    one = json.loads(siaga("alert", "show", row["id"], "-o", "json").well().out)
    assert one["evidence"][0]["probes"][-1]["reach"] == "silent"
    assert one["told"][0]["status"] == "waiting"
    assert "Periksa listrik" in one["procedure"]
    siaga("alert", "show", 99).failed(3, "no-such-alert")


def test_an_alert_is_taken_and_written_on(world: Net, siaga: Siaga) -> None:
    siaga("alert", "ack", 1, "--until", "4h", "--why", "teknisi di jalan").well()
    siaga("alert", "note", 1, "PLN padam").well()
    siaga("alert", "note", 1, " ").failed(2, "no-text")
    one = json.loads(siaga("alert", "show", 1, "-o", "json").well().out)
    assert [n["text"] for n in one["notes"]] == ["acknowledged: teknisi di jalan", "PLN padam"]
    assert one["acked_until"] > one["acked_at"]
    siaga("alert", "ack", 1, "--until", "2020-01-01").failed(2, "bad-time")
    world.dead.clear()
    world.round()
    siaga("alert", "ack", 1).failed(5, "alert-closed")


def test_a_silence_holds_is_listed_and_lifted(world: Net, siaga: Siaga) -> None:
    siaga("alert", "silence", "role=router", "--rule", "device-down", "--until", "2h", "--why", "gali").well()
    (row,) = rows(siaga, "alert", "silence")
    assert (row["rule"], row["selector"], row["why"]) == ("device-down", "role=router", "gali")
    siaga("alert", "silence", "role=router").failed(2, "no-end")
    siaga("alert", "silence", "--rule", "device-dwon", "--until", "2h").failed(3, "no-such-rule")
    siaga("alert", "silence", "--lift", row["id"]).well()
    assert rows(siaga, "alert", "silence") == []
    siaga("alert", "silence", "--lift", row["id"]).failed(3, "no-such-silence")


def test_a_limit_is_explained_by_the_layer_that_gives_it(world: Net, siaga: Siaga) -> None:
    siaga("layer", "add", "00-umum", 'var.alerts={"cpu-busy":{"warning":{"above":70}}}').well()
    siaga("layer", "add", "router", "role=router", 'var.alerts={"cpu-busy":{"warning":{"above":60}}}').well()
    found = {
        r["key"]: (r["value"], r["layer"], r["over"])
        for r in rows(siaga, "alert", "explain", "rtr-a", "cpu-busy")
    }
    assert found["warning.above"] == (60, "router", "00-umum: 70")
    assert found["warning.clear"] == (55, "(moved along with its limit)", "")
    assert found["critical.above"] == (95, "cpu-busy.toml", "")
    siaga("device", "set", "rtr-a", 'var.alerts={"cpu-busy":{"warning":{"above":"tinggi"}}}').well()
    said = siaga("alert", "explain", "rtr-a", "cpu-busy").well()
    assert "alerts.cpu-busy.warning.above" in said.err
    assert "of the class siaga" in siaga("alert", "explain", "rtr-a", "poller-late").well().err
    assert siaga("explain", "rtr-a", "alerts.cpu-busy.warning.above").well().out.count("60") == 1


@pytest.mark.parametrize("emptied", ["transport=none", "address="])
def test_of_one_that_is_not_asked_any_more_no_state_is_told(emptied: str, world: Net, siaga: Siaga) -> None:
    assert [r["state"] for r in rows(siaga, "status", "rtr-a")] == ["down"]
    siaga("device", "set", "rtr-a", emptied).well()
    (row,) = rows(siaga, "status", "rtr-a")
    assert (row["state"], row["since"], row["reason"][:14]) == ("not observed", None, "Nobody asks it")


def test_a_replay_names_a_broken_rule_and_is_of_the_past(world: Net, siaga: Siaga) -> None:
    (world.home / "rules").mkdir()
    (world.home / "rules" / "mine.toml").write_text("nonsense")
    assert "mine.toml: it is not valid TOML" in siaga("alert", "test", "--since", "1h").well().err
    siaga("alert", "test", "--since", "2199-01-01").failed(2, "empty-window")


def test_rules_are_listed_and_a_broken_one_is_named(world: Net, siaga: Siaga) -> None:
    shipped = {path.stem for path in Path(monitor.rules.__file__).parent.glob("*.toml")}
    assert {r["name"] for r in rows(siaga, "alert", "rules")} == shipped
    (world.home / "rules").mkdir()
    (world.home / "rules" / "mine.toml").write_text("of = 'moon'")
    problems = siaga("alert", "rules").failed(5, "bad-rules")
    assert any("mine.toml: of" in p for p in problems)


def test_a_state_that_a_rule_waits_for_is_replayed_to_the_second(world: Net, siaga: Siaga) -> None:
    began = world.now.replace(microsecond=0) - timedelta(minutes=30)
    with session(world.engine) as writing:
        for after, at in (("degraded", began), ("up", began + timedelta(minutes=20))):
            writing.add(StateChange(device_id=world.ids["core"], at=at, before="", after=after, reason=""))
    (found,) = [r for r in rows(siaga, "alert", "test", "device-degraded") if r["device"] == "core"]
    assert datetime.fromisoformat(found["start"]) == began + timedelta(seconds=120)
    assert datetime.fromisoformat(found["end"]) == began + timedelta(minutes=20)


def test_a_rule_is_replayed_over_what_is_stored(world: Net, siaga: Siaga) -> None:
    now, device = world.now, world.ids["core"]
    loads = [20, 20, 90, 97, 90, 20, 20, 88]
    times = [now - timedelta(minutes=len(loads) - n) for n in range(len(loads))]
    loaded = [Sample(device, "cpu", "", t, load * 100) for t, load in zip(times, loads, strict=True)]
    with open_samples(world.home) as samples:
        samples.write(polls_of(loaded, [Asked(device, t, True) for t in times]))
    before = len(world.alerts(closed=True))
    found = rows(siaga, "alert", "test", "cpu-busy", "--since", "1d")
    assert (found[0]["device"], found[0]["severity"], found[0]["lasted_s"]) == ("core", "critical", 180)
    assert (found[1]["severity"], found[1]["end"]) == ("warning", None)
    assert len(world.alerts(closed=True)) == before
    assert [r["device"] for r in rows(siaga, "alert", "test", "device-down", "--since", "1h")] == ["rtr-a"]
    every = rows(siaga, "alert", "test", "--since", "1d")
    assert {"cpu-busy", "device-down"} <= {r["rule"] for r in every}
    assert [r["start"] for r in every if r["rule"] == "cpu-busy"] == [r["start"] for r in found]
    siaga("alert", "test", "sensor-state").failed(5, "not-kept")
    siaga("alert", "test", "cpu").failed(3, "no-such-rule")


def test_maintenance_is_planned_seen_and_ended(world: Net, siaga: Siaga) -> None:
    siaga(
        "maintenance", "add", "ups", "place.under=Mauk", "--until", "4h", "--ends-early", "--cause", "job 7"
    ).well()
    siaga("maintenance", "add", "malam", "rtr-b", "--every", "Sat 22.00-02.00").well()
    found = {r["name"]: r for r in rows(siaga, "maintenance", "list")}
    assert (found["ups"]["open"], found["ups"]["devices"], found["ups"]["cause"]) == (True, 5, "job 7")
    world.now = utc_now()
    world.rescene()
    world.round()
    assert set(world.states().values()) == {"maintenance"}
    siaga("maintenance", "end", "ups").well()
    world.now = utc_now()
    world.rescene()
    world.round(1)
    assert world.states()["core"] == "up"
    siaga("maintenance", "rm", "malam").well()
    assert rows(siaga, "maintenance", "list") == []
    assert len(rows(siaga, "maintenance", "list", "--all")) == 1


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("x", "rtr-b"), 2, "no-end"),
        (("x", "role=olt", "--until", "2h"), 3, "nothing-selected"),
        (("x", "rtr-b", "--every", "whenever"), 5, "bad-hours"),
        (("x", "rtr-b", "--from", "3h", "--until", "2h"), 5, "bad-window"),
        (("x", "rtr-b", "--until", "yesterday"), 2, "bad-time"),
    ],
)
def test_a_window_that_cannot_be_is_refused(
    words: tuple[str, ...], code: int, error: str, world: Net, siaga: Siaga
) -> None:
    siaga("maintenance", "add", *words).failed(code, error)
    siaga("maintenance", "end", "x").failed(3, "no-such-window")


def test_what_is_due_is_told_and_listed(world: Net, siaga: Siaga) -> None:
    assert "1 wait" in siaga("notify", "list").well().err
    siaga("notify", "run").well()
    (row,) = rows(siaga, "notify", "list")
    assert (row["route"], row["channel"], row["result"]) == ("default", "file", "sent")
    assert [r["name"] for r in rows(siaga, "notify", "routes")] == ["default"]
    siaga("notify", "test", "default").well()
    assert [m["event"] for m in world.told()] == ["opened", "test"]
    siaga("notify", "test", "nobody").failed(3, "no-such-route")


def test_what_cannot_be_told_is_said_with_the_exit_code_of_a_part(
    world: Net, siaga: Siaga, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "siaga.toml"
    config.write_text(
        '[[routes]]\nname = "hook"\nchannel = "webhook"\noptions = { url = "http://127.0.0.1:1/x" }\n'
    )
    monkeypatch.setenv("SIAGA_CONFIG", str(config))
    problems = siaga("notify", "test", "hook").failed(7, "not-told")
    assert "ConnectError" in problems[0]
    with session(world.engine) as writing:
        row = writing.exec(select(Alert)).one()
        assert row.closed_at is None


def test_the_shown_parts_of_a_device_open_alerts(world: Net, siaga: Siaga) -> None:
    world.parts["rtr-b"] = read("rtr-b", processors=(Processor("0", 91.0),))
    world.round()
    found = rows(siaga, "alert", "list", "rtr-b")
    assert [r["text"] for r in found] == ["The processors of rtr-b are 91 % busy (limit 85 %)."]
    with session(world.engine) as writing:
        changes = writing.exec(select(StateChange)).all()
    assert all(c.evidence for c in changes)
