"""The tables of the network itself. Intended values are columns; observed ones carry provenance.

Names are unique per noun and are how people and files refer to a row (natural keys); ids stay inside.
`CHOICES` lists what a text column may hold, `BOUNDS` the least and greatest number. Rates are bits per second,
prices rupiah, times aware UTC. Addresses are in models_ipam.py, people and papers in models_people.py, goods
and who answers for them in models_custody.py.
"""

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, LargeBinary, UniqueConstraint
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from siaga.clock import as_utc


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored as UTC without zone and always given back aware."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store as naive UTC; a naive time is refused, because nobody knows what it means."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        return None if value is None else as_utc(value)


def ref(table: str, *, required: bool = False) -> Any:
    """Return a column that refers to a row of `table`."""
    return Field(default=None, foreign_key=f"{table}.id", index=True, nullable=not required)


def key(length: int = 120) -> Any:
    """Return the column of a natural key of at most `length` characters."""
    return Field(unique=True, index=True, max_length=length)


def big() -> Any:
    """Return a column for whole numbers up to 2^63-1: bits per second, rupiah, octets."""
    return Field(default=None, sa_type=BigInteger)


class Row(SQLModel):
    """What every noun has. `custom`: the fields declared in siaga.toml; `revision`: the id of its last Change.

    A file that carries the revision it was exported with cannot overwrite what was changed since.
    """

    id: int | None = Field(default=None, primary_key=True)
    notes: str = ""
    custom: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    revision: int = 0


class Place(Row, table=True):
    """A node of the one place tree. `kecamatan` is derived: the name of the nearest place of that kind."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("regency", "kecamatan", "desa", "kelurahan", "site", "building", "room", "rack"),
        "position_kind": ("", "office", "centroid"),
        "purpose": ("", "command", "system", "server", "network", "office"),
    }
    BOUNDS: ClassVar[dict[str, tuple[float, float]]] = {
        "latitude": (-90, 90),
        "longitude": (-180, 180),
        "priority": (1, 3),
    }
    name: str = key()
    kind: str
    purpose: str = ""  # what a room is for
    code: str = ""  # Kemendagri code, such as 36.03.01
    parent_id: int | None = ref("place")
    kecamatan: str = Field(default="", index=True)
    latitude: float | None = None
    longitude: float | None = None
    position_kind: str = ""
    priority: int | None = None  # 1 is the first to be mended
    population: int | None = None
    area_m2: float | None = None
    active_from: date | None = None
    active_to: date | None = None


class Agency(Row, table=True):
    """An OPD (perangkat daerah, a work unit of the regency), kecamatan, puskesmas, RSUD or desa: a tenant."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("opd", "kecamatan", "puskesmas", "rsud", "desa", "other")
    }
    name: str = key()
    title: str = ""
    kind: str = "opd"
    code: str = ""  # kode lokasi / unit of the asset books
    place_id: int | None = ref("place")
    active_from: date | None = None
    active_to: date | None = None


class Provider(Row, table=True):
    """Who sells a circuit or a service."""

    name: str = key()
    title: str = ""
    account: str = ""  # our customer number there
    contact: str = ""
    as_number: int | None = big()


class Contract(Row, table=True):
    """What a provider promised. `claim_after_s`: a failure longer than this is claimable."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"kind": ("internet", "circuit", "support", "operation")}
    BOUNDS: ClassVar[dict[str, tuple[float, float]]] = {"availability_pct": (0, 100), "loss_pct": (0, 100)}
    name: str = key()  # the contract's number
    provider_id: int | None = ref("provider")
    kind: str = "internet"
    start: date | None = None
    end: date | None = None
    price_idr: int | None = big()
    committed_down_bps: int | None = big()
    committed_up_bps: int | None = big()
    availability_pct: float | None = None
    latency_ms: float | None = None
    loss_pct: float | None = None
    mttr_h: float | None = None
    claim_after_s: int | None = None
    penalty: str = ""
    renewal_notice_days: int | None = None
    provider_availability_pct: float | None = None  # the provider's own figure, printed beside ours


class DeviceType(Row, table=True):
    """A model of a maker. `eos`: end of sale; `eol`: end of life; `kode_barang` its code in the asset books."""

    __tablename__ = "device_type"
    name: str = key()
    maker: str = ""
    model: str = ""
    part_number: str = ""
    slug: str = ""  # as the devicetype-library names it
    u_height: float | None = None
    kode_barang: str = ""
    eos: date | None = None
    eol: date | None = None


class Component(Row, table=True):
    """A part that every device of a type has: its ports. `name` is the type's name, the kind and the label."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": (
            "interface",
            "console",
            "power",
            "power-outlet",
            "module-bay",
            "device-bay",
            "front",
            "rear",
        ),
    }
    name: str = key(255)
    device_type_id: int | None = ref("device_type", required=True)
    kind: str = "interface"
    label: str
    type: str = ""
    mgmt_only: bool = False


