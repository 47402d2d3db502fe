"""The SQL of the monitor: whom to ask, and what to keep of the answers. Sets, not loops of queries."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from inventory.credentials import OpenCredential, opened_many
from inventory.models import Connection, Device, Interface, Place
from inventory.observed import Said, keep
from inventory.platforms import platform
from inventory.traits import colons
from monitor.models import DeviceState
from monitor.observation import Observation, Port, Reach
from monitor.rules.subjects import Committed
from monitor.state import State
from monitor.targets import NO_SECRET, SnmpAuth, SnmpVersion, SshAuth, Target
from siaga.secrets import Vault
from siaga.settings import Settings
from siaga.text import safe

_DEEPEST = 32  # places above one another
_FEW = 500  # devices: of more, all interfaces are read at once

IS_ASKED: tuple[Any, ...] = (Device.status == "active", Device.transport != "none")
# Without an address it is to be asked, and cannot be.
HAS_ADDRESS: tuple[Any, ...] = (*IS_ASKED, Device.address != "")
_VERSIONS = {"snmp-v1": SnmpVersion.v1, "snmp-v2c": SnmpVersion.v2c, "snmp-v3": SnmpVersion.v3}


def devices_to_poll(session: Session, ids: Sequence[int]) -> list[Device]:
    """Return the active devices among `ids` that have an address and a transport."""
    query = select(Device).where(*HAS_ADDRESS)
    wanted = set(ids)
    return [d for d in session.exec(query.order_by(Device.name)) if d.id in wanted]


def count_asked(session: Session) -> int:
    """Return how many devices are to be asked."""
    return session.exec(select(func.count()).select_from(Device).where(*IS_ASKED)).one()


def targets(session: Session, devices: Sequence[Device], vault: Vault, settings: Settings) -> list[Target]:
    """Return what to ask, with secrets opened; a device without a credential has neither `snmp` nor `ssh`."""
    wanted = [c for d in devices for c in (d.credential_id, d.ssh_credential_id) if c is not None]
    credentials = opened_many(session, vault, wanted) if wanted else {}
    sites = _sites(session) if any(d.place_id for d in devices) else {}
    return [_target(d, credentials, settings, sites.get(d.place_id or 0, "")) for d in devices]


def _sites(session: Session) -> dict[int, str]:
    """Return place id → the site that it is in, whose devices share one link; '' of a place that is in none."""
    p: Any = Place.__table__.c  # type: ignore[attr-defined]
    rows = select(p.id, p.parent_id, p.kind, p.name)
    tree = {i: (parent, kind, name) for i, parent, kind, name in session.execute(rows)}
    return {i: _site(i, tree) for i in tree}


def _site(place: int | None, tree: Mapping[int, tuple[int | None, str, str]]) -> str:
    for _ in range(_DEEPEST):
        if place is None or place not in tree:
            return ""
        parent, kind, name = tree[place]
        if kind == "site":
            return name
        place = parent
    return ""


def _target(
    device: Device, credentials: Mapping[int, OpenCredential], settings: Settings, site: str = ""
) -> Target:
    snmp = credentials.get(device.credential_id or 0) if device.transport == "snmp" else None
    ssh = credentials.get(device.ssh_credential_id or 0) if device.transport == "ssh" else None
    return Target(
        name=device.name,
        address=device.address,
        snmp_port=device.snmp_port,
        ssh_port=device.ssh_port,
        platform=device.platform,
        snmp=snmp_auth(snmp) if snmp else None,
        ssh=ssh_auth(ssh) if ssh else None,
        device_id=device.id,
        timeout_s=settings.poll.timeout_s,
        retries=settings.poll.retries,
        site=site,
        engine=known.engine if (known := platform(device.platform)) else "",
    )


def snmp_auth(credential: OpenCredential) -> SnmpAuth | None:
    """Return how to ask by SNMP with this credential, or None if it is of another kind."""
    version = _VERSIONS.get(credential.kind)
    if version is None:
        return None
    part = credential.secrets.get
    return SnmpAuth(
        version=version,
        community=part("community", NO_SECRET),
        user=credential.username,
        auth_protocol=credential.auth_protocol,
        auth_secret=part("auth", NO_SECRET),
        priv_protocol=credential.priv_protocol,
        priv_secret=part("priv", NO_SECRET),
    )


def ssh_auth(credential: OpenCredential) -> SshAuth | None:
    """Return how to log in with this credential, or None if it is no SSH credential."""
    if credential.kind not in ("ssh-password", "ssh-key"):
        return None
    part = credential.secrets.get
    return SshAuth(
        user=credential.username,
        password=part("password", NO_SECRET),
        private_key=part("key", NO_SECRET),
        enable_secret=part("enable", NO_SECRET),
    )


def parents(session: Session) -> dict[int, int]:
    """Return device id → id of the device in front of it."""
    query = select(Device.id, Device.parent_id).where(col(Device.parent_id).is_not(None))
    return {d: p for d, p in session.exec(query) if d is not None and p is not None}


def keep_identity(session: Session, seen: Mapping[int, Observation], *, cause: str) -> None:
    """Write what devices say of themselves as observed values, with their source."""
    said = (Said(device_id, o.transport, o.at, _told(o)) for device_id, o in seen.items())
    keep(session, said, cause=cause)


def _told(seen: Observation) -> dict[str, str]:
    """Return what a device said of itself; the address it answered at only if it answered."""
    identity = seen.identity
    return {
        "sysname": identity.sysName,
        "platform": identity.os,
        "vendor": identity.vendor,
        "model": identity.hardware,
        "version": identity.version,
        "serial": identity.serial,
        "engine_id": identity.engine_id,
        "base_mac": identity.base_mac,
        "description": identity.sysDescr,
        "location": identity.sysLocation,
        "address": seen.address if seen.reach in (Reach.up, Reach.partial) else "",
    }


def keep_interfaces(session: Session, seen: Mapping[int, Observation]) -> None:
    """Write what devices say of their interfaces; one that was not recorded is added as observed only."""
    query = select(Interface)
    if len(seen) < _FEW:
        query = query.where(col(Interface.device_id).in_(list(seen)))
    rows = {(i.device_id, i.name): i for i in session.exec(query)}
    for device_id, observation in seen.items():
        for name, port in named_ports(observation.ports).items():
            row = rows.get((device_id, name)) or Interface(device_id=device_id, name=name)
            row.if_index, row.if_type = port.ifIndex, port.ifType
            row.seen_alias = safe(port.ifAlias, 255)
            row.seen_speed_bps = port.speed_bps if (port.speed_bps or 0) < 2**63 else None
            row.seen_mac = colons(port.mac or "")
            row.admin_status, row.oper_status = port.ifAdminStatus or "", port.ifOperStatus or ""
            row.seen_at = observation.at
            session.add(row)


def last_ports(session: Session) -> dict[int, tuple[tuple[str, Port], ...]]:
    """Return device → the interfaces that its last whole reading had, as far as they are recorded, by ifIndex."""
    i: Any = Interface.__table__  # type: ignore[attr-defined]
    newest = select(i.c.device_id, func.max(i.c.seen_at).label("at")).group_by(i.c.device_id).subquery()
    names = ("device_id", "if_index", "name", "if_type", "seen_speed_bps", "admin_status", "oper_status")
    query = select(*(i.c[n] for n in names)).join(
        newest, (newest.c.device_id == i.c.device_id) & (newest.c.at == i.c.seen_at)
    )
    found: dict[int, list[tuple[str, Port]]] = {}
    for device, index, name, kind, speed, admin, oper in session.execute(
        query.where(i.c.if_index.is_not(None)).order_by(i.c.device_id, i.c.if_index)
    ):
        port = Port(
            index,
            ifType=kind,
            speed_bps=speed,
            ifAdminStatus=admin or None,
            ifOperStatus=oper or None,
        )
        found.setdefault(device, []).append((name, port))
    return {device: tuple(ports) for device, ports in found.items()}


def named_ports(ports: Iterable[Port]) -> dict[str, Port]:
    """Return ports by the name that outlives a reboot: ifName, else ifDescr, else the index; made unique."""
    named: dict[str, Port] = {}
    for port in ports:
        name = safe(port.ifName or port.ifDescr or f"if{port.ifIndex}", 100)
        if name in named:
            name = f"{name}#{port.ifIndex}"
        named[name] = port
    return named


def committed(session: Session) -> dict[int, dict[str, Committed]]:
    """Return device id → interface name → what is committed on it, from the connections."""
    query = select(Connection, Interface).join(Interface, col(Interface.id) == col(Connection.interface_id))
    found: dict[int, dict[str, Committed]] = {}
    for connection, interface in session.exec(query):
        promised = Committed(connection.name, connection.committed_down_bps, connection.committed_up_bps)
        found.setdefault(interface.device_id or 0, {})[interface.name] = promised
    return found


def status_rows(
    session: Session, ids: Sequence[int], device_rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return one row per selected device: its state, since when, and its health. No row is no observation.

    Of one that nobody asks any more nothing is claimed, whatever it was when it was asked.
    """
    states = {s.device_id: s for s in session.exec(select(DeviceState))}
    found = []
    for device_id, device in zip(ids, device_rows, strict=True):
        asked = device["status"] == "active" and device["transport"] != "none" and bool(device["address"])
        unasked = "" if asked else "Nobody asks it: see its status, transport and address."
        state = states.get(device_id) if asked else None
        health = state.health if state else {}
        found.append(
            {
                "name": device["name"],
                "role": device["role"],
                "place": device["place"],
                "state": state.state if state else State.not_observed.value,
                "since": state.since if state else None,
                "seen_at": state.at if state else None,
                "uptime_s": state.uptime_s if state else None,
                "cpu_pct": health.get("cpu_pct"),
                "memory_pct": health.get("memory_pct"),
                "temperature_c": health.get("temperature_c"),
                "missed": state.failures if state else None,
                "reason": state.reason if state else unasked,
            }
        )
    return found
