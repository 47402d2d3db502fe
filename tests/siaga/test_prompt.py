"""Expressions of platform files are searched in text that strangers wrote: none takes for ever."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from siaga.expressions import prompt

PLATFORMS = Path(__file__).parents[2] / "inventory" / "platforms"


@pytest.mark.parametrize("pattern", [r"(\w+)+$", r"(a|aa)+$", r"^(\d+\.?)*x", r".*.*.*.*.*=", r"(?:a*)*b"])
def test_a_pattern_that_could_take_for_ever_is_searched_in_linear_time(pattern: str) -> None:
    assert not isinstance(prompt(pattern), re.Pattern)
    prompt(pattern).search("a" * 254 + "!")  # with Python's own, not in this life


@pytest.mark.parametrize("pattern", ["(", r"(?!x)(\w+)+$", r"(?=.*y)(a|aa)*b"])
def test_what_nobody_can_search_quickly_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        prompt(pattern)


def expressions(table: Any) -> set[str]:
    if isinstance(table, list):
        return set().union(*map(expressions, table))
    if not isinstance(table, dict):
        return set()
    own = {v for k, v in table.items() if k in ("descr", "regex", "name_regex") and isinstance(v, str)}
    return own.union(*map(expressions, table.values()))


def test_our_own_find_the_same_by_either() -> None:
    texts = [
        "Linux a 5.4.0-1.el7 v2.1 (x86_64)",
        "Samsung Samsung X4300 Series; V1",
        "HP J9772A 2530 (V200R003C00)",
    ]
    for file in PLATFORMS.glob("*.toml"):
        for pattern in expressions(tomllib.loads(file.read_text("utf-8"))):
            for text in [*texts, file.stem, pattern]:
                ours, pythons = prompt(pattern).search(text), re.search(pattern, text)
                assert (ours and (ours.group(), ours.groups())) == (
                    pythons and (pythons.group(), pythons.groups())
                )
