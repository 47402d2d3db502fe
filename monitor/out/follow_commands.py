"""`siaga event follow` and `heard`: what happens, and what devices told. Nothing heavy is imported up here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.commands import Output, Selector
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.out.stream import Cursor, Event

LOOK_EVERY_S = 1.0


def heard(
    selector: Selector = None,
    since: Annotated[str, typer.Option("--since", help="What was told since: 1h, 2026-11-01.")] = "7d",
    kind: Annotated[str, typer.Option("--kind", help="Only link-down, config-changed, login-failed, …")] = "",
    number: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many, the newest first.")] = 100,
    output: Output = Format.table,
) -> Outcome:
    """List what devices told by traps and syslog, as the service kept it ([monitor] listen).

    A message makes no state, for anybody can send one: linkDown makes a look at the device, a changed configuration
    asks for a backup. What came again within a minute is one row, with how often.

    Examples: siaga event heard · siaga event heard role=router --kind config-changed --since 30d
    """
    from inventory.select import selected
    from inventory.store import open_engine, reading
    from monitor.listen.heard import events
    from siaga.clock import moment, utc_now
    from siaga.settings import load

    settings = load()
    start = moment(since, utc_now(), settings.timezone)
    with reading(open_engine(settings)) as session:
        ids = selected(session, "device", " ".join(selector)) if selector else None
        rows = events(session, start, ids, kind, number)
    columns = [Column(k, k) for k in ("at", "device", "source", "channel", "kind", "text")]
    columns += [Column("times", "times", right=True)]
    columns += [Column(k, k, wide=True) for k in ("last_at", "authentic", "details")]
    hint = [] if rows else ["Nothing was told. Is [monitor] listen on, and does the service run?"]
    return Outcome(rows, columns, hint, format=output)


def follow(
    since: Annotated[
        str, typer.Option("--since", help="Begin with what happened since: 1h, 2026-11-01.")
    ] = "",
    cursor: Annotated[
        Path | None,
        typer.Option("--cursor", help="A file that remembers how far was told."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when all that has happened was told.")] = False,
    for_s: Annotated[float, typer.Option("--for", min=0, help="End after so many seconds.")] = 0,
) -> Outcome:
    """Print what happens, one JSON object a line: states, alerts opened and closed, changes, messages of devices.

    Keys are the same for each kind of event; `id` is unique, so that a line that comes twice is known. Ctrl-C ends it.

    Examples: siaga event follow --since 1d · siaga event follow --once --cursor /var/lib/siem/siaga
    """
    import time

    from inventory.store import open_engine, reading
    from monitor.out import stream
    from siaga.clock import moment, utc_now
    from siaga.settings import load

    settings = load()
    engine = open_engine(settings)
    known = stream.read(cursor) if cursor else None
    if known is None:
        with reading(engine) as session:
            known = stream.begin(session, moment(since, utc_now(), settings.timezone) if since else None)

    def look(at: "Cursor") -> "tuple[list[Event], Cursor]":
        with reading(engine) as session:
            return stream.look(session, at)

    until = 0.0 if once else time.monotonic() + for_s if for_s else float("inf")
    _told(look, known, cursor, until)
    return Outcome()


def _told(
    look: "Callable[[Cursor], tuple[list[Event], Cursor]]", known: "Cursor", path: Path | None, until: float
) -> None:
    """Tell until the time is over, or a signal; a cursor is noted once its lines are out."""
    import signal
    import sys
    import threading
    import time

    from monitor.out.stream import line, write

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    while not ended.is_set():
        found, moved = look(known)
        sys.stdout.write("".join(map(line, found)))
        sys.stdout.flush()
        if path and (moved != known or not path.exists()):
            write(path, moved)
        known = moved
        if found:
            continue  # there may be more
        if time.monotonic() >= until:
            return
        ended.wait(min(LOOK_EVERY_S, max(0.0, until - time.monotonic())))
