"""Gives the tests marked `real` the lab, built once per session and taken away at its end.

Without root or without the daemons they are skipped with the one reason; with SIAGA_REQUIRE_REAL=1, as
.ci/run sets it, they fail instead, so that the CI can never pass by skipping. SIAGA_LAB_KEEP=1 leaves the
lab standing for a look inside (`python tests/real/lab.py exec srv1 bash`).
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import lab as build
import pytest
from machine import held

SIAGA = Path(sys.executable).with_name("siaga")


@dataclass(frozen=True)
class Lab:
    """The running lab: commands in its nodes, and siaga in `noc` with a home of the test's own."""

    def read(self, node: str, *command: str) -> str:
        """Return what a command prints in a node; it must succeed."""
        return build.read(node, *command)

    def run(self, node: str, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in a node, whether it succeeds or not."""
        return build.run(node, *command, stdin=stdin)

    def popen(self, home: Path, *words: str) -> "subprocess.Popen[str]":
        """Start siaga in noc and leave it running; whoever starts it ends it."""
        return subprocess.Popen(
            build.inside("noc", *_siaga(home, words)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def siaga(
        self, home: Path, *words: str, stdin: str = "", timeout_s: float = 180
    ) -> subprocess.CompletedProcess[str]:
        """Run siaga in noc and return what it printed and its exit code."""
        return build.run("noc", *_siaga(home, words), stdin=stdin, timeout_s=timeout_s)

    def python(self, home: Path, program: str) -> str:
        """Return what a Python program prints that runs in noc with siaga's packages; it must succeed."""
        command = build.inside("noc", *_environment(home), sys.executable, "-W", "error", "-")
        done = subprocess.run(command, input=program, text=True, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _environment(home: Path) -> list[str]:
    """Return the scrubbed environment of siaga in noc, as words for `env`."""
    return [
        "env",
        "-i",
        f"PATH={SIAGA.parent}:{os.environ['PATH']}",
        f"HOME={home}",
        f"SIAGA_HOME={home / 'siaga'}",
        "LANG=C.UTF-8",
        "NO_COLOR=1",
    ]


def _siaga(home: Path, words: Sequence[str]) -> list[str]:
    return [*_environment(home), str(SIAGA), *words]


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab, fresh at the session's start."""
    if reason := build.why_not():
        if os.environ.get("SIAGA_REQUIRE_REAL") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with held():
        try:
            build.down()
            build.up()
            yield Lab()
        finally:
            if os.environ.get("SIAGA_LAB_KEEP") != "1":
                build.down()
                assert not build.left()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home directory for siaga, one for all tests of a module."""
    return tmp_path_factory.mktemp("home")
