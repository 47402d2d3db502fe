"""`siaga metrics`: what siaga knows, for Prometheus and its kin. Nothing heavy is imported up here."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from monitor.commands import Output, Selector
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.out.push import Pushed
    from siaga.settings import Settings

_LEAST_AGE_S = 300
Age = Annotated[
    str,
    typer.Option(
        "--max-age",
        help="Nothing older is told: 90s, 10m. Default: five polls, at least 5m; of health two readings.",
    ),
]


class Shown(TyperGroup):
    """A group whose first command is meant where none is named: `siaga metrics role=router`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the first command in front of what names none."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(name="metrics", cls=Shown, help="Metrics for Prometheus: show, serve, push.")


@app.command("show")
def show(
    selector: Selector = None,
    text: Annotated[
        bool, typer.Option("--text", help="Prometheus' text format, without times, for a textfile collector.")
    ] = False,
    max_age: Age = "",
) -> Outcome:
    """Print what is known now, as OpenMetrics; 'show' may be left out.

    IF-MIB's names and labels are those of snmp_exporter. What is missing or too old is absent, never 0.

    Examples: siaga metrics · siaga metrics kecamatan=Mauk · siaga metrics --text > /var/lib/node_exporter/siaga.prom
    """
    from siaga.settings import load

    page = _pages(load(), selector or [], max_age, times=not text)
    return Outcome(text=page(not text))


def _pages(
    settings: "Settings", selector: "Sequence[str]", max_age: str, *, times: bool = True
) -> "Callable[[bool], str]":
    """Return what makes the page anew each time; its argument is whether it is OpenMetrics."""
    from inventory.store import open_engine
    from monitor.out.now import points
    from monitor.out.text import lines
    from siaga.clock import utc_now

    ages, engine = _ages(settings, max_age), open_engine(settings)

    def page(openmetrics: bool) -> str:
        found = points(engine, settings, selector, utc_now(), *ages)
        return "".join(lines(found, openmetrics=openmetrics, times=times))

    return page


def _ages(settings: "Settings", text: str) -> tuple[timedelta, timedelta]:
    """Return how old counters and states may be, and how old what is read with a device's health."""
    from monitor.bandwidth import window

    if text:
        return window(text), window(text)
    own = settings.monitor
    counters_s = max(_LEAST_AGE_S, 5 * settings.poll.interval_s)
    # One reading may be missed; the next one needs some time, too.
    health_s = 2.2 * max(own.health_s, own.ssh_s)
    return timedelta(seconds=counters_s), timedelta(seconds=max(counters_s, health_s))


@app.command("serve")
def serve(
    selector: Selector = None,
    listen: Annotated[str, typer.Option("--listen", help="Address and port.")] = "127.0.0.1:9117",
    max_age: Age = "",
    for_s: Annotated[float, typer.Option("--for", min=0, help="End after so many seconds.")] = 0,
) -> Outcome:
    """Serve /metrics over HTTP, for Prometheus to scrape. Read-only; Ctrl-C ends it.

    Whoever reaches the port can read names, aliases and states of the network: keep it on the loopback, or behind
    a proxy that asks who it is.

    Example: siaga metrics serve --listen 127.0.0.1:9117
    """
    import asyncio

    from siaga.settings import load

    settings = load()
    host, port = _where(listen)
    page = _pages(settings, selector or [], max_age)
    page(True)  # what is wrong is said now, and not at each scrape
    asyncio.run(_serving(page, (host, port), for_s))
    return Outcome(messages=["Ended."])


def _where(listen: str) -> tuple[str, int]:
    from ipaddress import ip_address

    from siaga.errors import UsageError
    from siaga.text import safe

    host, _, port = listen.rpartition(":")
    try:
        address = ip_address(host.strip("[]"))
        if not (port.isascii() and port.isdigit() and int(port) < 65_536):
            raise ValueError(port)
    except ValueError:
        sentence = f"'{safe(listen, 80)}' is no address and port: write 127.0.0.1:9117 or [::1]:9117."
        raise UsageError("bad-address", sentence) from None
    return str(address), int(port)


async def _serving(page: "Callable[[bool], str]", where: tuple[str, int], for_s: float) -> None:
    import asyncio
    import signal
    import sys
    from contextlib import suppress

    from monitor.out.serve import listening
    from siaga.errors import UsageError

    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)

    try:
        async with listening(page, *where) as port:
            sys.stderr.write(f"Serving http://{where[0]}:{port}/metrics\n")
            sys.stderr.flush()
            with suppress(TimeoutError):
                async with asyncio.timeout(for_s or None):
                    await ended.wait()
    except OSError as error:
        raise UsageError(
            "cannot-listen", f"{where[0]} port {where[1]} cannot be listened at: {error.strerror}."
        ) from None


@app.command("push")
def push(
    name: Annotated[str, typer.Argument(help="Only this [[remote_write]] of the settings.")] = "",
    since: Annotated[
        str, typer.Option("--since", help="Send (again) what was stored since: 2h, 7d, 2026-11-01.")
    ] = "",
    at_once: Annotated[
        bool, typer.Option("--now", help="Do not wait for the rest after a failure to end.")
    ] = False,
    output: Output = Format.table,
) -> Outcome:
    """Send what arrived since the last time to Prometheus, VictoriaMetrics, Mimir or Thanos; for cron, each minute.

    The store itself is the queue: an outage costs nothing as long as raw samples are kept. A new destination begins
    with what arrives from now on, or with --since. Exit code 7 when one could not take it.

    Example: * * * * * siaga metrics push -o jsonl
    """
    from inventory.access import require
    from inventory.store import open_engine
    from monitor.out.push import push_all
    from siaga.clock import moment, utc_now
    from siaga.errors import NotFoundError
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    chosen = [d for d in settings.remote_write if name in ("", d.name)]
    if name and not chosen:
        raise NotFoundError("no-destination", f"There is no [[remote_write]] called '{name}' in siaga.toml.")
    start = moment(since, utc_now(), settings.timezone) if since else None
    engine = open_engine(settings)
    found = push_all(engine, settings, chosen, utc_now, since=start, at_once=at_once)
    return _pushed(found, output)


def _pushed(found: "Sequence[Pushed]", output: Format) -> Outcome:
    rows, said = [], [] if found else ["There is no [[remote_write]] in siaga.toml."]
    for one in found:
        rows.append(
            {
                "destination": one.name,
                "samples": one.samples,
                "facts": one.facts,
                "dropped": one.dropped,
                "rests_s": round(one.rests_s),
                "error": one.error,
            }
        )
        said += [f"{one.name} refused {left.what}: {left.why}." for left in one.left]
        said += [f"Damaged, and not sent: {damage}." for damage in one.damage]
    columns = [Column("destination", "destination")]
    columns += [Column(k, k, right=True) for k in ("samples", "facts", "dropped", "rests_s")]
    columns.append(Column("error", "error"))
    failed = any(one.error or one.left or one.damage for one in found)
    return Outcome(rows, columns, messages=said, exit_code=7 if failed else 0, format=output)
