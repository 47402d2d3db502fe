"""Samples in real databases: as many as here, though they are killed; every dashboard's queries find something."""

import asyncio
import json
import random
import re
import subprocess
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory.store import open_engine
from monitor.out.now import points
from monitor.out.push import Pushed, push
from monitor.out.serve import listening
from monitor.out.text import lines
from monitor.samples import open_samples
from siaga.clock import utc_now
from siaga.settings import Settings
from tests.cli_runner import until
from tests.monitor.out_world import measured, regency
from tests.real.databases import Database, prometheus, tool, victoria

pytestmark = pytest.mark.real
GRAFANA = Path(__file__).resolve().parent.parent.parent / "docs" / "grafana"
# What comes from the store, and not from what is held for true now.
STORED = (
    '{__name__=~"if.*|sysUpTime|siaga_cpu_percent|siaga_memory_used_percent|siaga_sensor_.*",'
    '__name__!~"if(Oper|Admin)Status"}'
)
AGE = timedelta(minutes=5)


def pushed(settings: Settings, now: datetime | None = None) -> Pushed:
    engine = open_engine(settings)
    return push(engine, settings, settings.remote_write[0], lambda: now or utc_now(), at_once=True)


def counted(vm: Database) -> int:
    """Return how many samples of the store VictoriaMetrics has, by exporting every one."""
    vm.get("/internal/force_flush")
    exported = vm.get("/api/v1/export", **{"match[]": STORED, "start": "0"})
    return sum(len(json.loads(line)["values"]) for line in exported.splitlines())


def all_there(vm: Database, total: int) -> None:
    """Hold that so many samples come to be visible, and no more."""
    until(lambda: counted(vm) >= total, f"less than {total} samples are there", 30)
    assert counted(vm) == total


def test_as_many_samples_as_here_though_the_database_is_killed(tmp_path: Path) -> None:
    chance = random.Random(36_03)
    now = utc_now().replace(microsecond=0)
    with victoria(tmp_path) as vm:
        home = tmp_path / "home"
        one = {"name": "vm", "url": vm.write_url, "batch_samples": 200, "rewind_s": 60}
        settings = regency(home, now, remote_write=[one])
        pushed(settings, now - timedelta(hours=6))
        total = failures = 0
        for round_ in range(6):
            start = now - timedelta(hours=6 - round_)
            total += measured(home, 3, start, start + timedelta(minutes=59), step_s=20)
            killer = threading.Timer(chance.uniform(0.05, 0.6), vm.kill)
            killer.start()
            failures += bool(pushed(settings, now).error)
            killer.join()
            if round_ == 3:
                with open_samples(home) as store:
                    store.maintain(now)  # what was not sent is sealed into blocks meanwhile
            failures += bool(pushed(settings, now).error)
            vm.start()
            assert pushed(settings, now).error == ""
        assert failures >= 6
        all_there(vm, total)


def test_a_restart_in_peace_costs_nothing(tmp_path: Path) -> None:
    now = utc_now().replace(microsecond=0)
    with victoria(tmp_path) as vm:
        settings = regency(tmp_path / "home", now, remote_write=[{"name": "vm", "url": vm.write_url}])
        pushed(settings, now)
        total = measured(settings.home, 3, now - timedelta(minutes=30), now)
        assert pushed(settings, now).samples == total
        all_there(vm, total)
        vm.stop()
        vm.start()
        all_there(vm, total)


# --- what people look at


def targets(name: str) -> Iterator[tuple[str, str]]:
    """Yield (panel, query) of a dashboard as Grafana would send it, with every variable chosen."""
    for panel in json.loads((GRAFANA / name).read_text(encoding="utf-8"))["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "5m").replace("$__range", "30m")
            yield panel["title"], re.sub(r"\$(kecamatan|device|connection|link)", ".*", query)


def filled(settings: Settings) -> None:
    """Send half an hour, to now."""
    now = utc_now()
    pushed(settings, now)
    measured(settings.home, 2, now - timedelta(minutes=30), now)
    assert pushed(settings, now).error == ""
    assert pushed(settings, now).error == ""  # the second one tells of the first


@pytest.mark.parametrize("kind", ["victoria", "prometheus"])
def test_every_query_of_every_dashboard_finds_something(kind: str, tmp_path: Path) -> None:
    running = victoria(tmp_path) if kind == "victoria" else prometheus(tmp_path, "127.0.0.1:1")
    with running as database:
        settings = regency(
            tmp_path / "home", utc_now(), remote_write=[{"name": "vm", "url": database.write_url}]
        )
        filled(settings)
        until(lambda: database.query("siaga_remote_write_failing"), "nothing arrived", 30)
        queries = [(f.name, *t) for f in sorted(GRAFANA.glob("*.json")) for t in targets(f.name)]
        assert len(queries) > 25
        assert [q for q in queries if not database.query(q[2])] == []


def test_a_contract_is_a_share_of_what_is_promised(tmp_path: Path) -> None:
    with victoria(tmp_path) as vm:
        settings = regency(tmp_path / "home", utc_now(), remote_write=[{"name": "vm", "url": vm.write_url}])
        filled(settings)
        until(lambda: vm.query("siaga_remote_write_failing"), "nothing arrived", 30)
        of = dict(targets("contract.json"))
        found = {
            r["metric"]["direction"]: float(r["value"][1]) for r in vm.query(of["Share of the contract"])
        }
        # 500,000 octets a minute out, of 50 Mbit/s: 0.13 %.
        assert found == {"out": pytest.approx(0.1333, rel=0.05)}


def test_prometheus_scrapes_it_and_keeps_the_names(tmp_path: Path) -> None:
    async def scraped() -> dict[str, Any]:
        async with listening(page, "127.0.0.1", 0) as port:
            return await asyncio.to_thread(seen, port)

    def page(openmetrics: bool) -> str:
        asked.append(openmetrics)
        return "".join(lines(points(engine, settings, (), utc_now(), AGE), openmetrics=openmetrics))

    def seen(port: int) -> dict[str, Any]:
        with prometheus(tmp_path, f"127.0.0.1:{port}") as database:
            until(lambda: database.query("siaga_devices_watched"), "nothing was scraped", 30)
            assert database.query("up")[0]["value"][1] == "1"
            (octets,) = database.query('ifHCInOctets{device="rtr-1"}')
            metric: dict[str, Any] = octets["metric"]
            return metric

    asked: list[bool] = []
    now = utc_now()
    settings = regency(tmp_path / "home", now)
    measured(settings.home, 2, now - timedelta(minutes=2), now)
    engine = open_engine(settings)
    labels = asyncio.run(scraped())
    assert True in asked, "Prometheus asks for OpenMetrics"
    assert (labels["ifName"], labels["kecamatan"], labels["agency"]) == ("ether1", "Mauk", "dinas-kominfo")
    assert '"pusat"' in labels["ifAlias"]


def test_promtool_objects_only_to_the_names_of_the_mib(tmp_path: Path) -> None:
    promtool = tool("promtool")
    now = utc_now()
    settings = regency(tmp_path / "home", now)
    measured(settings.home, 2, now - timedelta(minutes=2), now)
    page = "".join(lines(points(open_engine(settings), settings, (), now, AGE), openmetrics=False))
    done = subprocess.run(
        [promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode in (0, 3), said  # 1: it cannot be parsed
    assert [
        line
        for line in said.splitlines()
        if not re.fullmatch(
            r"(if[A-Z]\w+|sysUpTime) .*(camelCase|_total).*|\w+ label names .*camelCase.*", line
        )
    ] == []
