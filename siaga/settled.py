"""What a long-running process does about memory: the cyclic garbage collector is left little to do."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG, _OLDER, _OLDEST = 50_000, 50, 100


def settle() -> None:
    """Leave out of every collection what is there now, and collect seldom: for a service that has begun its work.

    A poll makes many short-lived lists and tuples and no cycles; by the usual thresholds a tenth of the processor
    time goes into looking for cycles among them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)


@contextmanager
def seldom() -> Iterator[None]:
    """Collect seldom while some work lasts that makes many objects and drops them whole."""
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)
    try:
        yield
    finally:
        gc.set_threshold(*before)
