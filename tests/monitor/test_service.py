"""The service end to end, as a process over living agents: what it stores, says, survives, and how it ends."""

import json
import re
import signal
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.samples import open_samples
from siaga.clock import utc_now
from tests.cli_runner import closed_port, until
from tests.monitor.watching import BPS, Watching, watching


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Watching]:
    with watching(tmp_path) as made:
        yield made


def all_up(net: Watching) -> None:
    for name in net.ids:
        net.until_state(name, "up", 60)


def running(net: Watching) -> None:
    net.start()
    all_up(net)


def test_samples_arrive_and_are_rates_to_the_octet(net: Watching) -> None:
    net.settle(
        net.settings_file.read_text().replace("timeout_s = 0.25", "timeout_s = 5")
    )  # whatever else runs here
    net.agents["sw-2"].slow_s = 0.1  # between two questions a hundred octets pass
    running(net)
    until(lambda: all(len(net.samples(name)) > 8 for name in net.ids), net.said())
    for name in net.ids:
        # What finds the interfaces is a walk, which reads their speeds too, and its clock some questions before.
        walks = {at for at, _ in net.samples(name, "speed")}
        points = [(at, value) for at, value in net.samples(name) if at not in walks]
        assert len(points) > 5
        uptimes = dict(net.samples(name, "uptime", ""))
        assert len(points) == len({at for at, _ in points})
        # By the agent's own clock the counter grew by a thousand octets a second, in each step.
        for (first_at, first), (last_at, last) in pairwise(points):
            agent_s = (uptimes[last_at] - uptimes[first_at]) / 100
            assert abs((last - first) - agent_s * BPS / 8) < 30
    query = "SELECT value FROM observed WHERE field = 'sysname' ORDER BY value"
    until(lambda: net.rows(query) == [("sw-1",), ("sw-2",), ("sw-3",)], net.said())


def test_silence_becomes_down_by_evidence_and_comes_back(net: Watching) -> None:
    running(net)
    net.agents["sw-2"].dead = True
    net.until_state("sw-2", "down")
    assert {n: s for n, s in net.states().items() if n != "sw-2"} == {"sw-1": "up", "sw-3": "up"}
    (number,) = (n for (n,) in net.rows("SELECT count(*) FROM alert WHERE closed_at IS NULL"))
    assert number == 1
    (evidence,) = net.rows("SELECT evidence FROM state_change WHERE after = 'down'")[0]
    assert evidence.count('"silent"') >= 3
    net.agents["sw-2"].dead = False
    net.until_state("sw-2", "up")
    until(lambda: net.rows("SELECT closed_why FROM alert") == [("recovered",)], net.said())


def test_one_that_answers_icmp_only_is_degraded_and_not_down(tmp_path: Path) -> None:
    with watching(tmp_path, 2, ping=True) as net:
        running(net)
        until(lambda: len(net.samples("sw-1", "rtt", "")) > 2, net.said())
        net.agents["sw-1"].dead = True
        net.until_state("sw-1", "degraded")
        assert net.rows("SELECT count(*) FROM state_change WHERE after = 'down'") == [(0,)]


def test_a_slow_device_delays_no_other(net: Watching) -> None:
    net.agents["sw-1"].manners = lambda script, reply: reply if script.asked % 4 == 0 else None
    net.start()
    net.until_state("sw-2", "up")
    net.until_state("sw-3", "up")
    before = {name: len(net.samples(name)) for name in ("sw-2", "sw-3")}
    until(lambda: all(len(net.samples(n)) > b + 8 for n, b in before.items()), net.said())
    until(lambda: net.status().get("tiers"), "no status")
    assert net.status()["late_s"] < 2


def test_a_log_that_cannot_be_written_ends_nothing(net: Watching) -> None:
    process = net.start(log=Path("/dev/full"))
    all_up(net)
    process.send_signal(signal.SIGHUP)
    net.agents["sw-2"].dead = True
    net.until_state("sw-2", "down")
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) in (0, 120)  # 120: Python's own, for what it could not write at the end


