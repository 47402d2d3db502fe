"""Reads rules: siaga's own, and those of the regency in siaga's home; one of the same name stands in ours' place.

A set of rules is good as a whole or not at all: one broken file on reload keeps the old set, and says why.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.rules.format import Rule
from siaga.errors import InvalidError

FOLDER = Path(__file__).parent
_LARGEST = 64_000

Rules = Mapping[str, Rule]


@dataclass(frozen=True)
class Loaded:
    """The rules that hold; `problems`: why the newest files are not among them."""

    rules: Rules
    problems: tuple[str, ...] = ()


def load(home: Path) -> Rules:
    """Return the rules by name. Raises InvalidError (`bad-rules`) with one problem for each mistake."""
    found = dict(_shipped())
    problems: list[str] = []
    folder = home / "rules"
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        try:
            rule = _read(path)
            found[rule.name] = rule
        except InvalidError as error:
            problems += error.problems
    problems += _loose(found)
    if problems:
        raise InvalidError("bad-rules", f"The rules in {folder} are not valid.", problems)
    return found


def reload(home: Path, before: Rules | None) -> Loaded:
    """Return the rules as they are in the files now; if these are broken, those before, and why."""
    try:
        return Loaded(load(home))
    except InvalidError as error:
        return Loaded(before if before is not None else _shipped(), error.problems)


@cache
def _shipped() -> Rules:
    """Return siaga's own rules."""
    found = {r.name: r for r in map(_read, sorted(FOLDER.glob("*.toml")))}
    if loose := list(_loose(found)):
        raise InvalidError("bad-rules", "siaga's own rules are not valid.", loose)
    return found


def _read(path: Path) -> Rule:
    try:
        octets = path.read_bytes()
        if len(octets) > _LARGEST:
            raise _bad(f"{path.name}: it is larger than {_LARGEST} bytes")
        tree: dict[str, Any] = tomllib.loads(octets.decode("utf-8"))
        return Rule.model_validate({"name": path.stem, **tree})
    except OSError as error:
        raise _bad(f"{path.name}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _bad(f"{path.name}: it is not valid TOML: {error}") from None
    except ValidationError as error:
        problems = [f"{path.name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise InvalidError("bad-rules", f"{path} is not valid.", problems) from None


def _bad(problem: str) -> InvalidError:
    return InvalidError("bad-rules", "A rule is not valid.", [problem])


def _loose(found: Rules) -> Iterator[str]:
    """Yield what rules say of others that are not there."""
    for rule in found.values():
        for name in rule.yields_to:
            if name not in found:
                yield f"{rule.name}.toml: it yields to '{name}', and there is no such rule"
