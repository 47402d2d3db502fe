"""The inventory's other commands: set-up, import, runs. The nouns' verbs are in noun_commands.py."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from inventory.options import DryRun as DryRun
from inventory.options import Fields as Fields
from inventory.options import Output as Output
from inventory.options import Selector as Selector
from inventory.options import Why as Why
from inventory.options import Yes as Yes
from siaga.outcome import Format, Outcome


def nouns_list(output: Output = Format.table) -> Outcome:
    """List all nouns of the inventory; each has the verbs list, show, add, set, rm, history."""
    from inventory.catalog import SPECS
    from siaga.outcome import Column

    rows = [{"noun": s.name.replace("_", "-"), "what": s.help} for s in SPECS]
    return Outcome(rows, [Column("noun", "noun"), Column("what", "what")], format=output)


def init() -> Outcome:
    """Set up database, master key and home.

    Harmless to run again; an older database is copied aside and brought up to date.
    """
    from inventory.database import initialise
    from siaga.settings import load

    settings = load()
    return Outcome(messages=[*initialise(settings), f"Home is {settings.home}."])


def import_(
    source: Annotated[
        str, typer.Argument(help="A .xlsx workbook (one sheet per noun), a .csv file, or - for CSV.")
    ],
    noun: Annotated[
        str, typer.Option("--noun", help="What the rows of a CSV are, or the one sheet to read.")
    ] = "",
    dry_run: DryRun = False,
    why: Why = "",
    output: Output = Format.table,
) -> Outcome:
    """Import rows from a workbook or CSV.

    Rows are known by their names: new ones are added, known ones changed; all of them or none.

    Example: siaga import inventaris.xlsx --dry-run
    """
    import getpass

    from inventory import store
    from inventory.history import Author
    from inventory.imports.load import check_any, load
    from inventory.imports.sheets import read_sheets
    from inventory.runs import recorded
    from siaga.clock import utc_now
    from siaga.settings import load as load_settings

    settings = load_settings()
    engine = store.open_engine(settings)
    summary: dict[str, Any] = {"source": source}
    if dry_run:
        sheets = read_sheets(source, noun)
        check_any(sheets, source)
        diffs = load(
            engine,
            sheets,
            Author(getpass.getuser(), utc_now(), why),
            dry_run=True,
            rules=settings.rules,
            access=settings.access,
        )
    else:
        with recorded(engine, "import", who=getpass.getuser(), summary=summary) as run_id:
            sheets = read_sheets(source, noun)
            check_any(sheets, source)
            author = Author(getpass.getuser(), utc_now(), why, f"import {run_id}")
            diffs = load(
                engine, sheets, author, progress=_progress(), rules=settings.rules, access=settings.access
            )
            summary["changed"] = sum(d.action != "same" for d in diffs)
    return _imported(diffs, dry_run=dry_run, output=output)


def _progress() -> Any:
    """Return a callback that shows how far a long import is, on a terminal only."""
    import sys

    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        if done == total or done % 50 == 0:
            end = "\n" if done == total else ""
            print(f"\r  {done} of {total} rows", end=end, file=sys.stderr, flush=True)  # noqa: T201

    return show


def _imported(diffs: Sequence[Any], *, dry_run: bool, output: Format) -> Outcome:
    from inventory.writes import diff_lines
    from siaga.outcome import Column

    counts: dict[str, dict[str, int]] = {}
    for diff in diffs:
        counts.setdefault(diff.noun, {"add": 0, "set": 0, "same": 0})[diff.action] += 1
    rows = [{"noun": n, "added": c["add"], "changed": c["set"], "same": c["same"]} for n, c in counts.items()]
    columns = [Column("noun", "noun"), *(Column(k, k, right=True) for k in ("added", "changed", "same"))]
    messages = ["Dry run: nothing was written." if dry_run else "Imported."]
    if dry_run:
        messages = [*diff_lines(diffs), *messages]
    return Outcome(rows, columns, messages=messages, format=output)


def run_list(output: Output = Format.table) -> Outcome:
    """List the last runs; those cut off are marked.

    Runs are imports, polls, plans and applies.
    """
    from sqlmodel import col, select

    from inventory import store
    from inventory.models import Run
    from inventory.runs import mark_interrupted
    from siaga.clock import utc_now
    from siaga.outcome import Column
    from siaga.settings import load

    engine = store.open_engine(load())
    mark_interrupted(engine, now=utc_now())
    with store.reading(engine) as session:
        rows = [
            {
                "id": r.id,
                "kind": r.kind,
                "status": r.status,
                "who": r.who,
                "started_at": r.started_at,
                "ended_at": r.ended_at,
                "summary": r.summary,
            }
            for r in session.exec(select(Run).order_by(col(Run.id).desc()).limit(50))
        ]
    columns = [Column(k, k) for k in ("id", "kind", "status", "who", "started_at", "ended_at", "summary")]
    return Outcome(rows, columns, format=output)
