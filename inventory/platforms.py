"""What is known of each make, read from the TOML files beside this module: one platform, one file.

A file says how its platform is recognised, where it keeps model, version and serial, and which objects hold
processor load, memory and temperature. Object identifiers are written as dotted numbers; one that ends in
`.0` is a scalar and is asked by GET, any other is a column and is walked. Regular expressions are searched
in text of at most 255 characters; the first group, or the whole match, is what is taken.
"""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ValidationError

from siaga.errors import InvalidError

FOLDER = Path(__file__).parent / "platforms"


def _oid(text: str) -> str:
    if not re.fullmatch(r"[012](\.\d{1,10}){1,60}", text):
        raise ValueError(f"{text!r} is no object identifier in dotted numbers")
    return text


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression ({error})") from None
    return text


Oid = Annotated[str, AfterValidator(_oid)]
Regex = Annotated[str, AfterValidator(_regex)]


class Frozen(BaseModel):
    """A part of a platform file: frozen, and strict about unknown keys."""

    model_config = {"frozen": True, "extra": "forbid"}


class Match(Frozen):
    """One way to recognise a platform: everything given here must hold.

    `object_id` are prefixes of sysObjectID. `descr` is searched in sysDescr. `probe` is a branch in which the
    device must have something; probes tell apart what answers with one and the same sysObjectID (net-snmp's
    own, mostly).
    """

    object_id: tuple[Oid, ...] = ()
    descr: Regex = ""
    probe: Oid | None = None
    priority: int = 0


class Fact(Frozen):
    """One place where a fact of identity may stand; the first that gives text wins.

    `source` says what kind of place: an instance (`oid`), the first text in a column, sysDescr, sysName, or a
    `field` of the chassis' row in ENTITY-MIB.
    `template` puts the groups of `regex` together. `mac` writes six octets as an address.
    """

    oid: Oid | None = None
    source: Literal["oid", "column", "sysDescr", "sysName", "entity"] = "oid"
    field: Literal["descr", "name", "hardware", "firmware", "software", "serial", "model"] = "model"
    regex: Regex = ""
    template: str = ""
    mac: bool = False


class Facts(Frozen):
    """Where hardware, version and serial are, best place first."""

    hardware: tuple[Fact, ...] = ()
    version: tuple[Fact, ...] = ()
    serial: tuple[Fact, ...] = ()


class Where(Frozen):
    """Keeps only the rows whose other column has this value."""

    oid: Oid
    equals: int


class Reading(Frozen):
    """A column (or scalar) of numbers; value = number * `scale` + `offset`, a `skip` number is no reading.

    `text` is the column of its descriptions, by the same index; `entity` takes the name from ENTITY-MIB.
    `name_regex` keeps only the rows whose description it finds, `index_ends` those whose index ends so.
    `fallback` readings are made only where those before gave nothing.
    """

    oid: Oid
    title: str = ""
    text: Oid | None = None
    entity: bool = False
    scale: float = 1.0
    offset: float = 0.0
    regex: Regex = ""
    name_regex: Regex = ""
    skip: tuple[int, ...] = ()
    where: Where | None = None
    index_ends: int | None = None
    fallback: bool = False


class Memory(Frozen):
    """Columns of one table of memory pools; any two of total, used, free, or the percentage, are enough.

    `scale` makes bytes of the numbers, `percent_scale` makes percent.
    """

    total: Oid | None = None
    used: Oid | None = None
    free: Oid | None = None
    percent: Oid | None = None
    title: str = "Memory"
    text: Oid | None = None
    scale: float = 1.0
    percent_scale: float = 1.0
    skip: tuple[int, ...] = ()
    fallback: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The object identifiers of this table that are given."""
        given = (self.total, self.used, self.free, self.percent, self.text)
        return tuple(oid for oid in given if oid)


class Platform(Frozen):
    """One platform: its file's name, how it is recognised, where its facts are, and what other tools call it."""

    name: str
    vendor: str
    title: str
    netmiko: str = ""
    ansible: str = ""
    match: tuple[Match, ...]
    facts: Facts = Facts()
    cpu: tuple[Reading, ...] = ()
    memory: tuple[Memory, ...] = ()
    temperature: tuple[Reading, ...] = ()
    standard_cpu: bool = True
    standard_memory: bool = True
    standard_temperature: bool = True


@cache
def platforms(folder: Path = FOLDER) -> tuple[Platform, ...]:
    """Return every platform of the folder, by name.

    Raises InvalidError (`bad-platform`) with one problem per mistake, each naming its file.
    """
    problems: list[str] = []
    found = [read for path in sorted(folder.glob("*.toml")) if (read := _read(path, problems))]
    if problems:
        raise InvalidError("bad-platform", f"The platform files in {folder} are not valid.", problems)
    return tuple(found)


def platform(name: str) -> Platform | None:
    """Return the platform of that name, or None."""
    return next((p for p in platforms() if p.name == name), None)


def _read(path: Path, problems: list[str]) -> Platform | None:
    try:
        found = Platform.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as error:
        problems += [f"{path.name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path.name}: {error}")
        return None
    if found.name != path.stem:
        problems.append(f"{path.name}: name is {found.name!r} and must be the file's own, {path.stem!r}")
    return found
