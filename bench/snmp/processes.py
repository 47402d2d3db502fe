"""Runs the benchmark's programs, each on a core of its own, bounded in time, and ends every one by its pid."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import services

RESPONDER_CORE, CLIENT_CORE = 0, 1
_PATIENCE_S = 5


def say(text: str) -> None:
    """Tell how far we are, on standard error."""
    print(text, file=sys.stderr, flush=True)


def pinned(command: Sequence[str], core: int) -> list[str]:
    """Return a command that runs on one core; taskset becomes the command, so that the pid is its own."""
    return ["taskset", "-c", str(core), *command]


def end(process: subprocess.Popen[str]) -> None:
    """End a process that we started: it is asked first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Responder:
    """A running responder: its port, and when it has ended what it counted."""

    port: int
    counted: dict[str, Any]


@contextmanager
def responder(program: Path, port: int, options: Sequence[str] = ()) -> Iterator[Responder]:
    """Run the responder until the end of the block; raises RuntimeError when it does not start."""
    command = pinned([str(program), "--port", str(port), *options], RESPONDER_CORE)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    running = Responder(port, {})
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the responder did not start on port {port}")
        yield running
    finally:
        end(process)
        last = process.stdout.read().strip()
        process.stdout.close()
        running.counted.update(json.loads(last) if last.startswith("{") else {})


@contextmanager
def exporter(program: str, configuration: Path, port: int) -> Iterator[int]:
    """Run snmp_exporter on the clients' core until the end of the block; yields its pid."""
    command = pinned(
        [program, f"--config.file={configuration}", f"--web.listen-address=127.0.0.1:{port}"], CLIENT_CORE
    )
    with (configuration.parent / "exporter.log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True)
    try:
        services.until(lambda: process.poll() is not None or _answers(port), 10)
        if process.poll() is not None:
            raise RuntimeError(
                f"snmp_exporter did not start: {(configuration.parent / 'exporter.log').read_text()}"
            )
        yield process.pid
    finally:
        end(process)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False


def told(command: Sequence[str], core: int, most_s: float) -> str:
    """Run a client to its end and return its output; raises RuntimeError with a sentence when it fails."""
    process = subprocess.Popen(
        pinned(command, core),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, errors = process.communicate(timeout=most_s)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"nothing within {most_s:.0f} s") from None
    finally:
        end(process)
    if process.returncode:
        lines = errors.strip().splitlines() or ["no word of why"]
        raise RuntimeError(f"ended with {process.returncode}: {lines[-1][:300]}")
    return output
