"""What the measures are told, as frozen records of plain values: the facts that a snapshot holds, and nothing else.

Names are the rows' own. Times are aware UTC, spans whole milliseconds (`_ms`), rates bits per second, money rupiah.
None is *not known*: neither yes nor no, neither zero nor all.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Agency:
    """A body that should be connected. `contacts`: the people named for it; `priority` 1 is mended first."""

    name: str
    kind: str
    title: str = ""
    kecamatan: str = ""
    priority: int | None = None
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgencyList:
    """How many bodies of a kind there are, from a dated list."""

    kind: str
    count: int
    as_of: str
    source: str


@dataclass(frozen=True, slots=True)
class Line:
    """A connection of an agency, or a link under a contract that none of them uses (`agency` is empty).

    `intra`: it is part of the regency's own network. Committed rates are its own, else those of its contract.
    """

    name: str
    agency: str = ""
    agency_kind: str = ""
    kecamatan: str = ""
    place: str = ""
    priority: int | None = None
    provider: str = ""
    contract: str = ""
    medium: str = ""
    role: str = "primary"
    intra: bool | None = None
    path_group: str = ""
    down_bps: int | None = None
    up_bps: int | None = None
    device: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A line on one day of the regency: of `window_ms`, how long it was watched and found up."""

    line: str
    day: date
    window_ms: int
    observed_ms: int
    up_ms: int


