"""How one make's command line behaves, read from a file of dialects/: prompts, modes, pager, commands, what it says."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

FOLDER = Path(__file__).parent / "dialects"


class Data(BaseModel):
    """A part of a dialect's file; a key nobody knows is a mistake."""

    model_config = {"frozen": True, "extra": "forbid"}


class Prompt(Data):
    """What stands before the cursor in each mode; {host}, {user}, {section} are filled in."""

    user: str = ""
    privileged: str
    config: str = ""
    section: str = ""


class Show(Data):
    """How a whole configuration is printed: lines before and after it, what divides and what closes sections.

    {bytes}, {now}, {changed}, {saved}, {host} and {user} are filled in.
    """

    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    between: str = ""
    close: str = ""
    indent: str = " "


class Pager(Data):
    """What a page ends with when output is paged, and how many lines it has."""

    mark: str = " --More-- "
    lines: int = 24
    erase: str = "\r          \r"


class Save(Data):
    """A command that keeps the configuration: what it asks (and takes for yes), and what it says then."""

    command: str
    asks: str = ""
    says: tuple[str, ...] = ()


class Revert(Data):
    """A timed rollback. `timer`: the command that begins it, its number in `unit_s`; the others are commands, too.

    `warns`: what is said a minute before. `needs`: an expression that the configuration must hold, else `lacks` is the
    answer; `none`: nothing waits.
    """

    timer: str
    unit_s: int
    says: str
    warns: str
    confirm: str
    now: str
    asked: str
    waits: str
    none: str
    needs: str
    lacks: str


class Trial(Data):
    """Two stages: lines count once they are committed, for good or, by `commit trial`, for a time."""

    asked: str
    says: str
    busy: str
    aborts: str


class Secretly(Data):
    """A line of configuration with secrets: what is asked for, and what the device keeps or tells of it instead.

    `stored` and `answer` are replacements for `pattern`; {cipher} is made of the secret. An empty `stored` is kept
    nowhere that is shown; `asked` is the command that tells of it then, with `answer`.
    """

    pattern: str
    prompts: tuple[str, ...] = ()
    stored: str = ""
    asked: str = ""
    answer: str = ""


class Dialect(Data):
    """One make. Commands may be cut short as in IOS where `abbreviates`; matching is by whole words otherwise."""

    title: str
    shape: Literal["blocks", "menus", "tables", "sets", "keys"]
    netmiko: str
    platform: str
    ssh_version: str = "SIM-1.0"
    greeting: str = ""
    any_key: str = ""
    abbreviates: bool = False
    prompt: Prompt
    enable: str = ""
    enable_free: bool = False
    enable_asks: str = "Password: "
    enable_fails: str = "% Access denied"
    disable: str = ""
    pager_off: tuple[str, ...] = ()
    pager: Pager = Pager()
    quiet: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    config_says: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    leave: tuple[str, ...] = ("exit",)
    commit: tuple[str, ...] = ()
    commit_says: tuple[str, ...] = ()
    rollback: tuple[str, ...] = ()
    show: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    show_saved: tuple[str, ...] = ()
    shown: Show = Show()
    save: tuple[Save, ...] = ()
    negation: str = "no"
    comment: str = "!"
    drop: tuple[str, ...] = ()
    sections: dict[str, str] = {}
    subsections: dict[str, str] = {}
    single: tuple[str, ...] = ()
    host_line: str = "hostname "
    anywhere: tuple[str, ...] = (
        "hostname ", "sysname ", "ntp ", "ntp-service ", "snmp-server ", "snmp-agent ", "logging ", "username ",
        "enable ", "ip route", "info-center ", "banner ", "sntp ",
    )  # fmt: skip
    vocabulary: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ("% Unknown command.",)
    answers: dict[str, str] = {}
    secrets: tuple[Secretly, ...] = ()
    revert: Revert | None = None
    trial: Trial | None = None


@cache
def dialect(name: str) -> Dialect:
    """Return the dialect of that name."""
    return Dialect.model_validate(tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8")))


def names() -> list[str]:
    """Return the names of all dialects."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def is_one(line: str, commands: tuple[str, ...] | list[str], *, abbreviates: bool) -> bool:
    """Tell whether a line is one of these commands."""
    words = line.split()
    return any(_same(words, command.split(), abbreviates) for command in commands)


def _same(words: list[str], command: list[str], abbreviates: bool) -> bool:
    if len(words) != len(command):
        return False
    pairs = zip(words, command, strict=True)
    if abbreviates:
        return all(full.lower().startswith(word.lower()) for word, full in pairs)
    return all(word == full for word, full in pairs)
