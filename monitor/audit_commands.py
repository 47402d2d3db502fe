"""`siaga audit`: which doors stand open, and what is over, weak or not recorded. Nothing heavy is imported up here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import Fields, Output, Why
from siaga.outcome import Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from inventory.findings import Judged
    from inventory.findings_store import Kept
    from monitor.audit.default_logins import Tried
    from monitor.audit.run import Plan, Seen
    from siaga.settings import Settings


def audit(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            help="Devices by a selector, or prefixes such as 10.3.1.0/24. Default: all, and the records."
        ),
    ] = None,
    try_defaults: Annotated[
        bool,
        typer.Option(
            "--try-defaults",
            help="Also try the logins that devices are delivered with; recorded devices only.",
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before logins are tried; large prefixes too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and store nothing.")] = False,
    doors: Annotated[
        bool, typer.Option("--doors", help="Show what each address showed, door by door.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress bar; say nothing if nothing is wrong.")
    ] = False,
    why: Why = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Find open doors, and what is weak, over or not recorded.

    Every managed address is looked at as by somebody who means no good, and what is found is kept as findings: SNMP
    communities that can be guessed, Telnet, plain HTTP, SSH's algorithms and host key, old TLS; of services the grade
    of their TLS and the end of their certificate. The records are asked too: end of life, firmware behind the fleet,
    accounts of third parties past their date, devices seen and not recorded. Nothing is changed. Ends with 6 if a
    finding is open, with 7 if none is and something could not be looked at.

    Examples: siaga audit · siaga audit kecamatan=Mauk role!=server · siaga audit 10.3.1.0/24 · siaga audit rtr-mauk
    --try-defaults --why "setelah pemasangan"
    """
    from inventory.store import open_engine, reading
    from monitor.audit import show
    from monitor.audit.default_logins import judged as of_logins
    from monitor.audit.run import judged
    from monitor.audit.scope import asked
    from monitor.audit.store import records
    from siaga.clock import utc_now
    from siaga.settings import load

    settings, now, words = load(), utc_now(), what or []
    engine = open_engine(settings)
    managed, silent = asked(engine, settings, words, yes=yes)
    ids = [m.spot.device_id for m in managed if m.spot.device_id is not None]
    _allowed(engine, settings, [m.spot.name for m in managed if m.spot.name], try_defaults=try_defaults)
    everything = not words
    plan = _plan(engine, settings, managed, everything=everything)
    with reading(engine) as session:
        known = records(
            session, _all_ids(session, ids, everything), now, settings.audit.seen_days, all_=everything
        )
    tried = _tried(engine, settings, managed, why, yes=yes) if try_defaults else {}
    seen = _looked(settings, plan, quiet=quiet)
    answers = [
        *judged(plan, seen, known, now),
        *of_logins([(m.spot, t) for m, t in tried.values()], now),
    ]
    kept = _kept(engine, settings, plan, seen, answers, now, everything=everything, dry_run=dry_run)
    if doors:
        return show.doors(plan, seen, output, fields)
    return show.found(
        engine, answers, plan, seen, kept, silent, now, output, fields, quiet=quiet, dry_run=dry_run
    )


def _all_ids(session: Any, ids: "Sequence[int]", everything: bool) -> "Sequence[int]":
    from inventory.select import meant

    return meant(session, "device", []) if everything else ids


def _allowed(engine: Any, settings: "Settings", names: "Sequence[str]", *, try_defaults: bool) -> None:
    from inventory.access import require_devices
    from inventory.store import reading

    with reading(engine) as session:
        role = "provisioner" if try_defaults else "operator"
        require_devices(session, who(), settings.access, role, names)


def _plan(engine: Any, settings: "Settings", managed: "Sequence[Any]", *, everything: bool) -> "Plan":
    from inventory.select import selected
    from inventory.store import reading
    from monitor.audit.run import Plan
    from monitor.probes.plan import planned
    from monitor.probes.store import services

    if not everything:
        return Plan(managed)
    with reading(engine) as session:
        rows = services(session, selected(session, "service", ""))
    checks = (planned(s, {}, settings.checks.resolver) for s in rows if not s.plugin)
    return Plan(managed, [c for c in checks if c is not None])


