"""How a sweep is shown: a bar while it goes on, its numbers by what was asked, and the boxes as rows."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from monitor.discover_keep import Found
from monitor.hosts import Tally
from monitor.scope import Scope
from siaga.outcome import Column
from siaga.text import safe

WHATS = ("known", "new", "changed", "waiting", "rejected", "refused")
NOTABLE = ("new", "changed")
STYLE = {
    ("what", "new"): "green",
    ("what", "changed"): "yellow",
    ("what", "refused"): "magenta",
    ("what", "alive"): "dim",
}
_SHOWN = ("proposal", "what", "address", "vendor", "platform", "model", "name", "device")
_WIDE = (
    "also_at",
    "version",
    "serial",
    "base_mac",
    "score",
    "credential",
    "ports",
    "rtt_ms",
    "prefix",
    "found_by",
)
COLUMNS = [*(Column(k, k) for k in _SHOWN), *(Column(k, k, wide=True) for k in (*_WIDE, "note", "reasons"))]
NEIGHBOURS = "neighbours"


@contextmanager
def bar(*, quiet: bool) -> Iterator[Callable[[Tally], None] | None]:
    """Give what shows how far a sweep came, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    text = TextColumn(
        "{task.fields[alive]} alive, {task.fields[answering]} answer SNMP, {task.fields[looked]} read"
    )
    columns = (TextColumn("addresses"), BarColumn(), MofNCompleteColumn(), text, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("addresses", total=None, alive=0, answering=0, looked=0)

        def step(tally: Tally) -> None:
            progress.update(
                task,
                completed=tally.asked,
                total=tally.total,
                alive=tally.alive,
                answering=tally.answering,
                looked=tally.looked,
            )

        yield step


def counts(found: Iterable[Found], scope: Scope, asked: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return what was asked → numbers: addresses asked, alive and answering SNMP, boxes by what they are."""
    by = {label: dict.fromkeys(("asked", "alive", "snmp", *WHATS), 0) for label in _labels(scope, asked)}
    for label, number in asked.items():
        by[label or NEIGHBOURS]["asked"] += number
    for one in found:
        for address in one.addresses:
            of = by[scope.label(address) or NEIGHBOURS]
            of["alive"] += 1
            of["snmp"] += one.facts.transport == "snmp"
        of = by[scope.label(one.addresses[0]) or NEIGHBOURS]
        if one.what in WHATS:
            of[one.what] += 1
    return by


def _labels(scope: Scope, asked: Mapping[str, int]) -> list[str]:
    return [*dict.fromkeys(s.text for s in scope.asked), *([NEIGHBOURS] if "" in asked else [])]


def summary(by: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return the numbers as lines of a table, with a sum where there is more than one line."""
    if not by:
        return []
    keys = list(next(iter(by.values())))
    keys = [k for k in keys if k not in ("waiting", "rejected") or any(n[k] for n in by.values())]
    lines = [["asked for", "addresses", *keys[1:]]]
    lines += [[safe(label, 60), *(str(n[k]) for k in keys)] for label, n in by.items()]
    if len(by) > 1:
        lines.append(["in all", *(str(sum(n[k] for n in by.values())) for k in keys)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return [
        "  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(x, widths, strict=True)))
        for x in lines
    ]


def row(found: Found, scope: Scope, *, dry_run: bool = False) -> dict[str, Any]:
    """Return one box as a row: stable keys, units in them."""
    facts, proposed = found.facts, found.proposed
    named = proposed.proposal if proposed else ""
    return {
        "proposal": "" if dry_run and found.what in NOTABLE else named,
        "what": found.what,
        "address": found.addresses[0],
        "also_at": list(found.addresses[1:]),
        "vendor": facts.more.get("vendor", ""),
        "platform": facts.platform,
        "model": facts.model,
        "version": facts.more.get("version", ""),
        "serial": facts.serial,
        "base_mac": facts.base_mac,
        "engine_id": facts.engine_id,
        "name": facts.sysname,
        "device": proposed.device if proposed else "",
        "score": proposed.match.score if proposed else None,
        "credential": facts.more.get("credential", ""),
        "ports": list(found.ports),
        "rtt_ms": None if found.rtt_s is None else round(found.rtt_s * 1000, 3),
        "prefix": scope.label(found.addresses[0]) or NEIGHBOURS,
        "found_by": found.found_by,
        "note": (proposed.note if proposed else "") or found.reason,
        "reasons": list(proposed.match.reasons) if proposed else [],
    }


def readable(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows for a table: of many addresses how many more there are, and lists as words."""
    return [
        {
            **r,
            "address": r["address"] + (f" +{len(r['also_at'])}" if r["also_at"] else ""),
            **{k: " ".join(map(str, r[k])) for k in ("also_at", "ports")},
        }
        for r in rows
    ]
