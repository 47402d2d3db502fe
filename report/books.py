"""What the report knows beside the measurements, as frozen values: people, money, assets, papers, bills, lists.

A reader fills them (report/books_reader.py). Times are aware UTC, money whole rupiah. Foreign text is already `safe`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from report.assessment import Assessment
from report.facts import Facts
from report.records import OwnHealth


@dataclass(frozen=True)
class Staff:
    """Somebody who keeps the network; names are not printed. `certificates`: (area, expires)."""

    role: str
    unit: str = ""
    fte: float | None = None
    competences: tuple[str, ...] = ()
    certificates: tuple[tuple[str, date | None], ...] = ()
    on_call: bool = False


@dataclass(frozen=True)
class Money:
    """A contract as money: `monthly_idr` is the fee of one of its lines for a month, `lines` how many it has."""

    contract: str
    provider: str
    kind: str
    start: date | None
    end: date | None
    price_idr: int | None
    monthly_idr: int | None
    down_bps: int | None
    lines: int
    notice_days: int | None = None

    @property
    def idr_per_mbps(self) -> float | None:
        """Rupiah of a month for each Mbps that is committed; None where either is not recorded."""
        if self.monthly_idr is None or not self.down_bps:
            return None
        return self.monthly_idr / (self.down_bps / 1_000_000)


@dataclass(frozen=True)
class Good:
    """An asset of the regency's books: condition good, worn, broken or ''."""

    condition: str
    acquired: date | None = None
    price_idr: int | None = None
    coded: bool = False
    numbered: bool = False  # it has a NIBAR
    placed: bool = False  # it has a room
    linked: bool = False  # a device is linked to it


@dataclass(frozen=True)
class App:
    """An application of an agency. `hosting`: lokal, pdn, awan or ''; `spl`: None where it is not recorded."""

    title: str
    owner: str = ""
    hosting: str = ""
    spl: bool | None = None
    criticality: int | None = None
    watched: bool = False
    tls: bool = False


@dataclass(frozen=True)
class Room:
    """A room of the network: what it is for, and what stands in it."""

    name: str
    purpose: str = ""
    building: str = ""
    devices: int = 0
    power: int = 0  # UPS among them
    area_m2: float | None = None


@dataclass(frozen=True)
class Paper:
    """A document of the evidence register."""

    id: str
    kind: str
    title: str
    dated: date
    signer: str = ""
    sha256: str = ""
    valid_until: date | None = None


@dataclass(frozen=True)
class Outage:
    """An outage as it was recorded, with its cause; `end` is None while it lasts."""

    name: str
    where: str
    start: datetime
    end: datetime | None
    cause: str


@dataclass(frozen=True)
class Ticket:
    """A request or complaint."""

    priority: int
    opened: datetime
    acknowledged: datetime | None = None
    resolved: datetime | None = None


@dataclass(frozen=True)
class Served:
    """A line against its contract in seconds; both availabilities. `users` and `sla` are None where nothing counts."""

    name: str
    agency: str
    users: float | None
    sla: float | None
    power_s: float
    down_s: float
    claimable_s: float
    amount_idr: int | None


@dataclass(frozen=True)
class Bill:
    """A provider's contract in the window: measured, as the provider says, and what is claimable."""

    provider: str
    contract: str
    promised: float | None
    users: float | None
    sla: float | None
    stated: float | None  # the provider's own figure
    after_s: int | None
    rule: str
    down_s: float
    power_s: float
    excused_s: float
    short_s: float
    claimable_s: float
    amount_idr: int | None
    lines: tuple[Served, ...] = ()


@dataclass(frozen=True)
class Met:
    """A device's time by what was met in it, in seconds: both availabilities are computed from these."""

    up_s: float
    met_s: float
    sla_up_s: float
    sla_s: float
    window_s: float


@dataclass(frozen=True)
class Listing:
    """An official list as annex: its columns' titles and typed rows, and how many rows were left out."""

    id: str
    title: str
    columns: tuple[tuple[str, float, bool], ...]
    rows: tuple[tuple[str | int | float | None, ...], ...]
    left_out: int = 0


@dataclass(frozen=True)
class Books:
    """All of it. `priced`: the window is whole months, so that sums of money can be computed."""

    staff: tuple[Staff, ...] = ()
    money: tuple[Money, ...] = ()
    goods: tuple[Good, ...] = ()
    apps: tuple[App, ...] = ()
    rooms: tuple[Room, ...] = ()
    papers: tuple[Paper, ...] = ()
    outages: tuple[Outage, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    bills: tuple[Bill, ...] = ()
    listings: tuple[Listing, ...] = ()
    priced: bool = False
    met: dict[int, Met] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """What is planned for an indicator: by whom, until when, at what cost class. Empty parts are open."""

    row: str
    what: str = ""
    owner: str = ""
    due: date | None = None
    cost: str = ""  # none, low, medium, high
    quick: bool = False
    own: bool = False  # said by the regency, not proposed by us


@dataclass(frozen=True)
class Step:
    """The index of one earlier period, for the trend."""

    label: str
    value: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Last:
    """The report before this one: its period, its index and the levels of its rows."""

    label: str
    value: float | None
    levels: dict[str, int | None]


@dataclass(frozen=True)
class Signs:
    """Who signs, where and on which day; what is '' or None is a line to fill in."""

    name: str = ""
    nip: str = ""
    title: str = ""
    place: str = ""
    on: date | None = None


@dataclass(frozen=True)
class Matter:
    """All that a report is made of. `scope` names the place or agency of a partial report, which has no index."""

    facts: Facts
    books: Books = Books()
    judged: Assessment | None = None
    actions: tuple[Action, ...] = ()
    scope: str = ""
    label: str = ""  # the period's name: 2026-10, 2026-Q4
    before: tuple[Step, ...] = ()
    last: Last | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)  # kinds of documents and their names
    outlines: tuple[tuple[str, tuple[tuple[float, float], ...], tuple[float, float]], ...] = ()
    outlines_source: str = ""
    own: OwnHealth | None = None  # how well siaga itself watched; None: nobody asked
