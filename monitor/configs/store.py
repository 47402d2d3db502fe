"""The SQL of configurations: whom to read, what is known of each, what a run brings, who changed it."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col
from sqlmodel import select as rows_of

from inventory.credentials import OpenCredential, opened_many
from inventory.layers import merged
from inventory.models import Device
from inventory.store import in_parts, platforms
from monitor.configs.models import ConfigBackup, ConfigVersion
from monitor.configs.repo import path_of
from monitor.configs.values import Wanted
from monitor.models import DeviceEvent
from monitor.store import ssh_auth
from monitor.targets import Target
from monitor.wishes import BACKUP, done
from siaga.errors import NotFoundError
from siaga.secrets import Box, Vault
from siaga.text import safe

JUMP = "ssh_jump"  # the variable of layers that names the jump host
_SHORTEST = 6  # characters of a secret of the vault that is masked wherever it stands
_COMMON = frozenset({"public", "private"})


def wanted(session: Session, ids: Collection[int], vault: Vault) -> list[Wanted]:
    """Return the active devices among `ids` that have an address, by name, with what is known of their last one."""
    chosen = set(ids)
    query = rows_of(Device).where(Device.status == "active", Device.address != "").order_by(Device.name)
    rows = {d.id: d for d in session.exec(query) if d.id is not None}
    devices = {i: d for i, d in rows.items() if i in chosen}
    jumps = _jumps(session, devices, rows)
    needed = [
        c
        for d in (*devices.values(), *jumps.values())
        for c in (d.credential_id, d.ssh_credential_id)
        if c is not None
    ]
    opened = opened_many(session, vault, needed) if needed else {}
    spoken = platforms(session)
    before = {b.device_id: b for b in session.exec(rows_of(ConfigBackup))}

    def target(device: Device) -> Target:
        jump = jumps.get(device.id or 0)
        return _target(device, opened, spoken, target(jump) if jump is not None else None)

    return [
        Wanted(
            device_id=i,
            name=d.name,
            role=d.role,
            target=target(d),
            path=before[i].path if i in before else "",
            digest=before[i].digest if i in before else "",
            mark=before[i].mark if i in before and before[i].path == path_of(d.name) else "",
            lines=before[i].lines if i in before else 0,
            known=_own_secrets(d, opened),
        )
        for i, d in devices.items()
    ]


def _target(
    device: Device, opened: Mapping[int, OpenCredential], spoken: Mapping[int, str], jump: Target | None
) -> Target:
    credential = opened.get(device.ssh_credential_id or 0)
    return Target(
        name=device.name,
        address=device.address,
        ssh_port=device.ssh_port,
        platform=spoken.get(device.id or 0, ""),
        ssh=ssh_auth(credential) if credential else None,
        device_id=device.id,
        jump=jump,
    )


def _jumps(session: Session, devices: Mapping[int, Device], rows: Mapping[int, Device]) -> dict[int, Device]:
    """Return device id → its jump host; of a jump host itself there is none. Raises NotFoundError."""
    by_name = {d.name: d for d in rows.values()}
    found = {}
    for i, variables in merged(session, list(devices)).items():
        name = variables.get(JUMP)
        if not name or devices[i].name == name:
            continue
        if name not in by_name:
            sentence = (
                f"The jump host '{name}' of {devices[i].name} ({JUMP}) is no active device with an address."
            )
            raise NotFoundError("no-such-jump-host", sentence)
        found[i] = by_name[name]
    through = {d.id for d in found.values()}
    return {i: d for i, d in found.items() if i not in through}


def _own_secrets(device: Device, opened: Mapping[int, OpenCredential]) -> frozenset[str]:
    credentials = (opened.get(c or 0) for c in (device.credential_id, device.ssh_credential_id))
    texts = {s.get_secret_value() for c in credentials if c for s in c.secrets.values()}
    return frozenset(t for t in texts if len(t) >= _SHORTEST and "\n" not in t and t not in _COMMON)


def changers(session: Session, since: datetime) -> dict[int, str]:
    """Return device id → who changed its configuration last since then, as far as its messages name anybody."""
    query = rows_of(DeviceEvent).where(DeviceEvent.kind == "config-changed", DeviceEvent.last_at >= since)
    events = session.exec(query.order_by(col(DeviceEvent.last_at), col(DeviceEvent.id)))
    named = ((e.device_id, safe(e.details.get("user", ""), 80)) for e in events)
    return {device_id: user for device_id, user in named if device_id is not None and user}


def fulfilled(session: Session, ids: Collection[int], began: datetime) -> None:
    """Take away the wishes for a backup that were there when a run began."""
    for device_id in ids:
        done(session, device_id, BACKUP, began)


def standing(session: Session) -> dict[int, ConfigBackup]:
    """Return device id → how its backup stands."""
    return {b.device_id: b for b in session.exec(rows_of(ConfigBackup))}


def read_before(session: Session, names: Collection[str]) -> set[str]:
    """Return those of these devices whose configuration was read whole at least once."""
    join = col(Device.id) == col(ConfigBackup.device_id)
    query = rows_of(Device.name).join(ConfigBackup, join).where(col(ConfigBackup.ok_at).is_not(None))
    return set(session.exec(query.where(col(Device.name).in_(names))))


def versions(session: Session, device_id: int) -> Sequence[ConfigVersion]:
    """Return the versions of a device, the newest first."""
    query = rows_of(ConfigVersion).where(ConfigVersion.device_id == device_id)
    return session.exec(query.order_by(col(ConfigVersion.id).desc())).all()


def sealed(vault: Vault, device_id: int, digest: str, full: str) -> dict[str, Any]:
    """Return the columns of a version that hold the full text, compressed and sealed."""
    box = vault.seal_octets(_box_name(device_id, digest), zlib.compress(full.encode(), 6))
    return {"key_id": box.key_id, "nonce": box.nonce, "sealed": box.sealed}


def unsealed(vault: Vault, version: ConfigVersion) -> str:
    """Return the full text of a version. Raises NotFoundError (`no-full-text`) if only its scrubbed form is kept."""
    if not version.sealed:
        raise NotFoundError("no-full-text", "Of so old a version only the scrubbed form is kept.")
    box = Box(version.key_id, version.nonce, version.sealed)
    return zlib.decompress(vault.open_octets(_box_name(version.device_id, version.digest), box)).decode()


def _box_name(device_id: int, digest: str) -> str:
    return f"config/{device_id}/{digest}"


def forget_old(session: Session, ids: Collection[int], keep: int) -> None:
    """Let go of the full texts of all but the newest versions of these devices."""
    table = ConfigVersion.__table__  # type: ignore[attr-defined]
    for device_id in ids:
        held = select(table.c.id).where(table.c.device_id == device_id, table.c.key_id != "")
        old = [row[0] for row in session.execute(held.order_by(table.c.id.desc()).offset(keep))]
        for part in in_parts(old):
            session.execute(
                update(table).where(table.c.id.in_(part)).values(key_id="", nonce=b"", sealed=b"")
            )
