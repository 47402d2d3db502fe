"""One order for a judgement: from a period and a rubric to a snapshot, an assessment, and what is kept of them."""

import gzip
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from inventory.models import Change, Place
from report.asked.kept import Kept, kept
from report.assessment import Assessment
from report.judge import assess
from report.questions import Period
from report.rubric import LATEST, Loaded
from report.rubric import load as load_rubric
from report.snapshot import Snapshot, taken
from siaga.errors import NotFoundError, SiagaError
from siaga.settings import Settings
from siaga.text import safe
from siaga.whole_file import replace_file

FOLDER = "reports/snapshots"


@dataclass(frozen=True)
class Judged:
    """A snapshot, the rubric, and the assessment that follows from the two."""

    snapshot: Snapshot
    loaded: Loaded
    assessment: Assessment


def judge(
    settings: Settings, period: Period, *, rubric: str = LATEST, lang: str = "id", keep: bool = True
) -> Judged:
    """Ask, write down, judge; with `keep` the snapshot stays in the home, so that the report can be verified.

    Raises what the stores and the rubric raise.
    """
    loaded = load_rubric(rubric)
    with kept(settings, period, loaded.rubric.limits) as ask:
        snapshot = asked(ask, loaded)
        assessment = assess(ask, loaded, lang=lang, snapshot_sha256=snapshot.sha256)
    if keep:
        store(settings.home, snapshot)
    return Judged(snapshot, loaded, assessment)


def asked(ask: Kept, loaded: Loaded) -> Snapshot:
    """Take the snapshot of what an installation knows."""
    session = ask.source.session
    regency = session.exec(select(Place.name).where(Place.kind == "regency").order_by(col(Place.id))).first()
    return taken(ask, loaded.rubric.limits, regency=safe(regency or ""), history=_history(session))


def _history(session: Session) -> tuple[int, str]:
    last = session.exec(select(Change).order_by(col(Change.id).desc()).limit(1)).first()
    return (last.id or 0, last.hash) if last is not None else (0, "")


def store(home: Path, snapshot: Snapshot) -> Path:
    """Keep a snapshot by its hash, packed; one that is there is the same. Raises SiagaError (`cannot-write`)."""
    path = home / FOLDER / f"{snapshot.sha256}.jsonl.gz"
    try:
        if not path.exists():
            replace_file(path, gzip.compress(snapshot.data, 6, mtime=0))
    except OSError as error:
        raise SiagaError(
            "cannot-write", f"The snapshot cannot be kept in {path.parent}: {error.strerror}."
        ) from None
    return path


def stored(home: Path, sha256: str) -> bytes:
    """Return the text of a kept snapshot. Raises NotFoundError (`no-such-snapshot`)."""
    path = home / FOLDER / f"{sha256}.jsonl.gz"
    try:
        if len(sha256) != 64 or not sha256.isalnum():
            raise FileNotFoundError
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, gzip.BadGzipFile):
        sentence = (
            f"The snapshot {safe(sha256, 64)} is not in {path.parent}: verify a bundle, which carries it."
        )
        raise NotFoundError("no-such-snapshot", sentence) from None
