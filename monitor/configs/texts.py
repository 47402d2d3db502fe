"""The newest full configurations, for those who judge them: opened one by one, never all at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import col, select

from inventory.platforms import config_of
from inventory.store import in_parts, reading
from monitor.configs.models import ConfigBackup, ConfigVersion
from monitor.configs.normalise import joined
from monitor.configs.store import platforms_of, unsealed
from siaga.clock import as_utc
from siaga.secrets import Vault, open_vault
from siaga.settings import Settings


@dataclass(frozen=True)
class Newest:
    """A device's configuration with its secrets; `at`: when it was last read whole, changed or not.

    `sha256` is of its normal form: the same as long as nothing was configured. Lines that a make breaks are joined.
    """

    device_id: int
    text: str = field(repr=False)
    at: datetime
    sha256: str
    whole: bool | None = True


class NewestTexts:
    """Gives the newest configuration of each device (id, name); one that has none is left out."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._vault = engine, open_vault(settings.home)

    def latest(self, devices: Sequence[tuple[int, str]]) -> Iterator[Newest]:
        """Yield the texts one by one."""
        with reading(self._engine) as opened:
            platforms = platforms_of(opened)
            join = col(ConfigVersion.id) == col(ConfigBackup.version_id)
            query = select(ConfigBackup, ConfigVersion).join(ConfigVersion, join)
            for part in in_parts([i for i, _ in devices]):
                for row, version in opened.exec(query.where(col(ConfigBackup.device_id).in_(part))):
                    if row.ok_at is not None and version.sealed:
                        yield _newest(self._vault, row, version, platforms.get(row.device_id, ""))


def _newest(vault: Vault, row: ConfigBackup, version: ConfigVersion, platform: str) -> Newest:
    text = unsealed(vault, version)
    known = config_of(platform)
    if known is not None and known[1].continued:
        text = "\n".join(joined(text.splitlines(), known[1].continued)) + "\n"
    assert row.ok_at is not None
    return Newest(row.device_id, text, as_utc(row.ok_at), version.digest)
