"""The SQL of the official sheets that `inventory.store` does not answer. Each says which question it answers."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from inventory.models import Change, Observed
from inventory.models_custody import Asset
from inventory.models_people import Contact
from siaga.clock import as_utc

FEW = 500  # more ids than this are not listed in the statement
SAID = ("vendor", "model", "serial", "version")


def linked_devices(session: Session, asset_ids: Sequence[int] | None) -> list[int]:
    """Return the ids of the devices that assets (all, or these) are linked to."""
    query = select(Asset.device_id).where(col(Asset.device_id).is_not(None)).distinct()
    if asset_ids is not None and len(asset_ids) < FEW:
        query = query.where(col(Asset.id).in_(asset_ids))
    return [i for i in session.exec(query) if i is not None]


def said(session: Session, device_ids: Collection[int] | None = None) -> dict[int, dict[str, str]]:
    """Return device id → what it says of its maker, model, serial and version, the newest of each."""
    query = select(Observed.device_id, Observed.field, Observed.value).where(col(Observed.field).in_(SAID))
    if device_ids is not None and len(device_ids) < FEW:
        query = query.where(col(Observed.device_id).in_(device_ids))
    found: dict[int, dict[str, str]] = {}
    for device_id, field, value in session.exec(query.order_by(col(Observed.at))):
        found.setdefault(device_id, {})[field] = value
    return found


def contacts(session: Session) -> list[tuple[str, str, str, int | None]]:
    """Return who has a part in an agency or a place: (agency or place, its name, role, person's id)."""
    query = select(Contact.target_noun, Contact.target, Contact.role, Contact.person_id)
    return list(session.exec(query.where(col(Contact.target_noun).in_(("agency", "place")))))


def last_change(session: Session) -> datetime | None:
    """Return when the newest change was made: of an inventory as it was, the moment that it is shown as of."""
    at = session.exec(select(func.max(Change.at))).one()
    return None if at is None else as_utc(at)
