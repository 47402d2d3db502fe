"""The nouns, derived from the tables: one description serves every command, import and selector.

An attribute is what an operator writes (`place`), a column is what is stored (`place_id`).
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlmodel import SQLModel

from inventory import models
from inventory.catalog import SPECS
from siaga.errors import NotFoundError

# Written by siaga itself, never by a person or an import.
DERIVED = frozenset(
    {"id", "kecamatan", "if_index", "if_type", "seen_alias", "seen_speed_bps", "mac", "admin_status"}
    | {"oper_status", "seen_at"}
)


@dataclass(frozen=True)
class Attribute:
    """One attribute. `kind`: text, int, float, bool, date, time, ref, tags or vars; `ref`: the noun meant."""

    name: str
    column: str
    kind: str
    ref: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    settable: bool = True
    limit: int = 255


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

    def attribute(self, name: str) -> Attribute:
        """Return the attribute called `name`; raises NotFoundError (`no-such-field`) with what there is."""
        if name not in self.attributes:
            offered = ", ".join(self.attributes)
            raise NotFoundError("no-such-field", f"A {self.name} has no field '{name}'; it has {offered}.")
        return self.attributes[name]


_REFS = {
    "device": "device",
    "place": "place",
    "agency": "agency",
    "provider": "provider",
    "contract": "contract",
    "device_type": "device_type",
    "interface": "interface",
    "link": "link",
    "credential": "credential",
}


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


def _attributes(model: type[SQLModel]) -> dict[str, Attribute]:
    table = model.__table__  # type: ignore[attr-defined]
    choices: Mapping[str, tuple[str, ...]] = getattr(model, "CHOICES", {})
    found = {}
    for column, info in model.model_fields.items():
        if column == "id":
            continue
        targets = [key.column.table.name for key in table.c[column].foreign_keys]
        name = column.removesuffix("_id") if targets else column
        kind = "ref" if targets else "tags" if column == "tags" else _kind(info.annotation)
        required = info.is_required() or (bool(targets) and not table.c[column].nullable)
        limit = 2000 if column == "notes" else 1000 if column in ("url", "selector") else 255
        found[name] = Attribute(
            name,
            column,
            kind,
            _REFS.get(targets[0], "") if targets else "",
            choices.get(column, ()),
            required,
            column not in DERIVED,
            limit,
        )
    return found


_MODELS: Mapping[str, type[SQLModel]] = {
    "place": models.Place,
    "agency": models.Agency,
    "provider": models.Provider,
    "contract": models.Contract,
    "device_type": models.DeviceType,
    "credential": models.Credential,
    "device": models.Device,
    "interface": models.Interface,
    "link": models.Link,
    "connection": models.Connection,
    "service": models.Service,
    "group": models.Group,
}


@cache
def nouns() -> Mapping[str, Noun]:
    """Return every noun by name, in import order."""
    return {
        spec.name: Noun(spec.name, model, spec.shown, spec.key, spec.wide, spec.paths, _attributes(model))
        for spec in SPECS
        for model in [_MODELS[spec.name]]
    }


def noun(name: str) -> Noun:
    """Return the noun called `name` (a hyphen is as good as an underscore, a plural as a singular).

    Raises NotFoundError (`no-such-noun`).
    """
    asked = name.strip().lower().replace("-", "_").replace(" ", "_")
    for candidate in (asked, asked.removesuffix("s"), asked.removesuffix("ies") + "y"):
        if candidate in nouns():
            return nouns()[candidate]
    raise NotFoundError("no-such-noun", f"There is nothing called '{name}'; there are {', '.join(nouns())}.")
