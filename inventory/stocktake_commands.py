"""Commands of a stock-take: begin it, tell what was seen, ask how far it is, end it.

Nothing heavy is imported up here: `siaga --help` must cost little.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from inventory.custody_commands import columns, reading
from inventory.noun_commands import list_rows
from inventory.options import DryRun, Fields, Output, Selector, Why, split
from siaga.outcome import Format, Outcome

Session = Annotated[str, typer.Argument(help="The stock-take's name.")]
Condition = Annotated[str, typer.Option("--condition", help="B, RR or RB: good, worn, broken.")]

stocktake_app = typer.Typer(
    name="stocktake", help="Counting assets: seen by people, scanners and pollers.", no_args_is_help=True
)


def _writing(work: Callable[[Any], Any], *, dry_run: bool = False, why: str = "") -> Any:
    """Do `work(writer)` in one transaction and return its result; a dry run is rolled back."""
    from inventory import writes

    results: list[Any] = []
    writes.write(lambda _s, writer, _t: results.append(work(writer)), dry_run=dry_run, why=why)
    return results[-1]


@stocktake_app.command("list")
def stocktake_list(selector: Selector = None, output: Output = Format.table, fields: Fields = "") -> Outcome:
    """List the stock-takes."""
    return list_rows("stock_take", selector or [], output, fields)


@stocktake_app.command("start")
def stocktake_start(
    name: Session,
    place: Annotated[str, typer.Option("--place", help="What is counted: a place, with all below it.")] = "",
    agency: Annotated[str, typer.Option("--agency", help="What is counted: an agency's assets.")] = "",
    why: Why = "",
) -> Outcome:
    """Begin a stock-take of a place, of an agency, or of both.

    Example: siaga stocktake start opname-2026 --place 'Kantor Mauk'
    """
    from inventory import stocktake

    def work(writer: Any) -> int:
        stocktake.start(writer, name, place, agency)
        writer.flush()
        return len(stocktake.expected(writer.session, stocktake.session_of(writer.session, name)))

    many = _writing(work, why=why)
    return Outcome(messages=[f"Stock-take {name} began; assets expected: {many}."])


@stocktake_app.command("seen")
def stocktake_seen(
    name: Session,
    tokens: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LABEL|NIBAR|SERIAL]...",
            help="What was seen; - or nothing reads them from standard input.",
        ),
    ] = None,
    condition: Condition = "",
    place: Annotated[str, typer.Option("--place", help="Where they were seen.")] = "",
    output: Output = Format.table,
) -> Outcome:
    """Record assets that somebody saw; from a barcode scanner one to a line.

    Example: scan | siaga stocktake seen opname-2026 --place 'Ruang Server Mauk'
    """
    from inventory import stocktake

    given, how = (tokens or [], "manual") if tokens and tokens != ["-"] else (_lines(), "scan")

    def work(writer: Any) -> Any:
        count = stocktake.session_of(writer.session, name)
        resolved = stocktake.resolve(writer.session, given)
        stocktake.see(writer, count, resolved, how=how, place=place, condition=condition)
        return resolved

    resolved = _writing(work)
    rows = [
        {"asset": a["name"], "title": a["title"], "serial": a["serial"], "place": a["place"]}
        for a in resolved.assets
    ]
    messages = [f"{token} {why}: kept as unknown." for token, why in resolved.unknown.items()]
    messages.append(f"Seen: {len(rows)}; unknown: {len(resolved.unknown)}.")
    return Outcome(rows, columns("asset", "title", "serial", "place"), messages=messages, format=output)


def _lines() -> list[str]:
    """Read standard input; raises UsageError (`nothing-seen`) at a terminal, or for more than 100,000 lines."""
    import sys
    from itertools import islice

    from siaga.errors import UsageError

    if sys.stdin.isatty():
        raise UsageError(
            "nothing-seen", "Say what was seen, or send one label or serial a line to standard input."
        )
    raw = getattr(sys.stdin, "buffer", None)
    lines = (line.decode("utf-8", "replace") for line in raw) if raw is not None else iter(sys.stdin)
    found = [line.strip() for line in islice(lines, 100_001)]
    if len(found) > 100_000:
        raise UsageError("too-much-input", "More than 100,000 lines came: send them in parts.")
    return [line for line in found if line]


@stocktake_app.command("observe")
def stocktake_observe(name: Session) -> Outcome:
    """Count every serial that a poller or a job has read since the session began as seen.

    The asset is taken to be where the device that told its serial is recorded.
    """
    from inventory import stocktake

    new = _writing(lambda w: stocktake.observe(w, stocktake.session_of(w.session, name)))
    return Outcome(messages=[f"Seen by their serials, newly or again: {new}."])


@stocktake_app.command("status")
def stocktake_status(
    name: Session,
    state: Annotated[
        str, typer.Option("--state", help="Only found, elsewhere, not-found, loaned or unknown.")
    ] = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show what was found, found elsewhere, and not found so far, and what is on no asset."""
    from inventory import stocktake, stocktake_result

    with reading() as session:
        found = stocktake_result.lines(session, stocktake.session_of(session, name))
    return _lines_told(found, state, output, fields)


@stocktake_app.command("end")
def stocktake_end(
    name: Session,
    move: Annotated[bool, typer.Option("--move", help="Record the assets where they were seen.")] = False,
    dry_run: DryRun = False,
    why: Why = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """End a stock-take: what was seen is verified, with its condition.

    Example: siaga stocktake end opname-2026 -o csv > hasil.csv
    """
    from inventory import stocktake, stocktake_result

    def work(writer: Any) -> Any:
        count = stocktake.session_of(writer.session, name)
        found = stocktake_result.lines(writer.session, count)
        stocktake_result.end(writer, count, found, move=move)
        return found

    return _lines_told(_writing(work, dry_run=dry_run, why=why or f"stock-take {name}"), "", output, fields)


def _lines_told(found: Sequence[Any], state: str, output: Format, fields: str) -> Outcome:
    from collections import Counter
    from dataclasses import asdict

    from inventory.stocktake_result import STATES
    from siaga.errors import UsageError
    from siaga.text import safe

    if state and state not in STATES:
        raise UsageError(
            "no-such-state", f"There is no state '{safe(state, 40)}': use one of {', '.join(STATES)}."
        )
    counts = Counter(line.state for line in found)
    rows = [asdict(line) for line in found if state in ("", line.state)]
    told = ", ".join(f"{counts[s]} {s}" for s in STATES if counts[s]) or "nothing expected, nothing seen"
    shown = columns(
        "asset",
        "title",
        "serial",
        "state",
        "place",
        "seen_place",
        "how",
        "note",
        wide=("seen_at", "condition", "move_to"),
    )
    style = {
        ("state", s): c for s, c in (("not-found", "red"), ("elsewhere", "yellow"), ("unknown", "yellow"))
    }
    return Outcome(rows, shown, messages=[f"{told}."], format=output, fields=split(fields), style=style)
