"""The settings: one frozen tree from defaults, siaga.toml files and SIAGA_* variables (the last one wins).

Files read, weakest first: /etc/siaga/siaga.toml, ~/.config/siaga/siaga.toml, ./siaga.toml, $SIAGA_CONFIG.
A nested key is SIAGA_POLL__TIMEOUT_S in the environment, `[poll] timeout_s = 2` in a file.
"""

import os
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from siaga.errors import InvalidError


class Frozen(BaseModel):
    """A part of the tree: frozen, and strict about unknown keys."""

    model_config = {"frozen": True, "extra": "forbid"}


class Poll(Frozen):
    """How devices are asked by SNMP."""

    concurrency: int = Field(32, ge=1, le=4096)
    timeout_s: float = Field(2.0, gt=0, le=60)
    retries: int = Field(2, ge=0, le=10)
    interval_s: int = Field(60, ge=1)
    rows_per_request: int = Field(10, ge=1, le=100)


class Ssh(Frozen):
    """How devices are read over SSH."""

    concurrency: int = Field(16, ge=1, le=256)
    timeout_s: float = Field(15.0, gt=0, le=300)
    accept_new_host_keys: bool = True


class Provision(Frozen):
    """How Ansible is run."""

    forks: int = Field(20, ge=1, le=200)
    timeout_s: int = Field(1800, ge=1)
    plan_expires_h: int = Field(24, ge=1)


def default_home() -> Path:
    """Return $XDG_DATA_HOME/siaga, or ~/.local/share/siaga."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "siaga"


class Settings(BaseSettings):
    """The whole tree; `home` is the directory that holds everything siaga keeps."""

    model_config = SettingsConfigDict(
        env_prefix="SIAGA_", env_nested_delimiter="__", frozen=True, extra="ignore", validate_default=True
    )

    home: Path = Field(default_factory=default_home)
    database_url: str = ""
    timezone: str = "Asia/Jakarta"
    language: str = Field("id", pattern="^(id|en)$")
    poll: Poll = Poll()
    ssh: Ssh = Ssh()
    provision: Provision = Provision()
    playbooks: tuple[Path, ...] = ()

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database of record."""
        return self.database_url or f"sqlite:///{self.home / 'siaga.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment over the files."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=files())


def files() -> list[Path]:
    """Return the settings files, weakest first; those that do not exist are skipped by the reader."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "siaga" / "siaga.toml"
    named = [Path(p) for p in [os.environ.get("SIAGA_CONFIG")] if p]
    return [Path("/etc/siaga/siaga.toml"), config, Path("siaga.toml"), *named]


def load() -> Settings:
    """Read the settings.

    Raises InvalidError (`bad-settings`) with every wrong key, and says in which source to look.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        places = ", ".join(str(p) for p in files() if p.exists()) or "SIAGA_* variables"
        raise InvalidError("bad-settings", f"The settings in {places} are not valid.", problems) from None
    except ValueError as error:  # tomllib.TOMLDecodeError
        raise InvalidError("bad-settings", f"A settings file is not valid TOML: {error}.") from None