def test_a_second_one_is_refused_and_poll_says_what_to_do(net: Watching) -> None:
    running(net)
    second = net.ask("monitor", "run")
    assert second.returncode == 75
    assert "already-running" in second.stderr
    poll = net.ask("poll")
    assert poll.returncode == 75
    assert "monitor-running" in poll.stderr
    assert "siaga check" in poll.stderr


def test_sigterm_ends_it_within_its_bound_with_everything_stored(net: Watching) -> None:
    process = net.start()
    all_up(net)
    net.agents["sw-3"].dead = True  # questions are open when the end comes
    assert net.stop(process) == 0
    assert net.said().endswith("ended\n")
    assert net.status()["ended"] is True
    assert net.rows("SELECT status FROM run WHERE kind = 'monitor'") == [("ok",)]
    assert net.ask("samples", "check").returncode == 0
    assert net.ask("monitor", "status").returncode == 6  # it does not run any more


def test_reload_takes_up_settings_devices_and_rules_and_keeps_what_was_when_they_are_broken(
    net: Watching,
) -> None:
    process = net.start()
    all_up(net)
    good = net.settings_file.read_text()
    net.settle(good + "\n[monitor.nothing]\nx = 1\n")
    process.send_signal(signal.SIGHUP)
    until(lambda: "the settings before are kept" in net.said(), net.said())
    (net.home / "rules").mkdir()
    (net.home / "rules" / "broken.toml").write_text("of = 'device'\nmeasure = 3\n")
    net.settle(good.replace("health_s = 2", "health_s = 1"))
    process.send_signal(signal.SIGHUP)
    until(lambda: "the settings were read again" in net.said(), net.said())
    until(lambda: "broken.toml" in net.said(), net.said())
    (net.home / "rules" / "broken.toml").unlink()
    assert net.ask("device", "add", "sw-9", "role=switch", "address=127.87.1.200", "transport=snmp",
                   "credential=noc", "snmp_port=9").returncode == 0  # fmt: skip
    before = {name: net.samples(name) for name in net.ids}
    process.send_signal(signal.SIGHUP)
    until(lambda: any(s == "down" for s in dict(net.rows("SELECT device_id, state FROM device_state")).values()),
          net.said())  # fmt: skip
    until(lambda: all(len(net.samples(n)) > len(b) + 2 for n, b in before.items()), net.said())
    assert {s for n, s in net.rows("SELECT device_id, state FROM device_state") if n in net.ids.values()} == {
        "up"
    }
    # No turn was left out over three reloads: the gaps between samples stay those of the period.
    for name in net.ids:
        times = [at for at, _ in net.samples(name)]
        assert max((b - a).total_seconds() for a, b in pairwise(times)) < 3


def test_killed_again_and_again_it_loses_no_sample_and_doubles_no_alert(net: Watching) -> None:
    stored: dict[str, set[object]] = {name: set() for name in net.ids}
    net.agents["sw-2"].dead = True
    for number in range(5):
        process = net.start()
        enough = len(stored["sw-1"]) + 2 + number % 3
        until(lambda n=enough: len(net.samples("sw-1")) >= n, net.said(), 60)  # type: ignore[misc]
        acknowledged = {
            name: set(net.samples(name)) for name in net.ids
        }  # a reader sees it: it was committed
        process.send_signal(signal.SIGKILL)
        process.wait()
        for name, points in acknowledged.items():
            assert points | stored[name] <= set(net.samples(name))
            stored[name] |= points
    last = net.start()
    # It may have been down before the last kill: that the last one runs is told by itself.
    until(lambda: net.status().get("pid") == last.pid, net.said(), 60)
    net.until_state("sw-2", "down", 60)
    opened = Counter(net.rows("SELECT rule, device_id FROM alert WHERE closed_at IS NULL"))
    assert opened == {("device-down", net.ids["sw-2"]): 1}
    keys = net.rows("SELECT key, count(*) FROM notification GROUP BY key HAVING count(*) > 1")
    assert keys == []
    assert net.rows("SELECT count(*) FROM alert") == [(1,)]
    assert net.rows("SELECT count(*) FROM run WHERE kind = 'monitor' AND status = 'running'") == [(1,)]
    found = json.loads(net.ask("doctor", "--deep", "-o", "json").stdout)
    states = {(f["area"], f["state"]) for f in found if f["area"] in ("samples", "database", "service")}
    assert states == {("samples", "ok"), ("database", "ok"), ("service", "ok")}, found


