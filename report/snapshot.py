"""A snapshot: every fact that a report was made of, as one text whose hash stands on the cover.

One JSON object a line. The first is the head: schema, period, what was asked with, the history's head. Then come the
facts of each kind in the order of `records.KINDS`; a kind that was not known has one line that says so. The same facts
give the same bytes: keys in the order of the fields, no space, UTC times, UTF-8.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from report.questions import Period, Questions, Told
from report.records import KINDS
from report.rubric import Limits
from siaga.errors import InvalidError

SCHEMA = "siaga-snapshot-1"
# The limits that decide what is asked of the samples: other ones ask for other facts.
ASKED_WITH = ("service_hours", "inlet_c", "humidity_pct", "rented_tags", "log_hours", "zones")


@dataclass(frozen=True)
class Head:
    """The first line. `history`: number and hash of the last entry of the inventory's history when it was taken."""

    since: datetime
    until: datetime
    zone: str
    asked_with: Mapping[str, Any]
    regency: str = ""
    history: tuple[int, str] = (0, "")

    @property
    def period(self) -> Period:
        """The period that the facts are of."""
        return Period(self.since, self.until, self.zone)


@dataclass(frozen=True)
class Snapshot:
    """A snapshot in memory: its head, and the bytes of each kind (by its name) in order."""

    head: Head
    parts: Mapping[str, bytes]

    @property
    def data(self) -> bytes:
        """The whole text."""
        return b"".join(self.parts.values())

    @property
    def sha256(self) -> str:
        """The hash that names it."""
        digest = hashlib.sha256()
        for part in self.parts.values():
            digest.update(part)
        return digest.hexdigest()


def name_of(kind: type) -> str:
    """Return the name of a kind of fact: capacity_test for CapacityTest."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).removeprefix("_")


NAMED = {name_of(kind): kind for kind in KINDS}


def taken(
    ask: Questions, limits: Limits, *, regency: str = "", history: tuple[int, str] = (0, "")
) -> Snapshot:
    """Ask everything and write it down."""
    asked_with = {key: getattr(limits, key) for key in ASKED_WITH}
    head = Head(ask.period.since, ask.period.until, ask.period.zone, asked_with, regency, history)
    parts = {"head": line({"schema": SCHEMA, **plain(head)})}
    for name, kind in NAMED.items():
        facts: tuple[object, ...] | None = ask.every(kind)
        parts[name] = line({"unknown": name}) if facts is None else written(name, kind, facts)
    return Snapshot(head, parts)


def written(name: str, kind: type, facts: Iterable[object]) -> bytes:
    """Return the facts of a kind, a line each."""
    names = tuple(f.name for f in fields(kind))
    rows = [{"fact": name, **{n: getattr(fact, n) for n in names}} for fact in facts]
    if not rows:
        return b""
    # All at once is twice as quick as one by one. Inside a string every quote is escaped, so that this seam is none.
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"), default=_default)
    return (text[1:-1].replace('},{"fact":', '}\n{"fact":') + "\n").encode()


def line(row: Mapping[str, Any]) -> bytes:
    """Return one object as a line."""
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_default)
    return f"{text}\n".encode()


def plain(value: object) -> dict[str, Any]:
    """Return a frozen value by its fields."""
    return {f.name: getattr(value, f.name) for f in fields(value)}  # type: ignore[arg-type]


def _default(value: object) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        return plain(value)
    raise TypeError(f"{type(value).__name__} is no fact's value")


def read(data: bytes) -> tuple[Snapshot, Told]:
    """Read a snapshot, and answer from it. Raises InvalidError (`bad-snapshot`) with where it is none."""
    rows: dict[str, list[Any]] = {}
    texts: dict[str, list[bytes]] = {}
    unknown = set()
    head: Head | None = None
    for number, text in enumerate(data.splitlines(keepends=True), 1):
        row = _row(text, number)
        name = "head" if number == 1 else row.get("unknown") or row.pop("fact", "")
        if number == 1:
            head = _head(row)
        elif name not in NAMED:
            raise InvalidError("bad-snapshot", f"Line {number} of the snapshot is of no known kind.")
        elif "unknown" in row:
            unknown.add(name)
        else:
            rows.setdefault(name, []).append(row)
        texts.setdefault(name, []).append(text)
    if head is None:
        raise InvalidError("bad-snapshot", "The snapshot is empty.")
    facts: dict[type, tuple[object, ...] | None] = {
        kind: None if n in unknown else _facts(n, kind, rows.get(n, [])) for n, kind in NAMED.items()
    }
    ordered = {name: b"".join(texts.get(name, ())) for name in ("head", *NAMED)}
    return Snapshot(head, ordered), Told(head.period, facts)


def _row(text: bytes, number: int) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise InvalidError("bad-snapshot", f"Line {number} of the snapshot is no JSON object.")
    return row


def _head(row: dict[str, Any]) -> Head:
    if row.pop("schema", "") != SCHEMA:
        raise InvalidError("bad-snapshot", f"This is no snapshot of the schema {SCHEMA}.")
    try:
        return TypeAdapter(Head).validate_python(row)
    except ValidationError:
        raise InvalidError(
            "bad-snapshot", "The first line of the snapshot does not say what it is of."
        ) from None


def _facts(name: str, kind: type, rows: list[Any]) -> tuple[object, ...]:
    try:
        return tuple(_adapter(kind).validate_python(rows))
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        where = f"{name} {place[0]}" if place else name
        raise InvalidError("bad-snapshot", f"A fact of the snapshot cannot be read: {where}.") from None


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(list[kind])  # type: ignore[valid-type]


def differing(one: Snapshot, other: Snapshot) -> Iterator[tuple[str, str]]:
    """Yield (kind, name) of the facts that two snapshots have differently; a name is the first field of a fact."""
    for kind in NAMED:
        if one.parts[kind] != other.parts[kind]:
            both = [set(s.parts[kind].splitlines()) for s in (one, other)]
            names = {_named(text) for text in both[0] ^ both[1]}
            yield from ((kind, name) for name in sorted(names))


def _named(text: bytes) -> str:
    row = json.loads(text)
    values = [v for k, v in row.items() if k != "fact"]
    return str(values[0]) if values else ""
