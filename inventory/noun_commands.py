"""The same verbs for every noun, from one implementation. Nothing heavy is imported up here."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from inventory import catalog, complete
from inventory.options import (
    FIELDS_HELP,
    SELECTOR_HELP,
    At,
    DryRun,
    Fields,
    Output,
    Secrets,
    Since,
    Until,
    Why,
    Yes,
    split,
)
from siaga.outcome import Column, Format, Outcome


def noun_app(name: str) -> typer.Typer:
    """Return the commands of one noun; the shell completes its names and fields."""
    noun = name.replace("-", "_")
    spec = catalog.spec(noun)
    app = typer.Typer(name=name, help=spec.help, no_args_is_help=True)
    _reading(app, noun)
    if not spec.seen:
        _writing(app, noun)
    return app


def _reading(app: typer.Typer, noun: str) -> None:
    name = _name(noun)
    which = Annotated[
        list[str] | None,
        typer.Argument(help=SELECTOR_HELP, autocompletion=complete.selectors(noun)),
    ]

    some = Annotated[str, typer.Option("--fields", help=FIELDS_HELP, autocompletion=complete.fields(noun))]

    @app.command("list")
    def list_(
        selector: which = None,
        output: Output = Format.table,
        fields: some = "",
        at: At = "",
        since: Since = "",
        until: Until = "",
        limit: Annotated[int, typer.Option("--limit", help="At most so many rows; 0 is all.", min=0)] = 0,
        list_fields: Annotated[
            bool, typer.Option("--list-fields", help="Say which fields there are and what they hold.")
        ] = False,
    ) -> Outcome:
        """List rows, all or those selected."""
        if list_fields:
            return fields_of(noun, output)
        return list_rows(noun, selector or [], output, fields, at=at, since=since, until=until, limit=limit)

    @app.command("show")
    def show(name: name, output: Output = Format.table, fields: Fields = "", at: At = "") -> Outcome:  # type: ignore[valid-type]
        """Show one row whole: what should be, what was observed, and who is concerned."""
        return show_row(noun, name, output, fields, at=at)

    @app.command("history")
    def history(name: name, output: Output = Format.table, since: Since = "") -> Outcome:  # type: ignore[valid-type]
        """Show who changed a row, when, why and how."""
        return history_of(noun, name, output, since=since)


def _writing(app: typer.Typer, noun: str) -> None:
    fields_help = _fields_help(noun)
    values = Annotated[
        list[str] | None,
        typer.Argument(
            help="field=value …; an empty value empties the field.",
            autocompletion=complete.assignments(noun),
        ),
    ]
    where = Annotated[
        str,
        typer.Argument(
            help="Which rows, in one word: a name, or 'role=router kecamatan=Mauk'.",
            autocompletion=complete.selectors(noun),
        ),
    ]
    secret = Secrets if noun == "credential" else Annotated[list[str] | None, typer.Option(hidden=True)]

    @app.command("add", help=f"Add one row.\n\n{fields_help}")
    def add(
        name: Annotated[str, typer.Argument(help=_name_help(noun))],
        values: values = None,
        secret: secret = None,  # type: ignore[valid-type]
        dry_run: DryRun = False,
        why: Why = "",
    ) -> Outcome:
        return add_row(noun, name, values or [], secret or [], dry_run=dry_run, why=why)

    @app.command(
        "set", help=f"Change rows; more than one shows the difference and asks first.\n\n{fields_help}"
    )
    def set_(
        selector: where,
        values: values = None,
        secret: secret = None,  # type: ignore[valid-type]
        dry_run: DryRun = False,
        diff: Annotated[bool, typer.Option("--diff", help="The same as --dry-run.")] = False,
        yes: Yes = False,
        why: Why = "",
    ) -> Outcome:
        return set_rows(noun, selector, values or [], secret or [], dry_run=dry_run or diff, yes=yes, why=why)

    @app.command("rm")
    def rm(selector: where, dry_run: DryRun = False, yes: Yes = False, why: Why = "") -> Outcome:
        """Remove rows that nothing else refers to, and their parts: of a device its interfaces and what it said."""
        return remove_rows(noun, selector, dry_run=dry_run, yes=yes, why=why)


def _name(noun: str) -> Any:
    help_text = "The row's name (device:interface for an interface)."
    return Annotated[str, typer.Argument(help=help_text, autocompletion=complete.names(noun))]


def _name_help(noun: str) -> str:
    auto = catalog.spec(noun).auto
    return f"The new row's name; '-' makes it of {', '.join(auto)}." if auto else "The new row's name."


def _fields_help(noun: str) -> str:
    spec = catalog.spec(noun)
    shown = [f for f in dict.fromkeys((*spec.shown, *spec.wide)) if f != "name"]
    text = f"Fields: {', '.join(shown)} (all with 'list --list-fields')."
    if noun == "credential":
        text += (
            " Kinds and their secrets: snmp-v1 and snmp-v2c (community), snmp-v3 (auth, priv), ssh-password"
            " (password, enable), ssh-key (key). Example: siaga credential add noc kind=snmp-v2c --secret"
            " community=ask"
        )
    return text


def list_rows(
    noun_name: str,
    selector: Sequence[str],
    output: Format,
    fields: str,
    *,
    at: str = "",
    since: str = "",
    until: str = "",
    limit: int = 0,
) -> Outcome:
    """Return the selected rows of a noun, as they are or as they were."""
    from inventory import quick
    from siaga.settings import load

    settings = load()
    every = {n: {name: f.ref for name, f in fields.items()} for n, fields in settings.fields.items()}
    declared = every.get(noun_name, {})
    plain = not (selector or at or since or until)
    spec = catalog.spec(noun_name)
    only = _fields_shown(spec, output, split(fields))
    listed = quick.listed(settings.database, noun_name, every, only) if plain else None
    numbers, found = listed or _selected_rows(
        settings, noun_name, selector, at, (since, until), split(fields)
    )
    columns = [Column(k, k, right=k in numbers) for k in spec.shown]
    columns += [Column(k, k, wide=True, right=k in numbers) for k in (*spec.wide, *declared)]
    left = len(found) - limit if limit else 0
    messages = [f"{left} more rows are not shown."] if left > 0 else []
    return Outcome(found[:limit] if limit else found, columns, messages, format=output, fields=split(fields))


def _fields_shown(spec: catalog.Spec, output: Format, fields: Sequence[str]) -> list[str]:
    """Return the fields that a table shows; of many rows the others need not be read. None are named if all are."""
    if fields:
        return [] if "notes" in fields else [*fields, *spec.key]
    return [] if output is not Format.table else [*spec.shown, *spec.key]


def _selected_rows(
    settings: Any,
    noun_name: str,
    selector: Sequence[str],
    at: str,
    changed: tuple[str, str],
    fields: Sequence[str],
) -> tuple[frozenset[str], list[dict[str, Any]]]:
    """Return the names of the numeric fields, and the rows without their ids.

    `changed`: since when and until when, as they were given; `fields`: those asked for, by path too.
    """
    from inventory import dotted, store
    from inventory.nouns import noun
    from inventory.quick import sorting

    engine = engine_at(settings, at)
    kind = noun(noun_name)
    dotted.check(kind, fields)
    with store.reading(engine) as session:
        ids = _ids(session, noun_name, selector) if selector or any(changed) else None
        if any(changed):
            ids = _changed(session, kind, ids or [], changed, settings.timezone)
        found = store.rows(session, noun_name, ids)
        dotted.filled(session, kind, found, fields)
    if ids is None:
        found.sort(
            key=lambda r: [v if isinstance(v, int) else str(v) for k in sorting(noun_name) for v in [r[k]]]
        )
    numbers = frozenset(a.name for a in kind.attributes.values() if a.kind in ("int", "float"))
    order = catalog.spec(noun_name).ordered([a.name for a in kind.attributes.values() if not a.custom])
    order += [a.name for a in kind.attributes.values() if a.custom]
    order += [f for f in fields if f not in kind.attributes]
    return numbers, [{k: row[k] for k in order} for row in found]


_DIGITS = 16


def engine_at(settings: Any, at: str) -> Any:
    """Return the engine of the inventory, or of a copy of it as it was at a time or after a change set."""
    from inventory import store
    from siaga.clock import moment, utc_now

    engine = store.open_engine(settings)
    if not at:
        return engine
    from inventory.past import as_of, as_of_set

    number = at.strip().removeprefix("set:")
    if at.strip().startswith("set:") and number.isascii() and number.isdigit() and len(number) < _DIGITS:
        return as_of_set(engine, int(number))
    return as_of(engine, moment(at, utc_now(), settings.timezone))


def _ids(session: Any, noun_name: str, selector: Sequence[str]) -> list[int]:
    # The parser is not needed, and not loaded, without a selector.
    from inventory.select import meant

    return meant(session, noun_name, selector)


def _changed(session: Any, kind: Any, ids: Sequence[int], changed: tuple[str, str], zone: str) -> list[int]:
    """Return those of the rows whose last change lies between two times, of which either may be left out."""
    from sqlalchemy import false, func, select
    from sqlmodel import col

    from inventory.models import Change
    from siaga.clock import moment, utc_now

    since, until = (moment(text, utc_now(), zone) if text else None for text in changed)
    revision = kind.table.c.revision
    query = select(kind.table.c.id)
    if since is not None:
        first = session.execute(select(func.min(Change.id)).where(col(Change.at) >= since)).scalar()
        query = query.where(revision >= first) if first is not None else query.where(false())
    if until is not None:
        last = session.execute(select(func.max(Change.id)).where(col(Change.at) <= until)).scalar()
        query = query.where(revision <= (last or 0))
    found = set(session.execute(query).scalars())
    return [i for i in ids if i in found]


def fields_of(noun_name: str, output: Format) -> Outcome:
    """Return the fields of a noun: what each holds, and what it may be."""
    from inventory.nouns import declare, noun
    from siaga.settings import load

    declare(load().fields)
    kind = noun(noun_name)
    rows = [
        {
            "field": a.name,
            "kind": f"{a.ref} (by name)" if a.ref else a.kind,
            "must": "required" if a.required else "" if a.settable else "kept by siaga",
            "values": ", ".join(c for c in a.choices if c) or _bounds(a),
            "declared": "in siaga.toml" if a.custom else "",
        }
        for a in kind.attributes.values()
    ]
    paths = [
        {"field": p, "kind": f"short for {way}", "must": "selectors only", "values": "", "declared": ""}
        for p, way in kind.paths.items()
        if p not in kind.attributes
    ]
    return Outcome(rows + paths, format=output)


def _bounds(attribute: Any) -> str:
    if attribute.low is None and attribute.high is None:
        return str(attribute.pattern)
    low, high = ("" if bound is None else f"{bound:g}" for bound in (attribute.low, attribute.high))
    return f"{low}…{high}"


def show_row(noun_name: str, name: str, output: Format, fields: str, *, at: str = "") -> Outcome:
    """Return one row; a device with what it says of itself, by whom, when, and where the two disagree."""
    from inventory import show, store
    from siaga.settings import load

    with store.reading(engine_at(load(), at)) as session:
        row_id = id_of(session, noun_name, name)
        row = show.whole(session, noun_name, row_id)
    text = None if fields else show.as_text(noun_name, row, wide=output is Format.wide)
    return Outcome([row], single=True, format=output, fields=split(fields), text=text)


def id_of(session: Any, noun_name: str, name: str) -> int:
    """Return the id of the row called `name`; raises NotFoundError with the nearest name there is."""
    from inventory import naming
    from inventory.nouns import noun
    from siaga.errors import NotFoundError
    from siaga.text import safe

    found = naming.exact(session, noun_name, name)
    if found is None:
        if wrong := naming.wrong(noun(noun_name), name):
            raise NotFoundError(f"no-such-{noun_name.replace('_', '-')}", f"The name {wrong}.")
        near = naming.near(session, noun(noun_name), name.strip()[:255])
        hint = f"; did you mean '{near}'?" if near else "."
        sentence = f"There is no {noun(noun_name).words} called '{safe(name, 80)}'{hint}"
        raise NotFoundError(f"no-such-{noun_name.replace('_', '-')}", sentence)
    return found


def add_row(
    noun_name: str, name: str, values: Sequence[str], given: Sequence[str], *, dry_run: bool, why: str
) -> Outcome:
    """Add one row, its secrets if it is a credential, its ports if it is a device of a type that has some."""
    from inventory import writes

    wanted = {**_key_values(noun_name, name), **writes.assignments(values)}
    taken = writes.secrets(given)

    def work(session: Any, writer: Any, settings: Any) -> None:
        if noun_name == "note":
            wanted.setdefault("who", writer.author.who)
            wanted.setdefault("at", writer.author.now)
        diff = writer.put(noun_name, wanted, mode="add")
        writes.store_secrets(session, writer, settings, diff.name, taken)
        if noun_name == "device" and wanted.get("device_type"):
            _add_ports(session, writer, diff.name, wanted["device_type"])

    return writes.told(*writes.write(work, dry_run=dry_run, why=why), dry_run=dry_run)


def _add_ports(session: Any, writer: Any, device: str, device_type: str) -> None:
    """Add the interfaces that the device's type has."""
    from inventory.store import rows

    type_id = writer.keys.find("device_type", device_type)
    table = _table("component")
    from sqlalchemy import select

    own = select(table.c.id).where(table.c.device_type_id == type_id, table.c.kind == "interface")
    for part in rows(session, "component", list(session.execute(own.order_by(table.c.id)).scalars())):
        writer.put("interface", {"device": device, "name": part["label"]})


