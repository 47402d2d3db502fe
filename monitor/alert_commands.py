"""The commands on alerts: what is wrong and was, who has taken it, what rules say and would have said."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory import complete
from inventory.options import Fields, Output, split
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from monitor.rules.format import Rule
    from siaga.settings import Settings

app = typer.Typer(name="alert", help="Alerts: what is wrong, and what was.", no_args_is_help=True)
Number = Annotated[
    int, typer.Argument(help="The alert's number, as 'siaga alert list -o wide' shows it.", min=1)
]
Devices = Annotated[
    list[str] | None, typer.Argument(help="Which devices: role=router kecamatan=Mauk. Default: all.")
]
RuleName = Annotated[str, typer.Argument(help="The rule's name; 'siaga alert rules' lists them.")]
Reason = Annotated[str, typer.Option("--why", help="The reason, kept as a note.")]
_STYLE = {("severity", "critical"): "bold red", ("severity", "warning"): "yellow"}


@app.command("list")
def alert_list(
    selector: Devices = None,
    all_: Annotated[bool, typer.Option("--all", "-a", help="Also the closed ones.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List open alerts, critical first."""
    from inventory.store import open_engine, reading
    from monitor.alert_rows import rows
    from monitor.commands import chosen
    from siaga.settings import load

    engine = open_engine(load())
    ids = set(chosen(engine, selector)) if selector else None
    with reading(engine) as session:
        found = rows(session, closed=all_, ids=ids)
    columns = [Column(k, k) for k in ("severity", "device", "text", "opened_at", "acked_by")]
    columns += [Column(k, k, wide=True) for k in ("rule", "closed_at", "closed_why", "id")]
    hint = [] if found else ["No alerts."]
    return Outcome(found, columns, hint, format=output, fields=split(fields), style=_STYLE)


@app.command("show")
def alert_show(number: Number, output: Output = Format.table, fields: Fields = "") -> Outcome:
    """Show one alert with its evidence, its notes, and who was told.

    Example: siaga alert show 12
    """
    from inventory.store import open_engine, reading
    from monitor.alert_rows import whole
    from monitor.rules.files import reload
    from siaga.settings import load

    settings = load()
    with reading(open_engine(settings)) as session:
        row = whole(session, number, reload(settings.home, None).rules, settings.language)
    return Outcome([row], single=True, format=output, fields=split(fields))


@app.command("ack")
def alert_ack(
    number: Number,
    until: Annotated[
        str, typer.Option("--until", help="For how long: 4h, 2d, a time. Default: until it ends.")
    ] = "",
    why: Reason = "",
) -> Outcome:
    """Take an alert: nobody further is called about it.

    When the time is over and the alert is not, those are called that an unacknowledged alert calls.

    Example: siaga alert ack 12 --until 4h --why "teknisi di jalan"
    """
    from inventory.store import session
    from monitor.acknowledge import acknowledge
    from monitor.alert_rows import one
    from siaga.clock import ahead
    from siaga.errors import InvalidError

    settings, engine, now = _operator()
    end = ahead(until, now, settings.timezone) if until else None
    with session(engine) as writing:
        alert = one(writing, number)
        if alert.closed_at is not None:
            raise InvalidError("alert-closed", f"Alert {number} has ended; there is nothing to take.")
        acknowledge(writing, alert, who(), now, until=end, why=why)
    return Outcome(messages=[f"Alert {number} is yours."])


@app.command("note")
def alert_note(number: Number, text: Annotated[str, typer.Argument(help="What to keep on it.")]) -> Outcome:
    """Write a note on an alert.

    Example: siaga alert note 12 "PLN padam sampai 14.00"
    """
    from inventory.store import session
    from monitor.acknowledge import note
    from monitor.alert_rows import one
    from siaga.errors import UsageError

    if not text.strip():
        raise UsageError("no-text", "A note says something: siaga alert note 12 'PLN padam sampai 14.00'.")
    _, engine, now = _operator()
    with session(engine) as writing:
        one(writing, number)
        note(writing, number, who(), now, text)
    return Outcome(messages=[f"Noted on alert {number}."])


