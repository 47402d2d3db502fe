"""`siaga outage detect`: outages made of what was seen, with a proposed cause. Nothing heavy is imported up here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import DryRun, Output
from monitor.capacity_commands import Since, Until
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from monitor.outage_keep import Kept

Selector = Annotated[
    list[str] | None, typer.Argument(help="Which devices may have failed: kecamatan=Mauk. Default: all.")
]


def mount(app: typer.Typer) -> None:
    """Add the verb to those of an outage."""
    app.command("detect")(detect)


def detect(
    selector: Selector = None,
    since: Since = "7d",
    until: Until = "",
    least_s: Annotated[
        float, typer.Option("--least", min=0, help="Shorter ones (seconds) are left out.")
    ] = 60.0,
    dry_run: DryRun = False,
    output: Output = Format.table,
) -> Outcome:
    """Record outages from what was seen: start, end, who was cut off, and a proposed cause.

    Run it again at any time, or by cron: a row is brought up to date, and what a person has set stays as it was set.
    A cause that nothing tells is unknown.

    Example: siaga outage detect --since 2026-10-01 --dry-run
    """
    from inventory import writes
    from monitor.outage_keep import CAUSE
    from siaga.clock import span as span_of
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    span = span_of(since, until, utc_now(), settings.timezone)
    done: list[list[Kept]] = []

    def work(session: Any, writer: Any, settings: Any) -> None:
        done.append(_detected(session, writer, settings, selector or [], span, least_s))

    writes.write(work, dry_run=dry_run, why="", cause=CAUSE)
    return _told(done[-1], output, dry_run=dry_run)


def _detected(
    session: Any, writer: Any, settings: Any, selector: list[str], span: Any, least_s: float
) -> "list[Kept]":
    from inventory.select import joined, selected
    from monitor.availability import window
    from monitor.outage_keep import keep
    from monitor.outage_read import find
    from monitor.outages import proposed
    from monitor.samples import open_samples

    ids = selected(session, "device", joined(selector))
    seen = window(settings, *span)
    with open_samples(settings.home) as samples:
        found = find(session, samples, ids, seen, least_s)
    return keep(session, writer, found, proposed(found.falls), seen)


def _told(kept: "list[Kept]", output: Format, *, dry_run: bool) -> Outcome:
    from monitor.samples import time_of
    from monitor.show import duration
    from siaga.clock import shown

    rows = []
    for k in kept:
        start, end = k.outage.start_ms, k.outage.end_ms
        seconds = None if end is None else (end - start) / 1000
        row: dict[str, Any] = {
            "name": k.name,
            "devices": list(k.devices),
            "start": time_of(start),
            "end": None if end is None else time_of(end),
            "seconds": seconds,
            "cause": k.cause,
            "proposed": k.outage.cause.value,
            "because": k.outage.because,
            "cut_off": list(k.cut_off),
            "action": k.action,
        }
        if output in (Format.table, Format.wide, Format.md):
            row |= {"start": shown(row["start"])[:19].replace("T", " "), "cut_off": len(k.cut_off)}
            row |= {
                "seconds": "still" if seconds is None else duration(seconds),
                "devices": ", ".join(k.devices),
            }
        rows.append(row)
    columns = [Column("start", "start"), Column("seconds", "for", right=True), Column("devices", "devices")]
    columns += [Column("cause", "cause"), Column("because", "because")]
    columns += [
        Column("cut_off", "cut off", right=True),
        Column("action", "row"),
        Column("name", "name", wide=True),
    ]
    new = sum(k.action == "add" for k in kept)
    said = f"{len(kept)} outages, {new} of them {'would be ' if dry_run else ''}new."
    return Outcome(rows, columns, messages=[said], format=output)
