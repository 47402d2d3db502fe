"""Reads rules: siaga's own, and those of the regency in siaga's home; one of the same name stands in ours' place.

A set of rules is good as a whole or not at all: one broken file on reload keeps the old set, and says why. Where there
is no old set, as after a restart and in each `siaga poll`, what is good of the files holds.
"""

import tomllib
from collections.abc import Container, Iterator, Mapping, Sequence
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
    """The rules that hold; `problems`: why the newest files are not among them.

    `unread`: rules of which nothing is known but that they are there; what they have rung stays as it is.
    """

    rules: Rules
    problems: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()


def load(home: Path) -> Rules:
    """Return the rules by name. Raises InvalidError (`bad-rules`) with one problem for each mistake."""
    found, broken = _sorted(home)
    if broken:
        raise InvalidError("bad-rules", f"The rules in {home / 'rules'} are not valid.", _told(broken))
    return found


def reload(home: Path, before: Rules | None) -> Loaded:
    """Return the rules as they are in the files now; if some are broken, those before, and why.

    Without any before, the good ones: siaga's own stand in for a broken one of the same name.
    """
    found, broken = _sorted(home)
    rules = before if broken and before is not None else found
    return Loaded(rules, tuple(_told(broken)), frozenset(broken) - rules.keys())


def _sorted(home: Path) -> tuple[dict[str, Rule], dict[str, Sequence[str]]]:
    """Return the rules that are good, siaga's own among them, and what is wrong with each other one."""
    found = dict(_shipped())
    broken: dict[str, Sequence[str]] = {}
    folder = home / "rules"
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        try:
            found[path.stem] = _read(path)
        except InvalidError as error:
            broken[path.stem] = error.problems
    for name, problem in list(_loose(found, broken)):
        broken.setdefault(name, [problem])
        del found[name]
        if name in _shipped():
            found[name] = _shipped()[name]
    return found, broken


def _told(broken: Mapping[str, Sequence[str]]) -> list[str]:
    return [problem for some in broken.values() for problem in some]


@cache
def _shipped() -> Rules:
    """Return siaga's own rules."""
    found = {r.name: r for r in map(_read, sorted(FOLDER.glob("*.toml")))}
    if loose := list(_loose(found)):
        raise InvalidError("bad-rules", "siaga's own rules are not valid.", [why for _, why in loose])
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


def _loose(found: Rules, unread: Container[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield (rule, what it says of another that is not there), once for each rule."""
    for rule in found.values():
        gone = next((n for n in rule.yields_to if n not in found and n not in unread), None)
        if gone is not None:
            yield rule.name, f"{rule.name}.toml: it yields to '{gone}', and there is no such rule"
