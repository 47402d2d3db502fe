"""Where Ansible's modules lie as they go to the hosts: built once, and kept for the next run of the same sources.

Ansible packs every module with all that it imports, a fifth of a second of processor time each, and throws the packets
away at its end. A plan, its apply and every batch of that need the same ones. They hold neither parameters nor secrets:
those are put around a packet when it is sent.
"""

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from infra import tree

VARIABLE = "SIAGA_BUILT_MODULES"  # tells the callback siaga.siaga.built_modules which folder
KEPT_S = 14 * 86_400.0
_SYSTEM = (Path("/usr/share/ansible/collections"), Path("/usr/share/ansible/plugins"))
_KINDS = ("modules", "module_utils")


def folder(base: Path, plays: Path) -> Path:
    """Return the folder of packets that are built from the sources as they are now; it is made if there is none.

    Raises OSError if it cannot be made, or belongs to somebody else: Ansible reads it as pickles, which may hold
    programs. What was not used for KEPT_S is removed.
    """
    path = base / _signed(plays)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to somebody else")
    os.utime(path)
    for other in base.iterdir():
        with suppress(OSError):
            if time.time() - other.stat().st_mtime > KEPT_S:
                shutil.rmtree(other, ignore_errors=True)
    return path


def _signed(plays: Path) -> str:
    """Return a digest that is another one as soon as any source is.

    The machine's start is in it: of what was written just before the power failed, the end may be missing.
    """
    total = hashlib.sha256()
    with suppress(OSError):
        total.update(Path("/proc/sys/kernel/random/boot_id").read_bytes())
    for path in _own(plays):
        total.update(f"{path}\0".encode("utf-8", "surrogateescape") + path.read_bytes() + b"\0")
    for path in _installed():
        status = path.stat()
        total.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return total.hexdigest()[:32]


def _own(plays: Path) -> Iterator[Path]:
    """Yield what a folder of plays brings of its own: programs beside the plays, in its roles and collections."""
    programs = ("library", *_KINDS)
    for path in tree.files(plays):
        if path.suffix == ".py" or not {*programs}.isdisjoint(path.parts):
            yield path


def _installed() -> Iterator[Path]:
    """Yield the modules of ansible-core and of every installed collection, with what they import."""
    import ansible  # type: ignore[import-untyped]

    core = Path(ansible.__file__).parent
    yield from _files(core / kind for kind in _KINDS)
    for place in (*map(Path, sys.path), *_SYSTEM):
        yield from _files(sorted(place.glob("ansible_collections/*/*/plugins/module*")))
    yield from _files(_SYSTEM[1] / kind for kind in _KINDS)


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for one in folders:
        for top, below, names in os.walk(one):
            below.sort()
            yield from (Path(top, name) for name in sorted(names) if not name.endswith((".pyc", ".pyo")))
