"""What the architecture lists are made of: rows by noun and by name, and which of them are wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

import inventory.store
from report.exports import store
from report.exports.regency import Regency

Row = Mapping[str, Any]
NOUNS = ("device", "device_type", "link", "connection", "contract", "service", "person")


@dataclass(frozen=True)
class Network:
    """Rows by noun and by name, what devices say of themselves, and the regency."""

    regency: Regency
    rows: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)
    said: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    in_the_books: frozenset[str] = frozenset()  # devices that an asset is linked to

    def of(self, noun: str) -> Sequence[Row]:
        """Return the rows of a noun."""
        return list(self.rows.get(noun, {}).values())

    def one(self, noun: str, name: str | None) -> Row:
        """Return the row called so; {} where there is none."""
        return self.rows.get(noun, {}).get(name or "", {})


@dataclass(frozen=True)
class Within:
    """Which rows are wanted: those of one agency, and those inside some places; None is all."""

    agency: str = ""
    places: frozenset[str] | None = None

    def holds(self, agency: str | None, place: str | None) -> bool:
        """Return whether a row of this agency and place is wanted."""
        return (not self.agency or agency == self.agency) and (self.places is None or place in self.places)


def read(session: Session, regency: Regency) -> Network:
    """Read every noun that a list is made of, in one query each."""
    rows = {noun: inventory.store.rows(session, noun) for noun in NOUNS}
    said = store.said(session)
    owned = set(store.linked_devices(session, None))
    return Network(
        regency=regency,
        rows={noun: {row["name"]: row for row in found} for noun, found in rows.items()},
        said={d["name"]: said.get(d["id"], {}) for d in rows["device"]},
        in_the_books=frozenset(d["name"] for d in rows["device"] if d["id"] in owned),
    )
