"""What a command returns: rows and messages as values. The roof alone turns them into text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Format(StrEnum):
    """How rows are printed (`-o`)."""

    table = "table"
    wide = "wide"
    json = "json"
    jsonl = "jsonl"
    yaml = "yaml"
    csv = "csv"
    md = "md"
    name = "name"


@dataclass(frozen=True)
class Column:
    """A column of a table: the row's key, its heading, and whether only `-o wide` shows it."""

    key: str
    title: str
    wide: bool = False
    right: bool = False


@dataclass(frozen=True)
class Outcome:
    """The result of one command.

    `rows` go to standard output in `format`; with `single` the one row is printed as an object.
    `messages` are sentences for standard error. `style` gives the colour of a cell by (column, value).
    """

    rows: Sequence[Mapping[str, Any]] | None = None
    columns: Sequence[Column] = ()
    messages: Sequence[str] = ()
    exit_code: int = 0
    single: bool = False
    format: Format = Format.table
    fields: Sequence[str] = ()
    text: str | None = None
    style: Mapping[tuple[str, str], str] = field(default_factory=dict)
