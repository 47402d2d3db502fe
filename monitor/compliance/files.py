"""Reads the rules: siaga's own, and the regency's in siaga's home (`compliance/*.toml`); the same name replaces ours.

A set of rules is good as a whole or not at all, because a rule that silently is not there would look like compliance.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.compliance.format import Mend, Pattern, Rule, RuleFile
from monitor.compliance.sections import Dialect
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

FOLDER = Path(__file__).parent / "rules"
_LARGEST = 256_000


@dataclass(frozen=True)
class Book:
    """The rules of one platform, how its configurations are written, and what a whole one holds (any of `whole`)."""

    dialect: Dialect
    whole: tuple[Pattern, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Library:
    """All rules: by platform, and by name. `version` changes with any rule."""

    books: Mapping[str, Book]
    by_name: Mapping[str, Rule]
    platforms: Mapping[str, tuple[str, ...]]
    version: str

    def rule(self, name: str) -> Rule:
        """Return the rule of this name; raises NotFoundError (`no-such-rule`)."""
        if name not in self.by_name:
            sentence = f"No rule is called '{safe(name, 60)}': 'siaga compliance rules' lists them."
            raise NotFoundError("no-such-rule", sentence)
        return self.by_name[name]


def load(home: Path | None) -> Library:
    """Return the rules. Raises InvalidError (`bad-rules`) with one problem for each mistake."""
    problems: list[str] = []
    folder = home / "compliance" if home else FOLDER
    own = _files(folder, problems) if home and folder.is_dir() else ()
    found = _library([*_shipped(), *own], problems)
    if problems:
        raise InvalidError("bad-rules", f"The rules in {folder} are not valid.", problems)
    return found


@cache
def _shipped() -> tuple[tuple[str, RuleFile], ...]:
    problems: list[str] = []
    found = tuple(_files(FOLDER, problems))
    if problems:
        raise InvalidError("bad-rules", "siaga's own rules are not valid.", problems)
    return found


def _files(folder: Path, problems: list[str]) -> list[tuple[str, RuleFile]]:
    read = [(path.name, _read(path, problems)) for path in sorted(folder.glob("*.toml"))]
    return [(name, file) for name, file in read if file is not None]


def _read(path: Path, problems: list[str]) -> RuleFile | None:
    try:
        octets = path.read_bytes()
        if len(octets) > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST} bytes")
        tree: dict[str, Any] = tomllib.loads(octets.decode("utf-8"))
        return RuleFile.model_validate(tree)
    except ValidationError as error:
        problems += [f"{path.name}: {_place(e['loc'], tree)}: {e['msg']}" for e in error.errors()]
    except OSError as error:
        problems.append(f"{path.name}: {error.strerror}")
    except ValueError as error:  # of TOML, of UTF-8, and our own
        problems.append(f"{path.name}: {error}")
    return None


def _place(where: Sequence[int | str], tree: Mapping[str, Any]) -> str:
    """Return where in a file a mistake is, with the name of the rule instead of its number."""
    if len(where) > 1 and where[0] == "rule" and isinstance(where[1], int):
        rule = tree["rule"][where[1]]
        name = rule.get("name", "") if isinstance(rule, dict) else ""
        return ".".join(map(str, (name or f"rule {where[1] + 1}", *where[2:])))
    return ".".join(map(str, where))


def _library(files: Sequence[tuple[str, RuleFile]], problems: list[str]) -> Library:
    kept: dict[str, tuple[Rule, RuleFile]] = {}
    for name, file in files:
        names = [r.name for r in file.rule]
        problems += [f"{name}: two rules are called '{n}'" for n in sorted(set(names)) if names.count(n) > 1]
        kept |= {r.name: (_mended(r, file.mend), file) for r in file.rule}
    platforms = dict.fromkeys(p for _, file in files for p in file.platforms)
    books = {p: book for p in platforms if (book := _book(p, kept.values(), files, problems))}
    by_name = {name: rule for name, (rule, _) in kept.items()}
    meant = {name: file.platforms for name, (_, file) in kept.items()}
    return Library(books, by_name, meant, _version(kept.values()))


def _mended(rule: Rule, mend: Mend | None) -> Rule:
    return rule if rule.mend or mend is None else rule.model_copy(update={"mend": mend})


def _book(
    platform: str,
    kept: Iterable[tuple[Rule, RuleFile]],
    files: Sequence[tuple[str, RuleFile]],
    problems: list[str],
) -> Book | None:
    own = [(name, file) for name, file in files if platform in file.platforms]
    dialects = dict.fromkeys(file.dialect for _, file in own)
    if len(dialects) > 1:
        told = " and ".join(f"{name} says {file.dialect}" for name, file in own)
        problems.append(f"the configurations of '{platform}' are written in one way: {told}")
        return None
    whole = tuple(dict.fromkeys(file.whole for _, file in own))
    rules = tuple(rule for rule, file in kept if platform in file.platforms)
    return Book(next(iter(dialects)), whole, rules)


def _version(kept: Iterable[tuple[Rule, RuleFile]]) -> str:
    told = "".join(rule.model_dump_json() + ",".join(file.platforms) for rule, file in kept)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
