"""What the report is made of, as frozen values: a snapshot that a reader fills and `readiness.build` prints.

Times are aware UTC, rates bits per second, spans seconds. Foreign text is already `siaga.text.safe`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from report.numbers import rounded


class Seen(StrEnum):
    """What is known of a device: three values that are never mixed. A gap is neither up nor down."""

    up = "up"
    down = "down"
    unobserved = "unobserved"


@dataclass(frozen=True)
class Span:
    """A device was seen in one state from `start` to `end`. Time without a span was not observed."""

    device_id: int
    start: datetime
    end: datetime
    seen: Seen


@dataclass(frozen=True)
class Device:
    """A device in service: what is recorded, and what it says of itself (`seen_serial`, `version`).

    `snmp` is the version it is asked with ("1", "2c", "3"), or empty where it is not asked by SNMP.
    """

    id: int
    name: str
    role: str = "other"
    maker: str = ""
    model: str = ""
    platform: str = ""
    version: str = ""
    agency: str = ""
    kecamatan: str = ""
    snmp: str = ""
    serial: str = ""
    seen_serial: str = ""
    end_of_sale: date | None = None
    end_of_life: date | None = None
    past: bool = False  # one of the two dates lies before the end of the window
    seen: Seen = Seen.unobserved
    degraded: bool = False
    last_seen: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Agency:
    """A tenant: opd, kecamatan, puskesmas, rsud, desa or other."""

    name: str
    kind: str
    title: str = ""
    kecamatan: str = ""


@dataclass(frozen=True)
class Contract:
    """What a provider promised."""

    name: str
    provider: str = ""
    kind: str = "internet"
    start: date | None = None
    end: date | None = None
    down_bps: int | None = None
    up_bps: int | None = None
    availability_pct: float | None = None


@dataclass(frozen=True)
class Usage:
    """What a connection carried, in bins of `step_s` seconds (bits per second, mean of the bin).

    Bins without a measurement are absent, not zero. `evidence` names the samples read.
    """

    step_s: int
    down_bps: Sequence[float] = ()
    up_bps: Sequence[float] = ()
    first: datetime | None = None
    last: datetime | None = None
    evidence: str = ""


FULL = 0.80  # of the committed rate: our own threshold


def over(share: float) -> bool:
    """Return whether a share is over the threshold when both are printed with one decimal."""
    return rounded(share * 100, 1) > rounded(FULL * 100, 1)


@dataclass(frozen=True)
class Load:
    """How much of the contract a connection uses. None: too few bins, or no committed rate."""

    bins: int
    p95_down_bps: float | None
    p95_up_bps: float | None
    peak_down_bps: float | None
    peak_up_bps: float | None
    utilisation: float | None
    peak_share: float | None

    @property
    def above(self) -> bool | None:
        """Whether the use, as printed (one decimal of a percent), is over the threshold."""
        return None if self.utilisation is None else over(self.utilisation)


@dataclass(frozen=True)
class Connection:
    """An agency's connection; committed rates are its own, or else those of its contract."""

    name: str
    agency: str = ""
    kecamatan: str = ""
    provider: str = ""
    contract: str = ""
    medium: str = ""
    device_id: int | None = None
    interface: str = ""
    down_bps: int | None = None
    up_bps: int | None = None
    usage: Usage = Usage(300)
    load: Load | None = None  # measured while reading, so that the bins of 400 lines need not be kept


@dataclass(frozen=True)
class Alert:
    """An alert; open while `closed_at` is None."""

    id: int
    device: str
    severity: str
    text: str
    opened_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Job:
    """One run of the monitor or of provisioning, with counts of hosts where it has them."""

    id: int
    kind: str
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    title: str = ""
    hosts: int | None = None
    ok: int | None = None
    changed: int | None = None
    failed: int | None = None


@dataclass(frozen=True)
class Denominator:
    """How many bodies of a kind there are, from a dated list: the denominator of 'all agencies'."""

    kind: str
    count: int
    as_of: str
    source: str


@dataclass(frozen=True)
class Facts:
    """The snapshot. The window is [since, until); `fresh_s`: an older state is no longer an observation."""

    since: datetime
    until: datetime
    regency: str = "Kabupaten Tangerang"
    illustrative: bool = False
    fresh_s: int = 900
    devices: tuple[Device, ...] = ()
    agencies: tuple[Agency, ...] = ()
    contracts: tuple[Contract, ...] = ()
    connections: tuple[Connection, ...] = ()
    spans: tuple[Span, ...] = ()
    alerts: tuple[Alert, ...] = ()
    jobs: tuple[Job, ...] = ()
    denominators: tuple[Denominator, ...] = ()
    places: tuple[str, ...] = ()  # the kecamatan, in order of their codes
    polls: int = 0  # rounds of polling in the window
    zone: str = "Asia/Jakarta"
    code: str = ""  # the regency's Kemendagri code

    @property
    def window_s(self) -> float:
        """The length of the window in seconds."""
        return (self.until - self.since).total_seconds()
