"""A regency of whose stored rows and samples every indicator can be told: the judged one, and what that leaves open."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlmodel import select

from infra.models import HostResult, Job
from inventory.history import Author
from inventory.models import Device, Interface, Link, Observed, Place
from inventory.models_findings import Compliance, Exposure
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.configs.models import ConfigBackup
from monitor.samples import HEARD, OWN, SKEW, Sample, open_samples, polls_of
from siaga.settings import Settings
from tests.monitor.line_world import DAY, MINUTE, changed, ids, minute, watched
from tests.report import judged_world

EVENING = minute(20)
SHUT = {"ssh": "open", "http": "closed", "snmp-v1": "closed", "snmp-v2c": "closed"}
LINES = {"rsud": "rsud", "pkm-mauk": "puskesmas", "desa-mauk": "desa", "dinkes": "opd"}


def _rows() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what people record: more bodies with a line each, zones, documents."""
    for name, kind in LINES.items():
        yield "agency", {"name": name, "kind": kind, "place": "Mauk"}
        yield "device", {"name": f"rtr-{name}", "role": "router", "parent": "core", "place": "Mauk"}
        yield "interface", {"device": f"rtr-{name}", "name": "wan"}
        yield "interface", {"device": "core", "name": f"to-{name}"}
        ends = {"a_interface": f"core:to-{name}", "z_interface": f"rtr-{name}:wan", "contract": "K/A"}
        yield "link", {"name": f"link-{name}", "kind": "fibre", **ends}
        own = {"agency": name, "place": "Mauk", "link": f"link-{name}", "device": f"rtr-{name}"}
        yield "connection", {"name": name, **own, "interface": f"rtr-{name}:wan"}
    # Diskominfo hangs on its own core: its intra line is one of the core's.
    yield "link", {"name": "link-kominfo", "kind": "fibre", "z_interface": "core:to-mauk-1"}
    yield (
        "connection",
        {
            "name": "kominfo",
            "agency": "diskominfo",
            "link": "link-kominfo",
            "device": "core",
            "interface": "core:to-mauk-1",
            "committed_down_bps": 10**9,
            "committed_up_bps": 10**9,
        },
    )
    for line in ("mauk-1", "mauk-2", "curug-1", *LINES):
        yield (
            "capacity_test",
            {
                "name": f"test-{line}",
                "connection": line,
                "at": DAY - timedelta(days=2),
                "down_bps": 10**9,
                "up_bps": 10**9,
            },
        )
    for vid, zone in ((10, "pengelolaan"), (20, "pengguna")):
        yield "vlan", {"name": f"mauk-{zone}", "vid": vid, "place": "Mauk"}
        yield "prefix", {"name": f"10.1.{vid}.0/24", "vlan": f"mauk-{zone}", "place": "Mauk"}
    yield "device", {"name": "sw-mauk", "address": "10.1.10.2"}
    for number, name in enumerate(("rtr-mauk-1", "rtr-mauk-2", *(f"rtr-{n}" for n in LINES)), 3):
        yield "device", {"name": name, "address": f"10.1.10.{number}"}
    yield from FILLED


# What of a row the worlds before left empty: that nothing is lost between a row and what a measure is told.
FILLED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("service", {"name": "e-planning", "title": "E-Planning", "spl": "yes"}),
    ("service", {"name": "oss", "national": "yes", "agency": "dinkes", "criticality": 1, "hosting": "pdn"}),
    ("evidence", {"name": "doc", "kind": "arsitektur_jaringan", "dated": "2026-04-08", "title": "Arsitektur"}),
    ("evidence", {"name": "kami", "kind": "hasil_kami", "dated": "2026-06-01", "result": "Cukup Baik"}),
    ("evidence", {"name": "uji", "kind": "uji_pulih", "dated": "2026-06-01", "valid_until": "2027-06-01",
                  "sha256": "ab" * 32, "target_noun": "service", "target": "e-planning"}),
    ("agency", {"name": "dinkes", "title": "Dinas Kesehatan"}),
    ("link", {"name": "link-dinkes", "role": "backup", "path_group": "utara"}),
    ("credential", {"name": "v3", "kind": "snmp-v3", "auth_protocol": "SHA", "priv_protocol": "AES"}),
    ("device", {"name": "srv-1", "tags": "sewa"}),
    ("device", {"name": "rak", "role": "other", "transport": "none", "place": "Ruang Server"}),
    ("asset", {"name": "A-1", "title": "Router", "nibar": "12.34"}),
    ("stock_take", {"name": "2026", "place": "Ruang Server", "started": DAY - timedelta(days=9)}),
    ("sighting", {"name": "S-1", "stock_take": "2026", "asset": "A-1", "place": "Ruang Server",
                  "at": DAY - timedelta(days=9)}),
    ("contract", {"name": "K/A", "provider_availability_pct": 99.9}),
    ("person", {"name": "Budi", "agency": "diskominfo"}),
    ("ticket", {"name": "T1", "place": "Mauk"}),
    ("risk", {"name": "R1", "title": "Jalur tunggal", "target_noun": "device", "target": "core"}),
    ("risk", {"name": "R0", "closed": "2026-08-01"}),
    ("milestone", {"name": "M1", "title": "Cincin utara", "quick_win": "yes"}),
    ("advisory", {"name": "CVE-2", "platform": "routeros", "severity": "high", "exploited": "yes",
                  "since_version": "7.1", "fixed_version": "7.2"}),
)  # fmt: skip


