"""Devices, the goods they are in the books, and what is known to be vulnerable."""

from collections.abc import Iterator, Mapping
from datetime import date

from sqlalchemy import select as columns_of
from sqlmodel import col

from inventory.models import Credential, DeviceType
from inventory.models import Device as DeviceRow
from inventory.models_custody import Asset as AssetRow
from inventory.models_custody import Sighting
from inventory.models_readiness import Advisory as AdvisoryRow
from inventory.store import observed
from report.asked.source import Source, ordered
from report.reader import SNMP
from report.records import GONE, Advisory, Asset, Device
from report.store import everything
from siaga.text import safe


def devices(source: Source) -> Iterator[Device]:
    """Yield the devices in service, by name; a virtual machine is none that stands anywhere."""
    types = everything(source.session, DeviceType)
    credentials = everything(source.session, Credential)
    said = {i: {k: v.value for k, v in of.items()} for i, of in observed(source.session).items()}
    goods = {
        a.device_id: a for a in ordered(source.session, AssetRow) if a.device_id and a.status not in GONE
    }
    for device_id, row in source.devices.items():
        if not row.virtual:
            kind = types.get(row.device_type_id or 0)
            credential = credentials.get(row.credential_id or 0)
            yield _device(source, row, kind, credential, said.get(device_id, {}), goods.get(device_id))


def _device(
    source: Source,
    row: DeviceRow,
    kind: DeviceType | None,
    credential: Credential | None,
    said: Mapping[str, str],
    asset: AssetRow | None,
) -> Device:
    room = source.room(row.place_id)
    tags = tuple(row.tags.split())
    snmp = SNMP.get(credential.kind, "") if credential and row.transport == "snmp" else ""
    contract = source.contracts.get(row.support_contract_id or 0)
    ends = [contract.end if contract else None, asset.warranty_until if asset else None]
    return Device(
        name=safe(row.name),
        role=row.role,
        site=source.site(row.place_id),
        room=safe(room.name) if room else "",
        kecamatan=source.kecamatan(row.place_id),
        agency=source.agency(row.agency_id),
        priority=source.priority(row.place_id),
        maker=safe(kind.maker if kind else said.get("vendor", "")),
        model=safe(kind.model if kind else said.get("model", "")),
        serial=safe(row.serial or said.get("serial", "")),
        platform=safe(row.platform or said.get("platform", "")),
        version=safe(said.get("version", "")),
        managed=row.transport != "none",
        rented=bool(set(tags) & set(source.limits.rented_tags)),
        data_centre=room is not None and room.purpose == "server",
        snmp=snmp,
        snmp_safe=bool(credential and credential.auth_protocol and credential.priv_protocol)
        if snmp
        else None,
        support_until=max((e for e in ends if e is not None), default=None),
        eol=_first(asset.eol if asset else None, kind.eol if kind else None),
        acquired=asset.acquired if asset else None,
        tags=tags,
    )


def _first(*dates: date | None) -> date | None:
    return next((d for d in dates if d is not None), None)


def assets(source: Source) -> Iterator[Asset]:
    """Yield the goods of the asset books, by label, with where each was last sighted."""
    query = columns_of(Sighting.asset_id, Sighting.place_id).where(col(Sighting.place_id).is_not(None))  # type: ignore[call-overload]
    last = {asset: place for asset, place in source.session.execute(query.order_by(Sighting.at, Sighting.id))}  # noqa: C416 - a row is no pair to mypy
    for row in ordered(source.session, AssetRow):
        yield Asset(
            name=safe(row.name),
            title=safe(row.title),
            kode_barang=row.kode_barang,
            register_number=row.register_number,
            nibar=row.nibar,
            condition=row.condition,
            status=row.status,
            device=source.device(row.device_id),
            agency=source.agency(row.agency_id),
            place=source.place(row.place_id),
            seen_in=source.place(last.get(row.id)),
            verified_at=row.verified_at,
        )


def advisories(source: Source) -> Iterator[Advisory]:
    """Yield the known vulnerabilities, by name."""
    for row in ordered(source.session, AdvisoryRow):
        yield Advisory(
            name=safe(row.name),
            platform=row.platform,
            severity=row.severity,
            exploited=row.exploited,
            published=row.published,
            since_version=row.since_version,
            fixed_version=row.fixed_version,
        )


ANSWERS = {Device: devices, Asset: assets, Advisory: advisories}
