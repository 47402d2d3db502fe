"""Every command that prints rows in a format can be asked for some of their fields."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import typer

import cli
from tests.cli_runner import runner


def commands(command: Any, name: str = "siaga") -> Iterator[tuple[str, Any]]:
    yield name, command
    for child, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{name} {child}")


def test_what_has_a_format_has_fields() -> None:
    for name, command in commands(typer.main.get_command(cli.build("*"))):
        options = {p.name for p in command.params}
        assert "output" not in options or "fields" in options, name


def test_fields_of_a_list_that_names_none_itself(capsys: pytest.CaptureFixture[str]) -> None:
    said = runner(capsys)("nouns", "--fields", "noun", "-o", "json").well()
    assert {"noun": "device"} in json.loads(said.out)
