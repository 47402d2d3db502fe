"""Counts what the lean engine asks of the interpreter for each PDU: bytecodes, by function; the same on a busy machine.

    python -m bench.snmp.bytecodes [--version 2c|3] [--parser pure|c] [--devices 80]

A small gain, or loss, is seen here where processor time is too noisy to show it. What C does (the parsers, sockets,
ciphers) is not in it.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from bench.snmp import processes, tools
from bench.snmp.client_siaga import AUTHS, wanted
from monitor.snmp_lean import Lean, Wanted
from monitor.windows import HAS_C
from siaga.settings import Poll

_PORT, _BEFORE, _SHOWN = 18163, 10, 24


class Steps:
    """While it is entered: counts bytecodes and calls of each function."""

    def __init__(self) -> None:
        self.bytecodes: Counter[CodeType] = Counter()
        self.calls: Counter[CodeType] = Counter()

    def __enter__(self) -> "Steps":
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, _event: str, _arg: Any) -> Callable[..., Any]:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.calls[frame.f_code] += 1
        return self._stepped

    def _stepped(self, frame: FrameType, event: str, _arg: Any) -> Callable[..., Any]:
        self.bytecodes[frame.f_code] += event == "opcode"
        return self._stepped


async def counted(devices: list[Wanted], parser: str) -> tuple[Steps, int]:
    """Return the steps of one round, and how many PDUs it sent, after some rounds in which patterns are made."""
    async with Lean(Poll(), parser=parser) as lean:
        for _ in range(_BEFORE):
            await lean.round_of(devices, lambda *_: None)
        before = lean.tally.sent
        with Steps() as steps:
            await lean.round_of(devices, lambda *_: None)
        return steps, lean.tally.sent - before


def table(steps: Steps, pdus: int) -> str:
    """Return the functions that take most, for each PDU."""
    lines = [f"{sum(steps.bytecodes.values()) / pdus:10.1f}        all"]
    for code, number in steps.bytecodes.most_common(_SHOWN):
        lines.append(f"{number / pdus:10.1f} {steps.calls[code] / pdus:6.2f} {code.co_name}")
    return "\n".join([" bytecodes  calls", *lines])


def main() -> None:
    """Count one round against the benchmark's responder."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.snmp.bytecodes", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--version", choices=sorted(AUTHS), default="2c")
    parser.add_argument("--parser", choices=("pure", "c"), default="pure")
    parser.add_argument("--devices", type=int, default=80)
    given = parser.parse_args()
    if given.parser == "c" and not HAS_C:
        parser.error("the C parser is not built: make fast builds it")
    # The tracing slows all down, so that nobody may be taken for silent.
    asked = argparse.Namespace(port=_PORT, version=given.version, timeout=30.0, retries=0)
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as folder:
        agent = tools.build_agent(Path(folder))
        with processes.responder(agent, _PORT):
            devices = [wanted(asked, i) for i in range(given.devices)]
            print(table(*asyncio.run(counted(devices, given.parser))))


if __name__ == "__main__":
    main()
