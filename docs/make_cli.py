"""Writes docs/cli.md from the commands themselves, so that it cannot drift; a test compares the two."""

import os
from pathlib import Path
from typing import Any

import typer

import cli
from inventory.catalog import SPECS

PAGE = Path(__file__).with_name("cli.md")
# The verbs are the same on every noun: device stands for all of them.
SAME = frozenset(s.name.replace("_", "-") for s in SPECS) - {"device"}
_HEAD = """# Commands

Written by `make docs` from the commands' own help. The nouns (place, agency, contract, …) all have the verbs of
`siaga device`.
"""


def page() -> str:
    """Return the whole page."""
    os.environ.update(COLUMNS="100", TERMINAL_WIDTH="100", NO_COLOR="1")
    root = typer.main.get_command(cli.build("*"))
    return _HEAD + "".join(_sections(root, None, "siaga"))


def _sections(command: Any, parent: Any, name: str) -> list[str]:
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    context.info_name = name.rpartition(" ")[2]
    found = [f"\n## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"]
    for child in getattr(command, "commands", {}).values():
        if child.name in SAME or child.hidden:
            continue
        found += _sections(child, context, f"{name} {child.name}")
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
