"""The letter to a provider, with what was measured and what is claimed: A4, Indonesian, as the regency signs it.

Everything printed stands in claim.json, which Typst reads as data and which is attached to the PDF; the only clock is
the date of the letter, so that the same measurements make the same bytes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.uptimes import Kind
from report.bast import day
from report.claim import Claim, ContractClaim, Event, LineClaim
from report.glyphs import printable
from report.numbers import MONTHS, mbps, number, span
from report.render import letter_pages, letter_pdf
from report.terbilang import LIMIT, terbilang
from siaga.clock import JAKARTA
from siaga.settings import Custody

SCHEMA = "siaga-claim-1"
NONE = "–"
_CAUSES = {
    "": "belum ditetapkan",
    "unknown": "belum diketahui",
    "link": "saluran",
    "power": "listrik",
    "device": "perangkat",
    "planned": "terencana",
    "upstream": "jaringan penyedia",
}
_WHY = {"": "ya", "short": "tidak: di bawah batas", "excused": "tidak: bukan tanggung jawab penyedia"}
_SUMMARY = (
    "Kontrak",
    "Sambungan",
    "Dijanjikan",
    "Terukur",
    "Menurut penyedia",
    "Menit klaim",
    "Nilai klaim (Rp)",
)
_LINES = (
    "Sambungan", "Ketersediaan (SLA)", "Dialami pengguna", "Turun", "Dikecualikan", "Pemeliharaan", "Teramati",
    "p95 turun / naik (Mbps)", "Komitmen (Mbps)",
)  # fmt: skip
_EVENTS = ("No.", "Sambungan", "Mulai", "Selesai", "Lama", "Penyebab", "Diklaim", "Bukti")

_OBJECTION = (
    "Mohon nilai klaim tersebut diperhitungkan sebagai pengurang tagihan berikutnya. Bila Saudara memiliki hasil"
    " pengukuran yang berbeda, mohon disampaikan beserta datanya dalam waktu yang ditetapkan kontrak."
)
_CLOSING = (_OBJECTION, "Demikian disampaikan, atas perhatian dan kerja samanya diucapkan terima kasih.")


@dataclass(frozen=True)
class Letter:
    """What is on a letter beside the claim. `signer`: name, NIP and position; empty ones are left to fill in."""

    dated: date
    number: str = ""
    signer: tuple[str, str, str] = ("", "", "")
    zone: str = JAKARTA


def document(claim: Claim, letter: Letter, head: Custody, unit: str) -> bytes:
    """Return claim.json: everything that the PDF prints, with the raw figures beside; UTF-8, stable."""
    to = printable(claim.provider.title or claim.provider.name)
    tree = {
        "schema": SCHEMA,
        "lang": "id",
        "dated": letter.dated.isoformat(),
        "figures": _figures(claim),
        "heading": [
            f"PEMERINTAH {printable(head.regency).upper()}",
            printable(unit).upper(),
            printable(head.place),
        ],
        "title": f"Klaim Gangguan Layanan {_period(claim, letter)}",
        "place_date": f"{printable(head.place)}, {day(letter.dated)}",
        "facts": [
            ["Nomor", printable(letter.number) or "……………………"],
            ["Lampiran", "satu berkas data (claim.json)"],
            ["Hal", f"Klaim gangguan layanan {_period(claim, letter)}"],
        ],
        "to": ["Kepada Yth.", f"Pimpinan {to}", *_account(claim), "di tempat"],
        "opening": _opening(claim, letter, to),
        "summary": {
            "title": "Ringkasan per kontrak",
            "columns": list(_SUMMARY),
            "rows": [_summary(c) for c in claim.contracts],
        },
        "lines": {
            "title": "Hasil pengukuran per sambungan",
            "columns": list(_LINES),
            "rows": list(_lines(claim)),
        },
        "events": {
            "title": "Daftar gangguan",
            "columns": list(_EVENTS),
            "rows": list(_events(claim, letter.zone)),
            "empty": "Tidak ada gangguan yang teramati dalam periode ini.",
        },
        "rules": {"title": "Cara menghitung", "items": list(_rules(claim))},
        "total": _total(claim),
        "closing": list(_CLOSING),
        "signature": _signature(letter),
        "page_label": "Halaman",
        "of_label": "dari",
    }
    return (json.dumps(tree, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _period(claim: Claim, letter: Letter) -> str:
    zone = ZoneInfo(letter.zone)
    start, last = claim.start.astimezone(zone), (claim.end - timedelta(seconds=1)).astimezone(zone)
    if start.day == 1 and (start.year, start.month) == (last.year, last.month):
        return f"periode {MONTHS['id'][start.month - 1]} {start.year}"
    return f"periode {day(start.date())} s.d. {day(last.date())}"


def _account(claim: Claim) -> list[str]:
    account = printable(claim.provider.account)
    return [f"Nomor pelanggan {account}"] if account else []


def _opening(claim: Claim, letter: Letter, to: str) -> str:
    zone = ZoneInfo(letter.zone)
    start, last = claim.start.astimezone(zone), (claim.end - timedelta(seconds=1)).astimezone(zone)
    contracts = ", ".join(printable(c.contract.name) for c in claim.contracts)
    return (
        f"Sehubungan dengan kontrak nomor {contracts} antara kami dan {to}, bersama ini kami sampaikan hasil pengukuran"
        f" layanan untuk {day(start.date())} pukul {start:%H.%M} s.d. {day(last.date())} pukul {last:%H.%M}"
        f" ({last:%Z}), beserta gangguan yang menurut ketentuan kontrak dapat diklaim."
    )


# --- tables -----------------------------------------------------------------------------------------------


def _summary(one: ContractClaim) -> list[str]:
    c = one.contract
    minutes = sum(k.claimable_ms for k in one.lines)
    return [
        printable(c.name),
        number(len(one.lines)),
        _pct(c.availability_pct, 3),
        _pct(one.sla_pct, 3),
        _pct(c.provider_availability_pct, 3),
        _minutes(minutes),
        _rupiah(one.amount_idr),
    ]


def _lines(claim: Claim) -> Iterator[list[str]]:
    for one in claim.contracts:
        for k in one.lines:
            p = k.parts
            yield [
                printable(k.line.name),
                _pct(p.sla_pct, 3),
                _pct(p.users_pct, 3),
                span(p.met_s - p.met_up_s),
                span(_excused_s(k)),
                span(p.maintenance_s),
                _pct(p.coverage_pct, 2),
                f"{_mbps(k.down.p95_bps)} / {_mbps(k.up.p95_bps)}",
                f"{_mbps(k.line.down_bps)} / {_mbps(k.line.up_bps)}",
            ]


def _excused_s(one: LineClaim) -> float:
    """Return the seconds that users were off and that the contract does not count."""
    return one.parts.of(Kind.excused, Kind.unreachable)


def _events(claim: Claim, zone: str) -> Iterator[list[str]]:
    rows = [(e.start, k.line.name, e) for c in claim.contracts for k in c.lines for e in k.events]
    for line, (_, name, event) in enumerate(sorted(rows, key=lambda r: (r[0], r[1])), 1):
        yield [
            number(line),
            printable(name),
            _stamp(event.start, zone),
            _stamp(event.end, zone) if event.end else "berlangsung",
            span(event.seconds),
            _CAUSES.get(event.cause, event.cause),
            _WHY[event.why],
            _proof(event),
        ]


def _proof(event: Event) -> str:
    parts = [f"{number(event.silent_looks)} pengamatan tanpa jawaban"] if event.silent_looks else []
    if event.changes:
        parts.append(f"perubahan status {', '.join(f'#{i}' for i in event.changes[:6])}")
    if event.outage:
        parts.append(f"catatan gangguan {printable(event.outage)}")
    return "; ".join(parts) or NONE


def _rules(claim: Claim) -> Iterator[str]:
    yield (
        "Setiap pengamatan berlaku sampai pengamatan berikutnya, paling lama tiga putaran. Waktu yang tidak teramati"
        " tidak dihitung sebagai turun maupun sebagai tersedia."
    )
    yield (
        "Ketersediaan (SLA) adalah waktu tersedia dibagi waktu tersedia ditambah waktu turun; pemeliharaan dan gangguan"
        " karena listrik, perangkat, atau pekerjaan terencana dikeluarkan. Dialami pengguna: semua gangguan dihitung."
    )
    for one in claim.contracts:
        c = one.contract
        after = f"gangguan lebih dari {span(c.claim_after_s)}" if c.claim_after_s else "setiap gangguan"
        written = f"“{printable(c.penalty, 300)}”" if c.penalty else "tidak dicatat"
        yield f"Kontrak {printable(c.name)}: {after} dapat diklaim; aturan denda {written}; {_fee(one)}"


def _fee(one: ContractClaim) -> str:
    if one.rule is None:
        return "nilai klaim tidak dihitung oleh sistem dan ditetapkan menurut ketentuan kontrak."
    if one.monthly_idr is None:
        return "harga atau jangka waktu kontrak tidak tercatat, sehingga nilai klaim tidak dihitung."
    share = "tiap sambungan" if one.rule.per_line else "kontrak, dibagi rata atas sambungan di atas"
    return f"biaya bulanan {share}: Rp {number(int(one.monthly_idr))}."


def _total(claim: Claim) -> str:
    minutes = f"Jumlah waktu yang diklaim: {_minutes(claim.claimable_ms)} menit."
    some = [c for c in claim.contracts if c.amount_idr is not None]
    if not some:
        return f"{minutes} Nilainya ditetapkan menurut ketentuan kontrak."
    words = f" ({terbilang(claim.amount_idr)} rupiah)" if claim.amount_idr < LIMIT else ""
    rest = " Kontrak yang nilainya tidak dihitung belum termasuk." if len(some) < len(claim.contracts) else ""
    return f"{minutes} Jumlah nilai klaim: Rp {number(claim.amount_idr)}{words}.{rest}"


def _signature(letter: Letter) -> dict[str, str]:
    name, nip, position = (printable(part) for part in letter.signer)
    return {
        "role": f"{position or 'Kepala Dinas'},",
        "name": name or "……………………………………",
        "nip": f"NIP {nip}" if nip else "NIP ………………………………",
    }


# --- figures ----------------------------------------------------------------------------------------------


def _figures(claim: Claim) -> dict[str, object]:
    """Return the raw figures: seconds, percent, bits per second, whole rupiah, times in UTC."""
    return {
        "provider": claim.provider.name,
        "start": claim.start.isoformat(),
        "end": claim.end.isoformat(),
        "claimable_s": claim.claimable_ms / 1000,
        "amount_idr": claim.amount_idr,
        "lines_without_device": claim.mute,
        "contracts_not_running": list(claim.idle),
        "contracts": [
            {
                "contract": c.contract.name,
                "promised_pct": c.contract.availability_pct,
                "measured_pct": c.sla_pct,
                "provider_pct": c.contract.provider_availability_pct,
                "claim_after_s": c.contract.claim_after_s,
                "penalty": c.contract.penalty,
                "monthly_idr": None if c.monthly_idr is None else float(c.monthly_idr),
                "amount_idr": c.amount_idr,
                "lines": [_line_figures(k) for k in c.lines],
            }
            for c in claim.contracts
        ],
    }


def _line_figures(one: LineClaim) -> dict[str, object]:
    p = one.parts
    return {
        "name": one.line.name,
        "sla_pct": p.sla_pct,
        "users_pct": p.users_pct,
        "coverage_pct": p.coverage_pct,
        **{f"{k.name}_s": p.of(k) for k in Kind},
        "window_s": p.total_s,
        "p95_down_bps": one.down.p95_bps,
        "p95_up_bps": one.up.p95_bps,
        "claimable_s": one.claimable_ms / 1000,
        "amount_idr": one.amount_idr,
        "outages": [
            {
                "start": e.start.isoformat(),
                "end": e.end.isoformat() if e.end else None,
                "seconds_in_period": e.seconds,
                "seconds": e.whole_s,
                "cause": e.cause,
                "outage": e.outage,
                "claimable_s": e.claimable_ms / 1000,
                "state_changes": list(e.changes),
                "silent_looks": e.silent_looks,
            }
            for e in one.events
        ],
    }


def _pct(value: float | None, decimals: int) -> str:
    """Return a percentage that is never rounded up to all."""
    if value is None:
        return NONE
    most = 100 - 10**-decimals
    return f"{number(value if value == 100 else min(value, most), decimals)}%"


def _minutes(ms: int) -> str:
    return number(ms / 60_000, 1)


def _rupiah(value: int | None) -> str:
    return "menurut kontrak" if value is None else number(value)


def _mbps(bps: float | None) -> str:
    return NONE if bps is None else mbps(bps, 1)


def _stamp(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%d-%m-%Y %H.%M.%S}"


def as_pdf(data: bytes) -> bytes:
    """Return the PDF of a claim.json, which is attached to it."""
    return letter_pdf("claim.typ", "claim.json", data)


def as_pages(data: bytes, ppi: float = 80) -> list[bytes]:
    """Return each page as PNG, to look at."""
    return letter_pages("claim.typ", "claim.json", data, ppi)
