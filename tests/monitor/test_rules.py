"""Rules: strict files, limits by layers, delay, hysteresis, gaps that are no news; each rule finds its trouble."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts import Key, Sight, decide
from monitor.news import flows
from monitor.observation import (
    Mempool,
    Observation,
    Port,
    Processor,
    Reach,
    Sensor,
    Storage,
    Thresholds,
)
from monitor.observation import State as SensorState
from monitor.rules import files
from monitor.rules.format import Rule, filled
from monitor.rules.replay import rings
from monitor.rules.subjects import Around, Committed, Flow, Subject, Wired, of_state, said, subjects
from monitor.rules.thresholds import effective, limits, with_own_limits
from monitor.rules.values import shown
from monitor.rules.verdict import NOTHING, Memory, Value, as_json, from_json, step, verdict
from monitor.state import Limits
from monitor.store import named_ports
from siaga.errors import InvalidError

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
RULES = files.load(Path("/nowhere"))
WORDS = {"id": "x", "en": "x"}


def rule(**more: Any) -> Rule:
    tree = {
        "name": "own",
        "title": WORDS,
        "text": WORDS,
        "procedure": WORDS,
        "of": "device",
        "measure": "cpu_pct",
    }
    return Rule.model_validate({"warning": {"above": 80, "clear": 70}, **tree, **more})


def opens(one: Rule, values: Iterable[Value], every_s: float = 60.0) -> list[str]:
    memory, found = NOTHING, []
    for n, value in enumerate(values):
        memory = step(one, memory, value, T0 + timedelta(seconds=every_s * n))
        found.append(memory.open)
    return found


W, C = "warning", "critical"


@pytest.mark.parametrize(
    ("one", "values", "severities"),
    [
        (rule(), [79, 80, 75, 71, 70, 79], ["", W, W, W, "", ""]),
        (rule(for_s=120), [90, 90, 90, 60, 90, 90], ["", "", W, "", "", ""]),
        (rule(clear_for_s=120), [90, 60, 90, 60, 60, 60], [W, W, W, W, W, ""]),
        (rule(for_s=120), [90, None, 90, 90, 90], ["", "", "", "", W]),
        (rule(), [90, None, None, 60], [W, W, W, ""]),
        (rule(critical={"above": 95, "clear": 90}), [85, 96, 92, 85, 75, 60], [W, C, C, W, W, ""]),
        (rule(warning={"below": 20, "clear": 30}), [50, 20, 25, 30], ["", W, W, ""]),
        (rule(warning={"equals": ["Battery"]}), ["normal", "battery", None, "normal"], ["", W, W, ""]),
        (rule(warning={"rises": 5}, within_s=180), [1, 2, 6, 6, 6, 6, 6], ["", "", W, W, "", "", ""]),
        (rule(warning={"missing_s": 120}), [1, None, None, None, 1], ["", "", W, W, ""]),
    ],
)
def test_a_rule_holds(one: Rule, values: list[Value], severities: list[str]) -> None:
    assert opens(one, values) == severities
    history = [(T0 + timedelta(minutes=n), v) for n, v in enumerate(values)]
    assert verdict(one, history) == severities[-1]


def test_a_clock_that_steps_neither_opens_nor_ends_anything() -> None:
    one = rule(for_s=900)
    memory = step(one, NOTHING, 90, T0)
    memory = step(one, memory, 90, T0 + timedelta(hours=1))
    assert (memory.open, memory.held_s) == ("", {W: 300.0})  # one gap, however long
    memory = step(one, memory, 90, T0)  # an hour back
    assert memory.held_s == {W: 300.0}


VALUES = st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=40)


@given(VALUES, st.sampled_from([0.0, 60.0, 180.0]), st.sampled_from([0.0, 120.0]))
def test_it_opens_only_with_cause_and_ends_only_with_one(
    values: list[float | None], for_s: float, clear_for_s: float
) -> None:
    one = rule(for_s=for_s, clear_for_s=clear_for_s)
    before = ""
    for value, now in zip(values, opens(one, values), strict=True):
        if now and not before:
            assert value is not None
            assert value >= 80
        if before and not now:
            assert value is not None
            assert value <= 70
        before = now


@given(VALUES, st.integers(0, 40))
def test_memory_outlives_a_restart(values: list[float | None], cut: int) -> None:
    one = rule(for_s=120, clear_for_s=120, critical={"rises": 30}, within_s=300)
    whole, kept = NOTHING, NOTHING
    for n, value in enumerate(values):
        at = T0 + timedelta(minutes=n)
        whole, kept = step(one, whole, value, at), step(one, kept, value, at)
        kept = from_json(as_json(kept)) if n == cut else kept
    assert kept == whole


@given(VALUES)
def test_the_replay_rings_when_the_monitor_would(values: list[float | None]) -> None:
    one = rule(for_s=60)
    history = [(T0 + timedelta(minutes=n), v) for n, v in enumerate(values)]
    live = opens(one, values)
    found = list(rings(1, "", one, history))
    starts = [t for (t, _), now, old in zip(history, live, ["", *live], strict=False) if now and not old]
    assert [r.start for r in found] == starts
    assert sum(r.end is None for r in found) == int(bool(live) and live[-1] != "")


# --- files -------------------------------------------------------------------------------------------------


def test_the_rules_ship_each_with_what_to_do_in_both_languages() -> None:
    assert len(RULES) == 28
    for one in RULES.values():
        assert len(one.procedure.id) > 30
        assert len(one.procedure.en) > 30


BAD = {
    "no TOML": ("= 1", "not valid TOML"),
    "an unknown key": ('colour = "red"', "colour: Extra inputs are not permitted"),
    "an unknown class": ('of = "moon"', "of: Input should be"),
    "two conditions": ("[critical]\nabove = 1\nbelow = 2", "exactly one of above"),
    "an end that never comes": ("[critical]\nabove = 10\nclear = 20", "an alert would never end"),
    "a rule that is not there": ('yields_to = ["nobody"]', "there is no such rule"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_broken_file_keeps_the_old_rules_and_says_why(what: str, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    path = tmp_path / "rules" / "cpu-busy.toml"
    good = Path("monitor/rules/cpu-busy.toml").read_text()
    path.write_text(good.replace("above = 85\nclear = 80", "above = 50\nclear = 40"))
    before = files.load(tmp_path)
    assert before["cpu-busy"].warning.above == 50  # type: ignore[union-attr]
    added, why = BAD[what]
    top = (
        good.replace("above = 95\nclear = 90", "").replace("[critical]", "")
        if "[critical]" in added
        else good
    )
    path.write_text(f"{top}\n{added}" if added.startswith("[") else f"{added}\n{top.replace('of =', '#')}")
    if what == "a rule that is not there":
        path.write_text(f"{added}\n{good}")
    kept = files.reload(tmp_path, before)
    assert kept.rules is before
    assert any(why in p for p in kept.problems), kept.problems
    with pytest.raises(InvalidError) as caught:
        files.load(tmp_path)
    assert caught.value.code == "bad-rules"


def test_without_any_good_set_siagas_own_rules_hold(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "x.toml").write_text("nonsense")
    assert len(files.reload(tmp_path, None).rules) == 28


def test_at_a_start_a_broken_file_takes_no_other_along(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    good = Path("monitor/rules/cpu-busy.toml").read_text()
    (folder / "own.toml").write_text(good)
    (folder / "behind-broken.toml").write_text(f'yields_to = ["broken"]\n{good}')
    (folder / "broken.toml").write_text("nonsense")
    (folder / "cpu-busy.toml").write_text("nonsense")
    loaded = files.reload(tmp_path, None)
    assert {"own", "behind-broken"} <= loaded.rules.keys()
    assert loaded.rules["cpu-busy"].warning.above == 85  # type: ignore[union-attr]
    assert loaded.unread == {"broken"}
    assert len(loaded.problems) == 2


def test_what_is_put_into_a_text_is_not_looked_at_again() -> None:
    text = filled("{device}: {value} {nobody}", device="{value}", subject="", value="{limit}", limit="1")
    assert text == "{value}: {limit} {nobody}"


# --- limits ------------------------------------------------------------------------------------------------


def test_a_layer_moves_a_limit_and_its_clear_goes_along() -> None:
    own, problem = effective(RULES["cpu-busy"], {"warning": {"above": 70}, "for_s": 600})
    assert problem == ""
    assert own.warning is not None
    assert (own.warning.above, own.warning.clear, own.for_s) == (70, 65, 600)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("much", "must be a mapping"),
        ({"of": "disk"}, "nothing a layer may say"),
        ({"warning": {"above": "viel"}}, "warning.above"),
        ({"warning": {"below": 3}}, "exactly one of"),
        ({"for_s": -1}, "for_s"),
    ],
)
def test_a_layer_that_cannot_be_meant_changes_nothing_and_is_told(said: Any, why: str) -> None:
    own, problem = effective(RULES["cpu-busy"], said)
    assert own is RULES["cpu-busy"]
    assert why in problem


def test_the_sensors_own_limits_come_first() -> None:
    own = with_own_limits(RULES["temperature-high"], Thresholds(critical=60.0))
    assert own.warning is None
    assert own.critical is not None
    assert (own.critical.above, own.critical.clear) == (60.0, 57.0)
    assert with_own_limits(RULES["temperature-high"], None) is RULES["temperature-high"]


def test_the_limits_of_states_are_layered_and_a_core_is_called_sooner() -> None:
    core, access = (limits(role, None, patient=True)[0] for role in ("core-router", "ap"))
    assert core.grace_s < access.grace_s
    assert limits("ap", {"failures": 5, "grace_s": 120}, patient=True)[0].failures == 5
    assert limits("ap", None, patient=False) == (Limits(patience=0), "")
    assert "must be a number" in limits("ap", {"failures": 0}, patient=True)[1]
    assert "may say" in limits("ap", {"fails": 3}, patient=True)[1]


# --- each shipped rule, on what a device says -------------------------------------------------------------


def seen(**more: Any) -> Observation:
    return Observation("rtr", "127.0.0.1", 161, "snmp", T0, Reach.up, **more)


def state(descr: str, label: str, severity: str) -> Observation:
    return seen(sensors=(Sensor("state", descr, 1.0, "", state=SensorState(label, severity)),))


def parts(observation: Observation, **around: Any) -> list[Subject]:
    return list(subjects(observation, named_ports(observation.ports), Around(**around)))


WAN = seen(ports=(Port(1, "wan", ifAdminStatus="up", ifOperStatus="down"),))
PROMISED = {"wan": Committed("c", 50_000_000, 50_000_000)}
FINDINGS: list[tuple[list[Subject], str, str, str]] = [
    ([of_state("down")], "device-down", "", C),
    ([of_state("degraded")], "device-degraded", "", W),
    ([of_state("flapping")], "device-flapping", "", W),
    (parts(seen(processors=(Processor("0", 97.0),))), "cpu-busy", "", C),
    (parts(seen(processors=(Processor("0", 100.0), Processor("1", 72.0)))), "cpu-busy", "", W),
    (parts(seen(mempools=(Mempool("RAM", 98.0),))), "memory-full", "RAM", C),
    (parts(seen(storage=(Storage("/var", 96.0),))), "disk-full", "/var", C),
    (parts(seen(sensors=(Sensor("temperature", "CPU", 80.0, "°C"),))), "temperature-high", "CPU", W),
    (
        parts(seen(sensors=(Sensor("temperature", "CPU", 61.0, "°C", limits=Thresholds(60.0, 50.0)),))),
        "temperature-high",
        "CPU",
        C,
    ),
    (parts(state("Fan 1", "failed", "critical")), "sensor-state", "Fan 1", C),
    (parts(state("Output source", "battery", "critical")), "ups-on-battery", "", C),
    (parts(state("Battery replacement", "needed", "critical")), "ups-replace-battery", "", W),
    (
        parts(seen(sensors=(Sensor("charge", "Battery charge", 19.0, "%"),))),
        "ups-charge-low",
        "Battery charge",
        C,
    ),
    (parts(WAN, flows={"wan": Flow(41e6, 1e6)}, committed=PROMISED), "bandwidth-near-contract", "wan in", W),
    (parts(WAN, flows={"wan": Flow(errors_per_min=90.0)}), "interface-errors", "wan", W),
    (parts(WAN, flows={"wan": Flow(discards_per_min=900.0)}), "interface-discards", "wan", W),
    (parts(WAN, links={"wan": Wired("metro-1")}), "link-down", "metro-1", C),
    (
        parts(WAN, flows={"wan": Flow(3e6, 1e6)}, links={"wan": Wired("sat-1", "backup", away=True)}),
        "backup-link-in-use",
        "sat-1",
        W,
    ),
    (parts(seen(), config_age_s=8 * 86400.0), "config-not-backed-up", "", W),
    ([Subject("service", "e-planning", {"certificate_days": 5.0})], "certificate-expiring", "e-planning", C),
    ([Subject("login", "rtr-1", {"host_key": "changed"})], "host-key-changed", "rtr-1", C),
    ([Subject("findings", "rtr-1", {"worst": "critical"})], "finding-critical", "rtr-1", W),
    ([Subject("findings", "rtr-1", {"logins": "not foreseen"})], "login-not-foreseen", "rtr-1", W),
    ([Subject("service", "e-planning", {"verdict": "critical"})], "service-wrong", "e-planning", C),
    ([Subject("siaga", "", {"late_s": 400.0})], "poller-late", "", C),
    ([Subject("siaga", "", {"unpolled": 2, "late_s": 3.0})], "poller-unpolled", "", W),
    ([Subject("siaga", "", {"waiting": 30_000})], "poller-queue", "", W),
    ([Subject("siaga", "", {"lost_hour": 7})], "poller-lost", "", C),
    ([Subject("siaga", "", {"uplink": "down"})], "uplink-down", "", C),
    ([of_state("unreachable")], "device-unreachable", "", W),
]


def rung(found: list[Subject]) -> set[tuple[str, str, str]]:
    """Return what opens when this stays so for two hours."""
    memories: dict[Key, Memory] = {}
    opened: dict[Key, str] = {}
    for n in range(30):
        sight = Sight(T0 + timedelta(minutes=4 * n))
        decision = decide(tuple(RULES.values()), found, memories, opened, sight)
        memories |= decision.memories
        for change in decision.changes:
            opened[change.key] = change.severity
    return {(k.rule, k.subject, s) for k, s in opened.items()}


@pytest.mark.parametrize(("found", "name", "subject", "severity"), FINDINGS)
def test_each_rule_finds_its_trouble_and_no_other_does(
    found: list[Subject], name: str, subject: str, severity: str
) -> None:
    assert rung(found) == {(name, subject, severity)}


def test_every_shipped_rule_is_proved() -> None:
    assert {f[1] for f in FINDINGS} == set(RULES)


def test_nothing_is_found_where_all_is_well_or_nothing_was_seen() -> None:
    well = seen(
        processors=(Processor("0", 10.0),),
        mempools=(Mempool("Cached memory", 99.0),),
        sensors=(Sensor("state", "Fan", 1.0, "", state=SensorState("ok", "ok")),),
        ports=(Port(1, "wan", ifAdminStatus="down", ifOperStatus="down"),),
    )
    assert rung([of_state("up"), *parts(well, links={"wan": Wired("metro-1")})]) == set()
    assert rung([of_state("not observed")]) == set()
    assert rung([of_state("maintenance")]) == set()


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("devfs: dev file system, mounted on: /dev", False),
        ("/dev/md3, mounted on: /packages/mnt/jdocs-dc-re-14.1X53-D40.8", False),
        ("/dev/md1, mounted on: /junos", False),
        ("/dev/md17.uzip, mounted on: /.mount/packages/db/os-kernel", False),
        ("/dev, type: devfs, dev: devfs", False),
        ("/snap/core20/1974", False),
        ("/media/cdrom0", False),
        ("/dev/md10, mounted on: /tmp", True),
        ("/dev/shm", True),
        ("/media/data", True),
        ("/srv/snap", True),
    ],
)
def test_what_is_full_by_its_nature_rings_no_alarm(name: str, full: bool) -> None:
    assert rung(parts(seen(storage=(Storage(name, 100.0),)))) == ({("disk-full", name, C)} if full else set())


@pytest.mark.parametrize("kind", ["recording", "firmware"])
def test_what_is_meant_to_be_full_rings_no_alarm(kind: str) -> None:
    assert rung(parts(seen(storage=(Storage("Disk 1", 100.0, kind=kind),)))) == set()


def test_a_link_is_not_told_while_the_device_behind_it_is_away() -> None:
    assert rung(parts(WAN, links={"wan": Wired("metro-1", away=True)})) == set()


def _states(tree: Any) -> Iterator[tuple[str, str]]:
    """Yield (title, label) of every state in a platform's file, placeholders as a number."""
    if isinstance(tree, dict):
        codes = tree.get("states")
        if tree.get("class") == "state" and isinstance(codes, dict):  # a text names a list of another file
            for code in codes.values():
                yield re.sub(r"\{\w+\}", "1", str(tree.get("title"))), str(code).partition(" ")[2]
        tree = list(tree.values())
    for inner in tree if isinstance(tree, list) else ():
        yield from _states(inner)


