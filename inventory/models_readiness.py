"""The tables that only the readiness report asks for: money, risks, the road map, tests and walks through rooms."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import BigInteger
from sqlmodel import Field

from inventory.models import Row, UtcDateTime, big, key, ref


class Budget(Row, table=True):
    """The spending on ICT infrastructure of one year: its ceiling (pagu), and what was realised by a day."""

    BOUNDS: ClassVar[dict[str, tuple[float, float]]] = {"year": (2000, 2200)}
    name: str = key()
    year: int
    ceiling_idr: int = Field(sa_type=BigInteger)
    realised_idr: int | None = big()
    as_of: date | None = None
    evidence_id: int | None = ref("evidence")


class Restitution(Row, table=True):
    """What was claimed of a provider under a contract for a month; its name is the letter's number."""

    name: str = key()
    contract_id: int | None = ref("contract", required=True)
    month: date  # any day of it
    amount_idr: int = Field(sa_type=BigInteger)
    dated: date | None = None
    paid_idr: int | None = big()


class CapacityTest(Row, table=True):
    """What a test of a connection's or a link's capacity delivered."""

    __tablename__ = "capacity_test"
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"how": ("", "iperf", "speedtest", "provider", "other")}
    name: str = key()
    connection_id: int | None = ref("connection")
    link_id: int | None = ref("link")
    at: datetime = Field(sa_type=UtcDateTime)
    down_bps: int | None = big()
    up_bps: int | None = big()
    how: str = ""
    evidence_id: int | None = ref("evidence")


class Risk(Row, table=True):
    """A risk of the register: whose it is, by when it is to be dealt with, and what it is about."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"severity": ("low", "medium", "high")}
    name: str = key()
    title: str = ""
    severity: str = "medium"
    person_id: int | None = ref("person")  # who owns it
    target_noun: str = ""
    target: str = ""
    opened: date | None = None
    due: date | None = None
    closed: date | None = None


class Milestone(Row, table=True):
    """An item of the road map (peta rencana), or a quick win."""

    name: str = key()
    title: str = ""
    quick_win: bool = False
    person_id: int | None = ref("person")
    due: date | None = None
    done: date | None = None
    evidence_id: int | None = ref("evidence")


class RoomCheck(Row, table=True):
    """A walk through a room with the list of physical security in hand; what is left empty was not looked at."""

    __tablename__ = "room_check"
    name: str = key()
    place_id: int | None = ref("place", required=True)
    dated: date
    door_control: bool | None = None
    door_log: bool | None = None
    cctv: bool | None = None
    visitor_log: bool | None = None
    fire_detection: bool | None = None
    signer: str = ""


class Advisory(Row, table=True):
    """A known vulnerability of a platform, such as a CVE: versions before `fixed_version` have it."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"severity": ("low", "medium", "high", "critical")}
    name: str = key()
    title: str = ""
    platform: str
    severity: str = "critical"
    exploited: bool = False
    published: date | None = None
    since_version: str = ""
    fixed_version: str = ""
