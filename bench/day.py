"""A scripted day in a lab of real daemons: links are cut, power fails, siaga is killed; what does siaga make of it?

    python -m bench.day [--minutes 60] [SCRIPT.toml]

siaga runs as a service in a network namespace and asks real snmpds in others by ICMP and SNMP (bench/day_net.py). What
happens is written in the script (bench/day.toml), and what siaga should make of it. At the end the alarms, outages and
availability are held against the script: each must be there, of its device and cause, and no later than the periods
allow; nothing else may be. Needs root; exit code 1 if anything is otherwise.
"""

import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

from pydantic import SecretStr
from sqlmodel import select

from bench.day_held import Done, read_back, wrong
from bench.day_net import COMMUNITY, UPLINK, CannotError, Net, inside, why_not
from bench.day_script import SCRIPT, Script, read, spares
from bench.service import spent
from inventory.credentials import store_secret
from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine, reading, session
from inventory.writing import Writer
from monitor.models import DeviceState, Maintenance
from monitor.samples import open_samples
from siaga.secrets import open_vault
from siaga.settings import Settings

_SETTLED_S = 120.0  # at most, until every device was read once: only then anything happens


# --- siaga ------------------------------------------------------------------------------------------------


def settings_text(periods: Mapping[str, float]) -> str:
    """Return siaga.toml."""
    tiers = ("reachability_s", "counters_s", "health_s", "metadata_s", "scene_s")
    lines = ["[poll]", f"interval_s = {math.ceil(periods['reachability_s'])}", "timeout_s = 1", "retries = 1"]
    lines += ["[monitor]", *(f"{k} = {periods[k]}" for k in tiers), "compact = false", "burst = 2"]
    return "\n".join([*lines, "[alarms]", f'uplink = ["{UPLINK}"]', ""])


def record(home: Path, script: Script) -> None:
    """Make a home that knows the nodes and their links."""
    settings = Settings(home=home)
    initialise(settings)
    engine = open_engine(settings)
    with session(engine) as opened:
        writer = Writer(opened, Author("bench", datetime.now(UTC)))
        writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
        writer.flush()
        secret = SecretStr(COMMUNITY)
        store_secret(opened, open_vault(home), writer.ids("credential")["noc"], "community", secret)
        keys = ("grace_s", "recheck_s", "flap_half_life_s")
        state = {"failures": 3, **{k: script.periods[k] for k in keys}}
        writer.put("layer", {"name": "00-day", "vars": {"alerts": {"state": state}}})
        for place in dict.fromkeys(n.place for n in script.nodes.values()):
            writer.put("place", {"name": place, "kind": "kecamatan"})
        for node in script.nodes.values():
            row = {"name": node.name, "role": node.role, "place": node.place, "address": node.address}
            writer.put("device", {**row, "transport": "snmp", "credential": "noc"})
            writer.put("interface", {"device": node.name, "name": "eth0"})
        for node in [n for n in script.nodes.values() if n.on]:
            _link(writer, f"tautan-{node.name}", (node.on, node.port), (node.name, "eth0"))
        for name in spares(script):
            core, number = next(iter(script.nodes)), script.nodes[name].number
            _link(writer, f"cadangan-{name.partition('-')[2]}", (core, f"sp{number}"), (name, "eth9"))
        writer.finish()
    engine.dispose()
    rule = (Path(__file__).parents[1] / "monitor/rules/link-down.toml").read_text()
    (home / "rules").mkdir()
    (home / "rules/link-down.toml").write_text(
        rule.replace("for_s = 120", f"for_s = {script.periods['link_s']}")
    )


def plan(home: Path, script: Script, begin: datetime) -> None:
    """Record the work that is planned."""
    with session(open_engine(Settings(home=home))) as opened:
        for number, event in enumerate(script.of("work")):
            start, end = (begin + timedelta(seconds=s) for s in (event.at_s, event.until_s))
            selector = " or ".join(f"name={n}" for n in event.what)
            opened.add(Maintenance(name=f"kerja-{number}", selector=selector, start=start, end=end))


def settled(siaga: "Siaga", script: Script) -> None:
    """Wait until siaga has read every device as a whole; raises CannotError if it does not."""
    home = siaga.folder / "home"
    deadline = time.monotonic() + _SETTLED_S
    while True:
        with reading(open_engine(Settings(home=home))) as opened, open_samples(home) as samples:
            states = opened.exec(select(DeviceState.device_id).where(DeviceState.state == "up")).all()
            keys = [(d, "uptime", "") for d in states]
            now = datetime.now(UTC)
            if len(samples.read(keys, now - timedelta(minutes=5), now)) == len(script.nodes):
                return
        if siaga.process is None or siaga.process.poll() is not None:
            raise CannotError(f"siaga has ended: {(siaga.folder / 'said.txt').read_text()}")
        if time.monotonic() > deadline:
            raise CannotError(f"Not every device was read within {_SETTLED_S:.0f} s.")
        time.sleep(0.5)


