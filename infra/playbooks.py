"""The playbooks: a folder is scanned; each play has a front-matter of the same name in TOML beside it."""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siaga.errors import InvalidError, NotFoundError
from siaga.expressions import expression
from siaga.text import safe

HOME = Path(__file__).resolve().parent.parent / "playbooks"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
TYPES = ("str", "int", "bool", "list", "choice", "credential")
_TRUE, _FALSE = ("true", "yes", "1", "on"), ("false", "no", "0", "off")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a play. `pattern` is matched against the whole value (of each item of a list)."""

    name: str
    type: str = "str"
    default: Any = ""
    help: str = ""
    pattern: str = ""
    kind: str = ""  # of a credential
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Playbook:
    """A play with its front-matter; `path` is the YAML file."""

    name: str
    path: Path
    title: str
    description: str = ""
    risk: str = "medium"
    platforms: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()

    @property
    def folder(self) -> Path:
        """The project directory: the play, its roles and group_vars."""
        return self.path.parent


def folders(extra: Sequence[Path] = ()) -> list[Path]:
    """Return where plays are looked for; the operator's own folders come first and win."""
    return [*extra, HOME]


def playbooks(extra: Sequence[Path] = ()) -> list[Playbook]:
    """Return every play, by name."""
    found: dict[str, Playbook] = {}
    for folder in folders(extra):
        for path in sorted(folder.glob("*.toml")):
            if NAME.fullmatch(path.stem) and path.with_suffix(".yml").is_file():
                found.setdefault(path.stem, _read(path))
    return [found[name] for name in sorted(found)]


def playbook(name: str, extra: Sequence[Path] = ()) -> Playbook:
    """Return the play called `name`; NotFoundError (`no-such-playbook`) says which there are.

    A name is a word and never a path, so no file outside the folders can be run.
    """
    if NAME.fullmatch(name):
        for folder in folders(extra):
            if (folder / f"{name}.toml").is_file() and (folder / f"{name}.yml").is_file():
                return _read(folder / f"{name}.toml")
    offered = ", ".join(p.name for p in playbooks(extra)) or "none"
    raise NotFoundError(
        "no-such-playbook", f"No playbook is called '{safe(name, 80)}'; there are: {offered}."
    )


def _read(path: Path) -> Playbook:
    try:
        front = tomllib.loads(path.read_text(encoding="utf-8"))
        parameters = tuple(_parameter(k, v) for k, v in front.get("params", {}).items())
        return Playbook(
            path.stem,
            path.with_suffix(".yml"),
            str(front["title"]),
            str(front.get("description", "")).strip(),
            str(front.get("risk", "medium")),
            tuple(map(str, front.get("platforms", ()))),
            parameters,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidError(
            "bad-playbook", f"The front-matter {path} cannot be read: {safe(error)}."
        ) from None


def _parameter(name: str, spec: Mapping[str, Any]) -> Parameter:
    if spec.get("type", "str") not in TYPES:
        raise ValueError(f"parameter '{name}' has no type among {', '.join(TYPES)}")
    if spec.get("type") == "credential" and spec.get("kind") != "snmp-v3":
        raise ValueError(f"parameter '{name}' can only be a credential of kind snmp-v3")
    known = {k: v for k, v in spec.items() if k in Parameter.__dataclass_fields__ and k != "name"}
    return Parameter(name, **{**known, "choices": tuple(spec.get("choices", ()))})


def values(play: Playbook, given: Sequence[str]) -> dict[str, Any]:
    """Return the parameters as given (`k=v`), with the defaults of the others.

    Raises InvalidError (`bad-parameter`) with every problem found.
    """
    known = {p.name: p for p in play.parameters}
    found = {p.name: p.default for p in play.parameters}
    problems: list[str] = []
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            problems.append(f"'{safe(text, 60)}' is not one of {', '.join(f'{n}=…' for n in known)}.")
            continue
        try:
            found[name] = read(known[name], value)
        except ValueError as error:
            problems.append(f"{name}: {error}.")
    if problems:
        raise InvalidError("bad-parameter", f"The parameters of '{play.name}' are not valid.", problems)
    return found


def read(parameter: Parameter, text: str) -> Any:
    """Return `text` as the parameter's type; raises ValueError with the reason."""
    if not text.isprintable():
        raise ValueError("control characters and line ends are not allowed")
    if parameter.type == "int":
        return int(text)
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


def digest(play: Playbook) -> str:
    """Return a digest over every file of the play's folder, their names, sizes and contents."""
    total = hashlib.sha256()
    for path in sorted(p for p in play.folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        content = path.read_bytes()
        total.update(f"{path.relative_to(play.folder)}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()
