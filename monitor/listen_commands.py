"""`siaga listen`: receives traps and syslog in the foreground. Nothing heavy is imported up here."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any

import typer

from siaga.outcome import Outcome

KEEP_EVERY_S = 60.0


def listen(
    trap_port: Annotated[
        int | None, typer.Option("--trap-port", min=0, max=65535, help="UDP port of traps; 0: none.")
    ] = None,
    syslog_port: Annotated[
        int | None,
        typer.Option("--syslog-port", min=0, max=65535, help="UDP and TCP port of syslog; 0: none."),
    ] = None,
    address: Annotated[
        list[str] | None, typer.Option("--address", help="Of this machine; again for more. Default: all.")
    ] = None,
    events: Annotated[int, typer.Option("--events", "-n", min=0, help="End after so many events.")] = 0,
    for_s: Annotated[float, typer.Option("--for", min=0, help="End after so many seconds.")] = 0,
) -> Outcome:
    """Receive SNMP traps, informs and syslog, and print what they tell: one JSON object a line.

    Traps are taken with the credentials that [listen] of the settings names; anybody's syslog is. A message makes no
    state: "wish" says what it makes desirable, a poll or a backup, which the monitor does. Ctrl-C ends it.

    Examples: siaga listen · siaga listen --trap-port 10162 --syslog-port 10514 --for 60
    """
    import asyncio

    from siaga.settings import load

    settings = load()
    chosen = _chosen(settings.listen, trap_port, syslog_port, address or [])
    tally = asyncio.run(_run(settings, chosen, events, for_s))
    counts = ", ".join(f"{name} {n}" for name, n in sorted(tally.items()))
    return Outcome(messages=[f"Received: {counts or 'nothing'}."])


async def _run(settings: Any, chosen: Any, most: int, for_s: float) -> Mapping[str, int]:
    """Receive until enough has come, the time is over, or a signal; what must outlive it is kept now and then."""
    import asyncio
    import signal

    from inventory.access import require
    from inventory.store import open_engine
    from monitor.listen.ready import ready
    from monitor.listen.sockets import opened
    from siaga.who import who

    require(who(), settings.access, "operator")
    ended = asyncio.Event()
    out = _Out(most, ended.set)
    receiver = ready(open_engine(settings), settings, chosen, out.event, out.wish)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    until = loop.time() + for_s if for_s else None
    async with opened(receiver, chosen) as ports:
        _say(f"Listening: traps on port {ports.trap}, syslog on {ports.syslog} and {ports.syslog_tcp} (TCP).")
        while not ended.is_set() and (until is None or loop.time() < until):
            wait_s = KEEP_EVERY_S if until is None else min(KEEP_EVERY_S, until - loop.time())
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await ended.wait()
            receiver.keep()
    return receiver.tally


def _say(sentence: str) -> None:
    import sys

    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


class _Out:
    """Prints events and wishes; tells when enough were, or when nobody reads them any more."""

    def __init__(self, most: int, enough: Callable[[], None]) -> None:
        self._most, self._enough = most, enough
        self._count = 0

    def event(self, event: Any) -> None:
        from monitor.listen.event import event_json

        self._print(event_json(event))
        self._count += 1
        if self._count == self._most:
            self._enough()

    def wish(self, wish: Any) -> None:
        from monitor.listen.event import wish_json

        self._print(wish_json(wish))

    def _print(self, row: Mapping[str, Any]) -> None:
        import json
        import sys

        try:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self._enough()


def _chosen(given: Any, trap_port: int | None, syslog_port: int | None, addresses: list[str]) -> Any:
    from pydantic import ValidationError

    from siaga.errors import UsageError
    from siaga.settings import Listen

    changes: dict[str, Any] = {}
    if trap_port is not None:
        changes["trap_port"] = trap_port
    if syslog_port is not None:
        changes |= {"syslog_port": syslog_port, "syslog_tcp_port": syslog_port}
    if addresses:
        changes["addresses"] = addresses
    try:
        return Listen.model_validate({**given.model_dump(), **changes})
    except ValidationError:
        raise UsageError(
            "bad-address", "--address is an address of this machine, such as 10.1.1.5."
        ) from None
