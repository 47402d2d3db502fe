"""The settings: one frozen tree from defaults, siaga.toml files and SIAGA_* variables (the last one wins).

Files read, weakest first: /etc/siaga/siaga.toml, ~/.config/siaga/siaga.toml, ./siaga.toml, $SIAGA_CONFIG.
A nested key is SIAGA_POLL__TIMEOUT_S in the environment, `[poll] timeout_s = 2` in a file.
"""

import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    IPvAnyAddress,
    IPvAnyNetwork,
    StringConstraints,
    ValidationError,
    model_validator,
)

from siaga.errors import InvalidError

PREFIX = "SIAGA_"
FIELD_NAME = "^[a-z][a-z0-9_]{0,62}$"
# Variables with the prefix that are no settings: where to look, and switches of the tests.
NOT_SETTINGS = frozenset(
    {"config", "corpus", "mutants", "require_real", "ci_logs", "lab_id", "lab_keep", "test_postgresql"}
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
    window: int = Field(2048, ge=1, le=16384)  # devices with a PDU in flight at one time
    reply_bytes: int = Field(1472, ge=484, le=8192)  # what a reply may have: an Ethernet frame
    site_pdus_per_s: float = Field(200.0, ge=1, le=100_000)  # through the link of one site


class Discover(Frozen):
    """What a sweep may touch, and how fast: `allow` (if it names anything) and `deny` stand above every command line.

    `credentials` are tried in this order, at most `attempts` of them at one address. `recorded` selects the prefixes
    that --recorded means. A device is looked at for at most `look_s`.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    recorded: str = "status!=container vrf=''"
    attempts: int = Field(4, ge=1, le=32)
    most_addresses: int = Field(65_536, ge=1)
    rate_pps: float = Field(5000.0, gt=0, le=1_000_000)
    timeout_s: float = Field(1.0, gt=0, le=30)
    retries: int = Field(1, ge=0, le=5)
    look_s: float = Field(60.0, gt=0, le=600)
    ports: tuple[Annotated[int, Field(ge=1, le=65_535)], ...] = (22, 23, 80, 443, 8291)


class Samples(Frozen):
    """For how many days samples are kept: raw values, bins of five minutes, bins of an hour."""

    raw_days: int = Field(90, ge=2)
    five_minute_days: int = Field(400, ge=2)
    hourly_days: int = Field(1830, ge=2)

    @property
    def kept_days(self) -> dict[str, int]:
        """The same by the store's names of its tiers."""
        return {"raw": self.raw_days, "r5": self.five_minute_days, "r60": self.hourly_days}


class Monitor(Frozen):
    """When the service asks, in seconds, and what it does besides. A layer's variable `poll` may say other periods.

    reachability   who is there: ICMP (without `ping`: SNMP, or a connection), `burst` echoes to who was silent
    counters       known interfaces by SNMP
    health         sensors, processors, memory, disks; at most `readings` devices at a time
    metadata       all that a device tells, so that its identity and its interfaces are known
    services, ssh  service checks; devices that are read over SSH

    What came is stored and judged each `batch_s`; rules, windows and devices are read again each `scene_s`. `drain_s`:
    how long an end waits for what is being asked. `listen`: receive traps and syslog too ([listen]). `push`: send what
    came to each [[remote_write]], every `push_s`. `backup`: read the configurations that are due ([backup]), for which
    it looks every `backup_s`, and judge them by the rules of compliance. `audit`: look for open doors when that is due
    ([audit]), for which it looks every `audit_s`.
    """

    reachability_s: float = Field(30.0, ge=0.1, le=3600)
    counters_s: float = Field(60.0, ge=0.1, le=86_400)
    health_s: float = Field(300.0, ge=0.1, le=86_400)
    metadata_s: float = Field(3600.0, ge=0.1, le=7 * 86_400)
    services_s: float = Field(60.0, ge=0.1, le=86_400)
    ssh_s: float = Field(300.0, ge=0.1, le=86_400)
    batch_s: float = Field(1.0, ge=0.02, le=10)
    scene_s: float = Field(30.0, ge=0.1, le=600)
    drain_s: float = Field(10.0, ge=0, le=60)
    readings: int = Field(128, ge=1, le=4096)
    burst: int = Field(5, ge=1, le=50)
    ping: bool = True
    listen: bool = False
    notify: bool = True
    compact: bool = True
    push: bool = True
    backup: bool = True
    backup_s: float = Field(60.0, ge=1, le=3600)
    audit: bool = True
    audit_s: float = Field(300.0, ge=1, le=3600)
    push_s: float = Field(60.0, ge=1, le=3600)


class Ssh(Frozen):
    """How devices are read over SSH."""

    concurrency: int = Field(16, ge=1, le=256)
    timeout_s: float = Field(15.0, gt=0, le=300)
    accept_new_host_keys: bool = True


class Backup(Frozen):
    """How configurations are backed up. `every_h` is for each role, or `default`: hours between two backups.

    `concurrency` devices side by side; a device may take `longest_s` altogether, be silent for [ssh] timeout_s, and say
    `most_bytes`. Of the full texts, the newest `keep_full` of each device are kept. `around_jobs`: a device is backed
    up before and after it is changed, and left alone if that fails.
    """

    every_h: Mapping[str, Annotated[float, Field(gt=0, le=24 * 90)]] = {"default": 24.0}
    concurrency: int = Field(50, ge=1, le=256)
    longest_s: float = Field(300.0, gt=0, le=3600)
    most_bytes: int = Field(16 << 20, ge=10_000, le=256 << 20)
    keep_full: int = Field(100, ge=1, le=100_000)
    around_jobs: bool = True

    def interval_h(self, role: str) -> float:
        """Return the hours between two backups of devices of a role."""
        return self.every_h.get(role, self.every_h.get("default", 24.0))


class Checks(Frozen):
    """How services are checked. Days and seconds are when a finding becomes a warning, or critical.

    `ca_file`: authorities trusted beside the system's. `proxy`: `http://host:port`, for web checks; without it none is
    used, whatever the environment says. `forbidden`: networks that no check connects to, wherever a name or a redirect
    leads. `resolver`: the DNS server asked where a check names none; empty: the system's.
    """

    concurrency: int = Field(32, ge=1, le=512)
    timeout_s: float = Field(10.0, gt=0, le=120)
    slow_s: float = Field(3.0, gt=0, le=120)
    body_bytes: int = Field(1 << 20, ge=1024, le=64 << 20)
    redirects: int = Field(5, ge=0, le=20)
    certificate_warning_days: int = Field(30, ge=0)
    certificate_critical_days: int = Field(7, ge=0)
    ca_file: Path | None = None
    proxy: str = Field("", pattern=r"^(http://[^\s/@:]+:[0-9]{1,5})?$")
    resolver: str = ""
    forbidden: tuple[IPvAnyNetwork, ...] = tuple(
        map(ip_network, ("169.254.0.0/16", "224.0.0.0/4", "0.0.0.0/8", "fe80::/10", "ff00::/8"))
    )


class Audit(Frozen):
    """How `siaga audit` tries doors. An address is looked at for at most `look_s`, each door for `timeout_s`.

    `communities` are guessed beside the well-known ones, `guess_pps` of them a second. With --try-defaults a device is
    tried at most `login_attempts` times, `login_pause_s` apart, at `logins_at_once` devices side by side.

    The service audits everything each `every_h` hours, within `hours` of the regency's zone; it never tries a login.
    """

    every_h: float = Field(168.0, ge=1, le=24 * 366)
    hours: str = "01.00-05.00"
    concurrency: int = Field(32, ge=1, le=512)
    timeout_s: float = Field(4.0, gt=0, le=60)
    look_s: float = Field(15.0, gt=0, le=300)
    telnet_port: int = Field(23, ge=1, le=65535)
    http_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (80,)
    https_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (443,)
    communities: tuple[Annotated[str, StringConstraints(min_length=1, max_length=64)], ...] = ()
    guess_pps: float = Field(200.0, gt=0, le=10_000)
    guess_timeout_s: float = Field(1.0, gt=0, le=30)
    login_attempts: int = Field(3, ge=1, le=10)
    login_pause_s: float = Field(5.0, ge=0, le=300)
    logins_at_once: int = Field(4, ge=1, le=32)
    seen_days: int = Field(30, ge=1, le=3650)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        from siaga.hours import hours

        try:
            hours(self.hours)
        except InvalidError as error:
            raise ValueError(error.sentence) from None
        return self


class Plugin(Frozen):
    """A Nagios plugin as a check, `[plugins.NAME]`: its whole path and its arguments, which no shell ever sees.

    {name}, {address}, {port}, {host} and {url} in an argument are those of the service. `environment` is all that the
    plugin gets beside PATH and LANG. Without `timeout_s` it has as long as any check.
    """

    run: tuple[str, ...] = Field(min_length=1)
    environment: Mapping[str, str] = {}
    timeout_s: float | None = Field(None, gt=0, le=600)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not Path(self.run[0]).is_absolute():
            raise ValueError("the plugin is named by its whole path")
        return self


class Listen(Frozen):
    """Where traps and syslog messages are received; a port of 0 is not opened.

    `addresses` are those of this machine; without any, all. `credentials` are those whose communities and users traps
    may come with. `relays` are networks whose word for another source is taken (snmpTrapAddress, the host name of a
    syslog message); nobody else's is. Rates are messages a second, for each known device, and for all others together.
    The service keeps what they tell for `keep_days`.
    """

    addresses: tuple[IPvAnyAddress, ...] = ()
    trap_port: int = Field(162, ge=0, le=65535)
    syslog_port: int = Field(514, ge=0, le=65535)
    syslog_tcp_port: int = Field(514, ge=0, le=65535)
    credentials: tuple[str, ...] = ()
    relays: tuple[IPvAnyNetwork, ...] = ()
    rate_per_s: float = Field(20.0, gt=0)
    burst: int = Field(200, ge=1)
    keep_days: int = Field(90, ge=1)


class Provision(Frozen):
    """How Ansible is run, and how carefully.

    `timeout_s` is for a whole job, `task_timeout_s` for one task on one host. `four_eyes_from`: plays of this risk and
    above are applied only after a second person has approved. From three hosts on, one is changed first (the canary);
    then come batches of `batch_hosts`. `settle_s`: how long a changed host may take to be as before for the monitor.
    `lock_wait_s`: how long an apply waits for a device that somebody is at. Records of tasks are kept for `keep_days`.
    `fast`: by mitogen (the extra `fast`), which keeps a Python process on each host instead of starting one per task.
    """

    forks: int = Field(20, ge=1, le=200)
    timeout_s: int = Field(1800, ge=1)
    task_timeout_s: int = Field(600, ge=1)
    plan_expires_h: int = Field(24, ge=1)
    four_eyes_from: Literal["low", "medium", "high", "never"] = "high"
    batch_hosts: int = Field(50, ge=1, le=1000)
    settle_s: float = Field(60.0, ge=0, le=3600)
    lock_wait_s: float = Field(30.0, ge=0, le=600)
    keep_days: int = Field(400, ge=1)
    fast: bool = False


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


class Route(Frozen):
    """Whom alerts are told to, and by what: `[[routes]]`. What is given to the channel stands under `options`.

    `to`: receivers as the channel knows them (a chat, an address), 'person:NAME', 'role:ROLE' of a person, or
    'on-duty'. `after_s`: told only of what is unacknowledged for so long (escalation). `quiet`: hours in which
    alerts of a severity in `quiet_for` wait. More than `digest_over` at once become one message.
    """

    name: str = Field(pattern="^[a-z0-9][a-z0-9-]{0,62}$")
    channel: str = Field(pattern="^[a-z][a-z0-9]{0,30}$")
    to: tuple[str, ...] = ()
    credential: str = ""
    severities: tuple[Literal["warning", "critical"], ...] = ("warning", "critical")
    rules: tuple[str, ...] = ()
    when: str = ""
    after_s: int = Field(0, ge=0, le=7 * 86400)
    hours: str = ""
    quiet: str = ""
    quiet_for: tuple[Literal["warning", "critical"], ...] = ("warning",)
    wait_s: int = Field(0, ge=0, le=3600)
    digest_over: int = Field(5, ge=1, le=1000)
    per_minute: int = Field(20, ge=1, le=6000)
    recoveries: bool = True
    language: str = Field("", pattern="^(id|en|)$")
    timeout_s: float = Field(10.0, gt=0, le=60)
    give_up_h: float = Field(24.0, gt=0, le=24 * 30)
    options: Mapping[str, Any] = {}

    @model_validator(mode="after")
    def _readable(self) -> Self:
        from siaga.hours import hours

        for text in filter(None, (self.hours, self.quiet)):
            try:
                hours(text)
            except InvalidError as error:
                raise ValueError(error.sentence) from None
        return self


class RemoteWrite(Frozen):
    """Where samples are sent as they come: `[[remote_write]]`, Prometheus remote write 1.0.

    `when`: which devices, a selector. `labels` are added to every series. `credential`: a token (Bearer) or a password
    with its user name (Basic). `headers` are no place for secrets; Mimir's tenant is X-Scope-OrgID. After a failure
    everything that was taken in the last `rewind_s` before it is sent again, for a database that is killed loses what
    it has not yet brought to its disk. With `again_s` every pass begins so much earlier, failure or not, for one that
    is killed and started between two passes.
    """

    name: str = Field(pattern="^[a-z0-9][a-z0-9-]{0,62}$")
    url: str = Field(pattern="^https?://[^ @]+$")
    when: str = ""
    labels: Mapping[Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,62}$")], str] = {}
    credential: str = ""
    headers: Mapping[Annotated[str, StringConstraints(pattern="^[A-Za-z][A-Za-z0-9-]{0,62}$")], str] = {}
    ca_file: Path | None = None
    timeout_s: float = Field(30.0, gt=0, le=300)
    batch_samples: int = Field(10_000, ge=1, le=200_000)
    rewind_s: int = Field(120, ge=60, le=86_400)
    again_s: int = Field(0, ge=0, le=3600)

    @model_validator(mode="after")
    def _harmless(self) -> Self:
        if self.again_s > self.rewind_s:
            raise ValueError("again_s is at most rewind_s, which is how far back is remembered")
        if secret := {
            h for h in self.headers if h.lower() in ("authorization", "cookie", "proxy-authorization")
        }:
            raise ValueError(f"'{min(secret)}' holds a secret: give it as a credential")
        return self


class Alarms(Frozen):
    """When siaga believes that it is blind: more than `blind_share` silent, and all of `uplink` with it.

    `uplink`: addresses of siaga's own gateway, or of what must always answer, asked by ICMP.
    """

    uplink: tuple[str, ...] = ()
    blind_share: float = Field(0.5, gt=0, lt=1)


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
    monitor: Monitor = Monitor()
    discover: Discover = Discover()
    samples: Samples = Samples()
    ssh: Ssh = Ssh()
    backup: Backup = Backup()
    provision: Provision = Provision()
    checks: Checks = Checks()
    audit: Audit = Audit()
    plugins: Mapping[Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9_-]{0,62}$")], Plugin] = {}
    listen: Listen = Listen()
    playbooks: tuple[Path, ...] = ()
    fields: Mapping[str, Mapping[Annotated[str, StringConstraints(pattern=FIELD_NAME)], CustomField]] = {}
    rules: tuple[Rule, ...] = ()
    events: tuple[Event, ...] = ()
    routes: tuple[Route, ...] = ()
    remote_write: tuple[RemoteWrite, ...] = ()
    alarms: Alarms = Alarms()
    custody: Custody = Custody()
    access: tuple[Access, ...] = ()

    @model_validator(mode="after")
    def _names_apart(self) -> Self:
        for what, names in (
            ("routes", [r.name for r in self.routes]),
            ("destinations of remote_write", [r.name for r in self.remote_write]),
        ):
            if twice := {n for n in names if names.count(n) > 1}:
                raise ValueError(f"two {what} are called '{min(twice)}'")
        return self

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
        problems = [_problem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        places = ", ".join([*map(str, files()), f"{PREFIX}* variables"])
        raise InvalidError(
            "bad-settings", f"The settings are not valid; look in {places}.", problems
        ) from None


def _problem(place: str, said: str) -> str:
    """Return what is wrong and where; what is wrong with the whole has no place."""
    said = said.removeprefix("Value error, ")
    return f"{place}: {said}" if place else said


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
