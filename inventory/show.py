"""One row with all that is known of it: what should be, what was seen and by whom, who is concerned, notes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory import disagreements, provenance, store
from inventory.nouns import noun
from siaga.clock import shown
from siaga.render import cell

_NOTES = 5
_EXTRA = ("observed", "disagreements", "contacts", "journal", "provenance")


def whole(session: Session, noun_name: str, row_id: int) -> dict[str, Any]:
    """Return the row's fields, then `observed` and `disagreements` of a device, `contacts` and `journal`.

    `provenance` tells of each field that somebody set who did so last, when, why and in which run or proposal.
    """
    row = store.rows(session, noun_name, [row_id])[0]
    del row["id"]
    if noun_name == "device":
        seen = store.observed(session, [row_id]).get(row_id, {})
        row["observed"] = {
            f: {"value": o.value, "source": o.source, "at": o.at, "cause": o.cause} for f, o in seen.items()
        }
        row["disagreements"] = _disagreements(session, row_id)
    label = store.labels(session, noun_name, {row_id})[row_id]
    contacts = _about(session, "contact", noun_name, label)
    journal = _about(session, "note", noun_name, label)
    if contacts:
        row["contacts"] = [{"person": c["person"], "role": c["role"]} for c in contacts]
    if journal:
        row["journal"] = [{k: n[k] for k in ("at", "kind", "who", "text")} for n in journal[-_NOTES:]]
    set_by = provenance.provenance(session, noun_name, label)
    if set_by:
        row["provenance"] = {field: by._asdict() for field, by in set_by.items()}
    return row


def _disagreements(session: Session, row_id: int) -> list[dict[str, Any]]:
    found = disagreements.of(session, [row_id]).get(row_id, [])
    return [
        {"field": d.field, "intended": d.intended, "observed": d.observed, "source": d.source, "at": d.at}
        for d in found
    ]


def _about(session: Session, about: str, noun_name: str, label: str) -> list[dict[str, Any]]:
    table = noun(about).table
    query = select(table.c.id).where(table.c.target_noun == noun_name, table.c.target == label)
    return store.rows(session, about, list(session.execute(query.order_by(table.c.id)).scalars()))


def as_text(noun_name: str, row: Mapping[str, Any], *, wide: bool = False) -> str | None:
    """Return the row as lines for people; `wide` says behind each field who set it last."""
    width = max(len(k) for k in row if k not in _EXTRA) + 2
    lines = [f"{k:<{width}}{cell(v)}".rstrip() for k, v in row.items() if k not in _EXTRA]
    if wide:
        lines = [*_attributed(row, lines)]
    if noun_name == "device":
        lines += ["", *_observed(row)]
    for key in ("contacts", "journal"):
        if row.get(key):
            lines += ["", key]
            lines += ["  " + "  ".join(cell(v) for v in entry.values()) for entry in row[key]]
    return "\n".join(lines)


def _attributed(row: Mapping[str, Any], lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of fields with who set each last; of variables, one by one below them."""
    set_by = row.get("provenance", {})
    for field, line in zip((k for k in row if k not in _EXTRA), lines, strict=True):
        yield (
            f"{line}  {_set_by(set_by[field])}" if field in set_by and row[field] not in (None, "") else line
        )
        names = [k for k in set_by if field == "vars" and k.startswith("var.")]
        yield from (f"  {name}  {_set_by(set_by[name])}" for name in names)


def _set_by(by: Mapping[str, Any]) -> str:
    how = ", ".join(cell(part) for part in (shown(by["at"]), by["cause"], by["why"]) if part)
    return f"({cell(by['who'])}, {how})"


def _observed(row: Mapping[str, Any]) -> list[str]:
    if not row["observed"]:
        return [f"observed: nothing yet, run 'siaga poll {row['name']}'"]
    lines = ["observed"]
    lines += [
        f"  {field:<14}{cell(o['value'])}  ({o['source']}, {shown(o['at'])})"
        for field, o in row["observed"].items()
    ]
    if row["disagreements"]:
        lines += ["", "differs from what is intended"]
        lines += [
            f"  {d['field']:<14}{cell(d['intended'])}, but seen as {cell(d['observed'])}"
            f"  ({d['source']}, {shown(d['at']) if d['at'] else 'no time'})"
            for d in row["disagreements"]
        ]
    return lines
