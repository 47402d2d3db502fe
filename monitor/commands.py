"""The monitor's commands. Nothing heavy is imported up here."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from monitor import login_options as login
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

Output = Annotated[Format, typer.Option("--output", "-o", help="How rows are printed.")]
Fields = Annotated[str, typer.Option("--fields", help="Only these fields, separated by commas.")]
Selector = Annotated[
    list[str] | None,
    typer.Argument(
        help="Which devices: role=router kecamatan=Balaraja name~^rtr tag:core @saved. Default: all."
    ),
]

_STATE_STYLE = {
    "up": "green",
    "degraded": "yellow",
    "down": "bold red",
    "unreachable": "magenta",
    "not observed": "dim",
    "flapping": "yellow",
    "maintenance": "cyan",
    "critical": "bold red",
    "warning": "yellow",
}


def _styles(*keys: str) -> dict[tuple[str, str], str]:
    return {(key, value): style for key in keys for value, style in _STATE_STYLE.items()}


@login.asks()
def inspect(host: login.Host, output: Output = Format.table, *, asking: login.Asking) -> Outcome:
    """Show everything one device tells now.

    Nothing is stored.

    Examples: siaga inspect 10.1.2.3 · siaga inspect rtr-kec-mauk · siaga inspect 10.1.2.3 --snmp 3
    --user poller --auth SHA-256 --auth-file a.txt --priv AES --priv-file p.txt.
    Without any credential the community "public" is tried.
    """
    from dataclasses import replace

    from monitor.inspect import look
    from siaga.settings import load

    return look(load(), replace(asking, host=host), output)


def chosen(engine: Any, selector: Sequence[str]) -> list[int]:
    """Return the ids of the selected devices; raises NotFoundError (`nothing-selected`) for a selector without any."""
    from inventory.select import joined, selected
    from inventory.store import reading
    from siaga.errors import NotFoundError

    with reading(engine) as session:
        ids = selected(session, "device", joined(selector))
    if selector and not ids:
        raise NotFoundError("nothing-selected", f"No device matches '{' '.join(selector)}'.")
    return ids


def poll(
    selector: Selector = None,
    output: Output = Format.table,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what changed.")] = False,
) -> Outcome:
    """Ask devices once, now, and keep the answers.

    State, health and counters. A silent device is a value, not an error. While the service runs ('siaga monitor run')
    it asks everybody itself, and this ends with 75.
    """
    from inventory.access import require
    from inventory.runs import recorded
    from inventory.store import open_engine
    from monitor.instance import refuse_beside_service
    from monitor.poller import poll as poll_round
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    refuse_beside_service(settings.home)
    engine = open_engine(settings)
    ids = chosen(engine, selector or [])
    summary: dict[str, Any] = {}
    with (
        recorded(engine, "poll", who=who(), summary=summary) as run_id,
        _bar(len(ids), quiet) as step,
    ):
        result = poll_round(engine, settings, ids, run_id=run_id, now=utc_now, progress=step)
        summary.update(_summary(result))
    return _polled(engine, result, summary, output, quiet)


def _summary(result: Any) -> dict[str, Any]:
    from monitor.observation import Reach

    return {
        "asked": len(result.observations),
        **{reach.value: result.count(reach) for reach in Reach},
        "changes": len(result.changes),
        "alerts_opened": len(result.opened),
        "alerts_closed": len(result.closed),
        "proposals": list(result.proposals),
        "took_s": round(result.seconds, 2),
    }


def _polled(engine: Any, result: Any, summary: dict[str, Any], output: Format, quiet: bool) -> Outcome:
    from inventory.store import labels, reading

    with reading(engine) as session:
        names = labels(session, "device")
    changes = [
        {"device": names.get(c.device_id, "?"), "before": c.before, "after": c.after, "reason": c.reason}
        for c in result.changes
    ]
    said = (
        f"Asked {_count(summary['asked'], 'device')} in {summary['took_s']:.1f} s:"
        f" {summary['up']} up, {summary['partial']} partial, {summary['silent']} silent,"
        f" {summary['refused']} refused, {summary['garbage']} garbage;"
        f" {_count(summary['changes'], 'state change')}, {_count(summary['alerts_opened'], 'alert')} opened,"
        f" {summary['alerts_closed']} closed."
    )
    if output is not Format.table:
        return Outcome([{**summary, "state_changes": changes}], single=True, format=output)
    notable = [c for c in changes if not (c["before"] == "not observed" and c["after"] == "up")]
    columns = [Column(k, k) for k in ("device", "before", "after", "reason")]
    messages = [] if quiet and not notable else [said]
    messages += _asked_about(result.proposals)
    return Outcome(notable or None, columns, messages=messages, style=_styles("before", "after"))


def _asked_about(proposals: Sequence[str]) -> list[str]:
    """Return the sentence on boxes that answered in another's place, if any did."""
    if not proposals:
        return []
    if len(proposals) == 1:
        return [f"1 box answers in another's place: see 'siaga proposal show {proposals[0]}'."]
    return [f"{len(proposals)} boxes answer in another's place: see 'siaga proposal list status=open'."]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


