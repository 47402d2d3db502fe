"""The selector language: which rows are meant, the same for every noun and every command.

    role=router kecamatan=Balaraja          both hold (a space is "and")
    status!=retired and not tag:core        comparisons, negation, tags
    role=router,switch or name~^rtr-        one of several values; a regular expression
    contract.end<90d @kritis (…)            dotted paths, dates from today, a saved group, parentheses
    place.under='Kabupaten Tangerang'       a place or device and all below it
    within=10.1.0.0/16 last_seen<-30d       addresses inside a prefix, times from now
    rtr-kec-*                               a bare word is a name, with * as a wildcard

Regular expressions are RE2's: they take linear time, whatever somebody writes.

grammar.py parses the text into a small tree, which is compiled here to one SQL expression; the tests evaluate
the same tree naively and compare.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, false, func, literal, not_, or_, select, true
from sqlalchemy.orm import aliased
from sqlmodel import Session
from sqlmodel import select as sqlmodel_select

from inventory import reach
from inventory.expressions import expression
from inventory.grammar import All, AnyOf, Compare, Not, Saved, Tree, parse, pointed
from inventory.grammar import joined as joined
from inventory.models import Group
from inventory.nouns import Attribute, Noun, noun
from inventory.values import BadValueError, read
from siaga.errors import NotFoundError
from siaga.text import safe

MAX_DEPTH = 8
MAX_PATH = 12


def selected(session: Session, name: str, text: str, *, today: date | None = None) -> list[int]:
    """Return the ids of the rows meant, ordered by natural key. Raises UsageError (`bad-selector`)."""
    kind = noun(name)
    table = kind.table
    now = datetime.now().astimezone()
    compiler = _Compiler(session, text, today or now.date(), now)
    condition = compiler.compile(kind, table, parse(text), 0)
    order = [table.c[kind.attributes[k].column] for k in kind.key]
    return list(session.execute(select(table.c.id).where(condition).order_by(*order)).scalars())


@dataclass(frozen=True)
class _Compiler:
    """Compiles a tree to SQL. Nothing compared is ever NULL, so that `not` means not."""

    session: Session
    text: str
    today: date
    now: datetime

    def compile(self, kind: Noun, table: Any, tree: Tree, depth: int) -> ColumnElement[bool]:
        if isinstance(tree, All):
            # A database looks at the conditions from left to right: the dear ones last.
            parts = sorted(tree.parts, key=_dear)
            return and_(true(), *(self.compile(kind, table, p, depth) for p in parts))
        if isinstance(tree, AnyOf):
            return or_(false(), *(self.compile(kind, table, p, depth) for p in tree.parts))
        if isinstance(tree, Not):
            return not_(self.compile(kind, table, tree.part, depth))
        if isinstance(tree, Saved):
            text = self.saved(kind, tree, depth)
            return replace(self, text=text).compile(kind, table, parse(text), depth + 1)
        path = _full_path(kind, tree.path).split(".")
        if len(path) > MAX_PATH:
            raise pointed(self.text, tree.at, f"this path has more than {MAX_PATH} parts")
        return self.path(kind, table, tree, path)

    def saved(self, kind: Noun, tree: Saved, depth: int) -> str:
        row = self.session.exec(sqlmodel_select(Group).where(Group.name == tree.name)).first()
        if row is None or row.noun != kind.name:
            raise pointed(self.text, tree.at, f"there is no saved group '{tree.name}' for {kind.name}")
        if depth >= MAX_DEPTH:
            raise pointed(self.text, tree.at, f"group '{tree.name}' refers to itself")
        return row.selector

    def path(self, kind: Noun, table: Any, tree: Compare, path: list[str]) -> ColumnElement[bool]:
        special = self.special(kind, table, tree, path)
        if special is not None:
            return not_(special) if tree.operator == "!=" else special
        attribute = self.attribute(kind, path[0], tree)
        if attribute.kind != "ref":
            if len(path) > 1 and attribute.kind != "vars":
                raise pointed(self.text, tree.at, f"'{path[0]}' of {kind.words} has no parts")
            column = _custom(table, attribute) if attribute.custom else table.c[attribute.column]
            if attribute.kind == "vars":
                column = column[path[-1]].as_string() if len(path) == 2 else cast(column, String)
            return self.compared(attribute, column, tree)
        return self.referred(attribute, table, tree, path[1:])

    def special(self, kind: Noun, table: Any, tree: Compare, path: list[str]) -> ColumnElement[bool] | None:
        """Return the condition of a path that is no field: under, within, a whole 'device:interface'."""
        if len(path) == 1 and tree.operator in ("=", "!="):
            if path[0] == "under" and "parent" in kind.attributes:
                return reach.listed(table.c.id, self.below(kind, tree))
            if path[0] == "within" and kind.name in reach.NOUNS:
                return self.within(kind, table, tree)
            if path[0] == "address" and kind.name == "device" and "/" in "".join(tree.values):
                return self.within(kind, table, tree)
            if kind.name == "interface" and path[0] == "name" and ":" in "".join(tree.values):
                return reach.listed(table.c.id, reach.interfaces(self.session, tree.values))
            if kind.name == "place" and path[0] == "kecamatan":
                self.known(kind, tree)
        return None

    def below(self, kind: Noun, tree: Compare) -> list[int]:
        self.known(kind, tree)
        return reach.below(self.session, kind, tree.values)

    def within(self, kind: Noun, table: Any, tree: Compare) -> ColumnElement[bool]:
        try:
            return or_(false(), *(reach.within(self.session, kind, table, v) for v in tree.values if v))
        except ValueError as error:
            raise pointed(self.text, tree.at, f"the prefix {error}") from None

    def referred(
        self, attribute: Attribute, table: Any, tree: Compare, rest: list[str]
    ) -> ColumnElement[bool]:
        """Return the condition on the row that a reference leads to; `!=` is decided where the reference stands."""
        other = noun(attribute.ref)
        column = _custom(table, attribute) if attribute.custom else table.c[attribute.column]
        positive = Compare(tree.path, "=" if tree.operator == "!=" else tree.operator, tree.values, tree.at)
        if not rest and tree.operator in ("=", "!="):
            self.known(other, tree)
        target = aliased(other.model).__table__.alias()  # type: ignore[attr-defined]
        way = _full_path(other, ".".join(rest or ["name"])).split(".")
        inner = self.path(other, target, positive, way)
        # Asked once, not for every row: the database then goes by the index of the reference.
        there = and_(column.is_not(None), column.in_(select(target.c.id).where(inner)))
        empty = "" in tree.values and tree.operator in ("=", "!=")
        found = or_(there, column.is_(None)) if empty else there
        return not_(found) if tree.operator == "!=" else found

    def known(self, kind: Noun, tree: Compare) -> None:
        """Raise UsageError for a name that nothing has: nobody means 'no device' by a slip of the keyboard."""
        missing = reach.missing(self.session, kind, [v for v in tree.values if v])
        if missing:
            near = reach.near(self.session, kind, missing[0])
            hint = f"; did you mean '{safe(near, 60)}'?" if near else ""
            why = f"there is no {kind.words} called '{safe(missing[0], 60)}'{hint}"
            raise pointed(self.text, tree.at, why)

    def attribute(self, kind: Noun, name: str, tree: Compare) -> Attribute:
        try:
            return kind.attribute(name)
        except NotFoundError as error:
            raise pointed(self.text, tree.at, error.sentence.rstrip(".")) from None

    def compared(self, attribute: Attribute, column: Any, tree: Compare) -> ColumnElement[bool]:
        if tree.operator == "~":
            return self.matches(column, tree)
        if attribute.kind == "tags" or attribute.name == "tags":
            spaced = literal(" ") + func.coalesce(column, "") + literal(" ")
            found = or_(*(spaced.contains(f" {tag} ", autoescape=True) for tag in tree.values))
            return not_(found) if tree.operator == "!=" else found
        values = [self.value(attribute, v, tree) for v in tree.values]
        if tree.operator in ("=", "!="):
            found = _one_of(column, values, text=attribute.kind in ("text", "vars"))
            return not_(found) if tree.operator == "!=" else found
        known = [v for v in values if v not in (None, "")]
        operation = _ORDER[tree.operator]
        return or_(false(), *(and_(column.is_not(None), operation(column, v)) for v in known))

    def matches(self, column: Any, tree: Compare) -> ColumnElement[bool]:
        try:
            expression(tree.values[0])
        except ValueError as error:
            raise pointed(self.text, tree.at, f"the regular expression is wrong ({error})") from None
        text = func.coalesce(cast(column, String), "")
        plain = re.fullmatch(r"(\^?)([\w /:-]+)", tree.values[0])
        if plain and plain[1]:
            return func.substr(text, 1, len(plain[2])) == plain[2]
        if plain:  # case counts, as in an expression; LIKE would not see it
            return func.replace(text, plain[2], "") != text
        return text.regexp_match(tree.values[0])

    def value(self, attribute: Attribute, text: str, tree: Compare) -> Any:
        if attribute.choices and tree.operator in ("=", "!=") and text and text not in attribute.choices:
            offered = ", ".join(c for c in attribute.choices if c)
            raise pointed(
                self.text, tree.at, f"{attribute.name} is never '{safe(text, 40)}', but one of {offered}"
            )
        if attribute.kind in ("text", "vars"):
            return text
        if attribute.kind == "date" and re.fullmatch(r"-?\d{1,5}d", text):
            day = self.today + timedelta(days=int(text[:-1]))
            return day.isoformat() if attribute.custom else day
        if attribute.kind == "time" and (match := re.fullmatch(r"(-?\d{1,6})([smhd])", text)):
            return self.now + timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
        try:
            value = read(attribute, text) if text else None
            return value.isoformat() if attribute.custom and isinstance(value, date) else value
        except BadValueError as error:
            raise pointed(self.text, tree.at, f"{attribute.name} {error}") from None


def _dear(tree: Tree) -> int:
    if isinstance(tree, Compare):
        return (2 if tree.operator == "~" else 0) + ("." in tree.path)
    return 1


def _full_path(kind: Noun, path: str) -> str:
    first, dot, rest = path.partition(".")
    return kind.paths.get(first, first) + dot + rest


def _custom(table: Any, attribute: Attribute) -> Any:
    """Return a declared field's value inside the JSON column, by its type."""
    value = table.c.custom[attribute.name]
    if attribute.kind in ("int", "ref"):
        return value.as_integer()
    if attribute.kind == "float":
        return value.as_float()
    return value.as_boolean() if attribute.kind == "bool" else value.as_string()


def _one_of(column: Any, values: Sequence[Any], *, text: bool) -> ColumnElement[bool]:
    known = [v for v in values if v not in (None, "")]
    parts: list[ColumnElement[bool]] = [and_(column.is_not(None), column.in_(known))] if known else []
    if len(known) < len(values):
        parts.append(func.coalesce(column, "") == "" if text else column.is_(None))
    return or_(false(), *parts)


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ORDER: Mapping[str, Any] = {
    "<": lambda c, v: c < v,
    "<=": lambda c, v: c <= v,
    ">": lambda c, v: c > v,
    ">=": lambda c, v: c >= v,
}
