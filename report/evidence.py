"""The evidence register's files: kept by their hash below the home, written once, never changed.

`<home>/evidence/ab/abcd….` is the file whose SHA-256 is abcd….; the row with its kind, date and signer is the
inventory's, with its history. A row that is removed leaves its file, because the history can bring the row back.
"""

import hashlib
import mimetypes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from siaga.errors import InvalidError, NotFoundError, SiagaError
from siaga.text import safe
from siaga.whole_file import replace_file

MAX_BYTES = 64 << 20
_PART = 1 << 20


@dataclass(frozen=True)
class Stored:
    """A file of the register."""

    sha256: str
    size_bytes: int
    media_type: str


def place(home: Path, sha256: str) -> Path:
    """Return where the file with a hash lies."""
    return home / "evidence" / sha256[:2] / sha256


def put(home: Path, source: Path) -> Stored:
    """Copy a file into the store, whole and durable, or not at all; one that is there already is not written again.

    Raises NotFoundError (`no-such-file`), InvalidError (`too-large`, `empty-file`), SiagaError (`cannot-write`).
    """
    data = _data(source)
    sha256 = hashlib.sha256(data).hexdigest()
    path = place(home, sha256)
    if not path.exists():
        _write(path, data)
    media = mimetypes.guess_type(source.name)[0] or "application/octet-stream"
    return Stored(sha256, len(data), media)


def _data(source: Path) -> bytes:
    try:
        if source.stat().st_size > MAX_BYTES:
            sentence = f"{source} is larger than {MAX_BYTES >> 20} MiB, which is the most for a document."
            raise InvalidError("too-large", sentence)
        data = source.read_bytes()
    except OSError as error:
        sentence = f"The document {source} cannot be read: {error.strerror}."
        raise NotFoundError("no-such-file", sentence) from None
    if not data:
        raise InvalidError("empty-file", f"The document {source} is empty.")
    return data


def _write(path: Path, data: bytes) -> None:
    try:
        replace_file(path, data, mode=0o440, durable=True)
    except OSError as error:
        sentence = f"The document cannot be stored in {path.parent}: {error.strerror}."
        raise SiagaError("cannot-write", sentence) from None


def state_of(home: Path, sha256: str) -> str:
    """Return `ok`, `missing`, `changed`, or `no file` for a row without one."""
    if not sha256:
        return "no file"
    digest = hashlib.sha256()
    try:
        with place(home, sha256).open("rb") as file:
            while part := file.read(_PART):
                digest.update(part)
    except OSError:
        return "missing"
    return "ok" if digest.hexdigest() == sha256 else "changed"


@dataclass(frozen=True)
class Paper:
    """A row of the register, as far as it is checked."""

    name: str
    kind: str
    dated: date
    valid_until: date | None
    sha256: str


@dataclass(frozen=True)
class Checked:
    """What a look at a document found; `problem` is '' for one that is in order."""

    paper: Paper
    file: str
    age_days: int
    problem: str


def checked(home: Path, papers: Iterable[Paper], today: date, oldest: dict[str, int]) -> Iterator[Checked]:
    """Yield each document with its age and what is wrong with it.

    `oldest`: how many days old a document of a kind may be and still count for some level of the rubric.
    """
    for paper in papers:
        age = (today - paper.dated).days
        file = state_of(home, paper.sha256)
        yield Checked(paper, file, age, _problem(paper, file, age, today, oldest.get(paper.kind)))


def _problem(paper: Paper, file: str, age: int, today: date, oldest: int | None) -> str:
    if file in ("missing", "changed"):
        return f"its file is {file}"
    if paper.valid_until is not None and paper.valid_until < today:
        return f"it ended on {paper.valid_until}"
    if age < 0:
        return "it is dated in the future"
    if oldest is not None and age > oldest:
        return f"it is {age} days old, and counts for at most {oldest}"
    return ""


def named(kind: str, dated: date, taken: Iterable[str]) -> str:
    """Return a name for a new document that no row has: kind and date, and a number where it must be."""
    base = f"{kind}-{dated.isoformat()}"
    known = set(taken)
    numbers = (base if n == 1 else f"{base}-{n}" for n in range(1, len(known) + 2))
    return safe(next(n for n in numbers if n not in known), 120)
