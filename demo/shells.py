"""Runs the commands of one SSH session in a real shell, with pipes or on a real pseudo-terminal.

Used by the simulated Linux hosts. Whatever a session started is killed when the session ends.
"""

import asyncio
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncssh

from siaga.children import end

SHELL = "/bin/sh"
_CHUNK = 65536
# How long output is still awaited after the shell has ended (a background process may hold it open).
DRAIN_S = 2.0


class Shell:
    """One command (or an interactive shell, if the command is None) for one SSH channel."""

    def __init__(
        self, channel: "asyncssh.SSHServerProcess[bytes]", home: Path, environment: dict[str, str]
    ) -> None:
        self._channel = channel
        self._home = home
        self._environment = environment
        self._child: asyncio.subprocess.Process | None = None
        self._spawning: asyncio.Future[asyncio.subprocess.Process] | None = None

    async def run(self) -> None:
        """Run to the end, or until the other side goes away; give back the exit status as a shell does."""
        work = asyncio.ensure_future(self._on_terminal() if self._channel.term_type else self._on_pipes())
        gone = asyncio.ensure_future(self._channel.wait_closed())
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                self._exit(work.result())
        finally:
            await self._spawned()
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
            if self._child is not None:
                await end(self._child, group=True)

    async def _start(
        self, spawning: Coroutine[Any, Any, asyncio.subprocess.Process]
    ) -> asyncio.subprocess.Process:
        """Spawn a child whose beginning cannot be cut off: half begun, its group could not be killed."""
        self._spawning = asyncio.ensure_future(spawning)
        self._child = await asyncio.shield(self._spawning)
        return self._child

    async def _spawned(self) -> None:
        """Wait for a child that is just being spawned."""
        if self._spawning is not None and self._child is None:
            with suppress(OSError):
                self._child = await self._spawning

    def kill(self) -> None:
        """Kill the shell and everything in its process group."""
        if self._child is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def _exit(self, status: int) -> None:
        with suppress(OSError, asyncssh.Error):
            if status < 0:
                self._channel.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
            else:
                self._channel.exit(status)

    def _arguments(self) -> list[str]:
        command = self._channel.command
        return [SHELL, "-i"] if command is None else [SHELL, "-c", command]

    async def _on_pipes(self) -> int:
        pipe = asyncio.subprocess.PIPE
        child = await self._start(
            asyncio.create_subprocess_exec(
                *self._arguments(),
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                cwd=self._home,
                env=self._environment,
                process_group=0,
            )
        )
        assert child.stdin
        assert child.stdout
        assert child.stderr
        feeding = asyncio.ensure_future(self._feed(child.stdin))
        output = asyncio.gather(
            self._copy(child.stdout, self._channel.stdout), self._copy(child.stderr, self._channel.stderr)
        )
        return await _ended(child, output, feeding)

    async def _feed(self, stdin: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncssh.Error):
            while data := await self._channel.stdin.read(_CHUNK):
                stdin.write(data)
                await stdin.drain()
        stdin.close()

    async def _copy(self, source: asyncio.StreamReader, sink: "asyncssh.SSHWriter[bytes]") -> None:
        with suppress(OSError, asyncssh.Error):
            while data := await source.read(_CHUNK):
                sink.write(data)
                await sink.drain()

    async def _on_terminal(self) -> int:
        master, slave = os.openpty()
        try:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *_rows_columns(self._channel), 0, 0))
            child = await self._start(self._spawned_on(slave))
        finally:
            os.close(slave)
        os.set_blocking(master, False)
        try:
            feeding = asyncio.ensure_future(self._type(master))
            output = asyncio.ensure_future(self._show(master))
            return await _ended(child, output, feeding)
        finally:
            os.close(master)

    async def _spawned_on(self, slave: int) -> asyncio.subprocess.Process:
        # The leader of a new session gets the first terminal it opens as its controlling terminal. It is
        # handed the terminal too: between our closing it and its opening it, nobody would hold it (EIO).
        opener = 'tty=$0; exec "$@" <>"$tty" >&0 2>&0'
        return await asyncio.create_subprocess_exec(
            SHELL,
            "-c",
            opener,
            os.ttyname(slave),
            *self._arguments(),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=self._home,
            env=self._environment | {"TERM": self._channel.term_type or "dumb"},
            start_new_session=True,
        )

    async def _type(self, master: int) -> None:
        with suppress(OSError, asyncssh.Error):
            while data := await self._channel.stdin.read(_CHUNK):
                await _write_all(master, data)

    async def _show(self, master: int) -> None:
        with suppress(OSError, asyncssh.Error):  # EIO: the last process has let go of the terminal
            while data := await _read_some(master):
                self._channel.stdout.write(data)
                await self._channel.stdout.drain()


async def _ended(
    child: asyncio.subprocess.Process, output: "asyncio.Future[Any]", feeding: "asyncio.Future[None]"
) -> int:
    try:
        status = await child.wait()
        await asyncio.wait({output}, timeout=DRAIN_S)
        return status
    finally:
        for task in (output, feeding):
            task.cancel()
        await asyncio.gather(output, feeding, return_exceptions=True)


def _rows_columns(channel: "asyncssh.SSHServerProcess[bytes]") -> tuple[int, int]:
    columns, rows = channel.term_size[:2]
    return min(rows, 0xFFFF), min(columns, 0xFFFF)


async def _read_some(fd: int) -> bytes:
    while True:
        try:
            return os.read(fd, _CHUNK)
        except BlockingIOError:
            await _ready(fd, write=False)


async def _write_all(fd: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            await _ready(fd, write=True)


async def _ready(fd: int, *, write: bool) -> None:
    """Wait until `fd` can be read or written."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    add(fd, ready.set)
    try:
        await ready.wait()
    finally:
        remove(fd)
