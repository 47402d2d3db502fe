"""Adds documents and looks at them: where the register's rows and its files meet."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from inventory.models_people import Evidence
from inventory.store import open_engine, reading
from inventory.writes import told, write
from report import evidence
from report.papers import BY_ITSELF
from report.periods import day
from report.rubric import Rubric
from report.rubric import load as load_rubric
from siaga.clock import utc_now
from siaga.errors import InvalidError, UsageError
from siaga.outcome import Outcome
from siaga.settings import load
from siaga.text import safe


@dataclass(frozen=True)
class Given:
    """What was given, as it was written."""

    file: Path
    kind: str
    date: str
    signer: str = ""
    valid_until: str = ""
    title: str = ""
    about: str = ""
    result: str = ""
    name: str = ""


def add(given: Given, *, dry_run: bool, why: str) -> Outcome:
    """Store the file, then write its row. Raises what `evidence.put` and the writer raise.

    A file whose row is refused stays behind, known to nobody; that is better than a row without its file.
    """
    settings = load()
    kinds = load_rubric().rubric.evidence_kinds
    if given.kind not in kinds:
        raise InvalidError(
            "no-such-kind", f"There is no kind '{safe(given.kind, 60)}' {_near(given.kind, list(kinds))}."
        )
    dated = day(given.date)
    if given.valid_until and day(given.valid_until) < dated:
        raise InvalidError("bad-dates", "The document would end before it is dated.")
    with reading(open_engine(settings)) as session:
        taken = list(session.exec(select(Evidence.name)))
    stored = evidence.Stored("", 0, "") if dry_run else evidence.put(settings.home, given.file)
    noun, _, row = given.about.partition("/")
    values: dict[str, Any] = {
        "name": given.name or evidence.named(given.kind, dated, taken),
        "kind": given.kind,
        "title": given.title or given.file.stem,
        "dated": given.date,
        "signer": given.signer,
        "valid_until": given.valid_until or None,
        "target_noun": noun or None,
        "target": row or None,
        "result": given.result,
        "sha256": stored.sha256,
        "media_type": stored.media_type,
        "size_bytes": stored.size_bytes or None,
    }
    if given.about and not row:
        raise UsageError("bad-target", f"'{safe(given.about, 60)}' names no row: write service/e-planning.")
    done = write(lambda _s, writer, _: _put(writer, values), dry_run=dry_run, why=why)
    return told(*done, dry_run=dry_run)


def _put(writer: Any, values: dict[str, Any]) -> None:
    writer.put("evidence", values, mode="add")


def _near(kind: str, kinds: list[str]) -> str:
    near = difflib.get_close_matches(kind, kinds, 1)
    return f"(did you mean '{near[0]}'?)" if near else f"of document; there are {', '.join(kinds)}"


def check() -> tuple[list[dict[str, Any]], int]:
    """Return what was found of every document, and how many were looked at."""
    settings = load()
    with reading(open_engine(settings)) as session:
        rows = list(session.exec(select(Evidence).order_by(col(Evidence.name))))
    today = utc_now().astimezone(ZoneInfo(settings.timezone)).date()
    papers = [
        evidence.Paper(safe(r.name), r.kind, r.dated, r.valid_until, r.sha256)
        for r in rows
        if r.kind not in BY_ITSELF
    ]
    found = evidence.checked(settings.home, papers, today, oldest(load_rubric().rubric))
    return [
        {
            "name": c.paper.name,
            "kind": c.paper.kind,
            "dated": c.paper.dated,
            "age_days": c.age_days,
            "valid_until": c.paper.valid_until,
            "file": c.file,
            "problem": c.problem,
        }
        for c in found
    ], len(papers)


def oldest(rubric: Rubric) -> dict[str, int]:
    """Return kind → how many days old a document of it may be and still count for some level."""
    found: dict[str, int] = {}
    for row in rubric.indicators:
        for _, _, needs in row.steps():
            for need in needs:
                for kind, days in need.documents():
                    found[kind] = max(found.get(kind, 0), days)
    return found


def kinds(lang: str) -> list[dict[str, Any]]:
    """Return the kinds of documents, what they are, how old they may be, and the rows that ask for them."""
    rubric = load_rubric().rubric
    ages = oldest(rubric)
    asking: dict[str, list[str]] = {}
    for row in rubric.indicators:
        for kind in {k for _, _, needs in row.steps() for n in needs for k in n.kinds()}:
            asking.setdefault(kind, []).append(row.id)
    return [
        {
            "kind": key,
            "title": title.of(lang),
            "oldest_days": ages.get(key),
            "rows": " ".join(asking.get(key, [])),
        }
        for key, title in rubric.evidence_kinds.items()
    ]
