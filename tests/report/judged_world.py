"""A small regency of which every kind of fact is kept for one day: 5 October 2026, UTC. Renew the golden file with

python -m tests.report.judged_world tests/report/golden/assessment.json
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.models import HostResult, Job
from inventory.history import Author
from inventory.models import Service
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.samples import SERVICES, Asked, Sample, open_samples, polls_of
from report.questions import Period
from siaga.settings import Settings
from tests.monitor.line_world import DAY, MINUTE, changed, ids, minute, regency, watched

PERIOD = Period(DAY, DAY + timedelta(days=1))
ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("place", {"name": "Kabupaten Tangerang", "kind": "regency", "code": "36.03"}),
    ("place", {"name": "Gedung Kominfo", "kind": "building", "parent": "Kabupaten Tangerang", "priority": 1}),
    ("place", {"name": "Ruang Server", "kind": "room", "purpose": "server", "parent": "Gedung Kominfo"}),
    ("place", {"name": "Command Center", "kind": "room", "purpose": "command", "parent": "Gedung Kominfo"}),
    ("place", {"name": "Mauk", "kind": "kecamatan", "priority": 2}),
    ("agency", {"name": "diskominfo", "kind": "opd", "place": "Gedung Kominfo"}),
    ("credential", {"name": "v2", "kind": "snmp-v2c"}),
    ("device_type", {"name": "ccr", "maker": "MikroTik", "model": "CCR2004", "eol": "2030-01-01"}),
    ("contract", {"name": "K/A", "availability_pct": 99.0, "claim_after_s": 300, "price_idr": 120_000_000,
                  "start": "2026-01-01", "end": "2026-12-31", "penalty": "1%/jam"}),
    ("device", {"name": "core", "place": "Ruang Server", "device_type": "ccr", "serial": "S1",
                "agency": "diskominfo", "credential": "v2", "support_contract": "K/A"}),
    ("device", {"name": "srv-1", "role": "server", "place": "Ruang Server", "agency": "diskominfo"}),
    ("device", {"name": "ups-1", "role": "ups", "place": "Ruang Server"}),
    ("device", {"name": "probe", "role": "other", "place": "Ruang Server"}),
    ("device", {"name": "wall", "role": "other", "place": "Command Center"}),
    ("device", {"name": "sw-mauk", "role": "switch", "place": "Mauk"}),
    ("service", {"name": "e-planning", "agency": "diskominfo", "device": "srv-1", "hosting": "lokal",
                 "url": "https://eplanning.example", "criticality": 1, "place": "Ruang Server"}),
    ("service", {"name": "peta", "agency": "diskominfo", "url": "http://peta.example", "place": "Command Center"}),
    ("dependency", {"service": "e-planning", "target_noun": "device", "target": "srv-1"}),
    ("person", {"name": "Budi", "role": "Staf jaringan", "fte": 1, "competences": "keamanan data", "on_call": "yes",
                "on_duty": "Mon-Fri 07.30-16.30"}),
    ("person", {"name": "Teknisi", "role": "teknisi", "provider": "isp-a"}),
    ("certificate", {"name": "CEH-1", "person": "Budi", "area": "keamanan", "expires": "2027-01-01"}),
    ("contact", {"person": "Budi", "role": "technical", "target_noun": "agency", "target": "diskominfo"}),
    ("contact", {"person": "Budi", "role": "ttis", "target_noun": "service", "target": "e-planning"}),
    ("account", {"name": "budi", "person": "Budi", "device": "core", "scope": "admin", "mfa": "yes"}),
    ("account", {"name": "isp", "person": "Teknisi", "provider": "isp-a", "scope": "admin", "mfa": "yes",
                 "expires": "2026-12-31", "via_jump_host": "yes"}),
    ("asset", {"name": "A-1", "kode_barang": "1.3.2.10.02.04.002", "register_number": "0001", "device": "core",
               "condition": "B", "agency": "diskominfo", "acquired": "2024-01-01", "place": "Ruang Server",
               "verified_at": "2026-03-01", "warranty_until": "2027-06-01"}),
    ("asset", {"name": "A-2", "condition": "RB", "status": "disposed"}),
    ("evidence", {"name": "sk", "kind": "sk_ttis", "dated": "2026-02-10", "signer": "Bupati"}),
    ("budget", {"name": "DPA", "year": 2026, "ceiling_idr": 3650, "realised_idr": 1390, "as_of": "2026-10-05"}),
    ("restitution", {"name": "027/1", "contract": "K/A", "month": "2026-10-01", "amount_idr": 1_000}),
    ("capacity_test", {"name": "t1", "connection": "mauk-1", "at": DAY - timedelta(days=3), "down_bps": 9_500_000}),
    ("risk", {"name": "R1", "person": "Budi", "due": "2026-12-01"}),
    ("milestone", {"name": "M1", "due": "2026-10-01", "done": "2026-09-30"}),
    ("room_check", {"name": "C1", "place": "Ruang Server", "dated": "2026-09-01", "door_control": "yes",
                    "door_log": "no", "cctv": "yes", "visitor_log": "yes", "fire_detection": "yes"}),
    ("advisory", {"name": "CVE-1", "platform": "routeros", "fixed_version": "7.15", "published": "2026-01-01"}),
    ("ticket", {"name": "T1", "priority": 1, "opened": DAY, "resolved": DAY + timedelta(hours=3)}),
    ("outage", {"name": "O1", "device": "rtr-curug-1", "start": minute(2), "end": minute(4), "cause": "power"}),
)  # fmt: skip


def make() -> Settings:
    """Record the regency and its day: mauk-1 was silent for an hour, curug-1 without power for two."""
    settings = regency()
    with session(open_engine(settings)) as opened:
        writer = Writer(opened, Author("test", DAY))
        for noun, row in ROWS:
            writer.put(noun, row)
        writer.finish()
        opened.add(Job(id=1, mode="check", playbook="baseline", status="ok", started_at=minute(1)))
        opened.flush()
        opened.add(HostResult(job_id=1, host="core", status="ok"))
        opened.add(HostResult(job_id=1, host="srv-1", status="changed", changed=2))
    known = ids(settings)
    for name, hours in (("mauk-1", (9, 10)), ("mauk-2", None), ("curug-1", (2, 4))):
        device = known[f"rtr-{name}"]
        silent = [(minute(hours[0]), minute(hours[1]))] if hours else []
        watched(settings.home, device, silent)
        changed(settings, device, DAY, "not observed", "up")
        for start, end in silent:
            changed(settings, device, start + 2 * MINUTE, "up", "down")
            changed(settings, device, end, "down", "up")
    _rooms(settings, known)
    return settings


def _rooms(settings: Settings, known: dict[str, int]) -> None:
    """Store what core, server, UPS, probe and wall said, and what a check of the application found."""
    samples: list[Sample] = []
    asked: list[Asked] = []
    for name in ("core", "srv-1", "ups-1", "probe", "wall"):
        changed(settings, known[name], DAY, "not observed", "up")
        asked += [Asked(known[name], DAY + n * MINUTE, True) for n in range(1440)]
    with session(open_engine(settings)) as opened:
        from sqlmodel import select

        services = {n: i or 0 for i, n in opened.exec(select(Service.id, Service.name))}
    for n in range(0, 1440, 5):
        at = DAY + n * MINUTE
        celsius = 2500 if n < 1296 else 2900  # too warm for the last tenth of the day
        samples.append(Sample(known["probe"], "temperature", "rak 1", at, celsius))
        samples.append(Sample(known["probe"], "humidity", "rak 1", at, 50_000))
        samples.append(Sample(known["ups-1"], "runtime", "batt", at, 12_000))
        samples.append(Sample(known["rtr-mauk-1"], "rtt", "", at, 15_000))
        samples.append(Sample(known["rtr-mauk-1"], "loss", "", at, 100))
        number = SERVICES + services["e-planning"]
        samples.append(Sample(number, "service_certificate_days", "", at, 60_000))
        samples.append(Sample(number, "service_tls_sound", "", at, 1000))
    for service in services.values():
        asked += [Asked(SERVICES + service, DAY + n * MINUTE, n >= 144) for n in range(1440)]
    with open_samples(settings.home) as store:
        store.write(polls_of(samples, asked))


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Have a home for a moment, as a test has."""
    import os
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        os.environ["SIAGA_HOME"] = str(Path(folder) / "home")
        yield


if __name__ == "__main__":
    from report.assessment_json import as_json
    from report.judging import judge

    with _elsewhere():
        found = judge(make(), PERIOD, keep=False).assessment
        Path(sys.argv[1]).write_bytes(as_json(replace(found, snapshot_sha256="")))

assert datetime(2026, 10, 5, tzinfo=UTC) == DAY
