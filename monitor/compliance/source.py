"""Which configurations are judged: a folder that somebody names, else those that siaga's own backup holds."""

from pathlib import Path

from monitor.compliance.texts import Folder, Texts
from siaga.errors import NotFoundError
from siaga.settings import Settings


def texts_of(settings: Settings, folder: str = "") -> Texts:
    """Return where to take configurations from; raises NotFoundError (`no-configurations`, `no-such-folder`)."""
    if folder:
        return Folder(Path(folder).expanduser())
    kept = settings.home / "configs"
    if not kept.is_dir():
        sentence = "No configurations are kept yet: run 'siaga backup run', or name a folder with --configs."
        raise NotFoundError("no-configurations", sentence)
    return Folder(kept)