@pytest.mark.parametrize("name", ["ups-on-battery", "ups-replace-battery"])
def test_every_word_of_the_rules_on_ups_is_said_by_some_make(name: str) -> None:
    makes = [tomllib.loads(p.read_text()) for p in sorted(Path("inventory/platforms").glob("*.toml"))]
    known = {said(title, label).casefold() for make in makes for title, label in _states(make)}
    one = RULES[name]
    level = one.critical or one.warning
    assert level is not None
    assert [w for w in level.equals if w.casefold() not in known] == []


def test_two_parts_of_one_name_are_two_and_never_two_alerts_of_one() -> None:
    pools = parts(seen(mempools=(Mempool("RAM", 10.0), Mempool("RAM", 98.0))))
    assert rung(pools) == {("memory-full", "RAM #2", C)}
    assert rung([Subject("disk", "/", {"used_pct": 99.0})] * 2) == {("disk-full", "/", C)}


def test_many_sensors_of_one_ups_are_one_alert() -> None:
    both = parts(state("Output source", "battery", "critical")) + parts(
        state("Battery charging", "discharging", "critical")
    )
    assert rung(both) == {("ups-on-battery", "", C)}


def test_counters_come_to_rates_only_over_a_sound_interval_that_ends_now() -> None:
    port = {"wan": Port(1, "wan", speed_bps=10**9)}
    before = T0 - timedelta(seconds=60)
    series = {
        (1, "in_octets_64", "wan"): [(before, 0), (T0, 60 * 5_000_000)],
        (1, "in_errors", "wan"): [(before, 10), (T0, 40)],
        (1, "out_errors", "wan"): [(before, 40), (T0, 10)],  # it went back: no rate
    }
    assert flows(1, port, series, T0)["wan"] == Flow(40_000_000.0, None, 30.0, None)
    assert flows(1, port, series, T0 + timedelta(minutes=5))["wan"] == Flow()


def test_a_value_is_shown_with_its_unit() -> None:
    assert [
        shown(v, u)
        for v, u in ((None, "%"), (97.4, "%"), (3.0, ""), (2.5e6, "bps"), (90.0, "s"), (61.0, "/min"))
    ] == [
        "-",
        "97 %",
        "3",
        "2.5 Mbps",
        "1m 30s",
        "61/min",
    ]
    assert shown("\x1b[2J" + "x" * 500, "")[:3] == "[2J"
