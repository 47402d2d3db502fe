"""Natural keys and ids, both ways: looked up one by one, or read whole once there is much to look up."""

import difflib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.nouns import noun
from inventory.store import labels

# From here on a noun's keys are read whole: a hundred queries cost as much as reading 10,000 names.
_WHOLE_AFTER = 64
_NEAR_LIMIT = 3000


class Keys:
    """The natural keys of every noun within one session, kept up to date by its Writer."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ids: dict[str, dict[str, int]] = {}
        self._names: dict[str, dict[int, str]] = {}
        self._single: dict[str, dict[str, int | None]] = {}
        self._codes: dict[str, set[int]] | None = None
        self._new_codes: list[tuple[str, int]] = []

    def ids(self, name: str) -> dict[str, int]:
        """Return natural key → id of all rows of a noun."""
        self.names(name)
        return self._ids[name]

    def names(self, name: str) -> dict[int, str]:
        """Return id → natural key of all rows of a noun."""
        if name not in self._names:
            known = self._single.pop(name, {})
            self._names[name] = labels(self._session, name)
            self._names[name] |= {i: label for label, i in known.items() if i is not None}
            self._ids[name] = {label: i for i, label in self._names[name].items()}
        return self._names[name]

    def find(self, name: str, label: str) -> int | None:
        """Return the id of the row called `label`, or None."""
        if name in self._ids:
            return self._ids[name].get(label)
        known = self._single.setdefault(name, {})
        if label not in known:
            if len(known) >= _WHOLE_AFTER:
                return self.ids(name).get(label)
            known[label] = self._asked(name, label)
        return known[label]

    def label(self, name: str, row_id: int) -> str:
        """Return what the row with this id is called; '' if there is none."""
        if name in self._names:
            return self._names[name].get(row_id, "")
        known = self._single.setdefault(name, {})
        found = next((label for label, i in known.items() if i == row_id), None)
        if found is None:
            if len(known) >= _WHOLE_AFTER:
                return self.names(name).get(row_id, "")
            found = labels(self._session, name, {row_id}).get(row_id, "")
            if found:
                known[found] = row_id
        return found

    def coded(self, code: str) -> int | None:
        """Return the id of the place with this Kemendagri code, if there is just one."""
        if self._codes is None:
            table = noun("place").table
            rows = self._session.execute(select(table.c.code, table.c.id).where(table.c.code != ""))
            self._codes = {}
            for own, row_id in [*rows, *self._new_codes]:
                self._codes.setdefault(own, set()).add(row_id)
        found = self._codes.get(code, set())
        return next(iter(found)) if len(found) == 1 else None

    def add(self, name: str, row_id: int, label: str, code: str = "") -> None:
        """Take over a new row."""
        if name in self._names:
            self._names[name][row_id], self._ids[name][label] = label, row_id
        else:
            self._single.setdefault(name, {})[label] = row_id
        if code:  # the row may wait in the buffer, where SQL does not see it
            self._new_codes.append((code, row_id))
            if self._codes is not None:
                self._codes.setdefault(code, set()).add(row_id)

    def drop(self, name: str, row_id: int, label: str) -> None:
        """Forget a row that is gone, or its old name."""
        if name in self._names:
            self._names[name].pop(row_id, None)
            self._ids[name].pop(label, None)
        else:
            self._single.setdefault(name, {})[label] = None

    def forget(self, name: str) -> None:
        """Read the keys of a noun anew from now on: rows that its keys name were renamed. Flush before."""
        for known in (self._ids, self._names, self._single):
            known.pop(name, None)

    def missing(self, name: str, label: str) -> str:
        """Return the phrase that nothing is called so, with the nearest name there is."""
        near = nearest(label, self.ids(name))
        hint = f"; did you mean '{near}'?" if near else ""
        return f"there is no {noun(name).words} called '{label}'{hint}"

    def _asked(self, name: str, label: str) -> int | None:
        if name != "interface":
            table = noun(name).table
            return self._scalar(select(table.c.id).where(table.c.name == label))
        device, _, port = label.partition(":")
        own, other = noun("interface").table, noun("device").table
        query = select(own.c.id).join(other, other.c.id == own.c.device_id)
        return self._scalar(query.where(other.c.name == device, own.c.name == port))

    def _scalar(self, query: Any) -> int | None:
        found: int | None = self._session.execute(query).scalar()
        return found


def nearest(label: str, names: Iterable[str]) -> str:
    """Return the name most like `label`, or ''. Among very many only those that begin alike are compared."""
    known = list(names)
    if len(known) > _NEAR_LIMIT:
        start = label[:2].lower()
        known = [n for n in known if n[:2].lower() == start][:_NEAR_LIMIT]
    exact = next((n for n in known if n.lower() == label.lower()), "")
    return exact or next(iter(difflib.get_close_matches(label, known, n=1)), "")
