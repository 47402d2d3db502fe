"""The official forms as values, read from columns.toml: which columns, in which order, who signs."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Column:
    """One column: the field it shows, its title below `group` (or alone), and its width in characters."""

    field: str
    title: str
    group: str = ""
    kind: str = "text"  # text, int, money, thousands, mbps
    width: int = 10
    needed: bool = False
    total: bool = False

    @property
    def whole(self) -> str:
        """The title as a list of columns names it."""
        return self.title if not self.group else f"{self.group} {self.title}"

    @property
    def is_number(self) -> bool:
        """Whether its cells are numbers."""
        return self.kind != "text"


@dataclass(frozen=True)
class Form:
    """An official form: its title lines, columns, the lines of its letterhead (kop) and who signs.

    There is one sheet for each agency, or for each room of each agency (`per`). `prefix` is the kode barang
    of what belongs on it.
    """

    name: str
    titles: tuple[str, ...]
    columns: tuple[Column, ...]
    kop: tuple[str, ...]
    signers: tuple[str, ...]
    per: str
    prefix: str = ""


@dataclass(frozen=True)
class Signer:
    """A signature: the lines above it, and the roles that make a person the one who signs."""

    lines: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True)
class ArchitectureList:
    """One list of the government's architecture: what it is made of (`of`), and its columns."""

    name: str
    of: str
    columns: tuple[Column, ...]
    roles: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()


@cache
def tree() -> Mapping[str, Any]:
    """Return columns.toml as it is."""
    return tomllib.loads(Path(__file__).with_name("columns.toml").read_text(encoding="utf-8"))


@cache
def form(name: str) -> Form:
    """Return the form called kib-b, kir or kir-2021; KeyError for another."""
    given = tree()["forms"][name]
    return Form(
        name=name,
        titles=tuple(given["titles"]),
        columns=tuple(Column(**c) for c in given["columns"]),
        kop=tuple(given["kop"]),
        signers=tuple(given["signers"]),
        per=given["per"],
        prefix=given.get("prefix", ""),
    )


def signer(name: str) -> Signer:
    """Return the signature called head, keeper or room."""
    given = tree()["signers"][name]
    return Signer(tuple(given["lines"]), tuple(given["roles"]))


def word(name: str) -> str:
    """Return one of the forms' own words."""
    return str(tree()["words"][name])


def province(code: str) -> str:
    """Return the province of a Kemendagri code, or '' for one that is not known."""
    return str(tree()["provinces"].get(code[:2], ""))


@cache
def architecture() -> Sequence[ArchitectureList]:
    """Return the architecture lists, in the order of the workbook."""
    known = tree()["spbe_columns"]
    return [
        ArchitectureList(
            name=given["sheet"],
            of=given["of"],
            columns=tuple(Column(field=f, **known[f]) for f in given["columns"]),
            roles=tuple(given.get("roles", ())),
            platforms=tuple(given.get("platforms", ())),
            purposes=tuple(given.get("purposes", ())),
        )
        for given in tree()["spbe"]
    ]
