"""Times a command from outside, as the kernel counts it, and a function from inside; medians after one warm-up."""

import gc
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Spent:
    """What one finished child cost: seconds of processor and of wall time, and its greatest size in MB."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    output: str = ""


def child(
    command: Sequence[str], environment: Mapping[str, str], *, keep: bool = False, fine: Sequence[int] = ()
) -> Spent:
    """Run a command to its end and return what it cost; with `keep` also what it wrote to standard output.

    Raises subprocess.CalledProcessError, with the end of its standard error, when it fails: with another exit code
    than 0 and those that are `fine`.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        if process.returncode not in (0, *fine):
            raise subprocess.CalledProcessError(process.returncode, command, stderr=errors.read()[-4000:])
        output.seek(0)
        text = output.read() if keep else ""
    # Linux counts ru_maxrss in KiB.
    return Spent(usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss / 1024, text)


def children(command: Sequence[str], environment: Mapping[str, str], runs: int) -> Spent:
    """Run a command `runs` times after one warm-up and return the medians."""
    each = [child(command, environment) for _ in range(runs + 1)][1:]
    return Spent(
        statistics.median(s.cpu_s for s in each),
        statistics.median(s.wall_s for s in each),
        max(s.peak_mb for s in each),
    )


def inside(work: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Return the median wall seconds of `work` in this process, after one warm-up, and what it returned last."""
    times, result = [], work()
    for _ in range(runs):
        gc.collect()
        began = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - began)
    return statistics.median(times), result


def load() -> str:
    """Return the machine's load average of the last minute, to be printed beside the figures."""
    return f"{os.getloadavg()[0]:.1f}"


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


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a markdown table; every column but the first is a number and stands to the right."""
    widths = [max(len(r[i]) for r in (header, *rows)) for i in range(len(header))]
    rule = [("-" * w) if not i else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    lines = [header, rule, *rows]
    return "\n".join(
        "| "
        + " | ".join(
            c.ljust(w) if not i else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True))
        )
        + " |"
        for r in lines
    )
