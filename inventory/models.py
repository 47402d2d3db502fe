"""The tables of the inventory, in one module. Intended values are columns; observed ones carry provenance.

Names are unique per noun and are how people and files refer to a row (natural keys); ids stay inside.
`CHOICES` lists what a text column may hold. Rates are bits per second, prices rupiah, times aware UTC.
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


def _ref(table: str, *, required: bool = False) -> Any:
    return Field(default=None, foreign_key=f"{table}.id", index=True, nullable=not required)


def _name() -> Any:
    return Field(unique=True, index=True, max_length=120)


class Place(SQLModel, table=True):
    """A node of the one place tree. `kecamatan` is derived: the name of the nearest place of that kind."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("regency", "kecamatan", "desa", "kelurahan", "site", "building", "room", "rack"),
        "position_kind": ("", "office", "centroid"),
    }
    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    kind: str
    code: str = ""  # Kemendagri code, such as 36.03.01
    parent_id: int | None = _ref("place")
    kecamatan: str = Field(default="", index=True)
    latitude: float | None = None
    longitude: float | None = None
    position_kind: str = ""
    notes: str = ""


class Agency(SQLModel, table=True):
    """An OPD (perangkat daerah, a work unit of the regency), kecamatan, puskesmas, RSUD or desa: a tenant."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("opd", "kecamatan", "puskesmas", "rsud", "desa", "other")
    }
    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    title: str = ""
    kind: str = "opd"
    place_id: int | None = _ref("place")
    notes: str = ""


class Provider(SQLModel, table=True):
    """Who sells a circuit or a service."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    title: str = ""
    contact: str = ""
    notes: str = ""


class Contract(SQLModel, table=True):
    """What a provider promised. `claim_after_s`: a failure longer than this is claimable."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"kind": ("internet", "circuit", "support", "operation")}
    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()  # the contract's number
    provider_id: int | None = _ref("provider")
    kind: str = "internet"
    start: date | None = None
    end: date | None = None
    price_idr: int | None = Field(default=None, sa_type=BigInteger)
    committed_down_bps: int | None = Field(default=None, sa_type=BigInteger)
    committed_up_bps: int | None = Field(default=None, sa_type=BigInteger)
    availability_pct: float | None = None
    latency_ms: float | None = None
    loss_pct: float | None = None
    mttr_h: float | None = None
    claim_after_s: int | None = None
    penalty: str = ""
    renewal_notice_days: int | None = None
    notes: str = ""


class DeviceType(SQLModel, table=True):
    """A model of a maker. `eos`: end of sale; `eol`: end of life."""

    __tablename__ = "device_type"
    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    maker: str = ""
    model: str = ""
    eos: date | None = None
    eol: date | None = None
    notes: str = ""


class Device(SQLModel, table=True):
    """A device as it should be; what it says of itself is in `Observed`.

    `transport` is how it is polled. `vars` are variables for Ansible, `tags` words between spaces.
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
    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    role: str = Field(default="other", index=True)
    status: str = Field(default="active", index=True)
    place_id: int | None = _ref("place")
    agency_id: int | None = _ref("agency")
    device_type_id: int | None = _ref("device_type")
    platform: str = ""
    address: str = Field(default="", index=True)
    transport: str = "snmp"
    snmp_port: int = 161
    ssh_port: int = 22
    credential_id: int | None = _ref("credential")
    ssh_credential_id: int | None = _ref("credential")
    serial: str = ""
    parent_id: int | None = _ref("device")
    tags: str = ""
    vars: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    notes: str = ""


class Observed(SQLModel, table=True):
    """One observed value with its provenance: who said it (`source`), when, and in which run (`cause`)."""

    device_id: int = Field(foreign_key="device.id", primary_key=True)
    field: str = Field(primary_key=True)
    source: str = Field(primary_key=True)  # snmp, ssh, ansible
    value: str
    at: datetime = Field(sa_type=UtcDateTime)
    cause: str = ""


class Interface(SQLModel, table=True):
    """An interface. `alias` and `speed_bps` are intended; the `seen_` columns are what the device said."""

    __table_args__ = (UniqueConstraint("device_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    device_id: int | None = _ref("device", required=True)
    name: str = Field(index=True, max_length=120)
    alias: str = ""
    speed_bps: int | None = Field(default=None, sa_type=BigInteger)
    notes: str = ""
    if_index: int | None = None
    if_type: int | None = None
    seen_alias: str = ""
    seen_speed_bps: int | None = Field(default=None, sa_type=BigInteger)
    mac: str = ""
    admin_status: str = ""
    oper_status: str = ""
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Link(SQLModel, table=True):
    """A line between two interfaces, or a provider's circuit. `intra`: part of the regency's own network."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("fibre", "radio", "satellite", "copper", "cellular", "other"),
        "role": ("primary", "backup"),
        "state": ("declared", "confirmed", "conflicting"),
    }
    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    kind: str = "fibre"
    a_interface_id: int | None = _ref("interface")
    z_interface_id: int | None = _ref("interface")
    contract_id: int | None = _ref("contract")
    role: str = "primary"
    intra: bool = True
    path_group: str = ""
    state: str = "declared"
    notes: str = ""


class Connection(SQLModel, table=True):
    """An agency's connection to the regency network, measured on `interface` (its WAN side) of `device`."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    agency_id: int | None = _ref("agency")
    place_id: int | None = _ref("place")
    link_id: int | None = _ref("link")
    contract_id: int | None = _ref("contract")
    device_id: int | None = _ref("device")
    interface_id: int | None = _ref("interface")
    committed_down_bps: int | None = Field(default=None, sa_type=BigInteger)
    committed_up_bps: int | None = Field(default=None, sa_type=BigInteger)
    notes: str = ""


class Service(SQLModel, table=True):
    """An application that agencies depend on, such as e-planning or a hospital's registration."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    title: str = ""
    agency_id: int | None = _ref("agency")
    url: str = ""
    device_id: int | None = _ref("device")
    criticality: int | None = None
    notes: str = ""


class Credential(SQLModel, table=True):
    """How to log in: everything but the secret, which lies sealed in `Secret`."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("snmp-v1", "snmp-v2c", "snmp-v3", "ssh-password", "ssh-key"),
        "auth_protocol": ("", "MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"),
        "priv_protocol": ("", "DES", "AES", "AES-192", "AES-256"),
    }
    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    kind: str
    username: str = ""
    auth_protocol: str = ""
    priv_protocol: str = ""
    notes: str = ""


class Secret(SQLModel, table=True):
    """A sealed part of a credential: community, password, key, auth or priv (see siaga.secrets.Box)."""

    credential_id: int = Field(foreign_key="credential.id", primary_key=True)
    part: str = Field(primary_key=True)
    key_id: str
    nonce: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class Group(SQLModel, table=True):
    """A saved selector, used as @name."""

    __tablename__ = "saved_group"
    id: int | None = Field(default=None, primary_key=True)
    name: str = _name()
    noun: str = "device"
    selector: str = ""
    notes: str = ""


class Change(SQLModel, table=True):
    """One change of one row, append-only; `hash` covers the entry and the hash before it."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    who: str
    why: str = ""
    cause: str = ""  # run, job or import that made it
    noun: str = Field(index=True)
    row_name: str = Field(index=True)
    action: str  # add, set, rm
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    previous_hash: str
    hash: str


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