class _bar:  # noqa: N801 - used like a function
    """A progress bar on standard error, on a terminal only; `with _bar(n) as step` gives the callback."""

    def __init__(self, total: int, quiet: bool = False) -> None:
        self.total = total
        self.quiet = quiet
        self._progress: Any = None

    def __enter__(self) -> Callable[[Any], None] | None:
        import sys

        if self.quiet or not sys.stderr.isatty() or not self.total:
            return None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("polling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._progress.start()
        task = self._progress.add_task("polling", total=self.total)
        return lambda _seen: self._progress.advance(task)

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()


def status(
    selector: Selector = None,
    output: Output = Format.table,
    fields: Fields = "",
    all_: Annotated[bool, typer.Option("--all", "-a", help="Also the devices that are up.")] = False,
) -> Outcome:
    """Show the state of devices, worst first."""
    from inventory.select import joined, selected
    from inventory.store import open_engine, reading, rows
    from monitor.store import status_rows
    from siaga.settings import load

    with reading(open_engine(load())) as session:
        query = joined(selector or []) or "status=active and transport!=none"
        ids = selected(session, "device", query)
        found = status_rows(session, ids, rows(session, "device", ids))
    counts = {state: sum(r["state"] == state for r in found) for state in list(_STATE_STYLE)[:7]}
    worst = ("down", "flapping", "unreachable", "degraded", "not observed", "maintenance", "up")
    order = {s: i for i, s in enumerate(worst)}
    found.sort(key=lambda r: (order.get(r["state"], 9), r["name"]))
    shown = (
        found if all_ or selector or output is not Format.table else [r for r in found if r["state"] != "up"]
    )
    message = f"{_count(len(found), 'device')}{': ' if found else ''}" + ", ".join(
        f"{n} {state}" for state, n in counts.items() if n
    )
    return Outcome(
        shown if output is not Format.table else [_readable(r) for r in shown],
        _STATUS_COLUMNS,
        messages=[message + ("" if len(shown) == len(found) else ". With --all, every one is listed.")],
        format=output,
        fields=[f for f in fields.split(",") if f],
        style=_styles("state"),
    )


_STATUS_COLUMNS = [
    Column("state", "state"),
    Column("name", "name"),
    Column("role", "role"),
    Column("place", "place"),
    Column("since", "since"),
    Column("uptime_s", "uptime", right=True),
    Column("cpu_pct", "cpu %", right=True),
    Column("memory_pct", "mem %", right=True),
    Column("temperature_c", "°C", right=True),
    Column("reason", "reason"),
]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    from monitor.show import duration, percent
    from siaga.clock import shown

    return {
        **row,
        "since": shown(row["since"])[5:16].replace("T", " "),
        "uptime_s": duration(row["uptime_s"]),
        **{k: percent(row[k]) for k in ("cpu_pct", "memory_pct", "temperature_c")},
    }


def top(
    selector: Annotated[
        list[str] | None,
        typer.Argument(help="Which connections: agency.kind=rsud kecamatan=Mauk. Default: all."),
    ] = None,
    number: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many.")] = 10,
    since: Annotated[str, typer.Option("--since", help="The window: 30m, 2h, 7d.")] = "1h",
    links: Annotated[bool, typer.Option("--links", help="Links instead of connections.")] = False,
    output: Output = Format.table,
) -> Outcome:
    """Show the busiest connections, or links, with sparklines.

    The share is of what the contract commits, in the busier direction, at the last poll. Lines without a contract
    come after those with one, by rate.
    """
    from monitor.bandwidth import busiest
    from siaga.clock import utc_now
    from siaga.settings import load

    noun = "link" if links else "connection"
    rows = busiest(load(), selector or [], number=number, since=since, now=utc_now(), by=noun)
    columns = [
        Column(noun, noun),
        Column("agency", "agency", wide=True),
        Column("provider", "provider", wide=True),
        Column("in", "in", right=True),
        Column("in_trend", "trend"),
        Column("out", "out", right=True),
        Column("out_trend", "trend"),
        Column("committed", "contract", right=True),
        Column("used_pct", "used %", right=True),
        Column("samples", "points", wide=True, right=True),
    ]
    if output in (Format.table, Format.wide):
        rows = [_readable_top(r) for r in rows]
    messages = [] if rows else ["No rates yet: two polls are needed, so run 'siaga poll' again."]
    return Outcome(rows, columns, messages=messages, format=output)


def _readable_top(row: dict[str, Any]) -> dict[str, Any]:
    from monitor.show import percent, rate, sparkline

    return {
        **row,
        "in": rate(row["in_bps"]),
        "out": rate(row["out_bps"]),
        "in_trend": sparkline(row["in_series_bps"]),
        "out_trend": sparkline(row["out_series_bps"]),
        "committed": rate(row["committed_down_bps"]),
        "used_pct": percent(row["used_pct"]),
    }


def trust(
    device: Annotated[str, typer.Argument(help="The device's name.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> Outcome:
    """Accept the SSH host key a device shows now.

    For a key that has changed for a good reason: its fingerprint is shown and confirmed first.
    """
    from inventory.access import require
    from monitor.inspect import accept_host_key
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    return accept_host_key(settings, device, yes=yes)
