"""A BAST as a document: berita acara serah terima, the record that goods changed hands, on A4 for signature.

The text is Indonesian, as the regency signs it. Everything printed stands in bast.json, which Typst reads as data
and which is attached to the PDF; the only clock is the document's own date, so that it is printed again alike.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from inventory import store
from inventory.custody_record import Bast, Goods, Party, recorded
from inventory.exports.files import whole
from report.glyphs import printable
from report.numbers import MONTHS, number
from report.render import letter_pages, letter_pdf
from report.terbilang import LIMIT, terbilang
from siaga.settings import Custody, Settings

SCHEMA = "siaga-bast-1"
NONE = "–"
_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_CONDITIONS = {"B": "Baik", "RR": "Rusak Ringan", "RB": "Rusak Berat"}
_FIRST, _SECOND = "PIHAK PERTAMA", "PIHAK KEDUA"


@dataclass(frozen=True)
class Kind:
    """The words of one kind of BAST. `deed`: what the first party does; `after`: what holds from then on."""

    title: str
    deed: str
    after: str


_KINDS = {
    "handover": Kind(
        "Berita Acara Serah Terima Barang Milik Daerah",
        f"{_FIRST} menyerahkan kepada {_SECOND}, dan {_SECOND} menerima dari {_FIRST}, barang milik daerah"
        " sebagai berikut:",
        "Sejak berita acara ini ditandatangani, tanggung jawab atas penggunaan, pengamanan, dan pemeliharaan"
        f" barang tersebut beralih dari {_FIRST} kepada {_SECOND}.",
    ),
    "loan": Kind(
        "Berita Acara Peminjaman Barang Milik Daerah",
        f"{_FIRST} meminjamkan kepada {_SECOND}, dan {_SECOND} menerima sebagai pinjaman dari {_FIRST}, barang milik"
        " daerah sebagai berikut:",
        f"Selama masa peminjaman {_SECOND} bertanggung jawab atas barang tersebut dan wajib mengembalikannya dalam"
        " keadaan seperti saat diterima.",
    ),
    "return": Kind(
        "Berita Acara Pengembalian Barang Milik Daerah",
        f"{_FIRST} mengembalikan kepada {_SECOND}, dan {_SECOND} menerima kembali dari {_FIRST}, barang milik daerah"
        " sebagai berikut:",
        f"Sejak berita acara ini ditandatangani, tanggung jawab {_FIRST} atas barang tersebut berakhir.",
    ),
}
_CLOSING = "Demikian berita acara ini dibuat dengan sebenarnya untuk dipergunakan sebagaimana mestinya."
_COLUMNS = ("No.", "Nama Barang", "Merk/Tipe", "Nomor Seri", "Kode Barang / NIBAR", "Kondisi", "Jumlah")


def day_in_words(on: date) -> str:
    """Return `Selasa, tanggal dua puluh empat, bulan November, tahun dua ribu dua puluh enam (24-11-2026)`."""
    return (
        f"{_DAYS[on.weekday()]}, tanggal {terbilang(on.day)}, bulan {MONTHS['id'][on.month - 1]}, tahun"
        f" {terbilang(on.year)} ({on:%d-%m-%Y})"
    )


def day(on: date) -> str:
    """Return `24 November 2026`."""
    return f"{on.day} {MONTHS['id'][on.month - 1]} {on.year}"


def document(bast: Bast, custody: Custody) -> bytes:
    """Return bast.json: everything that the PDF prints; UTF-8, stable."""
    kind = _KINDS[bast.kind]
    place = printable(custody.place)
    tree = {
        "schema": SCHEMA,
        "lang": "id",
        "dated": bast.dated.isoformat(),
        "heading": _heading(bast, custody),
        "title": kind.title,
        "number_label": "Nomor",
        "number": printable(bast.number),
        "cancelled": "DIBATALKAN" if bast.status == "cancelled" else "",
        "opening": f"Pada hari ini, {day_in_words(bast.dated)}, bertempat di {place}, kami yang bertanda tangan di"
        " bawah ini:",
        "parties": [
            _party(bast.giver, f"yang menyerahkan, selanjutnya disebut {_FIRST}"),
            _party(bast.taker, f"yang menerima, selanjutnya disebut {_SECOND}"),
        ],
        "deed": kind.deed,
        "columns": list(_COLUMNS),
        "goods": [_goods(n, g) for n, g in enumerate(bast.goods, 1)],
        "total": f"Jumlah seluruhnya: {_counted(sum(g.quantity for g in bast.goods))} barang",
        "facts": _facts(bast),
        "closing": [
            kind.after,
            _CLOSING,
        ],
        "signatures": _signatures(bast, place),
        "page_label": "Halaman",
        "of_label": "dari",
    }
    return (json.dumps(tree, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _heading(bast: Bast, custody: Custody) -> list[str]:
    """Return the lines of the kop: the government, the unit, and where it sits."""
    unit = bast.agencies.get(custody.unit, custody.unit)
    return [
        f"PEMERINTAH {printable(custody.regency).upper()}",
        printable(unit).upper(),
        printable(custody.place),
    ]


def _party(party: Party, called: str) -> dict[str, object]:
    rows = (("Nama", party.name), ("NIP", party.nip), ("Jabatan", party.position), ("Unit Kerja", party.unit))
    return {"rows": [[label, printable(value) or NONE] for label, value in rows], "called": called}


def _goods(line: int, goods: Goods) -> list[list[str]]:
    """Return the cells of a row, each as lines."""
    codes = [printable(goods.kode_barang), _labelled("Reg.", goods.register), _labelled("NIBAR", goods.nibar)]
    return [
        [number(line)],
        [printable(goods.title or goods.asset, 255)],
        [printable(goods.make) or NONE],
        [printable(goods.serial) or NONE],
        [c for c in codes if c] or [NONE],
        [_CONDITIONS.get(goods.condition, NONE)],
        [f"{number(goods.quantity)} {printable(goods.unit, 20)}".strip()],
    ]


def _counted(many: int) -> str:
    words = f" ({terbilang(many)})" if 0 <= many < LIMIT else ""
    return f"{number(many)}{words}"


def _labelled(label: str, text: str) -> str:
    return f"{label} {printable(text)}" if text else ""


def _facts(bast: Bast) -> list[list[str]]:
    facts = (
        ("Lokasi asal", printable(bast.from_place)),
        ("Lokasi tujuan", printable(bast.to_place)),
        ("Dipinjam sampai dengan", day(bast.due) if bast.due else ""),
        ("Keperluan", printable(bast.reason, 1000)),
    )
    return [[label, value] for label, value in facts if value]


def _signatures(bast: Bast, place: str) -> list[dict[str, str]]:
    """Return who signs: the second party on the left, the first on the right, whoever knows of it below."""
    signers = [
        ("", f"{_SECOND},", bast.taker),
        (f"{place}, {day(bast.dated)}", f"{_FIRST},", bast.giver),
    ]
    if bast.known_by is not None:
        signers.append(("Mengetahui,", printable(bast.known_by.position), bast.known_by))
    return [
        {
            "above": above,
            "role": role,
            "name": printable(party.name) or NONE,
            "nip": f"NIP {printable(party.nip)}" if party.nip else "",
        }
        for above, role, party in signers
    ]


def as_pdf(data: bytes) -> bytes:
    """Return the PDF of a bast.json, which is attached to it."""
    return letter_pdf("bast.typ", "bast.json", data)


def as_pages(data: bytes, ppi: float = 80) -> list[bytes]:
    """Return each page as PNG, to look at."""
    return letter_pages("bast.typ", "bast.json", data, ppi)


def bast_pdf(settings: Settings, wanted: str, out: Path) -> Bast:
    """Print the BAST with this number to a file, as it was recorded, and return it.

    Raises NotFoundError (`no-such-custody`), SiagaError (`cannot-write`, `report-not-typeset`).
    """
    with store.reading(store.open_engine(settings)) as session:
        bast = recorded(session, wanted)
    pdf = as_pdf(document(bast, settings.custody))
    with whole(str(out)) as file:
        file.write(pdf)
    return bast