class Device(Row, table=True):
    """A device, or a virtual machine on `parent`, as it should be; what it says of itself is in `Observed`.

    `transport` is how it is polled. `vars` are variables for Ansible, `tags` words between spaces.
    `chassis`: the name that the members of one stack or cluster share.
    """

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "role": (
            "core-router",
            "router",
            "firewall",
            "switch",
            "radio",
            "olt",
            "ap",
            "server",
            "ups",
            "other",
        ),
        "status": ("active", "planned", "spare", "retired"),
        "transport": ("snmp", "ssh", "none"),
    }
    name: str = key()
    role: str = Field(default="other", index=True)
    status: str = Field(default="active", index=True)
    place_id: int | None = ref("place")
    agency_id: int | None = ref("agency")
    device_type_id: int | None = ref("device_type")
    platform: str = ""
    address: str = Field(default="", index=True)
    transport: str = "snmp"
    snmp_port: int = 161
    ssh_port: int = 22
    credential_id: int | None = ref("credential")
    ssh_credential_id: int | None = ref("credential")
    serial: str = ""
    parent_id: int | None = ref("device")
    support_contract_id: int | None = ref("contract")
    owner_id: int | None = ref("person")
    virtual: bool = False
    chassis: str = ""
    rack_unit: int | None = None
    tags: str = ""
    vars: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Observed(SQLModel, table=True):
    """One observed value with its provenance: who said it (`source`), when, and in which run (`cause`)."""

    device_id: int = Field(foreign_key="device.id", primary_key=True)
    field: str = Field(primary_key=True)
    source: str = Field(primary_key=True)  # snmp, ssh, ansible
    value: str
    at: datetime = Field(sa_type=UtcDateTime)
    cause: str = ""


class Interface(Row, table=True):
    """An interface. Its plain columns are intended; the `seen_` columns and the statuses are what the device said.

    `vlan` is the untagged one, `tagged_vlans` a list such as '10,20-29'.
    """

    __table_args__ = (UniqueConstraint("device_id", "name"),)
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"mode": ("", "access", "trunk")}
    device_id: int | None = ref("device", required=True)
    name: str = Field(index=True, max_length=120)
    alias: str = ""
    speed_bps: int | None = big()
    enabled: bool = True
    mac: str = ""
    mode: str = ""
    vlan_id: int | None = ref("vlan")
    tagged_vlans: str = ""
    parent_id: int | None = ref("interface")  # the bond or bridge it is a member of
    if_index: int | None = None
    if_type: int | None = None
    seen_alias: str = ""
    seen_speed_bps: int | None = big()
    seen_mac: str = ""
    admin_status: str = ""
    oper_status: str = ""
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Link(Row, table=True):
    """A line between two interfaces, or a provider's circuit. `intra`: part of the regency's own network."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("fibre", "radio", "satellite", "copper", "cellular", "other"),
        "role": ("primary", "backup"),
        "state": ("declared", "confirmed", "conflicting"),
    }
    name: str = key()
    kind: str = "fibre"
    a_interface_id: int | None = ref("interface")
    z_interface_id: int | None = ref("interface")
    contract_id: int | None = ref("contract")
    role: str = "primary"
    intra: bool = True
    path_group: str = ""
    state: str = "declared"
    capacity_bps: int | None = big()
    installed: date | None = None


class Connection(Row, table=True):
    """An agency's connection to the regency network, measured on `interface` (its WAN side) of `device`."""

    name: str = key()
    agency_id: int | None = ref("agency")
    place_id: int | None = ref("place")
    link_id: int | None = ref("link")
    contract_id: int | None = ref("contract")
    device_id: int | None = ref("device")
    interface_id: int | None = ref("interface")
    vlan_id: int | None = ref("vlan")
    prefix_id: int | None = ref("prefix")
    committed_down_bps: int | None = big()
    committed_up_bps: int | None = big()


