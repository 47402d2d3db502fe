"""Turns the words of other systems into ours: roles, platforms, kinds of agency and media. Pure, from a TOML file."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from inventory.platforms import platforms

_WORD = re.compile(r"[a-z0-9]+")
Known = Mapping[str, Sequence[str]]


@cache
def _read() -> Mapping[str, Known]:
    found: Mapping[str, Known] = tomllib.loads(
        (Path(__file__).parent / "vocabulary.toml").read_text(encoding="utf-8")
    )
    return found


def role(*texts: object) -> str:
    """Return our role for what a source calls it, the first text that says one; '' if none does."""
    return _first(_read()["roles"], texts)


def agency_kind(*texts: object) -> str:
    """Return the kind of agency that a name or its group tells; 'other' if none does."""
    return _first(_read()["agencies"], texts) or "other"


def medium(*texts: object) -> str:
    """Return what a line is made of: fibre, radio, satellite, cellular or copper; 'other' if nothing tells."""
    return _first(_read()["media"], texts) or "other"


def platform(*texts: object) -> str:
    """Return the name of our platform for what a source calls it; '' if we have none."""
    for text in texts:
        whole = "".join(_words(text))
        if whole in _names():
            return _names()[whole]
    return _first(_read()["platforms"], texts)


@cache
def _names() -> Mapping[str, str]:
    """Return what our platforms are called here, by Ansible and by Netmiko, without blanks and signs."""
    known = {"".join(_words(one.name)): one.name for one in platforms()}
    for one in platforms():
        for text in (one.ansible, one.netmiko):
            known.setdefault("".join(_words(text)), one.name)
    known.pop("", None)
    return known


def _words(text: object) -> list[str]:
    return _WORD.findall(str(text or "").lower())


def _first(known: Known, texts: Sequence[object]) -> str:
    """Return what the first text that says anything says: the name of the longest words found in it."""
    for text in texts:
        said = f" {' '.join(_words(text))} "
        best, length = "", 0
        for name, words in known.items():
            for word in (" ".join(_words(name)), *words):
                if len(word) > length and f" {word} " in said:
                    best, length = name, len(word)
        if best:
            return best
    return ""
