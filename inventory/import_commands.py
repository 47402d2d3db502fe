"""The command that takes rows in: from files, and from the systems a team had before."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import DryRun, Output, Why
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from inventory.imports.sources import Asked
    from inventory.writing import Diff
    from siaga.settings import Settings

_SOURCE = (
    "A .xlsx (one sheet per noun), .csv or .yaml file, - for standard input, or one of netbox, librenms, ansible, "
    "oxidized, devicetypes."
)


@dataclass
class _Done:
    """What an import did."""

    diffs: "Sequence[Diff]" = ()
    skipped: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left: Sequence[str] = ()
    change_set: int | None = None


def import_(
    source: Annotated[str, typer.Argument(help=_SOURCE)],
    where: Annotated[str, typer.Argument(help="With such a word: its URL, file or folder.")] = "",
    noun: Annotated[
        str, typer.Option("--noun", help="What the rows of a CSV are, or the one sheet to read.")
    ] = "",
    fmt: Annotated[
        str, typer.Option("--format", help="csv, xlsx or yaml, when the file's name does not say.")
    ] = "",
    map_: Annotated[
        str, typer.Option("--map", help="A column map (TOML): what the columns of your own table are here.")
    ] = "",
    draft_map: Annotated[
        bool, typer.Option("--draft-map", help="Print a column map for this file to begin with.")
    ] = False,
    dry_run: DryRun = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show every row that changes, field by field.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave bad rows out and write the others (exit code 7).")
    ] = False,
    token_from: Annotated[
        str, typer.Option("--token-from", help="env:VAR, file:PATH or ask: the token of an API.")
    ] = "",
    only: Annotated[
        str, typer.Option("--only", help="NetBox: only these lists, such as sites,devices.")
    ] = "",
    region_kinds: Annotated[
        str, typer.Option("--region-kinds", help="NetBox: the kind of place of each level of regions.")
    ] = "",
    ca_file: Annotated[
        str, typer.Option("--ca-file", help="The authority that issued the API's certificate.")
    ] = "",
    delimiter: Annotated[str, typer.Option("--delimiter", help="Oxidized: what stands between fields.")] = "",
    fields: Annotated[
        str, typer.Option("--fields", help="Oxidized: what stands where, such as name,model,group.")
    ] = "",
    with_illustrative: Annotated[
        bool,
        typer.Option(
            "--with-illustrative", help="A regency's facts: also what was made up for demonstrations."
        ),
    ] = False,
    why: Why = "",
    output: Output = Format.table,
) -> Outcome:
    """Take rows in: files, NetBox, LibreNMS, Ansible, Oxidized.

    Rows are known by their names: new ones are added, known ones changed; all of them or none.

    Examples:

        siaga import inventaris.xlsx --dry-run

        siaga import inventaris.xlsx --draft-map > map.toml

        siaga import netbox https://netbox.example.go.id --token-from env:NETBOX_TOKEN --dry-run

        ansible-inventory --list | siaga import ansible - --diff --dry-run
    """
    from inventory.imports import sources
    from inventory.options import split

    asked = sources.Asked(
        source,
        where,
        noun=noun,
        fmt=fmt,
        map=map_,
        delimiter=delimiter,
        fields=tuple(split(fields)),
        only=only,
        region_kinds=region_kinds,
        ca_file=ca_file,
        token=_token(token_from),
        illustrative=with_illustrative,
    )
    if draft_map:
        return Outcome(text=sources.draft_map(asked).rstrip("\n"))
    done = _imported(asked, dry_run=dry_run, skip_bad=skip_bad, why=why)
    return _told(done, dry_run=dry_run, diff=diff, output=output)


def _token(source: str) -> Any:
    if not source:
        return None
    from pydantic import SecretStr

    from inventory.writes import secret_from

    how, _, where = source.partition(":")
    return SecretStr(secret_from(how, where, "--token-from"))


def _imported(asked: "Asked", *, dry_run: bool, skip_bad: bool, why: str) -> _Done:
    import getpass

    from inventory import store, trail
    from inventory.runs import recorded
    from siaga.settings import load

    settings, who = load(), getpass.getuser()
    engine = store.open_engine(settings)
    if dry_run:
        return _loaded(engine, settings, asked, (who, why, ""), dry_run=True, skip_bad=skip_bad)
    summary: dict[str, Any] = {"source": asked.label}
    with recorded(engine, "import", who=who, summary=summary) as run_id:
        cause = f"import {run_id}"
        done = _loaded(engine, settings, asked, (who, why, cause), dry_run=False, skip_bad=skip_bad)
        summary["changed"] = sum(d.action != "same" for d in done.diffs)
        if done.skipped:
            summary["left_out"] = len(done.skipped)
    with store.reading(engine) as session:
        done.change_set = next((s["change_set"] for s in trail.sets(session, cause=cause, limit=1)), None)
    return done


def _loaded(
    engine: "Engine",
    settings: "Settings",
    asked: "Asked",
    author: tuple[str, str, str],
    *,
    dry_run: bool,
    skip_bad: bool,
) -> _Done:
    from inventory.history import Author
    from inventory.imports.load import check_any, load
    from inventory.imports.sources import take
    from siaga.clock import utc_now

    taken = take(asked)
    check_any(taken.sheets, asked.label)
    done = _Done(left=taken.left)
    who, why, cause = author
    done.diffs = load(
        engine,
        taken.sheets,
        Author(who, utc_now(), why, cause),
        dry_run=dry_run,
        progress=_progress(),
        rules=settings.rules,
        access=settings.access,
        skipped=done.skipped if skip_bad else None,
        warnings=done.warnings,
    )
    return done


def _progress() -> Callable[[int, int], None] | None:
    """Return what shows how far a long import is, on a terminal only."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        if done == total or done % 500 == 0:
            end = "\n" if done == total else ""
            print(f"\r  {done:,} of {total:,} rows", end=end, file=sys.stderr, flush=True)  # noqa: T201

    return show