@dataclass(frozen=True, slots=True)
class Met:
    """What an agency's users met in the period: at every moment its best line counts."""

    agency: str
    kind: str
    window_ms: int
    observed_ms: int
    up_ms: int
    kecamatan: str = ""
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """A line was seen away without a break. `cause`: link, power, device, planned, upstream, unknown; `behind`: it hung
    on another device that was away. `outage`: the row that says so; `open`: it still was at the end of the period.
    """

    line: str
    start: datetime
    end: datetime
    cause: str = "unknown"
    outage: str = ""
    open: bool = False

    @property
    def ms(self) -> int:
        """How long."""
        return round((self.end - self.start).total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Load:
    """What a line carried, from its 5-minute bins: percentiles by nearest rank over all bins, and over service hours.

    `sha256` is that of the bins themselves, so that a changed sample is seen.
    """

    line: str
    bins: int
    window_bins: int
    p95_down_bps: int | None = None
    p95_up_bps: int | None = None
    busy_bins: int = 0
    busy_p95_down_bps: int | None = None
    busy_p95_up_bps: int | None = None
    peak_down_bps: int | None = None
    peak_up_bps: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Quality:
    """Delay and loss to a line's device: the 95th percentile of 5-minute means, and the mean loss."""

    line: str
    bins: int
    window_bins: int
    rtt_p95_ms: float | None = None
    loss_pct: float | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A device in service. `site`: its site or office; `snmp`: 1, 2c or 3 (`snmp_safe`: authPriv), '' if not asked so.

    `rented`: it belongs to a provider. `data_centre`: it stands in a server room.
    """

    name: str
    role: str = "other"
    site: str = ""
    room: str = ""
    kecamatan: str = ""
    agency: str = ""
    priority: int | None = None
    maker: str = ""
    model: str = ""
    serial: str = ""
    platform: str = ""
    version: str = ""
    managed: bool = True
    rented: bool = False
    data_centre: bool = False
    snmp: str = ""
    snmp_safe: bool | None = None
    support_until: date | None = None
    eol: date | None = None
    acquired: date | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Polled:
    """How long a device answered and how long it was silent in the period; the rest nobody looked."""

    device: str
    window_ms: int
    answered_ms: int
    silent_ms: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class RawDay:
    """The file that holds every raw sample of a UTC day, by its hash: it is written once and never changed."""

    day: date
    sha256: str


@dataclass(frozen=True, slots=True)
class RawLine:
    """The raw counters of a line on a UTC day that had no file of its own yet, by their hash."""

    line: str
    day: date
    sha256: str


GONE = ("lost", "disposed")  # what an asset's status says of one that is not there any more


@dataclass(frozen=True, slots=True)
class Asset:
    """An item of the asset books. `seen_in`: where it was last sighted in a stock-take."""

    name: str
    title: str = ""
    kode_barang: str = ""
    register_number: str = ""
    nibar: str = ""
    condition: str = ""
    status: str = "in-use"
    device: str = ""
    agency: str = ""
    place: str = ""
    seen_in: str = ""
    verified_at: date | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """A room that matters: server, system or command (its `purpose`)."""

    name: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Climate:
    """The air of a room as one device measured it, in 5-minute bins: how many there are, known, good."""

    room: str
    device: str
    window_bins: int
    bins: int
    good_bins: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Ups:
    """A UPS of a server room. `runtime_p5_min`: how long it lasts at the real load, 95 % of the time at least."""

    room: str
    device: str
    observed: bool
    bins: int = 0
    runtime_p5_min: float | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Centre:
    """A command centre in service hours: of `window_ms`, how long all it needs was watched, and was there at once."""

    room: str
    window_ms: int
    observed_ms: int
    ready_ms: int
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class App:
    """An application. `data_centre`: it runs in a server room, the national data centre or a cloud.

    `certificate_days`: what was left of its TLS certificate at the last look; `tls_ok`: that look trusted it.
    `sha256`: of its checks, and of what they said of the certificate.
    """

    name: str
    title: str = ""
    agency: str = ""
    agency_kind: str = ""
    hosting: str = ""
    place: str = ""
    data_centre: bool | None = None
    url: str = ""
    spl: bool | None = None
    national: bool = False
    criticality: int | None = None
    depends_on: int = 0
    incident_contact: bool = False
    window_ms: int = 0
    observed_ms: int = 0
    up_ms: int = 0
    certificate_days: float | None = None
    tls_ok: bool | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a provider promised. `monthly_idr` is exact to the rupiah, rounded down."""

    name: str
    provider: str = ""
    kind: str = "internet"
    start: date | None = None
    end: date | None = None
    sla_pct: float | None = None
    claim_after_s: int | None = None
    penalty: str = ""
    monthly_idr: int | None = None
    provider_pct: float | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A training or certificate of a person."""

    name: str
    area: str = ""
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the regency's own staff who keeps the network."""

    name: str
    role: str = ""
    agency: str = ""
    fte: float | None = None
    competences: tuple[str, ...] = ()
    on_call: bool = False
    on_duty: str = ""
    certificates: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in where. `provider` is empty for our own people; `contract_end` is the latest of the provider's."""

    name: str
    person: str = ""
    provider: str = ""
    on: str = ""
    scope: str = "read"
    mfa: bool = False
    expires: date | None = None
    contract_end: date | None = None
    via_jump_host: bool | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request or a complaint."""

    name: str
    priority: int
    opened: datetime
    resolved: datetime | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the evidence register. `about`: NOUN/ROW it is about, or ''; `result`: what it found, in a word."""

    name: str
    kind: str
    dated: date
    title: str = ""
    signer: str = ""
    valid_until: date | None = None
    sha256: str = ""
    about: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """The spending on ICT infrastructure of a year: its ceiling, and what was realised by a day."""

    name: str
    year: int
    ceiling_idr: int
    realised_idr: int | None = None
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class Restitution:
    """What was claimed of a provider under a contract for a month."""

    name: str
    contract: str
    month: date
    amount_idr: int


@dataclass(frozen=True, slots=True)
class CapacityTest:
    """What a test of a line's capacity delivered."""

    name: str
    line: str
    at: datetime
    down_bps: int | None = None
    up_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk of the register. `about`: NOUN/ROW it is about."""

    name: str
    title: str = ""
    owner: str = ""
    about: str = ""
    due: date | None = None
    closed: date | None = None


@dataclass(frozen=True, slots=True)
class Milestone:
    """An item of the road map, or a quick win."""

    name: str
    title: str = ""
    due: date | None = None
    done: date | None = None
    quick_win: bool = False


@dataclass(frozen=True, slots=True)
class RoomCheck:
    """A walk through a room with the list of physical security in hand; None: not looked at."""

    name: str
    room: str
    dated: date
    door_control: bool | None = None
    door_log: bool | None = None
    cctv: bool | None = None
    visitor_log: bool | None = None
    fire_detection: bool | None = None


@dataclass(frozen=True, slots=True)
class Advisory:
    """A known vulnerability: versions of a platform from `since_version` on and before `fixed_version` have it."""

    name: str
    platform: str
    severity: str = "critical"
    exploited: bool = False
    published: date | None = None
    since_version: str = ""
    fixed_version: str = ""


@dataclass(frozen=True, slots=True)
class Backup:
    """The newest good copy of a device's configuration. `current`: it is what the device runs."""

    device: str
    taken_at: datetime
    sha256: str = ""
    current: bool | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """The newest comparison of a device with the standard of its class: how many deviations."""

    device: str
    checked_at: datetime
    findings: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a check of a device found open that should not be: telnet, http, snmp-v2c ...; and whether SSH is."""

    device: str
    checked_at: datetime
    ssh: bool
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Zoning:
    """A site with a managed switch: whether its zones are apart, and how many of its unused ports are shut.

    Both numbers are None where no port was read.
    """

    site: str
    zones_ok: bool | None
    unused: int | None
    shut: int | None


@dataclass(frozen=True, slots=True)
class Logged:
    """When a device's log was last received, and how far its clock is off."""

    device: str
    last_log: datetime | None
    clock_skew_s: float | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class OwnHealth:
    """How well siaga itself watched in the period, by its own figures of each minute; None: it kept none.

    `seen_pct`: the share of the minutes in which it ran; `punctual_pct`: of these, in how many it was at most a minute
    behind. `unpolled_max`: devices whose turn did not come; `waiting_max`: polls that waited to be stored or judged.
    """

    name: str
    minutes: int
    seen_pct: float
    punctual_pct: float | None = None
    late_p95_s: float | None = None
    late_max_s: float | None = None
    unpolled_max: int | None = None
    waiting_max: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A run of provisioning that began in the period."""

    id: int
    playbook: str
    mode: str
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    hosts: int = 0
    ok: int = 0
    changed: int = 0
    failed: int = 0


KINDS: tuple[type, ...] = (
    Agency, AgencyList, Line, Day, Met, Away, Load, Quality, Device, Polled, RawDay, RawLine, Asset, Room, Climate,
    Ups, Centre, App, Contract, Person, Account, Ticket, Document, Budget, Restitution, CapacityTest, Risk, Milestone,
    RoomCheck, Advisory, Backup, Drift, Exposure, Zoning, Logged, OwnHealth, Job,
)  # fmt: skip
