"""The same samples given to VictoriaMetrics and to RRDtool, as Debian ships them: their CPU seconds and their bytes.

Of VictoriaMetrics only the server is counted, not the client that feeds it. RRDtool is fed by its pipe mode, one update
a port and round.
"""

import os
import shutil
import struct
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.store_load import COUNTERS, METRICS, PORTS, T0_MS, Load

VICTORIA, PORT = "/usr/bin/victoria-metrics", 18428


@dataclass(frozen=True)
class Rival:
    """What another store took for some samples."""

    samples: int
    cpu_s: float
    disk_bytes: int
    day_ms: float | None = None


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _field(tag: int, data: bytes) -> bytes:
    return bytes([tag]) + _varint(len(data)) + data


class Writer:
    """Prometheus remote write for a fixed set of series: a template into which values and times are put."""

    def __init__(self, devices: range) -> None:
        parts, self.values, self.times, at = [], [], [], 0
        for device in devices:
            for port in range(PORTS):
                for metric in METRICS:
                    pairs = (("__name__", metric), ("device", f"{device}"), ("ifName", f"ether{port}"))
                    labels = b"".join(
                        _field(0x0A, _field(0x0A, k.encode()) + _field(0x12, v.encode())) for k, v in pairs
                    )
                    sample = b"\x09" + bytes(8) + b"\x10" + bytes(6)
                    series = _field(0x0A, labels + _field(0x12, sample))
                    parts.append(series)
                    at += len(series)
                    self.values.append(at - 15)
                    self.times.append(at - 6)
        self.template = np.frombuffer(b"".join(parts), np.uint8).copy()

    def body(self, values: np.ndarray, at_ms: int) -> bytes:
        """Return one request: the values of all series at one time (snappy, literals only)."""
        octets = values.astype("<f8").view(np.uint8).reshape(-1, 8)
        self.template[np.array(self.values)[:, None] + np.arange(8)] = octets
        self.template[np.array(self.times)[:, None] + np.arange(6)] = np.frombuffer(_varint(at_ms), np.uint8)
        raw = self.template.tobytes()
        chunks = (raw[i : i + 65536] for i in range(0, len(raw), 65536))
        return _varint(len(raw)) + b"".join(b"\xf4" + struct.pack("<H", len(c) - 1) + c for c in chunks)


@contextmanager
def _server(folder: Path) -> Iterator[int]:
    arguments = [f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{PORT}", "-retentionPeriod=10y"]
    with subprocess.Popen(
        [VICTORIA, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _until_up()
            yield process.pid
        finally:
            process.terminate()


def _until_up() -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            return _get("/health")
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("VictoriaMetrics does not answer")


def _get(path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=60) as answer:
        answer.read()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _size(folder: Path) -> int:
    return sum(p.stat().st_blocks * 512 for p in folder.rglob("*") if p.is_file())


def victoria(load: Load, folder: Path) -> Rival | None:
    """Feed VictoriaMetrics round by round; flushed and merged before the disk is measured."""
    if not Path(VICTORIA).exists():
        return None
    shutil.rmtree(folder, ignore_errors=True)
    devices, _, polls = load.values.shape
    writer = Writer(range(devices))
    with _server(folder) as pid:
        for poll in range(polls):
            _post(writer.body(load.values[:, :, poll].ravel(), T0_MS + poll * 60_000))
        _get("/internal/force_flush")
        cpu_s = _cpu_s(pid)
        day_ms = _day_ms()
        _get("/internal/force_merge")
        size = _settled(folder)
    return Rival(load.samples, cpu_s, size, day_ms)


def _post(body: bytes) -> None:
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/api/v1/write", body, headers)
    urllib.request.urlopen(request, timeout=120).close()


def victoria_wide(load: Load, devices: int, folder: Path) -> Rival | None:
    """Feed VictoriaMetrics many series, a hundred devices a request; what the first round takes is not counted."""
    if not Path(VICTORIA).exists():
        return None
    have, _, polls = load.values.shape
    writers = [Writer(range(first, min(first + have, devices))) for first in range(0, devices, have)]
    with _server(folder) as pid:
        began = 0.0
        for poll in range(polls):
            for writer in writers:
                values = load.values[:, :, poll].ravel()[: len(writer.values)]
                _post(writer.body(values, T0_MS + poll * 60_000))
            if not poll:
                _get("/internal/force_flush")
                began = _cpu_s(pid)
        _get("/internal/force_flush")
        cpu_s = _cpu_s(pid) - began
    return Rival((polls - 1) * devices * PORTS * COUNTERS, cpu_s, 0)


def _day_ms() -> float:
    query = 'rate(in_octets_64{device="3",ifName="ether4"}[2m])'
    start = T0_MS // 1000
    path = (
        f"/api/v1/query_range?query={urllib.request.quote(query)}&start={start}&end={start + 86_340}&step=60"
    )
    times = []
    for _ in range(9):
        began = time.perf_counter()
        _get(path + "&nocache=1")
        times.append(time.perf_counter() - began)
    return sorted(times)[4] * 1000


def _settled(folder: Path) -> int:
    """Return the size when it no longer changes."""
    sizes = [0, _size(folder)]
    until = time.monotonic() + 60
    while (sizes[-1] != sizes[-2] or len(sizes) < 6) and time.monotonic() < until:
        time.sleep(2)
        sizes.append(_size(folder))
    return sizes[-1]


def rrdtool(load: Load, folder: Path, polls: int) -> Rival | None:
    """Feed RRDtool: a file a port with ten counters and one archive of a day's raw points, `polls` rounds of it."""
    program = shutil.which("rrdtool")
    if program is None:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    devices = len(load.values)
    sources = " ".join(f"DS:{m[:19]}:COUNTER:120:0:U" for m in METRICS)
    start = T0_MS // 1000 - 60
    lines = [
        f"create {folder}/{d}-{p}.rrd --step 60 --start {start} {sources} RRA:AVERAGE:0.5:1:1440\n"
        for d in range(devices)
        for p in range(PORTS)
    ]
    ports = load.values.reshape(devices, PORTS, COUNTERS, -1)
    for poll in range(polls):
        for d in range(devices):
            for p in range(PORTS):
                values = ":".join(map(str, ports[d, p, :, poll].tolist()))
                lines.append(f"update {folder}/{d}-{p}.rrd {start + 60 + poll * 60}:{values}\n")
    before = os.times()
    done = subprocess.run([program, "-"], input="".join(lines), text=True, capture_output=True, check=True)
    after = os.times()
    assert "ERROR" not in done.stdout, done.stdout[:500]
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    # The archive is laid out whole from the beginning: a file's size is that of all the points it will hold.
    return Rival(devices * PORTS * COUNTERS * polls, cpu_s, round(_size(folder) * polls / 1440))
