"""`siaga metrics`: what siaga knows, for Prometheus and its kin. Nothing heavy is imported up here."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from monitor.commands import Selector
from siaga.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from siaga.settings import Settings

_LEAST_AGE_S = 300
Age = Annotated[
    str, typer.Option("--max-age", help="Nothing older is told: 90s, 10m. Default: five polls, at least 5m.")
]


class Shown(TyperGroup):
    """A group whose first command is meant where none is named: `siaga metrics role=router`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the first command in front of what names none."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(name="metrics", cls=Shown, help="Metrics for Prometheus: print, serve, push.")


@app.command("show")
def show(
    selector: Selector = None,
    text: Annotated[
        bool, typer.Option("--text", help="Prometheus' text format 0.0.4 in place of OpenMetrics.")
    ] = False,
    max_age: Age = "",
) -> Outcome:
    """Print what is known now, as OpenMetrics; 'show' may be left out.

    IF-MIB's names and labels are those of snmp_exporter. What is missing or too old is absent, never 0.

    Examples: siaga metrics · siaga metrics kecamatan=Mauk · siaga metrics --text > /var/lib/node_exporter/siaga.prom
    """
    from siaga.settings import load

    page = _pages(load(), selector or [], max_age)
    return Outcome(text=page(not text))


def _pages(settings: "Settings", selector: "Sequence[str]", max_age: str) -> "Callable[[bool], str]":
    """Return what makes the page anew each time; its argument is whether it is OpenMetrics."""
    from inventory.store import open_engine
    from monitor.out.now import points
    from monitor.out.text import lines
    from siaga.clock import utc_now

    age, engine = _age(settings, max_age), open_engine(settings)

    def page(openmetrics: bool) -> str:
        return "".join(lines(points(engine, settings, selector, utc_now(), age), openmetrics=openmetrics))

    return page


def _age(settings: "Settings", text: str) -> timedelta:
    from monitor.bandwidth import window

    return window(text) if text else timedelta(seconds=max(_LEAST_AGE_S, 5 * settings.poll.interval_s))


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
