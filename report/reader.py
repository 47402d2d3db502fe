"""Fills the facts from the database of record and the samples: one moment of the database, read only."""

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine
from sqlmodel import Session

from inventory import models as inventory
from inventory.store import observed, reading
from monitor.availability import Window as Observed
from monitor.availability import look
from monitor.samples import Key, Name, SampleStore, time_of
from monitor.uptimes import Kind, stretches
from monitor.usage import carried
from report import store
from report.facts import (
    Agency,
    Alert,
    Connection,
    Contract,
    Denominator,
    Device,
    Facts,
    Job,
    Seen,
    Span,
    Usage,
)
from report.measures.bandwidth import STEP_S, judged, load
from report.records import Load as Carriage
from siaga.text import safe

CHUNK = 50  # connections whose samples are read at once
ILLUSTRATIVE_TAG = "illustrative"  # a device with this tag makes the whole report an illustration
DENOMINATORS = Path(__file__).with_name("denominators")
_UP = (Kind.up, Kind.maintained_up)
_DOWN = (Kind.down, Kind.excused)
_SEEN = {"up": Seen.up, "degraded": Seen.up, "down": Seen.down}
SNMP = {"snmp-v1": "1", "snmp-v2c": "2c", "snmp-v3": "3"}  # a credential's kind → the version asked with


LastAsked = tuple[datetime, datetime | None]  # when a device was asked last, and when it answered last
History = Mapping[int, Sequence[tuple[datetime, str]]]  # device → (time, state from then on)


@dataclass(frozen=True)
class Window:
    """From when to when, and how far apart polls are meant to be."""

    since: datetime
    until: datetime
    interval_s: int = 60

    @property
    def fresh_s(self) -> int:
        """How old a last state may be and still count: three rounds, at least a quarter of an hour."""
        return max(3 * self.interval_s, 900)

    @property
    def hold_s(self) -> int:
        """How long one look counts as observation: three rounds."""
        return 3 * self.interval_s


@dataclass(frozen=True)
class Rows:
    """The inventory's rows by id, as far as the report names them."""

    places: Mapping[int, inventory.Place]
    agencies: Mapping[int, inventory.Agency]
    providers: Mapping[int, inventory.Provider]
    contracts: Mapping[int, inventory.Contract]
    types: Mapping[int, inventory.DeviceType]
    credentials: Mapping[int, inventory.Credential]
    links: Mapping[int, inventory.Link]
    interfaces: Mapping[int, inventory.Interface]
    devices: Sequence[inventory.Device]

    def kecamatan(self, *places: int | None) -> str:
        """Return the kecamatan of the first place that has one."""
        found = (self.places[p].kecamatan for p in places if p is not None and p in self.places)
        return safe(next((k for k in found if k), ""))


def read(
    engine: Engine,
    samples: SampleStore,
    window: Window,
    *,
    illustrative: bool = False,
    known: Mapping[str, Carriage] | None = None,
) -> Facts:
    """Read everything the report needs. Raises what inventory.store and monitor.samples raise.

    `known`: line → what it carried, where the judgement has read these samples already; then they are not read again.
    """
    asked = samples.last_asked(window.since, window.until)
    with reading(engine) as session:
        rows = _rows(session)
        history = store.history(session, window.until)
        regency = next((p for p in rows.places.values() if p.kind == "regency"), None)
        districts = sorted((p.code, p.name) for p in rows.places.values() if p.kind == "kecamatan")
        return Facts(
            since=window.since,
            until=window.until,
            regency=_titled(regency.name) if regency else "Kabupaten Tangerang",
            illustrative=illustrative or any(ILLUSTRATIVE_TAG in d.tags.split() for d in rows.devices),
            fresh_s=window.fresh_s,
            devices=tuple(_devices(session, history, rows, asked, window)),
            agencies=tuple(_agency(a, rows) for a in rows.agencies.values()),
            contracts=tuple(_contract(c, rows) for c in rows.contracts.values()),
            connections=tuple(_connections(session, samples, rows, window, known)),
            spans=tuple(_spans(session, samples, rows, window)),
            alerts=tuple(_alerts(session, rows, window)),
            jobs=tuple(_jobs(session, window)),
            denominators=denominators(regency.code if regency else ""),
            places=tuple(safe(name) for _, name in districts),
            polls=store.polls(session, window.since, window.until),
            code=regency.code if regency else "",
        )


def denominators(code: str) -> tuple[Denominator, ...]:
    """Return the dated lists of a regency by its Kemendagri code; none if there is no file for it."""
    path = DENOMINATORS / f"{code}.toml"
    if not code or code != Path(code).name or not path.exists():
        return ()
    lists = tomllib.loads(path.read_text(encoding="utf-8"))["list"]
    return tuple(Denominator(x["kind"], x["count"], x["as_of"], x["source"]) for x in lists)


