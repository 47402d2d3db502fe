"""RouterOS: the way back of a change as scripts that its scheduler runs, one script of a length that a line can hold.

Each command stands in a `:do` of its own, so that one that has nothing to do ends none of the others; and what was
removed is added only if it is gone, since a change may have come only half of its way.
"""

import re
from collections.abc import Sequence

from infra.network import Change

NAME = "siaga-back"
# Characters of one script: a terminal repaints longer lines, and a reader takes that for a prompt.
LONGEST = 400
_REMOVE = re.compile(r"(?P<menu>/.*) remove \[ (?P<find>find .*) \]")
_QUOTED = {"\\": "\\\\", '"': '\\"', "$": "\\$", "?": "\\3F"}  # of RouterOS 6, a bare ? asks for help


def scripts(found: Sequence[Change]) -> tuple[list[str], str]:
    """Return the sources of the scripts that undo changes, the last one first, and what runs them; both quoted."""
    sources: list[str] = []
    for change in reversed(found):
        for command in change.undo:
            step = quoted(f":do {{ {_careful(change, command)} }} on-error={{}}; ")
            if sources and len(sources[-1]) + len(step) <= LONGEST:
                sources[-1] += step
            else:
                sources.append(step)
    steps = [f"/system script run {NAME}-{i}" for i in range(1, len(sources) + 1)]
    steps += [f'/system script remove [ find name~"^{NAME}-" ]', f"/system scheduler remove {NAME}"]
    return sources, "".join(quoted(f":do {{ {step} }} on-error={{}}; ") for step in steps)


def quoted(text: str) -> str:
    """Return text as it stands between RouterOS's quotes."""
    return "".join(_QUOTED.get(char, char) for char in text)


def _careful(change: Change, command: str) -> str:
    """Return a command that adds an item again so that it does nothing while the item is there."""
    gone = _REMOVE.fullmatch(change.commands[0]) if change.commands and not change.add else None
    if gone is None:
        return command
    return f":if ([:len [{gone['menu']} {gone['find']}]] = 0) do={{ {command} }}"
