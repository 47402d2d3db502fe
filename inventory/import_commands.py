"""The command that takes rows in: from files, and from the systems a team had before."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import DryRun, Output, Why
from siaga.errors import InvalidError, UsageError
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from inventory.imports.load import LeftOut
    from inventory.imports.sources import Asked
    from inventory.writing import Diff
    from siaga.settings import Settings

_CALLED = {"csv": "a CSV file", "xlsx": "a workbook", "yaml": "a YAML file", "file": "a file"}
_FILES = tuple(_CALLED)  # 'file' is one whose format does not show from its name
_APIS = ("netbox", "librenms")
# For which sources an option has a meaning, and that in words. YAML's reader says itself why it takes no map.
_MEANT_FOR = {
    "--noun": (_FILES, "files"),
    "--format": (_FILES, "files"),
    "--map": (_FILES, "CSV files and workbooks"),
    "--draft-map": (_FILES, "CSV files and workbooks"),
    "--token-from": (_APIS, "netbox and librenms"),
    "--only": (("netbox",), "netbox"),
    "--region-kinds": (("netbox",), "netbox"),
    "--ca-file": (_APIS, "netbox and librenms"),
    "--delimiter": (("oxidized",), "oxidized"),
    "--fields": (("oxidized",), "oxidized"),
    "--with-illustrative": (("yaml", "file"), "a regency's YAML file"),
}
# What rows of these lists also refer to, beyond the lists that they take their names from.
_ALSO = {"cables": ("interfaces",), "ip-addresses": ("interfaces",)}
_PROGRAMS = (Format.json, Format.jsonl, Format.yaml)
_SOURCE = (
    "A .xlsx (one sheet per noun), .csv or .yaml file, - for standard input, or one of netbox, librenms, ansible, "
    "oxidized, devicetypes."
)


@dataclass(frozen=True)
class _How:
    """How an import is done, and how much is wanted of what it did."""

    dry_run: bool
    skip_bad: bool
    why: str
    whole: bool = False
    each: bool = False


@dataclass
class _Done:
    """What an import did."""

    diffs: "Sequence[Diff]" = ()
    left_out: "LeftOut | None" = None
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

    given = {
        "--noun": noun,
        "--format": fmt,
        "--map": map_,
        "--draft-map": draft_map,
        "--token-from": token_from,
        "--only": only,
        "--region-kinds": region_kinds,
        "--ca-file": ca_file,
        "--delimiter": delimiter,
        "--fields": fields,
        "--with-illustrative": with_illustrative,
    }
    _refuse_strange(source, where, _kind(source, fmt), [name for name, value in given.items() if value])
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
    how = _How(dry_run, skip_bad, why, whole=diff, each=output in _PROGRAMS)
    done = _imported(asked, how)
    hint = _unresolved(only, done.left_out.lines if done.left_out else ())
    return _told(done, hint, dry_run=dry_run, diff=diff, output=output)


def _kind(source: str, fmt: str) -> str:
    """Return what a source is: a system's word, a format, or 'file' where that does not show yet."""
    from pathlib import Path

    from inventory.imports.reading import FORMATS
    from inventory.imports.sources import WORDS

    if source in WORDS:
        return source
    if fmt:
        return fmt if fmt in FORMATS.values() else "file"
    return "csv" if source == "-" else FORMATS.get(Path(source).suffix.lower(), "file")


def _refuse_strange(source: str, where: str, kind: str, options: Sequence[str]) -> None:
    """Raise UsageError for a word behind a file, and for an option that has no meaning for this source."""
    from pathlib import Path

    if where and kind in _FILES:
        if kind == "file" and not Path(source).exists():
            return  # somebody meant a system: the reader knows which there are
        sentence = f"'{where}' is one word too many: {source} is a file, and one import takes one file."
        raise UsageError("extra-word", sentence)
    for name in options:
        kinds, words = _MEANT_FOR[name]
        if kind not in kinds:
            raise UsageError(
                "option-not-for-this", f"{name} is for {words}, not for {_CALLED.get(kind, kind)}."
            )


def _token(source: str) -> Any:
    if not source:
        return None
    from pydantic import SecretStr

    from inventory.writes import secret_from

    how, _, where = source.partition(":")
    return SecretStr(secret_from(how, where, "--token-from"))