@app.command("silence")
def alert_silence(
    selector: Devices = None,
    rule: Annotated[str, typer.Option("--rule", help="Only alerts of this rule.")] = "",
    until: Annotated[str, typer.Option("--until", help="For how long: 2h, 3d, a time.")] = "",
    why: Reason = "",
    lift: Annotated[int, typer.Option("--lift", help="End the silence of this number now.", min=0)] = 0,
    output: Output = Format.table,
) -> Outcome:
    """Silence alerts for a while; without --until, list the silences.

    They are kept and shown all the same, and told at the end of the silence if they are still open.

    Example: siaga alert silence role=ap --rule device-down --until 3d --why "pekerjaan listrik"
    """
    from inventory.store import open_engine, reading, session
    from monitor.alert_rows import silences
    from siaga.clock import ahead, utc_now
    from siaga.errors import UsageError
    from siaga.settings import load

    if (selector or rule) and not until and not lift:
        raise UsageError("no-end", "Say for how long, as --until 3d: no silence is for ever.")
    if not until and not lift:
        with reading(open_engine(load())) as session_:
            found = silences(session_, utc_now())
        columns = [Column(k, k) for k in ("id", "rule", "selector", "until", "who", "why")]
        return Outcome(found, columns, [] if found else ["Nothing is silenced."], format=output)
    settings, engine, now = _operator()
    with session(engine) as writing:
        if lift:
            return _lifted(writing, lift, now)
        return _silenced(
            writing, settings, selector or [], rule, ahead(until, now, settings.timezone), why, now
        )


def _lifted(writing: "Session", number: int, now: "datetime") -> Outcome:
    from monitor.models import Silence
    from siaga.errors import NotFoundError

    row = writing.get(Silence, number)
    if row is None or row.until <= now:
        raise NotFoundError("no-such-silence", f"There is no silence {number}; see 'siaga alert silence'.")
    row.until = now
    writing.add(row)
    return Outcome(messages=[f"Silence {number} has ended."])


def _silenced(
    writing: "Session",
    settings: "Settings",
    selector: list[str],
    rule: str,
    until: "datetime",
    why: str,
    now: "datetime",
) -> Outcome:
    from inventory.select import joined, selected
    from monitor.models import Silence
    from siaga.clock import shown
    from siaga.text import safe

    if rule:
        _rule(settings, rule)
    text = joined(selector)
    count = len(selected(writing, "device", text))
    writing.add(Silence(selector=text, rule=rule, at=now, until=until, who=who(), why=safe(why, 200)))
    end = shown(until, settings.timezone)
    return Outcome(messages=[f"Alerts of {rule or 'every rule'} on {count} devices are silent until {end}."])


@app.command("rules")
def alert_rules(output: Output = Format.table) -> Outcome:
    """List the rules, and what is wrong with any of them.

    siaga's own, and those in `rules/` of its home; one of the same name stands in ours' place. Exit code 5 when a
    file is broken: then the others of its folder do not hold either.
    """
    from inventory.store import open_engine, reading
    from monitor.rules.book import open_book
    from monitor.rules.files import load as load_rules
    from siaga.settings import load

    settings = load()
    rules = load_rules(settings.home)
    with reading(open_engine(settings)) as session:
        problems = open_book(session, settings.home).problems
    columns = [Column(k, k) for k in ("name", "of", "measure", "warning", "critical", "for_s", "title")]
    rows = [_shown(r, settings) for r in rules.values()]
    return Outcome(rows, columns, messages=list(problems), format=output)


