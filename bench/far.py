"""Hosts as they are in a regency, on one machine: a link that takes its time, and processors of their own.

Fifty hosts on the two cores that the controller needs too would be measured as fifty hosts without a processor. So:

- A forwarder stands before each host's sshd and holds every packet back for DELAY ms in each direction.
- A host's Python is one that is warm already (`far_python.c` hands a module over to it): modules really run and really
  write, at a tenth of the processor time. Each then takes HOST_S seconds in all, as long as it takes a host alone.

    python -m bench.far python SOCKET HOST_S
    python -m bench.far forward FROM_PORT TO_PORT DELAY_MS
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
WARM = ("command", "copy", "file", "lineinfile", "setup", "stat")  # what the measured plays use
FDS = 3


@dataclass(frozen=True)
class Far:
    """How far away hosts are, and how long one takes for a module. All zero: they are this machine."""

    delay_ms: float = 0.0
    host_s: float = 0.0

    def __str__(self) -> str:
        """Return it as a part of a sentence."""
        near = "each with the machine's own Python"
        own = f"{self.host_s:.2f} s for each module, at little cost to this machine" if self.host_s else near
        return f"{2 * self.delay_ms:.0f} ms there and back; {own}"


NEAR = Far()


@contextmanager
def python(folder: Path, far: Far) -> Iterator[Path]:
    """Give the path of the hosts' Python while the block lasts."""
    if not far.host_s:
        yield Path("/usr/bin/python3")
        return
    at, made = folder / "python.sock", folder / "python3"
    given = [f'-DSOCKET="{at}"', '-DPYTHON="/usr/bin/python3"']
    subprocess.run(
        ["cc", "-O2", "-Wall", "-Wextra", *given, "-o", str(made), str(HERE / "far_python.c")], check=True
    )
    with running("python", str(at), str(far.host_s)):
        yield made


@contextmanager
def forwarder(from_port: int, to_port: int, far: Far) -> Iterator[int]:
    """Give the port at which hosts are as far away as they should be; without a delay it is their own."""
    if not far.delay_ms:
        yield to_port
        return
    with running("forward", str(from_port), str(to_port), str(far.delay_ms)):
        yield from_port


@contextmanager
def running(*words: str) -> Iterator[None]:
    """Run one of this module's two services until the end of the block."""
    command = [sys.executable, "-P", "-m", "bench.far", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE.parent, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", words
        try:
            yield
        finally:
            process.terminate()


# --- the hosts' Python ------------------------------------------------------------------------------------


def serve(at: str, host_s: float) -> None:
    """Carry out what is handed over, each in a process of its own, in which Ansible's modules are imported already."""
    import importlib

    for name in WARM:
        importlib.import_module(f"ansible.modules.{name}")
        del sys.modules[f"ansible.modules.{name}"]  # it is to run as a program
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(at)
        door.listen(512)
        print("ready", flush=True)
        while True:
            line, _ = door.accept()
            with line:
                message, fds, _, _ = socket.recv_fds(line, 1 << 17, FDS)
                if os.fork() == 0:
                    door.close()
                    _carry_out(line, message, fds, host_s)
                for fd in fds:
                    os.close(fd)


def _carry_out(line: socket.socket, message: bytes, fds: Sequence[int], host_s: float) -> None:
    """Run one module as the process that it is, tell its exit code and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    until, code = time.monotonic() + host_s, 0
    path, *variables = message.decode().rstrip("\0").split("\0")
    os.environ.clear()
    os.environ.update(v.split("=", 1) for v in variables)
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    try:
        text = Path(path).read_bytes() if path else sys.stdin.buffer.read()
        sys.argv = [path or "-"]
        import __main__

        __main__.__dict__.update(__file__=path or "<stdin>")
        exec(compile(text, path or "<stdin>", "exec"), __main__.__dict__)  # it is a Python
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException:  # noqa: BLE001  # as a Python would: it is told by the exit code
        import traceback

        traceback.print_exc()
        code = 1
    time.sleep(max(0.0, until - time.monotonic()))
    with suppress(OSError):
        sys.stdout.flush()
        line.send(bytes([code & 0xFF]))
    os._exit(code)


# --- the link ---------------------------------------------------------------------------------------------


class End(asyncio.Protocol):
    """One end of a connection: what it gets goes out at the other one after the delay, in order."""

    def __init__(self, delay_s: float, to_port: int = 0) -> None:
        self.delay_s, self.to_port = delay_s, to_port
        self.other: End | None = None
        self.transport: asyncio.Transport | None = None
        self.early: list[bytes] = []
        self.coming: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Go on to the host at which this connection was meant to end."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.to_port and not transport.get_extra_info("sockname")[0].startswith("127."):
            transport.abort()  # nobody but this machine is let in
        elif self.to_port:
            self.connecting = asyncio.ensure_future(self._onwards(transport.get_extra_info("sockname")[0]))

    async def _onwards(self, host: str) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(2 * self.delay_s)  # the handshake goes there and back
        _, made = await loop.create_connection(lambda: End(self.delay_s), host, self.to_port)
        made.other, self.other = self, made
        for part in self.early:
            self.data_received(part)

    def data_received(self, data: bytes) -> None:
        """Hand on what came, later."""
        if self.other is None:
            self.early.append(data)
            return
        self.other.coming.append(data)
        asyncio.get_running_loop().call_later(self.delay_s, self.other.send)

    def send(self) -> None:
        """Write what has been on its way the longest."""
        data = self.coming.popleft()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        """Let the other end hear of it as late as of everything else."""
        if self.other is not None and self.other.transport is not None:
            asyncio.get_running_loop().call_later(self.delay_s, self.other.transport.close)


async def forward(from_port: int, to_port: int, delay_ms: float) -> None:
    """Forward every connection to the same address at another port."""
    loop = asyncio.get_running_loop()
    # All of 127.0.0.0/8 at once.
    server = await loop.create_server(
        lambda: End(delay_ms / 1000, to_port), "0.0.0.0", from_port, backlog=512
    )
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["python", at, host_s]:
            serve(at, float(host_s))
        case ["forward", from_port, to_port, delay_ms]:
            with suppress(KeyboardInterrupt):
                asyncio.run(forward(int(from_port), int(to_port), float(delay_ms)))
