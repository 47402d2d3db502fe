"""One order for a provider's letter, from arguments to two files."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from inventory.models import Agency
from inventory.store import open_engine, reading
from monitor.availability import window
from monitor.samples import open_samples
from report.claim import Claim, claim
from report.claim_letter import Letter, as_pdf, document
from report.files import write_both
from report.periods import day, named
from report.store import person
from siaga.clock import shown, utc_now
from siaga.errors import UsageError
from siaga.outcome import Outcome
from siaga.settings import Settings, load
from siaga.text import safe


@dataclass(frozen=True)
class Order:
    """What was asked for, as it was written."""

    provider: str
    period: str
    output: Path
    number: str = ""
    signer: str = ""
    dated: str = ""


def make(order: Order, now: datetime | None = None) -> Outcome:
    """Measure, typeset and write. Raises SiagaError; then no file is new."""
    settings, now = load(), now or utc_now()
    if order.output.suffix.lower() != ".pdf":
        raise UsageError("not-a-pdf", f"The letter is a PDF: '{order.output}' should end in .pdf.")
    start, end = period(order.period, settings.timezone)
    if end > now:
        raise UsageError("period-not-over", f"The period ends {shown(end)}: a claim is made when it is over.")
    dated = day(order.dated) if order.dated else now.astimezone(ZoneInfo(settings.timezone)).date()
    with reading(open_engine(settings)) as session, open_samples(settings.home) as samples:
        whole = window(settings, start, end)
        found = claim(session, samples, order.provider, whole, now, zone=settings.timezone)
        letter = Letter(dated, order.number, _signer(session, order.signer), settings.timezone)
        data = document(found, letter, settings.custody, _unit(session, settings))
    json_path = write_both(order.output, as_pdf(data), data)
    return _told(found, order.output, json_path)


def _told(found: Claim, pdf: Path, json_path: Path) -> Outcome:
    lines = [k for c in found.contracts for k in c.lines]
    row = {
        "pdf": str(pdf),
        "json": str(json_path),
        "provider": safe(found.provider.name),
        "since": shown(found.start),
        "until": shown(found.end),
        "lines": len(lines),
        "outages": sum(len(k.events) for k in lines),
        "claimable_s": found.claimable_ms / 1000,
        "amount_idr": found.amount_idr,
    }
    messages = [f"The letter is in {pdf}."]
    unpriced = [safe(c.contract.name) for c in found.contracts if c.amount_idr is None]
    if unpriced:
        messages.append(
            f"No sum could be computed for {', '.join(unpriced)}: see docs/bandwidth.md on penalty rules."
        )
    if found.idle:
        messages.append(f"Did not run in this time, and is left out: {safe(', '.join(found.idle), 300)}.")
    if found.mute:
        messages.append(f"{found.mute} lines have no device that could tell of them, and are left out.")
    return Outcome(rows=[row], single=True, messages=messages)


def period(text: str, zone: str) -> tuple[datetime, datetime]:
    """Return the month meant by 2026-10, in the time of the regency. Raises UsageError (`bad-period`)."""
    if not re.fullmatch(r"\d{4}-\d{2}", text.strip()):
        raise UsageError("bad-period", f"'{safe(text, 40)}' is no month: write 2026-10.")
    month = named(text, zone)
    return month.since, month.until


def _signer(session: Session, name: str) -> tuple[str, str, str]:
    if not name:
        return "", "", ""
    row = person(session, name)
    return row.name, row.nip, row.role or row.title


def _unit(session: Session, settings: Settings) -> str:
    """Return the title of the unit that writes, as the heads of BAST say it."""
    unit = settings.custody.unit
    row = session.exec(select(Agency).where(Agency.name == unit)).first()
    return row.title or row.name if row else unit
