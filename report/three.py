"""Answers in three values: yes, no, not known. One that is known may decide without the others. Pure."""

from collections.abc import Iterable


def some(values: Iterable[bool | None]) -> bool | None:
    """Return whether one of them is so; of none, no."""
    found = list(values)
    return True if True in found else None if None in found else False


def every(values: Iterable[bool | None]) -> bool | None:
    """Return whether all of them are so; of none, yes."""
    found = list(values)
    return False if False in found else None if None in found else True
