"""The front-matter of a play: what an operator must know before it runs, and which parameters it takes."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siaga.errors import InvalidError
from siaga.expressions import expression
from siaga.text import safe

TYPES = ("str", "int", "bool", "list", "choice", "credential")
RISKS = ("low", "medium", "high")
# What is looked at before and after: infra.verdict says what each means.
CHECKS = ("reachable", "neighbours", "services")
# How a batch that went wrong is taken back: see `Playbook.rollback`.
ROLLBACKS = ("none", "self", "restore", "play")
_TRUE, _FALSE = ("true", "yes", "1", "on"), ("false", "no", "0", "off")
_LONGEST_INT = 18  # digits: what a 64-bit number holds


@dataclass(frozen=True)
class Parameter:
    """One parameter of a play. `pattern` is matched against the whole value (of each item of a list).

    `least`: what a whole number must not be below.
    """

    name: str
    type: str = "str"
    default: Any = ""
    help: str = ""
    pattern: str = ""
    kind: str = ""  # of a credential
    choices: tuple[str, ...] = ()
    required: bool = False
    least: int | None = None

    @property
    def option(self) -> str:
        """The parameter as an option of the command line."""
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True)
class Playbook:
    """A play with its front-matter; `path` is the YAML file.

    `rollback`: none; self (the play goes back by itself: rescue blocks, commit-confirmed, a timer on the device);
    restore (the configuration that was kept before); play (NAME.rollback.yml beside it).
    """

    name: str
    path: Path
    title: str
    description: str = ""
    risk: str = "medium"
    platforms: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    needs_approval: bool = False
    pre_checks: tuple[str, ...] = ()
    post_checks: tuple[str, ...] = CHECKS
    rollback: str = "none"
    gives_back: bool = False  # it types the lines of an earlier configuration (infra.giving_back)

    @property
    def folder(self) -> Path:
        """The project directory: the play, its roles and group_vars."""
        return self.path.parent

    @property
    def rollback_path(self) -> Path:
        """The play that takes this one back, where `rollback` is 'play'."""
        return self.path.with_name(f"{self.name}.rollback.yml")


def read_playbook(path: Path) -> Playbook:
    """Return the play whose front-matter `path` (TOML) is; raises InvalidError (`bad-playbook`)."""
    try:
        front = tomllib.loads(path.read_text(encoding="utf-8"))
        return Playbook(
            path.stem,
            path.with_suffix(".yml"),
            str(front["title"]),
            str(front.get("description", "")).strip(),
            _one_of(front, "risk", RISKS, "medium"),
            tuple(map(str, front.get("platforms", ()))),
            tuple(_parameter(k, v) for k, v in front.get("params", {}).items()),
            _switch(front, "needs_approval"),
            _checks(front, "pre_checks", ()),
            _checks(front, "post_checks", CHECKS),
            _one_of(front, "rollback", ROLLBACKS, "none"),
            _switch(front, "gives_back"),
        )
    except KeyError as error:
        reason = f"it has no {error.args[0]}"
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = safe(error)
    raise InvalidError("bad-playbook", f"The front-matter {path} cannot be read: {reason}.")


def unknown_keys(path: Path) -> Iterator[str]:
    """Yield the keys of a readable front-matter that mean nothing."""
    front = tomllib.loads(path.read_text(encoding="utf-8"))
    known = {"params", *Playbook.__dataclass_fields__} - {"name", "path", "parameters"}
    yield from (k for k in front if k not in known)
    for name, spec in front.get("params", {}).items():
        yield from (f"params.{name}.{k}" for k in spec if k not in Parameter.__dataclass_fields__)


def _one_of(front: Mapping[str, Any], key: str, choices: tuple[str, ...], default: str) -> str:
    found = str(front.get(key, default))
    if found not in choices:
        raise ValueError(f"{key} is '{safe(found, 40)}', not one of {', '.join(choices)}")
    return found


def _switch(front: Mapping[str, Any], key: str) -> bool:
    found = front.get(key, False)
    if not isinstance(found, bool):
        raise ValueError(f"{key} must be true or false")
    return found


def _checks(front: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    found = front.get(key, default)
    if not isinstance(found, (list, tuple)) or (unknown := [c for c in found if c not in CHECKS]):
        wrong = safe(unknown[0] if isinstance(found, (list, tuple)) else found, 40)
        raise ValueError(f"{key} names '{wrong}'; there are {', '.join(CHECKS)}")
    return tuple(found)


def _parameter(name: str, spec: Mapping[str, Any]) -> Parameter:
    kind = spec.get("type", "str")
    if kind not in TYPES:
        raise ValueError(f"parameter '{name}' has no type among {', '.join(TYPES)}")
    if kind == "credential" and spec.get("kind") != "snmp-v3":
        raise ValueError(f"parameter '{name}' can only be a credential of kind snmp-v3")
    if kind == "choice" and not spec.get("choices"):
        raise ValueError(f"parameter '{name}' is a choice without choices")
    if type(spec.get("least", 0)) is not int:
        raise ValueError(f"parameter '{name}' has a least that is no whole number")
    empty = {"int": 0, "bool": False, "list": []}.get(kind, "")
    known = {k: v for k, v in spec.items() if k in Parameter.__dataclass_fields__ and k != "name"}
    made = Parameter(name, **{"default": empty, **known, "choices": tuple(spec.get("choices", ()))})
    if made.pattern:
        expression(made.pattern)
    return made


def read_value(parameter: Parameter, text: str) -> Any:
    """Return `text` as the parameter's type; raises ValueError with the reason."""
    if not text.isprintable():
        raise ValueError("control characters and line ends are not allowed")
    if parameter.type == "int":
        return _number(text, parameter.least)
    if parameter.type == "bool":
        if text.lower() not in _TRUE + _FALSE:
            raise ValueError("must be yes or no")
        return text.lower() in _TRUE
    if parameter.type == "choice" and text not in parameter.choices:
        raise ValueError(f"must be one of {', '.join(parameter.choices)}")
    items = [item.strip() for item in text.split(",") if item.strip()] if parameter.type == "list" else [text]
    for item in items:
        if parameter.pattern and not expression(parameter.pattern).fullmatch(item):
            raise ValueError(f"'{safe(item, 60)}' does not match {parameter.pattern}")
    return items if parameter.type == "list" else text


def _number(text: str, least: int | None) -> int:
    found = None
    with suppress(ValueError):
        found = int(text) if len(text.strip("+-")) <= _LONGEST_INT else None
    if found is None:
        raise ValueError(f"must be a whole number, not '{safe(text, 60)}'")
    if least is not None and found < least:
        raise ValueError(f"must be at least {least}, not {found}")
    return found
