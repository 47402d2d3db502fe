"""The commands that ask what hangs on what: `siaga impact` and `siaga explain`."""

from typing import Annotated, Any

import typer

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
    worst: Annotated[bool, typer.Option("--worst", help="Rank the single points of failure instead.")] = False,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many --worst shows.")] = 10,
    root: Root = "",
    show_paths: Annotated[
        bool, typer.Option("--show-paths", help="Show the way there was and the way that is left.")
    ] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show what breaks if something fails: places, agencies, services, and whom to tell.

    Redundancy is considered: what goes on by another way is told apart from what is cut off, and what is not
    known to be connected is not called either.

    Example: siaga impact rtr-core-1 --show-paths; siaga impact --worst
    """
    from siaga.errors import UsageError

    if bool(failing) is worst:
        raise UsageError("nothing-asked", "Say what fails, as 'siaga impact NAME', or ask for --worst.")
    return _ranked(number, root, output, fields) if worst else _impact(failing or [], root, show_paths, output, fields)


def _impact(failing: list[str], root: str, paths: bool, output: Format, fields: str) -> Outcome:
    from inventory import impact_targets, impact_text, network, store
    from inventory.options import split
    from inventory.impact import impact as worked_out
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        known = network.load(session)
        failed = impact_targets.resolved(session, known, failing)
        roots = impact_targets.roots(session, known, root)
    found = worked_out(known, failed, roots)
    text = None if fields else impact_text.text(found, failing, paths=paths)
    row = impact_text.as_row(found)
    return Outcome([row], single=True, format=output, fields=split(fields), text=text)


def _ranked(number: int, root: str, output: Format, fields: str) -> Outcome:
    from inventory import impact_targets, network, store
    from inventory.options import split
    from inventory.impact_view import View
    from inventory.impact_worst import worst
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        known = network.load(session)
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
