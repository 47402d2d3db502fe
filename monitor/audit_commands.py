"""`siaga audit`: which doors stand open, and what is over, weak or not recorded. Nothing heavy is imported up here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.finding_commands import STYLE
from inventory.options import Fields, Output, Why, split
from siaga.outcome import Column, Format, Outcome
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
    """Look at every managed address as somebody would who means no good, and keep what is found as findings.

    Tried are: SNMP communities that can be guessed, Telnet, plain HTTP, SSH's algorithms and host key, old TLS; of
    services the grade of their TLS and the end of their certificate. The records are asked too: end of life, firmware
    behind the fleet, accounts of third parties past their date, devices seen and not recorded. Nothing is changed.
    Ends with 6 if a finding is open, with 7 if none is and something could not be looked at.

    Examples: siaga audit · siaga audit kecamatan=Mauk role!=server · siaga audit 10.3.1.0/24 · siaga audit rtr-mauk
    --try-defaults --why "setelah pemasangan"
    """
    from inventory.store import open_engine, reading
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
    tried = _tried(settings, managed, yes=yes) if try_defaults else {}
    seen = _looked(settings, plan, quiet=quiet)
    answers = [
        *judged(plan, seen, known, now),
        *_of_logins(tried, managed, now),
    ]
    kept = _kept(
        engine, settings, plan, seen, answers, tried, now, why, everything=everything, dry_run=dry_run
    )
    if doors:
        return _doors(plan, seen, output, fields)
    return _found(
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


def _tried(settings: "Settings", managed: "Sequence[Any]", *, yes: bool) -> "dict[str, tuple[Any, Tried]]":
    """Try default logins at recorded devices, a few side by side; return device → (its row, what came of it)."""
    import asyncio

    from inventory.writes import confirm
    from monitor.audit.default_logins import Gate, tried
    from monitor.audit.guesses import logins
    from monitor.crowd import each
    from monitor.hostkeys import HostKeys

    own = settings.audit
    meant = [m for m in managed if m.spot.device_id is not None]
    most = sum(len(logins(m.spot.platform)[: own.login_attempts]) for m in meant)
    confirm(f"Try {most} default logins at {len(meant)} devices, where each failure is logged?", yes=yes)
    known = HostKeys(settings.home / "known_hosts", accept_new=False)

    async def one(device: Any) -> "Tried":
        gate = Gate(device.spot.address, device.ssh_port, known)
        few = logins(device.spot.platform)[: own.login_attempts]
        return await tried(gate, few, timeout_s=own.timeout_s * 2, pause_s=own.login_pause_s)

    came = asyncio.run(each(meant, one, concurrency=own.logins_at_once))
    return {m.spot.name: (m, t) for m, t in zip(meant, came, strict=True)}


def _of_logins(
    tried: "Mapping[str, tuple[Any, Tried]]", managed: "Sequence[Any]", now: "datetime"
) -> "list[Judged]":
    from inventory.findings import Judged, Verdict

    found = []
    for device, one in tried.values():
        evidence = (
            (f"SSH let in the user '{one.user}' with the password of the delivery",) if one.user else ()
        )
        verdict = Verdict.broken if one.user else Verdict.unknown if one.why else Verdict.met
        title = "A login that it was delivered with still works."
        key = device.spot.key("default-login")
        found.append(Judged(key, verdict, "critical", title, "; ".join(evidence), "33(2)b", evidence, now))
    return found


def _kept(
    engine: Any,
    settings: "Settings",
    plan: "Plan",
    seen: "Seen",
    answers: "Sequence[Judged]",
    tried: "Mapping[str, tuple[Any, Tried]]",
    now: "datetime",
    why: str,
    *,
    everything: bool,
    dry_run: bool,
) -> "Kept":
    from inventory.findings_store import Kept
    from inventory.history import Author
    from inventory.runs import recorded
    from inventory.store import session
    from monitor.audit.judge import exposure
    from monitor.audit.store import note_logins, store

    if tried:  # whatever else: that logins were tried stands in the history
        with session(engine) as writing:
            note_logins(
                writing, Author(who(), now, why, "audit"), {name: t for name, (_, t) in tried.items()}
            )
    if dry_run:
        return Kept()
    spots = [m.spot for m in plan.managed if m.spot.device_id is not None]
    exposures = {
        s.device_id: exposure(s, seen.doors[s.address], seen.agents.get(s.address))
        for s in spots
        if s.device_id is not None and s.address in seen.doors
    }
    summary: dict[str, Any] = {"addresses": len(plan.managed)}
    with recorded(engine, "audit", who=who(), summary=summary):
        with session(engine) as writing:
            ids = [s.device_id for s in spots if s.device_id is not None]
            kept = store(writing, answers, exposures, now, device_ids=ids, all_=everything)
        summary |= {"opened": kept.opened, "again": kept.again, "closed": kept.closed}
    return kept


def _doors(plan: "Plan", seen: "Seen", output: Format, fields: str) -> Outcome:
    from monitor.audit.judge import exposure

    rows: list[dict[str, Any]] = []
    for device in plan.managed:
        spot = device.spot
        found = seen.doors[spot.address]
        states = exposure(spot, found, seen.agents.get(spot.address))
        software = found.ssh.software if found.ssh else ""
        rows.append({"device": spot.name, "address": spot.address, **states, "ssh_software": software})
    names = ("device", "address", "ssh", "telnet", "http", "https", "snmp-v1", "snmp-v2c", "snmp-v3")
    columns = [*(Column(k, k) for k in names), Column("ssh_software", "ssh software", wide=True)]
    style = {(k, s): v for k in names for s, v in {"open": "yellow", "unknown": "magenta"}.items()}
    return Outcome(rows, columns, format=output, fields=split(fields), style=style)


def _found(
    engine: Any,
    answers: "Sequence[Judged]",
    plan: "Plan",
    seen: "Seen",
    kept: "Kept",
    silent: int,
    now: "datetime",
    output: Format,
    fields: str,
    *,
    quiet: bool,
    dry_run: bool,
) -> Outcome:
    from inventory.findings import Verdict

    rows = _rows_of(engine, answers, now, dry_run=dry_run)
    mute = [d.address for d in seen.doors.values() if d.silent]
    messages = [] if quiet and not rows else _messages(rows, plan, mute, silent, kept, dry_run=dry_run)
    unknown = any(a.verdict is Verdict.unknown for a in answers)
    open_ = any(r["state"] == "open" for r in rows)
    code = 6 if open_ else 7 if unknown else 0
    if output is Format.table:
        rows = [
            {**r, "where": r["device"] or r["subject"], "since": f"{r['first_seen']:%Y-%m-%d}"} for r in rows
        ]
    return Outcome(rows, _COLUMNS, messages, code, format=output, fields=split(fields), style=STYLE)


_COLUMNS = [
    Column("severity", "severity"),
    Column("where", "where"),
    Column("title", "what is wrong"),
    Column("detail", "because"),
    Column("article", "BSSN 4/2021"),
    Column("since", "since"),
    Column("id", "finding", right=True),
    *(Column(k, k, wide=True) for k in ("device", "subject", "rule", "state", "due", "owner", "last_seen")),
]


def _rows_of(
    engine: Any, answers: "Sequence[Judged]", now: "datetime", *, dry_run: bool
) -> list[dict[str, Any]]:
    """Return the findings that this audit has seen, as they are stored; of a dry run as they would be."""
    from inventory.findings import Verdict, rank
    from inventory.findings_store import devices_named, open_keys, row, rows
    from inventory.models_findings import Finding
    from inventory.store import reading

    broken = {a.key.text: a for a in answers if a.verdict is Verdict.broken}
    with reading(engine) as session:
        if not dry_run:
            ids = {i for k, i in open_keys(session, "audit").items() if k in broken}
            return [
                r for r in rows(session, now, source="audit", states=("open", "accepted")) if r["id"] in ids
            ]
        names = devices_named(session, {a.key.device_id for a in broken.values() if a.key.device_id})
        made = [
            row(
                Finding(
                    source="audit",
                    rule=a.key.rule,
                    device_id=a.key.device_id,
                    subject=a.key.subject,
                    severity=a.severity,
                    article=a.article,
                    title=a.title,
                    detail=a.detail,
                    evidence=list(a.evidence),
                    evidence_at=a.evidence_at,
                    first_seen=now,
                    last_seen=now,
                ),
                names.get(a.key.device_id or 0, ""),
                now,
            )
            for a in broken.values()
        ]
        return sorted(made, key=lambda r: (rank(r["severity"]), r["device"], r["subject"], r["rule"]))


def _messages(
    rows: "Sequence[Mapping[str, Any]]",
    plan: "Plan",
    mute: "Sequence[str]",
    silent: int,
    kept: "Kept",
    *,
    dry_run: bool,
) -> list[str]:
    from collections import Counter

    from inventory.findings import SEVERITIES

    number = len(plan.managed)
    said = [f"Looked at {number} address{'' if number == 1 else 'es'} and {len(plan.checks)} services."]
    if mute:
        more = f" and {len(mute) - 5} more" if len(mute) > 5 else ""
        said.append(
            f"Nothing answered at {', '.join(sorted(mute)[:5])}{more}: what is open there is not known."
        )
    if silent:
        said.append(f"{silent} addresses of the prefix were silent, and are left out.")
    by = Counter(r["severity"] for r in rows if r["state"] == "open")
    carried = sum(r["state"] == "accepted" for r in rows)
    told = ", ".join(f"{by[s]} {s}" for s in SEVERITIES if by[s]) or "none"
    said.append(f"Open: {told}{f'; {carried} accepted' if carried else ''}.")
    articles = Counter(r["article"] for r in rows if r["article"])
    if articles:
        said.append("By article: " + ", ".join(f"{a} {n}" for a, n in sorted(articles.items())) + ".")
    if not dry_run and (kept.opened or kept.closed):
        said.append(
            f"{kept.opened} are new, {kept.closed} closed since. 'siaga finding show N' tells more of one."
        )
    return said
