"""The inventory's commands: the same verbs for every noun, from one implementation.

Nothing heavy is imported up here: `siaga --help` must cost little.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from siaga.outcome import Format, Outcome

Output = Annotated[Format, typer.Option("--output", "-o", help="How rows are printed.", show_default=True)]
Fields = Annotated[str, typer.Option("--fields", help="Only these fields, separated by commas.")]
Selector = Annotated[
    list[str] | None,
    typer.Argument(
        help="Which rows: role=router kecamatan=Balaraja name~^rtr tag:core @saved. Default: all."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the history.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Values = Annotated[list[str] | None, typer.Argument(help="field=value …; an empty value empties the field.")]

NOUNS = {
    "place": "Places, from regency to room.",
    "agency": "Agencies: OPD, kecamatan, puskesmas, RSUD.",
    "provider": "Providers of circuits and services.",
    "contract": "What providers promised, and its price.",
    "device-type": "Makers and models, with their end of life.",
    "device": "Servers and network devices.",
    "interface": "Interfaces of devices, intended and observed.",
    "link": "Links between interfaces, and circuits.",
    "connection": "Agencies' connections to the network.",
    "service": "Applications of the agencies.",
    "credential": "How to log in; the secrets lie sealed.",
    "group": "Saved selectors, used as @name.",
}


def noun_app(name: str, help_text: str) -> typer.Typer:
    """Return the commands of one noun."""
    app = typer.Typer(name=name, help=help_text, no_args_is_help=True)
    noun = name.replace("-", "_")
    fields_help = _fields_help(noun)

    @app.command("list")
    def list_(
        selector: Selector = None,
        output: Output = Format.table,
        fields: Fields = "",
    ) -> Outcome:
        """List rows."""
        return list_rows(noun, selector or [], output, fields)

    @app.command("show")
    def show(
        name: Annotated[str, typer.Argument(help="The row's name (device:interface for an interface).")],
        output: Output = Format.table,
        fields: Fields = "",
    ) -> Outcome:
        """Show one row whole, with what was observed of it."""
        return show_row(noun, name, output, fields)

    @app.command("add", help=f"Add one row.\n\n{fields_help}")
    def add(
        name: Annotated[str, typer.Argument(help="The new row's name.")],
        values: Values = None,
        secret: Annotated[
            list[str] | None,
            typer.Option(
                "--secret",
                help="Credentials: PART=env:VAR, PART=file:PATH or PART=ask.",
                hidden=noun != "credential",
            ),
        ] = None,
        dry_run: DryRun = False,
        why: Why = "",
    ) -> Outcome:
        return add_row(noun, name, values or [], secret or [], dry_run=dry_run, why=why)

    @app.command("set", help=f"Change rows; more than one asks first.\n\n{fields_help}")
    def set_(
        selector: Annotated[
            str, typer.Argument(help="Which rows, in one word: a name, or 'role=router kecamatan=Mauk'.")
        ],
        values: Values = None,
        secret: Annotated[
            list[str] | None,
            typer.Option(
                "--secret",
                help="Credentials: PART=env:VAR, PART=file:PATH or PART=ask.",
                hidden=noun != "credential",
            ),
        ] = None,
        dry_run: DryRun = False,
        yes: Yes = False,
        why: Why = "",
    ) -> Outcome:
        return set_rows(noun, selector, values or [], secret or [], dry_run=dry_run, yes=yes, why=why)

    @app.command("rm")
    def rm(
        selector: Annotated[str, typer.Argument(help="Which rows, in one word.")],
        dry_run: DryRun = False,
        yes: Yes = False,
        why: Why = "",
    ) -> Outcome:
        """Remove rows that nothing refers to."""
        return remove_rows(noun, selector, dry_run=dry_run, yes=yes, why=why)

    @app.command("history")
    def history(
        name: Annotated[str, typer.Argument(help="The row's name.")], output: Output = Format.table
    ) -> Outcome:
        """Show who changed a row, when, why and how."""
        return history_of(noun, name, output)

    return app


def _fields_help(noun: str) -> str:
    from inventory.catalog import SPECS

    spec = next(s for s in SPECS if s.name == noun)
    text = f"Fields: {', '.join(dict.fromkeys((*spec.shown, *spec.wide)))}."
    if noun == "credential":
        text += (
            " Kinds and their secrets: snmp-v1 and snmp-v2c (community), snmp-v3 (auth, priv), ssh-password"
            " (password, enable), ssh-key (key). Example: siaga credential add noc kind=snmp-v2c --secret"
            " community=ask"
        )
    return text


def list_rows(noun_name: str, selector: Sequence[str], output: Format, fields: str) -> Outcome:
    """Return the selected rows of a noun."""
    from inventory import catalog, quick
    from siaga.outcome import Column
    from siaga.settings import load

    settings = load()
    listed = None if selector else quick.listed(settings.database, noun_name)
    numbers, found = listed or _selected_rows(settings, noun_name, selector)
    spec = next(s for s in catalog.SPECS if s.name == noun_name)
    columns = [Column(k, k, right=k in numbers) for k in spec.shown]
    columns += [Column(k, k, wide=True, right=k in numbers) for k in spec.wide]
    return Outcome(found, columns, format=output, fields=_split(fields))


def _selected_rows(
    settings: Any, noun_name: str, selector: Sequence[str]
) -> tuple[frozenset[str], list[dict[str, Any]]]:
    """Return the names of the numeric fields, and the rows without their ids."""
    from inventory import store
    from inventory.nouns import noun

    kind = noun(noun_name)
    with store.reading(store.open_engine(settings)) as session:
        ids = _ids(session, noun_name, selector) if selector else None
        found = store.rows(session, noun_name, ids)
    if ids is None:
        found.sort(key=lambda r: [str(r[k]) for k in kind.key])
    numbers = frozenset(a.name for a in kind.attributes.values() if a.kind in ("int", "float"))
    return numbers, [{k: v for k, v in row.items() if k != "id"} for row in found]


def _ids(session: Any, noun_name: str, selector: Sequence[str]) -> list[int]:
    from inventory.select import (  # the parser is not needed, and not loaded, without a selector
        joined,
        selected,
    )

    return selected(session, noun_name, joined(selector))


def _split(fields: str) -> list[str]:
    return [f.strip() for f in fields.split(",") if f.strip()]


def _id_of(session: Any, noun_name: str, name: str) -> int:
    import difflib

    from inventory.store import labels
    from siaga.errors import NotFoundError

    known = {label: i for i, label in labels(session, noun_name).items()}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise NotFoundError(
            f"no-such-{noun_name}", f"No {noun_name.replace('_', ' ')} is called '{name}'.{hint}"
        )
    return known[name]


def show_row(noun_name: str, name: str, output: Format, fields: str) -> Outcome:
    """Return one row; a device with what it says of itself, by whom, when, and where the two disagree."""
    from inventory import store
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        row_id = _id_of(session, noun_name, name)
        row = store.rows(session, noun_name, [row_id])[0]
        del row["id"]
        seen = store.observed(session, [row_id]).get(row_id, {}) if noun_name == "device" else {}
    if noun_name == "device":
        row["observed"] = {
            f: {"value": o.value, "source": o.source, "at": o.at, "cause": o.cause} for f, o in seen.items()
        }
        row["disagreements"] = [
            f for f in ("serial", "platform") if f in seen and row[f] and row[f] != seen[f].value
        ]
    text = _device_text(row) if noun_name == "device" and not fields else None
    return Outcome([row], single=True, format=output, fields=_split(fields), text=text)


def _device_text(row: dict[str, Any]) -> str:
    from siaga.clock import shown
    from siaga.render import cell

    lines = [f"{k:<16}{cell(v)}" for k, v in row.items() if k not in ("observed", "disagreements")]
    if row["observed"]:
        lines += ["", "observed"]
        for field, o in row["observed"].items():
            mark = "  << differs from what is intended" if field in row["disagreements"] else ""
            lines.append(f"  {field:<14}{cell(o['value'])}  ({o['source']}, {shown(o['at'])}){mark}")
    else:
        lines += ["", "observed        nothing yet: run 'siaga poll " + str(row["name"]) + "'"]
    return "\n".join(lines)


def _assignments(values: Sequence[str]) -> dict[str, str]:
    from siaga.errors import UsageError

    pairs = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError("bad-assignment", f"'{text}' is no field=value.")
        pairs[key.strip()] = value
    return pairs


def _write(work: Any, *, dry_run: bool, why: str) -> list[Any]:
    """Do `work(session, writer)` in one transaction and return the diffs; a dry run is rolled back."""
    import getpass

    from inventory import store
    from inventory.history import Author
    from inventory.writing import BadRowError, Writer
    from siaga.clock import utc_now
    from siaga.errors import InvalidError
    from siaga.settings import load

    settings = load()
    with store.session(store.open_engine(settings)) as session:
        writer = Writer(session, Author(getpass.getuser(), utc_now(), why))
        try:
            work(session, writer, settings)
            writer.finish()
        except BadRowError as error:
            sentences = [p for _, p in error.problems]
            raise InvalidError("bad-values", "Nothing was written.", sentences) from None
        if dry_run:
            session.rollback()
    return writer.diffs


def _told(diffs: Sequence[Any], *, dry_run: bool) -> Outcome:
    """Return the diffs as lines: + added, ~ changed, - removed."""
    lines = [line for diff in diffs for line in _diff_lines(diff)]
    done = sum(d.action != "same" for d in diffs)
    messages = [f"{'Would change' if dry_run else 'Changed'} {done} row{'s' if done != 1 else ''}."]
    return Outcome(text="\n".join(lines), rows=[], messages=messages) if lines else Outcome(messages=messages)


def _diff_lines(diff: Any) -> list[str]:
    from siaga.render import cell

    sign = {"add": "+", "set": "~", "rm": "-", "same": " "}[diff.action]
    lines = [f"{sign} {diff.noun} {diff.name}"] if diff.action != "same" else []
    if diff.action == "set":
        lines += [
            f"    {k}: {cell(diff.before[k]) or '(empty)'} -> {cell(v) or '(empty)'}"
            for k, v in diff.after.items()
        ]
    return lines


def add_row(
    noun_name: str, name: str, values: Sequence[str], secrets: Sequence[str], *, dry_run: bool, why: str
) -> Outcome:
    """Add one row, and its secrets if it is a credential."""
    given = {**_key_values(noun_name, name), **_assignments(values)}
    taken = _secrets(secrets)

    def work(session: Any, writer: Any, settings: Any) -> None:
        writer.put(noun_name, given, mode="add")
        _store_secrets(session, writer, settings, name, taken)

    return _told(_write(work, dry_run=dry_run, why=why), dry_run=dry_run)


def _key_values(noun_name: str, name: str) -> dict[str, str]:
    from inventory.nouns import noun
    from siaga.errors import UsageError

    key = noun(noun_name).key
    parts = name.split(":", len(key) - 1)
    if len(parts) != len(key):
        raise UsageError("bad-name", f"A {noun_name} is called {':'.join(key)}, not '{name}'.")
    return dict(zip(key, parts, strict=True))


def set_rows(
    noun_name: str,
    selector: str,
    values: Sequence[str],
    secrets: Sequence[str],
    *,
    dry_run: bool,
    yes: bool,
    why: str,
) -> Outcome:
    """Change every selected row."""
    from siaga.errors import UsageError

    given = _assignments(values)
    taken = _secrets(secrets)
    if not given and not taken:
        raise UsageError("nothing-to-set", "Say what to change, as field=value.")

    def work(session: Any, writer: Any, settings: Any) -> None:
        ids = _some(session, noun_name, selector)
        if len(ids) > 1 and not dry_run:
            _confirm(f"Change {len(ids)} rows?", yes)
        for row_id in ids:
            if given:
                writer.set(noun_name, row_id, given)
            _store_secrets(session, writer, settings, writer.names(noun_name)[row_id], taken)

    return _told(_write(work, dry_run=dry_run, why=why), dry_run=dry_run)


def remove_rows(noun_name: str, selector: str, *, dry_run: bool, yes: bool, why: str) -> Outcome:
    """Remove every selected row, or none."""

    def work(session: Any, writer: Any, settings: Any) -> None:
        ids = _some(session, noun_name, selector)
        if not dry_run:
            _confirm(f"Remove {len(ids)} row{'s' if len(ids) != 1 else ''}?", yes)
        for row_id in ids:
            writer.remove(noun_name, row_id)

    return _told(_write(work, dry_run=dry_run, why=why), dry_run=dry_run)


def _some(session: Any, noun_name: str, selector: str) -> list[int]:
    from inventory.select import joined, selected
    from siaga.errors import NotFoundError

    ids = selected(session, noun_name, joined([selector]))
    if not ids:
        raise NotFoundError("nothing-selected", f"No {noun_name.replace('_', ' ')} matches '{selector}'.")
    return ids


def _confirm(question: str, yes: bool) -> None:
    import sys

    from siaga.errors import UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("needs-yes", f"{question[:-1]} needs --yes when nobody can be asked.")
    if not typer.confirm(question, err=True):
        raise UsageError("not-confirmed", "Nothing was changed.")


def _secrets(given: Sequence[str]) -> dict[str, Any]:
    """Read PART=env:VAR, PART=file:PATH or PART=ask; a secret never stands on the command line itself."""
    import getpass
    import os
    import sys
    from pathlib import Path

    from pydantic import SecretStr

    from siaga.errors import NotFoundError, UsageError

    taken = {}
    for text in given:
        part, _, source = text.partition("=")
        how, _, where = source.partition(":")
        if how == "ask":
            if not sys.stdin.isatty():
                raise UsageError(
                    "nobody-to-ask",
                    f"The {part} cannot be asked for here: give {part}=env:VAR or =file:PATH.",
                )
            secret = getpass.getpass(f"{part}: ")
        elif how == "env" and where:
            if where not in os.environ:
                raise NotFoundError("no-such-variable", f"There is no variable {where}.")
            secret = os.environ[where]
        elif how == "file":
            try:
                secret = Path(where).read_text(encoding="utf-8").rstrip("\r\n")
            except OSError as error:
                raise NotFoundError("no-such-file", f"{where} cannot be read: {error.strerror}.") from None
        else:
            raise UsageError(
                "bad-secret-source", f"A secret is given as {part or 'PART'}=env:VAR, =file:PATH or =ask."
            )
        taken[part] = SecretStr(secret)
    return taken


def _store_secrets(session: Any, writer: Any, settings: Any, name: str, secrets: dict[str, Any]) -> None:
    if not secrets:
        return
    from inventory.credentials import store_secret
    from siaga.secrets import open_vault

    writer.flush()
    vault = open_vault(settings.home)
    for part, secret in secrets.items():
        store_secret(session, vault, writer.ids("credential")[name], part, secret)


def history_of(noun_name: str, name: str, output: Format) -> Outcome:
    """Return the changes of one row, oldest first."""
    from sqlmodel import col, select

    from inventory import store
    from inventory.models import Change
    from siaga.outcome import Column
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        query = (
            select(Change).where(Change.noun == noun_name, Change.row_name == name).order_by(col(Change.id))
        )
        rows = [
            {
                "at": c.at,
                "who": c.who,
                "action": c.action,
                "why": c.why,
                "cause": c.cause,
                "before": c.before,
                "after": c.after,
            }
            for c in session.exec(query)
        ]
    columns = [
        Column(k, k, wide=k == "before") for k in ("at", "who", "action", "why", "cause", "before", "after")
    ]
    return Outcome(rows, columns, format=output)


history_app = typer.Typer(name="history", help="The audit chain of all changes.", no_args_is_help=True)


@history_app.command("verify")
def history_verify() -> Outcome:
    """Check that no entry of the history was edited, removed or moved."""
    from inventory import store
    from inventory.history import breaks, last_hash
    from siaga.errors import FindingsError
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        found = list(breaks(session))
        head = last_hash(session)
    if found:
        raise FindingsError("history-broken", "The history does not hold.", found)
    return Outcome(messages=[f"The history holds; its head is {head}."])


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

    engine = store.open_engine(load_settings())
    summary: dict[str, Any] = {"source": source}
    if dry_run:
        sheets = read_sheets(source, noun)
        check_any(sheets, source)
        diffs = load(engine, sheets, Author(getpass.getuser(), utc_now(), why), dry_run=True)
    else:
        with recorded(engine, "import", who=getpass.getuser(), summary=summary) as run_id:
            sheets = read_sheets(source, noun)
            check_any(sheets, source)
            author = Author(getpass.getuser(), utc_now(), why, f"import {run_id}")
            diffs = load(engine, sheets, author, progress=_progress())
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
    from siaga.outcome import Column

    counts: dict[str, dict[str, int]] = {}
    for diff in diffs:
        counts.setdefault(diff.noun, {"add": 0, "set": 0, "same": 0})[diff.action] += 1
    rows = [{"noun": n, "added": c["add"], "changed": c["set"], "same": c["same"]} for n, c in counts.items()]
    columns = [Column("noun", "noun"), *(Column(k, k, right=True) for k in ("added", "changed", "same"))]
    messages = ["Dry run: nothing was written." if dry_run else "Imported."]
    if dry_run:
        messages = [*(line for d in diffs[:200] for line in _diff_lines(d)), *messages]
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
