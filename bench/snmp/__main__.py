"""Measures SNMP pollers beside each other on one machine; `python -m bench.snmp` prints markdown tables.

    python -m bench.snmp [--reps 5] [--versions 2c,3] [--quick] [--scenario NAME] [--md FILE]

One responder in C is all devices (bench/snmp/agent.c): every address of 127.0.0.0/8 is a switch with 28 interfaces.
It has core 0, the clients have core 1; they run in turn (A B C A B C …), so that a busy machine weighs on all, and the
measure is devices per second of the client's own processor time. Scenarios: none, forged (SNMPv3 replies that are
signed wrongly), steady (5,000 devices, some silent, all far away), loss (that, and a network that loses datagrams).
--install fetches what is missing, as root by apt-get, and gufo-snmp into an environment of its own; without it those
rows are left out.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from bench import measure
from bench.snmp import clients, processes, programs, results, scenarios, tools
from bench.snmp.clients import Client
from bench.snmp.processes import say
from bench.snmp.results import Goal, Outcome, Rate, Round
from bench.snmp.scenarios import FORGED_DEVICES, SCENARIOS, Scenario

REPS, PORT, RATE_MOST_S = 5, 18161, 60
FORGED = "forged"


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
    useless = set()
    for rep in range(reps):
        for version in versions:
            for client in rows:
                if (version, client) in useless:
                    continue
                outcome = clients.outcome_of(client, client.asked(port, version), RATE_MOST_S)
                if outcome is None:
                    useless.add((version, client))
                    continue
                seen[version].setdefault(client.name, []).append(outcome)
                say(
                    f"{rep + 1}/{reps} v{version} {client.name}: {outcome.devices_per_cpu_s:,.0f} devices/CPU s,"
                    f" {outcome.failed} failed"
                )
    return {v: {name: results.rate(o) for name, o in by_name.items()} for v, by_name in seen.items()}


def measured(given: argparse.Namespace, folder: Path) -> Report:
    """Measure everything that was asked for."""
    report = Report()
    absent = programs.lacking(given.install)
    report.add(f"{measure.machine()}. Load average at the start: {measure.load()}.")
    agent = tools.build_agent(folder)
    with programs.programs(absent, given.install, folder) as found:
        rows = [*clients.siaga(), *clients.peers(found)]
        if not given.only_scenarios:
            with processes.responder(agent, given.port) as running:
                by_version = rates(rows, given.port, given.versions, given.reps)
            say(f"the responder counted {running.counted}")
            _tell_rates(report, by_version, given.reps)
        if given.forged:
            taken = scenarios.forged(agent, given.port, rows)
            report.add("SNMPv3 replies with a wrong MAC:", results.forged_table(taken, FORGED_DEVICES))
            report.goals.extend(results.forged_goals(taken))
    for scenario in given.scenarios:
        for version in given.versions:
            some = [c for c in rows if c.name in scenarios.takes_part(version)]
            seen = scenarios.rounds(scenario, agent, given.port, some, version)
            _tell_scenario(report, scenario, version, seen)
    report.add("Promised:", results.goal_table(report.goals))
    report.add(f"Load average at the end: {measure.load()}.")
    return report


def _tell_rates(report: Report, by_version: Mapping[str, Mapping[str, Rate]], reps: int) -> None:
    security = {"2c": "SNMPv2c", "3": "SNMPv3, SHA-256 and AES-128"}
    for version, found in by_version.items():
        report.add(f"{security[version]}, medians of {reps}:", results.rate_table(found))
        report.goals.extend(results.rate_goals(version, found))


def _tell_scenario(
    report: Report, scenario: Scenario, version: str, found: Sequence[tuple[Client, Round]]
) -> None:
    if not found:
        return
    report.add(
        f"A round of {scenario.devices:,} devices by v{version}, {scenario.what}:",
        results.round_table([(client.name, seen) for client, seen in found]),
    )
    for client, seen in found:
        if client.name != results.NETSNMP:
            report.goals.extend(scenario.goals(version, client.name, seen))


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the arguments; ends the program with a sentence when they cannot be understood."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.snmp",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--reps", type=int, default=REPS)
    parser.add_argument("--versions", type=lambda text: text.split(","), default=["2c", "3"])
    parser.add_argument(
        "--scenario", choices=("none", FORGED, *(s.name for s in SCENARIOS), "all"), default="all"
    )
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
    given.forged = "3" in given.versions and given.scenario in (FORGED, "all")
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
    except (RuntimeError, TimeoutError) as error:
        sys.exit(f"{error}.")
    if given.md:
        given.md.write_text("\n\n".join(report.parts) + "\n", "utf-8")


if __name__ == "__main__":
    main()