def test_while_the_database_is_locked_samples_go_on_and_nothing_is_lost(tmp_path: Path) -> None:
    with watching(tmp_path, 2) as net:
        running(net)
        with closing(sqlite3.connect(net.home / "siaga.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            net.agents["sw-1"].dead = True
            before = len(net.samples("sw-2"))
            until(lambda: len(net.samples("sw-2")) > before + 10, net.said(), 60)
            assert net.states()["sw-1"] == "up"  # nobody could write that it is not
            other.execute("ROLLBACK")
        net.until_state("sw-1", "down", 60)
        assert net.states()["sw-2"] == "up"
        assert net.rows("SELECT count(*) FROM alert WHERE closed_at IS NULL") == [(1,)]


def test_while_the_sample_store_is_locked_polls_wait_and_come_in_later(tmp_path: Path) -> None:
    with watching(tmp_path, 2) as net:
        running(net)
        with closing(sqlite3.connect(net.home / "tsdb" / "hot.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            locked_at = utc_now()
            asked = net.agents["sw-1"].asked
            until(lambda: net.agents["sw-1"].asked > asked + 40, net.said())
            other.execute("ROLLBACK")
            free_at = utc_now()
        until(lambda: any(at > free_at for at, _ in net.samples("sw-1")), net.said(), 60)
        during = [at for at, _ in net.samples("sw-1") if locked_at <= at <= free_at]
        assert len(during) >= 3  # measured while nothing could be written, and kept


def test_an_address_that_is_taken_by_another_writer_is_told(net: Watching) -> None:
    with open_samples(net.home) as store, store.writer():
        refused = net.ask("monitor", "run")
    assert refused.returncode == 75
    assert "samples-busy" in refused.stderr


def test_systemd_is_told(net: Watching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "notify"
    heard: list[str] = []
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as own:
        own.bind(str(where))
        own.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(where))
        monkeypatch.setenv("WATCHDOG_USEC", "60000000")
        process = net.start()

        def hear() -> None:
            while not heard or "STOPPING=1" not in heard[-1]:
                heard.append(own.recv(4096).decode())

        thread = threading.Thread(target=hear)
        thread.start()
        until(lambda: any("WATCHDOG=1" in h for h in heard), net.said())
        process.send_signal(signal.SIGHUP)
        until(lambda: sum("READY=1" in h for h in heard) == 2, net.said())
        assert net.stop(process) == 0
        thread.join(10)
    assert "READY=1" in heard[0]
    assert any(h.startswith("RELOADING=1\nMONOTONIC_USEC=") for h in heard)


def test_check_says_in_one_line_how_it_is(net: Watching) -> None:
    asked = net.ask("check", "--nagios")  # nobody watches: it asks itself
    assert asked.returncode == 0, asked
    assert asked.stdout.startswith("SIAGA OK - 3 devices: 3 up | up=3;;;0")
    running(net)
    net.agents["sw-2"].dead = True
    net.until_state("sw-2", "down")
    found = net.ask("check")
    assert (found.returncode, found.stdout.strip()) == (6, "critical: 3 devices: 2 up, 1 down; sw-2 down")
    assert net.ask("check", "name=sw-1", "--quiet").stdout.strip() == ""
    assert net.ask("check", "name=sw-2", "--nagios").returncode == 2
    wrong = net.ask("check", "name=nobody", "--nagios")
    assert (wrong.returncode, wrong.stdout[:13]) == (3, "SIAGA UNKNOWN")


def test_a_layer_says_how_often(tmp_path: Path) -> None:
    with watching(tmp_path, 2) as net:
        said = 'var.poll={"counters_s":600,"health_s":600,"metadata_s":600}'
        assert net.ask("layer", "add", "slow", "tag=slow", said).returncode == 0
        assert net.ask("device", "set", "sw-1", "tags=slow").returncode == 0
        running(net)
        until(lambda: len(net.samples("sw-2")) > 8, net.said())
        assert len(net.samples("sw-1")) <= 2


def test_services_are_checked_and_alarmed(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as net, closing(socket.create_server(("127.0.0.1", 0))) as door:
        port = door.getsockname()[1]
        assert net.ask("service", "add", "e-planning", f"url=tcp://127.0.0.1:{port}").returncode == 0
        (net.home / "rules").mkdir()
        text = Path("monitor/rules/service-wrong.toml").read_text().replace("for_s = 60", "for_s = 0")
        (net.home / "rules" / "service-wrong.toml").write_text(text)
        running(net)
        until(lambda: net.status().get("watched", {}).get("services") == 1, net.said())
        assert net.rows("SELECT count(*) FROM alert") == [(0,)]
        door.close()
        query = "SELECT rule, subject, severity FROM alert WHERE closed_at IS NULL"
        until(lambda: net.rows(query) == [("service-wrong", "e-planning", "critical")], net.said())


def test_the_units_pass_systemds_own_check(net: Watching, tmp_path: Path) -> None:
    done = net.ask("monitor", "install", "--directory", str(tmp_path / "units"))
    assert done.returncode == 0, done.stderr
    made = {p.name for p in (tmp_path / "units").iterdir()}
    assert {"siaga-monitor.service", "siaga-notify.timer", "siaga-compact.timer"} <= made
    text = (tmp_path / "units" / "siaga-monitor.service").read_text()
    for line in ("Type=notify", "NoNewPrivileges=yes", "ProtectSystem=strict", f"ReadWritePaths={net.home}"):
        assert line in text.splitlines()
    shown = net.ask("monitor", "install", "--user", "--print").stdout
    assert "AmbientCapabilities" not in shown
    assert "WantedBy=default.target" in shown
    assert len(made) == 5


def test_a_message_that_a_link_is_down_makes_a_look_and_no_state(tmp_path: Path) -> None:
    ports = [closed_port() for _ in range(2)]
    rarely = "".join(f"{tier}_s = 86400\n" for tier in ("counters", "health", "metadata"))
    own = ["[listen]", "addresses = ['127.0.0.1']", f"trap_port = {ports[0]}", f"syslog_port = {ports[1]}"]
    with watching(tmp_path, 2) as net:
        text = re.sub(r"(?m)^(counters|health|metadata)_s = .*\n", "", net.settings_file.read_text())
        text = text.replace("ping", f"{rarely}listen = true\nping")
        net.settle("\n".join([text, *own, "syslog_tcp_port = 0", ""]))
        running(net)
        asked = net.agents["sw-1"].asked
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
            sender.bind(("127.87.1.1", 0))
            line = b"<187>Nov 24 10:00:00 sw-1 %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down"
            for _ in range(3):
                sender.sendto(line, ("127.0.0.1", ports[1]))
            config = b"<189>45: *Mar  1 00:01:02: %SYS-5-CONFIG_I: Configured from console by admin on vty0"
            sender.sendto(config, ("127.0.0.1", ports[1]))
        until(lambda: "syslog from sw-1: link-down" in net.said(), net.said())
        kept = "SELECT d.name, e.kind, e.times FROM device_event e JOIN device d ON d.id = e.device_id ORDER BY e.id"
        until(lambda: len(net.rows(kept)) == 2, net.said())
        assert net.rows(kept) == [("sw-1", "link-down", 1), ("sw-1", "config-changed", 1)]
        until(lambda: net.rows("SELECT device_id, what FROM device_wish"), net.said())
        assert net.rows("SELECT device_id, what FROM device_wish") == [(net.ids["sw-1"], "backup")]
        # The health reading that follows asks much more than the probes of reachability do meanwhile.
        until(lambda: net.samples("sw-1"), net.said())
        assert net.agents["sw-1"].asked > asked
        assert net.samples("sw-2") == []
        assert net.states() == {"sw-1": "up", "sw-2": "up"}
