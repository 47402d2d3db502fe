"""A report's JSON as flat tables, for the forms that are lists: every table, chart and indicator with typed cells."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """A column: its title, whether it is numbers, and its share of the width."""

    title: str
    right: bool
    width: float


@dataclass(frozen=True)
class Cell:
    """A typed cell: `value` with its unit (ratio, s, idr, bps, date, time or none), and as it is printed."""

    value: Value
    shown: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its id, title, chapter, source and note."""

    id: str
    title: str
    chapter: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str
    note: str = ""


def loaded(document: bytes) -> dict[str, Any]:
    """Return a report's JSON as a tree."""
    tree: dict[str, Any] = json.loads(document)
    return tree


def title_of(chapter: Mapping[str, Any]) -> str:
    """Return a chapter's heading as it is printed."""
    return f"{chapter['number']}. {chapter['title']}" if chapter["number"] else str(chapter["title"])


def blocks(chapter: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every block of a chapter in reading order; two side by side are two."""
    for block in chapter["blocks"]:
        yield from block["blocks"] if block["kind"] == "pair" else (block,)


def tables(tree: Mapping[str, Any]) -> list[Table]:
    """Return the figures first, then every table, list of indicators, bars and heat map."""
    found = [figures(tree)]
    for chapter in tree["chapters"]:
        for block in blocks(chapter):
            make = _MAKERS.get(block["kind"])
            if make is not None:
                found.append(make(block, title_of(chapter), tree["words"]))
    return found


def figures(tree: Mapping[str, Any]) -> Table:
    """Return every figure with its ratio, coverage, source and evidence."""
    names = (
        "id",
        "label",
        "value",
        "unit",
        "shown",
        "numerator",
        "denominator",
        "coverage",
        "source",
        "evidence",
    )
    right = {"value", "numerator", "denominator", "coverage"}
    columns = tuple(
        Column(n, n in right, 3.0 if n in ("label", "source", "evidence") else 1.0) for n in names
    )
    rows = tuple(
        tuple(_plain("; ".join(f[n]) if n == "evidence" else f[n]) for n in names) for f in tree["figures"]
    )
    return Table("figures", str(tree["words"]["title"]), "", columns, rows, "")


def _plain(value: Any) -> Cell:
    return Cell(value, "" if value is None else str(value))


def _table(block: Mapping[str, Any], chapter: str, _: Mapping[str, str]) -> Table:
    columns = tuple(Column(c["title"], c["right"], c["width"]) for c in block["columns"])
    rows = tuple(tuple(Cell(_kept(c), c["shown"], c["unit"]) for c in row) for row in block["rows"])
    return Table(block["id"], block["title"], chapter, columns, rows, block["source"], block["note"])


def _kept(cell: Mapping[str, Any]) -> Value:
    """Return the value of a cell; of a text what is printed, because the value of our own words is a key."""
    value: Value = cell["value"]
    if isinstance(value, (int, float)) or value is None or cell["unit"] in ("date", "time"):
        return value
    return str(cell["shown"])


def _levels(block: Mapping[str, Any], chapter: str, words: Mapping[str, str]) -> Table:
    heads = ("ID", *block["heads"], words["official"])
    columns = tuple(Column(h, i in (2, 3, 4, 5, 6), 3.0 if i == 1 else 1.0) for i, h in enumerate(heads))
    rows = tuple(
        (
            _plain(r["id"]),
            _plain(r["name"]),
            _plain(r["shown"]),
            Cell(r["level"], r["level_shown"]),
            _plain(r["target_shown"]),
            _plain(r["weight_shown"]),
            _plain(r["coverage_shown"]),
            _plain("x" if r["official"] else ""),
        )
        for r in block["rows"]
    )
    return Table(block["id"], block["title"], chapter, columns, rows, block["source"], block["note"])


def _bars(block: Mapping[str, Any], chapter: str, _: Mapping[str, str]) -> Table:
    columns = (
        Column(block["title"], False, 3.0),
        Column("share", True, 1.0),
        Column(block["mark_shown"], True, 1.0),
    )
    rows = tuple(
        (_plain(b["label"]), Cell(b["share"], b["shown"]), _plain(b["shown"])) for b in block["bars"]
    )
    return Table(block["id"], block["title"], chapter, columns, rows, block["source"], block["note"])


def _stack(block: Mapping[str, Any], chapter: str, _: Mapping[str, str]) -> Table:
    columns = (Column(block["title"], False, 3.0), Column("n", True, 1.0))
    rows = tuple((_plain(p["label"]), Cell(p["count"], p["shown"])) for p in block["parts"])
    return Table(block["id"], block["title"], chapter, columns, rows, block["source"])


def _heat(block: Mapping[str, Any], chapter: str, _: Mapping[str, str]) -> Table:
    columns = (Column(block["title"], False, 3.0), Column(block["last"], True, 1.0))
    rows = tuple(
        (_plain(r["label"]), Cell(r["last"]["value"], r["last"]["shown"], r["last"]["unit"]))
        for r in block["rows"]
    )
    return Table(block["id"], block["title"], chapter, columns, rows, block["source"], block["note"])


_MAKERS: Mapping[str, Any] = {
    "table": _table,
    "levels": _levels,
    "bars": _bars,
    "stack": _stack,
    "heat": _heat,
}


def widths(columns: Sequence[Column], total: float = 120.0) -> list[float]:
    """Return each column's width in characters, its share of a whole."""
    whole = sum(c.width for c in columns) or 1.0
    return [max(6.0, min(60.0, total * c.width / whole)) for c in columns]