def _link(writer: Writer, name: str, *ends: tuple[str, str]) -> None:
    for device, port in ends:
        writer.put("interface", {"device": device, "name": port})
    (a, i), (z, j) = ends
    writer.put("link", {"name": name, "kind": "fibre", "a_interface": f"{a}:{i}", "z_interface": f"{z}:{j}"})


@dataclass
class Siaga:
    """The service in its namespace; `cpu_s` is what it cost in all of its lives."""

    folder: Path
    process: "subprocess.Popen[bytes] | None" = None
    cpu_s: float = 0.0
    rss_mib: float = 0.0

    def start(self) -> None:
        """Start it."""
        paths = {"SIAGA_HOME": str(self.folder / "home"), "SIAGA_CONFIG": str(self.folder / "siaga.toml")}
        scrubbed = {k: v for k, v in os.environ.items() if not k.startswith("SIAGA_")}
        command = inside("noc", sys.executable, "-P", "-m", "cli", "monitor", "run")
        root = str(Path(__file__).parents[1])
        with (self.folder / "said.txt").open("ab") as said:
            self.process = subprocess.Popen(
                command, env={**scrubbed, **paths}, stderr=said, stdin=subprocess.DEVNULL, cwd=root
            )

    def end(self, number: int) -> None:
        """Send a signal that ends it, and wait for the end."""
        assert self.process is not None
        cpu_s, rss = spent(self.process.pid)
        self.cpu_s, self.rss_mib = self.cpu_s + cpu_s, max(self.rss_mib, rss)
        self.process.send_signal(number)
        try:
            self.process.wait(60)
        finally:
            self.process.kill()


# --- the day ----------------------------------------------------------------------------------------------


def acts(script: Script, net: Net, siaga: Siaga) -> list[tuple[float, str, Callable[[], object]]]:
    """Return what is done when, by time."""
    ways: dict[str, tuple[Callable[[str], object], Callable[[str], object]]] = {
        "cut": (net.cut, net.mend),
        "dark": (net.darken, net.lighten),
        "spare": (lambda n: net.cut_spare(n, "down"), lambda n: net.cut_spare(n, "up")),
        "battery": (lambda n: net.power(n, "battery"), lambda n: net.power(n, "mains")),
        "killed": (lambda _: siaga.end(signal.SIGKILL), lambda _: siaga.start()),
    }
    found = []
    for event in (e for e in script.events if e.kind in ways):
        for name in event.what:
            begin, end = ways[event.kind]
            found.append((event.at_s, f"{event.kind} {name}", _bound(begin, name)))
            found.append((event.until_s, f"{event.kind} {name} ends", _bound(end, name)))
    return sorted(found, key=lambda act: act[0])


def _bound(way: Callable[[str], object], name: str) -> Callable[[], object]:
    return lambda: way(name)


def played(script: Script, folder: Path, say: Callable[[str], None]) -> tuple[Done, Siaga]:
    """Let the day pass, and return what siaga made of it."""
    siaga = Siaga(folder)
    with Net(script.nodes, spares(script), folder / "nodes") as net:
        record(folder / "home", script)
        (folder / "siaga.toml").write_text(settings_text(script.periods))
        siaga.start()
        try:
            settled(siaga, script)
            done = Done(begin := datetime.now(UTC))
            plan(folder / "home", script, begin)
            for at_s, what, act in acts(script, net, siaga):
                _sleep_until(begin, at_s)
                say(f"{at_s:7.1f} s  {what}")
                act()
                done.late_s = max(done.late_s, (datetime.now(UTC) - begin).total_seconds() - at_s)
            _sleep_until(begin, script.length_s)
        finally:
            siaga.end(signal.SIGTERM)
    read_back(script, folder / "home", done)
    done.wrong = list(wrong(script, done))
    return done, siaga


def _sleep_until(begin: datetime, at_s: float) -> None:
    time.sleep(max(0.0, (begin - datetime.now(UTC)).total_seconds() + at_s))


def main() -> int:
    """Play the day and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("script", nargs="?", type=Path, default=SCRIPT)
    parser.add_argument("--minutes", type=float, help="scale the day to so many minutes")
    given = parser.parse_args()
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 1
    script = read(given.script, given.minutes)
    folder = Path(mkdtemp(prefix="siaga-day-"))
    try:
        done, siaga = played(script, folder, lambda line: print(line, file=sys.stderr, flush=True))
        said = (folder / "said.txt").read_text().splitlines()
    except CannotError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    row = {
        "minutes": round(script.length_s / 60, 1),
        "as_scripted": not done.wrong,
        "wrong": done.wrong,
        "looks": done.looks,
        "acts_late_s": round(done.late_s, 2),
        "alerts": done.alerts,
        "outages": done.outages,
        "availability": done.availability,
        "siaga_cpu_s": round(siaga.cpu_s, 1),
        "siaga_rss_mib": round(siaga.rss_mib),
        "said": said[-10:],
    }
    print(json.dumps(row, indent=1))
    return 1 if done.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
