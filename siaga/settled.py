"""What a long-running process does once about memory: the cyclic garbage collector is left little to do."""

import gc

_YOUNG, _OLDER, _OLDEST = 50_000, 50, 100


def settle() -> None:
    """Leave out of every collection what is there now, and collect seldom: for a service that has begun its work.

    A poll makes many short-lived lists and tuples and no cycles; by the usual thresholds a tenth of the processor
    time goes into looking for cycles among them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)
