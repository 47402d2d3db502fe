"""`siaga bandwidth` and `siaga availability`: figures an invoice can rest on. Nothing heavy is imported up here."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import Output
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.availability import Row
    from monitor.bandwidth import Usage
    from monitor.usage import Load

Lines = Annotated[
    list[str] | None,
    typer.Argument(help="Which connections (links with --by link): kecamatan=Mauk. Default: all."),
]
Since = Annotated[str, typer.Option("--since", help="From when on: 24h, 30d before the end, or 2026-10-01.")]
Until = Annotated[str, typer.Option("--until", help="Until when: 2h ago, or 2026-11-01; default: now.")]
_TABLES = (Format.table, Format.wide, Format.md)
_WIDTH = 72  # columns of a plot


class LineGroup(StrEnum):
    """What lines are put together by."""

    link = "link"
    connection = "connection"
    agency = "agency"
    kecamatan = "kecamatan"
    provider = "provider"


class Group(StrEnum):
    """What availability is told by."""

    device = "device"
    link = "link"
    connection = "connection"
    agency = "agency"
    kecamatan = "kecamatan"
    provider = "provider"


def bandwidth(
    selector: Lines = None,
    by: Annotated[LineGroup, typer.Option("--by", help="One row for each of these.")] = LineGroup.connection,
    since: Since = "24h",
    until: Until = "",
    plot: Annotated[bool, typer.Option("--plot", help="Draw one line over the time.")] = False,
    bins: Annotated[bool, typer.Option("--bins", help="Every 5 minutes of one line.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The same as -o csv.")] = False,
    output: Output = Format.table,
) -> Outcome:
    """Show what lines carry: now, 95th percentile, peak, mean, against the contract.

    All but 'now' is of 5-minute bins of sound counter increments; a gap is no zero, and 'seen %' says how much of the
    time was measured. A group counts the bins in which all its lines are known.

    Example: siaga bandwidth --by kecamatan --since 2026-10-01 --until 2026-11-01
    """
    from inventory.store import open_engine, reading
    from monitor.bandwidth import usages
    from monitor.samples import open_samples
    from siaga.clock import span as span_of
    from siaga.clock import utc_now
    from siaga.settings import load

    settings, output = load(), Format.csv if csv else output
    now = utc_now()
    span = span_of(since, until, now, settings.timezone)
    points = _WIDTH if plot else 12
    with reading(open_engine(settings)) as session, open_samples(settings.home) as samples:
        fresh_s = max(300.0, 3.0 * settings.poll.interval_s)
        found = usages(
            session, samples, by.value, selector or [], span, fresh_s=fresh_s, points=points, now=now
        )
        if bins:
            return _bins(samples, found, span, output)
    if plot:
        return _plot(_only(found), span, settings.timezone)
    return _headed(_usages(found, output), *span, settings.timezone)


def _headed(rows: Outcome, start: datetime, end: datetime, zone: str) -> Outcome:
    """Return the rows with a sentence that says of which time they are."""
    from siaga.clock import shown

    return replace(rows, messages=[f"From {shown(start, zone)} to {shown(end, zone)}.", *rows.messages])


def _only(found: "Sequence[Usage]") -> "Usage":
    from siaga.errors import UsageError

    if len(found) != 1:
        sentence = f"One line is drawn or listed at a time, and {len(found)} are selected: name one."
        raise UsageError("not-one-line", sentence)
    return found[0]


def _bins(samples: Any, found: "Sequence[Usage]", span: tuple[datetime, datetime], output: Format) -> Outcome:
    from monitor.bandwidth import bins_of
    from monitor.show import rate

    one = _only(found)
    if len(one.lines) != 1:
        one = _only([])
    rows = bins_of(samples, one.lines[0], *span)
    if output in _TABLES:
        rows = [{**r, **{k: rate(r[k]) for k in ("down_bps", "up_bps")}} for r in rows]
    columns = [Column("at", "at"), Column("down_bps", "down", right=True), Column("up_bps", "up", right=True)]
    return Outcome(rows, columns, format=output)


def _plot(one: "Usage", span: tuple[datetime, datetime], zone: str) -> Outcome:
    from monitor.plot import axis, plot
    from monitor.show import percent, rate

    promised = one.promised
    lines, wide = list[str](), 1
    for way, load, mark in (("down", one.down, promised[0]), ("up", one.up, promised[1])):
        title = (
            f"{one.name} {way}: p95 {rate(load.p95_bps)}, peak {rate(load.peak_bps)},"
            f" contract {rate(mark)}, seen {percent(100 * load.observed)} %"
        )
        wide = max(1, _WIDTH // len(load.trend))
        lines += plot([v for v in load.trend for _ in range(wide)], title, mark=mark)
    return Outcome(text="\n".join([*lines, axis(*span, wide * len(load.trend), zone)]))


def _usages(found: "Sequence[Usage]", output: Format) -> Outcome:
    titles = (("now", "now"), ("p95", "p95"), ("peak", "peak"), ("mean", "mean"))
    columns = [Column("name", "name"), Column("lines", "lines", wide=True, right=True)]
    for way, sign in (("down", "↓"), ("up", "↑")):
        columns += [Column(f"{way}_{k}_bps", f"{sign} {t}", right=True, wide=k == "mean") for k, t in titles]
        columns.append(Column(f"{way}_trend_bps", "trend"))
    columns += [
        Column("committed_down_bps", "contract", right=True),
        Column("used_pct", "used %", right=True),
        Column("observed_pct", "seen %", right=True),
    ]
    rows = [_usage_row(u, output) for u in found]
    dark = sum(u.measured < len(u.lines) for u in found)
    messages = (
        [f"{dark} of {len(found)} rows have lines that were not measured in this time."] if dark else []
    )
    if not found:
        messages = ["No line is recorded here: see 'siaga connection list'."]
    return Outcome(rows, columns, messages=messages, format=output)


def _usage_row(one: "Usage", output: Format) -> dict[str, Any]:
    from monitor.show import percent, rate, sparkline

    row: dict[str, Any] = {"name": one.name, "lines": len(one.lines), "measured_lines": one.measured}
    row |= _way("down", one.down, one.now_down_bps) | _way("up", one.up, one.now_up_bps)
    row["committed_down_bps"], row["committed_up_bps"] = one.promised
    row["used_pct"] = one.used_pct
    row["observed_pct"] = 100 * max(one.down.observed, one.up.observed)
    if output in _TABLES:
        row |= {k: rate(v) for k, v in row.items() if k.endswith("_bps") and not isinstance(v, list)}
        row |= {k: sparkline(v) for k, v in row.items() if isinstance(v, list)}
        row |= {k: percent(row[k]) for k in ("used_pct", "observed_pct")}
    elif output is Format.csv:
        row = {k: v for k, v in row.items() if not isinstance(v, list)}
    return row


def _way(way: str, load: "Load", now_bps: float | None) -> dict[str, Any]:
    return {
        f"{way}_now_bps": now_bps,
        f"{way}_p95_bps": load.p95_bps,
        f"{way}_peak_bps": load.peak_bps,
        f"{way}_mean_bps": load.mean_bps,
        f"{way}_bins": load.bins,
        f"{way}_trend_bps": list(load.trend),
    }


def availability(
    selector: Annotated[
        list[str] | None,
        typer.Argument(
            help="Which devices; links with --by link, connections with the others: agency.kind=rsud."
        ),
    ] = None,
    by: Annotated[Group, typer.Option("--by", help="One row for each of these.")] = Group.connection,
    since: Since = "30d",
    until: Until = "",
    output: Output = Format.table,
) -> Outcome:
    """Show how long things were up, down, unreachable, in maintenance, and not observed.

    The parts add up to the whole time. What users met counts maintenance and everything else that kept them off; SLA
    counts neither maintenance nor outages by power, device or plan. Time that nobody looked is in no percentage.

    Example: siaga availability --by agency --since 2026-10-01 --until 2026-11-01
    """
    from inventory.store import open_engine, reading
    from monitor.availability import availability as measured
    from monitor.availability import window
    from monitor.samples import open_samples
    from siaga.clock import span as span_of
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    span = window(settings, *span_of(since, until, utc_now(), settings.timezone))
    with reading(open_engine(settings)) as session, open_samples(settings.home) as samples:
        found, mute = measured(session, samples, by.value, selector or [], span)
    return _headed(_availabilities(found, mute, by, output), span.start, span.end, settings.timezone)


def _availabilities(found: "Sequence[Row]", mute: int, by: Group, output: Format) -> Outcome:
    from monitor.show import duration
    from monitor.uptimes import added

    shares = (("users_pct", "users %"), ("sla_pct", "SLA %"), ("coverage_pct", "seen %"))
    columns = [Column("name", "name"), Column("lines", "lines", wide=True, right=True)]
    columns += [Column(k, t, right=True) for k, t in shares]
    columns += [Column(f"{k}_s", k.replace("_", " "), right=True) for k in _PARTS]
    columns += [
        Column("window_s", "of", right=True),
        Column("met_s", "users: of", wide=True, right=True),
        Column("sla_s", "SLA: of", wide=True, right=True),
        Column("excused_s", "excused", wide=True, right=True),
    ]
    rows = [_availability_row(r, output) for r in found]
    messages = []
    if not found:
        own = by if by in (Group.device, Group.link) else Group.connection
        messages.append(f"Nothing is recorded here that could be measured: see 'siaga {own.value} list'.")
    if mute:
        messages.append(f"{mute} lines have no device that could tell of them, and are left out.")
    if (whole := added(r.parts for r in found)) is not None:
        messages.append(
            f"Of {duration(whole.total_s)} ({len(found)} {by.value} rows) {duration(whole.met_s)} are the"
            f" denominator of what users met, {duration(whole.sla_s)} that of SLA."
        )
    return Outcome(rows, columns, messages=messages, format=output)


_PARTS = ("up", "down", "unreachable", "maintenance", "unobserved")


def _availability_row(one: "Row", output: Format) -> dict[str, Any]:
    from monitor.show import duration
    from monitor.uptimes import Kind

    p = one.parts
    row: dict[str, Any] = {
        "name": one.name,
        "lines": one.lines,
        "users_pct": p.users_pct,
        "sla_pct": p.sla_pct,
        "coverage_pct": p.coverage_pct,
        "up_s": p.of(Kind.up),
        "down_s": p.of(Kind.down, Kind.excused),
        "unreachable_s": p.of(Kind.unreachable),
        "maintenance_s": p.maintenance_s,
        "unobserved_s": p.of(Kind.unobserved),
    }
    if output not in _TABLES:
        row |= {f"{k}_pct": 100 * row[f"{k}_s"] / p.total_s for k in _PARTS}
    row |= {"window_s": p.total_s, "met_s": p.met_s, "sla_s": p.sla_s, "excused_s": p.of(Kind.excused)}
    row |= {"maintenance_up_s": p.of(Kind.maintained_up), "maintenance_down_s": p.of(Kind.maintained_down)}
    if output in _TABLES:
        row |= {k: duration(v) if v else "-" for k, v in row.items() if k.endswith("_s")}
        row |= {k: share(row[k]) for k in ("users_pct", "sla_pct", "coverage_pct")}
    return row


def share(pct: float | None) -> str:
    """Return a percentage with three decimals, never rounded up to all; nothing known is a dash."""
    if pct is None:
        return "-"
    return "100" if pct == 100 else f"{min(pct, 99.999):.3f}"
