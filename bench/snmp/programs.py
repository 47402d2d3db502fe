"""What the peers are run by: built and started as far as this machine has it, and said where it has not."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import services
from bench.snmp import exporter, processes, tools
from bench.snmp.processes import say
from bench.snmp.tools import Need


@dataclass(frozen=True)
class Programs:
    """What the peers are run by; None where one is not there."""

    netsnmp: Path | None = None
    gufo_python: Path | None = None
    exporter: tuple[int, int] | None = None  # its pid and its HTTP port
    tools: bool = False


def lacking(install: bool) -> list[Need]:
    """Return what is missing and say it, after installing it if that is wanted.

    Raises RuntimeError when the responder itself cannot be built.
    """
    needs = tools.missing()
    if needs and install:
        tools.install(needs)
        needs = tools.missing()
    for need in needs:
        say(f"Missing: {need.what} for {need.purpose}; apt-get install {need.package}")
    if any(need.needed for need in needs):
        raise RuntimeError("the responder cannot be built")
    return needs


@contextmanager
def programs(absent: Sequence[Need], install: bool, folder: Path) -> Iterator[Programs]:
    """Build and start what the peers need, as far as it is there, until the end of the block."""
    names = {need.what for need in absent}
    gufo = tools.gufo_python(folder / "gufo") if install else None
    if gufo is None:
        say("gufo-snmp: left out; --install fetches it")
    netsnmp = None if "net-snmp-config" in names else tools.build_netsnmp(folder)
    with ExitStack() as stack:
        running = None
        if "prometheus-snmp-exporter" not in names:
            configuration, port = folder / "snmp.yml", services.free_port()
            configuration.write_text(exporter.configuration())
            command = processes.exporter("prometheus-snmp-exporter", configuration, port)
            running = (stack.enter_context(command), port)
        yield Programs(netsnmp, gufo, running, "snmpbulkwalk" not in names)