def _told(done: _Done, *, dry_run: bool, diff: bool, output: Format) -> Outcome:
    messages = [*done.left, *(f"warning: {w}" for w in done.warnings)]
    messages += [f"left out: {s}" for s in done.skipped]
    messages.append(_closing(done, dry_run=dry_run))
    code = 7 if done.skipped else 0
    if diff:
        return _each(done, messages, code, output)
    rows = _counts(done.diffs)
    columns = [Column("noun", "noun"), *(Column(k, k, right=True) for k in ("added", "changed", "same"))]
    return Outcome(rows, columns, messages, code, format=output)


def _closing(done: _Done, *, dry_run: bool) -> str:
    if dry_run:
        return "Dry run: nothing was written."
    if done.change_set is None:
        return "Imported: everything was so already."
    number = done.change_set
    return f"Imported (change set {number}; 'siaga history undo {number}' takes it back)."


def _counts(diffs: "Sequence[Diff]") -> list[dict[str, Any]]:
    counts: dict[str, dict[str, int]] = {}
    for diff in diffs:
        counts.setdefault(diff.noun, {"add": 0, "set": 0, "same": 0})[diff.action] += 1
    return [{"noun": n, "added": c["add"], "changed": c["set"], "same": c["same"]} for n, c in counts.items()]


def _each(done: _Done, messages: list[str], code: int, output: Format) -> Outcome:
    """Return every row that changes: as lines for people, as rows for programs."""
    from inventory.writes import diff_lines

    changed = [d for d in done.diffs if d.action != "same"]
    if output is Format.table:
        return Outcome(
            text="\n".join(diff_lines(changed, len(changed), whole=True)) or None,
            messages=messages,
            exit_code=code,
        )
    keys = ("noun", "name", "action", "before", "after")
    rows = [{k: getattr(d, k) for k in keys} for d in changed]
    return Outcome(rows, [Column(k, k) for k in keys], messages, code, format=output)
