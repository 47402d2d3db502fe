"""Regular expressions that somebody wrote, by RE2: in linear time, so that no pattern holds up a command."""

from functools import lru_cache
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


def matches(pattern: str, text: str | None) -> bool:
    """Return whether the pattern is found in the text: the function REGEXP of SQLite."""
    return text is not None and expression(pattern).search(text) is not None