def _table(noun_name: str) -> Any:
    from inventory.nouns import noun

    return noun(noun_name).table


def _key_values(noun_name: str, name: str) -> dict[str, str]:
    from siaga.errors import UsageError
    from siaga.text import one, safe

    spec = catalog.spec(noun_name)
    if spec.auto and name == "-":
        return {}
    parts = name.split(":", len(spec.key) - 1)
    if len(parts) != len(spec.key):
        called = f"{one(noun_name.replace('_', ' '))} is called {':'.join(spec.key)}, not '{safe(name, 80)}'."
        raise UsageError("bad-name", called[0].upper() + called[1:])
    return dict(zip(spec.key, parts, strict=True))


def set_rows(
    noun_name: str,
    selector: str,
    values: Sequence[str],
    given: Sequence[str],
    *,
    dry_run: bool,
    yes: bool,
    why: str,
) -> Outcome:
    """Change every selected row; more than one is shown and asked for first."""
    from inventory import writes
    from siaga.errors import UsageError

    wanted, taken = writes.assignments(values), writes.secrets(given)
    if not wanted and not taken:
        raise UsageError("nothing-to-set", "Say what to change, as field=value.")

    def work(session: Any, writer: Any, settings: Any) -> None:
        for row_id in _some(session, noun_name, selector):
            if wanted:
                writer.set(noun_name, row_id, wanted)
            writes.store_secrets(session, writer, settings, writer.keys.label(noun_name, row_id), taken)

    ask = "" if dry_run or _count(noun_name, selector) < 2 else "Change {rows}?"
    return writes.told(*writes.write(work, dry_run=dry_run, why=why, ask=ask, yes=yes), dry_run=dry_run)


