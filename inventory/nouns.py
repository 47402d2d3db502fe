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


_WAN = ("committed_down_bps", "committed_up_bps")
# In the order in which an import must make them: a noun stands after those it refers to.
_SPECS: tuple[Noun, ...] = (
    Noun("place", models.Place, ("name", "kind", "code", "parent"), wide=("latitude", "longitude", "notes")),
    Noun(
        "agency",
        models.Agency,
        ("name", "title", "kind", "place"),
        wide=("notes",),
        paths={"kecamatan": "place.kecamatan"},
    ),
    Noun("provider", models.Provider, ("name", "title", "contact"), wide=("notes",)),
    Noun(
        "contract",
        models.Contract,
        ("name", "provider", "kind", "start", "end", *_WAN, "availability_pct"),
        wide=("price_idr", "claim_after_s", "notes"),
    ),
    Noun("device_type", models.DeviceType, ("name", "maker", "model", "eos", "eol"), wide=("notes",)),
    Noun("credential", models.Credential, ("name", "kind", "username", "auth_protocol", "priv_protocol")),
    Noun(
        "device",
        models.Device,
        ("name", "role", "status", "place", "agency", "platform", "address", "transport"),
        wide=("device_type", "serial", "credential", "ssh_credential", "parent", "tags", "notes"),
        paths={
            "kecamatan": "place.kecamatan",
            "maker": "device_type.maker",
            "model": "device_type.model",
            "site": "place",
        },
    ),
    Noun(
        "interface",
        models.Interface,
        ("device", "name", "alias", "oper_status", "speed_bps", "seen_speed_bps", "mac"),
        key=("device", "name"),
        wide=("if_index", "seen_alias", "admin_status", "seen_at", "notes"),
        paths={"kecamatan": "device.place.kecamatan", "role": "device.role"},
    ),
    Noun(
        "link",
        models.Link,
        ("name", "kind", "a_interface", "z_interface", "contract", "role", "state"),
        wide=("intra", "path_group", "notes"),
    ),
    Noun(
        "connection",
        models.Connection,
        ("name", "agency", "place", "contract", "interface", *_WAN),
        wide=("device", "link", "notes"),
        paths={"kecamatan": "place.kecamatan"},
    ),
    Noun(
        "service", models.Service, ("name", "title", "agency", "device", "url"), wide=("criticality", "notes")
    ),
    Noun("group", models.Group, ("name", "noun", "selector"), wide=("notes",)),
)


@cache
def nouns() -> Mapping[str, Noun]:
    """Return every noun by name, in import order."""
    return {
        spec.name: Noun(
            spec.name, spec.model, spec.shown, spec.key, spec.wide, spec.paths, _attributes(spec.model)
        )
        for spec in _SPECS
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
