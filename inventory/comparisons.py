"""What one comparison of a selector means in SQL: a field's column, an operator, and values as they are written."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, String, and_, case, cast, false, func, literal, not_, or_

from inventory.grammar import Compare
from inventory.nouns import Attribute
from inventory.values import BadValueError, read
from siaga.expressions import expression
from siaga.text import safe


class WrongValueError(ValueError):
    """A value cannot be compared with the field; `number`: which of the values."""

    def __init__(self, phrase: str, number: int = 0) -> None:
        super().__init__(phrase)
        self.number = number


@dataclass(frozen=True)
class Moment:
    """When, and by which database, a selector is asked: '90d' is from today, '-1h' from now."""

    today: date
    now: datetime
    dialect: str


def column(table: Any, attribute: Attribute, inside: Sequence[str], dialect: str) -> Any:
    """Return where a field's value stands: a column, inside the JSON of declared fields, or inside variables."""
    if attribute.kind == "vars":
        whole = table.c[attribute.column]
        return _variable(whole, inside, dialect) if inside else cast(whole, String)
    if not attribute.custom:
        return table.c[attribute.column]
    value = table.c.custom[attribute.name]
    if attribute.kind in ("int", "ref"):
        return value.as_integer()
    if attribute.kind == "float":
        return value.as_float()
    return value.as_boolean() if attribute.kind == "bool" else value.as_string()


def _variable(whole: Any, inside: Sequence[str], dialect: str) -> Any:
    """Return a variable as text, however deep it lies and whatever it is: SQLite would make 1 of true."""
    found = cast(whole[tuple(inside)].as_string(), String)
    if dialect != "sqlite":
        return found
    path = "$" + "".join(f'."{part}"' for part in inside)
    kind = func.json_type(whole, path)
    return case((kind.in_(("true", "false")), kind), else_=found)


def compared(attribute: Attribute, column: Any, tree: Compare, moment: Moment) -> ColumnElement[bool]:
    """Return the condition of one comparison; raises WrongValueError."""
    if tree.operator == "~":
        return matching(column, tree.values[0])
    if attribute.kind == "tags" or attribute.name == "tags":
        return _tagged(column, tree)
    values = [_value(attribute, v, n, tree.operator, moment) for n, v in enumerate(tree.values)]
    if tree.operator in ("=", "!="):
        found = _one_of(column, values, text=attribute.kind in ("text", "vars"))
        return not_(found) if tree.operator == "!=" else found
    known = [v for v in values if v not in (None, "")]
    return or_(false(), *(_ordered(attribute, column, _ORDER[tree.operator], v) for v in known))


def _tagged(column: Any, tree: Compare) -> ColumnElement[bool]:
    spaced = literal(" ") + func.coalesce(column, "") + literal(" ")
    found = or_(*(_holds(spaced, column, tag) for tag in tree.values))
    return not_(found) if tree.operator == "!=" else found


def _holds(spaced: ColumnElement[str], column: Any, tag: str) -> ColumnElement[bool]:
    """Return the condition that a tag is there; no tag at all, that there is none."""
    if not tag:
        return func.coalesce(column, "") == ""
    # Case counts, as everywhere; LIKE would not see it.
    return spaced != func.replace(spaced, f" {tag} ", "")


def matching(column: Any, pattern: str) -> ColumnElement[bool]:
    """Return the condition that a regular expression is found in the column; raises WrongValueError."""
    try:
        expression(pattern)
    except ValueError as error:
        raise WrongValueError(f"the regular expression is wrong ({safe(error, 200)})") from None
    text = func.coalesce(cast(column, String), "")
    plain = re.fullmatch(r"(\^?)([\w /:-]+)", pattern)
    if plain and plain[1]:
        return func.substr(text, 1, len(plain[2])) == plain[2]
    if plain:  # case counts, as in an expression; LIKE would not see it
        return func.replace(text, plain[2], "") != text
    found, needed = text.regexp_match(pattern), _needed(pattern)
    # The database looks for plain text in C, an expression in Python: ten times slower. CASE keeps the order.
    return case((func.replace(text, needed, "") != text, found), else_=false()) if needed else found


def _needed(pattern: str) -> str:
    """Return the longest text that whatever matches must hold, as far as that is plain to see; '' if it is not."""
    if re.search(r"[|()\[\]{}?\\]", pattern):
        return ""
    runs = re.findall(r"[\w /:-]+[*+]?", pattern)
    return max((r[:-2] if r.endswith("*") else r.rstrip("+") for r in runs), key=len, default="")


def _value(attribute: Attribute, text: str, number: int, operator: str, moment: Moment) -> Any:
    if attribute.choices and operator in ("=", "!=") and text and text not in attribute.choices:
        offered = ", ".join(c for c in attribute.choices if c)
        phrase = f"{attribute.name} is never '{safe(text, 40)}', but one of {offered}"
        raise WrongValueError(phrase, number)
    if attribute.kind in ("text", "vars"):
        return text
    try:
        value = _relative(attribute.kind, text, moment)
        value = value if value is not None else read(attribute, text) if text else None
    except OverflowError:
        raise WrongValueError(
            f"{attribute.name} is '{safe(text, 40)}', which is no year we know", number
        ) from None
    except BadValueError as error:
        raise WrongValueError(f"{attribute.name} {error}{_HINTS.get(attribute.kind, '')}", number) from None
    return value.isoformat() if attribute.custom and isinstance(value, date) else value


def _relative(kind: str, text: str, moment: Moment) -> date | datetime | None:
    """Return a date counted from today or a time counted from now, or None."""
    if kind == "date" and (match := re.fullmatch(r"([+-]?\d{1,5})([dw])", text)):
        return moment.today + timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))
    if kind == "time" and (match := re.fullmatch(r"([+-]?\d{1,6})([smhdw])", text)):
        return moment.now + timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    return None


def _one_of(column: Any, values: Sequence[Any], *, text: bool) -> ColumnElement[bool]:
    known = [v for v in values if v not in (None, "")]
    parts: list[ColumnElement[bool]] = [and_(column.is_not(None), column.in_(known))] if known else []
    if len(known) < len(values):
        parts.append(func.coalesce(column, "") == "" if text else column.is_(None))
    return or_(false(), *parts)


def _ordered(
    attribute: Attribute, column: Any, operation: Callable[[Any, Any], Any], value: Any
) -> ColumnElement[bool]:
    """Compare by order; a variable by its number if both are numbers, else by its text."""
    if attribute.kind != "vars" or not re.fullmatch(_NUMBER, value):
        return and_(column.is_not(None), operation(column, value))
    is_number = func.coalesce(column, "").regexp_match(_NUMBER)
    # A database may look at both sides of an `and`: only a CASE keeps what is no number from being read as one.
    number = case((is_number, cast(column, Float)), else_=None)
    return and_(number.is_not(None), operation(number, float(value)))


_NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"
_HINTS = {"date": ", or 90d (from today)", "time": ", or -1h (from now)"}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_ORDER: Mapping[str, Any] = {
    "<": lambda c, v: c < v,
    "<=": lambda c, v: c <= v,
    ">": lambda c, v: c > v,
    ">=": lambda c, v: c >= v,
}
