"""The channels: one file, one way to tell somebody. This folder is scanned."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import cast

from monitor.notify.letter import Channel


@cache
def channels() -> Mapping[str, Channel]:
    """Return every channel of this folder by its kind."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__))
    found = [cast("Channel", importlib.import_module(f"{__name__}.{n}")) for n in names]
    return {c.KIND: c for c in found}
