"""The commands on telling: routes, what was told to whom, one pass over the outbox, and the buttons of a chat."""

from typing import Annotated, Any

import typer

from inventory.options import Fields, Output, split
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

app = typer.Typer(
    name="notify", help="Who is told of alerts ([[routes]] in siaga.toml).", no_args_is_help=True
)
RouteName = Annotated[str, typer.Argument(help="The route's name.")]
_STYLE = {("result", "refused"): "bold red", ("result", "retry"): "yellow", ("result", "sent"): "green"}


@app.command("routes")
def routes(output: Output = Format.table) -> Outcome:
    """List the routes, with what waits on each; the default route is always there."""
    from inventory.store import open_engine, reading
    from monitor.notify.outfit import channel_of
    from monitor.notify.queue import waiting
    from monitor.notify.routes import all_routes
    from siaga.errors import InvalidError
    from siaga.settings import load

    settings = load()
    with reading(open_engine(settings)) as session:
        rows = waiting(session)
    found = [
        {
            "name": r.name,
            "channel": r.channel,
            "to": " ".join(r.to),
            "severities": " ".join(r.severities),
            "when": r.when,
            "after_s": r.after_s,
            "waiting": sum(n.route == r.name and n.status == "waiting" for n in rows),
            "failed": sum(n.route == r.name and n.status == "failed" for n in rows),
        }
        for r in all_routes(settings.routes).values()
    ]
    columns = [Column(k, k) for k in ("name", "channel", "to", "severities", "when")]
    columns += [Column(k, k, right=True) for k in ("after_s", "waiting", "failed")]
    messages = []
    for route in all_routes(settings.routes).values():
        try:
            channel_of(route)
        except InvalidError as error:
            messages.append(error.sentence)
    return Outcome(found, columns, messages=messages, format=output)


@app.command("list")
def deliveries(
    route: Annotated[str, typer.Option("--route", help="Only of this route.")] = "",
    number: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many, the newest first.")] = 50,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List what was told: when, to whom, by what, with what result."""
    from inventory.store import open_engine, reading
    from monitor.notify import queue
    from siaga.settings import load

    with reading(open_engine(load())) as session:
        rows = [d.model_dump() for d in queue.deliveries(session, route=route, limit=number)]
        left = [n for n in queue.waiting(session) if n.status == "waiting" and route in ("", n.route)]
    columns = [Column(k, k) for k in ("at", "route", "channel", "receiver", "result", "detail")]
    columns += [Column(k, k, wide=True) for k in ("notifications", "took_s")]
    said = [f"{len(left)} wait to be told."] if left else []
    hint = [] if rows else ["Nothing was told yet."]
    return Outcome(rows, columns, [*hint, *said], format=output, fields=split(fields), style=_STYLE)


@app.command("run")
def run(
    output: Output = Format.table,
    buttons: Annotated[
        bool, typer.Option("--buttons", help="Then take the buttons pressed in Telegram.")
    ] = False,
) -> Outcome:
    """Tell what is due now; for cron or a timer, each minute.

    Exit code 7 when something could not be told: it stays in the outbox and is tried again, later each time.

    Example: siaga notify run
    """
    from inventory.access import require
    from inventory.store import open_engine
    from monitor.notify.worker import run_once
    from siaga.errors import PartialError
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    engine = open_engine(settings)
    done = run_once(engine, settings)
    heard, unheard = _buttons(engine, settings) if buttons else (0, [])
    wrong = [d for d in done if d.status != "sent"]
    problems = [
        f"route '{d.route}': {d.notifications} not told, {d.status}: {d.why}" for d in wrong
    ] + unheard
    if problems:
        raise PartialError(
            "not-told", f"Told {len(done) - len(wrong)} letters; not all could be told.", problems
        )
    rows = [vars(d) for d in done]
    said = [f"Told {len(done)} letters."] if done else []
    said += [f"{heard} buttons were pressed."] if heard else []
    return Outcome(
        rows or None, [Column(k, k) for k in ("route", "notifications", "status")], said, format=output
    )


def _buttons(engine: Any, settings: Any) -> tuple[int, list[str]]:
    """Return how many buttons were pressed, and which bots cannot be asked."""
    from monitor.notify.buttons import listen
    from siaga.errors import SiagaError

    heard, wrong = 0, []
    for route in settings.routes:
        if route.channel == "telegram":
            try:
                heard += listen(engine, settings, route.name, 0)
            except SiagaError as error:
                wrong.append(error.sentence)
    return heard, wrong


@app.command("test")
def test(route: RouteName) -> Outcome:
    """Send one message that says it is a test, now, and say what came of it.

    Example: siaga notify test noc
    """
    from inventory.access import require
    from inventory.store import open_engine
    from monitor.notify.testing import send_test
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    told = send_test(open_engine(settings), settings, route, who(), utc_now())
    return Outcome(messages=[f"The route '{route}' was taken by {', '.join(told)}."])
