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
the same tree naively and compare. What a single comparison means is in comparisons.py.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, false, literal, not_, or_, select, true
from sqlalchemy.orm import aliased
from sqlmodel import Session
from sqlmodel import select as sqlmodel_select

from inventory import comparisons, naming, reach
from inventory.comparisons import Moment, WrongValueError
from inventory.grammar import (
    KEYWORDS,
    LOOSE,
    All,
    AnyOf,
    Compare,
    Named,
    Not,
    Saved,
    Tree,
    parse,
    pointed,
    unnamed,
)
from inventory.grammar import joined as joined
from inventory.keys import nearest
from inventory.models import Group
from inventory.nouns import Attribute, Noun, noun
from inventory.quick import sorting
from siaga.errors import SiagaError
from siaga.text import one, safe

MAX_DEPTH = 8
MAX_PATH = 12
_BEFORE = re.compile(r"([A-Za-z_][\w.-]*)\s*(!?[=~])\s*([^\s,()\"']+)\s+$")
_OPERATORS = {"&&": "'and'", "&": "'and'", "||": "'or'", "|": "'or'", "-": "'not'"}
_NOT = {"!=": "=", "!~": "~"}


def selected(session: Session, name: str, text: str, *, today: date | None = None) -> list[int]:
    """Return the ids of the rows meant, ordered by natural key.

    Raises UsageError (`bad-selector`), NotFoundError (`nothing-selected`) for a bare word that is no row's name.
    """
    kind = noun(name)
    table = kind.table
    now = datetime.now().astimezone()
    text = unicodedata.normalize("NFC", text)
    dialect = session.get_bind().dialect.name
    compiler = _Compiler(session, text, Moment(today or now.date(), now, dialect))
    condition = compiler.compile(kind, table, parse(text), 0)
    order = [_ordered(table, kind, a) for a in sorting(kind.name)]
    return list(session.execute(select(table.c.id).where(condition).order_by(*order)).scalars())


def meant(session: Session, name: str, arguments: Sequence[str]) -> list[int]:
    """Return the ids of the rows that the words of a command line mean: one row's exact name, or a selector.

    A name may hold what means something in a selector: a space, a colon, the word 'and'.
    """
    text = joined(arguments)
    if len(arguments) == 1:
        found = naming.exact(session, name, arguments[0])
        if found is not None:
            return [found]
    return selected(session, name, text)


def _ordered(table: Any, kind: Noun, name: str) -> Any:
    """Return what rows are ordered by: a column, or the name of the row it refers to."""
    attribute = kind.attributes[name]
    if not attribute.ref:
        return table.c[attribute.column]
    other = noun(attribute.ref).table
    return select(other.c.name).where(other.c.id == table.c[attribute.column]).scalar_subquery()


class _Step(NamedTuple):
    """One part of a path, and where it is written."""

    name: str
    at: int


