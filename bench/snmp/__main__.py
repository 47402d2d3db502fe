"""Measures SNMP pollers beside each other on one machine; `python -m bench.snmp` prints markdown tables.

    python -m bench.snmp [--reps 5] [--versions 2c,3] [--quick] [--scenario none|steady|loss|all] [--md FILE]

One responder in C is all devices (bench/snmp/agent.c): every address of 127.0.0.0/8 is a switch with 28 interfaces.
It has core 0, the clients have core 1; they run in turn (A B C A B C …), so that a busy machine weighs on all, and the
measure is devices per second of the client's own processor time. --install fetches what is missing, as root by
apt-get, and gufo-snmp into an environment of its own; without it those rows are left out.
"""

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from bench import measure, services
from bench.snmp import clients, exporter, processes, results, tools
from bench.snmp.clients import Client, Programs
from bench.snmp.processes import say
from bench.snmp.results import Goal, Outcome, Rate

REPS, PORT = 5, 18161
RATE_MOST_S, SCENARIO_MOST_S = 120, 180
SCENARIO_WINDOW = 2048


@dataclass(frozen=True)
class Scenario:
    """A network that is not perfect: how the responder makes it, and how many devices are in it."""

    name: str
    what: str
    devices: int
    silent_percent: int
    options: tuple[str, ...]
    goals: Callable[[str, str, Outcome], list[Goal]]


FAR = ("--delay", "10", "--jitter", "10")
LOSSY = ("--loss", "1", "--duplicate", "1", "--reorder", "1")
SCENARIOS = (
    Scenario("steady", "5 % silent, 10–20 ms away", 5000, 5, FAR, results.steady_goals),
    Scenario(
        "loss",
        "5 % silent, 10–20 ms away, 1 % lost each way, 1 % doubled, 1 % late by 20 ms",
        5000,
        5,
        (*FAR, *LOSSY),
        results.loss_goals,
    ),
)


@dataclass
class Report:
    """The tables so far, and the goals that they speak of."""

    parts: list[str] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)

    def add(self, *parts: str) -> None:
        """Add paragraphs, and print them at once: a long run that is cut off has told what it knew."""
        self.parts.extend(parts)
        print("\n\n".join(parts), end="\n\n", flush=True)


def rates(
    rows: Sequence[Client], port: int, versions: Sequence[str], reps: int
) -> dict[str, dict[str, Rate]]:
    """Run every client in turn, `reps` times, and return the medians by version and client."""
    seen: dict[str, dict[str, list[Outcome]]] = {v: {} for v in versions}
    for rep in range(reps):
        for version in versions:
            for client in rows:
                outcome = _outcome(client, client.asked(port, version), RATE_MOST_S)
                if outcome is None:
                    continue
                seen[version].setdefault(client.name, []).append(outcome)
                say(
                    f"{rep + 1}/{reps} v{version} {client.name}: {outcome.devices_per_cpu_s:,.0f} devices/CPU s,"
                    f" {outcome.failed} failed"
                )
    return {v: {name: results.rate(o) for name, o in by_name.items()} for v, by_name in seen.items()}


def _outcome(client: Client, command: Sequence[str], most_s: float) -> Outcome | None:
    core = processes.CLIENT_CORE if client.on_clients_core else processes.RESPONDER_CORE
    try:
        outcome = results.read_outcome(processes.told(command, core, most_s))
    except (RuntimeError, ValueError) as error:
        say(f"{client.name}: left out, {error}")
        return None
    if client.parser and outcome.parser != client.parser:
        say(f"{client.name}: left out, it ran with the parser {outcome.parser!r}")
        return None
    return outcome


def scenario_rounds(
    scenario: Scenario, agent: Path, port: int, rows: Sequence[Client], version: str
) -> list[tuple[Client, Outcome]]:
    """Run one counted round of a scenario by each client, each against a responder that has just started."""
    options = ("--silent", str(scenario.silent_percent), *scenario.options)
    silent = silent_devices(agent, scenario)
    found = []
    for client in rows:
        with processes.responder(agent, port, options) as running:
            command = client.in_scenario(port, version, scenario.devices, SCENARIO_WINDOW)
            outcome = _outcome(client, command, SCENARIO_MOST_S)
        if outcome is None:
            continue
        # What answers and was not polled whole is a false outage, whatever the client itself calls it.
        outcome = replace(outcome, false_down=max(outcome.false_down, outcome.failed - silent))
        say(
            f"{scenario.name} v{version} {client.name}: {outcome.wall_s:.2f} s wall, {outcome.cpu_s:.2f} s CPU"
        )
        say(f"  the responder counted {running.counted}")
        found.append((client, outcome))
    return found


