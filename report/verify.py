"""Verifies a report: is it what follows from its snapshot, and is the snapshot what is stored.

Each check says ok, failed, or not known: what is not kept any more (or not here) proves nothing either way.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any

from report.assessment_json import SCHEMA as ASSESSMENT
from report.assessment_json import as_json
from report.bundle import DOCUMENTS, JUDGED, RUBRIC, Opened
from report.judge import assess
from report.questions import Told
from report.records import (
    App,
    Climate,
    Document,
    Load,
    Logged,
    OwnHealth,
    Polled,
    Quality,
    RawDay,
    RawLine,
    Ups,
)
from report.rubric import Loaded
from report.snapshot import Snapshot, name_of, read
from siaga.errors import InvalidError, NotFoundError, SiagaError
from siaga.text import safe

# Facts that carry the hash of the samples they were computed from, and the fields that name their subject.
SAMPLED: Mapping[type, tuple[str, ...]] = {
    Load: ("line",),
    Quality: ("line",),
    Polled: ("device",),
    Climate: ("room", "device"),
    Ups: ("room", "device"),
    App: ("name",),
    Logged: ("device",),
    OwnHealth: ("name",),
    RawDay: ("day",),
    RawLine: ("line", "day"),
}
_TOLD = 5


class Found(StrEnum):
    """What a check found."""

    ok = "ok"
    failed = "failed"
    unknown = "not known"


@dataclass(frozen=True)
class Check:
    """One check and what it found, in a sentence."""

    what: str
    found: Found
    detail: str


@dataclass(frozen=True)
class Claim:
    """What a report claims: the assessment's bytes, its snapshot's hash, rubric, rubric's hash and language."""

    judged: bytes
    snapshot_sha256: str
    rubric: str
    rubric_sha256: str
    lang: str


