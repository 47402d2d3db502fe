"""What is read from one device at one time, as frozen values. A silent device is a value too."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from siaga.clock import shown

_IF_ANY = ("state", "limits", "group")


class Reach(StrEnum):
    """How far a device could be reached by one transport.

    up           it answered everything that was asked
    partial      it answered, then stopped or sent garbage: what came before is kept
    silent       nothing came back in time
    refused      it answered and would not have us (wrong community or password, unknown user)
    garbage      something answers there, but not in this protocol
    """

    up = "up"
    partial = "partial"
    silent = "silent"
    refused = "refused"
    garbage = "garbage"


@dataclass(frozen=True)
class Port:
    """One interface (IF-MIB, RFC 2863). Octets are 64-bit where `octets_bits` is 64. None: not observed.

    `octets_in_iftable`: ifInOctets and ifOutOctets are those 64-bit counters, which the MIB has as 32 bits wide.
    """

    ifIndex: int  # noqa: N815 - the MIB's own names, as operators know them
    ifName: str = ""  # noqa: N815
    ifDescr: str = ""  # noqa: N815
    ifAlias: str = ""  # noqa: N815
    ifType: int | None = None  # noqa: N815
    speed_bps: int | None = None
    ifAdminStatus: str | None = None  # noqa: N815
    ifOperStatus: str | None = None  # noqa: N815
    in_octets: int | None = None
    out_octets: int | None = None
    octets_bits: int | None = None
    in_errors: int | None = None
    out_errors: int | None = None
    in_discards: int | None = None
    out_discards: int | None = None
    mac: str | None = None
    discontinuity_ticks: int | None = None  # ifCounterDiscontinuityTime
    octets_in_iftable: bool = False


@dataclass(frozen=True)
class Processor:
    """One processor's load."""

    descr: str
    percent: float
    oid: str | None = None


@dataclass(frozen=True)
class Mempool:
    """One memory pool; total and used in `unit`, or only the percentage where a device gives no more."""

    descr: str
    percent: float
    total: int | None = None
    used: int | None = None
    unit: str = "bytes"
    oid: str | None = None


@dataclass(frozen=True)
class Storage(Mempool):
    """One file system or volume, told as a memory pool is; `kind`: what HOST-RESOURCES-MIB says that it is,
    or what a platform's file says (`recording`, `firmware`)."""

    kind: str = ""


@dataclass(frozen=True)
class Supply:
    """Toner, a drum, a tray. `percent` is None where the device only says that something is left (`remark`)."""

    descr: str
    kind: str
    percent: float | None
    oid: str | None = None
    remark: str = ""


@dataclass(frozen=True)
class State:
    """What a sensor's code means: the word of its MIB, and ok, warning, critical or unknown."""

    label: str
    severity: str


@dataclass(frozen=True)
class Thresholds:
    """What the device itself holds for too much and too little, in the sensor's unit; None: it does not say."""

    critical: float | None = None
    warning: float | None = None
    low_warning: float | None = None
    low_critical: float | None = None


@dataclass(frozen=True)
class Sensor:
    """One reading; `kind` is its class (temperature, voltage, state ...), `value` is in `unit`.

    The value of a state is its code; `state` says what the code means.
    """

    kind: str
    descr: str
    value: float
    unit: str
    oid: str | None = None
    state: State | None = None
    limits: Thresholds | None = None
    group: str = ""


@dataclass(frozen=True)
class Wireless:
    """One reading of a radio: clients, signal, noise, rates."""

    kind: str
    descr: str
    value: float
    unit: str
    oid: str | None = None


@dataclass(frozen=True)
class Ipv4:
    """One of the device's own IPv4 addresses; the prefix length is None where its mask is none."""

    ifIndex: int  # noqa: N815
    address: str
    prefixlen: int | None = None


@dataclass(frozen=True)
class Neighbour:
    """Who was heard at a port, and by which protocol (lldp, cdp, mndp)."""

    local: str
    remote_host: str
    remote_port: str
    protocol: str
    remote_mac: str = ""
    remote_address: str = ""


@dataclass(frozen=True)
class Identity:
    """Who a device says it is. Empty strings are not observed.

    `engine_id`: snmpEngineID in hex digits. `base_mac`: the bridge's address, or the lowest of a physical port.
    """

    sysName: str = ""  # noqa: N815
    sysDescr: str = ""  # noqa: N815
    sysObjectID: str = ""  # noqa: N815
    sysLocation: str = ""  # noqa: N815
    sysContact: str = ""  # noqa: N815
    os: str = ""
    vendor: str = ""
    hardware: str = ""
    version: str = ""
    serial: str = ""
    engine_id: str = ""
    base_mac: str = ""


@dataclass(frozen=True)
class Observation:
    """One device, one transport, one time.

    `reason` is a sentence when `reach` is not up. `took_s` is the wall time of the whole read.
    `uptime_s` is sysUpTime (or the host's uptime by SSH) in seconds. `host_key`: what SSH says of it, as
    login_alarms.py has the words; '' if it was not seen.
    """

    name: str
    address: str
    port: int
    transport: str
    at: datetime
    reach: Reach
    reason: str = ""
    took_s: float = 0.0
    uptime_s: float | None = None
    identity: Identity = field(default_factory=Identity)
    ports: tuple[Port, ...] = ()
    processors: tuple[Processor, ...] = ()
    mempools: tuple[Mempool, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    storage: tuple[Storage, ...] = ()
    supplies: tuple[Supply, ...] = ()
    wireless: tuple[Wireless, ...] = ()
    ipv4: tuple[Ipv4, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    host_key: str = ""


def as_json(seen: Observation) -> dict[str, Any]:
    """Return the observation as the stable JSON of `siaga inspect`: units in keys or beside values."""
    row: dict[str, Any] = {
        "name": seen.name,
        "address": seen.address,
        "port": seen.port,
        "transport": seen.transport,
        "at": shown(seen.at),
        "reach": seen.reach.value,
        "reason": seen.reason,
        "took_s": round(seen.took_s, 3),
        **asdict(seen.identity),
        "identity": {
            what: {"value": value}
            for what in ("hardware", "version", "serial")
            if (value := getattr(seen.identity, what))
        },
        "uptime_s": seen.uptime_s,
        "uptime_ticks": None if seen.uptime_s is None else round(seen.uptime_s * 100),
    }
    for name in ("ports", "processors", "mempools", "storage", "supplies", "ipv4", "neighbours"):
        row[name] = [asdict(one) for one in getattr(seen, name)]
    for pool in (*row["mempools"], *row["storage"]):
        known = pool["total"] is not None and pool["used"] is not None
        pool["free"] = pool["total"] - pool["used"] if known else None
    for name in ("sensors", "wireless"):
        row[name] = [_classed(asdict(one)) for one in getattr(seen, name)]
    return row


def _classed(one: dict[str, Any]) -> dict[str, Any]:
    """Return a reading with its class first, and without what it does not have."""
    more = {k: v for k, v in one.items() if k != "kind" and not (k in _IF_ANY and not v)}
    return {"class": one["kind"], **more}
