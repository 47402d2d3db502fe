"""`siaga discover`: sweeps prefixes and says what is there. Nothing heavy is imported up here."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import DryRun, Fields, Output, Yes, split
from siaga.outcome import Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from monitor.discover_keep import Kept
    from monitor.discover_run import Swept
    from monitor.hosts import Plan
    from siaga.settings import Settings

_INTERRUPTED = 130


def discover(
    prefixes: Annotated[
        list[str] | None,
        typer.Argument(help="What to sweep: PREFIX, FIRST-LAST or ADDRESS; with --recorded a selector."),
    ] = None,
    credential: Annotated[
        list[str] | None,
        typer.Option("--credential", help="An SNMP credential of the inventory; several are tried in turn."),
    ] = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Sweep recorded prefixes; what follows selects among them.")
    ] = False,
    neighbours: Annotated[
        bool, typer.Option("--neighbours", help="Follow LLDP, CDP, ARP and routes; check links, keep nodes.")
    ] = False,
    hops: Annotated[
        int | None,
        typer.Option("--hops", min=1, max=16, help="How far neighbours are followed: 1, unless said here."),
    ] = None,
    within: Annotated[
        list[str] | None, typer.Option("--within", help="Where neighbours may be followed to besides.")
    ] = None,
    no_ping: Annotated[bool, typer.Option("--no-ping", help="Ask all by SNMP, also who is silent.")] = False,
    ports: Annotated[str, typer.Option("--ports", help="TCP ports to look at: 22,23,443; none.")] = "",
    all_alive: Annotated[
        bool, typer.Option("--all-alive", help="Propose also hosts that are alive without SNMP.")
    ] = False,
    snmp_port: Annotated[int, typer.Option("--snmp-port", min=1, max=65535, help="UDP port.")] = 161,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", min=1, max=1_000_000, help="Packets a second at most, of echo and of SNMP each."
        ),
    ] = None,
    timeout_s: Annotated[
        float | None, typer.Option("--timeout", min=0.05, max=30, help="Seconds to wait for an answer.")
    ] = None,
    retries: Annotated[int | None, typer.Option(min=0, max=5, help="How often to ask again.")] = None,
    fail: Annotated[bool, typer.Option("--fail", help="End with 6 if anything is new or changed.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No bar, no summary.")] = False,
) -> Outcome:
    """Sweep prefixes: who is alive, who speaks SNMP, and what he is to the inventory.

    Whatever is new becomes a proposal, one for each box, whatever its addresses; known boxes get observed values.
    Credentials are tried in the order given, a few at one address at most, and only at addresses that were asked
    for. Without any, those of the settings, else the community "public". Ctrl-C keeps what was found.

    Examples: siaga discover 10.3.0.0/16 --credential noc --credential lama · siaga discover --recorded
    place=Mauk · siaga discover 10.3.1.1 --neighbours --hops 3 --within 10.3.0.0/16 --dry-run
    """
    from inventory.access import require
    from inventory.store import open_engine
    from monitor.discover_asked import Asked, plan
    from monitor.discover_run import alone
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    engine = open_engine(settings)
    asked = Asked(
        prefixes or (),
        recorded,
        credential or (),
        within or (),
        (hops or 1) if neighbours or hops or within else 0,  # who says how far wants them followed
        not no_ping,
        ports,
        snmp_port,
        rate,
        timeout_s,
        retries,
        yes,
    )
    plan_ = plan(engine, settings, asked)
    with alone(settings):
        done = _done(engine, settings, plan_, all_alive=all_alive, dry_run=dry_run, quiet=quiet)
    return _outcome(done, output, split(fields), fail=fail, dry_run=dry_run, quiet=quiet)


@dataclass(frozen=True)
class _Done:
    """A sweep that ended, what was kept of it, its numbers by what was asked, and what links and nodes said."""

    swept: "Swept"
    kept: "Kept"
    by: dict[str, dict[str, int]]
    topology: list[str]


def _done(
    engine: Any, settings: "Settings", plan: "Plan", *, all_alive: bool, dry_run: bool, quiet: bool
) -> _Done:
    """Sweep and keep, in a run that is recorded."""
    from inventory.history import Author
    from inventory.runs import recorded
    from monitor import discover_run, discover_show
    from monitor.cut_off import cut_off
    from siaga.clock import utc_now

    summary: dict[str, Any] = {}
    with recorded(engine, "discover", who=who(), summary=summary) as run:
        with cut_off() as cut:
            with discover_show.bar(quiet=quiet) as step:
                swept = discover_run.sweep(plan, cut, step)
            author = Author(who(), utc_now(), cause=f"discover {run}")
            kept = discover_run.kept(engine, author, swept.sweep, all_alive=all_alive, dry_run=dry_run)
            by = discover_show.counts(kept.found, plan.scope, swept.sweep.asked)
            summary.update(_totals(by), dry_run=dry_run, interrupted=not swept.whole)
            tally = swept.sweep.tally
            summary["left_out"] = tally.total - tally.asked + kept.unlooked
        topology: list[str] = []
        if plan.hops and swept.whole:
            try:
                topology = discover_run.topology(engine, settings, plan, kept, author, dry_run=dry_run)
            except KeyboardInterrupt:
                swept, summary["interrupted"] = replace(swept, whole=False), True
    return _Done(swept, kept, by, topology)


def _totals(by: dict[str, dict[str, int]]) -> dict[str, Any]:
    keys = list(next(iter(by.values()))) if by else []
    return {"prefixes": list(by), **{k: sum(n[k] for n in by.values()) for k in keys}}


def _outcome(
    done: _Done, output: Format, fields: list[str], *, fail: bool, dry_run: bool, quiet: bool
) -> Outcome:
    from monitor import discover_show as show

    scope = done.swept.sweep.plan.scope
    shown = [f for f in done.kept.found if output is not Format.table or f.what in show.NOTABLE]
    rows: list[dict[str, Any]] | None = [show.row(f, scope, dry_run=dry_run) for f in shown]
    messages = [] if quiet else [*show.summary(done.by), *done.topology, *done.swept.sweep.notes]
    messages += _warnings(done.swept, done.kept, dry_run=dry_run)
    messages += [] if quiet else _next(done.kept, dry_run=dry_run)
    if output in (Format.table, Format.wide):
        # With nothing new there is no table at all, only the sentences.
        rows = show.readable(rows or ()) or None
    code = _code(done.swept, done.kept, fail=fail)
    return Outcome(rows, show.COLUMNS, messages, code, format=output, fields=fields, style=show.STYLE)


def _warnings(swept: "Swept", kept: "Kept", *, dry_run: bool) -> list[str]:
    from siaga.text import safe

    sweep = swept.sweep
    told = list(sweep.warnings)
    told += [
        f"{n:,} address{'es' * (n > 1)} could not be asked: {safe(why, 120)}."
        for why, n in sweep.unsent.items()
    ]
    if not swept.whole:
        came = f"{sweep.tally.asked:,} of {sweep.tally.total:,} addresses were asked"
        rest = f"{kept.unlooked:,} that answered were not looked at"
        told.append(
            f"Interrupted: {came}, {rest}. What was found {'is only shown' if dry_run else 'is kept'}."
        )
    return [*told, "Dry run: nothing was written."] if dry_run else told


def _next(kept: "Kept", *, dry_run: bool) -> list[str]:
    """Return what to do next."""
    if not any(f.what in ("new", "changed") for f in kept.found):
        return ["Nothing is new."]
    if dry_run:
        return []
    first = next(f.proposed.proposal for f in kept.found if f.what in ("new", "changed") and f.proposed)
    look, take = "siaga proposal list status=open", f"siaga proposal accept {first} role=switch"
    return [*_keyless(kept), f"Look at them: {look}. Take them: {take}."]


def _keyless(kept: "Kept") -> list[str]:
    """Say which key is still to be made: a device that is accepted without a credential cannot be polled."""
    new = [f for f in kept.found if f.what == "new" and f.facts.transport]
    if not any(not f.facts.more.get("credential") for f in new):
        return []
    make = "siaga credential add public kind=snmp-v2c --secret community=ask"
    return [f'They answer to the community "public", which is no credential here yet: {make}.']


def _code(swept: "Swept", kept: "Kept", *, fail: bool) -> int:
    """Return 130 when cut off, 6 for what is new if that was asked about, 7 or 1 if some or all could not be asked."""
    if not swept.whole:
        return _INTERRUPTED
    if fail and any(f.what in ("new", "changed") for f in kept.found):
        return 6
    if not swept.sweep.unsent:
        return 0
    return 7 if sum(swept.sweep.unsent.values()) < swept.sweep.tally.asked else 1