def remove_rows(noun_name: str, selector: str, *, dry_run: bool, yes: bool, why: str) -> Outcome:
    """Remove every selected row, or none."""
    from inventory import rules, writes
    from inventory.writing import BadRowError

    def work(session: Any, writer: Any, settings: Any) -> None:
        ids = _some(session, noun_name, selector)
        kept = rules.protected(session, settings.rules, noun_name, ids)
        if kept:
            raise BadRowError([("", sentence) for sentence in kept])
        writer.remove_all({noun_name: ids})

    ask = "" if dry_run else "Remove {rows}?"
    return writes.told(*writes.write(work, dry_run=dry_run, why=why, ask=ask, yes=yes), dry_run=dry_run)


def _some(session: Any, noun_name: str, selector: str) -> list[int]:
    from inventory.select import meant
    from siaga.errors import NotFoundError
    from siaga.text import safe

    ids = meant(session, noun_name, [selector])
    if not ids:
        sentence = f"No {noun_name.replace('_', ' ')} matches '{safe(selector, 80)}'."
        raise NotFoundError("nothing-selected", sentence)
    return ids


def _count(noun_name: str, selector: str) -> int:
    from inventory import store
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        return len(_some(session, noun_name, selector))


def history_of(noun_name: str, name: str, output: Format, *, since: str = "") -> Outcome:
    """Return the changes of one row, oldest first, also those under its earlier names."""
    from inventory import store
    from inventory.trail import trail
    from siaga.clock import moment, utc_now
    from siaga.settings import load

    settings = load()
    with store.reading(store.open_engine(settings)) as session:
        found = trail(session, noun_name, name)
        if not found:
            id_of(session, noun_name, name)  # what is there may have no history; what never was is an error
    if since:
        when = moment(since, utc_now(), settings.timezone)
        found = [c for c in found if c["at"] >= when]
    keys = ("at", "who", "action", "why", "cause", "change_set", "before", "after")
    rows: list[Mapping[str, Any]] = [{k: c[k] for k in keys} for c in found]
    return Outcome(rows, [Column(k, k, wide=k in ("before", "change_set")) for k in keys], format=output)