def _titled(name: str) -> str:
    return safe(name if name.lower().startswith(("kabupaten", "kota")) else f"Kabupaten {name}")


def _rows(session: Session) -> Rows:
    return Rows(
        places=store.everything(session, inventory.Place),
        agencies=store.everything(session, inventory.Agency),
        providers=store.everything(session, inventory.Provider),
        contracts=store.everything(session, inventory.Contract),
        types=store.everything(session, inventory.DeviceType),
        credentials=store.everything(session, inventory.Credential),
        links=store.everything(session, inventory.Link),
        interfaces=store.wan_interfaces(session),
        devices=store.active_devices(session),
    )


def _named(rows: Mapping[int, Any], key: int | None) -> str:
    """Return the title of a row, or its name, or ''."""
    row = rows.get(key) if key is not None else None
    return "" if row is None else safe(getattr(row, "title", "") or row.name)


def _agency(row: inventory.Agency, rows: Rows) -> Agency:
    return Agency(safe(row.title or row.name), row.kind, safe(row.title), rows.kecamatan(row.place_id))


def _contract(row: inventory.Contract, rows: Rows) -> Contract:
    return Contract(
        name=safe(row.name),
        provider=_named(rows.providers, row.provider_id),
        kind=row.kind,
        start=row.start,
        end=row.end,
        down_bps=row.committed_down_bps,
        up_bps=row.committed_up_bps,
        availability_pct=row.availability_pct,
    )


def _devices(
    session: Session, history: History, rows: Rows, asked: Mapping[int, LastAsked], window: Window
) -> Iterator[Device]:
    said = {i: {k: v.value for k, v in of.items()} for i, of in observed(session).items()}
    states = store.states(session)
    for row in rows.devices:
        assert row.id is not None
        state = states.get(row.id)
        look_at, answer_at = asked.get(row.id, (None, None))
        judged = look_at or (state.at if state and state.at <= window.until else None)
        now_known = state is not None and state.at <= window.until
        name = state.state if state and now_known else believed_at(window.until, history.get(row.id, ()))
        fresh = judged is not None and (window.until - judged).total_seconds() <= window.fresh_s
        yield _device(
            row,
            rows,
            said.get(row.id, {}),
            window,
            seen=_SEEN.get(name, Seen.unobserved) if fresh else Seen.unobserved,
            degraded=fresh and name == "degraded",
            last_seen=answer_at,
        )


def _device(
    row: inventory.Device, rows: Rows, said: Mapping[str, str], window: Window, **seen: Any
) -> Device:
    kind = rows.types.get(row.device_type_id or 0)
    ends = (kind.eos, kind.eol) if kind else (None, None)
    credential = rows.credentials.get(row.credential_id or 0)
    return Device(
        id=row.id or 0,
        name=safe(row.name),
        role=row.role,
        maker=safe(kind.maker if kind else said.get("vendor", "")),
        model=safe(kind.model if kind else said.get("model", "")),
        platform=safe(row.platform or said.get("platform", "")),
        version=safe(said.get("version", "")),
        agency=_named(rows.agencies, row.agency_id),
        kecamatan=rows.kecamatan(row.place_id),
        snmp=SNMP.get(credential.kind, "") if credential and row.transport == "snmp" else "",
        serial=safe(row.serial),
        seen_serial=safe(said.get("serial", "")),
        end_of_sale=ends[0],
        end_of_life=ends[1],
        past=any(e is not None and e < window.until.date() for e in ends),
        **seen,
    )


def _spans(session: Session, samples: SampleStore, rows: Rows, window: Window) -> Iterator[Span]:
    """Yield when devices were seen up and down, by the one computation that `siaga availability` prints too.

    In a window of maintenance an answer is up, and silence is nobody's outage: not observed.
    """
    ids = [row.id for row in rows.devices if row.id is not None]
    view = look(session, samples, ids, Observed(window.since, window.until, window.hold_s))
    for seen, kinds in ((Seen.up, _UP), (Seen.down, _DOWN)):
        for s in stretches(view, kinds):
            yield Span(s.device, time_of(s.start_ms), time_of(s.end_ms), seen)


def believed_at(at: datetime, history: Sequence[tuple[datetime, str]]) -> str:
    """Return the state the monitor believed in at a moment; '' before the first transition."""
    place = bisect_right(history, at, key=itemgetter(0))
    return history[place - 1][1] if place else ""


