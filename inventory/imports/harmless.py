"""Names from elsewhere become names that can be written here; what they were is kept in the notes."""

import re
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from inventory.nouns import noun
from inventory.secretive import plain_secret
from siaga.text import safe

NAME_LIMIT = 120
NOTES_LIMIT = 2000
_UNSAFE = "__ansible_unsafe"
# What a name may not hold (see inventory.values): it would break a reference, a selector or a file.
_FORBIDDEN = re.compile(r"[:@,()\"'=<>!~]+")
_TAG = re.compile(r"[^A-Za-z0-9._-]+")


def harmless(text: object, kind: str = "", limit: int = NAME_LIMIT) -> str:
    """Return `text` as a name of `kind` (any, if it is ''): forbidden characters become hyphens.

    The name of an interface may keep its colon where the noun allows it.
    """
    line = safe(text, limit * 4)
    if not kind or noun(kind).attributes["name"].naming == "name":
        line = _FORBIDDEN.sub("-", line)
    cut = " ".join(line.split())[:limit]
    return cut.strip(" -") if cut.strip(" -") else ""


def notes(*parts: object, **named: object) -> str:
    """Return notes of what there is: sentences as they are, named values as 'name: value', within the limit."""
    words = [_paragraph(p) for p in parts if p not in (None, "")]
    words += [
        f"{k.replace('_', ' ')}: {_paragraph(v)}" for k, v in named.items() if v not in (None, "", [], {})
    ]
    text = "; ".join(w for w in words if w)
    return text if len(text) <= NOTES_LIMIT else text[: NOTES_LIMIT - 1] + "…"


def _paragraph(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_paragraph(v) for v in value)
    return safe(value, NOTES_LIMIT)


def tag(text: object) -> str:
    """Return a word that can be a tag: letters, digits, dots and hyphens."""
    return _TAG.sub("-", safe(text, 60)).strip("-._")


def tags(words: Iterable[object]) -> str:
    """Return words as tags between blanks."""
    return " ".join(dict.fromkeys(t for t in map(tag, words) if t))


def without_secrets(value: Any, where: str, left: list[str]) -> Any:
    """Return a value without what looks like a secret in it, at any depth; `left` takes where it stood.

    Ansible's vault texts (`__ansible_vault`, `$ANSIBLE_VAULT;`) count, whatever they are called. What it marks as
    no template (`__ansible_unsafe`) is the text below the mark: a plugin's listing marks every text.
    """
    if isinstance(value, Mapping):
        if list(value) == [_UNSAFE]:
            return without_secrets(value[_UNSAFE], where, left)
        if any(str(k).startswith("__ansible") for k in value):
            left.append(where)
            return None
        kept = {}
        for key, inner in value.items():
            if plain_secret(str(key), inner):
                left.append(f"{where}.{key}")
            else:
                kept[str(key)] = without_secrets(inner, f"{where}.{key}", left)
        return kept
    if isinstance(value, (list, tuple)):
        return [without_secrets(v, where, left) for v in value]
    if isinstance(value, str) and value.lstrip().startswith("$ANSIBLE_VAULT"):
        left.append(where)
        return None
    return value


class Names:
    """Gives every row of one noun a name of its own, and remembers which of the source's rows has which.

    Two rows that would be called the same are told apart by what follows in `more`, in the end by their id.
    """

    def __init__(self, kind: str = "") -> None:
        self.kind = kind
        self.renamed = 0
        self._taken: set[str] = set()
        self._of: dict[Hashable, str] = {}

    def give(self, key: Hashable, wanted: object, *more: object) -> str:
        """Return the name of a row; `more` are words to add, one after the other, while it is taken."""
        number = key[-1] if isinstance(key, tuple) else key
        name = harmless(wanted, self.kind) or f"unnamed {number}"
        for word in (*more, number):
            if name not in self._taken:
                break
            extra = harmless(word, self.kind)
            name = f"{name[: NAME_LIMIT - len(extra) - 1]} {extra}".strip()
        self.renamed += name != str(wanted)
        self._taken.add(name)
        self._of[key] = name
        return name

    def get(self, key: Hashable) -> str:
        """Return the name that a row was given, or ''."""
        return self._of.get(key, "")