def claim_of(data: bytes) -> Claim:
    """Return what a JSON report claims: an assessment, or a document that carries one under `assessment`.

    Raises InvalidError (`bad-report`).
    """
    try:
        tree = json.loads(data)
        inner = tree if tree.get("schema") == ASSESSMENT else tree["assessment"]
        if inner is not tree:
            inner = {"schema": ASSESSMENT, **{k: v for k, v in inner.items() if k != "schema"}}
            data = (json.dumps(inner, ensure_ascii=False, indent=2) + "\n").encode()
        words = [str(inner[k]) for k in ("snapshot_sha256", "rubric", "rubric_sha256", "lang")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidError("bad-report", "This is no report of siaga: it carries no assessment.") from None
    return Claim(data, *words)


def attached(pdf: bytes) -> bytes:
    """Return the JSON that a PDF of siaga carries. Raises InvalidError (`bad-report`).

    It is the one embedded file (ISO 32000-2, 7.11.4) whose stream is the JSON of a report, plain or Flate.
    """
    at = 0
    while (at := pdf.find(b"/EmbeddedFile", at) + 1) > 0:
        begins = pdf.find(b"stream", at)
        ends = pdf.find(b"endstream", begins)
        if begins < 0 or ends < 0:
            break
        body = pdf[begins + 6 : ends].removeprefix(b"\r").removeprefix(b"\n")
        for text in (body, _inflated(body)):
            if text.lstrip()[:1] == b"{":
                return text.rstrip(b"\r\n") + b"\n" if text.endswith(b"\n") else text
    raise InvalidError("bad-report", "This PDF carries no JSON of a report.")


def archive_part(pdf: bytes) -> str:
    """Return the part of PDF/A that a PDF says it is of (XMP, ISO 19005-1), such as 3a; '' where it says none."""
    part, level = (re.search(rb"<pdfaid:%b>(\w)</" % key, pdf) for key in (b"part", b"conformance"))
    return (part[1] + (level[1].lower() if level else b"")).decode() if part else ""


def _inflated(body: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(body)
    except zlib.error:
        return b""


def pages(pdf: bytes, again: bytes) -> Check:
    """Check that a PDF is what its own JSON gives when it is typeset anew.

    A signature is added behind it and changes nothing (ISO 32000-2, 7.5.6: an incremental update).
    """
    if pdf == again:
        return Check(
            "pages", Found.ok, "Typeset anew from the JSON it carries, the PDF is the same, byte for byte."
        )
    if pdf.startswith(again):
        more = len(pdf) - len(again)
        return Check(
            "pages", Found.ok, f"The same, and {more} bytes were added behind it, as a signature does."
        )
    sentence = (
        "Typeset anew from the JSON it carries, it is another PDF: changed, or of another version of siaga."
    )
    return Check("pages", Found.failed, sentence)


def judged_again(claim: Claim, data: bytes, loaded: Loaded) -> Iterator[Check]:
    """Check that the report follows from this snapshot and this rubric, byte for byte."""
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != claim.snapshot_sha256:
        yield Check(
            "snapshot",
            Found.failed,
            f"Its hash is {sha256[:16]}…, the report names {claim.snapshot_sha256[:16]}….",
        )
        return
    yield Check("snapshot", Found.ok, f"It has the hash that the report names: {sha256}.")
    if loaded.sha256 != claim.rubric_sha256:
        yield Check(
            "rubric", Found.failed, f"Rubric {safe(claim.rubric, 60)} is not the one the report was made by."
        )
        return
    yield Check("rubric", Found.ok, f"Rubric {loaded.rubric.version}, {loaded.sha256[:16]}….")
    _, told = read(data)
    again = as_json(assess(told, loaded, lang=claim.lang, snapshot_sha256=sha256))
    if again == claim.judged:
        yield Check(
            "figures", Found.ok, "Computed anew from the snapshot, every figure is the same, byte for byte."
        )
    else:
        where = ", ".join(_differing(again, claim.judged)) or "in its form"
        yield Check("figures", Found.failed, f"Computed anew the report differs: {where}.")


def _differing(again: bytes, said: bytes) -> list[str]:
    """Return the rows and figures in which two assessments differ."""
    one, other = json.loads(again), json.loads(said)
    rows = {r["id"]: r for r in other.get("rows", ())}
    found = [r["id"] for r in one["rows"] if rows.get(r["id"]) != r]
    found += [k for k in one if k != "rows" and one[k] != other.get(k)]
    return [safe(name, 60) for name in found[:_TOLD]]


def compared(told: Told, now: Callable[[type], Iterable[Any] | None]) -> Iterator[Check]:
    """Check the samples behind the snapshot against those that are stored now, subject by subject, by their hash."""
    changed, gone, same = [], 0, 0
    for kind, named_by in SAMPLED.items():
        subject = attrgetter(*named_by)
        try:
            current = {subject(f): f.sha256 for f in now(kind) or ()}
        except SiagaError as error:  # damaged samples are not those of the report
            changed.append(f"{name_of(kind)}: {error.sentence}")
            continue
        facts: Iterable[Any] = told.every(kind) or ()
        for fact in facts:
            name, then = subject(fact), fact.sha256
            held = current.get(name, "")
            if then and not held:
                gone += 1
            elif then != held:
                changed.append(f"{name_of(kind)} of {' '.join(str(getattr(fact, n)) for n in named_by)}")
            else:
                same += bool(then)
    if changed:
        more = f" and {len(changed) - _TOLD} more" if len(changed) > _TOLD else ""
        listed = ", ".join(safe(c, 80) for c in sorted(changed)[:_TOLD])
        yield Check(
            "samples", Found.failed, f"The stored samples are not those of the report: {listed}{more}."
        )
    elif gone:
        sentence = f"{same} series are unchanged; {gone} are not kept any more, or their row is gone."
        yield Check("samples", Found.unknown, sentence)
    else:
        yield Check("samples", Found.ok, f"{same} series of samples are those of the report.")


def filed(told: Told) -> frozenset[Any]:
    """Return the days whose raw samples the snapshot tells by their file."""
    return frozenset(one.day for one in told.every(RawDay) or ())


def history(snapshot: Snapshot, hash_now: str | None) -> Check:
    """Check that the inventory's history still holds the entry that was its last when the snapshot was taken."""
    number, then = snapshot.head.history
    if not number:
        return Check("history", Found.unknown, "The inventory had no history when the snapshot was taken.")
    if hash_now is None:
        return Check("history", Found.failed, f"Entry {number} is not in the inventory's history any more.")
    if hash_now != then:
        return Check("history", Found.failed, f"Entry {number} of the inventory's history was written anew.")
    return Check("history", Found.ok, f"Entry {number} of the inventory's history stands as it did.")


def documents(told: Told, state: Callable[[str], str]) -> Check:
    """Check the files of the register that the report counts. `state`: SHA-256 → ok, missing, changed."""
    some = [d for d in told.every(Document) or () if d.sha256]
    wrong = [(d.name, s) for d in some if (s := state(d.sha256)) != "ok"]
    if not wrong:
        return Check("documents", Found.ok, f"{len(some)} documents have the hashes that the report names.")
    listed = ", ".join(f"{safe(name, 60)} is {how}" for name, how in wrong[:_TOLD])
    return Check("documents", Found.failed, f"{len(wrong)} of {len(some)} documents: {listed}.")


def in_bundle(opened: Opened) -> Callable[[str], str]:
    """Return what tells the state of a document in a bundle."""

    def state(sha256: str) -> str:
        data = opened.files.get(f"{DOCUMENTS}/{sha256}")
        if data is None:
            return "missing"
        return "ok" if hashlib.sha256(data).hexdigest() == sha256 else "changed"

    return state


def signature(opened: Opened, known: Iterable[str]) -> Iterator[Check]:
    """Check the manifest's signature, by whom it is, and that the files are those of the manifest."""
    if not opened.signed:
        yield Check(
            "signature",
            Found.failed,
            "The manifest was changed after it was signed, or signed by another key.",
        )
    elif opened.key in set(known):
        yield Check("signature", Found.ok, f"Signed by {opened.key}.")
    else:
        yield Check(
            "signature",
            Found.unknown,
            f"Signed by {opened.key}, which is not known here: give it with --key.",
        )
    if opened.problems:
        yield Check("files", Found.failed, "; ".join(opened.problems[:_TOLD]) + ".")
    else:
        yield Check("files", Found.ok, f"{len(opened.files)} files are as the manifest lists them.")


def of_bundle(opened: Opened, known: Iterable[str], rubric: Callable[[bytes], Loaded]) -> Iterator[Check]:
    """Check a bundle by itself: no installation is needed."""
    yield from signature(opened, known)
    try:
        claim = claim_of(opened.files.get(JUDGED, b""))
        yield from judged_again(claim, opened.snapshot, rubric(opened.files.get(RUBRIC, b"")))
        _, told = read(opened.snapshot)
        yield documents(told, in_bundle(opened))
    except (InvalidError, NotFoundError) as error:
        yield Check("report", Found.failed, error.sentence)


def guarded(what: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield checks; what cannot be looked at is not known, and says why."""
    try:
        yield from checks()
    except SiagaError as error:
        yield Check(what, Found.unknown, error.sentence)
