"""How command output becomes a table: a Reader lists the commands of one platform and what reads each.

Readers are the modules of monitor/parsers, one file per platform, each with one constant READER; the folder
is scanned. Parsing is pure: text in, Found out, UnparsedError where the text is not what the command prints.
TextFSM templates of our own lie in monitor/templates; the others are those of ntc-templates.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path

import textfsm
from ntc_templates.parse import ParsingException, parse_output

from inventory.platforms import platform as platform_file
from monitor import parsers
from monitor.observation import Identity, Mempool, Port, Processor
from siaga.text import safe

TEMPLATES = Path(__file__).parent / "templates"

# A device's output is hostile. The templates' regular expressions take time that grows with a power of a
# line's length, so a line is cut where no real line of these commands reaches.
LINE = 240
LINES = 10_000
PORTS = 4_096
_REFUSALS = ("% Invalid", "% Unknown", "% Incomplete", "% Ambiguous", "% Bad", "Command authorization failed")


class UnparsedError(ValueError):
    """The text is not what this command prints; the message says why, as the end of a sentence."""


@dataclass(frozen=True)
class Found:
    """What one command told: a part of an Observation. `missing` names what it should have told too."""

    uptime_s: float | None = None
    identity: Identity = field(default_factory=Identity)
    ports: tuple[Port, ...] = ()
    processors: tuple[Processor, ...] = ()
    mempools: tuple[Mempool, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Read:
    """One command and what reads its output.

    Output ends at the prompt, or where the regular expression `until` matches; `title` names the command
    in a sentence if the command itself is too long for one. More than `lines` lines are not looked at.
    """

    command: str
    parse: Callable[[str], Found]
    until: str = ""
    title: str = ""
    lines: int = LINES


@dataclass(frozen=True)
class Reader:
    """How one platform is read: netmiko's device type, the commands, and whether to wait for a prompt.

    `serves` are the names, of platforms or of netmiko's device types, that this reader can read.
    """

    device_type: str
    reads: tuple[Read, ...]
    serves: tuple[str, ...] = ()
    prompt: bool = True


def reader_for(platform: str, banner: str = "") -> tuple[str, Reader] | None:
    """Return netmiko's device type and the reader for a platform's name, or None if there is none yet.

    A reader has the platform's name, or serves the device type its platform file names. Of an empty
    platform the SSH server's identification string (RFC 4253, section 4.2) tells: Cisco says so, all else
    is taken to be Linux.
    """
    name = platform or ("cisco_ios" if "cisco" in banner.lower() else "linux")
    file = platform_file(name)
    kind = file.netmiko if file else ""
    if reader := readers().get(name):
        return kind or reader.device_type, reader
    serving = (r for r in readers().values() if {name, kind} & set(r.serves))
    return next(((kind or r.device_type, r) for r in serving), None)


@cache
def readers() -> dict[str, Reader]:
    """Return the readers of monitor/parsers by their file's name."""
    names = [m.name for m in pkgutil.iter_modules(parsers.__path__)]
    return {name: importlib.import_module(f"monitor.parsers.{name}").READER for name in names}


def merged(parts: Iterator[Found]) -> Found:
    """Return one Found of several: the first that tells a thing is believed, `missing` adds up."""
    whole = Found()
    for part in parts:
        whole = Found(
            part.uptime_s if whole.uptime_s is None else whole.uptime_s,
            _identity(whole.identity, part.identity),
            whole.ports or part.ports,
            whole.processors or part.processors,
            whole.mempools or part.mempools,
            whole.missing + part.missing,
        )
    return whole


def _identity(first: Identity, second: Identity) -> Identity:
    return Identity(*(getattr(first, f.name) or getattr(second, f.name) for f in fields(Identity)))


def bounded(text: str, lines: int = LINES) -> str:
    """Return the text with its lines cut at LINE characters, and at most `lines` of them."""
    return "\n".join(line[:LINE] for line in text.splitlines()[:lines])


def ntc_rows(platform: str, command: str, text: str) -> list[dict[str, str]]:
    """Return the rows that the ntc-template for this command reads; list values are joined by a comma.

    Raises UnparsedError if the device refused the command, or the template reads nothing in the text.
    """
    _refused(text)
    try:
        rows = parse_output(platform=platform, command=command, data=text)
    except (ParsingException, textfsm.TextFSMError) as error:
        raise UnparsedError(f"is not what the template expects ({safe(error, 120)})") from None
    return _checked([{key: _cell(value) for key, value in row.items()} for row in rows])


def own_rows(template: str, text: str) -> list[dict[str, str]]:
    """Return the rows that monitor/templates/`template`.textfsm reads, keys in lower case.

    Raises UnparsedError if the device refused the command, or the template reads nothing in the text.
    """
    _refused(text)
    with (TEMPLATES / f"{template}.textfsm").open(encoding="utf-8") as file:
        table = textfsm.TextFSM(file)
    keys = [key.lower() for key in table.header]
    try:
        rows = table.ParseText(text)
    except textfsm.TextFSMError as error:
        raise UnparsedError(f"is not what the template expects ({safe(error, 120)})") from None
    return _checked([dict(zip(keys, map(_cell, row), strict=True)) for row in rows])


def _refused(text: str) -> None:
    """Raise UnparsedError if the output begins with a refusal; further down it could be a description."""
    for line in text.splitlines()[:4]:
        if line.strip().startswith(_REFUSALS):
            raise UnparsedError(f"was refused ({safe(line, 80)})")


def _checked(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    if not rows:
        raise UnparsedError("has nothing in it that can be read")
    return rows


def _cell(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return safe(text)


def number(text: str | None) -> int | None:
    """Return decimal digits as an int that fits a Counter64 (RFC 2578), or None."""
    if text is None or not (text.isascii() and text.isdecimal() and len(text) <= 20):
        return None
    value = int(text)
    return value if value < 2**64 else None


def mac(text: str) -> str | None:
    """Return a MAC address in any notation as 12 hex digits, or None if it is none or all zero."""
    digits = "".join(c for c in text.lower() if c in "0123456789abcdef")
    return digits if len(digits) == 12 and digits != "0" * 12 else None
