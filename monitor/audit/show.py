"""What an audit shows: findings with the worst first, doors by address, and some sentences that sum it up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from inventory.finding_commands import STYLE
from inventory.findings import SEVERITIES, Judged, Verdict, rank
from inventory.findings_store import Kept, open_keys, row, rows, would_be
from inventory.options import split
from inventory.store import labels, reading
from monitor.audit.judge import exposure
from monitor.audit.run import Plan, Seen
from siaga.outcome import Column, Format, Outcome


def doors(plan: Plan, seen: Seen, output: Format, fields: str) -> Outcome:
    """Return each address with its doors: open, closed or unknown."""

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


def found(
    engine: Engine,
    answers: Sequence[Judged],
    plan: Plan,
    seen: Seen,
    kept: Kept,
    silent: int,
    now: datetime,
    output: Format,
    fields: str,
    *,
    quiet: bool,
    dry_run: bool,
) -> Outcome:

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
    engine: Engine, answers: Sequence[Judged], now: datetime, *, dry_run: bool
) -> list[dict[str, Any]]:
    """Return the findings of what was looked at, as they are stored; of a dry run those that it would store.

    One that could not be looked at now is still open, and among them.
    """

    broken = {a.key.text: a for a in answers if a.verdict is Verdict.broken}
    with reading(engine) as session:
        if not dry_run:
            asked = {a.key.text for a in answers if a.verdict in (Verdict.broken, Verdict.unknown)}
            ids = {i for k, i in open_keys(session, "audit").items() if k in asked}
            return [
                r for r in rows(session, now, source="audit", states=("open", "accepted")) if r["id"] in ids
            ]
        names = labels(session, "device", {a.key.device_id for a in broken.values() if a.key.device_id})
        made = [row(would_be(a, now), names.get(a.key.device_id or 0, ""), now) for a in broken.values()]
        return sorted(made, key=lambda r: (rank(r["severity"]), r["device"], r["subject"], r["rule"]))


def _messages(
    rows: Sequence[Mapping[str, Any]],
    plan: Plan,
    mute: Sequence[str],
    silent: int,
    kept: Kept,
    *,
    dry_run: bool,
) -> list[str]:

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