class Service(Row, table=True):
    """An application that agencies depend on, such as e-planning or a hospital's registration.

    `hosting` as Perpres 95/2018 tells it apart: in the regency, in the national data centre (pdn), or elsewhere
    (awan); `spl`: it speaks over the government's service exchange (sistem penghubung layanan).
    `check` is how the monitor asks it; left empty, the URL and the port tell. `expect` is a regular expression that
    its answer must hold, `expect_status` the HTTP statuses that are right (200-299,401), `plugin` a `[plugins.NAME]`
    of the settings.
    """

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "hosting": ("", "lokal", "pdn", "awan"),
        "check": ("", "http", "tcp", "tls", "dns", "plugin", "none"),
    }
    BOUNDS: ClassVar[dict[str, tuple[float, float]]] = {"criticality": (1, 3), "port": (1, 65535)}
    name: str = key()
    title: str = ""
    agency_id: int | None = ref("agency")
    place_id: int | None = ref("place")
    url: str = ""
    device_id: int | None = ref("device")
    port: int | None = None
    hosting: str = ""
    spl: bool | None = None
    national: bool = False
    criticality: int | None = None
    check: str = ""
    expect: str = ""
    expect_status: str = ""
    plugin: str = ""


class Dependency(Row, table=True):
    """A service needs something: another service, a device, a link. Those of one `group` stand in for each other."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "target_noun": ("service", "device", "link", "connection"),
    }
    name: str = key(255)
    service_id: int | None = ref("service", required=True)
    target_noun: str
    target: str
    group: str = ""


class Layer(Row, table=True):
    """Variables for everything in one place, role, platform, agency or tag, or for the whole regency.

    One of the five is named, or none. The narrower one wins (see layers.py).
    """

    name: str = key()
    place_id: int | None = ref("place")
    role: str = ""
    platform: str = ""
    agency_id: int | None = ref("agency")
    tag: str = ""
    vars: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Credential(Row, table=True):
    """How to log in: everything but the secret, which lies sealed in `Secret`."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("snmp-v1", "snmp-v2c", "snmp-v3", "ssh-password", "ssh-key", "password", "token"),
        "auth_protocol": ("", "MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"),
        "priv_protocol": ("", "DES", "AES", "AES-192", "AES-256"),
    }
    name: str = key()
    kind: str
    username: str = ""
    auth_protocol: str = ""
    priv_protocol: str = ""


class Secret(SQLModel, table=True):
    """A sealed part of a credential: community, password, key, auth or priv (see siaga.secrets.Box)."""

    credential_id: int = Field(foreign_key="credential.id", primary_key=True)
    part: str = Field(primary_key=True)
    key_id: str
    nonce: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class Group(Row, table=True):
    """A saved selector, used as @name."""

    __tablename__ = "saved_group"
    name: str = key()
    noun: str = "device"
    selector: str = ""


class Change(SQLModel, table=True):
    """One change of one row, append-only; `hash` covers the entry and the hash before it."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    who: str
    why: str = ""
    cause: str = ""  # run, job or import that made it
    change_set: int | None = Field(
        default=None, index=True
    )  # what was written together, and is undone together
    noun: str = Field(index=True)
    row_name: str = Field(index=True)
    action: str  # add, set, rm
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    previous_hash: str
    hash: str


class Head(SQLModel, table=True):
    """How many entries the history has and the last one's hash, so that cutting off its end is seen too.

    `seal`: an HMAC of both under the master key, so that nobody sets the head back who has only the database.
    """

    __tablename__ = "history_head"
    id: int = Field(default=1, primary_key=True)
    entries: int
    hash: str
    seal: str = ""


class Told(SQLModel, table=True):
    """How far one event rule has told the history: the history itself is the queue."""

    __tablename__ = "event_told"
    name: str = Field(primary_key=True)
    change_id: int  # the last entry that was told, or had nothing to tell
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failures: int = 0  # in a row
    tried_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error: str = ""


class Run(SQLModel, table=True):
    """One piece of work that can be cut off: import, poll, plan, apply. Cut off, it is marked interrupted."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "status": ("running", "ok", "partial", "failed", "interrupted")
    }
    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(index=True)
    status: str = Field(default="running", index=True)
    who: str = ""
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    pid: int = 0
    process_start: str = ""  # boot id and start time of the process, so that a reused pid is no life sign
    summary: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
