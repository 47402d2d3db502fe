"""A change nobody announced, as docs/unannounced-change.md tells it: its commands in its order print what it says.

The router is simulated, a real SSH server that remembers what it is told; Ansible, Git and the report are real.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runner import Siaga, runner
from tests.monitor.backup_world import World, simulated, world
from tests.test_office_move import Step, held, steps_of

pytestmark = pytest.mark.real

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "unannounced-change.md").read_text()
GOOD = (Path(__file__).resolve().parents[1] / "monitor" / "configurations" / "ios.good").read_text()
NAME = re.compile(r"network-baseline-\d{8}-\d{6}(?:-\d+)?")
FINDINGS = 6  # the exit code of a check that found something


@pytest.fixture
def router(scrubbed: Path) -> Iterator[World]:
    """The router, recorded and read over SSH."""
    with world(scrubbed, {"rtr-mauk": simulated("ios", GOOD)}, role="router") as made:
        made.put("device", name="rtr-mauk", transport="ssh", credential="ssh-rtr-mauk")
        yield made


def typed(made: World) -> None:
    """Configure the router by hand, as the page says."""
    (lines,) = re.findall(r"```text\n(.*?)```", PAGE, re.S)
    where: list[Any] = []
    for line in lines.splitlines():
        assert made.devices["rtr-mauk"].config.enter(line.strip(), where) is None, line
    made.devices["rtr-mauk"].note_change("siti")


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root may be two persons.")
def test_the_page_is_as_it_is_told(
    router: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    siaga: Siaga = runner(capsys)
    plan = ""
    for part, commands in parts():
        if part == "Noticed and shown":
            typed(router)
        for step in commands:
            monkeypatch.setenv("SUDO_USER", "nobody" if "approve" in step.command else "")
            said = siaga(*(NAME.sub(plan, word) for word in step.command))
            printed = said.err + said.out
            made = NAME.search(printed)
            plan = made.group() if made else plan
            held(Step(step.command, tuple(NAME.sub(plan, line) for line in step.lines)), printed)
            broken = step.command[:2] == ("compliance", "check") and "0 of 1" in printed
            assert said.code == (FINDINGS if broken else 0), printed
    assert_in_the_chapter_on_security(tmp_path / "laporan.json")
    secrets = {router.devices["rtr-mauk"].password, router.devices["rtr-mauk"].enable_secret}
    assert not [s for s in secrets if s in (tmp_path / "laporan.json").read_text()]


def parts() -> Iterator[tuple[str, list[Step]]]:
    """Yield the parts of the page by their headings, with their commands."""
    for part in PAGE.split("\n## ")[1:]:
        yield part.splitlines()[0], list(steps_of(part))


def assert_in_the_chapter_on_security(path: Path) -> None:
    """Hold that the report counts the router in its chapter on security: mended, and backed up."""
    (chapter,) = (c for c in json.loads(path.read_text())["chapters"] if c["title"].endswith("Keamanan"))
    (gates,) = (b for b in chapter["blocks"] if b.get("id") == "Q-T1")
    (row,) = (r for r in gates["rows"] if r[0]["link"] == "H-INF-PER-07")
    assert (row[1]["shown"].split(":")[0], row[2]["value"]) == ("Pasal 33(2)h", 5)
