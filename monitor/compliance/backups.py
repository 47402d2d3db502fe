"""The configurations that the backup holds, as compliance takes them: normalised, scrubbed, known to be whole.

A text is as old as the last time that it was read whole from its device, whether or not it had changed then.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Engine

from inventory.store import in_parts, reading
from monitor.compliance.texts import LARGEST, Text, text_of
from monitor.configs.models import ConfigBackup
from monitor.configs.repo import Repository
from monitor.configs.store import standing
from siaga.clock import as_utc
from siaga.errors import NotFoundError

_AT_ONCE = 100  # files that one git reads


class Backups:
    """The newest text of each device in the backup's repository."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self._repository = Repository(home)
        self._head = self._repository.head()
        if not self._head:
            sentence = (
                "No configurations are kept yet: run 'siaga backup run', or name a folder with --configs."
            )
            raise NotFoundError("no-configurations", sentence)
        with reading(engine) as session:
            self._standing = standing(session)

    def latest(self, devices: Sequence[tuple[int, str]]) -> Iterator[Text]:
        """Yield the text of each device that was ever read whole."""
        kept = {i: row for i, _ in devices if (row := self._standing.get(i)) and row.ok_at and row.path}
        for part in in_parts(kept, _AT_ONCE):
            octets = self._repository.blobs(self._head, [kept[i].path for i in part])
            for device_id, found in zip(part, octets, strict=True):
                if found is not None:
                    yield _text(device_id, found, kept[device_id])


def _text(device_id: int, octets: bytes, row: ConfigBackup) -> Text:
    assert row.ok_at is not None
    made = text_of(device_id, octets, as_utc(row.ok_at))
    return Text(device_id, made.text, made.at, row.digest or made.sha256, whole=len(octets) <= LARGEST)
