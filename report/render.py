"""Report → readiness.json and the PDF that prints it; and any other template's PDF. The only module that knows Typst.

The PDF is a function of the JSON: Typst reads it as data, so a hostile name stays a string, and the file is
attached to the PDF. Same report, same bytes: the only clock is the report's own `now`.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import typst

from report import assessment_json
from report.figures import Block, Heat, Numbers, Pair, Record, Report, Stack
from siaga.clock import JAKARTA
from siaga.errors import SiagaError, UsageError
from siaga.text import safe

HERE = Path(__file__).parent
Standard = Literal["ua-1", "a-1a", "a-1b", "a-2a", "a-2b", "a-3a", "a-3b", "a-4", "a-4f"]
STANDARDS: Final[tuple[Standard, ...]] = ("ua-1", "a-3a")
# What an archive may ask for; those of the first column may carry the JSON inside.
ARCHIVES: Final[Mapping[str, tuple[bool, tuple[Standard, ...]]]] = {
    "3a": (True, ("ua-1", "a-3a")),
    "3b": (True, ("ua-1", "a-3b")),
    "4f": (True, ("a-4f",)),
    "2a": (False, ("ua-1", "a-2a")),
    "2b": (False, ("ua-1", "a-2b")),
}
SCHEMA = "siaga-readiness-1"
WEIGHTS: Final[Mapping[str, int]] = {"Regular": 400, "SemiBold": 600, "Bold": 700}  # of the one font


def as_json(report: Report) -> bytes:
    """Return readiness.json: everything the PDF prints, with values beside what is shown; UTF-8, stable.

    Each figure and each block is one line: a tenth of the time of an indented tree, and lines can be compared.
    """
    chapters = [
        f'{{"number": {_text(c.number)}, "title": {_text(c.title)}, "wide": {_text(c.wide)}, "blocks": '
        f"{_lines(map(_block, c.blocks))}}}"
        for c in report.chapters
    ]
    parts = {
        "schema": _text(SCHEMA),
        "lang": _text(report.lang),
        "meta": _text(report.meta),
        "words": _text(report.words),
        "parameters": _lines(report.parameters),
        "figures": _lines(report.figures),
        "assessment": _text(_assessment(report)),
        "chapters": "[\n" + ",\n".join(chapters) + "\n]",
    }
    return ("{\n" + ",\n".join(f'"{name}": {text}' for name, text in parts.items()) + "\n}\n").encode()


def _assessment(report: Report) -> Mapping[str, object] | None:
    """Return the judgement as `siaga report verify` computes it anew."""
    if report.assessment is None:
        return None
    return {"schema": assessment_json.SCHEMA, **assessment_json.as_tree(report.assessment)}


def _lines(values: Iterable[object]) -> str:
    rows = [_text(v) for v in values]
    return "[\n" + ",\n".join(rows) + "\n]" if rows else "[]"


def _plain(value: object) -> object:
    """Return a frozen value by its fields, for JSON."""
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        return vars(value)
    raise TypeError(f"{type(value).__name__} is no value of a report")


_text = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain).encode


def _block(block: Block) -> object:
    """Return a block for JSON; figures are named by their ids, tuples get names."""
    if isinstance(block, Numbers):
        return {"kind": block.kind, "big": block.big, "ids": [f.id for f in block.figures]}
    if isinstance(block, Pair):
        return {**vars(block), "blocks": [_block(b) for b in block.blocks]}
    if isinstance(block, Record):
        return {**vars(block), "pairs": [{"label": label, "text": text} for label, text in block.pairs]}
    if isinstance(block, Heat):
        rows = [{"label": label, "cells": cells, "last": last} for label, cells, last in block.rows]
        legend = [{"tone": tone, "label": label} for tone, label in block.legend]
        return {**vars(block), "rows": rows, "legend": legend}
    if isinstance(block, Stack):
        parts = [{"label": a, "count": n, "shown": s, "tone": t} for a, n, s, t in block.parts]
        return {**vars(block), "parts": parts}
    return block


def as_pdf(document: bytes, pdfa: str = "") -> bytes:
    """Return the PDF (tagged, PDF/UA-1 and PDF/A-3a, with the JSON attached) of a readiness.json.

    `pdfa` names another part of PDF/A; PDF/A-2 permits no attachment of that kind, so there the JSON stays beside.
    Raises UsageError (`no-such-standard`), SiagaError.
    """
    if pdfa and pdfa not in ARCHIVES:
        sentence = f"There is no PDF/A-{safe(pdfa, 20)}: use one of {', '.join(ARCHIVES)}."
        raise UsageError("no-such-standard", sentence)
    attached, standards = ARCHIVES[pdfa or "3a"]
    given = {**_hash(document), "attach": "yes" if attached else ""}
    made = _compile(
        "readiness.typ", {"readiness.json": document}, _now(document), given, "pdf", standards=standards
    )
    return made[0]


def as_pages(document: bytes, ppi: float = 80) -> list[bytes]:
    """Return each page as PNG, to look at."""
    files = {"readiness.json": document}
    return pictures("readiness.typ", files, now=_now(document), inputs=_hash(document), ppi=ppi)


def _now(document: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(document)["meta"]["now"])


def _hash(document: bytes) -> dict[str, str]:
    return {"hash": hashlib.sha256(document).hexdigest()}


def letter_pdf(template: str, attached: str, data: bytes) -> bytes:
    """Return the PDF (tagged, PDF/UA-1 and PDF/A-3a, with the JSON attached) of a letter's JSON.

    Its clock is midnight in Jakarta of the day that the letter is `dated`.
    """
    return typeset(template, {attached: data}, now=_midnight(data))


def letter_pages(template: str, attached: str, data: bytes, ppi: float = 80) -> list[bytes]:
    """Return each page of a letter as PNG, to look at."""
    return pictures(template, {attached: data}, now=_midnight(data), ppi=ppi)


def _midnight(data: bytes) -> datetime:
    on = date.fromisoformat(json.loads(data)["dated"])
    return datetime(on.year, on.month, on.day, tzinfo=ZoneInfo(JAKARTA)).astimezone(UTC)


def typeset(
    template: str, files: Mapping[str, bytes], *, now: datetime, inputs: Mapping[str, str] | None = None
) -> bytes:
    """Return the PDF (tagged, PDF/UA-1 and PDF/A-3a) that a template of report/templates makes of its data files.

    `now`, aware, is the only clock, so that the same files make the same bytes. Raises SiagaError.
    """
    return _compile(template, files, now, inputs or {}, "pdf")[0]


def pictures(
    template: str,
    files: Mapping[str, bytes],
    *,
    now: datetime,
    inputs: Mapping[str, str] | None = None,
    ppi: float = 80,
) -> list[bytes]:
    """Return each page as PNG, to look at."""
    return _compile(template, files, now, inputs or {}, "png", ppi)


def _workplace(files: Mapping[str, bytes]) -> tempfile.TemporaryDirectory[str]:
    """Make a directory that holds the templates and the data: Typst can read nothing outside it."""
    place = tempfile.TemporaryDirectory(prefix="siaga-report-")
    for template in (HERE / "templates").glob("*.typ"):
        shutil.copyfile(template, Path(place.name) / template.name)
    for name, data in files.items():
        (Path(place.name) / name).write_bytes(data)
    return place


def _fonts() -> typst.Fonts:
    """Return the shipped fonts and no others. Raises SiagaError (`font-missing`): Typst would leave the pages empty."""
    found = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")]
    )
    there = {(f.family, f.weight) for f in found.fonts()}
    lacking = [name for name, weight in WEIGHTS.items() if ("Inter", weight) not in there]
    if lacking:
        names = ", ".join(f"Inter-{name}.otf" for name in lacking)
        raise SiagaError("font-missing", f"{HERE / 'fonts'} has no sound {names}: install siaga anew.")
    return found


def _compile(
    template: str,
    files: Mapping[str, bytes],
    now: datetime,
    inputs: Mapping[str, str],
    kind: Literal["pdf", "png"],
    ppi: float = 80,
    standards: Sequence[Standard] = STANDARDS,
) -> list[bytes]:
    fonts = _fonts()
    with _workplace(files) as place:
        try:
            made = typst.compile(
                str(Path(place) / template),
                root=place,
                font_paths=fonts,
                ignore_system_fonts=True,
                format=kind,
                ppi=ppi,
                sys_inputs=dict(inputs),
                pdf_standards=list(standards) if kind == "pdf" else [],
                timestamp=now,
            )
        except typst.TypstError as error:
            raise SiagaError(
                "report-not-typeset", f"The report could not be typeset: {error.message}."
            ) from error
    return [made] if isinstance(made, bytes) else list(made or [])
