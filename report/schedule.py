"""The report that makes itself: one for a period, kept in the home, told to the people on a route with what changed.

`<home>/reports/<period>/` is made aside and renamed into place, so that a period has its report whole or not at all;
a period that has one keeps it. History is only added to.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from report import periods
from report.archive import FOLDER, LIMIT, NAME
from report.changes import Change, changes
from report.language import Tongue
from report.service import Order, make
from siaga.clock import utc_now
from siaga.errors import InvalidError, NotFoundError, SiagaError, UsageError
from siaga.outcome import Column, Outcome
from siaga.settings import Settings, load
from siaga.text import safe

SHOWN = 12  # changes in a mail
FILES = ("readiness.pdf", "readiness.html", "readiness.xlsx")


@dataclass(frozen=True)
class Run:
    """What was asked for: the period ('' is the last month that is over), the route to tell, the language."""

    period: str = ""
    route: str = ""
    lang: str = ""
    illustrative: bool = False


def run(wanted: Run, now: datetime | None = None) -> Outcome:
    """Make the report of a period unless it is there, and tell it. Raises SiagaError."""
    settings, now = load(), now or utc_now()
    name = wanted.period or periods.last_month(now, settings.timezone)
    period = periods.named(name, settings.timezone)
    if period.until > now:
        raise UsageError("period-not-over", f"{period.label} is not over: its report is made when it is.")
    place = settings.home / FOLDER / period.label
    fresh = not (place / NAME).exists()
    if fresh:
        _make(place, Order((), wanted.lang, period=period.label, illustrative=wanted.illustrative))
    tree = read(place / NAME)
    old = _previous(settings, period.label)
    found = changes(old, tree) if old else []
    told = _tell(settings, wanted.route, place, tree, found, old is not None, now) if wanted.route else []
    row = {
        "period": period.label,
        "folder": str(place),
        "made": fresh,
        "changes": len(found),
        "told": ", ".join(told),
    }
    said = "is in" if fresh else "was there already and is kept in"
    return Outcome(rows=[row], single=True, messages=[f"The report of {period.label} {said} {place}."])


def _make(place: Path, order: Order) -> None:
    """Make all forms aside and rename the folder into place."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:
        raise SiagaError("cannot-write", f"{place.parent} cannot be written: {error.strerror}.") from None
    try:
        make(replace(order, outputs=tuple(aside / f for f in FILES)))
        os.chmod(aside, 0o755)  # noqa: PTH101, S103 - mkdtemp makes 0700, a report is to be read
        aside.rename(place)
    except OSError as error:
        raise SiagaError("cannot-write", f"{place} cannot be written: {error.strerror}.") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _previous(settings: Settings, label: str) -> dict[str, Any] | None:
    path = settings.home / FOLDER / periods.before(label, settings.timezone) / NAME
    return read(path) if path.exists() else None


