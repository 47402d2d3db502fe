"""One order for a report, from arguments to two files: where the parts of the floor meet."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from inventory.store import open_engine
from monitor.samples import open_samples
from report.figures import Report
from report.files import write_both
from report.language import LANGUAGES
from report.reader import Window, read
from report.readiness import build
from report.render import as_json, as_pdf
from siaga.clock import shown, utc_now
from siaga.errors import UsageError
from siaga.outcome import Outcome
from siaga.settings import Settings, load

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Order:
    """What was asked for, as it was written."""

    output: Path
    lang: str = ""
    since: str = "30d"
    at: str = ""
    letter: str = ""
    illustrative: bool = False


def make(order: Order) -> Outcome:
    """Read, compute, typeset and write. Raises SiagaError; then no file is new."""
    settings = load()
    lang = order.lang or settings.language
    if lang not in LANGUAGES:
        raise UsageError(
            "no-such-language", f"There is no report in '{lang}': use one of {', '.join(LANGUAGES)}."
        )
    if order.output.suffix.lower() != ".pdf":
        raise UsageError("not-a-pdf", f"The report is a PDF: '{order.output}' should end in .pdf.")
    report = compute(settings, order, lang)
    document = as_json(report)
    json_path = write_both(order.output, as_pdf(document), document)
    row = {
        "pdf": str(order.output),
        "json": str(json_path),
        "figures": len(report.figures),
        "since": shown(datetime.fromisoformat(str(report.meta["since"]))),
        "until": shown(datetime.fromisoformat(str(report.meta["until"]))),
        "illustrative": report.meta["illustrative"],
    }
    return Outcome(rows=[row], single=True, messages=[f"The readiness report is in {order.output}."])


def compute(settings: Settings, order: Order, lang: str) -> Report:
    """Compute the report of an order from the database and the samples."""
    now = utc_now().replace(microsecond=0)
    until = moment(order.at, now, settings.timezone) if order.at else now
    since = moment(order.since, until, settings.timezone)
    if since >= until:
        raise UsageError("empty-window", f"The window is empty: it begins {since} and ends {until}.")
    window = Window(since, until, settings.poll.interval_s)
    engine = open_engine(settings)
    with open_samples(settings.home) as samples:
        facts = read(engine, samples, window, illustrative=order.illustrative)
    return build(facts, now=until, lang=lang, letter=order.letter)


def moment(text: str, end: datetime, zone: str) -> datetime:
    """Return the time meant by `30d` (before `end`) or an ISO date or time (in `zone` unless it has one)."""
    back = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip())
    if back:
        return end - timedelta(**{_UNITS[back[2]]: int(back[1])})
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            "bad-time", f"'{text}' is no time: write 30d, 12h, 45m, or 2026-11-23T07:00."
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
