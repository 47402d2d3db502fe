"""What only a real machine does to the service: a full disk, a lock for 30 s, its own uplink, a hundred kills."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bench.day_net import netns, sh, why_not
from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from siaga.clock import utc_now
from siaga.settings import Settings
from tests.cli_runner import until
from tests.homes import prepare
from tests.monitor.watching import watching

pytestmark = [pytest.mark.real, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]


def needs_root() -> None:
    if reason := why_not():
        assert os.environ.get("SIAGA_REQUIRE_REAL") != "1", reason
        pytest.skip(reason)


# -- killed a hundred times --------------------------------------------------------------------------------


def test_killed_a_hundred_times_it_loses_nothing_acknowledged_and_doubles_no_alert(tmp_path: Path) -> None:
    kills, seed = os.environ.get("SERVICE_KILLS", "100"), str(random.randrange(10**6))
    command = [sys.executable, "-m", "tests.monitor.kill_service", str(tmp_path), kills, seed]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["wrong"] == [], f"seed {seed}: {said} {done.stderr}"
    assert said["compacted"] > 10, said
    assert said["polls"] > 500, said


# -- a full disk -------------------------------------------------------------------------------------------


def test_a_full_disk_holds_samples_and_alarms_back_and_loses_none(tmp_path: Path) -> None:
    needs_root()
    script = 'mount -t tmpfs -o size=8m tmpfs "$1" && exec "$0" -m tests.real.full_disk "$1/home"'
    command = ["unshare", "--mount", "sh", "-c", script, sys.executable, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["damage"] == []
    assert said["alerts"] == [["device-down", said["alerts"][0][1], "recovered"]]
    assert 900 <= said["alerts"][0][1] < 960  # there was nowhere to write it before
    assert said["told"] == ["device-down"] * 2
    # Every poll is there with the time at which it was measured: none of the ten minutes is missing.
    turns = [s for s in said["seconds"] if 300 < s < 900]
    assert len(turns) >= 20
    assert max(b - a for a, b in pairwise(said["seconds"])) < 31
    assert all(answered is not (480 <= at < 1200) for at, answered in said["looks"])
    assert said["during"]["polls"] < 15  # and it was full indeed
    sentences = Counter(sentence.partition(":")[0] for sentence in said["said"])
    assert sentences["samples wait"] == sentences["judging"] == sentences["samples are written again"] == 1


# -- a lock ------------------------------------------------------------------------------------------------

_HOLDER = """
import sqlite3, sys, time
with sqlite3.connect(sys.argv[1], isolation_level=None) as held:
    held.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    time.sleep(30)
    held.execute("ROLLBACK")
