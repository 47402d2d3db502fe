"""The tables of goods (barang milik daerah, BMD) and of who answers for them.

Columns follow KIB B and KIR (Permendagri 108/2016 codes, 47/2021 numbers); an asset is linked to a device and is
not the same thing: a device is exchanged under warranty, the asset's register stays.
"""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import JSON
from sqlmodel import Field

from inventory.models import Row, UtcDateTime, big, key, ref

CONDITIONS = ("B", "RR", "RB")  # baik, rusak ringan, rusak berat: good, worn, broken


class Asset(Row, table=True):
    """One item in the asset books. `name` is its label, such as 1.3.2.10.02.04.002/0007.

    `nibar`: the item's own number (Permendagri 47/2021). `countable`: intra- or extra-countable.
    """

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "condition": ("", *CONDITIONS),
        "status": ("in-use", "stored", "loaned", "lost", "disposed"),
        "countable": ("", "intra", "extra"),
    }
    name: str = key()
    title: str = ""
    kode_barang: str = Field(default="", index=True)
    register_number: str = ""
    nibar: str = ""
    device_id: int | None = ref("device")
    device_type_id: int | None = ref("device_type")
    brand: str = ""  # merk/tipe, where there is no device type
    specification: str = ""
    size: str = ""
    material: str = ""
    serial: str = Field(default="", index=True)  # nomor pabrik
    frame_number: str = ""
    engine_number: str = ""
    plate_number: str = ""
    title_number: str = ""  # nomor BPKB
    origin: str = ""  # asal usul: pembelian, hibah
    acquired: date | None = None
    price_idr: int | None = big()
    quantity: int = 1
    unit: str = "unit"
    provider_id: int | None = ref("provider")
    order_number: str = ""
    contract_id: int | None = ref("contract")
    warranty_until: date | None = None
    eol: date | None = None
    useful_life_years: int | None = None
    residual_idr: int | None = big()
    countable: str = ""
    condition: str = ""
    status: str = "in-use"
    agency_id: int | None = ref("agency")
    place_id: int | None = ref("place")
    custodian_id: int | None = ref("person")
    verified_at: date | None = None


class Custody(Row, table=True):
    """A handover, return or loan, with its numbered BAST (berita acara serah terima, the signed record of it)."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("handover", "return", "loan"),
        "status": ("draft", "signed", "cancelled"),
    }
    name: str = key()  # the BAST's number
    kind: str = "handover"
    status: str = "draft"
    dated: date
    from_person_id: int | None = ref("person")
    to_person_id: int | None = ref("person")
    from_place_id: int | None = ref("place")
    to_place_id: int | None = ref("place")
    due: date | None = None
    reason: str = ""
    sha256: str = ""  # of the signed document


class CustodyItem(Row, table=True):
    """One asset in a handover, with its condition then."""

    __tablename__ = "custody_item"
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"condition": ("", *CONDITIONS)}
    name: str = key(255)
    custody_id: int | None = ref("custody", required=True)
    asset_id: int | None = ref("asset", required=True)
    condition: str = ""


class StockTake(Row, table=True):
    """One session of counting the assets of a place; ended, it says what was found and what was not."""

    __tablename__ = "stock_take"
    name: str = key()
    place_id: int | None = ref("place")
    agency_id: int | None = ref("agency")
    started: datetime = Field(sa_type=UtcDateTime)
    ended: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Sighting(Row, table=True):
    """An asset was seen in a stock-take: by a person, a scanned label, or its serial by SNMP or SSH."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "how": ("manual", "scan", "snmp", "ssh", "ansible"),
        "condition": ("", *CONDITIONS),
    }
    name: str = key(255)
    stock_take_id: int | None = ref("stock_take", required=True)
    asset_id: int | None = ref("asset", required=True)
    place_id: int | None = ref("place")
    how: str = "manual"
    condition: str = ""
    at: datetime = Field(sa_type=UtcDateTime)


class Proposal(Row, table=True):
    """Something found that the inventory does not hold, or holds differently: to accept, merge or reject.

    `facts` are what was seen (serial, engine_id, base_mac, sysname, address, platform); `score` how well
    `device` fits them, from 0 to 100.
    """

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "status": ("open", "accepted", "merged", "rejected"),
    }
    name: str = key()
    source: str = ""
    status: str = Field(default="open", index=True)
    facts: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    device_id: int | None = ref("device")
    score: int = 0
    reason: str = ""
    first_seen: datetime = Field(sa_type=UtcDateTime)
    last_seen: datetime = Field(sa_type=UtcDateTime)
    decided_by: str = ""
