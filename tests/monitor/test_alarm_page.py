"""docs/alarms.md: its settings load, its rule is one, and its commands do what the page says."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from monitor.notify.channels import channels
from monitor.rules import files
from siaga.settings import Settings
from tests.cli_runner import runner
from tests.monitor.alarm_world import net

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "alarms.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)


def test_the_rule_of_the_page_is_a_rule(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ruang-server-panas.toml").write_text(blocks("toml")[0])
    assert len(files.load(tmp_path)) == 29


def test_the_settings_of_the_page_load_and_every_channel_takes_its_options() -> None:
    loaded = Settings.model_validate(tomllib.loads(blocks("toml")[1]))
    known = channels()
    assert {r.channel for r in loaded.routes} == set(known) - {"file"}
    for route in loaded.routes:
        known[route.channel].Options.model_validate(dict(route.options))


def test_the_commands_of_the_page_do_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIAGA_HOME", str(tmp_path / "net"))
    siaga = runner(capsys)
    with net(tmp_path / "net") as world:
        for n in range(4):
            world.dead = {"ap"} if n else set()
            world.round()
        siaga("device", "add", "sw-1", "role=switch").well()
        lines = [
            line.removeprefix("$ ").partition("  #")[0] for b in blocks("console") for line in b.splitlines()
        ]
        assert len(lines) > 12
        for line in lines:
            siaga(*shlex.split(line)[1:]).well()


def test_every_rule_and_every_key_of_a_route_is_on_the_page() -> None:
    for name in ("failures", "grace_s", "recheck_s", "patience", "flap_high", "flap_half_life_s"):
        assert f"`{name}`" in PAGE
    assert "Twenty-eight rules" in PAGE
    assert len(files.load(Path("/nowhere"))) == 28