def _connections(
    session: Session,
    samples: SampleStore,
    rows: Rows,
    window: Window,
    known: Mapping[str, Carriage] | None = None,
) -> Iterator[Connection]:
    """Yield the connections with what they carried: the same bins that `siaga bandwidth` counts."""
    if known is not None:
        yield from _judged(session, rows, known)
        return
    names = samples.names(window.since, window.until)
    all_rows = iter(store.everything(session, inventory.Connection).values())
    while chunk := list(islice(all_rows, CHUNK)):
        ports = [rows.interfaces.get(c.interface_id or 0) for c in chunk]
        keys = [key for port in ports if port for key in _keys(port, names)]
        found = {key: columns for key, *columns in samples.carried(keys, window.since, window.until)}
        for row, port in zip(chunk, ports, strict=True):
            usage = _usage(found, port, names) if port else Usage(STEP_S)
            whole = _connection(row, rows, port, usage)
            # Ninety days of 400 lines are twenty million bins: measured here, not kept.
            yield replace(whole, load=load(whole), usage=replace(usage, down_bps=(), up_bps=()))


def _judged(session: Session, rows: Rows, known: Mapping[str, Carriage]) -> Iterator[Connection]:
    """Yield the connections with what the judgement found that they carried."""
    for row in store.everything(session, inventory.Connection).values():
        port = rows.interfaces.get(row.interface_id or 0)
        found = known.get(safe(row.name)) or Carriage(row.name, 0, 0)
        device = port.device_id if port else None
        named = f"samples device {device}, {safe(port.name) if port else ''} ({found.bins} bins)"
        whole = _connection(row, rows, port, Usage(STEP_S, evidence=named if found.bins else ""))
        p95_bps, peak_bps = (
            (found.p95_down_bps, found.p95_up_bps),
            (found.peak_down_bps, found.peak_up_bps),
        )
        yield replace(whole, load=judged(whole, found.bins, p95_bps, peak_bps))


def _keys(port: inventory.Interface, names: Mapping[int, set[Name]]) -> tuple[Key, Key]:
    """Return the counters in and out of a port: of 64 bits where there are any."""
    device = port.device_id or 0
    there = {metric for metric, instance in names.get(device, ()) if instance == port.name}
    into, out = (f"{m}_64" if f"{m}_64" in there else m for m in ("in_octets", "out_octets"))
    return (device, into, port.name), (device, out, port.name)


def _usage(
    found: Mapping[Key, Sequence[Any]], port: inventory.Interface, names: Mapping[int, set[Name]]
) -> Usage:
    """Return what an interface carried; inwards on the WAN side is down for the agency."""
    some = [carried(*found[key]) if key in found else None for key in _keys(port, names)]
    down, up = (cast("Sequence[float]", c.bps) if c else () for c in some)
    times = [t for c in some if c for t in (int(c.at_ms[0]), int(c.at_ms[-1]) + STEP_S * 1000)]
    return Usage(
        step_s=STEP_S,
        down_bps=down,
        up_bps=up,
        first=time_of(min(times)) if times else None,
        last=time_of(max(times)) if times else None,
        evidence=f"samples device {port.device_id}, {safe(port.name)} ({len(down) + len(up)} bins)",
    )


def _connection(
    row: inventory.Connection, rows: Rows, port: inventory.Interface | None, usage: Usage
) -> Connection:
    link = rows.links.get(row.link_id or 0)
    contract = rows.contracts.get(row.contract_id or (link.contract_id if link else 0) or 0)
    agency = rows.agencies.get(row.agency_id or 0)
    device_id = row.device_id or (port.device_id if port else None)
    device = next((d for d in rows.devices if d.id == device_id), None)
    places = (row.place_id, agency.place_id if agency else None, device.place_id if device else None)
    return Connection(
        name=safe(row.name),
        agency=_named(rows.agencies, row.agency_id),
        kecamatan=rows.kecamatan(*places),
        provider=_named(rows.providers, contract.provider_id) if contract else "",
        contract=safe(contract.name) if contract else "",
        medium=link.kind if link else "",
        device_id=device_id,
        interface=safe(port.name) if port else "",
        down_bps=row.committed_down_bps or (contract.committed_down_bps if contract else None),
        up_bps=row.committed_up_bps or (contract.committed_up_bps if contract else None),
        usage=usage,
    )


def _alerts(session: Session, rows: Rows, window: Window) -> Iterator[Alert]:
    names = {d.id: d.name for d in rows.devices}
    for row in store.alerts(session, window.since, window.until):
        closed = row.closed_at if row.closed_at and row.closed_at <= window.until else None
        name = safe(names.get(row.device_id, f"#{row.device_id}"))
        yield Alert(row.id or 0, name, row.severity, safe(row.text), row.opened_at, closed)


def _jobs(session: Session, window: Window) -> Iterable[Job]:
    for row, hosts in store.jobs(session, window.since, window.until):
        yield Job(
            id=row.id or 0,
            kind="plan" if row.mode == "check" else "apply",
            status=row.status,
            started_at=row.started_at,
            ended_at=row.ended_at,
            title=safe(row.playbook),
            hosts=len(hosts) if hosts else None,
            ok=sum(h in ("ok", "changed") for h in hosts) if hosts else None,
            changed=sum(h == "changed" for h in hosts) if hosts else None,
            failed=sum(h in ("failed", "unreachable") for h in hosts) if hosts else None,
        )
