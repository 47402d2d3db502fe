"""The nouns, derived from the tables: one description serves every command, import and selector.

An attribute is what an operator writes (`place`), a column is what is stored (`place_id`). Fields that the
regency declares itself (`[fields.device.po_number]` in siaga.toml) are attributes like the others; their values
lie in the column `custom`.
"""

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlmodel import SQLModel

from inventory import models, models_custody, models_ipam, models_people, models_readiness
from inventory.catalog import SPECS
from inventory.quick import SELECTOR_WORDS
from siaga.errors import InvalidError, NotFoundError
from siaga.settings import CustomField
from siaga.text import one, safe

# Written by siaga itself, never by a person or an import.
DERIVED = frozenset(
    {"id", "revision", "kecamatan", "if_index", "if_type", "seen_alias", "seen_speed_bps", "seen_mac"}
    | {"admin_status", "oper_status", "seen_at", "family", "first", "last", "facts", "score", "decided_by"}
    | {"first_seen", "last_seen"}
)
INTERNAL = ("id", "custom", "revision")
LONG = {"notes": 2000, "text": 4000, "url": 1000, "selector": 1000, "reason": 1000, "specification": 1000}


@dataclass(frozen=True)
class Attribute:
    """One attribute. `kind`: text, int, float, bool, date, time, ref, tags or vars; `ref`: the noun meant.

    `custom`: declared in the settings, stored in the JSON column. `low`, `high`: bounds of a number;
    `pattern`: what a text must match whole.
    """

    name: str
    column: str
    kind: str
    ref: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    settable: bool = True
    limit: int = 255
    custom: bool = False
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    naming: str = ""


@dataclass(frozen=True)
class Noun:
    """One noun: its table, its natural key, the columns a list shows, and shorthands for selectors."""

    name: str
    model: type[SQLModel]
    shown: tuple[str, ...]
    key: tuple[str, ...] = ("name",)
    wide: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    auto: tuple[str, ...] = ()
    seen: bool = False

    @property
    def table(self) -> Any:
        """The SQLAlchemy table."""
        return self.model.__table__  # type: ignore[attr-defined]

    @property
    def words(self) -> str:
        """The noun as a person writes it."""
        return self.name.replace("_", " ")

    def attribute(self, name: str) -> Attribute:
        """Return the attribute called `name`; raises NotFoundError (`no-such-field`) with what there is."""
        if name not in self.attributes:
            phrase = self.without(name)
            sentence = f"{phrase[0].upper()}{phrase[1:]}"
            raise NotFoundError("no-such-field", sentence if sentence.endswith("?") else f"{sentence}.")
        return self.attributes[name]

    def without(self, name: str, *, selectors: bool = False) -> str:
        """Return the phrase that there is no such field: with the nearest one there is, else with all of them."""
        import difflib

        offered = [*self.attributes, *(p for p in self.paths if selectors and p not in self.attributes)]
        near = difflib.get_close_matches(name[:80], offered, n=1)
        rest = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(offered)}"
        return f"{one(self.words)} has no field '{safe(name, 60)}'; {rest}"


def _kind(annotation: Any) -> str:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        annotation = next(a for a in typing.get_args(annotation) if a is not type(None))
    plain = typing.get_origin(annotation) or annotation
    return {
        str: "text",
        bool: "bool",
        int: "int",
        float: "float",
        date: "date",
        datetime: "time",
        dict: "vars",
    }[plain]


def _attributes(spec_naming: str, model: type[SQLModel]) -> dict[str, Attribute]:
    table = model.__table__  # type: ignore[attr-defined]
    choices: Mapping[str, tuple[str, ...]] = getattr(model, "CHOICES", {})
    bounds: Mapping[str, tuple[float, float]] = getattr(model, "BOUNDS", {})
    found = {}
    # What every noun has stands first in the model and last for people.
    columns = [c for c in model.model_fields if c not in INTERNAL and c != "notes"]
    for column in [*columns, "notes"]:
        info = model.model_fields[column]
        targets = [k.column.table.name for k in table.c[column].foreign_keys]
        name = column.removesuffix("_id") if targets else column
        kind = "ref" if targets else _text_kind(column) or _kind(info.annotation)
        low, high = bounds.get(column, (None, None))
        found[name] = Attribute(
            name,
            column,
            kind,
            targets[0] if targets else "",
            choices.get(column, ()),
            info.is_required() or (bool(targets) and not table.c[column].nullable),
            column not in DERIVED and (spec_naming, column) != ("cidr", "length"),
            getattr(table.c[column].type, "length", None) or LONG.get(column, 255),
            low=low,
            high=high,
            naming=spec_naming if column == "name" else "",
        )
    return found


