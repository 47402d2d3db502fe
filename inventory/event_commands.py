"""Commands on events: what is told to others when the inventory changes (`[[events]]` in siaga.toml)."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import DryRun, Output
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from inventory.events import Message, Standing
    from siaga.settings import Event, Settings

event_app = typer.Typer(
    name="event", help="Tells others of changes ([[events]] in siaga.toml).", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="Only this event.")]


@event_app.command("list")
def event_list(output: Output = Format.table) -> Outcome:
    """List the events that are declared, and how far each has told the history."""
    from inventory import events, store
    from siaga.settings import load

    settings = load()
    with store.reading(store.open_engine(settings)) as session:
        rows = [_shown(s) for s in events.standings(session, settings.events)]
    hint = [] if rows else ["No event is declared: see [[events]] in docs/events.md."]
    keys = ("name", "of", "to", "behind", "sent_at", "failures", "error")
    return Outcome(rows, [Column(k, k, right=k in ("behind", "failures")) for k in keys], hint, format=output)


def _shown(standing: "Standing") -> dict[str, Any]:
    event = standing.event
    of = " ".join([",".join(event.nouns) or "everything", ",".join(event.actions), event.when]).split()
    return {
        "name": event.name,
        "of": " ".join(of),
        "to": event.url or event.run[0],
        "behind": standing.behind,
        "sent_at": standing.sent_at,
        "failures": standing.failures,
        "error": standing.error,
    }


@event_app.command("send")
def event_send(
    name: Name = "",
    dry_run: DryRun = False,
    now: Annotated[bool, typer.Option("--now", help="Do not wait after failures.")] = False,
    output: Output = Format.jsonl,
) -> Outcome:
    """Tell what has changed since the last time; for cron or a timer, each minute.

    Exit code 7 when something could not be sent: it stays in its place and is tried again, after 1, 2, 4 … 60 minutes.
    With --dry-run the messages are printed and nothing is sent.

    Example: siaga event send
    """
    from inventory import events, store
    from siaga.errors import PartialError
    from siaga.settings import load

    settings = load()
    engine = store.open_engine(settings)
    chosen = _chosen(settings, name)
    if dry_run:
        return Outcome([dict(m.body) for m in _waiting(engine, chosen)], format=output)
    with store.session(engine) as session:
        new = events.begin(session, chosen)
    said = [f"The event '{n}' begins here; what changes from now on is told." for n in new]
    with store.reading(engine) as session:
        standings = events.standings(session, chosen)
    sent, problems = 0, []
    for standing in standings:
        count, problem = _send(engine, standing, now=now)
        sent += count
        problems += [problem] if problem else []
    if problems:
        raise PartialError("events-not-sent", f"Sent {sent} messages; not all could be sent.", problems)
    return Outcome(messages=[*said, f"Sent {sent} messages."] if sent or said else [])


def _chosen(settings: "Settings", name: str) -> "list[Event]":
    from siaga.errors import NotFoundError

    found = [e for e in settings.events if name in ("", e.name)]
    if name and not found:
        raise NotFoundError("no-event", f"There is no event '{name}' in siaga.toml; see 'siaga event list'.")
    return found


def _waiting(engine: "Engine", chosen: "list[Event]") -> "list[Message]":
    from inventory import events, store

    with store.reading(engine) as session:
        return [
            m
            for s in events.standings(session, chosen)
            for m in events.messages(session, s.event, s.change_id)
            if m.body["changes"]
        ]


def _send(engine: "Engine", standing: "Standing", *, now: bool) -> tuple[int, str]:
    """Send what one event has to tell; return how much was sent, and what went wrong."""
    from inventory import event_delivery, events, store
    from siaga.clock import utc_now
    from siaga.errors import SiagaError

    rests = standing.rests_until()
    if rests and rests > utc_now() and not now:
        return 0, ""  # it was told when it failed; 'siaga event list' says so too
    at, sent = standing.change_id, 0
    try:
        with store.reading(engine) as reading:
            for message in events.messages(reading, standing.event, at):
                if message.body["changes"]:
                    event_delivery.deliver(standing.event, message.body, message.delivery)
                    sent += 1
                if not _note(engine, standing.event.name, at, message):
                    return sent, f"Somebody else sends the event '{standing.event.name}' at this moment."
                at = message.last
    except SiagaError as error:
        with store.session(engine) as session:
            events.failed(session, standing.event.name, utc_now(), error.sentence)
        return sent, error.sentence
    return sent, ""


def _note(engine: "Engine", name: str, at: int, message: "Message") -> bool:
    from inventory import events, store
    from siaga.clock import utc_now

    if message.last == at:
        return True
    with store.session(engine) as session:
        return events.told(session, name, at, message.last, utc_now() if message.body["changes"] else None)


@event_app.command("test")
def event_test(name: Annotated[str, typer.Argument(help="The event.")]) -> Outcome:
    """Send one message that says it is a test, to see that the other side takes it."""
    from inventory import event_delivery
    from siaga.clock import utc_now
    from siaga.settings import load
    from siaga.who import who

    (event,) = _chosen(load(), name)
    body = {
        "event": event.name,
        "test": True,
        "change_set": None,
        "at": f"{utc_now().replace(tzinfo=None).isoformat()}Z",
        "who": who(),
        "why": "siaga event test",
        "cause": "",
        "changes": [],
        "left_out": 0,
    }
    event_delivery.deliver(event, body, f"{event.name}-test")
    return Outcome(messages=[f"The event '{event.name}' was taken by {event.url or event.run[0]}."])
