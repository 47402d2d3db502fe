"""A made-up regency with everything that a report can print: facts, books, an assessment, earlier periods."""

from datetime import date, timedelta
from pathlib import Path

from judged import judged
from regency import SINCE, UNTIL, regency

from report.actions import planned
from report.books import (
    App,
    Bill,
    Books,
    Good,
    Last,
    Listing,
    Matter,
    Met,
    Money,
    Outage,
    Paper,
    Room,
    Served,
    Staff,
    Step,
    Ticket,
)
from report.outlines import outlines

CAUSES = ("link", "power", "upstream", "device", "planned", "unknown")
DAY_S = 86_400.0


def staff() -> tuple[Staff, ...]:
    """Return nine people of three roles."""
    competences = ("infrastruktur", "keamanan", "aplikasi", "data", "arsitektur")
    return tuple(
        Staff(
            ("jaringan", "sistem", "aplikasi")[i % 3],
            "Dinas Komunikasi dan Informatika",
            1.0 if i % 4 else 0.5,
            (competences[i % 5], competences[(i + 1) % 5]),
            (("keamanan", date(2027, 5, 1) if i % 2 else date(2025, 5, 1)),) if i < 5 else (),
            i % 3 == 0,
        )
        for i in range(9)
    )


def bills() -> tuple[Bill, ...]:
    """Return three contracts: one keeps its SLA, one does not, one was not measured."""
    served = tuple(
        Served(
            f"Koneksi {i}",
            f"Kecamatan Contoh {i}",
            0.981 + i / 1000,
            0.99 + i / 1000,
            600.0 * i,
            9000.0,
            3000.0,
            125_000,
        )
        for i in range(4)
    )
    return (
        Bill(
            "Penyedia A",
            "ILUSTRASI-A",
            0.99,
            0.9861,
            0.9954,
            0.999,
            300,
            "prorata",
            33_600.0,
            18_000.0,
            3_600.0,
            2_400.0,
            12_000.0,
            1_250_000,
            served,
        ),
        Bill(
            "Penyedia B",
            "ILUSTRASI-B",
            0.995,
            0.97,
            0.981,
            None,
            300,
            "5%/jam maks 50%",
            50_000.0,
            0.0,
            0.0,
            1_000.0,
            49_000.0,
            7_800_000,
        ),
        Bill("Penyedia C", "ILUSTRASI-C", 0.99, None, None, None, None, "", 0.0, 0.0, 0.0, 0.0, 0.0, None),
    )


def books() -> Books:
    """Return all that is beside the measurements."""
    window_s = (UNTIL - SINCE).total_seconds()
    met = {
        i: Met(window_s * 0.986, window_s * 0.995, window_s * 0.986, window_s * 0.99, window_s)
        for i in range(1, 53)
    }
    return Books(
        staff=staff(),
        money=tuple(
            Money(
                f"ILUSTRASI-{i}",
                f"Penyedia {i}",
                "circuit",
                date(2026, 1, 1),
                date(2026, 12, 31),
                120_000_000 * i,
                10_000_000 * i,
                100_000_000,
                12,
            )
            for i in range(1, 4)
        ),
        goods=tuple(
            Good(
                ("good", "worn", "broken", "")[i % 4],
                date(2014 + i % 13, 3, 1),
                4_000_000,
                True,
                i % 3 > 0,
                i % 2 > 0,
                i < 30,
            )
            for i in range(60)
        ),
        apps=tuple(
            App(
                f"Aplikasi {i}",
                f"Dinas Nomor {i}",
                ("lokal", "pdn", "awan", "")[i % 4],
                (True, False, None)[i % 3],
                1 + i % 3,
                i % 2 > 0,
                i % 2 > 0,
            )
            for i in range(12)
        ),
        rooms=(
            Room("Ruang server", "server", "Gedung Kominfo", 14, 2, 36.0),
            Room("Command center", "command", "Gedung Kominfo", 3),
        ),
        papers=tuple(
            Paper(
                f"bukti-{i}",
                "sop_insiden",
                f"Prosedur {i}",
                date(2026, 1 + i, 1),
                "Kepala Dinas",
                "abcdef"[i] * 64,
                date(2026, 6 + i, 1),
            )
            for i in range(6)
        ),
        outages=tuple(
            Outage(
                f"gangguan-{i}",
                f"Kantor Kecamatan {i % 7}",
                SINCE + timedelta(days=i),
                None if i == 11 else SINCE + timedelta(days=i, hours=1 + i),
                CAUSES[i % 6],
            )
            for i in range(12)
        ),
        tickets=tuple(
            Ticket(
                1 + i % 3,
                SINCE + timedelta(days=i),
                SINCE + timedelta(days=i, minutes=20),
                SINCE + timedelta(days=i, hours=5),
            )
            for i in range(8)
        ),
        bills=bills(),
        listings=(
            Listing(
                "KIB-B",
                "KARTU INVENTARIS BARANG (KIB) B",
                (("No.", 5, True), ("Nama barang", 20, False), ("Tahun", 8, True)),
                tuple((i, f"Router {i}", 2020) for i in range(1, 30)),
                31,
            ),
        ),
        priced=True,
        met=met,
    )


def matter(lang: str = "id") -> Matter:
    """Return the whole."""
    shapes, source = outlines("36.03")
    before = judged(4, lang)
    steps = tuple(Step(f"2026-{i:02}", 2.0 + i / 10, 1.7 + i / 10, 2.6 + i / 10) for i in range(6, 11))
    return Matter(
        facts=regency(),
        books=books(),
        judged=judged(0, lang),
        actions=planned(Path("/nonexistent")),
        label="2026-11",
        before=steps,
        last=Last("2026-10", before.index.value, {r.id: r.level for r in before.rows}),
        outlines=shapes,
        outlines_source=source,
    )
