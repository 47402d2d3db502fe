"""Asset rows → items as the books print them: what an asset leaves open comes from its device and its type.

The ledger is right about code, room, price and condition; the device about maker, model and serial number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlmodel import Session

import inventory.store
from report.exports import store
from siaga.text import safe

Row = Mapping[str, Any]
TEXT_LIMIT = 255
NOTES_LIMIT = 500


@dataclass(frozen=True)
class Item:
    """One asset as printed; foreign text is already safe. `device_serial` is what its device says or records."""

    label: str
    kode_barang: str = ""
    code_name: str = ""
    register_number: str = ""
    nibar: str = ""
    name: str = ""
    specification: str = ""
    brand: str = ""
    size: str = ""
    material: str = ""
    serial: str = ""
    device_serial: str = ""
    frame_number: str = ""
    engine_number: str = ""
    plate_number: str = ""
    title_number: str = ""
    origin: str = ""
    acquired: date | None = None
    price_idr: int | None = None
    quantity: int = 1
    unit: str = ""
    condition: str = ""
    status: str = ""
    notes: str = ""
    agency: str = ""
    place: str = ""


@dataclass(frozen=True)
class Links:
    """What an asset refers to, by name: devices, their types, what devices say, and the codes' names."""

    devices: Mapping[str, Row] = field(default_factory=dict)
    types: Mapping[str, Row] = field(default_factory=dict)
    said: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    code_name: Callable[[str], str] = lambda _: ""


def read(session: Session, code_name: Callable[[str], str], ids: Sequence[int] | None = None) -> list[Item]:
    """Return the items of every asset, or of `ids`, in the order of the books: code, register, label."""
    devices = inventory.store.rows(session, "device", store.linked_devices(session, ids))
    said = store.said(session, [d["id"] for d in devices])
    links = Links(
        devices={d["name"]: d for d in devices},
        types={t["name"]: t for t in inventory.store.rows(session, "device_type")},
        said={d["name"]: said.get(d["id"], {}) for d in devices},
        code_name=code_name,
    )
    found = [item(row, links) for row in inventory.store.rows(session, "asset", ids)]
    return sorted(found, key=lambda i: (i.kode_barang, i.register_number, i.label))


def item(asset: Row, links: Links) -> Item:
    """Return one asset as printed."""
    device = links.devices.get(asset["device"] or "", {})
    kind = links.types.get(asset["device_type"] or device.get("device_type") or "", {})
    said = links.said.get(asset["device"] or "", {})
    text = _reader(asset)
    code = text("kode_barang") or safe(kind.get("kode_barang") or "", TEXT_LIMIT)
    code_name = links.code_name(code)
    made = text("brand") or brand(kind) or brand({"maker": said.get("vendor"), "model": said.get("model")})
    own = safe(device.get("serial") or said.get("serial") or "", TEXT_LIMIT)
    return Item(
        label=text("name"),
        kode_barang=code,
        code_name=code_name,
        register_number=text("register_number"),
        nibar=text("nibar"),
        name=text("title") or code_name,
        specification=text("specification") or text("title") or made,
        brand=made,
        size=text("size") or _rack_units(kind),
        material=text("material"),
        serial=text("serial") or own,
        device_serial=own,
        frame_number=text("frame_number"),
        engine_number=text("engine_number"),
        plate_number=text("plate_number"),
        title_number=text("title_number"),
        origin=text("origin"),
        acquired=asset["acquired"],
        price_idr=asset["price_idr"],
        quantity=asset["quantity"],
        unit=text("unit"),
        condition=asset["condition"] or "",
        status=asset["status"] or "",
        notes=safe(asset["notes"] or "", NOTES_LIMIT),
        agency=asset["agency"] or "",
        place=asset["place"] or "",
    )


def _reader(asset: Row) -> Callable[[str], str]:
    return lambda name: safe(asset[name] or "", TEXT_LIMIT)


def brand(kind: Row) -> str:
    """Return maker and model as one text; a model that begins with its maker's name is not doubled."""
    maker, model = (safe(kind.get(k) or "", 120) for k in ("maker", "model"))
    return model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()


def _rack_units(kind: Row) -> str:
    height = kind.get("u_height")
    return f"{height:g} U" if height else ""
