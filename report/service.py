"""One order for a report, from arguments to its files: where the parts of the floor meet."""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from inventory.store import open_engine, reading
from monitor.availability import window as observed
from monitor.samples import SampleStore, open_samples
from report import actions, books_reader, listings, outlines, questions
from report.archive import earlier, last
from report.asked.watching import told_of_itself
from report.books import Matter, Signs
from report.exports.order import regency_on
from report.figures import Report
from report.files import write_all
from report.forms import FORMS, made
from report.judging import Judged, judge
from report.language import chosen
from report.periods import Period, day, of
from report.reader import Window, read
from report.readiness import build
from report.records import Load, OwnHealth
from report.render import as_json
from report.rubric import LATEST
from report.rubric import load as load_rubric
from report.scope import narrowed, scope_of
from report.snapshot import Snapshot, name_of
from report.store import person
from siaga.clock import shown, utc_now
from siaga.errors import UsageError
from siaga.outcome import Outcome
from siaga.settings import Settings, load
from siaga.text import safe

Fact = TypeVar("Fact")


@dataclass(frozen=True)
class Order:
    """What was asked for, as it was written. `pdfa`: the PDF/A standard, '' for PDF/UA-1 and PDF/A-3a together."""

    outputs: tuple[Path, ...]
    lang: str = ""
    since: str = "30d"
    at: str = ""
    letter: str = ""
    illustrative: bool = False
    period: str = ""
    place: str = ""
    agency: str = ""
    pdfa: str = ""
    signer: str = ""
    dated: str = ""
    rubric: str = ""


def make(order: Order) -> Outcome:
    """Read, compute, typeset and write. Raises SiagaError; then no file is new."""
    settings = load()
    lang = chosen(order.lang or settings.language)
    _checked(order.outputs)
    report = compute(settings, order, lang)
    document = as_json(report)
    json_path = order.outputs[0].with_suffix(".json")
    files = [(p, made(p.suffix.lower(), document, order.pdfa)) for p in order.outputs]
    write_all([(json_path, document), *((p, data) for p, data in files if p != json_path)])
    return _told(report, order, json_path)


def _checked(outputs: tuple[Path, ...]) -> None:
    """Raise UsageError (`unknown-format`) for a file that is none of the forms, before anything is read."""
    for path in outputs:
        if path.suffix.lower() not in FORMS:
            sentence = f"'{safe(path, 120)}' should end in {', '.join(FORMS)}."
            raise UsageError("unknown-format", sentence)


def _told(report: Report, order: Order, json_path: Path) -> Outcome:
    names = {p.suffix.lower().lstrip("."): str(p) for p in order.outputs}
    row = {
        **names,
        "json": str(json_path),
        "figures": len(report.figures),
        "since": shown(datetime.fromisoformat(str(report.meta["since"]))),
        "until": shown(datetime.fromisoformat(str(report.meta["until"]))),
        "illustrative": report.meta["illustrative"],
    }
    return Outcome(rows=[row], single=True, messages=[f"The readiness report is in {order.outputs[0]}."])


def compute(settings: Settings, order: Order, lang: str) -> Report:
    """Compute the report of an order from the database and the samples."""
    now = utc_now().replace(microsecond=0)
    period = of(order.period, order.since, order.at, now, settings.timezone)
    with open_samples(settings.home) as samples:
        matter = gathered(settings, samples, period, order, lang, now)
    signs = _signs(settings, order)
    return build(matter, now=period.until, lang=lang, letter=order.letter, signs=signs)


def _signs(settings: Settings, order: Order) -> Signs:
    """Return the signature block. Raises NotFoundError (`no-such-person`), UsageError (`bad-time`)."""
    on = day(order.dated) if order.dated else None
    if not order.signer:
        return Signs(place=settings.custody.place if on else "", on=on)
    with reading(open_engine(settings)) as session:
        row = person(session, order.signer)
    return Signs(row.name, row.nip, row.title or row.role, settings.custody.place, on)


def _judged(settings: Settings, period: Period, rubric: str, lang: str) -> Judged:
    """Return the judgement of the period; its snapshot is kept, so that the report can be verified."""
    asked = questions.Period(period.since, period.until, settings.timezone)
    return judge(settings, asked, rubric=rubric, lang=lang)


def carried(snapshot: Snapshot) -> dict[str, Load]:
    """Return line → what it carried, from the lines of the snapshot that say it."""
    return {load.line: load for load in _facts(snapshot, Load)}


def _facts(snapshot: Snapshot, kind: type[Fact]) -> list[Fact]:
    """Return the facts of a kind whose fields are plain values."""
    rows = [json.loads(line) for line in snapshot.parts[name_of(kind)].splitlines()]
    return [kind(**{k: v for k, v in row.items() if k != "fact"}) for row in rows if "fact" in row]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Make no search for garbage in rings: half a million facts that all stay are gone through again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_uncollected()
def gathered(
    settings: Settings, samples: SampleStore, period: Period, order: Order, lang: str, now: datetime
) -> Matter:
    """Read everything that a report of a period is made of."""
    engine = open_engine(settings)
    window = Window(period.since, period.until, settings.poll.interval_s)
    rubric = order.rubric or LATEST
    found = None if order.place or order.agency else _judged(settings, period, rubric, lang)
    known = carried(found.snapshot) if found else None
    facts = read(engine, samples, window, illustrative=order.illustrative, known=known)
    with reading(engine) as session:
        regency = regency_on(session, settings, period.until)
        scope = scope_of(session, regency, order.place, order.agency)
        lists = listings.read(session, settings, period.until, agency=order.agency, place=order.place)
        books = books_reader.read(
            session,
            samples,
            observed(settings, period.since, period.until),
            zone=settings.timezone,
            now=now,
            listings=lists,
            scope=scope,
        )
    shapes, source = outlines.outlines(facts.code, settings.home)
    return Matter(
        facts=narrowed(facts, scope),
        books=books,
        judged=found.assessment if found else None,
        kinds={key: both.of(lang) for key, both in load_rubric(rubric).rubric.evidence_kinds.items()},
        actions=actions.planned(settings.home),
        scope=scope.title if scope else "",
        label=period.label,
        before=earlier(settings.home, period) if scope is None else (),
        last=last(settings.home, period) if scope is None else None,
        outlines=shapes,
        outlines_source=source,
        own=_facts(found.snapshot, OwnHealth)[0]
        if found
        else told_of_itself(samples, period.since, period.until),
    )
