"""`siaga samples`: what was measured, whether it is whole, and the way out. Nothing heavy is imported up here."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.commands import Output, Selector, chosen
from siaga.errors import SiagaError
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from siaga.settings import Settings

app = typer.Typer(
    name="samples", help="What was measured: show, export, check, compact.", no_args_is_help=True
)
Since = Annotated[
    str, typer.Option("--since", help="From when on: 30m, 2h, 7d before the end, or 2026-11-01.")
]
Until = Annotated[str, typer.Option("--until", help="Until when: 2h ago, or 2026-11-01; default: now.")]
_TABLES = (Format.table, Format.wide, Format.md)


@app.command("show")
def show(
    device: Annotated[str, typer.Argument(help="The device's name.")],
    metric: Annotated[
        str, typer.Argument(help="Only this metric, or metric:instance: cpu, in_octets, in_octets:ether1.")
    ] = "",
    since: Since = "2h",
    until: Until = "",
    output: Output = Format.table,
) -> Outcome:
    """Show the series of a device.

    Counters are shown as rates, octets in bits per second; a gap is a gap. With a metric, -o json and -o csv give
    every point.
    """
    from monitor.samples import open_samples
    from monitor.samples_view import rows
    from siaga.errors import NotFoundError
    from siaga.settings import load

    settings = load()
    ids = chosen(_engine(settings), [f"name={device}"])
    start, end = _window(settings, since, until)
    with open_samples(settings.home) as store:
        names = {n for n in store.names(start, end).get(ids[0], set()) if _meant(n, metric)}
        if metric and not names:
            raise NotFoundError(
                "no-such-metric", f"Nothing called '{metric}' was measured of {device} in this time."
            )
        if metric and output not in _TABLES:
            return _points(store, device, ids[0], names, (start, end), output)
        found = rows(store, ids[0], names, start, end)
    return _table(found, output)


def _meant(name: tuple[str, str], metric: str) -> bool:
    wanted, _, instance = metric.partition(":")
    return not metric or (
        name[0].removesuffix("_64") == wanted.removesuffix("_64") and instance in ("", name[1])
    )


def _points(
    store: Any,
    device: str,
    device_id: int,
    names: set[tuple[str, str]],
    window: tuple[datetime, datetime],
    output: Format,
) -> Outcome:
    from monitor.samples_view import shown, unit

    found = [
        {"device": device, "metric": m, "instance": i, "at": at, "value": value, "unit": unit(m)}
        for m, i in sorted(names)
        for at, value in shown(store, (device_id, m, i), *window)
    ]
    return Outcome(found, format=output)


def _table(found: list[dict[str, Any]], output: Format) -> Outcome:
    from monitor.show import sparkline

    if output in _TABLES:
        found = [
            {**row, "trend": sparkline([max(0.0, v) for v in row["values"]]), **_rounded(row)}
            for row in found
        ]
    else:
        found = [{k: v for k, v in row.items() if k != "values"} for row in found]
    columns = [Column("metric", "metric"), Column("instance", "instance"), Column("last", "last", right=True)]
    columns += [Column("unit", "unit"), Column("trend", "trend"), Column("at", "at")]
    columns += [Column(k, k, wide=True, right=True) for k in ("least", "greatest", "points")]
    messages = [] if found else ["Nothing was measured in this time: see 'siaga poll', or a longer --since."]
    return Outcome(found, columns, messages=messages, format=output)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    from monitor.show import rate
    from siaga.clock import shown

    numbers = ("last", "least", "greatest")
    if row["unit"] == "bps":
        return {**{k: rate(row[k]) for k in numbers}, "unit": "", "at": shown(row["at"])}
    return {**{k: f"{row[k]:.4g}" for k in numbers}, "at": shown(row["at"])}


@app.command("export")
def export(
    parquet: Annotated[
        Path, typer.Option("--parquet", help="A file, or a folder: then one file for each UTC day.")
    ],
    selector: Selector = None,
    since: Since = "1d",
    until: Until = "",
) -> Outcome:
    """Write raw values as Parquet, for DuckDB, Spark, ClickHouse.

    One row a value: device (its number in the inventory), metric, instance, at (UTC), value. Needs the extra 'parquet'.

    Example: siaga samples export --parquet nov/ --since 2026-11-01 role=router
    """
    from monitor.samples import open_samples
    from monitor.samples_view import export as write
    from siaga.settings import load

    settings = load()
    devices = chosen(_engine(settings), selector) if selector else None
    start, end = _window(settings, since, until)
    rows = []
    with open_samples(settings.home) as store:
        begins = store.begins()
        if begins is None or begins > end:
            return Outcome(messages=["Nothing was measured in this time: no file is written."])
        for path, first, last in _files(parquet, max(start, begins), end):
            rows.append({"file": str(path), "samples": write(store, path, devices, first, last)})
    columns = [Column("file", "file"), Column("samples", "samples", right=True)]
    return Outcome(rows, columns)


def _files(target: Path, start: datetime, end: datetime) -> list[tuple[Path, datetime, datetime]]:
    """Return (file, from, to) of an export; both ends belong to it, as everywhere in the store."""
    if not target.is_dir() and target.suffix:
        return [(target, start, end)]
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sentence = f"The folder {target} cannot be made: {error.strerror}."
        raise SiagaError("export-failed", sentence) from None
    files = []
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= end:
        following = day + timedelta(days=1)
        last = min(end, following - timedelta(milliseconds=1))
        files.append((target / f"{day:%Y-%m-%d}.parquet", max(start, day), last))
        day = following
    return files


@app.command("check")
def check(output: Output = Format.table) -> Outcome:
    """Look whether every sample that was stored can be read.

    Reads every file once and changes nothing. Exit code 6 when something is damaged; each row says where.
    """
    from monitor.tsdb.check import check as look
    from siaga.clock import shown
    from siaga.settings import load

    found = look(load().home / "tsdb")
    rows = [
        {
            "file": str(d.file),
            "device": d.device if d.device >= 0 else None,
            "from": shown(_time(d.at_ms)),
            "reason": d.reason,
        }
        for d in found.damage
    ]
    said = [f"{found.files} files, {found.blocks} blocks, {found.bytes / 1e6:.1f} MB were read."]
    said += [f"Left by a compaction that was cut off, and harmless: {p}." for p in found.leftovers]
    said += [] if rows else ["The samples are whole."]
    columns = [Column(k, k) for k in ("file", "device", "from", "reason")]
    tables = output in _TABLES
    return Outcome(
        rows or (None if tables else []), columns, messages=said, exit_code=6 if rows else 0, format=output
    )


@app.command("compact")
def compact(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.")] = False,
) -> Outcome:
    """Bring finished days into their files, and remove what is older than the settings say.

    For cron, once a day after 02:00 UTC; the monitor may go on writing meanwhile. What is there already is merged.
    """
    from inventory.access import require
    from monitor.samples import open_samples
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    with open_samples(settings.home) as store:
        done = store.compact(utc_now(), settings.samples.kept_days, wait_s=1)
    said = [f"Damaged, and left where it is: {d}." for d in done.damage]
    if not quiet:
        days = f"{len(done.days)} days" if len(done.days) != 1 else "1 day"
        said.append(
            f"Brought {days} into files ({done.devices} device-days), removed {len(done.removed)} files."
        )
    return Outcome(messages=said, exit_code=6 if done.damage else 0)


def _engine(settings: "Settings") -> Any:
    from inventory.store import open_engine

    return open_engine(settings)


def _window(settings: "Settings", since: str, until: str) -> tuple[datetime, datetime]:
    from siaga.clock import span, utc_now

    return span(since, until, utc_now(), settings.timezone)


def _time(at_ms: int) -> datetime:
    from monitor.samples import time_of

    return time_of(at_ms)
