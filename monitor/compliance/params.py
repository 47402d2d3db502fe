"""What the inventory says should be: the parameters of rules, for each device.

They are its variables (the layers: regency, place, role, platform, agency, tags, the device itself), and besides:

    name, address, agency, place   of the device's own row
    vlans                          ids of the VLANs of its agency, of its place and those around it, and of everybody

What is not recorded is not there, and a rule that needs it says `unknown`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from inventory.layers import ladder, merged
from inventory.models import Agency, Device, Place
from inventory.models_ipam import Vlan
from inventory.store import in_parts


def params_of(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return device id → its parameters, of these devices."""
    variables = merged(session, ids)
    vlans = _Vlans(session)
    agencies = dict(session.exec(select(Agency.id, Agency.name)).all())
    places = dict(session.exec(select(Place.id, Place.name)).all())
    found: dict[int, dict[str, Any]] = {}
    for part in in_parts(ids):
        for device in session.exec(select(Device).where(col(Device.id).in_(part))):
            assert device.id is not None
            own = {
                "name": device.name,
                "address": device.address,
                "agency": agencies.get(device.agency_id, ""),
                "place": places.get(device.place_id, ""),
                "vlans": vlans.of(device.agency_id, device.place_id),
            }
            found[device.id] = {**variables.get(device.id, {}), **{k: v for k, v in own.items() if v}}
    return found


class _Vlans:
    """VLANs by whose they are; one that is nobody's in particular is everybody's."""

    def __init__(self, session: Session) -> None:
        self._inside: Mapping[int, tuple[int, ...]] = ladder(session).inside
        self._rows = [
            (v.vid, v.agency_id, v.place_id) for v in session.exec(select(Vlan)) if v.vid is not None
        ]

    def of(self, agency: int | None, place: int | None) -> list[int]:
        """Return the ids; nothing where none is recorded for this agency or place: then nobody knows."""
        around = self._inside.get(place or 0, ())
        own = {v for v, a, p in self._rows if (a and a == agency) or (p and p in around)}
        if not own:
            return []
        return sorted(own | {v for v, a, p in self._rows if a is None and p is None})
