"""A made-up regency as facts: deterministic, and big enough that tables run over pages."""

import math
from datetime import UTC, datetime, timedelta

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

UNTIL = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=30)
PLACES = (
    "Balaraja",
    "Jayanti",
    "Tigaraksa",
    "Jambe",
    "Cisoka",
    "Kresek",
    "Kronjo",
    "Mauk",
    "Kemiri",
    "Sukadiri",
    "Rajeg",
    "Pasar Kemis",
    "Teluknaga",
    "Kosambi",
    "Pakuhaji",
    "Sepatan",
    "Curug",
    "Cikupa",
    "Panongan",
    "Legok",
    "Pagedangan",
    "Cisauk",
    "Sukamulya",
    "Kelapa Dua",
    "Sindang Jaya",
    "Sepatan Timur",
    "Solear",
    "Gunung Kaler",
    "Mekar Baru",
)
MODELS = (
    ("MikroTik", "CCR2004-1G-12S+2XS", "router", "routeros", "7.15.3"),
    ("Cisco", "Catalyst 9200L-24P-4G", "switch", "cisco_ios", "17.9.4"),
    ("Ubiquiti", "airFiber 60 LR", "radio", "airos", "2.6.4"),
    ("", "", "server", "linux", "Debian GNU/Linux 12 (bookworm), kernel 6.1.0-21-amd64"),
)
LISTS = (
    Denominator("opd", 31, "2017–2019", "daftar OPD"),
    Denominator("kecamatan", 29, "2025", "Kepmendagri"),
    Denominator("rsud", 4, "2022", "berita"),
    Denominator("puskesmas", 44, "2016", "berita"),
)


def seen_of(i: int) -> Seen:
    """Every eleventh device is down, every thirteenth not observed."""
    return Seen.down if i % 11 == 0 else Seen.unobserved if i % 13 == 0 else Seen.up


def device(i: int) -> Device:
    """Return the i-th device."""
    maker, model, role, platform, version = MODELS[i % len(MODELS)]
    return Device(
        id=i,
        name=f"{role}-{PLACES[i % 29].lower().replace(' ', '-')}-{i:03}",
        role=role,
        maker=maker,
        model=model,
        platform=platform,
        version=version,
        agency=f"Kecamatan {PLACES[i % 29]}",
        kecamatan=PLACES[i % 29],
        snmp="" if role == "server" else "2c" if i % 5 == 0 else "3",
        serial=f"SN{i:05}",
        seen_serial=f"SN{i + (i % 40 == 7):05}",
        seen=seen_of(i),
        degraded=i % 17 == 0,
        past=maker == "Cisco",
        end_of_sale=UNTIL.date() - timedelta(days=100) if maker == "Cisco" else None,
        last_seen=None if seen_of(i) is Seen.unobserved else UNTIL - timedelta(minutes=2),
    )


def spans(i: int) -> list[Span]:
    """Devices are watched for 29 of 30 days; some were down for a while."""
    start = SINCE + timedelta(days=1)
    if seen_of(i) is Seen.unobserved:
        return []
    a, b = start + timedelta(days=i % 20), start + timedelta(days=i % 20, hours=i % 9)
    cut = [Span(i, start, a, Seen.up), Span(i, a, b, Seen.down), Span(i, b, UNTIL, Seen.up)]
    last = [
        Span(i, start, UNTIL - timedelta(hours=5), Seen.up),
        Span(i, UNTIL - timedelta(hours=5), UNTIL, Seen.down),
    ]
    return [s for s in (last if seen_of(i) is Seen.down else cut) if s.end > s.start]


def connection(i: int) -> Connection:
    """Return the i-th connection; every seventh has too few measurements, every twelfth no contract."""
    committed = (20, 50, 100, 200)[i % 4] * 10**6
    bins = 5 if i % 7 == 0 else 600
    wave = [committed * (0.25 + (i % 30) / 60 + 0.2 * math.sin(k / 45)) for k in range(bins)]
    bare = i % 12 == 5
    return Connection(
        name=f"wan-{i:03}",
        agency=f"Kecamatan {PLACES[i % 29]}" if i < 29 else f"Dinas Nomor {i}",
        kecamatan=PLACES[i % 29],
        provider="" if bare else "PT Serat Ilustrasi",
        device_id=i + 1,
        contract="" if bare else f"027/{100 + i % 9}/SPK-KOMINFO/2026",
        medium="fibre",
        down_bps=None if bare else committed,
        up_bps=None if bare else committed // 2,
        usage=Usage(300, tuple(wave), tuple(w / 5 for w in wave), SINCE, UNTIL, f"interface {i}"),
    )


def regency(devices: int = 140, connections: int = 52, *, illustrative: bool = True) -> Facts:
    """Return the whole regency."""
    agencies = [Agency(f"Kecamatan {p}", "kecamatan", kecamatan=p) for p in PLACES]
    agencies += [Agency(f"Dinas Nomor {i}", "opd", kecamatan="Tigaraksa") for i in range(29, 58)]
    contracts = [
        Contract(
            f"027/{100 + i}/SPK-KOMINFO/2026",
            "PT Serat Ilustrasi",
            "internet",
            SINCE.date(),
            UNTIL.date() + timedelta(days=30 * i - 40),
            10**8,
            5 * 10**7,
            99.5,
        )
        for i in range(9)
    ]
    alerts = [
        Alert(
            i,
            device(11 * i).name,
            "critical" if i % 2 else "warning",
            "Tidak menjawab tiga kali berturut-turut; terakhir menjawab lima jam yang lalu.",
            UNTIL - timedelta(hours=i),
        )
        for i in range(1, 9)
    ]
    jobs = [
        Job(1, "plan", "ok", UNTIL - timedelta(hours=3), UNTIL, "baseline", 3, 3, 3, 0),
        Job(2, "apply", "partial", UNTIL - timedelta(hours=2), UNTIL, "baseline", 3, 2, 2, 1),
    ]
    return Facts(
        since=SINCE,
        until=UNTIL,
        illustrative=illustrative,
        devices=tuple(device(i) for i in range(1, devices + 1)),
        agencies=tuple(agencies),
        contracts=tuple(contracts),
        connections=tuple(connection(i) for i in range(connections)),
        spans=tuple(s for i in range(1, devices + 1) for s in spans(i)),
        alerts=tuple(alerts),
        jobs=tuple(jobs),
        denominators=LISTS,
        places=PLACES,
        polls=41760,
    )
