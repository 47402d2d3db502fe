"""What a network device's configuration should hold, against what it holds: changes as values. No I/O.

A template (one file per platform and role) is a piece of configuration as the platform itself prints it. Lines
that begin with `%` say more than a configuration can:

    %only PREFIX                 here, lines that begin so and are not in the template are taken away
    %gone PREFIX                 here, no line may begin so
    %unless COMMAND => REGEX     what follows up to `%end` is sent unless the command's output holds REGEX;
    %unless REGEX                without a command, unless the configuration does
    %always                      what follows up to `%end` is sent each time

`<secret:NAME>` stands for a secret: a line is compared up to it, and it is filled in only when it is typed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from siaga.text import safe

SECRET = re.compile(r"<secret:([a-z][a-z0-9_]*)>")
MASK = "••••"
# The first line of a difference that says who takes a change back if nobody can log in after it.
BY_DEVICE = "@@ way back: by the device itself, "
BY_SIAGA = "@@ way back: by siaga over its first login, not by the device: "
Ask = Callable[[str], str]


@dataclass(frozen=True)
class Entry:
    """One line of a configuration and where it stands: the lines (or the menu) above it.

    `opens`: other lines stand below it.
    """

    path: tuple[str, ...]
    text: str
    opens: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Change:
    """One line to add or to take away; `commands` do it, `undo` takes it back. Secrets are placeholders.

    `unseen`: no configuration shows the line, so that nothing but its own `undo` takes it back.
    """

    entry: Entry
    add: bool
    commands: tuple[str, ...]
    undo: tuple[str, ...]
    unseen: bool = False


class Grammar(Protocol):
    """How a family of platforms writes configurations: by indentation (IOS, VRP), or as menus (RouterOS)."""

    def entries(self, text: str) -> list[Entry]:
        """Return a configuration's or a template's lines, in order, each with its place."""

    def missing(self, wanted: Entry, running: Sequence[Entry]) -> Change | None:
        """Return what makes `wanted` true, or None if it is."""

    def same(self, wanted: Entry, entry: Entry) -> bool:
        """Tell whether a line of the running configuration is the wanted one, if perhaps with other values."""

    def removal(self, entry: Entry) -> Change:
        """Return what takes a line of the running configuration away."""

    def sent(self, entry: Entry) -> Change:
        """Return what types a line that no configuration shows."""


@dataclass(frozen=True)
class Block:
    """A part of a template: plain lines, or those below one `%unless` or `%always` with its condition."""

    entries: tuple[Entry, ...]
    kind: str = "plain"
    command: str = ""
    pattern: str = ""


def blocks(entries: Iterable[Entry]) -> list[Block]:
    """Return a template's parts; raises ValueError where `%unless` or `%always` and `%end` do not pair."""
    found: list[Block] = []
    now = ("plain", "", "")
    lines: list[Entry] = []
    for entry in entries:
        word, _, rest = entry.text.partition(" ")
        if word not in ("%unless", "%always", "%end"):
            lines.append(entry)
            continue
        if (word == "%end") == (now[0] == "plain"):
            raise ValueError(f"'{safe(entry.text, 60)}' where none can stand")
        found.append(Block(tuple(lines), *now))
        command, arrow, pattern = rest.rpartition(" => ")
        now = ("plain", "", "") if word == "%end" else (word[1:], command.strip() if arrow else "", pattern)
        lines = []
    if now[0] != "plain":
        raise ValueError(f"%{now[0]} without %end")
    return [*found, Block(tuple(lines))]


def changes(grammar: Grammar, running: str, template: str, ask: Ask, *, again: bool = False) -> list[Change]:
    """Return what must be typed so that `running` holds what `template` says; first what is taken away.

    `ask` returns a command's output on the device; `again`: what is sent always was sent already. Raises
    ValueError if the template cannot be read.
    """
    have = grammar.entries(running)
    added: list[Change] = []
    plain: list[Entry] = []
    for block in blocks(grammar.entries(template)):
        if block.kind == "plain":
            plain += block.entries
            added += filter(None, (grammar.missing(e, have) for e in block.entries if e.text[:1] != "%"))
        elif not again if block.kind == "always" else not _holds(block, running, ask):
            unseen = block.kind == "unless" and bool(block.command)
            added += [replace(grammar.sent(e), unseen=unseen) for e in block.entries]
    return [*_removals(grammar, have, plain), *added]


def _holds(block: Block, running: str, ask: Ask) -> bool:
    said = ask(block.command) if block.command else running
    return re.search(block.pattern, said, re.MULTILINE) is not None


def _removals(grammar: Grammar, have: Sequence[Entry], plain: Sequence[Entry]) -> Iterator[Change]:
    """Yield what `%only` and `%gone` take away, each line once."""
    seen: set[Entry] = set()
    for rule in plain:
        word, _, prefix = rule.text.partition(" ")
        if word not in ("%only", "%gone"):
            continue
        kept = [e for e in plain if e.path == rule.path and e.text[:1] != "%"] if word == "%only" else []
        for entry in have:
            begins = entry.path == rule.path and f"{entry.text} ".startswith(f"{prefix.strip()} ")
            if begins and entry not in seen and not any(grammar.same(k, entry) for k in kept):
                seen.add(entry)
                yield grammar.removal(entry)


def shown(found: Iterable[Change]) -> str:
    """Return changes as a difference: the place, then its `-` and `+` lines; secrets are masked."""
    lines: list[str] = []
    place: tuple[str, ...] = ()
    for change in found:
        if change.entry.path != place:
            place = change.entry.path
            lines.append(f"@@ {' / '.join(safe(text, 100) for text in place) or 'global'}")
        text = SECRET.sub(MASK, change.entry.text)
        lines.append(f"{'+' if change.add else '-'} {safe(text, 400)}")
    return "".join(f"{line}\n" for line in lines)


def secrets_named(template: str) -> set[str]:
    """Return the names of the secrets that a template asks for."""
    return set(SECRET.findall(template))


def filled(command: str, secrets: Mapping[str, str]) -> str:
    """Return a command with its secrets, as it is typed."""
    return SECRET.sub(lambda found: secrets[found[1]], command)


def masked(text: str, secrets: Mapping[str, str]) -> str:
    """Return what a device said, without the secrets it may have echoed."""
    for secret in sorted(secrets.values(), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def typed(found: Sequence[Change]) -> list[str]:
    """Return the commands of all changes, in order."""
    return [command for change in found for command in change.commands]


def taken_back(found: Sequence[Change]) -> list[tuple[str, ...]]:
    """Return the commands that undo changes, the last one first, those of one change together."""
    return [change.undo for change in reversed(found) if change.undo]
