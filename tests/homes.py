"""Homes of tests: the real migrations run once per process, every further home is a copy of what they made."""

import shutil
from atexit import register
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from inventory.database import initialise
from siaga.settings import Settings


def prepare(settings: Settings) -> None:
    """Give a home its database (SQLite) and master key, without the half second that the migrations take."""
    shutil.copytree(_template(), settings.home, dirs_exist_ok=True)


def fresh(home: Path) -> None:
    """Make a home with settings of no more than its place."""
    prepare(Settings(home=home))


@cache
def _template() -> Path:
    directory = Path(mkdtemp(prefix="siaga-template-"))
    register(shutil.rmtree, directory, ignore_errors=True)
    initialise(Settings(home=directory / "home"))
    return directory / "home"
