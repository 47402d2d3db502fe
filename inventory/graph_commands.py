"""The commands that ask what hangs on what: `siaga impact` and `siaga explain`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from inventory import complete
from inventory.options import Fields, Output
from siaga.outcome import Column, Format, Outcome

Failing = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="X…",
        help="A device, link, DEVICE:PORT, place, provider, contract, connection, service or path group."
        " Several fail together; write NOUN:NAME where two have the name.",
    ),
]
Root = Annotated[
    str,
    typer.Option(
        "--root", help="From which devices all must be reached, as a selector. Default: role=core-router."
    ),
]


def impact(
    failing: Failing = None,
    worst: Annotated[
        bool, typer.Option("--worst", help="Rank the single points of failure instead.")
    ] = False,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many --worst shows.")] = 10,
    root: Root = "",
    show_paths: Annotated[
        bool, typer.Option("--show-paths", help="Show the way there was and the way that is left.")
    ] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show what breaks if something fails, and whom to tell.

    Places, agencies, services and people cut off, with the path and what stands in.

    Redundancy is considered: what goes on by another way is told apart from what is cut off, and what is not
    known to be connected is not called either.

    Example: siaga impact rtr-core-1 --show-paths; siaga impact --worst
    """
    from siaga.errors import UsageError

    if failing and worst:
        sentence = f"--worst ranks everything that can fail: leave out {failing[0]}, or leave out --worst."
        raise UsageError("two-questions", sentence)
    if not failing and not worst:
        raise UsageError("nothing-asked", "Say what fails, as 'siaga impact NAME', or ask for --worst.")
    if worst:
        return _ranked(number, root, output, fields)
    return _impact(list(dict.fromkeys(failing or [])), root, show_paths, output, fields)


def _impact(failing: list[str], root: str, paths: bool, output: Format, fields: str) -> Outcome:
    from inventory import impact_targets, impact_text, network, store
    from inventory.impact import impact as worked_out
    from inventory.options import split
    from siaga.clock import utc_now
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        known = network.load(session, utc_now().date())
        failed = impact_targets.resolved(session, known, failing)
        roots = impact_targets.roots(session, known, root)
    found = worked_out(known, failed, roots)
    text = None if fields else impact_text.text(found, failing, paths=paths)
    row = impact_text.as_row(found)
    _check_fields(split(fields), row)
    notes = impact_targets.notes(known, failed)
    return Outcome([row], messages=notes, single=True, format=output, fields=split(fields), text=text)


def _check_fields(fields: Sequence[str], row: Mapping[str, Any]) -> None:
    from siaga.errors import UsageError

    unknown = [f for f in fields if f not in row]
    if unknown:
        sentence = f"There is no field '{unknown[0]}' here; there are {', '.join(row)}."
        raise UsageError("no-such-field", sentence)


def _ranked(number: int, root: str, output: Format, fields: str) -> Outcome:
    from inventory import impact_targets, network, store
    from inventory.impact_view import View
    from inventory.impact_worst import worst
    from inventory.options import split
    from siaga.clock import utc_now
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        known = network.load(session, utc_now().date())
        roots = impact_targets.roots(session, known, root)
    view = View(known, roots)
    found = worst(view)
    rows: list[dict[str, Any]] = [{"rank": n, **vars(weak)} for n, weak in enumerate(found[:number], 1)]
    unknown = len(known.node_of) - len(view.known)
    messages = [f"{unknown} devices are not known to be connected and not in this ranking."] * bool(unknown)
    counts = ("kecamatan", "places", "agencies", "services", "devices")
    columns = [Column("rank", "rank", right=True), Column("noun", "noun"), Column("name", "name")]
    columns += [Column(k, k, right=True) for k in counts]
    return Outcome(rows, columns, messages=messages, format=output, fields=split(fields))


def explain(
    device: Annotated[
        str, typer.Argument(help="The device's name.", autocompletion=complete.names("device"))
    ],
    key: Annotated[
        str, typer.Argument(help="One variable; a dot goes into it, as in ntp.servers. Default: all.")
    ] = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show where a device's variables come from.

    Every layer's value, and which one wins.

    Example: siaga explain rtr-kec-mauk ntp_servers
    """
    from inventory import layers_explained, store
    from inventory.noun_commands import id_of
    from inventory.options import split
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        given = layers_explained.explained(session, id_of(session, "device", device), key or None)
        doubts = layers_explained.findings(session)
    known = {g.layer for g in given}
    messages = [d.sentence for d in doubts if known & {*d.layers}]
    own = {g.key: g.value for g in given if g.layer == layers_explained.DEVICE}
    messages += layers_explained.warnings(own, f"device {device}")
    messages += [f"No layer gives {key or 'any variable'} to {device}."] * (not given)
    rows = [{**vars(g), "value": layers_explained.hidden(g.value, g.key)} for g in given]
    titles = {"key": "key", "wins": "wins", "layer": "layer", "target": "for", "value": "value"}
    columns = [Column(k, t) for k, t in titles.items()]
    return Outcome(rows, columns, messages=messages, format=output, fields=split(fields))
