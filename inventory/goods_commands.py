"""Commands of what goods are worth in the books, and of what ends soon.

Nothing heavy is imported up here: `siaga --help` must cost little.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from inventory.custody_commands import columns, day, reading
from inventory.options import Fields, Output, Selector, split
from siaga.outcome import Column, Format, Outcome


def asset_value(
    selector: Selector = None,
    on: Annotated[str, typer.Option("--on", help="The day; by default today.")] = "",
    total: Annotated[bool, typer.Option("--total", help="Only the sums, by class of goods.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show what assets are worth in the books: straight line, by half-years.

    Example: siaga asset value agency=diskominfo --on 2026-12-31 --total
    """
    from dataclasses import asdict

    from inventory import bmd, depreciation
    from inventory.select import joined, selected
    from siaga.settings import load

    today = day(on, "--on")
    codes = bmd.load(load().home)
    with reading() as session:
        ids = selected(session, "asset", joined(selector)) if selector else None
        found = depreciation.read(session, ids, codes, today)
    sums = depreciation.totals(found, codes)
    messages = [*bmd.warnings(codes, (v.kode_barang for v in found)), *_sums_told(found, sums, total=total)]
    rows = [asdict(t) for t in sums] if total else [asdict(v) for v in found]
    return Outcome(
        rows,
        _total_columns() if total else _value_columns(),
        messages=messages,
        format=output,
        fields=split(fields),
    )


def _value_columns() -> list[Column]:
    right = ("price_idr", "life_years", "half_years", "accumulated_idr", "book_value_idr")
    return columns(
        "asset", "title", "acquired", "price_idr", "life_years", "accumulated_idr", "book_value_idr", "missing",
        wide=("kode_barang", "group", "half_years"), right=right,
    )  # fmt: skip


def _total_columns() -> list[Column]:
    right = ("assets", "price_idr", "accumulated_idr", "book_value_idr", "without_value")
    return columns("group", "title", *right, right=right)


def _sums_told(found: Sequence[Any], sums: Sequence[Any], *, total: bool) -> list[str]:
    from inventory.depreciation import grand_total

    parts = [] if total else sums
    told = [_sum_told(s.group or "(no class)", s) for s in parts]
    return [*told, _sum_told("All", grand_total(found))]


def _sum_told(name: str, total: Any) -> str:
    without = f"; without a value: {total.without_value}" if total.without_value else ""
    return (
        f"{name}{f' {total.title}' if total.title else ''}: {total.assets} assets, price {total.price_idr},"
        f" accumulated {total.accumulated_idr}, book value {total.book_value_idr} rupiah{without}."
    )


def due(
    within: Annotated[
        str, typer.Option("--within", help="How far ahead: 90d, 12w or a number of days.")
    ] = "90d",
    fail: Annotated[bool, typer.Option("--fail", help="Exit with 6 if anything is due.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="One line only.")] = False,
    at: Annotated[str, typer.Option("--at", help="As on this day; by default today.")] = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show what ends soon or has ended.

    Warranties, contracts, certificates, loans, accounts, support, documents.

    Example: siaga due --within 90d --fail --quiet
    """
    from dataclasses import asdict

    from inventory import due as deadlines

    today, days = day(at, "--at"), _days(within)
    with reading() as session:
        found = deadlines.judge(deadlines.read(session, today, days), today, days)
    line = deadlines.summary(found, days)
    code = 6 if fail and found else 0
    if quiet and output is Format.table:
        return Outcome(text=line, rows=[], exit_code=code)
    shown = columns("date", "days", "severity", "kind", "what", wide=("noun", "name"), right=("days",))
    style = {("severity", "critical"): "red", ("severity", "warning"): "yellow"}
    return Outcome(
        [_dated(asdict(d)) for d in found],
        shown,
        messages=[] if quiet else [line],
        exit_code=code,
        format=output,
        fields=split(fields),
        style=style,
    )


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row with its day called `date`: YAML reads a key `on` as true."""
    return {"date": row.pop("on"), **row}


def _days(text: str) -> int:
    import re

    from siaga.errors import UsageError
    from siaga.text import safe

    match = re.fullmatch(r"(\d{1,5})\s*([dw]?)", text.strip())
    if not match:
        raise UsageError("bad-span", f"--within is '{safe(text, 40)}', must be such as 90d or 12w.")
    return int(match[1]) * (7 if match[2] == "w" else 1)
