"""`siaga check`: one line on the state of devices, for cron and Nagios. Nothing heavy is imported up here."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.commands import Selector, chosen
from siaga.outcome import Outcome
from siaga.who import who

if TYPE_CHECKING:
    from monitor.checking import Result


def check(
    selector: Selector = None,
    nagios: Annotated[
        bool, typer.Option("--nagios", help="One line with performance data; exit code 0 to 3.")
    ] = False,
    max_age_s: Annotated[
        float, typer.Option("--max-age", min=1, help="Seconds after which a state is not believed any more.")
    ] = 300.0,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0, help="End after so many seconds; 0: never.")
    ] = 0.0,
    jitter_s: Annotated[
        float,
        typer.Option("--jitter", min=0, max=3600, help="Begin at a random time within so many seconds."),
    ] = 0.0,
    lock: Annotated[
        bool, typer.Option("--lock", help="One check at a time: a second one ends at once with 75.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing when all is well.")] = False,
) -> Outcome:
    """Say in one line how devices are; exit code 6 when something is wrong.

    While the service runs ('siaga monitor run') its states and alerts are read; without it, devices whose state is
    older than --max-age are asked now, once, and the answers kept.

    Examples: siaga check role=core-router --nagios · */5 * * * * siaga check --lock --quiet --jitter 30 --timeout 240
    """
    from siaga.errors import SiagaError

    try:
        with ExitStack() as stack:
            stack.enter_context(_within(timeout_s))
            _wait(jitter_s)
            if lock:
                _lock(stack)
            found = _result(selector or [], max_age_s)
    except SiagaError as error:
        if not nagios:
            raise
        from siaga.text import safe

        return Outcome(text=f"SIAGA UNKNOWN - {safe(str(error).replace('|', '/'), 500)}", exit_code=3)
    if nagios:
        line, code = found.nagios
        return Outcome(text=line, exit_code=code)
    well = found.verdict == "ok"
    return Outcome(
        text=None if well and quiet else f"{found.verdict}: {found.text}", exit_code=0 if well else 6
    )


@contextmanager
def _within(timeout_s: float) -> Iterator[None]:
    """Raise TemporaryError (`check-timeout`) when the time is over, whatever is being waited for."""
    import signal

    from siaga.errors import TemporaryError

    def over(*_: object) -> None:
        raise TemporaryError("check-timeout", f"The check was not done within {timeout_s:g} s.")

    if not timeout_s:
        yield
        return
    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _wait(jitter_s: float) -> None:
    """Spread what a crontab would begin everywhere in the same second."""
    import random
    import time

    if jitter_s:
        time.sleep(random.uniform(0, jitter_s))  # noqa: S311 - nothing secret


def _lock(stack: ExitStack) -> None:
    from monitor.instance import only
    from siaga.settings import load

    stack.enter_context(only(load().home, "check.lock"))


def _result(selector: Sequence[str], max_age_s: float) -> "Result":
    from inventory.access import require
    from inventory.store import open_engine
    from monitor.checking import result
    from monitor.checking_store import alerts_of, held
    from monitor.instance import running
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "viewer")
    engine = open_engine(settings)
    ids = chosen(engine, selector or ["status=active", "transport!=none"])
    if not running(settings.home):
        _ask(settings, engine, ids, max_age_s)
    return result(held(engine, ids), alerts_of(engine, ids), utc_now(), max_age_s)


def _ask(settings: Any, engine: Any, ids: Sequence[int], max_age_s: float) -> None:
    """Ask those of whom nothing is known that is fresh."""
    from datetime import timedelta

    from inventory.access import require
    from inventory.runs import recorded
    from monitor.checking_store import stale
    from monitor.poller import poll
    from siaga.clock import utc_now

    old = stale(engine, ids, utc_now() - timedelta(seconds=max_age_s))
    if not old:
        return
    require(who(), settings.access, "operator")
    summary: dict[str, Any] = {}
    with recorded(engine, "check", who=who(), summary=summary) as run_id:
        done = poll(engine, settings, old, run_id=run_id, now=utc_now, full=False)
        summary["asked"] = len(done.observations)
