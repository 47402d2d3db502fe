"""Runs command lines as a user does, and holds what every failure owes: one clear line, and nothing written."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import cli

CLEAR = re.compile(r"siaga: (?P<code>[a-z0-9]+(-[a-z0-9]+)*): \S.*[.?]")
Siaga = Callable[..., "Said"]


@dataclass(frozen=True)
class Said:
    """What a command line said."""

    code: int
    out: str
    err: str

    def well(self) -> "Said":
        """Hold that it went well."""
        assert self.code == 0, self
        return self

    def failed(self, exit_code: int, code: str) -> list[str]:
        """Hold that it failed in one clear line, with nothing on standard output; return the single problems."""
        first, *problems = self.err.splitlines() or [""]
        clear = CLEAR.fullmatch(first)
        assert clear, self
        assert (self.code, clear["code"]) == (exit_code, code), self
        problems = [
            p for p in problems if not p.startswith("  | ")
        ]  # a selector, and a mark below what is wrong
        assert all(p.startswith("  - ") and len(p) > 10 for p in problems), self
        assert "Traceback" not in self.err
        assert self.out == ""
        return [p.removeprefix("  - ") for p in problems]


def runner(capsys: pytest.CaptureFixture[str]) -> Siaga:
    """Return what runs a command line in this process."""

    def siaga(*arguments: object) -> Said:
        capsys.readouterr()
        code = cli.run([str(a) for a in arguments])
        return Said(code, *capsys.readouterr())

    return siaga


@contextmanager
def started(home: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a command line in a process of its own, which is gone at the end."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "cli", *map(str, arguments)],
        env={**os.environ, "SIAGA_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


_CRAMPED = """
import resource, sys
import cli
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
cli.main()
"""


def cramped(home: Path, octets: int, *arguments: object) -> Said:
    """Run a command line where no file can grow beyond some octets, as on a full disk."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _CRAMPED, str(octets), *map(str, arguments)],
        env={**os.environ, "SIAGA_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def until(true: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
    """Look again and again until something is so, at most `timeout_s`; less often with time, for looking costs too."""
    deadline, pause_s = time.monotonic() + timeout_s, 0.005
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(pause_s)
        pause_s = min(1.3 * pause_s, 0.2)


def stored(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table but the runs, once SQLite has found the file whole."""
    with closing(sqlite3.connect(home / "siaga.db")) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
        names = [n for (n,) in plain.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {n: plain.execute(f'SELECT * FROM "{n}"').fetchall() for n in names if n != "run"}


@contextmanager
def answering(answer: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """Answer datagrams on a free UDP port of loopback, which is given."""
    ended = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        where = own.getsockname()

        def serve() -> None:
            while not ended.is_set():
                data, peer = own.recvfrom(65535)
                reply = None if ended.is_set() else answer(data)
                if reply is not None:
                    own.sendto(reply, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield where[1]
        finally:
            ended.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                waker.sendto(b"", where)
            thread.join(5)
            assert not thread.is_alive()


def closed_port() -> int:
    """Return a UDP port of loopback where nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])
