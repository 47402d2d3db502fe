"""Which clients are measured, and the command that runs each; a row whose program is not there is left out."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from bench.snmp import poll, processes, results
from bench.snmp.processes import say
from bench.snmp.programs import Programs
from bench.snmp.results import Outcome

PYTHON = (sys.executable, "-P", "-m")
SIAGA, C_READER = "bench.snmp.client_siaga", "monitor._fastber"


@dataclass(frozen=True)
class Client:
    """A client of the benchmark: its row, its command, and how much it polls for one figure.

    `devices` are so many that a figure rests on about 0.2 s of processor time at least; `on_clients_core` is false
    for what only drives a server that runs there.
    """

    name: str
    command: tuple[str, ...]
    devices: int
    rounds: int
    window: int | None = None  # how many side by side, where a client is quicker so than by its own choice
    parser: str = ""  # what its JSON must say, where there are several
    on_clients_core: bool = True

    def asked(self, port: int, version: str) -> list[str]:
        """Return the whole command for a figure of devices per CPU second."""
        window = () if self.window is None else ("--window", str(self.window))
        amount = ("--devices", str(self.devices), "--rounds", str(self.rounds))
        return [*self._to(port, version), *amount, *window]

    def in_scenario(self, port: int, version: str, devices: int, window: int) -> list[str]:
        """Return the whole command for one counted round of a scenario."""
        patience = ("--timeout", "2", "--retries", "2")
        return [
            *self._to(port, version),
            "--devices",
            str(devices),
            "--rounds",
            "1",
            "--window",
            str(window),
            *patience,
        ]

    def _to(self, port: int, version: str) -> list[str]:
        return [*self.command, "--port", str(port), "--version", version]


def siaga() -> list[Client]:
    """Return our own rows: in pure Python, and with the C parser where it is built."""
    rows = [(results.PURE, "pure", 2)]
    if find_spec(C_READER) is None:
        say(f"{results.COMPILED}: left out; make fast builds it")
    else:
        rows.append((results.COMPILED, "c", 3))
    return [Client(name, (*PYTHON, SIAGA, "--parser", p), 1500, rounds, parser=p) for name, p, rounds in rows]


def peers(programs: Programs) -> list[Client]:
    """Return the rows of the others."""
    rows = []
    if programs.netsnmp:
        rows.append(Client(results.NETSNMP, (str(programs.netsnmp),), 1500, 2, window=64))
    if programs.gufo_python:
        command = (str(programs.gufo_python), "-m", "bench.snmp.clients_async", "gufo")
        rows.append(Client("gufo-snmp", command, 600, 1))
    if programs.exporter:
        pid, port = (str(number) for number in programs.exporter)
        command = (*PYTHON, "bench.snmp.exporter", "--pid", pid, "--http-port", port)
        rows.append(Client(results.EXPORTER, command, 250, 1, on_clients_core=False))
    rows.append(Client("pysnmp", (*PYTHON, "bench.snmp.clients_async", "pysnmp"), 20, 1))
    if programs.tools:
        rows.append(Client(results.PROCESSES, (*PYTHON, "bench.snmp.client_tools"), 8, 1))
    return rows


def outcome_of(client: Client, command: Sequence[str], most_s: float) -> Outcome | None:
    """Run a client and return what it told; None, with a word on standard error, when that is of no use."""
    core = processes.CLIENT_CORE if client.on_clients_core else processes.RESPONDER_CORE
    try:
        outcome = results.read_outcome(processes.told(command, core, most_s))
    except (RuntimeError, ValueError) as error:
        say(f"{client.name}: left out, {error}")
        return None
    if client.parser and outcome.parser != client.parser:
        say(f"{client.name}: left out, it ran with the parser {outcome.parser!r}")
        return None
    if outcome.varbinds < outcome.ok * poll.VARBINDS:
        say(f"{client.name}: left out, {outcome.varbinds} varbinds are too few for {outcome.ok} polls")
        return None
    return outcome
