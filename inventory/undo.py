"""Takes a change set back: by new changes that restore what was, refused where somebody changed it since."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.history import read, storable
from inventory.models import Change
from inventory.nouns import Noun, nouns
from inventory.past import renamed
from inventory.problems import BadRowError
from inventory.removal import GONE
from inventory.writing import Writer
from siaga.errors import InvalidError, NotFoundError


def entries(session: Session, change_set: int) -> list[dict[str, Any]]:
    """Return the changes of one set, oldest first.

    Raises NotFoundError (`no-such-change-set`), SiagaError (`history-damaged`).
    """
    table = Change.__table__  # type: ignore[attr-defined]
    query = select(table).where(table.c.change_set == change_set).order_by(table.c.id)
    found = list(read(session, query))
    if not found:
        raise NotFoundError(
            "no-such-change-set", f"There is no change set {change_set}: see 'siaga history list'."
        )
    return found


class ChangedSinceError(BadRowError):
    """Somebody changed the same since, which stays unless `force` says to leave it."""


def undo(writer: Writer, changes: Sequence[Mapping[str, Any]], *, force: bool = False) -> list[str]:
    """Take these changes back, the newest first; return what could not be restored (secrets, what siaga observed).

    Raises InvalidError (`bast-stays`) for a handover, ChangedSinceError with every row that was changed since,
    unless `force` says to take back what still stands, and BadRowError for what else stands in the way.
    """
    for entry in changes:
        if (entry["noun"], entry["action"]) == ("custody", "add"):
            sentence = f"This is BAST {entry['row_name']}, whose number stays: see 'siaga custody cancel'."
            raise InvalidError("bast-stays", sentence)
    known = nouns()
    work = _Undoing(writer, force)
    work.left += [
        f"{e['noun']} '{e['row_name']}' is no noun any more" for e in changes if e["noun"] not in known
    ]
    renames = {
        (e["noun"], e["before"]["name"]): e["after"].get("name") for e in changes if "name" in e["before"]
    }
    for entry in reversed([e for e in changes if e["noun"] in known and not _followed(e, renames)]):
        work.take_back(known[entry["noun"]], entry)
    work.remove()
    if work.changed:  # what else is in the way may only be so because of these
        raise ChangedSinceError(work.changed)
    if work.problems:
        raise BadRowError(work.problems)
    return work.left


def _followed(entry: Mapping[str, Any], renames: Mapping[tuple[str, Any], Any]) -> bool:
    """Tell whether a row only followed the new name of another in this set: it will follow the old one as well."""
    before, after = entry["before"], entry["after"]
    if set(after) == {"target"}:
        return any(renames.get((n, before.get("target"))) == after["target"] for n, _ in renames)
    if entry["action"] == "set" and set(after) == {"name"} and " " in str(after["name"]):
        old, new = str(before.get("name")).partition(" ")[2], after["name"].partition(" ")[2]
        return bool(renames.get(("vrf", old)) == new)
    return False


class _Undoing:
    """The work of one undo. Rows that were added wait, so that many are removed at once."""

    def __init__(self, writer: Writer, force: bool) -> None:
        self.writer, self.force = writer, force
        writer.restoring = True
        self.left: list[str] = []
        self.changed: list[tuple[str, str]] = []
        self.problems: list[tuple[str, str]] = []
        self._added: dict[str, set[int]] = {}

    def take_back(self, kind: Noun, entry: Mapping[str, Any]) -> None:
        """Take one change back, or note why it cannot be."""
        if entry["action"] != "add":
            self.remove()
        try:
            self._back(kind, entry)
        except BadRowError as error:
            told = [(f, f"{kind.words} '{entry['row_name']}': {p}") for f, p in error.problems]
            (self.changed if isinstance(error, ChangedSinceError) else self.problems).extend(told)

    def remove(self) -> None:
        """Remove the rows that were added, unless nothing will be written anyway."""
        added, self._added = self._added, {}
        if self.changed or not added:
            return
        try:
            self.writer.remove_all(added)
        except BadRowError as error:
            self.problems += error.problems

    def _back(self, kind: Noun, entry: Mapping[str, Any]) -> None:
        writer, label = self.writer, str(entry["row_name"])
        if entry["action"] == "rm":
            writer.put(kind.name, _settable(kind, entry["before"]), mode="add")
            self.left += _lost(kind, label, entry["before"])
            return
        now = label if entry["action"] == "add" else renamed(kind, label, entry["after"])
        row_id = writer.keys.find(kind.name, now)
        if row_id is None:
            raise BadRowError([("", f"it is no longer there as '{now}'")])
        changed = _changed_since(writer, kind, row_id, entry)
        if changed and not self.force:
            raise ChangedSinceError(
                [(f, f"{f} was changed since{_by(writer, kind, entry, f)}") for f in changed]
            )
        if entry["action"] == "add":
            self._added.setdefault(kind.name, set()).add(row_id)
        else:
            before = {k: v for k, v in entry["before"].items() if k not in changed}
            writer.set(kind.name, row_id, _whole_vars(_settable(kind, before), entry["after"]))


def _lost(kind: Noun, label: str, before: Mapping[str, Any]) -> list[str]:
    if kind.name == "credential":
        return [f"credential '{label}' is back without its secrets: give them again"]
    return [f"{kind.words} '{label}' is back without what was observed of it"] if GONE in before else []


def _by(writer: Writer, kind: Noun, entry: Mapping[str, Any], field: str) -> str:
    """Return by which change set, as ' (change set 12, siti)'; '' if the history does not tell."""
    now = renamed(kind, str(entry["row_name"]), entry["after"])
    c = Change.__table__.c  # type: ignore[attr-defined]
    query = select(c.change_set, c.who, c.after).where(
        c.noun == kind.name, c.row_name == now, c.id > entry["id"]
    )
    for number, who, after in writer.session.execute(query.order_by(c.id.desc())):
        if field in after:
            return f" (change set {number}, {who})"
    return ""


def _changed_since(writer: Writer, kind: Noun, row_id: int, entry: Mapping[str, Any]) -> list[str]:
    now = storable(writer.present(kind, row_id))
    given = {k: v for k, v in entry["after"].items() if k in kind.attributes}
    return [k for k, v in given.items() if (now.get(k) or None) != (v or None)]


def _settable(kind: Noun, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as they are written: what was empty is emptied, what siaga itself keeps is left out."""
    return {
        k: "" if v is None else v
        for k, v in values.items()
        if k in kind.attributes and kind.attributes[k].settable
    }


def _whole_vars(values: dict[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Add an empty value for each variable that came later: variables are set one by one."""
    if isinstance(values.get("vars"), Mapping):
        gone = {k: "" for k in after.get("vars") or {} if k not in values["vars"]}
        values["vars"] = {**values["vars"], **gone}
    return values
