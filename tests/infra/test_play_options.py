"""A play's parameters are options of the command line, read by their type."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.frontmatter import Parameter, read_playbook, read_value
from infra.play_options import described, rewritten
from infra.playbooks import playbook
from siaga.errors import InvalidError, UsageError
from tests.cli_runner import Siaga, runner
from tests.homes import fresh

PARAMETERS = (
    Parameter("ntp_servers", "list"),
    Parameter("banner"),
    Parameter("reload", "bool", False),
    Parameter("count", "int", 1),
)
OPTIONS = {p.option: p for p in PARAMETERS}

LINES = {
    "--ntp-servers a,b": ["--param", "ntp_servers=a,b"],
    "--ntp-servers=a": ["--param", "ntp_servers=a"],
    "--reload role=router": ["--param", "reload=yes", "role=router"],
    "--no-reload": ["--param", "reload=no"],
    "--reload=no": ["--param", "reload=no"],
    "--banner=": ["--param", "banner="],
    "--count 3 -o json": ["--param", "count=3", "-o", "json"],
    "--no-banner --other x": ["--no-banner", "--other", "x"],
}


@pytest.mark.parametrize("line", LINES)
def test_an_option_of_the_play_is_a_parameter(line: str) -> None:
    assert list(rewritten(line.split(), OPTIONS)) == LINES[line]


@pytest.mark.parametrize("line", ["--banner", "--ntp-servers --reload", "role=router --count"])
def test_an_option_without_its_value_is_refused(line: str) -> None:
    with pytest.raises(
        UsageError, match=r"usage: Option '--(banner|ntp-servers|count)' requires an argument"
    ):
        list(rewritten(line.split(), OPTIONS))


def test_the_help_of_a_parameter_has_its_choices_and_default() -> None:
    one = Parameter("mode", "choice", "auto", "How.", choices=("auto", "keep"))
    assert described(one) == "How. [auto|keep]  [default: auto]"
    assert described(Parameter("x", help="Y.", required=True)) == "Y.  [required]"
    assert described(Parameter("x", "int", 60, "Y.", least=5)) == "Y. [at least 5]  [default: 60]"


@pytest.mark.parametrize("name", ["agency-connection", "baseline"])
@pytest.mark.parametrize("text", ["0", "-5", "4"])
def test_a_way_back_that_a_linux_host_would_take_at_once_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"must be at least 5, not {text}"):
        read_value({p.name: p for p in playbook(name, ()).parameters}["confirm_s"], text)


BAD = {
    "risk = 'extreme'": "risk is 'extreme', not one of low, medium, high",
    "needs_approval = 'yes'": "needs_approval must be true or false",
    "post_checks = ['reachable', 'mood']": "post_checks names 'mood'",
    "post_checks = 'reachable'": "post_checks names 'reachable'",
    "rollback = 'hope'": "rollback is 'hope'",
    "[params.x]\ntype = 'float'": "parameter 'x' has no type among",
    "[params.x]\ntype = 'choice'": "parameter 'x' is a choice without choices",
    "[params.x]\npattern = '('": "missing )",
    "[params.x]\ntype = 'int'\nleast = 'few'": "parameter 'x' has a least that is no whole number",
    "[params]\nx = 3": "has no attribute",
}


@pytest.mark.parametrize("front", BAD)
def test_a_front_matter_that_means_nothing_is_named(front: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(f'title = "X"\n{front}\n')
    with pytest.raises(InvalidError, match="bad-playbook") as caught:
        read_playbook(path)
    assert BAD[front] in caught.value.sentence


@pytest.fixture
def plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "plays"
    folder.mkdir()
    monkeypatch.setenv("SIAGA_PLAYBOOKS", str(folder))
    return folder


FRONT = """
title = "Count"
description = "Counts."
risk = "high"
[params.count]
type = "int"
default = 1
help = "How many."
[params.who]
required = true
help = "For whom."
"""
GOOD = """
- hosts: all
  tasks:
    - name: Count
      ansible.builtin.debug:
        msg: "{{ count }} {{ who }}"
"""


def wrong(siaga: Siaga, *arguments: str) -> list[str]:
    return siaga("plan", *arguments).failed(5, "bad-parameter")


def test_a_parameter_of_the_wrong_type_is_refused_before_anything_starts(
    plays: Path, capsys: pytest.CaptureFixture[str], scrubbed: Path
) -> None:
    siaga = runner(capsys)
    fresh(scrubbed)
    (plays / "count.toml").write_text(FRONT)
    (plays / "count.yml").write_text(GOOD)
    assert wrong(siaga, "count", "srv-1", "--count", "three", "--who", "me") == [
        "count: must be a whole number, not 'three'."
    ]
    assert wrong(siaga, "count", "srv-1", "--count", "9" * 40, "--who", "me")
    assert wrong(siaga, "count", "srv-1", "--count", "2") == ["who: must be given."]
    assert wrong(siaga, "count", "srv-1", "-p", "colour=red", "--who", "a\x1b[2J")[0].startswith(
        "'colour=red'"
    )
    assert json.loads(siaga("plan", "list", "-o", "json").well().out) == []
    assert json.loads(siaga("job", "list", "-o", "json").well().out) == []
    help_ = siaga("plan", "count", "-h").well().out
    assert "--count <int>" in help_
    assert "For whom.  [required]" in help_


def problems(siaga: Siaga, *names: str) -> tuple[int, list[dict[str, Any]]]:
    said = siaga("playbook", "lint", *names, "-o", "json")
    return said.code, json.loads(said.out)


def test_lint_names_what_is_wrong_with_a_play(
    plays: Path, capsys: pytest.CaptureFixture[str], scrubbed: Path
) -> None:
    siaga = runner(capsys)
    (plays / "list.toml").write_text(
        'title = "L"\nhaste = 1\nrollback = "play"\n[params.idle]\ntype = "int"\ndefault = "x"\n'
    )
    (plays / "list.yml").write_text(
        "- hosts: all\n  tasks:\n    - ansible.builtin.debug:\n    - name: Show it\n      debug:\n"
        '        msg: "{{ ansible_password }}"\n'
        "    - name: Send it\n      ansible.builtin.copy: {src: /etc/motd, dest: /etc/motd}\n"
        "    - name: Move it\n      ansible.builtin.copy: {src: /etc/a, dest: /etc/b, remote_src: true}\n"
    )
    (plays / "count.toml").write_text(FRONT)
    (plays / "count.yml").write_text(GOOD)
    code, found = problems(siaga, "list", "count")
    assert (code, {p["playbook"] for p in found}) == (6, {"list"})
    said = " | ".join(p["problem"] for p in found)
    for part in (
        "a play cannot be called so",
        "there is no list.rollback.yml",
        "the key haste means nothing",
        "parameter idle: its default: must be a whole number, not 'x'",
        "a task has no name: ansible.builtin.debug",
        "'Show it': 'debug' is no full name of a module",
        "'Show it' touches a secret and has no no_log",
        "nothing uses the parameter idle",
        "/etc/motd is not in the play's folder: no plan notices when it changes",
    ):
        assert part in said
    assert "/etc/a" not in said, "it is the host's"
    siaga("playbook", "lint", "nowhere").failed(3, "no-such-playbook")