def _shown(rule: "Rule", settings: "Settings") -> dict[str, Any]:
    limits = {s: level.limit for s, level in rule.levels()}
    row = {
        k: getattr(rule, k)
        for k in ("name", "of", "measure", "unit", "for_s", "clear_for_s", "tell", "playbook")
    }
    own = (settings.home / "rules" / f"{rule.name}.toml").exists()
    title = rule.title.of(settings.language)
    return {
        **row,
        "warning": limits.get("warning"),
        "critical": limits.get("critical"),
        "title": title,
        "own": own,
    }


def _rule(settings: "Settings", name: str) -> "Rule":
    import difflib

    from monitor.rules.files import load as load_rules
    from siaga.errors import NotFoundError
    from siaga.text import safe

    rules = load_rules(settings.home)
    if name not in rules:
        near = difflib.get_close_matches(name, rules, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else " See 'siaga alert rules'."
        raise NotFoundError("no-such-rule", f"There is no rule '{safe(name, 60)}'.{hint}")
    return rules[name]


@app.command("explain")
def alert_explain(
    device: Annotated[
        str, typer.Argument(help="The device's name.", autocompletion=complete.names("device"))
    ],
    rule: RuleName,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show a rule's limits for one device, and which layer each comes from.

    Example: siaga alert explain rtr-kec-mauk cpu-busy
    """
    from inventory.noun_commands import id_of
    from inventory.store import open_engine, reading
    from monitor.alert_rows import origins
    from monitor.rules.book import open_book
    from monitor.rules.format import OWN
    from siaga.settings import load

    settings = load()
    shipped = _rule(settings, rule)
    with reading(open_engine(settings)) as session:
        device_id = id_of(session, "device", device)
        book = open_book(session, settings.home, ids=[device_id])
        own = next((r for r in book.of_device.get(device_id, ()) if r.name == rule), None)
        rows = list(origins(session, device_id, shipped, own or shipped))
    why = (
        f"it is of the class {shipped.of}, which is no part of a device"
        if shipped.of in OWN
        else "its role, selector, status, transport, or 'off'"
    )
    messages = [] if own else [f"The rule {rule} does not look at {device}: {why}."]
    columns = [Column(k, k) for k in ("key", "value", "layer", "for")] + [Column("over", "over", wide=True)]
    return Outcome(rows, columns, [*messages, *book.problems], format=output, fields=split(fields))


@app.command("test")
def alert_test(
    rule: Annotated[
        str,
        typer.Argument(help="The rule's name; 'siaga alert rules' lists them. Default: each that can be."),
    ] = "",
    selector: Devices = None,
    since: Annotated[str, typer.Option("--since", help="How far back: 7d, 12h, 2026-08-01.")] = "7d",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Replay a rule, or all, over what is stored: when it would have rung, and cleared.

    Nothing is stored and nobody is told. With the limits that hold for each device now.

    Example: siaga alert test cpu-busy --since 7d role=router
    """
    from monitor.commands import chosen
    from monitor.replaying import replay
    from siaga.clock import shown, span, utc_now
    from siaga.settings import load

    settings = load()
    if rule:
        _rule(settings, rule)
    begin, now = span(since, "", utc_now(), settings.timezone)
    from inventory.store import open_engine

    engine = open_engine(settings)
    rows, devices, problems = replay(engine, settings, rule, chosen(engine, selector or []), begin, now)
    said = f"{rule or 'The rules'} would have rung {len(rows)} times on {devices} devices since"
    said = f"{said} {shown(begin, settings.timezone)}."
    columns = [Column(k, k) for k in ("rule", "device", "subject", "severity", "start", "end")]
    columns.append(Column("lasted_s", "lasted s", right=True))
    return Outcome(rows, columns, [said, *problems], format=output, fields=split(fields), style=_STYLE)


def _operator() -> Any:
    """Return settings, engine and the time, of somebody who may change what is told."""
    from inventory.access import require
    from inventory.store import open_engine
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    return settings, open_engine(settings), utc_now()