"""


def test_databases_locked_for_thirty_seconds_delay_and_lose_nothing(tmp_path: Path) -> None:
    with watching(tmp_path, 2) as net, ExitStack() as stack:
        process = net.start()
        for name in net.ids:
            net.until_state(name, "up", 60)
        holders = []
        for file in ("siaga.db", "tsdb/hot.db"):
            command = [sys.executable, "-c", _HOLDER, str(net.home / file)]
            holder = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            holders.append(holder)
        locked_at, asked = utc_now(), net.agents["sw-2"].asked
        net.agents["sw-1"].dead = True
        assert [holder.wait(60) for holder in holders] == [0, 0]
        free_at = utc_now()
        assert net.agents["sw-2"].asked > asked + 20  # polling went on
        net.until_state("sw-1", "down", 60)
        until(lambda: any(at > free_at for at, _ in net.samples("sw-2")), net.said(), 60)
        during = [at for at, _ in net.samples("sw-2") if locked_at <= at <= free_at]
        assert len(during) >= 20
        assert process.poll() is None
        assert net.rows("SELECT rule, count(*) FROM alert GROUP BY rule") == [("device-down", 1)]
        assert net.stop(process) == 0
        assert net.ask("samples", "check").returncode == 0


# -- its own uplink ----------------------------------------------------------------------------------------

FIRST = IPv4Address("10.80.0.1")
NUMBER = int(os.environ.get("UPLINK_DEVICES", "1000"))


@pytest.fixture
def far() -> Iterator[None]:
    """Two namespaces: siaga's, and one that answers at every address of a network, behind one cable."""
    needs_root()
    ours, theirs = netns("eyes"), netns("net")
    for name in (ours, theirs):
        sh("ip", "netns", "add", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")
    try:
        sh("ip", "link", "add", "up0", "netns", ours, "type", "veth", "peer", "name", "up0", "netns", theirs)
        for name, address in ((ours, "10.81.0.2/30"), (theirs, "10.81.0.1/30")):
            sh("ip", "-n", name, "addr", "add", address, "dev", "up0")
            sh("ip", "-n", name, "link", "set", "up0", "up")
        sh("ip", "-n", theirs, "route", "add", "local", "10.80.0.0/16", "dev", "lo")
        sh("ip", "-n", ours, "route", "add", "10.80.0.0/16", "via", "10.81.0.1")
        # Each echo of another device's address needs no entry of its own, but the kernel's bound is per second.
        sh("ip", "netns", "exec", theirs, "sysctl", "-qw", "net.ipv4.icmp_msgs_per_sec=100000")
        yield
    finally:
        for name in (ours, theirs):
            sh("ip", "netns", "del", name)


UPLINK = """
[poll]
timeout_s = 0.5
retries = 0
[monitor]
reachability_s = 5
counters_s = 86400
health_s = 86400
metadata_s = 86400
scene_s = 5
burst = 1
compact = false
[alarms]
uplink = ["10.81.0.1"]
"""


def record(home: Path) -> None:
    settings = Settings(home=home)
    prepare(settings)
    engine = open_engine(settings)
    with session(engine) as opened:
        writer = Writer(opened, Author("test", utc_now()))
        state = {"state": {"failures": 3, "grace_s": 5, "recheck_s": 1}}
        writer.put("layer", {"name": "00-quick", "vars": {"alerts": state}})
        for n in range(NUMBER):
            row = {"name": f"sw-{n}", "role": "switch", "address": str(FIRST + n), "transport": "snmp"}
            writer.put("device", row)
        writer.finish()
    engine.dispose()


def test_its_own_uplink_down_is_one_alarm_and_nobody_is_called_down(tmp_path: Path, far: None) -> None:
    home, file = tmp_path / "home", tmp_path / "siaga.toml"
    record(home)
    file.write_text(UPLINK)

    def rows(query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{home / 'siaga.db'}?mode=ro", uri=True)) as plain:
            return plain.execute(query).fetchall()

    def states() -> dict[str, int]:
        return dict(rows("SELECT state, count(*) FROM device_state GROUP BY state"))

    command = ["ip", "netns", "exec", netns("eyes"), sys.executable, "-P", "-m", "cli", "monitor", "run"]
    own = {**os.environ, "SIAGA_HOME": str(home), "SIAGA_CONFIG": str(file)}
    with subprocess.Popen(command, env=own, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: states() == {"up": NUMBER}, "not everybody is up", 120)
            sh("ip", "-n", netns("net"), "link", "set", "up0", "down")
            until(lambda: states() == {"not observed": NUMBER}, "somebody is still believed", 120)
            assert rows("SELECT rule, device_id, closed_at FROM alert") == [("uplink-down", None, None)]
            sh("ip", "-n", netns("net"), "link", "set", "up0", "up")
            sh("ip", "-n", netns("net"), "route", "replace", "local", "10.80.0.0/16", "dev", "lo")
            until(lambda: states() == {"up": NUMBER}, "not everybody is back", 120)
            until(lambda: rows("SELECT closed_why FROM alert") == [("recovered",)], "the alarm stays", 60)
        finally:
            process.terminate()
            _, said = process.communicate(timeout=60)
    assert rows("SELECT count(*) FROM state_change WHERE after IN ('down', 'unreachable')") == [(0,)], said
    assert rows("SELECT count(*) FROM notification") == [(2,)]  # that it went, and that it is back