def silent_devices(agent: Path, scenario: Scenario) -> int:
    """Return how many of a scenario's devices never answer, as the responder itself draws them."""
    command = (agent, "--silent", str(scenario.silent_percent), "--count-silent", str(scenario.devices))
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def machine() -> str:
    """Return what was measured on, in one sentence."""
    models = [x.partition(":")[2].strip() for x in _lines("/proc/cpuinfo") if x.startswith("model name")]
    release = dict(x.split("=", 1) for x in _lines("/etc/os-release") if "=" in x)
    return (
        f"{len(os.sched_getaffinity(0))} cores ({models[0] if models else platform.machine()}),"
        f" {release.get('PRETTY_NAME', platform.system()).strip(chr(34))}, Python {platform.python_version()},"
        f" {datetime.now(UTC):%Y-%m-%d}"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


@contextmanager
def programs(given: argparse.Namespace, folder: Path) -> Iterator[Programs]:
    """Build and start what the peers need, as far as it is there, until the end of the block."""
    lacking = tools.missing()
    if lacking and given.install:
        tools.install(lacking)
        lacking = tools.missing()
    for need in lacking:
        say(f"Missing: {need.what} for {need.purpose}; apt-get install {need.package}")
    if any(need.needed for need in lacking):
        raise SystemExit("The responder cannot be built.")
    absent = {need.what for need in lacking}
    gufo = tools.gufo_python(folder / "gufo") if given.install else None
    if gufo is None:
        say("gufo-snmp: left out; --install fetches it")
    netsnmp = None if "net-snmp-config" in absent else tools.build_netsnmp(folder)
    with ExitStack() as stack:
        running = None
        if "prometheus-snmp-exporter" not in absent:
            configuration, port = folder / "snmp.yml", services.free_port()
            configuration.write_text(exporter.configuration())
            command = processes.exporter("prometheus-snmp-exporter", configuration, port)
            running = (stack.enter_context(command), port)
        yield Programs(netsnmp, gufo, running, "snmpbulkwalk" not in absent)


def measured(given: argparse.Namespace, folder: Path) -> Report:
    """Measure everything that was asked for."""
    report = Report()
    report.add(f"{machine()}. Load average at the start: {measure.load()}.")
    agent = tools.build_agent(folder)
    ours = clients.siaga()
    with programs(given, folder) as found:
        rows = [*ours, *clients.peers(found)]
        if not given.only_scenarios:
            with processes.responder(agent, given.port) as running:
                by_version = rates(rows, given.port, given.versions, given.reps)
            say(f"the responder counted {running.counted}")
            _tell_rates(report, by_version, given.reps)
    in_scenarios = [*ours, *(c for c in rows if c.name == results.NETSNMP)]
    for scenario in given.scenarios:
        for version in given.versions:
            # The library asks for engine IDs one after another: 5,000 devices with silent ones take it minutes.
            some = [c for c in in_scenarios if version == "2c" or c.name != results.NETSNMP]
            _tell_scenario(
                report, scenario, version, scenario_rounds(scenario, agent, given.port, some, version)
            )
    report.add("Promised:", results.goal_table(report.goals))
    report.add(f"Load average at the end: {measure.load()}.")
    return report


def _tell_rates(report: Report, by_version: Mapping[str, Mapping[str, Rate]], reps: int) -> None:
    security = {"2c": "SNMPv2c", "3": "SNMPv3, SHA-256 and AES-128"}
    for version, found in by_version.items():
        report.add(f"{security[version]}, medians of {reps}:", results.rate_table(found))
        report.goals.extend(results.rate_goals(version, found))


def _tell_scenario(
    report: Report, scenario: Scenario, version: str, found: Sequence[tuple[Client, Outcome]]
) -> None:
    if not found:
        return
    report.add(
        f"A round of {scenario.devices:,} devices by v{version}, {scenario.what}:",
        results.round_table([(client.name, outcome) for client, outcome in found]),
    )
    for client, outcome in found:
        if client.name != results.NETSNMP:
            report.goals.extend(scenario.goals(version, client.name, outcome))


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the arguments; ends the program with a sentence when they cannot be understood."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.snmp",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--reps", type=int, default=REPS)
    parser.add_argument("--versions", type=lambda text: text.split(","), default=["2c", "3"])
    parser.add_argument("--scenario", choices=("none", *(s.name for s in SCENARIOS), "all"), default="all")
    parser.add_argument("--only-scenarios", action="store_true", help="leave out the rates")
    parser.add_argument("--quick", action="store_true", help="once each, scenarios of 1,000 devices")
    parser.add_argument("--install", action="store_true", help="fetch what is missing")
    parser.add_argument("--port", type=int, default=PORT, help="UDP port of the responder")
    parser.add_argument("--md", type=Path, help="write the tables there too")
    given = parser.parse_args(words)
    if given.reps < 1 or not set(given.versions) <= {"2c", "3"}:
        parser.error("--reps is at least 1, and --versions are of 2c and 3")
    given.reps = 1 if given.quick else given.reps
    chosen = [s for s in SCENARIOS if given.scenario in (s.name, "all")]
    given.scenarios = [replace(s, devices=1000) if given.quick else s for s in chosen]
    return given


def _ended(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(f"signal {number}")


def main() -> None:
    """Read the arguments, measure, and leave nothing running."""
    given = arguments()
    if not {processes.RESPONDER_CORE, processes.CLIENT_CORE} <= os.sched_getaffinity(0):
        sys.exit("The benchmark needs cores 0 and 1: one for the responder, one for the clients.")
    signal.signal(signal.SIGTERM, _ended)
    try:
        with tempfile.TemporaryDirectory(prefix="siaga-bench-") as name:
            report = measured(given, Path(name))
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed with {error.returncode}.")
    if given.md:
        given.md.write_text("\n\n".join(report.parts) + "\n", "utf-8")


if __name__ == "__main__":
    main()
