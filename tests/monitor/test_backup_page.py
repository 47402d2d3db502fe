"""docs/backup.md says what is so: its settings load, its commands run, every result is explained."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from siaga.settings import Settings
from tests.cli_runner import runner
from tests.monitor.backup_world import simulated, world

PAGE = (Path(__file__).parents[2] / "docs" / "backup.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)


def test_the_settings_of_the_page_load() -> None:
    loaded = Settings.model_validate(tomllib.loads(blocks("toml")[0])).backup
    assert (loaded.interval_h("core-router"), loaded.interval_h("switch")) == (1, 24)


def test_the_commands_of_the_page_do_what_they_say(
    scrubbed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    siaga = runner(capsys)
    monkeypatch.setenv("NOC_PASSWORD", "rahasia-halaman")
    monkeypatch.setenv("NOC_ENABLE", "rahasia-halaman")
    with world(scrubbed, {"sw-balaraja": simulated("ios")}):
        for line in blocks("console")[0].splitlines():
            siaga(*shlex.split(line.removeprefix("$ "))[1:]).well()
        siaga("device", "rm", "sw-balaraja", "--yes").well()
        for line in blocks("console")[1].splitlines():
            siaga(*shlex.split(line.removeprefix("$ "))[1:]).well()
        siaga("place", "add", "Mauk", "kind=kecamatan").well()
        siaga("layer", "add", "jalur-mauk", "place=Mauk", "var.ssh_jump=bastion").well()


def test_every_result_is_explained() -> None:
    for result in ("incomplete", "garbled", "refused", "silent", "host-key-changed", "busy"):
        assert f"| `{result}` |" in PAGE