def _looked(settings: "Settings", plan: "Plan", *, quiet: bool) -> "Seen":
    import asyncio

    from monitor.audit.run import look
    from monitor.commands import _bar
    from monitor.probes.plan import limits
    from siaga.clock import utc_now

    with _bar(len(plan.managed), quiet) as step:
        return asyncio.run(look(plan, settings.audit, limits(settings.checks), utc_now, step))


def _tried(
    engine: Any, settings: "Settings", managed: "Sequence[Any]", why: str, *, yes: bool
) -> "dict[str, tuple[Any, Tried]]":
    """Try default logins at recorded devices, a few side by side; return device → (its row, what came of it)."""
    import asyncio

    from inventory.host_keys import KNOWN_HOSTS
    from inventory.writes import confirm
    from monitor.audit.default_logins import Gate, Tried, tried
    from monitor.audit.guesses import logins
    from monitor.crowd import each
    from siaga.hostkeys import HostKeys

    own = settings.audit
    meant = [m for m in managed if m.spot.device_id is not None]
    most = sum(len(logins(m.spot.platform)[: own.login_attempts]) for m in meant)
    where = f"{len(meant)} device{'' if len(meant) == 1 else 's'}"
    confirm(f"Try {most} default logins at {where}, where each failure is logged?", yes=yes)
    # First the history, then the tries: what is killed in between was written down.
    _note(engine, why, {m.spot.name: Tried(why="begun") for m in meant})
    known = HostKeys(settings.home / KNOWN_HOSTS, accept_new=False)

    async def one(device: Any) -> "Tried":
        gate = Gate(device.spot.address, device.ssh_port, known)
        few = logins(device.spot.platform)[: own.login_attempts]
        return await tried(gate, few, timeout_s=own.timeout_s * 2, pause_s=own.login_pause_s)

    came = asyncio.run(each(meant, one, concurrency=own.logins_at_once))
    _note(engine, why, {m.spot.name: t for m, t in zip(meant, came, strict=True)})
    return {m.spot.name: (m, t) for m, t in zip(meant, came, strict=True)}


def _note(engine: Any, why: str, tried: "Mapping[str, Tried]") -> None:
    from inventory.history import Author
    from inventory.store import session
    from monitor.audit.store import note_logins
    from siaga.clock import utc_now

    with session(engine) as writing:
        note_logins(writing, Author(who(), utc_now(), why, "audit"), tried)


def _kept(
    engine: Any,
    settings: "Settings",
    plan: "Plan",
    seen: "Seen",
    answers: "Sequence[Judged]",
    now: "datetime",
    *,
    everything: bool,
    dry_run: bool,
) -> "Kept":
    from inventory.findings_store import Kept
    from inventory.runs import recorded
    from inventory.store import session
    from monitor.audit.due import KIND, PART
    from monitor.audit.judge import exposure
    from monitor.audit.store import store
    from monitor.finding_alarms import ring

    if dry_run:
        return Kept()
    spots = [m.spot for m in plan.managed if m.spot.device_id is not None]
    exposures = {
        s.device_id: exposure(s, seen.doors[s.address], seen.agents.get(s.address))
        for s in spots
        if s.device_id is not None and s.address in seen.doors
    }
    summary: dict[str, Any] = {"addresses": len(plan.managed)} | ({} if everything else {PART: True})
    with recorded(engine, KIND, who=who(), summary=summary) as run_id:
        with session(engine) as writing:
            kept = store(writing, answers, exposures, now, all_=everything)
        ring(engine, settings, now, run_id=run_id)
        summary |= {"opened": kept.opened, "again": kept.again, "closed": kept.closed}
    return kept
