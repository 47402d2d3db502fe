"""A small regency as other monitoring tools see it: a real database and real samples, half an hour of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import select

from inventory.history import Author
from inventory.models import Interface
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.models import Alert, DeviceState
from monitor.samples import Asked, Sample, open_samples, polls_of
from siaga.settings import Settings
from tests.homes import prepare

EVIL = 'to "pusat"\\n} 1\nifHCInOctets{device="x"} 666 \u202e\x1b[31m'
ABOVE_FLOAT = 2**63 + 12_345


def regency(home: Path, now: datetime, **more: Any) -> Settings:
    """Make the inventory: two routers with a link between them, one contract, one alert; one router never seen."""
    settings = Settings.model_validate({"home": home, **more})
    prepare(settings)
    with session(open_engine(settings)) as writing:
        writer = Writer(writing, Author("test", now))
        for noun, rows in ROWS.items():
            for row in rows:
                writer.put(noun, row)
            writer.flush()
        writer.finish()
        ids = dict(writer.ids("device"))
        for name, state in (("rtr-1", "up"), ("rtr-2", "down"), ("rtr-old", "up")):
            at = now - timedelta(days=1) if name == "rtr-old" else now
            writing.add(DeviceState(device_id=ids[name], state=state, since=at, at=at))
        writing.add(
            Alert(
                device_id=ids["rtr-2"], rule="device-down", severity="critical", text="away",
                opened_at=now, open_key="device-down/rtr-2",
            )
        )  # fmt: skip
        for port in writing.exec(select(Interface)):
            port.seen_alias, port.if_index, port.seen_at = EVIL, 7, now
            port.oper_status, port.admin_status = "up", "up"
            writing.add(port)
    return settings


ROWS: dict[str, list[dict[str, Any]]] = {
    "place": [
        {"name": "Mauk", "kind": "kecamatan"},
        {"name": "Kantor Mauk", "kind": "site", "parent": "Mauk"},
    ],
    "agency": [{"name": "dinas-kominfo"}],
    "device": [
        {"name": n, "role": "router", "place": "Kantor Mauk", "agency": "dinas-kominfo", "address": a}
        for n, a in (("rtr-1", "127.0.0.1"), ("rtr-2", "127.0.0.2"), ("rtr-old", "127.0.0.3"))
    ],
    "interface": [{"device": "rtr-1", "name": "ether1"}, {"device": "rtr-2", "name": "ether1"}],
    "link": [
        {
            "name": "mauk-1", "a_interface": "rtr-1:ether1", "z_interface": "rtr-2:ether1",
            "capacity_bps": 1_000_000_000,
        }
    ],
    "connection": [
        {
            "name": "inet-mauk", "agency": "dinas-kominfo", "device": "rtr-1", "interface": "rtr-1:ether1",
            "committed_down_bps": 100_000_000, "committed_up_bps": 50_000_000,
        }
    ],
}  # fmt: skip


def samples(device: int, start: datetime, end: datetime, step_s: int = 60) -> Iterator[Sample]:
    """Yield what one device says: counters, a gauge, a sensor."""
    at, number = start, 0
    while at <= end:
        for metric, instance, value in (
            ("uptime", "", number * step_s * 100),
            ("cpu", "", 1234 + number),
            ("memory", "RAM", 5_000),
            ("temperature", "inlet", 4150),
            ("voltage", 'PSU "1"', 229_500),
            ("runtime", "battery", 30_000),
            ("in_octets_64", "ether1", ABOVE_FLOAT + number * 1_000_000),
            ("out_octets_64", "ether1", number * 500_000),
            ("in_errors", "ether1", number),
            ("speed", "ether1", 1_000_000_000),
        ):
            yield Sample(device, metric, instance, at, value)
        at, number = at + timedelta(seconds=step_s), number + 1


def measured(home: Path, devices: int, start: datetime, end: datetime, step_s: int = 60) -> int:
    """Store the samples of devices 1 to n; return how many they are."""
    found = [s for d in range(1, devices + 1) for s in samples(d, start, end, step_s)]
    with open_samples(home) as store:
        store.write(polls_of(found, [Asked(s.device, s.at, True) for s in found]))
    return len(found)
