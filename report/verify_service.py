"""`siaga report verify FILE`: what an installation knows, held against a JSON, a PDF or a bundle."""

from collections.abc import Iterator
from pathlib import Path

from inventory.models import Change
from inventory.store import open_engine, reading
from report import evidence, verify
from report.asked.kept import kept
from report.bundle import opened
from report.judging import stored
from report.render import ARCHIVES, as_pdf
from report.rubric import LATEST, Loaded, load, read, versions
from report.snapshot import read as read_snapshot
from report.verify import Check, Found
from siaga.errors import InvalidError, NotFoundError, SiagaError
from siaga.outcome import Column, Format, Outcome
from siaga.settings import Settings
from siaga.settings import load as load_settings
from siaga.signing import open_signer, public_key
from siaga.text import safe

MAX_BYTES = 1 << 30


def verify_file(
    path: Path, keys: list[str], *, alone: bool, rubric: str, output: Format, fields: list[str]
) -> Outcome:
    """Verify a report. Raises NotFoundError (`no-such-file`), InvalidError for what is no report at all."""
    checks = list(_checks(path, [public_key(k) for k in keys], alone=alone, rubric=rubric))
    failed = [c for c in checks if c.found is Found.failed]
    rows = [{"check": c.what, "found": c.found.value, "detail": c.detail} for c in checks]
    open_ = sum(c.found is Found.unknown for c in checks)
    verdict = "does not hold" if failed else "holds"
    message = f"{path} {verdict}: {len(failed)} of {len(checks)} checks failed, {open_} could not be made."
    exit_code = 6 if failed else 0
    if output is Format.table and not fields:  # sentences are not to be cut where a column ends
        text = "\n".join(f"{c.found.value:<10}{c.what:<11}{c.detail}" for c in checks)
        return Outcome(text=text, messages=[message], exit_code=exit_code)
    columns = [Column("check", "check"), Column("found", "found"), Column("detail", "what was found")]
    return Outcome(rows, columns, [message], exit_code=exit_code, format=output, fields=fields)


def _checks(path: Path, keys: list[str], *, alone: bool, rubric: str) -> Iterator[Check]:
    data = _data(path)
    settings = load_settings()
    if data[:2] == b"PK":
        bundle = opened(data)
        yield from verify.of_bundle(
            bundle, [*keys, *_own_key(settings)], lambda b: read(b, "the bundle's rubric")
        )
        snapshot = bundle.snapshot
    else:
        document = verify.attached(data) if data[:4] == b"%PDF" else data
        claim = verify.claim_of(document)
        if document is not data:
            part = verify.archive_part(data)
            yield verify.pages(data, as_pdf(document, part if part in ARCHIVES else ""))
        snapshot = stored(settings.home, claim.snapshot_sha256)
        yield from verify.judged_again(claim, snapshot, _rubric(claim.rubric, rubric))
        _, told = read_snapshot(snapshot)
        yield verify.documents(told, lambda sha256: evidence.state_of(settings.home, sha256))
    if not alone:
        yield from verify.guarded("installation", lambda: _installation(settings, snapshot))


def _data(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidError("too-large", f"{path} is larger than any report.")
        return path.read_bytes()
    except OSError as error:
        raise NotFoundError("no-such-file", f"{path} cannot be read: {error.strerror}.") from None


def _own_key(settings: Settings) -> list[str]:
    try:
        return [open_signer(settings.home).public]
    except SiagaError:
        return []


def _rubric(version: str, given: str) -> Loaded:
    if given or version in versions():
        return load(given or version)
    sentence = (
        f"The report was made by rubric '{safe(version, 60)}', which is not here: give it with --rubric FILE."
    )
    raise NotFoundError("no-such-rubric", sentence)


def _installation(settings: Settings, data: bytes) -> Iterator[Check]:
    """Check the snapshot against what is stored here now."""
    snapshot, told = read_snapshot(data)
    number, _ = snapshot.head.history
    with reading(open_engine(settings)) as session:
        entry = session.get(Change, number) if number else None
        then = entry.hash if entry is not None else None
    yield verify.history(snapshot, then)
    limits = load(LATEST).rubric.limits.model_copy(update=dict(snapshot.head.asked_with))
    with kept(settings, snapshot.head.period, limits, filed=verify.filed(told)) as ask:
        yield from verify.compared(told, lambda kind: ask.every(kind))
