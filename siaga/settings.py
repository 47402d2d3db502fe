"""The settings: one frozen tree from defaults, siaga.toml files and SIAGA_* variables (the last one wins).

Files read, weakest first: /etc/siaga/siaga.toml, ~/.config/siaga/siaga.toml, ./siaga.toml, $SIAGA_CONFIG.
A nested key is SIAGA_POLL__TIMEOUT_S in the environment, `[poll] timeout_s = 2` in a file.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, ValidationError, model_validator

from siaga.errors import InvalidError

PREFIX = "SIAGA_"
FIELD_NAME = "^[a-z][a-z0-9_]{0,62}$"
# Variables with the prefix that are no settings: where to look, and switches of the tests.
NOT_SETTINGS = frozenset(
    {"config", "corpus", "require_real", "ci_logs", "lab_id", "lab_keep", "test_postgresql"}
)


class Frozen(BaseModel):
    """A part of the tree: frozen, and strict about unknown keys."""

    model_config = {"frozen": True, "extra": "forbid"}


class Poll(Frozen):
    """How devices are asked by SNMP."""

    concurrency: int = Field(32, ge=1, le=4096)
    timeout_s: float = Field(2.0, gt=0, le=60)
    retries: int = Field(2, ge=0, le=10)
    interval_s: int = Field(60, ge=1)


class Samples(Frozen):
    """For how many days samples are kept: raw values, bins of five minutes, bins of an hour."""

    raw_days: int = Field(90, ge=2)
    five_minute_days: int = Field(400, ge=2)
    hourly_days: int = Field(1830, ge=2)

    @property
    def kept_days(self) -> dict[str, int]:
        """The same by the store's names of its tiers."""
        return {"raw": self.raw_days, "r5": self.five_minute_days, "r60": self.hourly_days}


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


class CustomField(Frozen):
    """A field of the regency's own on a noun: `[fields.NOUN.NAME]`."""

    type: Literal["text", "int", "float", "bool", "date", "choice", "ref"] = "text"
    title: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    ref: str = ""
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    limit: int = Field(255, ge=1, le=4000)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.type == "choice" and not self.choices:
            raise ValueError("a choice needs its choices")
        if self.type == "ref" and not self.ref:
            raise ValueError("a ref needs the noun it refers to, as ref = ...")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"the minimum {self.minimum:g} is greater than the maximum {self.maximum:g}")
        if self.pattern:
            _check_pattern(self.pattern)
        return self


def _check_pattern(pattern: str) -> None:
    """Raise ValueError for what is no regular expression of RE2; it is loaded only where there is a pattern."""
    from siaga.expressions import expression

    try:
        expression(pattern)
    except ValueError as error:
        raise ValueError(f"the pattern is no regular expression of RE2 ({error})") from None


class Rule(Frozen):
    """A rule of the regency's own: rows of `noun` that `when` selects must be selected by `must` as well.

    `protect`: rows that it selects cannot be removed. A warning is shown; an error keeps a change out.
    """

    name: str
    noun: str = "device"
    when: str = ""
    must: str = ""
    require: tuple[str, ...] = ()
    protect: bool = False
    severity: Literal["error", "warning"] = "error"
    message: str = ""


class Access(Frozen):
    """What a user, or a group of users, of the operating system may do, everywhere or in one place or agency.

    Each role may do what those before it may. Without any entry everybody may do everything.
    """

    user: str = ""
    group: str = ""
    role: Literal["viewer", "operator", "provisioner", "approver", "admin"] = "viewer"
    place: str = ""
    agency: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.user) == bool(self.group):
            raise ValueError("an access entry names a user or a group")
        return self


class Event(Frozen):
    """What is told to others of changes: `[[events]]`; a POST to `url`, or the program `run` with JSON on its input.

    `when` selects among the rows as they are when it is sent; a row that was removed is always told.
    """

    name: str = Field(pattern="^[a-z0-9][a-z0-9-]{0,62}$")
    nouns: tuple[str, ...] = ()
    actions: tuple[Literal["add", "set", "rm"], ...] = ()
    fields: tuple[str, ...] = ()
    when: str = ""
    url: str = Field("", pattern="^(https?://[^ @]+)?$")
    run: tuple[str, ...] = ()
    secret_file: Path | None = None
    ca_file: Path | None = None
    timeout_s: float = Field(10.0, gt=0, le=120)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.url) == bool(self.run):
            raise ValueError("an event has either a url or a program to run")
        if self.when and len(self.nouns) != 1:
            raise ValueError("'when' is a selector of one noun: name it in nouns")
        if self.run and not Path(self.run[0]).is_absolute():
            raise ValueError("the program to run is named by its whole path")
        return self


class Custody(Frozen):
    """How a BAST is numbered and headed. `number` knows {n}, {n:03}, {unit}, {month} (roman) and {year}."""

    number: str = "{n:03}/BAST/{unit}/{month}/{year}"
    unit: str = "DISKOMINFO"
    regency: str = "Kabupaten Tangerang"
    place: str = "Tigaraksa"


def default_home() -> Path:
    """Return $XDG_DATA_HOME/siaga, or ~/.local/share/siaga."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "siaga"


class Settings(Frozen):
    """The whole tree; `home` is the directory that holds everything siaga keeps."""

    home: Path = Field(default_factory=default_home)
    database_url: str = ""
    timezone: str = "Asia/Jakarta"
    language: str = Field("id", pattern="^(id|en)$")
    poll: Poll = Poll()
    samples: Samples = Samples()
    ssh: Ssh = Ssh()
    provision: Provision = Provision()
    playbooks: tuple[Path, ...] = ()
    fields: Mapping[str, Mapping[Annotated[str, StringConstraints(pattern=FIELD_NAME)], CustomField]] = {}
    rules: tuple[Rule, ...] = ()
    events: tuple[Event, ...] = ()
    custody: Custody = Custody()
    access: tuple[Access, ...] = ()

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database of record."""
        return self.database_url or f"sqlite:///{self.home / 'siaga.db'}"


def files() -> list[Path]:
    """Return the settings files that exist, weakest first; a file named in $SIAGA_CONFIG must exist."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "siaga" / "siaga.toml"
    found = [p for p in (Path("/etc/siaga/siaga.toml"), config, Path("siaga.toml")) if p.exists()]
    return [*found, *(Path(p) for p in [os.environ.get("SIAGA_CONFIG")] if p)]


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises InvalidError (`bad-settings`) with every wrong key, and says in which source to look.
    """
    tree: dict[str, Any] = {}
    for path in files():
        _merge(tree, _read(path))
    _merge(tree, _from_environment(os.environ if environ is None else environ))
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        places = ", ".join([*map(str, files()), f"{PREFIX}* variables"])
        raise InvalidError(
            "bad-settings", f"The settings are not valid; look in {places}.", problems
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidError("bad-settings", f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidError("bad-settings", f"{path} is not valid TOML: {error}.") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in environ.items():
        *parts, leaf = name.removeprefix(PREFIX).lower().split("__")
        if not name.startswith(PREFIX) or (not parts and leaf in NOT_SETTINGS):
            continue
        at = tree
        for part in parts:
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                sentence = f"{name} and another variable for the whole of '{part}' are both set: unset one."
                raise InvalidError("bad-settings", sentence)
        at[leaf] = value.split(os.pathsep) if leaf == "playbooks" else value
    return tree


def _merge(tree: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(tree.get(key), dict):
            _merge(tree[key], value)
        else:
            tree[key] = value
