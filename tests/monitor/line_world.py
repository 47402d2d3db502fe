"""A small regency whose lines are measured: three connections of two providers, a day of looks, states and octets."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from inventory.history import Author
from inventory.models import Device
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.models import StateChange
from monitor.samples import Asked, Sample, open_samples, polls_of
from siaga.settings import Settings, load
from tests.homes import prepare

DAY = datetime(2026, 10, 5, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# name: (agency, kecamatan, contract)
LINES = {
    "mauk-1": ("kec-mauk", "Mauk", "K/A"),
    "mauk-2": ("kec-mauk", "Mauk", "K/B"),
    "curug-1": ("pkm-curug", "Curug", "K/A"),
}


def minute(hour: int, minutes: int = 0) -> datetime:
    """Return a moment of the day."""
    return DAY + timedelta(hours=hour, minutes=minutes)


def regency(**contract: Any) -> Settings:
    """Record the regency: a core, a router for each line, two providers."""
    settings = load()
    prepare(settings)
    with session(open_engine(settings)) as opened:
        writer = Writer(opened, Author("test", DAY))
        writer.put("device", {"name": "core", "role": "core-router"})
        for name, provider in (("K/A", "isp-a"), ("K/B", "isp-b")):
            writer.put("provider", {"name": provider, "title": f"Penyedia {provider[-1].upper()}"})
            terms = {"committed_down_bps": 10_000_000, "committed_up_bps": 10_000_000, **contract}
            writer.put("contract", {"name": name, "provider": provider, "kind": "circuit", **terms})
        for name, (agency, kecamatan, contract_name) in LINES.items():
            writer.put("place", {"name": kecamatan, "kind": "kecamatan"})
            writer.put("agency", {"name": agency, "kind": "kecamatan", "place": kecamatan})
            device = f"rtr-{name}"
            writer.put("device", {"name": device, "role": "router", "parent": "core", "place": kecamatan})
            writer.put("interface", {"device": device, "name": "wan", "speed_bps": 100_000_000})
            writer.put("interface", {"device": "core", "name": f"to-{name}", "speed_bps": 100_000_000})
            ends = {"a_interface": f"core:to-{name}", "z_interface": f"{device}:wan"}
            writer.put("link", {"name": f"link-{name}", "kind": "fibre", "contract": contract_name, **ends})
            asked = {"agency": agency, "place": kecamatan, "link": f"link-{name}", "device": device}
            writer.put("connection", {"name": name, **asked, "interface": f"{device}:wan"})
        writer.finish()
    return settings


def ids(settings: Settings) -> dict[str, int]:
    """Return device name → id."""
    from sqlmodel import select

    with session(open_engine(settings)) as opened:
        return {n: i or 0 for i, n in opened.exec(select(Device.id, Device.name))}


def watched(
    home: Path,
    device: int,
    silent: Iterable[tuple[datetime, datetime]] = (),
    *,
    down_bps: float = 4_000_000,
    up_bps: float = 1_000_000,
    start: datetime = DAY,
    minutes: int = 1440,
    restarted_at: datetime | None = None,
) -> None:
    """Store a poll a minute: silent in some times, else with steady octets and an uptime that may begin anew."""
    gaps = list(silent)
    samples: list[Sample] = []
    asked: list[Asked] = []
    for n in range(minutes):
        at = start + n * MINUTE
        there = not any(a <= at < b for a, b in gaps)
        asked.append(Asked(device, at, there))
        if not there:
            continue
        booted = (
            restarted_at if restarted_at is not None and at >= restarted_at else start - timedelta(days=9)
        )
        samples.append(Sample(device, "uptime", "", at, round((at - booted).total_seconds() * 100)))
        for metric, bps in (("in_octets_64", down_bps), ("out_octets_64", up_bps)):
            octets = round(n * 60 * bps / 8) + 1_000_000
            samples.append(Sample(device, metric, "wan", at, octets))
    with open_samples(home) as store:
        store.write(polls_of(samples, asked))


def changed(settings: Settings, device: int, at: datetime, before: str, after: str, **more: Any) -> None:
    """Store a transition."""
    with session(open_engine(settings)) as opened:
        opened.add(StateChange(device_id=device, at=at, before=before, after=after, **more))
