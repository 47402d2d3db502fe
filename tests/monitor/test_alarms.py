"""Alarms end to end: news in, alerts and messages out; no alert without cause, none lost, doubled or stuck."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from inventory.history import Author
from inventory.store import session
from inventory.writing import Writer
from monitor.alarms import News, take
from monitor.models import Alert, Maintenance, Silence, StateChange
from monitor.notify.compose import headline
from monitor.notify.letter import Message
from monitor.observation import Mempool, Processor
from monitor.rules.subjects import Subject
from tests.monitor.alarm_world import TREE, Net, net, read


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Net]:
    with net(tmp_path / "net") as made:
        yield made


class CutOffError(Exception):
    """The process ends here."""


def cut_off(world: Net, news: Mapping[int, News], now: datetime) -> None:
    """Judge a batch, and end before it is committed."""
    with session(world.engine) as writing:
        take(writing, world.scene, news, now)
        raise CutOffError


def settle(world: Net, rounds: int = 3) -> None:
    for _ in range(rounds):
        world.round()


def test_one_alarm_for_a_branch_with_what_it_rests_on(world: Net) -> None:
    settle(world)
    world.dead.add("rtr-a")
    settle(world)
    assert world.open_now() == {("rtr-a", "device-down")}
    assert world.states() == {
        "core": "up",
        "rtr-a": "down",
        "rtr-b": "up",
        "radio": "unreachable",
        "ap": "unreachable",
    }
    (alert,) = world.alerts()
    assert alert.text == "rtr-a is down: no answer in 2 s"
    assert [p["reach"] for p in alert.evidence[0]["probes"]].count("silent") >= 3
    with session(world.engine) as opened:
        changes = opened.exec(select(StateChange).where(StateChange.after == "unreachable")).all()
    assert {c.reason for c in changes} == {"behind rtr-a: no answer in 2 s"}
    assert all(c.evidence for c in changes)
    assert world.recall is not None
    assert world.recall.standings[world.ids["ap"]].reason == "behind rtr-a: no answer in 2 s"


def test_a_recovery_is_told_once_and_only_where_its_alert_was(world: Net) -> None:
    settle(world)
    world.dead.add("rtr-b")
    settle(world)
    world.tell()
    world.dead.clear()
    settle(world)
    world.tell()
    world.tell()
    assert [(m["event"], m["device"]) for m in world.told()] == [("opened", "rtr-b"), ("recovered", "rtr-b")]


def test_the_database_itself_refuses_a_second_open_alert(world: Net) -> None:
    world.dead.add("core")
    settle(world)
    (alert,) = world.alerts()
    twin = Alert(rule="x", severity="warning", text="", opened_at=world.now, open_key=alert.open_key)
    with session(world.engine) as writing, pytest.raises(IntegrityError), writing.begin_nested():
        writing.add(twin)


def test_a_batch_that_is_rolled_back_leaves_nothing_and_is_judged_again(world: Net) -> None:
    settle(world)
    world.dead.add("rtr-b")
    news = {world.ids["rtr-b"]: News((world.heard(world.ids["rtr-b"]),) * 9)}
    with pytest.raises(CutOffError):
        cut_off(world, news, world.now + timedelta(minutes=5))
    assert world.alerts() == []
    assert world.outbox() == []
    settle(world)
    assert world.open_now() == {("rtr-b", "device-down")}


def blink(world: Net, name: str, times: int) -> None:
    """Let a device go and come back, and tell all that is to be told."""
    for _ in range(times):
        for alive in (False, False, True):
            world.dead = set() if alive else {name}
            world.round()
            world.tell()


def test_flapping_is_one_alert_and_one_message_and_ends(world: Net) -> None:
    settle(world)
    blink(world, "rtr-b", 4)
    assert world.open_now() == {("rtr-b", "device-flapping")}
    before = len(world.told())
    blink(world, "rtr-b", 6)
    assert len(world.told()) == before
    settle(world, 60)
    world.tell()
    assert world.alerts() == []
    assert Counter(m["rule"] for m in world.told())["device-flapping"] == 2
    assert Counter(a.closed_why for a in world.alerts(closed=True)) == {"recovered": 2, "flapping": 1}


def test_what_ends_flapping_by_staying_down_has_not_recovered(world: Net) -> None:
    settle(world)
    blink(world, "rtr-b", 4)
    world.dead = {"rtr-b"}
    settle(world, 60)
    world.tell()
    assert world.open_now() == {("rtr-b", "device-down")}
    told = [(m["event"], m["rule"]) for m in world.told()]
    assert told[-2:] == [("opened", "device-flapping"), ("opened", "device-down")]
    assert [a.closed_why for a in world.alerts(closed=True) if a.rule == "device-flapping"] == ["down"]


def test_maintenance_keeps_silent_children_inherit_and_what_is_left_is_told_at_its_end(world: Net) -> None:
    settle(world)
    with session(world.engine) as writing:
        end = world.now + timedelta(hours=2)
        writing.add(Maintenance(name="ganti ups", selector="rtr-a", start=world.now, end=end))
    world.rescene()
    world.dead |= {"rtr-a", "rtr-b"}
    settle(world)
    assert world.open_now() == {("rtr-b", "device-down")}
    assert [world.states()[n] for n in ("rtr-a", "radio", "ap")] == ["maintenance"] * 3
    world.now += timedelta(hours=2)
    world.rescene()
    world.round()
    assert world.open_now() == {("rtr-b", "device-down"), ("rtr-a", "device-down")}


def test_a_window_ends_early_once_its_devices_were_away_and_are_back(world: Net) -> None:
    settle(world)
    with session(world.engine) as writing:
        window = Maintenance(name="w", selector="rtr-b", start=world.now, ends_early=True)
        window.end = world.now + timedelta(hours=8)
        writing.add(window)
    world.rescene()
    for _ in range(10):
        world.round()
        world.rescene()
    assert world.states()["rtr-b"] == "maintenance"  # the work has not begun
    world.dead.add("rtr-b")
    world.round()
    world.dead.clear()
    world.rescene()
    for _ in range(8):
        world.round()
        world.rescene()
    assert world.states()["rtr-b"] == "up"
    assert world.alerts() == []


def test_a_silence_tells_at_its_end_what_is_still_open(world: Net) -> None:
    settle(world)
    with session(world.engine) as writing:
        until = world.now + timedelta(hours=1)
        writing.add(Silence(selector="role=router", rule="device-down", at=world.now, until=until))
    world.rescene()
    world.dead |= {"rtr-a", "rtr-b"}
    settle(world)
    world.tell()
    assert len(world.alerts()) == 2
    assert world.told() == []
    world.dead.discard("rtr-a")
    settle(world)
    world.now += timedelta(hours=1)
    world.tell()
    assert [(m["event"], m["device"]) for m in world.told()] == [("opened", "rtr-b")]


def test_its_own_uplink_down_is_one_alarm_and_no_storm(tmp_path: Path) -> None:
    with net(tmp_path / "net", uplink=("127.85.0.254",)) as world:
        settle(world)
        world.cut = True
        settle(world, 5)
        assert world.open_now() == {("siaga", "uplink-down")}
        assert set(world.states().values()) == {"not observed"}
        world.restart()
        settle(world, 2)
        assert world.open_now() == {("siaga", "uplink-down")}
        world.cut = False
        settle(world)
        world.batch([0])
        assert world.alerts() == []
        assert set(world.states().values()) == {"up"}


def test_a_gap_closes_nothing_and_what_is_no_longer_watched_does_not_stay_open(world: Net) -> None:
    world.parts["core"] = read("core", processors=(Processor("0", 97.0),))
    settle(world)
    assert world.open_now() == {("core", "cpu-busy")}
    world.dead.add("core")
    world.round()
    assert ("core", "cpu-busy") in world.open_now()
    world.dead.clear()
    (world.home / "rules").mkdir()
    (world.home / "rules" / "cpu-busy.toml").write_text(
        (Path("monitor/rules/cpu-busy.toml"))
        .read_text()
        .replace('of = "device"', 'of = "device"\noff = true')
    )
    world.rescene()
    world.round()
    assert world.alerts() == []
    assert [a.closed_why for a in world.alerts(closed=True) if a.rule == "cpu-busy"] == ["unwatched"]


def test_what_is_not_watched_any_more_is_told_to_have_ended_and_not_to_be_well(world: Net) -> None:
    settle(world)
    world.dead.add("rtr-b")
    settle(world)
    world.tell()
    with session(world.engine) as writing:
        writer = Writer(writing, Author("test", world.now))
        writer.put("device", {"name": "rtr-b", "status": "retired"})
        writer.finish()
    world.rescene()
    del world.ids["rtr-b"]
    world.round()
    world.tell()
    assert [(m["event"], m["why"]) for m in world.told()] == [("opened", ""), ("recovered", "unwatched")]
    ended = Message("k", "recovered", "critical", "Perangkat mati", "", "", world.now, device="rtr-b")
    assert headline(ended, "id") == "🟢 PULIH: Perangkat mati · rtr-b"
    gone = replace(ended, why="unwatched")
    assert headline(gone, "id") == "⚪ BERAKHIR, tidak dipantau lagi: Perangkat mati · rtr-b"


@pytest.mark.parametrize("emptied", [{"transport": "none"}, {"address": ""}])
def test_one_that_is_not_asked_any_more_keeps_nothing_open_and_stands_in_nobodys_way(
    emptied: dict[str, str], world: Net
) -> None:
    settle(world)
    world.dead |= {"rtr-a"}
    settle(world)
    assert world.open_now() == {("rtr-a", "device-down")}
    assert world.states()["radio"] == "unreachable"
    with session(world.engine) as writing:
        writer = Writer(writing, Author("test", world.now))
        writer.put("device", {"name": "rtr-a", **emptied})  # an unmanaged one in its place
        writer.finish()
    world.dead.clear()
    world.rescene()
    del world.ids["rtr-a"]
    settle(world)
    assert world.open_now() == set()
    assert [a.closed_why for a in world.alerts(closed=True) if a.rule == "device-down"] == ["unwatched"]
    world.dead |= {"radio"}
    settle(world)
    assert ("radio", "device-down") in world.open_now()


@pytest.mark.parametrize("broken", ["other.toml", "own.toml", "the selector of own.toml"])
def test_a_broken_rule_file_at_a_start_ends_no_alert(broken: str, world: Net) -> None:
    good = Path("monitor/rules/cpu-busy.toml").read_text()
    (world.home / "rules").mkdir()
    (world.home / "rules" / "own.toml").write_text(good)
    world.parts["core"] = read("core", processors=(Processor("0", 97.0),))
    world.rescene()
    settle(world)
    assert ("core", "own") in world.open_now()
    selector = broken.startswith("the selector")
    path = world.home / "rules" / broken.rpartition(" ")[2]
    path.write_text(f'selector = "role=rouster"\n{good}' if selector else "nonsense")
    world.restart()
    assert world.rescene().problems
    world.round()
    assert ("core", "own") in world.open_now()
    assert not any(a.closed_why for a in world.alerts(closed=True))
    path.unlink()
    (world.home / "rules" / "own.toml").write_text(good)
    world.parts["core"] = read("core", processors=(Processor("0", 7.0),))
    world.rescene()
    settle(world)
    assert [a.closed_why for a in world.alerts(closed=True) if a.rule == "own"] == ["recovered"]


def test_a_device_that_is_removed_meanwhile_takes_its_alert_along_and_breaks_nothing(world: Net) -> None:
    settle(world)
    world.dead |= {"ap", "rtr-b"}
    settle(world)
    with session(world.engine) as writing:
        writer = Writer(writing, Author("test", world.now))
        writer.remove("device", world.ids["ap"])
    world.rescene()
    world.round()
    del world.ids["ap"]
    settle(world)
    world.dead.clear()
    settle(world)
    world.tell()
    assert world.alerts() == []
    assert [m["device"] for m in world.told()] == ["rtr-b", "rtr-b"]
    assert {n.status for n in world.outbox()} == {"sent", "dropped"}


def test_it_gets_worse_and_better_and_is_one_alert(world: Net) -> None:
    for percent in (91.0, 98.0, 96.0, 92.0, 50.0):
        world.parts["core"] = read("core", mempools=(Mempool("RAM", percent),))
        world.round()
        world.tell()
    (alert,) = world.alerts(closed=True)
    assert [e["severity"] for e in alert.evidence] == ["warning", "critical", "warning"]
    assert [m["event"] for m in world.told()] == ["opened", "worse", "recovered"]


def test_siaga_late_is_an_alarm_of_its_own(world: Net) -> None:
    for _ in range(4):
        world.now += timedelta(seconds=60)
        world.batch((), own=(Subject("siaga", "", {"late_s": 90.0}),))
    assert world.open_now() == {("siaga", "poller-late")}
    assert world.alerts()[0].text == "siaga is 1m 30s behind its schedule (limit 1m)."


class Storm(RuleBasedStateMachine):
    """Anything may happen in any order; what is open must be what is wrong, and everything is told once."""

    @initialize()
    def begin(self) -> None:
        self.directory = TemporaryDirectory(prefix="siaga-storm-")
        self.net = Net(Path(self.directory.name) / "home", uplink=("127.85.0.254",))
        settle(self.net, 2)

    @rule(name=st.sampled_from(sorted(TREE)))
    def fail(self, name: str) -> None:
        self.net.dead.add(name)

    @rule(name=st.sampled_from(sorted(TREE)))
    def mend(self, name: str) -> None:
        self.net.dead.discard(name)

    @rule(cut=st.booleans())
    def own_uplink(self, cut: bool) -> None:
        self.net.cut = cut

    @rule(after_s=st.sampled_from([1.0, 30.0, 60.0, 400.0]))
    def poll(self, after_s: float) -> None:
        before = {a.id for a in self.net.alerts(closed=True)}
        self.net.round(after_s)
        for alert in self.net.alerts(closed=True):
            if alert.id not in before and alert.rule == "device-down":  # none without cause
                assert self.net.names[alert.device_id or 0] in self.net.dead

    @rule(some=st.sets(st.sampled_from(sorted(TREE)), min_size=1))
    def poll_some(self, some: set[str]) -> None:
        self.net.now += timedelta(seconds=5)
        self.net.batch(self.net.ids[n] for n in some)

    @rule(hours=st.sampled_from([-1, 1]))
    def step_clock(self, hours: int) -> None:
        self.net.now += timedelta(hours=hours)

    @rule()
    def restart(self) -> None:
        self.net.restart()

    @rule()
    def cut_off_in_the_middle(self) -> None:
        news = {d: News((self.net.heard(d),)) for d in self.net.ids.values()}
        with pytest.raises(CutOffError):
            cut_off(self.net, news, self.net.now)

    @rule()
    def tell(self) -> None:
        self.net.tell()

    @rule()
    def calm(self) -> None:
        """After some quiet rounds what is open is what is wrong: nothing is lost, nothing is stuck."""
        for _ in range(8):
            self.net.round()
        if self.net.cut:
            assert ("siaga", "uplink-down") in self.net.open_now()
            return
        wrong = {n for n in self.net.dead if TREE[n][1] == "" or self.net.answers(TREE[n][1])}
        down = {n for n, r in self.net.open_now() if r in ("device-down", "device-flapping")}
        flapping = {n for n, r in self.net.open_now() if r == "device-flapping"}
        assert wrong <= down
        # One that was down, and was mended while its way was lost, may still be: nobody can see it.
        assert not any(self.net.answers(n) for n in down - flapping)

    @invariant()
    def at_most_one_is_open_for_a_device(self) -> None:
        if hasattr(self, "net"):
            many = Counter((a.device_id, a.rule, a.subject) for a in self.net.alerts())
            assert all(n == 1 for n in many.values())

    def teardown(self) -> None:
        if not hasattr(self, "net"):
            return
        self.net.dead.clear()
        self.net.cut = False
        for _ in range(90):  # flapping ends by itself as well
            self.net.round()
        self.net.tell()
        self.net.tell()
        assert self.net.alerts() == []
        told = Counter((m["alert"], m["event"]) for m in self.net.told())
        rules = self.net.scene.book.rules
        ended = {a.id: a.closed_why for a in self.net.alerts(closed=True) if rules[a.rule].tell}
        assert all(n == 1 for n in told.values()), told
        for alert, event in told:
            if event == "recovered":
                assert (alert, "opened") in told
        for alert, why in ended.items():
            if why == "recovered":
                assert ((alert, "opened") in told) == ((alert, "recovered") in told)
                assert (alert, "opened") in told
        assert all(n.status in ("sent", "dropped") for n in self.net.outbox())
        self.net.close()
        self.directory.cleanup()


TestStorm = Storm.TestCase
TestStorm.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
