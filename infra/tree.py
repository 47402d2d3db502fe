"""The files that a folder of plays is made of: those behind links count, because Ansible runs them too."""

import os
from collections.abc import Iterator
from pathlib import Path


def files(folder: Path, above: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Yield every file below a folder, in one order, but what Python has compiled.

    A link that leads upwards ends there: `above` are the folders that this one lies in.
    """
    real = os.path.realpath(folder)
    if real in above:
        return
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda e: e.name)
    for entry in entries:
        if entry.is_dir() and entry.name != "__pycache__":
            yield from files(Path(entry.path), above | {real})
        elif entry.is_file():
            yield Path(entry.path)
