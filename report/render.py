"""Report → readiness.json and the PDF that prints it. The only module that knows Typst.

The PDF is a function of the JSON: Typst reads it as data, so a hostile name stays a string, and the file is
attached to the PDF. Same report, same bytes: the only clock is the report's own `now`.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import typst

from report.figures import Block, Heat, Numbers, Report, Stack
from siaga.errors import SiagaError

HERE = Path(__file__).parent
STANDARDS: Final[tuple[Literal["ua-1", "a-3a"], ...]] = ("ua-1", "a-3a")
SCHEMA = "siaga-readiness-1"


def as_json(report: Report) -> bytes:
    """Return readiness.json: everything the PDF prints, with values beside what is shown; UTF-8, stable."""
    document = {
        "schema": SCHEMA,
        "lang": report.lang,
        "meta": report.meta,
        "words": report.words,
        "parameters": [asdict(f) for f in report.parameters],
        "figures": [asdict(f) for f in report.figures],
        "chapters": [
            {"number": c.number, "title": c.title, "blocks": [_block(b) for b in c.blocks]}
            for c in report.chapters
        ],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _block(block: Block) -> Mapping[str, Any]:
    """Return a block as JSON; figures are named by their ids, tuples get names."""
    if isinstance(block, Numbers):
        return {"kind": block.kind, "big": block.big, "ids": [f.id for f in block.figures]}
    plain = asdict(block)
    if isinstance(block, Heat):
        plain["rows"] = [
            {"label": label, "cells": list(c), "last": asdict(last)} for label, c, last in block.rows
        ]
        plain["legend"] = [{"tone": tone, "label": label} for tone, label in block.legend]
    if isinstance(block, Stack):
        plain["parts"] = [{"label": a, "count": n, "shown": s, "tone": t} for a, n, s, t in block.parts]
    return plain


def as_pdf(document: bytes) -> bytes:
    """Return the PDF (tagged, PDF/UA-1 and PDF/A-3a, with the JSON attached) of a readiness.json."""
    with _workplace(document) as place:
        made = _compile(place, document, "pdf")
    return made[0]


def as_pages(document: bytes, ppi: float = 80) -> list[bytes]:
    """Return each page as PNG, to look at."""
    with _workplace(document) as place:
        return _compile(place, document, "png", ppi)


def _workplace(document: bytes) -> tempfile.TemporaryDirectory[str]:
    """Make a directory that holds the template and the data: Typst can read nothing outside it."""
    place = tempfile.TemporaryDirectory(prefix="siaga-report-")
    for template in (HERE / "templates").glob("*.typ"):
        shutil.copyfile(template, Path(place.name) / template.name)
    (Path(place.name) / "readiness.json").write_bytes(document)
    return place


def _compile(place: str, document: bytes, kind: Literal["pdf", "png"], ppi: float = 80) -> list[bytes]:
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")]
    )
    now = datetime.fromisoformat(json.loads(document)["meta"]["now"])
    try:
        made = typst.compile(
            str(Path(place) / "readiness.typ"),
            root=place,
            font_paths=fonts,
            ignore_system_fonts=True,
            format=kind,
            ppi=ppi,
            sys_inputs={"hash": hashlib.sha256(document).hexdigest()},
            pdf_standards=list(STANDARDS) if kind == "pdf" else [],
            timestamp=now,
        )
    except typst.TypstError as error:
        raise SiagaError(
            "report-not-typeset", f"The report could not be typeset: {error.message}."
        ) from error
    return [made] if isinstance(made, bytes) else list(made or [])
