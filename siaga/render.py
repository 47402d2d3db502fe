"""Turns an Outcome into text: tables for people, stable JSON for programs. Knows nothing of networks."""

import csv
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from siaga.clock import shown
from siaga.errors import UsageError
from siaga.formulas import guarded
from siaga.outcome import Column, Format, Outcome
from siaga.text import safe

CELL_LIMIT = 60
_CONTROL = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_DRIVING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(value: Any) -> Any:
    """Return `value` as JSON knows it: times in ISO 8601 with zone, the rest as it is."""
    if isinstance(value, datetime):
        return shown(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def cell(value: Any) -> str:
    """Return `value` as a cell of a table or of CSV; nothing is an empty cell."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return safe(value, 4000)


def columns_of(outcome: Outcome) -> list[Column]:
    """Return the columns to show: those asked for, else those declared, else the first row's keys."""
    rows = outcome.rows or []
    known = {c.key: c for c in outcome.columns}
    if outcome.fields:
        offered = set(known) | {k for row in rows for k in row}
        for name in outcome.fields:
            if rows and name not in offered:
                raise UsageError(
                    "no-such-field",
                    f"There is no field '{safe(name, 60)}' here; there are {', '.join(sorted(offered))}.",
                )
        return [known.get(name) or Column(name, name) for name in outcome.fields]
    if known:
        wide = outcome.format is Format.wide
        return [c for c in outcome.columns if wide or not c.wide]
    return [Column(k, k) for k in (rows[0] if rows else ())]


def _json_rows(outcome: Outcome) -> list[dict[str, Any]]:
    rows = outcome.rows or []
    if outcome.fields:
        return [{k: plain(row.get(k)) for k in outcome.fields} for row in rows]
    return [plain(row) for row in rows]


def render(outcome: Outcome) -> str:
    """Return what goes to standard output, ending with a newline unless it is empty.

    Raises UsageError (`no-such-field`) for a field that was asked for and is not there, whatever the format.
    """
    if outcome.fields and outcome.rows is not None:
        columns_of(outcome)
    if outcome.text is not None and outcome.format in (Format.table, Format.wide):
        return outcome.text if outcome.text.endswith("\n") else outcome.text + "\n"
    if outcome.rows is None:
        return ""
    return _WRITERS[outcome.format](outcome)


def _as_json(outcome: Outcome) -> str:
    rows = _json_rows(outcome)
    return _json(rows[0] if outcome.single and rows else rows, indent=2) + "\n"


def _as_jsonl(outcome: Outcome) -> str:
    return "".join(_json(row) + "\n" for row in _json_rows(outcome))


def _json(value: Any, indent: int | None = None) -> str:
    """Return JSON that stays readable, with C1 and bidirectional controls escaped: it may go to a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _as_yaml(outcome: Outcome) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Puts a text with hidden characters in double quotes, where alone they can be escaped."""

        def represent_str(self, data: str) -> Any:
            hidden = _CONTROL.search(data)
            return self.represent_scalar("tag:yaml.org,2002:str", data, style='"' if hidden else None)

    Dumper.add_representer(str, Dumper.represent_str)
    rows = _json_rows(outcome)
    text: str = yaml.dump(
        rows[0] if outcome.single and rows else rows, Dumper=Dumper, allow_unicode=True, sort_keys=False
    )
    return _CONTROL.sub(_escape, text)


def _as_csv(outcome: Outcome) -> str:
    out = _Lines()
    # In CSV every key is wanted, so that nothing is lost on the way to a spreadsheet.
    columns = columns_of(outcome) if outcome.fields or not outcome.rows else _all_columns(outcome)
    writer = csv.writer(out, lineterminator=_END)
    writer.writerow(c.key for c in columns)
    for row in outcome.rows or []:
        writer.writerow(_harmless(row.get(c.key)) for c in columns)
    return out.getvalue()


_END = "\r\n"


class _Lines(io.StringIO):
    """Takes rows that end in CRLF, so that csv quotes a lone CR in a text too, and keeps them ending in LF."""

    def write(self, row: str) -> int:
        return super().write(row.removesuffix(_END) + "\n")


def _harmless(value: Any) -> str:
    """Return a CSV cell: the whole text, which no spreadsheet takes for a formula (OWASP); numbers stay numbers.

    CSV has no escapes: what could drive a terminal or turn a line round is left out; no field can hold it.
    """
    value = plain(value)
    text = _DRIVING.sub("", value if isinstance(value, str) else cell(value))
    return guarded(text) if isinstance(value, str) else text


def _all_columns(outcome: Outcome) -> list[Column]:
    keys: dict[str, None] = {}
    for row in outcome.rows or []:
        keys.update(dict.fromkeys(row))
    return [Column(k, k) for k in keys]


def _as_markdown(outcome: Outcome) -> str:
    columns = columns_of(outcome)
    lines = ["| " + " | ".join(c.title for c in columns) + " |", "|" + " --- |" * len(columns)]
    lines += [
        "| " + " | ".join(cell(row.get(c.key)).replace("|", "\\|") for c in columns) + " |"
        for row in outcome.rows or []
    ]
    return "\n".join(lines) + "\n"


def _as_names(outcome: Outcome) -> str:
    return "".join(cell(row.get("name", next(iter(row.values()), ""))) + "\n" for row in outcome.rows or [])


def _as_table(outcome: Outcome) -> str:
    return _one(outcome) if outcome.single else _many(outcome.rows or [], columns_of(outcome), outcome)


def _one(outcome: Outcome) -> str:
    """Show one row as lines of `key: value`."""
    row = (outcome.rows or [{}])[0]
    keys = list(outcome.fields) or list(row)
    width = max((len(k) for k in keys), default=0)
    return "".join(f"{k.ljust(width)}  {cell(row.get(k))}\n" for k in keys)


def terminal_columns() -> int:
    """Return how many characters fit in a line of the terminal; 0 where the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _many(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], outcome: Outcome) -> str:
    """Lay out a table. rich's own table took 1.3 s for 2,000 rows; this takes a twentieth of it."""
    limit = 400 if outcome.format is Format.wide else CELL_LIMIT
    lines = [[safe(c.title, limit) for c in columns]]
    lines += [[safe(cell(row.get(c.key)), limit) for c in columns] for row in rows]
    widths = [max(map(_width, texts)) for texts in zip(*lines, strict=True)]
    tty = sys.stdout.isatty()
    if tty and outcome.format is not Format.wide:
        widths = _shrunk(widths, shutil.get_terminal_size().columns)
    styles = {key: _SGR[style] for key, style in outcome.style.items()} if tty and _colours() else {}
    out = []
    for number, texts in enumerate(lines):
        cells = [
            _painted(
                _fitted(text, width, column.right),
                "1" if tty and _colours() and not number else styles.get((column.key, text)),
            )
            for text, width, column in zip(texts, widths, columns, strict=True)
        ]
        out.append("  ".join(cells).rstrip() + "\n")
    return "".join(out)


_SGR = {
    "green": "32",
    "red": "31",
    "bold red": "1;31",
    "yellow": "33",
    "magenta": "35",
    "cyan": "36",
    "dim": "2",
}


def _colours() -> bool:
    return not os.environ.get("NO_COLOR")


def _painted(text: str, code: str | None) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if code else text


def _width(text: str) -> int:
    """Return how many cells of a terminal the text fills; wide characters fill two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _fitted(text: str, width: int, right: bool) -> str:
    missing = width - _width(text)
    if missing < 0:
        from rich.cells import set_cell_size

        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return " " * missing + text if right else text + " " * missing


def _shrunk(widths: list[int], room: int) -> list[int]:
    """Take from the widest columns until the table fits the terminal; none becomes narrower than 8."""
    widths = list(widths)
    while sum(widths) + 2 * (len(widths) - 1) > room and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    return widths


_WRITERS = {
    Format.table: _as_table,
    Format.wide: _as_table,
    Format.json: _as_json,
    Format.jsonl: _as_jsonl,
    Format.yaml: _as_yaml,
    Format.csv: _as_csv,
    Format.md: _as_markdown,
    Format.name: _as_names,
}
