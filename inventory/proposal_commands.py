"""Commands on what was found and on what differs: accept, merge, reject; disagreements; adopt."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from inventory import complete
from inventory.options import At, DryRun, Fields, Output, Selector, Since, Values, Why, Yes, split
from siaga.outcome import Column, Format, Outcome

Which = Annotated[
    str,
    typer.Argument(
        help="Which: p7, or a selector such as score<50.", autocompletion=complete.selectors("proposal")
    ),
]


def mount(app: typer.Typer) -> None:
    """Add the verbs of a proposal beside show and history, and a list that says what was found."""
    app.registered_commands = [c for c in app.registered_commands if c.name != "list"]
    app.command("list")(list_)
    app.command("accept")(accept)
    app.command("merge")(merge)
    app.command("reject")(reject)


_LISTED = ("name", "status", "device", "score", "address", "sysname", "model", "serial", "reason")
_LISTED_WIDE = ("vendor", "platform", "version", "engine_id", "base_mac", "source", "first_seen", "last_seen")
_OF_SWEEPS = ("also_at", "addresses", "open_ports", "found_by")


def list_(
    selector: Selector = None,
    output: Output = Format.table,
    fields: Fields = "",
    at: At = "",
    since: Since = "",
    limit: Annotated[int, typer.Option("--limit", help="At most so many rows; 0 is all.", min=0)] = 0,
    list_fields: Annotated[
        bool, typer.Option("--list-fields", help="Say which fields there are and what they hold.")
    ] = False,
) -> Outcome:
    """List what was found, all or that selected; each fact of it is a field of its own.

    Example: siaga proposal list status=open --fields name,address,serial,platform
    """
    from dataclasses import replace

    from inventory.noun_commands import fields_of, list_rows

    if list_fields:
        return fields_of("proposal", output)
    found = list_rows("proposal", selector or [], Format.json, "", at=at, since=since)
    rows = [_flat(row, output) for row in found.rows or ()]
    rows.sort(key=lambda r: (len(r["name"]), r["name"]))  # p9 stands before p10
    left = len(rows) - limit if limit else 0
    messages = [*found.messages, *([f"{left} more rows are not shown."] if left > 0 else [])]
    columns = [Column(k, k, right=k == "score") for k in _LISTED]
    columns += [Column(k, k, wide=True) for k in (*_LISTED_WIDE, *_OF_SWEEPS, "decided_by")]
    shown = rows[:limit] if limit else rows
    return replace(found, rows=shown, columns=columns, messages=messages, format=output, fields=split(fields))


def _flat(row: Mapping[str, Any], output: Format) -> Mapping[str, Any]:
    """Return a proposal with each of its facts as a field; in a table the model has its maker before it."""
    facts = row["facts"] or {}
    shown = dict.fromkeys((*_LISTED, *_LISTED_WIDE, *_OF_SWEEPS), "") | dict(facts) | dict(row)
    if output in (Format.table, Format.wide):
        maker = "" if facts.get("model", "").startswith(facts.get("vendor", "")) else facts.get("vendor", "")
        shown["model"] = f"{maker} {facts.get('model', '')}".strip()
    return shown


def accept(
    which: Which,
    values: Values = None,
    new: Annotated[
        bool, typer.Option("--new", help="It is a new device, though it may be one that is there.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    why: Why = "",
) -> Outcome:
    """Make a device of what was found, or give the device its new address.

    Example: siaga proposal accept p7 role=router place=Mauk --dry-run
    """
    from inventory import decisions, writes

    given = writes.assignments(values or [])

    def work(session: Any, writer: Any, settings: Any) -> None:
        decisions.accept(writer, _ids(session, "proposal", which), given, new=new)

    return _decided(work, which, "Accept: {rows}?", dry_run=dry_run, yes=yes, why=why)


def merge(
    proposal: Annotated[str, typer.Argument(help="Which, such as p7.")],
    device: Annotated[
        str, typer.Argument(help="The device that it is.", autocompletion=complete.selectors("device"))
    ],
    take: Annotated[
        str, typer.Option("--take", help="What becomes intended, such as address,serial; else: observed.")
    ] = "",
    dry_run: DryRun = False,
    why: Why = "",
) -> Outcome:
    """Say that what was found is a device that is there.

    Example: siaga proposal merge p7 rtr-kec-mauk --take address,serial
    """
    from inventory import decisions, writes
    from siaga.errors import UsageError

    fields = split(take)
    unknown = [f for f in fields if f not in decisions.TAKE]
    if unknown:
        sentence = f"--take knows no {', '.join(unknown)}; it knows {', '.join(decisions.TAKE)}."
        raise UsageError("unknown-field", sentence)

    def work(session: Any, writer: Any, settings: Any) -> None:
        decisions.merge(writer, _one(session, "proposal", proposal), _one(session, "device", device), fields)

    return writes.told(*writes.write(work, dry_run=dry_run, why=why), dry_run=dry_run)


def reject(which: Which, dry_run: DryRun = False, yes: Yes = False, why: Why = "") -> Outcome:
    """Say that what was found is none of ours; it is asked again only when it changes.

    Example: siaga proposal reject p7 --why 'a phone'
    """
    from inventory import decisions

    def work(session: Any, writer: Any, settings: Any) -> None:
        decisions.reject(writer, _ids(session, "proposal", which))

    return _decided(work, which, "Reject: {rows}?", dry_run=dry_run, yes=yes, why=why)


def _decided(work: Any, which: str, question: str, *, dry_run: bool, yes: bool, why: str) -> Outcome:
    from inventory import writes

    ask = "" if dry_run or _count("proposal", which) < 2 else question
    return writes.told(*writes.write(work, dry_run=dry_run, why=why, ask=ask, yes=yes), dry_run=dry_run)


def _ids(session: Any, noun: str, which: str) -> list[int]:
    """Return the rows a selector names; of proposals those that are open, unless it names its status itself."""
    from inventory.select import joined, selected
    from siaga.errors import NotFoundError

    text = joined([which])
    found = list(selected(session, noun, text))
    if noun == "proposal" and len(found) > 1:
        opened = set(selected(session, noun, "status=open"))
        found = [i for i in found if i in opened]
    if not found:
        raise NotFoundError("nothing-selected", f"No {noun} matches '{which}'.")
    return found


def _one(session: Any, noun: str, name: str) -> int:
    from inventory.keys import Keys
    from siaga.errors import NotFoundError

    keys = Keys(session)
    found = keys.find(noun, name)
    if found is None:
        raise NotFoundError("not-found", f"{keys.missing(noun, name)}.")
    return found


def _count(noun: str, which: str) -> int:
    from inventory import store
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        return len(_ids(session, noun, which))


def disagreements(
    selector: Selector = None,
    hints: Annotated[
        bool, typer.Option("--hints", help="Also what is only worth a look: places have many names.")
    ] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Exit code 6 when there is one; for cron.")] = False,
    output: Output = Format.table,
) -> Outcome:
    """Show where devices are not as they should be.

    Intended beside observed, with who observed it and when.

    Example: siaga disagreements role=router --fail
    """
    from inventory import disagreements as compared
    from inventory import store
    from inventory.select import joined, selected
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        text = joined(selector or [])
        ids = list(selected(session, "device", text)) if text else None
        found = compared.of(session, ids)
        names = store.labels(session, "device", set(found))
    rows = [
        {
            "device": names[device],
            "field": d.field,
            "intended": d.intended,
            "observed": d.observed,
            "source": d.source,
            "method": d.method,
            "at": d.at,
        }
        for device in sorted(found, key=lambda i: names[i])
        for d in found[device]
        if hints or not d.hint
    ]
    columns = [Column(k, k, wide=k == "method") for k in (rows[0] if rows else ())]
    said = [] if rows else ["Nothing differs from what is intended, as far as it was observed."]
    nothing = not rows and output in (Format.table, Format.wide)
    return Outcome(None if nothing else rows, columns, said, 6 if fail and rows else 0, format=output)


def adopt(
    selector: Annotated[
        str, typer.Argument(help="Which devices.", autocompletion=complete.selectors("device"))
    ],
    fields: Annotated[
        list[str], typer.Argument(help="serial, platform, name, device_type; alias, speed_bps, mac, enabled.")
    ],
    dry_run: DryRun = False,
    yes: Yes = False,
    why: Why = "",
) -> Outcome:
    """Take observed values over as the intended ones.

    Only where they differ; shown and asked for first.

    Example: siaga adopt rtr-kec-mauk serial --why 'replaced under warranty' --dry-run
    """
    from inventory import adoption
    from siaga.errors import UsageError

    unknown = [f for f in fields if f not in adoption.FIELDS]
    if unknown:
        sentence = f"{', '.join(unknown)} cannot be adopted; {', '.join(adoption.FIELDS)} can."
        raise UsageError("unknown-field", sentence)

    def work(session: Any, writer: Any, settings: Any) -> None:
        adoption.adopt(writer, _ids(session, "device", selector), set(fields))

    from inventory import writes

    ask = "" if dry_run else "Adopting what was observed in {rows}?"
    return writes.told(*writes.write(work, dry_run=dry_run, why=why, ask=ask, yes=yes), dry_run=dry_run)
