"""The playbooks: a folder is scanned; each play has a front-matter of the same name in TOML beside it."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra import tree
from infra.frontmatter import Playbook, read_playbook, read_value
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

HOME = Path(__file__).resolve().parent.parent / "playbooks"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def folders(extra: Sequence[Path] = ()) -> list[Path]:
    """Return where plays are looked for; the operator's own folders come first and win."""
    return [*extra, HOME]


def playbooks(extra: Sequence[Path] = ()) -> list[Playbook]:
    """Return every play, by name."""
    found: dict[str, Playbook] = {}
    for folder in folders(extra):
        for path in sorted(folder.glob("*.toml")):
            if NAME.fullmatch(path.stem) and path.with_suffix(".yml").is_file():
                found.setdefault(path.stem, read_playbook(path))
    return [found[name] for name in sorted(found)]


def playbook(name: str, extra: Sequence[Path] = ()) -> Playbook:
    """Return the play called `name`; NotFoundError (`no-such-playbook`) says which there are.

    A name is a word and never a path, so no file outside the folders can be run.
    """
    if NAME.fullmatch(name):
        for folder in folders(extra):
            if (folder / f"{name}.toml").is_file() and (folder / f"{name}.yml").is_file():
                return read_playbook(folder / f"{name}.toml")
    offered = ", ".join(p.name for p in playbooks(extra)) or "none"
    raise NotFoundError(
        "no-such-playbook", f"No playbook is called '{safe(name, 80)}'; there are: {offered}."
    )


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
            found[name] = read_value(known[name], value)
        except ValueError as error:
            problems.append(f"{name}: {error}.")
    said = {text.partition("=")[0] for text in given}
    problems += [f"{p.name}: must be given." for p in play.parameters if p.required and p.name not in said]
    if problems:
        raise InvalidError("bad-parameter", f"The parameters of '{play.name}' are not valid.", problems)
    return found


def said(play: Playbook, given: Sequence[str]) -> dict[str, Any]:
    """Return only the parameters that were given; raises as `values` does."""
    names = {text.partition("=")[0] for text in given}
    return {k: v for k, v in values(play, given).items() if k in names}


def digest(play: Playbook) -> str:
    """Return a digest over every file of the play's folder, also behind links: names, sizes and contents."""
    total = hashlib.sha256()
    for path in tree.files(play.folder):
        content = path.read_bytes()
        name = str(path.relative_to(play.folder))
        total.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        total.update(content)
    return total.hexdigest()
