"""Who may do what (`[[access]]` in siaga.toml): roles of the operating system's users, by place or agency.

This keeps colleagues from each other's rows by mistake. Who can write the database file or read the master key
needs no siaga for it: the file's own rights are the outer fence.
"""

import grp
import os
import pwd
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlmodel import Session

from inventory import reach
from inventory.nouns import Noun, noun
from siaga.errors import AuthError
from siaga.settings import Access
from siaga.who import account

if TYPE_CHECKING:
    from inventory.writing import Diff

ROLES = ("viewer", "operator", "provisioner", "approver", "admin")
# What concerns everything is no matter of one place: who may log in, what is held for right, what layers say.
_MANY = 500
_ADMIN_ONLY = frozenset({"credential", "layer", "vrf", "account"})


@dataclass(frozen=True)
class Rights:
    """What one user may do: entries of the settings that are his, or None where nobody is limited."""

    who: str
    entries: tuple[Access, ...] | None = None

    def at_least(self, role: str) -> tuple[Access, ...]:
        """Return the entries that give this role or a greater one."""
        return tuple(e for e in self.entries or () if ROLES.index(e.role) >= ROLES.index(role))


def rights(who: str, access: Sequence[Access]) -> Rights:
    """Return what a user may do; somebody whom no entry names may look. By way of sudo one has root's rights."""
    if not access:
        return Rights(who)
    name = account(who)
    groups = _groups(name)
    return Rights(who, tuple(e for e in access if e.user == name or (e.group and e.group in groups)))


def _groups(who: str) -> set[str]:
    try:
        found = os.getgrouplist(who, pwd.getpwnam(who).pw_gid)
    except KeyError:
        return set()
    names = set()
    for number in found:
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:  # a group that only the directory knows
            continue
    return names


def require(who: str, access: Sequence[Access], role: str) -> None:
    """Raise AuthError (`not-allowed`) unless the user has this role somewhere."""
    own = rights(who, access)
    if own.entries is not None and not own.at_least(role):
        raise AuthError(
            "not-allowed", f"{who} may not do this: it takes the role {role} ([[access]] in siaga.toml)."
        )


def require_devices(
    session: Session, who: str, access: Sequence[Access], role: str, devices: Sequence[str]
) -> None:
    """Raise AuthError (`not-allowed`) unless the user has this role for each of these devices."""
    require(who, access, role)
    own = rights(who, access)
    entries = own.at_least(role)
    if own.entries is None or any(not e.place and not e.agency for e in entries):
        return
    scopes = [_scope(session, e) for e in entries]
    places, agencies = {n for s in scopes for n in s[0]}, {n for s in scopes for n in s[1]}
    found = _positions(session, noun("device"), devices)
    bad = [d for d in devices if not any(p in places or a in agencies for p, a in [found.get(d, ("", ""))])]
    if bad:
        sentence = f"{who} has the role {role} in another place or agency ([[access]] in siaga.toml)."
        raise AuthError("not-allowed", sentence, [f"device '{d}' is not in it" for d in bad[:50]])


def check(session: Session, own: Rights, diffs: Sequence["Diff"]) -> None:
    """Raise AuthError (`not-allowed`) if the user may not make these changes."""
    if own.entries is None or not any(d.action != "same" for d in diffs):
        return
    entries = own.at_least("operator")
    if any(e.role == "admin" and not e.place and not e.agency for e in entries):
        return
    problems = list(_refused(session, entries, diffs))
    if problems:
        sentence = f"{own.who} may not change this ([[access]] in siaga.toml); nothing was written."
        raise AuthError("not-allowed", sentence, problems[:50])


def _refused(session: Session, entries: Sequence[Access], diffs: Sequence["Diff"]) -> Iterator[str]:
    everywhere = any(not e.place and not e.agency for e in entries)
    scopes = [_scope(session, e) for e in entries]
    places = {n for s in scopes for n in s[0]}
    agencies = {n for s in scopes for n in s[1]}
    gone = {d.name for d in diffs if (d.noun, d.action) == ("device", "rm")}
    for diff in diffs:
        if diff.action == "same":
            continue
        if (diff.noun, diff.action) == ("interface", "rm") and diff.before.get("device") in gone:
            continue  # it goes with its device, which is judged itself
        if diff.noun in _ADMIN_ONLY:
            yield f"{diff.noun} '{diff.name}': it takes the role admin"
        elif not everywhere and not _inside(session, diff, places, agencies):
            yield f"{diff.noun} '{diff.name}' is not in your place or agency"


def _scope(session: Session, entry: Access) -> tuple[set[str], set[str]]:
    kind = noun("place")
    ids = reach.below(session, kind, [entry.place]) if entry.place else []
    c = kind.table.c
    places = {n for i, n in session.execute(select(c.id, c.name)) if i in set(ids)} if ids else set()
    return places, {entry.agency} if entry.agency else set()


def _inside(session: Session, diff: "Diff", places: set[str], agencies: set[str]) -> bool:
    """Return whether a row was in the scope before the change and is in it afterwards."""
    if diff.action != "set":
        found = list(_where(session, diff, diff.after or diff.before))
    else:
        now = _stored(session, noun(diff.noun), diff)
        found = [now, _before(now, diff)] if now is not None else []
    return bool(found) and all(p in places or a in agencies for p, a in found)


def _before(now: tuple[str, str], diff: "Diff") -> tuple[str, str]:
    return tuple(str(diff.before.get(k, n) or "") for k, n in zip(("place", "agency"), now, strict=True))  # type: ignore[return-value]


def _where(session: Session, diff: "Diff", values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if diff.noun == "place" and values.get("parent"):
        yield str(values["parent"]), ""
    elif values.get("place") or values.get("agency"):
        yield str(values.get("place") or ""), str(values.get("agency") or "")
    elif values.get("device"):
        yield _of_device(session, str(values["device"]))


def _stored(session: Session, kind: Noun, diff: "Diff") -> tuple[str, str] | None:
    name = str(diff.after.get("name", diff.name.rpartition(":")[2]))
    if kind.name == "place":
        return name, ""
    if kind.name == "interface":
        return _of_device(session, str(diff.after.get("device", diff.name.partition(":")[0])))
    if "place" not in kind.attributes and "agency" not in kind.attributes:
        return None
    return _position(session, kind, name)


def _of_device(session: Session, name: str) -> tuple[str, str]:
    return _position(session, noun("device"), name)


def _position(session: Session, kind: Noun, name: str) -> tuple[str, str]:
    return _positions(session, kind, [name]).get(name, ("", ""))


def _positions(session: Session, kind: Noun, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return name → the names of its place and its agency, '' without."""
    place, agency = noun("place").table, noun("agency").table
    table = kind.table
    columns, joined = [table.c.name], table
    for attribute, other in (("place", place), ("agency", agency)):
        if attribute in kind.attributes:
            joined = joined.join(other, other.c.id == table.c[f"{attribute}_id"], isouter=True)
            columns.append(other.c.name.label(attribute))
    query = select(*columns).select_from(joined)
    if len(names) < _MANY:
        query = query.where(table.c.name.in_(names))
    rows = session.execute(query).mappings()
    return {r["name"]: (str(r.get("place") or ""), str(r.get("agency") or "")) for r in rows}