@dataclass(frozen=True)
class _Compiler:
    """Compiles a tree to SQL. Nothing compared is ever NULL, so that `not` means not."""

    session: Session
    text: str
    moment: Moment
    within: str = "selector"

    def compile(self, kind: Noun, table: Any, tree: Tree, depth: int) -> ColumnElement[bool]:
        if isinstance(tree, All):
            # A database looks at the conditions from left to right: the dear ones last.
            parts = sorted(tree.parts, key=_dear)
            found = [self.compile(kind, table, p, depth) for p in parts]
            self.one_name_each(tree)
            return and_(true(), *found)
        if isinstance(tree, AnyOf):
            return or_(false(), *(self.compile(kind, table, p, depth) for p in tree.parts))
        if isinstance(tree, Not):
            return not_(self.compile(kind, table, tree.part, depth))
        if isinstance(tree, Saved):
            return self.saved(kind, table, tree, depth)
        if tree.end:
            return self.compile(kind, table, self.settled(kind, table, tree), depth)
        if isinstance(tree, Named):
            return self.named(kind, table, tree)
        steps = self.steps(kind, tree)
        if len(steps) > MAX_PATH:
            raise self.error(tree.at, f"this path has more than {MAX_PATH} parts")
        return self.path(kind, table, tree, steps)

    def error(self, at: int, why: str) -> SiagaError:
        return pointed(self.text, at, why, within=self.within)

    # --- groups and names -----------------------------------------------------------------------------

    def saved(self, kind: Noun, table: Any, tree: Saved, depth: int) -> ColumnElement[bool]:
        """Return the condition of a saved group; what is wrong in it is shown in its own text."""
        groups = self.session.exec(sqlmodel_select(Group).where(Group.noun == kind.name)).all()
        row = next((g for g in groups if g.name == tree.name), None)
        if row is None:
            near = nearest(tree.name, [g.name for g in groups])
            hint = f"; did you mean '@{near}'?" if near else ""
            why = f"there is no saved group '{safe(tree.name, 60)}' for {kind.words}{hint}"
            raise self.error(tree.at, why)
        if depth >= MAX_DEPTH:
            raise self.error(tree.at, f"group '{tree.name}' refers to itself")
        inner = replace(self, text=row.selector, within=f"group '{safe(row.name, 60)}'")
        return inner.compile(kind, table, parse(row.selector), depth + 1)

    def one_name_each(self, tree: All) -> None:
        """Raise for two names side by side: no row has both, so 'and' cannot be what was meant."""
        names = [p for p in tree.parts if isinstance(p, Named) and not p.end and "*" not in "".join(p.names)]
        if len(names) > 1:
            both = ",".join(safe(p.names[0], 40) for p in names[:2])
            raise self.error(names[1].at, f"a row has one name: write {both} for either")

    def settled(self, kind: Noun, table: Any, tree: Compare | Named) -> Tree:
        """Return what a term with loose spaces is: one value if there is such a value, else one word after another."""
        if isinstance(tree, Named):
            whole: Tree = replace(tree, names=tuple(_spaced(n) for n in tree.names), end=0)
        else:
            whole = replace(tree, values=tuple(_spaced(v) for v in tree.values), end=0)
        if self.there(kind, table, whole):
            return whole
        # Blanks in front keep every character in its place.
        return parse(" " * tree.at + self.text[tree.at : tree.end].replace(LOOSE, " "))

    def there(self, kind: Noun, table: Any, tree: Tree) -> bool:
        """Tell whether this means something: a name that there is, a value that can be, a text that a row has."""
        if isinstance(tree, Compare):
            tree = replace(tree, operator=_NOT.get(tree.operator, tree.operator))
        try:
            condition = self.compile(kind, table, tree, 0)
        except SiagaError:
            return False
        if isinstance(tree, Named) or not self.open_text(kind, tree):
            return True
        return self.session.execute(select(table.c.id).where(condition).limit(1)).first() is not None

    def open_text(self, kind: Noun, tree: Tree) -> bool:
        """Tell whether any text can be compared here, so that only the rows tell which texts there are."""
        assert isinstance(tree, Compare)
        if tree.operator == "~":
            return True
        steps = self.steps(kind, tree)
        while len(steps) > 1 and steps[0].name in kind.attributes and kind.attributes[steps[0].name].ref:
            kind, rest = noun(kind.attributes[steps[0].name].ref), steps[1:]
            steps = self.expanded(kind, rest)
        attribute = kind.attributes.get(steps[0].name)
        return attribute is not None and attribute.kind in ("text", "vars")

    def named(self, kind: Noun, table: Any, tree: Named) -> ColumnElement[bool]:
        """Return the condition of a bare word: a name, with * for anything; a name that nothing has is a slip."""
        plain = [(w, at) for w, at in zip(tree.names, tree.spots, strict=True) if "*" not in w]
        parts = [self.wildcard(kind, table, w, tree) for w in tree.names if "*" in w]
        ids = []
        for word, at in plain:
            found = naming.called(self.session, kind, word)
            if not found:
                raise self.nobody(kind, word, at)
            ids += found
        return or_(reach.listed(table.c.id, ids), *parts)

    def wildcard(self, kind: Noun, table: Any, word: str, tree: Named) -> ColumnElement[bool]:
        pattern = f"^{'.*'.join(re.escape(part) for part in word.split('*'))}$"
        column = table.c.name
        if kind.name == "interface" and ":" in word:
            column = _ordered(table, kind, "device") + literal(":") + column
        return self.checked(tree, lambda: comparisons.matching(column, pattern))

    def nobody(self, kind: Noun, word: str, at: int) -> SiagaError:
        """Return the error of a bare word that is no row's name, with what may have been meant."""
        if word in _OPERATORS:
            return self.error(at, f"'{word}' is no operator: write {_OPERATORS[word]}")
        near = naming.near(self.session, kind, word)
        why = f"no {kind.words} is called '{safe(word, 60)}'"
        if quoted := self.cut(kind, word, at):
            why += f" (a value with a space stands in quotes: {quoted})"
        elif near:
            why += f"; did you mean '{safe(near, 60)}'?"
        elif word in kind.attributes:
            why += f"; it is a field: {word}=VALUE"
        return unnamed(self.text, at, why, within=self.within)

    def cut(self, kind: Noun, word: str, at: int) -> str:
        """Return the comparison before this word with the word as part of its value, if it can be one."""
        before = _BEFORE.search(self.text[:at].replace(LOOSE, " "))
        if not before or ((first := kind.attributes.get(before[1])) and first.choices):
            return ""
        return f"{before[1]}{before[2]}'{safe(before[3], 60)} {safe(word, 60)}'"

    # --- paths ----------------------------------------------------------------------------------------

    def steps(self, kind: Noun, tree: Compare) -> list[_Step]:
        """Return the parts of a path as they are written, the first one spelt out."""
        steps, at = [], tree.at
        for part in tree.path.split("."):
            steps.append(_Step(part, at))
            at += len(part) + 1
        return self.expanded(kind, steps)

    def expanded(self, kind: Noun, steps: Sequence[_Step]) -> list[_Step]:
        first = steps[0]
        if first.name == "var" and "vars" in kind.attributes:
            return [_Step("vars", first.at), *steps[1:]]
        way = kind.paths.get(first.name, first.name).split(".")
        return [*(_Step(w, first.at) for w in way), *steps[1:]]

    def path(self, kind: Noun, table: Any, tree: Compare, steps: Sequence[_Step]) -> ColumnElement[bool]:
        if tree.operator == "!~":
            return not_(self.path(kind, table, replace(tree, operator="~"), steps))
        special = self.special(kind, table, tree, steps)
        if special is not None:
            return not_(special) if tree.operator == "!=" else special
        attribute = self.attribute(kind, steps[0])
        if attribute.ref:
            return self.referred(attribute, table, tree, steps[1:])
        if len(steps) > 1 and attribute.kind != "vars":
            raise self.error(steps[1].at, f"'{attribute.name}' of {kind.words} has no parts")
        inside = [s.name for s in steps[1:]]
        column = comparisons.column(table, attribute, inside, self.moment.dialect)
        return self.checked(tree, lambda: comparisons.compared(attribute, column, tree, self.moment))

    def checked(self, tree: Compare | Named, work: Any) -> ColumnElement[bool]:
        """Return the condition that `work` makes; what is wrong with a value points at that value."""
        try:
            condition: ColumnElement[bool] = work()
        except WrongValueError as error:
            raise self.error(_spot(tree, error.number), str(error)) from None
        return condition

    def attribute(self, kind: Noun, step: _Step) -> Attribute:
        if step.name in ("under", "within"):
            raise self.error(
                step.at, f"'{step.name}' is no question for {one(kind.words)}, or not with this operator"
            )
        if step.name not in kind.attributes:
            raise self.error(step.at, kind.without(step.name, selectors=True))
        return kind.attributes[step.name]

    def special(
        self, kind: Noun, table: Any, tree: Compare, steps: Sequence[_Step]
    ) -> ColumnElement[bool] | None:
        """Return the condition of a path that is no field: under, within, a whole 'device:interface'."""
        if len(steps) != 1 or tree.operator not in ("=", "!="):
            return None
        name, text = steps[0].name, "".join(tree.values)
        if name == "under" and "parent" in kind.attributes:
            return reach.listed(table.c.id, self.below(kind, tree))
        if name == "within" and kind.name in reach.NOUNS:
            return self.inside(kind, table, tree)
        if name == "address" and kind.name == "device" and "/" in text:
            return self.inside(kind, table, tree)
        if kind.name == "interface" and name == "name" and ":" in text:
            return reach.listed(table.c.id, reach.interfaces(self.session, tree.values))
        if kind.name == "place" and name == "kecamatan":
            tree = self.known(kind, tree)
            return self.checked(
                tree,
                lambda: comparisons.compared(
                    kind.attributes[name], table.c.kecamatan, replace(tree, operator="="), self.moment
                ),
            )
        return None

    def below(self, kind: Noun, tree: Compare) -> list[int]:
        return reach.below(self.session, kind, self.known(kind, tree).values)

    def inside(self, kind: Noun, table: Any, tree: Compare) -> ColumnElement[bool]:
        parts: list[ColumnElement[bool]] = [false()]
        for number, value in enumerate(tree.values):
            try:
                parts += [reach.within(self.session, kind, table, value)] if value else []
            except ValueError as error:
                raise self.error(_spot(tree, number), f"the prefix {error}") from None
        return or_(*parts)

    def referred(
        self, attribute: Attribute, table: Any, tree: Compare, rest: Sequence[_Step]
    ) -> ColumnElement[bool]:
        """Return the condition on the row that a reference leads to; `!=` is decided where the reference stands."""
        other = noun(attribute.ref)
        column = comparisons.column(table, attribute, (), self.moment.dialect)
        positive = replace(tree, operator=_NOT.get(tree.operator, tree.operator))
        kecamatan = other.name == "place" and [s.name for s in rest] == ["kecamatan"]
        if tree.operator in ("=", "!=") and (not rest or kecamatan):
            positive = self.known(other, positive)
        target = aliased(other.model).__table__.alias()  # type: ignore[attr-defined]
        way = self.expanded(other, rest or [_Step("name", tree.at)])
        inner = self.path(other, target, positive, way)
        # Asked once, not for every row: the database then goes by the index of the reference.
        there = and_(column.is_not(None), column.in_(select(target.c.id).where(inner)))
        empty = "" in tree.values and tree.operator in ("=", "!=")
        found = or_(there, column.is_(None)) if empty else there
        return not_(found) if tree.operator == "!=" else found

    def known(self, kind: Noun, tree: Compare) -> Compare:
        """Return the comparison with the names as they are stored: a place may be given by its Kemendagri code.

        Raises UsageError for a name that nothing has: nobody means 'no device' by a slip of the keyboard.
        """
        stored = naming.stored(self.session, kind, [v for v in tree.values if v])
        for number, value in enumerate(tree.values):
            if value and value not in stored:
                raise self.unknown(kind, tree, value, _spot(tree, number))
        return replace(tree, values=tuple(stored.get(v, v) for v in tree.values))

    def unknown(self, kind: Noun, tree: Compare, value: str, at: int) -> SiagaError:
        why = f"there is no {kind.words} called '{safe(value, 60)}'"
        longer = self.longer(kind, value, at)
        near = naming.near(self.session, kind, value)
        if longer:
            why += f"; a value with a space stands in quotes: {tree.path}{tree.operator}'{safe(longer, 60)}'"
        elif near:
            why += f"; did you mean '{safe(near, 60)}'?"
        return self.error(at, why)

    def longer(self, kind: Noun, value: str, at: int) -> str:
        """Return the name that this value and the words behind it make, or nearly make; '' if there is none."""
        words = re.split(r"[()\"'=<>!~@*,]", self.text[at + len(value) :].replace(LOOSE, " "), maxsplit=1)
        following = words[0].split() if self.text[at : at + len(value)] == value else []
        if len(words) > 1 and following:
            following.pop()  # the field of the next comparison
        following = following[: next((i for i, w in enumerate(following) if w.lower() in KEYWORDS), None)][:6]
        tries = [" ".join([value, *following[:n]]) for n in range(len(following), 0, -1)]
        stored = naming.stored(self.session, kind, tries)
        exact = next((t for t in tries if t in stored), "")
        return exact or next((n for n in (naming.near(self.session, kind, t) for t in tries) if " " in n), "")


def _spot(tree: Compare | Named, number: int) -> int:
    return tree.spots[number] if number < len(tree.spots) else tree.at


def _spaced(text: str) -> str:
    return text.replace(LOOSE, " ").strip()


def _dear(tree: Tree) -> int:
    if isinstance(tree, Compare):
        return (2 if tree.operator in ("~", "!~") else 0) + ("." in tree.path)
    return 1