def _text_kind(column: str) -> str:
    return {"tags": "tags", "competences": "tags", "facts": "vars"}.get(column, "")


_MODELS: Mapping[str, type[SQLModel]] = {
    m.__table__.name: m  # type: ignore[attr-defined]
    for room in (models, models_people, models_ipam, models_custody, models_readiness)
    for m in vars(room).values()
    if isinstance(m, type) and issubclass(m, models.Row) and m is not models.Row
}

_declared: Mapping[str, Mapping[str, CustomField]] = {}


def declare(fields: Mapping[str, Mapping[str, CustomField]]) -> None:
    """Take over the fields that the settings declare; a process serves one inventory.

    Raises InvalidError (`bad-settings`) for a noun or a field that cannot be.
    """
    global _declared
    if fields == _declared:
        return
    problems = [p for noun_name, given in fields.items() for p in _problems(noun_name, given)]
    if problems:
        raise InvalidError("bad-settings", "The declared fields cannot be.", problems)
    _declared = {n: dict(given) for n, given in fields.items()}
    nouns.cache_clear()


def _problems(noun_name: str, given: Mapping[str, CustomField]) -> list[str]:
    if noun_name not in _plain():
        return [f"fields.{noun_name}: there is no such noun; there are {', '.join(_plain())}"]
    there = _plain()[noun_name].attributes
    taken = [f"fields.{noun_name}.{f}: this field is there already" for f in given if f in there]
    words = SELECTOR_WORDS | set(_plain()[noun_name].paths)
    taken += [
        f"fields.{noun_name}.{f}: this is a word of selectors" for f in given if f in words - set(there)
    ]
    unknown = [
        f"fields.{noun_name}.{f}: there is no noun '{d.ref}' to refer to"
        for f, d in given.items()
        if d.type == "ref" and d.ref not in _plain()
    ]
    return taken + unknown


@cache
def _plain() -> Mapping[str, Noun]:
    return {
        spec.name: Noun(
            spec.name,
            model,
            spec.shown,
            spec.key,
            spec.wide,
            spec.paths,
            _attributes(spec.naming, model),
            spec.auto,
            spec.seen,
        )
        for spec in SPECS
        for model in [_MODELS[spec.table or spec.name]]
    }


@cache
def nouns() -> Mapping[str, Noun]:
    """Return every noun by name, in import order, with the fields that were declared."""
    return {
        name: replace(kind, attributes={**kind.attributes, **_custom(_declared.get(name, {}))})
        for name, kind in _plain().items()
    }


def _custom(declared: Mapping[str, CustomField]) -> dict[str, Attribute]:
    return {
        name: Attribute(
            name,
            name,
            "text" if given.type == "choice" else given.type,
            given.ref,
            given.choices,
            given.required,
            limit=given.limit,
            custom=True,
            low=given.minimum,
            high=given.maximum,
            pattern=given.pattern,
        )
        for name, given in declared.items()
    }


def noun(name: str) -> Noun:
    """Return the noun called `name` (a hyphen is as good as an underscore, a plural as a singular).

    Raises NotFoundError (`no-such-noun`).
    """
    asked = name.strip().lower().replace("-", "_").replace(" ", "_")
    for candidate in (
        asked,
        asked.removesuffix("s"),
        asked.removesuffix("es"),
        asked.removesuffix("ies") + "y",
    ):
        if candidate in nouns():
            return nouns()[candidate]
    raise NotFoundError("no-such-noun", f"There is nothing called '{name}'; there are {', '.join(nouns())}.")


def named_by(name: str) -> Iterator[str]:
    """Yield the nouns whose natural keys hold the name of such a row: an interface is DEVICE:INTERFACE."""
    for kind in nouns().values():
        if len(kind.key) > 1 and any(a.ref == name for k in kind.key if (a := kind.attributes.get(k))):
            yield kind.name
