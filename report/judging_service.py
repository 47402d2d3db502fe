"""Commands of the judgement: explain one indicator, list all, write a bundle. Where arguments meet the parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from report import evidence
from report.asked.kept import kept
from report.assessment import Assessment, Row
from report.assessment_json import as_json, as_tree
from report.bundle import packed
from report.explain import explained
from report.files import write_all
from report.judge import assess
from report.judging import Judged, judge
from report.language import chosen
from report.periods import of
from report.questions import Period
from report.records import Document
from report.rubric import LATEST
from report.rubric import load as load_rubric
from report.snapshot import read
from siaga.clock import utc_now
from siaga.outcome import Column, Format, Outcome
from siaga.settings import Settings, load
from siaga.signing import open_signer


def period_of(settings: Settings, period: str, since: str, at: str) -> Period:
    """Return the period meant. Raises UsageError."""
    found = of(period, since, at, utc_now().replace(microsecond=0), settings.timezone)
    return Period(found.since, found.until, settings.timezone)


def explain(key: str, *, period: str, since: str, at: str, lang: str, rubric: str) -> Outcome:
    """Explain one indicator; only what it asks for is read. Raises NotFoundError (`no-such-indicator`)."""
    settings = load()
    loaded = load_rubric(rubric or LATEST)
    wanted = loaded.rubric.row(key)
    with kept(settings, period_of(settings, period, since, at), loaded.rubric.limits) as ask:
        found = assess(ask, loaded, lang=chosen(lang or settings.language), only=wanted.id)
        (row,) = found.rows
        return Outcome(text=explained(row, found, ask))


def listed(
    *, period: str, since: str, at: str, lang: str, rubric: str, output: Format, fields: list[str]
) -> Outcome:
    """List every indicator with its value and level; the index with its interval stands below."""
    settings = load()
    found = judge(
        settings,
        period_of(settings, period, since, at),
        rubric=rubric or LATEST,
        lang=chosen(lang or settings.language),
        keep=False,
    ).assessment
    rows = list(as_rows(found)) if output is not Format.table else [_row(r) for r in found.rows]
    index = "-" if found.index.value is None else f"{found.index.value:.2f}"
    shares = found.shares
    messages = [
        f"{found.label}: {index} [{found.index.low:.2f}, {found.index.high:.2f}] {found.band}".rstrip(),
        f"{shares.good} good, {shares.moderate} moderate, {shares.poor} poor, {shares.no_data} without data.",
    ]
    return Outcome(rows, _COLUMNS, messages, format=output, fields=fields, style=_STYLE)


_COLUMNS = (
    Column("id", "id"),
    Column("name", "indicator"),
    Column("value", "value", right=True),
    Column("unit", "unit"),
    Column("coverage_pct", "known %", right=True),
    Column("level", "level", right=True),
    Column("target", "target", right=True),
    Column("weight", "weight", right=True, wide=True),
    Column("next", "what would raise it, or is lacking", wide=True),
)
_STYLE = {
    ("level", str(n)): style
    for n, style in ((1, "bold red"), (2, "red"), (3, "yellow"), (4, "green"), (5, "green"))
}


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "value": row.reading.value,
        "unit": row.reading.unit,
        "coverage_pct": round(100 * row.reading.coverage, 1),
        "level": row.level,
        "target": row.target,
        "weight": row.weight,
        "next": row.next_step or row.reason,
    }


def as_rows(found: Assessment) -> Iterator[dict[str, Any]]:
    """Yield the rows whole, as plain values."""
    yield from as_tree(found)["rows"]


def bundle(output: Path, *, period: str, since: str, at: str, lang: str, rubric: str) -> Outcome:
    """Write the evidence bundle of a period. Raises what the stores raise, SiagaError (`cannot-write`)."""
    settings = load()
    signer = open_signer(settings.home)
    found = judge(
        settings,
        period_of(settings, period, since, at),
        rubric=rubric or LATEST,
        lang=chosen(lang or settings.language),
    )
    papers, lacking = documents(settings.home, found)
    data = packed(found.snapshot, as_json(found.assessment), found.loaded.data, papers, signer)
    write_all([(output, data)])
    row = {
        "bundle": str(output),
        "bytes": len(data),
        "snapshot_sha256": found.snapshot.sha256,
        "documents": len(papers),
        "key": signer.public,
    }
    messages = [f"The evidence bundle is in {output}; 'siaga report verify {output}' checks it anywhere."]
    if lacking:
        messages.append(
            f"{lacking} documents have no file here, or not the one of their hash: see 'siaga evidence check'."
        )
    return Outcome([row], single=True, messages=messages)


def documents(home: Path, found: Judged) -> tuple[dict[str, bytes], int]:
    """Return the files of the register that the snapshot names, and how many are lacking or changed."""
    _, told = read(found.snapshot.data)
    hashes = sorted({d.sha256 for d in told.every(Document) or () if d.sha256})
    sound = {h: evidence.place(home, h).read_bytes() for h in hashes if evidence.state_of(home, h) == "ok"}
    return sound, len(hashes) - len(sound)
