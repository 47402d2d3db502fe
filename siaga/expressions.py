"""Regular expressions that somebody wrote, by RE2: in linear time, so that no pattern holds up a command."""

import re
from functools import cache, lru_cache
from typing import Any

MAX_LENGTH = 300


@lru_cache(maxsize=64)
def expression(pattern: str) -> Any:
    """Return a compiled expression with `search`; raises ValueError with what is wrong in it."""
    import re2

    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None


# A group that is repeated without end, perhaps with repetitions in it: the usual way to take for ever.
_REPEATED = re.compile(r"\)(?:[*+]|\{\d*,\})")
_REPETITION = re.compile(r"(?<!\\)[*+]|\{\d*,\}")
_HARMLESS = 2  # repetitions in a row: a quarter of a millisecond for the longest text of a device


@cache
def prompt(pattern: str) -> Any:
    """Return a compiled expression for text that strangers wrote: Python's own, by RE2 where that could take long.

    Python's is ten times as quick on most, and has look-around. Raises ValueError for a repeated group that only
    Python's would take, and for what is no expression.
    """
    try:
        own = re.compile(pattern)
    except re.error as error:
        raise ValueError(str(error)) from None
    repeated = bool(_REPEATED.search(pattern))
    if not repeated and len(_REPETITION.findall(pattern)) <= _HARMLESS:
        return own
    try:
        return expression(pattern)
    except ValueError:
        if repeated:
            raise ValueError("a repeated group beside look-around may take for ever") from None
        return own


def matches(pattern: str, text: str | None) -> bool:
    """Return whether the pattern is found in the text: the function REGEXP of SQLite."""
    return text is not None and expression(pattern).search(text) is not None


@cache
def linear(pattern: str) -> Any:
    """Return a compiled expression of siaga's own, by RE2 and of any length; for text of strangers of any length."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    return re2.compile(pattern, options)
