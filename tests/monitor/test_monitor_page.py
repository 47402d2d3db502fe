"""docs/monitor.md: its settings are the settings, with their usual values, and its commands do what the page says."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from monitor.turns import beats_of
from monitor.watched import Roll
from siaga.settings import Monitor, Settings
from tests.cli_runner import runner
from tests.homes import prepare

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "monitor.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)


def test_the_page_has_every_setting_with_its_usual_value() -> None:
    shown = tomllib.loads(blocks("toml")[0])["monitor"]
    assert shown == Monitor().model_dump()


def test_what_the_page_types_works(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "net"
    monkeypatch.setenv("SIAGA_HOME", str(home))
    prepare(Settings(home=home))
    siaga = runner(capsys)
    siaga("device", "add", "sw-1", "role=switch").well()
    lines = [x.removeprefix("$ ") for b in blocks("console") for x in b.splitlines() if x.startswith("$ ")]
    assert len(lines) >= 7
    # Nobody runs here, and nobody was ever asked: that is found, and said.
    findings = {"monitor status": 6, "check": 6, "check --nagios": 3}
    for line in lines:
        words = [w for w in shlex.split(line)[1:] if "=" not in w or w.startswith("var.")]
        if words[0] == "check":
            said = siaga(*shlex.split(line)[1:])
            assert said.code in (3, 6), said
        else:
            assert siaga(*shlex.split(line)[1:]).code == findings.get(" ".join(words), 0), line


def test_an_empty_roll_has_no_turns() -> None:
    assert list(beats_of(Roll({}, {}), Settings())) == []