def read(path: Path) -> dict[str, Any]:
    """Return a report's JSON as a tree. Raises NotFoundError (`cannot-read`), InvalidError (`not-a-report`)."""
    try:
        if path.stat().st_size > LIMIT:
            raise InvalidError("not-a-report", f"{safe(path, 200)} is larger than {LIMIT} bytes.")
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFoundError("cannot-read", f"{safe(path, 200)} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise InvalidError("not-a-report", f"{safe(path, 200)} is no JSON of a report.") from None
    if not isinstance(tree, dict) or not str(tree.get("schema", "")).startswith("siaga-readiness-"):
        raise InvalidError("not-a-report", f"{safe(path, 200)} is no JSON of a report.")
    return tree


def difference(old: Path, new: Path) -> Outcome:
    """Return what changed between two reports, given by their JSON."""
    found = changes(read(old), read(new))
    rows = [
        {
            "kind": c.kind,
            "id": c.id,
            "before": c.before,
            "after": c.after,
            "better": c.better,
            "name": c.name,
        }
        for c in found
    ]
    columns = [Column(k, k) for k in ("kind", "id", "before", "after", "better", "name")]
    return Outcome(rows, columns, [] if rows else ["The two reports say the same."])


# --- telling it


def _tell(
    settings: Settings,
    route: str,
    place: Path,
    tree: Mapping[str, Any],
    found: Sequence[Change],
    compared: bool,
    now: datetime,
) -> list[str]:
    """Send it by a route of the notifications to everybody on it; raises what these raise."""
    from inventory.store import open_engine, reading
    from monitor.notify.letter import Letter, Sent
    from monitor.notify.outfit import outfit
    from monitor.notify.receivers import receivers
    from siaga.errors import PartialError

    engine = open_engine(settings)
    ready = outfit(engine, settings, route)
    with reading(engine) as session:
        to = receivers(session, ready.route, ready.channel.ADDRESS, now, settings.timezone)
    if not to:
        raise InvalidError("nobody-to-tell", f"The route '{safe(route, 60)}' leads to nobody: see its 'to'.")
    lang = ready.route.language or settings.language
    text = letter_text(tree, found, compared, place, lang)
    pdf = place / FILES[0]
    attached = ((f"readiness-{place.name}.pdf", "application/pdf", pdf.read_bytes()),)
    wrong = []
    for receiver in to:
        letter = Letter(
            f"report/{place.name}",
            receiver,
            text,
            (),
            now,
            settings.home,
            ready.route.timeout_s,
            ready.username,
            ready.secret,
            language=lang,
            attachments=attached,
        )
        result = ready.channel.send(letter, ready.options)
        if not isinstance(result, Sent):
            wrong.append(f"{receiver or ready.channel.KIND}: {result.why}")
    if wrong:
        raise PartialError("not-told", f"The report is in {place}, but not everybody could be told.", wrong)
    return [receiver or ready.channel.KIND for receiver in to]


def letter_text(
    tree: Mapping[str, Any], found: Sequence[Change], compared: bool, place: Path, lang: str
) -> Any:
    """Return the mail: what the report is, what changed since the period before, and where it lies."""
    from monitor.notify.letter import Text

    t = Tongue(lang)
    meta = tree["meta"]
    head = t.say("mail-head", title=tree["words"]["title"], regency=meta["regency"], period=place.name)
    lines = [meta["period"], meta["internal"], ""]
    if not compared:
        lines.append(t.say("change-none"))
    elif not found:
        lines.append(t.say("mail-same"))
    else:
        lines.append(t.say("mail-changes", count=t.number(len(found))))
        lines += [f"- {c.id} {c.name}: {c.before} → {c.after}" for c in found[:SHOWN]]
        more = len(found) - SHOWN
        lines += [t.say("and-more", more=t.number(more))] if more > 0 else []
    lines += ["", t.say("mail-place", place=str(place))]
    return Text(head, tuple(safe(line, 400) for line in lines))


def timer(executable: str, home: Path, config: str, route: str) -> Outcome:
    """Return a systemd service and timer, and the cron line that does the same, for this installation."""
    told = f" --route {route}" if route else ""
    environment = f"Environment=SIAGA_HOME={home}" + (
        f"\nEnvironment=SIAGA_CONFIG={config}" if config else ""
    )
    variables = f"SIAGA_HOME={home} " + (f"SIAGA_CONFIG={config} " if config else "")
    text = f"""# /etc/systemd/system/siaga-report.service
[Unit]
Description=Monthly readiness report
After=network-online.target

[Service]
Type=oneshot
{environment}
ExecStart={executable} report monthly{told}

# /etc/systemd/system/siaga-report.timer
[Unit]
Description=Monthly readiness report

[Timer]
OnCalendar=*-*-01 05:00
RandomizedDelaySec=15min
Persistent=true

[Install]
WantedBy=timers.target

# or a line of cron (crontab -e):
0 5 1 * * {variables}{executable} report monthly{told}
"""
    return Outcome(text=text)