def make() -> Settings:
    """Record and watch everything."""
    settings = judged_world.make()
    with session(open_engine(settings)) as opened:
        writer = Writer(opened, Author("test", DAY))
        for noun, row in _rows():
            writer.put(noun, row)
        writer.finish()
        contract = writer.ids("contract")["K/A"]
        kind, secure = writer.ids("device_type")["ccr"], writer.ids("credential")["v3"]
        for place in opened.exec(select(Place).where(Place.kind == "regency")):
            place.code = ""  # without dated lists the inventory is what is counted against
        for link in opened.exec(select(Link)):
            link.intra = True
        for device in list(opened.exec(select(Device))):
            device.support_contract_id, device.device_type_id, device.credential_id = contract, kind, secure
            _seen(opened, device.id or 0, "open" if device.name == "wall" else "closed")
        job = opened.get_one(Job, 1)
        job.ended_at = minute(2)
        opened.add(HostResult(job_id=1, host="wall", status="failed"))
    _watched(settings)
    return settings


def _seen(opened: Any, device: int, telnet: str) -> None:
    """Store what backups, probes, rules and polls left of a device."""
    opened.add(
        ConfigBackup(device_id=device, tried_at=EVENING, ok_at=EVENING, result="unchanged", digest="d")
    )
    opened.add(Exposure(device_id=device, at=EVENING, doors={**SHUT, "telnet": telnet}))
    rules = {"ios-vlans": ["met", ""]}
    opened.add(Compliance(device_id=device, at=EVENING, evidence_at=EVENING, met=1, results=rules))
    for field, value in (("platform", "routeros"), ("version", "7.16")):
        opened.add(Observed(device_id=device, field=field, source="snmp", value=value, at=EVENING))
    for n, status in enumerate(("up", "down")):
        opened.add(
            Interface(device_id=device, name=f"p{n}", if_type=6, admin_status=status, oper_status=status)
        )


def _watched(settings: Settings) -> None:
    known = ids(settings)
    samples = []
    for name in (*(f"rtr-{n}" for n in LINES), "sw-mauk"):
        silent = [(minute(23), minute(24))] if name == "rtr-dinkes" else []
        watched(settings.home, known[name], silent)
        changed(settings, known[name], DAY, "not observed", "up")
        for start, _ in silent:
            changed(settings, known[name], start + MINUTE, "up", "down")
    for device in known.values():
        samples += [Sample(device, HEARD, "", EVENING, 3), Sample(device, SKEW, "", EVENING, 900)]
    for name in ("rtr-mauk-2", "rtr-curug-1", "core", *(f"rtr-{n}" for n in LINES)):
        for n in range(0, 1440, 5):
            at = DAY + timedelta(minutes=n, seconds=7)
            samples += [Sample(known[name], "rtt", "", at, 9000), Sample(known[name], "loss", "", at, 0)]
    for n in range(0, 1440, 5):
        at = DAY + timedelta(minutes=n, seconds=9)
        samples += [
            Sample(known["core"], f"{way}_octets_64", "to-mauk-1", at, n * 10**7) for way in ("in", "out")
        ]
    samples += _of_itself()
    with open_samples(settings.home) as store:
        store.write(polls_of(samples))


def _of_itself() -> Iterator[Sample]:
    """Yield what siaga kept of itself: it ran for three quarters of the day, and was late for the first 54 minutes."""
    for n in range(1080):
        late_s, behind = (90, 4) if n < 54 else (2, 0)
        figures = {"late_s": late_s, "unpolled": behind, "samples_waiting": behind, "news_waiting": 1}
        for name, value in figures.items():
            yield Sample(OWN, f"siaga_{name}", "", DAY + n * MINUTE, value * 1000)