def _imported(asked: "Asked", how: _How) -> _Done:
    from inventory import store, trail
    from inventory.runs import recorded
    from siaga.settings import load
    from siaga.who import who

    settings, user = load(), who()
    engine = store.open_engine(settings)
    if how.dry_run:
        return _loaded(engine, settings, asked, how, (user, ""))
    summary: dict[str, Any] = {"source": asked.label}
    with recorded(engine, "import", who=user, summary=summary) as run_id:
        cause = f"import {run_id}"
        done = _loaded(engine, settings, asked, how, (user, cause))
        summary["changed"] = sum(d.action != "same" for d in done.diffs)
        if done.left_out and done.left_out.lines:
            summary["left_out"] = done.left_out.rows
    with store.reading(engine) as session:
        done.change_set = next((s["change_set"] for s in trail.sets(session, cause=cause, limit=1)), None)
    return done


def _loaded(
    engine: "Engine", settings: "Settings", asked: "Asked", how: _How, author: tuple[str, str]
) -> _Done:
    from inventory.history import Author
    from inventory.imports.load import LeftOut, check_any, load
    from inventory.imports.sources import take
    from inventory.problems import MAX_TOLD
    from siaga.clock import utc_now

    taken = take(asked)
    check_any(taken.sheets, asked.label)
    done = _Done(left=taken.left, left_out=LeftOut() if how.skip_bad else None)
    who, cause = author
    try:
        done.diffs = load(
            engine,
            taken.sheets,
            Author(who, utc_now(), how.why, cause),
            dry_run=how.dry_run,
            progress=_progress(),
            rules=settings.rules,
            access=settings.access,
            left_out=done.left_out,
            warnings=done.warnings,
            whole=how.whole,
            most=None if how.each else MAX_TOLD,
        )
    except InvalidError as error:
        hint = _unresolved(asked.only, error.problems)
        raise InvalidError(error.code, error.sentence, [*error.problems, *hint]) from None
    return done


def _unresolved(only: str, problems: Sequence[str]) -> list[str]:
    """Return what may help where --only left out what rows refer to."""
    if not only or not any(" refers to " in p for p in problems):
        return []
    words = _needed(only)
    return [f"--only leaves out what these rows refer to; add to it: {','.join(words)}"] if words else []


def _needed(only: str) -> list[str]:
    """Return the lists of NetBox that these refer to, directly or through others, without themselves."""
    from inventory.imports.netbox.steps import STEPS, WORDS, words

    said = words(only)
    steps = {word: step for step in STEPS for word in step.words}
    found: set[str] = set()
    following = list(said)
    while following:
        word = following.pop()
        beside = steps[word].words if word not in said or "sites" in steps[word].words else ()
        more = {*steps[word].needs, *beside, *_ALSO.get(word, ())} - found - said
        found |= more
        following += more
    return [w for w in WORDS if w in found]


def _progress() -> Callable[[int, int], None] | None:
    """Return what shows how far a long import is, on a terminal only."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        if done == total or done % 500 == 0:
            end = "\n" if done == total else ""
            print(f"\r  {done:,} of {total:,} rows", end=end, file=sys.stderr, flush=True)  # noqa: T201

    return show


def _told(done: _Done, hint: Sequence[str], *, dry_run: bool, diff: bool, output: Format) -> Outcome:
    bad = done.left_out.lines if done.left_out else []
    messages = [*done.left, *(f"warning: {w}" for w in done.warnings)]
    messages += [*(f"left out: {s}" for s in bad), *hint]
    messages.append(_closing(done, dry_run=dry_run))
    code = 7 if bad else 0
    if diff:
        return _each(done, messages, code, output)
    rows = _counts(done.diffs)
    columns = [Column("noun", "noun"), *(Column(k, k, right=True) for k in ("added", "changed", "same"))]
    return Outcome(rows, columns, messages, code, format=output)


def _closing(done: _Done, *, dry_run: bool) -> str:
    left = done.left_out
    some = left is not None and left.rows > 0
    rest = _rest(left) if left and some else ""
    if dry_run:
        return f"Dry run: nothing was written{rest}."
    if left and some and left.everything:
        return f"Nothing was imported{rest.replace(';', ':')}."
    if done.change_set is None:
        return f"Imported: everything {'else ' if some else ''}was so already{rest}."
    number = done.change_set
    return f"Imported (change set {number}; 'siaga history undo {number}' takes it back){rest}."


def _rest(left: "LeftOut") -> str:
    if left.everything:
        return "; the only row was left out" if left.of == 1 else f"; all {left.of} rows were left out"
    return f"; {left.rows} of {left.of} rows {'was' if left.rows == 1 else 'were'} left out"


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
