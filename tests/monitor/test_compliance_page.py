"""The pages of compliance, audit and the unannounced change: rule, settings and commands are what they say."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer

import cli
from inventory.findings import SEVERITIES
from monitor.audit.judge import CHECKS
from monitor.compliance.files import load
from siaga.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text() for name in ("compliance", "audit", "unannounced-change")}


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGES[page], re.DOTALL)


COMMANDS = [
    line.partition("#")[0].strip()
    for page in PAGES
    for block in blocks(page, "sh")
    for line in map(str.strip, block.splitlines())
    if line.startswith("siaga ") and not line.startswith("siaga plan ")  # told and tried by its own pages
]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_pages_is_one(line: str) -> None:
    words = shlex.split(line)[1:]
    command = typer.main.get_command(cli.build("*"))
    options = {w for w in words if w.startswith("-")}
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), words
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
    assert options <= known


def test_the_rule_of_the_page_is_one(scrubbed: Path) -> None:
    (scrubbed / "compliance").mkdir(parents=True)
    (scrubbed / "compliance" / "own.toml").write_text(blocks("compliance", "toml")[0])
    library = load(scrubbed)
    assert library.rule("access-ports-guarded").roles == ("switch",)
    assert f"{len(load(None).by_name)} rules ship" in PAGES["compliance"]


def test_the_settings_of_the_page_load() -> None:
    (settings,) = blocks("audit", "toml")
    Settings.model_validate(tomllib.loads(settings))


def test_every_check_has_a_severity_and_an_article_of_the_page() -> None:
    for severity, article, title in CHECKS.values():
        assert severity in SEVERITIES
        assert article.removeprefix("33") in PAGES["audit"]
        assert title.endswith(".")
