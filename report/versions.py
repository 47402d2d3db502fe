"""Compares versions of operating systems as people number them: 7.9 before 7.15, 15.2(7)E3 before 15.2(7)E10. Pure."""

import re


def before(one: str, other: str) -> bool:
    """Tell whether a version lies before another; runs of digits compare as numbers, words as words."""
    return _parts(one) < _parts(other)


def _parts(version: str) -> list[tuple[int, int, str]]:
    found = re.findall(r"\d{1,18}|[a-z]+", version.casefold())
    # What is released stands behind its candidates: 7.15rc1 lies before 7.15.
    return [(1, int(p), "") if p.isdigit() else (0 if p in _EARLY else 2, 0, p) for p in found] + [
        (1, -1, "")
    ]


_EARLY = frozenset(("alpha", "beta", "rc"))
