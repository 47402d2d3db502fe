"""What several measures compute of the same answers, computed once: for as long as who answers is there."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from report.questions import Questions

More = ParamSpec("More")
Found = TypeVar("Found")


def once(
    compute: Callable[Concatenate[Questions, More], Found],
) -> Callable[Concatenate[Questions, More], Found]:
    """Keep what a pure function finds, by who is asked and the other arguments (hashable). It is not to be changed."""
    kept: WeakKeyDictionary[Questions, dict[Any, Found]] = WeakKeyDictionary()

    @wraps(compute)
    def known(ask: Questions, /, *args: More.args, **more: More.kwargs) -> Found:
        mine = kept.setdefault(ask, {})
        key = (args, tuple(sorted(more.items())))
        if key not in mine:
            mine[key] = compute(ask, *args, **more)
        return mine[key]

    return known
