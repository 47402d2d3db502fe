"""Networks that are not perfect: one counted round by each client, against a responder that plays them."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.snmp import clients, processes, results
from bench.snmp.clients import Client
from bench.snmp.processes import say
from bench.snmp.results import Goal, Round

MOST_S, WINDOW = 90, 2048


@dataclass(frozen=True)
class Scenario:
    """A network that is not perfect: how the responder makes it, and how many devices are in it."""

    name: str
    what: str
    devices: int
    silent_percent: int
    options: tuple[str, ...]
    goals: Callable[[str, str, Round], list[Goal]]


FORGED_DEVICES = 20
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


def takes_part(version: str) -> tuple[str, ...]:
    """Return which clients a scenario is run by."""
    if version == "2c":
        return results.PURE, results.COMPILED, results.NETSNMP
    # net-snmp's library asks for engine IDs one after another: with 250 silent devices that takes it minutes.
    return results.PURE, results.COMPILED


def rounds(
    scenario: Scenario, agent: Path, port: int, rows: Sequence[Client], version: str
) -> list[tuple[Client, Round]]:
    """Run one counted round of a scenario by each client, each against a responder that has just started."""
    options = ("--silent", str(scenario.silent_percent), *scenario.options)
    silent = silent_devices(agent, scenario)
    found = []
    for client in rows:
        with processes.responder(agent, port, options) as running:
            command = client.in_scenario(port, version, scenario.devices, WINDOW)
            outcome = clients.outcome_of(client, command, MOST_S)
        if outcome is None:
            continue
        say(
            f"{scenario.name} v{version} {client.name}: {outcome.wall_s:.2f} s wall, {outcome.cpu_s:.2f} s CPU"
        )
        say(f"  the responder counted {running.counted}")
        found.append((client, results.round_of(outcome, silent)))
    return found


def silent_devices(agent: Path, scenario: Scenario) -> int:
    """Return how many of a scenario's devices never answer, as the responder itself draws them."""
    command = (agent, "--silent", str(scenario.silent_percent), "--count-silent", str(scenario.devices))
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def forged(agent: Path, port: int, rows: Sequence[Client]) -> dict[str, int]:
    """Ask devices whose SNMPv3 replies are signed wrongly; return how many polls each client took for good."""
    taken = {}
    for client in rows:
        if (
            client.name == results.PROCESSES
        ):  # the library of another row, which waits for every column of every device
            continue
        few = replace(client, devices=FORGED_DEVICES, rounds=1, window=None)
        with processes.responder(agent, port, ("--wrong-mac",)):
            outcome = clients.outcome_of(few, few.asked(port, "3"), MOST_S)
        if outcome is not None:
            taken[client.name] = outcome.ok
            say(f"forged v3 {client.name}: {outcome.ok} of {FORGED_DEVICES} taken for good")
    return taken
