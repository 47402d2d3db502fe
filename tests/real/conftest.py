"""Gives the tests marked `real` the lab, built once per session and taken away at its end.

Without root or without the daemons they are skipped with the one reason; with SIAGA_REQUIRE_REAL=1, as
.ci/run sets it, they fail instead, so that the CI can never pass by skipping. SIAGA_LAB_KEEP=1 leaves the
lab standing for a look inside (`python -m tests.real.lab exec srv1 bash`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real import lab as build
from tests.real import nodes
from tests.real.machine import held

SIAGA = Path(sys.executable).with_name("siaga")
KEEP = os.environ.get("SIAGA_LAB_KEEP") == "1"


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
        self, home: Path, *words: str, stdin: str = "", timeout_s: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run siaga in noc and return what it printed and its exit code."""
        return build.run("noc", *_siaga(home, words), stdin=stdin, timeout_s=timeout_s)

    def inspect(self, home: Path, *words: str) -> tuple[int, dict[str, Any]]:
        """Return the exit code of `siaga inspect WORDS -o json` and the object it printed."""
        done = self.siaga(home, "inspect", *words, "-o", "json")
        assert done.stdout, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, seen


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
            if not KEEP:
                build.down()
                assert not build.left()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home directory for siaga, one for all tests of a module."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files that hold the lab's passwords, and wrong ones: what `--auth-file` and its like are given."""
    folder = tmp_path_factory.mktemp("secrets")
    texts = {
        "community": nodes.COMMUNITY,
        "auth": nodes.SNMP_AUTH,
        "priv": nodes.SNMP_PRIV,
        "password": nodes.SSH_PASSWORD,
        "wrong": "not-this-one-at-all",
    }
    for name, text in texts.items():
        (folder / name).write_text(text + "\n")
        (folder / name).chmod(0o600)
    return {name: str(folder / name) for name in texts}
