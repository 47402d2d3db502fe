"""The tables of people and papers: who may be called, what they can, who may log in, and what proves it."""

from datetime import date, datetime
from typing import ClassVar

from sqlmodel import Field

from inventory.models import Row, UtcDateTime, big, key, ref


class Person(Row, table=True):
    """Somebody who keeps the network, or is called about it (SDM). `fte`: 1 is a full-time post.

    `competences` are words such as jaringan, keamanan; `on_duty` the hours, such as 'Mon-Fri 07.30-16.30'.
    """

    BOUNDS: ClassVar[dict[str, tuple[float, float]]] = {"fte": (0, 1)}
    name: str = key()
    nip: str = ""  # the number of a civil servant
    role: str = ""
    agency_id: int | None = ref("agency")
    place_id: int | None = ref("place")
    provider_id: int | None = ref("provider")  # whose staff, when not the regency's
    title: str = ""
    fte: float | None = None
    competences: str = ""
    on_call: bool = False
    on_duty: str = ""
    phone: str = ""
    email: str = ""
    telegram: str = ""
    active_from: date | None = None
    active_to: date | None = None


class Certificate(Row, table=True):
    """A training or certificate of a person. `area` such as keamanan, jaringan."""

    name: str = key()
    person_id: int | None = ref("person", required=True)
    area: str = ""
    issuer: str = ""
    issued: date | None = None
    expires: date | None = None


class Account(Row, table=True):
    """Who may log in where: a person, or a provider's staff, on a device or a service."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"scope": ("read", "operate", "admin")}
    name: str = key()
    person_id: int | None = ref("person")
    provider_id: int | None = ref("provider")
    device_id: int | None = ref("device")
    service_id: int | None = ref("service")
    scope: str = "read"
    mfa: bool = False
    expires: date | None = None
    via_jump_host: bool | None = None  # it can be used from the jump host alone


class Contact(Row, table=True):
    """A person has a part in something: technical contact of a device, owner of a service, head of a place."""

    name: str = key(255)
    person_id: int | None = ref("person", required=True)
    role: str = "technical"
    target_noun: str
    target: str


class Note(Row, table=True):
    """A dated note on any row: an incident, a visit, an agreement. Its name is NOUN/ROW/time."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"kind": ("info", "incident", "visit", "warning")}
    name: str = key(255)
    kind: str = "info"
    target_noun: str
    target: str
    at: datetime = Field(sa_type=UtcDateTime)
    who: str = ""
    text: str


class Evidence(Row, table=True):
    """A document that proves something: its kind, signer, SHA-256 and until when it holds.

    `target`: the row it is about, if it is about one: a service that was restored, a site whose line was changed over.
    `result`: what it found, in a word, such as the status of Indeks KAMI.
    """

    name: str = key()
    kind: str = ""
    title: str = ""
    dated: date
    signer: str = ""
    sha256: str = ""
    valid_until: date | None = None
    target_noun: str = ""
    target: str = ""
    result: str = ""
    media_type: str = ""
    size_bytes: int | None = big()


class Ticket(Row, table=True):
    """A request or a complaint, from opening to resolution."""

    BOUNDS: ClassVar[dict[str, tuple[float, float]]] = {"priority": (1, 4)}
    name: str = key()
    title: str = ""
    priority: int = 3
    place_id: int | None = ref("place")
    agency_id: int | None = ref("agency")
    device_id: int | None = ref("device")
    opened: datetime = Field(sa_type=UtcDateTime)
    acknowledged: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Outage(Row, table=True):
    """Something was down, from when to when, and why."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "cause": ("unknown", "link", "power", "device", "planned", "upstream"),
    }
    name: str = key()
    place_id: int | None = ref("place")
    device_id: int | None = ref("device")
    link_id: int | None = ref("link")
    ticket_id: int | None = ref("ticket")
    start: datetime = Field(sa_type=UtcDateTime)
    end: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cause: str = "unknown"
