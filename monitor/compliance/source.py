"""Which configurations are judged: a folder that somebody names, else those that siaga's own backup holds."""

from pathlib import Path

from sqlalchemy import Engine

from monitor.compliance.backups import Backups
from monitor.compliance.texts import Folder, Texts
from siaga.settings import Settings


def texts_of(engine: Engine, settings: Settings, folder: str = "") -> Texts:
    """Return where to take configurations from; raises NotFoundError (`no-configurations`, `no-such-folder`)."""
    return Folder(Path(folder).expanduser()) if folder else Backups(engine, settings.home)
