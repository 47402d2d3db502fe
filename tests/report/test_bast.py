"""The BAST on paper: what it says, that it stays so, and that nothing anybody typed becomes more than text."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from inventory import store
from inventory.custody_record import Bast, Goods, Party, recorded
from inventory.goods_commands import asset_value, due
from inventory.history import Author
from inventory.stocktake_commands import stocktake_app
from inventory.writing import Writer
from report.bast import as_pages, as_pdf, bast_pdf, day_in_words, document
from report.bast_commands import custody_app
from report.terbilang import LIMIT, terbilang
from siaga.errors import InvalidError, NotFoundError, PartialError, SiagaError, UsageError
from siaga.outcome import Format, Outcome
from siaga.render import render
from siaga.settings import Custody, Settings
from tests.homes import prepare

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ANI = Party("Ani Wijaya", "198001012005012001", "Pengurus Barang", "Dinas Komunikasi dan Informatika")
BUDI = Party("Budi Santoso", "198502022010011002", "Kasi Jaringan", "Kecamatan Mauk")
CITRA = Party("Citra Lesmana", "197003031995031003", "Kepala Dinas", "")
ROUTER = Goods(
    "R/1", "Router", "MikroTik CCR2004", "HB-1", "1.3.2.10.02.04.002", "0001", "3603.1", "B", 1, "unit"
)
HOSTILE = ('#panic("x")', "$ x^2 $", "[link]", "*b*", "<b>&amp;", "{name}", "@ref", "\\", "_i_", "//c", "`r`")


def bast(**more: Any) -> Bast:
    plain: dict[str, Any] = {
        "number": "001/BAST/DISKOMINFO/XI/2026",
        "kind": "handover",
        "status": "draft",
        "dated": date(2026, 11, 24),
        "due": None,
        "reason": "Pemindahan kantor",
        "giver": ANI,
        "taker": BUDI,
        "known_by": None,
        "from_place": "Gudang",
        "to_place": "Kantor Mauk",
        "goods": (ROUTER,),
        "sha256": "",
        "agencies": {"DISKOMINFO": "Dinas Komunikasi dan Informatika"},
    }
    return Bast(**{**plain, **more})


def pages(data: bytes) -> list[str]:
    """Return the text of each page of the PDF, without the breaks inside long words."""
    reader = pypdf.PdfReader(io.BytesIO(as_pdf(data)))
    return [p.extract_text().replace("\u200b", "") for p in reader.pages]


def said(data: bytes) -> str:
    return " ".join(" ".join(pages(data)).split())


# --- words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "nol"),
        (10, "sepuluh"),
        (11, "sebelas"),
        (19, "sembilan belas"),
        (21, "dua puluh satu"),
        (100, "seratus"),
        (115, "seratus lima belas"),
        (1000, "seribu"),
        (2026, "dua ribu dua puluh enam"),
        (1_000_000, "satu juta"),
        (21_100_011, "dua puluh satu juta seratus ribu sebelas"),
    ],
)
def test_numbers_in_words(number: int, words: str) -> None:
    assert terbilang(number) == words


_TENS = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")
_DIGITS = {w: n for n, w in enumerate(_TENS)}
_SIZES = {"ribu": 10**3, "juta": 10**6, "miliar": 10**9, "triliun": 10**12}


def understood(words: str) -> int:
    """Return the number that words mean, read from the left as a person does."""
    whole = part = last = 0
    text = words.replace("seribu", "satu ribu").replace("seratus", "satu ratus")
    for word in text.replace("sepuluh", "satu puluh").replace("sebelas", "satu belas").split():
        if word in _DIGITS:
            last = _DIGITS[word]
        elif word in ("belas", "puluh", "ratus"):
            part += 10 + last if word == "belas" else last * (10 if word == "puluh" else 100)
            last = 0
        else:
            whole, part, last = whole + (part + last) * _SIZES[word], 0, 0
    return whole + part + last


@given(st.one_of(st.integers(0, 10_000), st.integers(0, LIMIT - 1)))
def test_every_number_is_understood_again(number: int) -> None:
    assert understood(terbilang(number)) == number


def test_a_day_in_words() -> None:
    said_so = "Selasa, tanggal dua puluh empat, bulan November, tahun dua ribu dua puluh enam (24-11-2026)"
    assert day_in_words(date(2026, 11, 24)) == said_so


@pytest.mark.parametrize("number", [-1, LIMIT])
def test_what_cannot_be_said_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="in words"):
        terbilang(number)


# --- the document


def test_the_document_names_both_parties_the_goods_and_the_day() -> None:
    text = said(document(bast(known_by=CITRA), Custody()))
    for part in (
        "PEMERINTAH KABUPATEN TANGERANG DINAS KOMUNIKASI DAN INFORMATIKA",
        "BERITA ACARA SERAH TERIMA BARANG MILIK DAERAH Nomor: 001/BAST/DISKOMINFO/XI/2026",
        "hari ini, Selasa, tanggal dua puluh empat, bulan November, tahun dua ribu dua puluh enam (24-11-2026)",
        "Nama : Ani Wijaya NIP : 198001012005012001 Jabatan : Pengurus Barang",
        "PIHAK PERTAMA menyerahkan kepada PIHAK KEDUA",
        "Lokasi tujuan : Kantor Mauk",
        "Jumlah seluruhnya: 1 (satu) barang",
        "Tigaraksa, 24 November 2026",
        "Mengetahui, Kepala Dinas",
        "Halaman 1 dari 1",
    ):
        assert part in text
    row = (
        "1",
        "Router",
        "MikroTik CCR2004",
        "HB-1",
        "1.3.2.10.02.04.002",
        "Reg. 0001",
        "NIBAR 3603.1",
        "Baik",
        "1 unit",
    )
    assert " ".join(row) in text


@pytest.mark.parametrize(
    ("kind", "due_on", "words"),
    [
        ("loan", date(2026, 12, 24), "Dipinjam sampai dengan : 24 Desember 2026"),
        ("return", None, "PIHAK PERTAMA mengembalikan kepada PIHAK KEDUA"),
        ("handover", None, "menyerahkan"),
    ],
)
def test_each_kind_has_its_own_words(kind: str, due_on: date | None, words: str) -> None:
    assert words in said(document(bast(kind=kind, due=due_on), Custody()))


def test_a_cancelled_one_says_so() -> None:
    assert "DIBATALKAN" in said(document(bast(status="cancelled"), Custody()))
    assert "DIBATALKAN" not in said(document(bast(status="signed"), Custody()))


def test_many_goods_go_over_pages_each_with_the_heading_of_the_table() -> None:
    goods = tuple(
        Goods(f"R/{n}", f"Router {n}", "X", f"SN{n:05}", "", "", "", "RR", 2, "unit") for n in range(120)
    )
    found = pages(document(bast(goods=goods), Custody()))
    assert len(found) > 3
    assert all("Nama Barang" in page for page in found[:-1])
    assert all(f"Halaman {n} dari {len(found)}" in page for n, page in enumerate(found, 1))
    assert all(f"SN{n:05}" in "".join(found) for n in range(120))
    assert "Jumlah seluruhnya: 240 (dua ratus empat puluh) barang" in found[-1]
    assert "PIHAK KEDUA," in found[-1]
    assert "Demikian" in found[-1]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(text: str) -> None:
    party = Party(text, text, text, text)
    goods = Goods(text, text, text, text, text, text, text, "", 1, text)
    made = bast(giver=party, taker=party, known_by=party, from_place=text, reason=text, goods=(goods,))
    joined = "".join(said(document(made, Custody(unit=text, place=text))).split())
    assert joined.count("".join(text.split())) >= 10


def test_what_the_font_lacks_is_a_box_and_nothing_breaks_out() -> None:
    wild = "日本\x1b[31m‮x" + "W" * 400
    made = bast(
        number=f"001/{'X' * 110}", giver=Party(wild, wild, wild, wild), reason=wild * 9, goods=(ROUTER,) * 3
    )
    assert "□□[31mx" in "".join(pages(document(made, Custody(regency=wild))))
    assert as_pages(document(made, Custody()))


def test_the_same_record_makes_the_same_bytes_tagged_with_its_data_inside() -> None:
    data = document(bast(), Custody())
    pdf = as_pdf(data)
    assert pdf == as_pdf(data)
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert reader.attachments["bast.json"] == [data]
    assert json.loads(data)["schema"] == "siaga-bast-1"
    assert reader.metadata is not None
    assert (
        reader.metadata.title == "Berita Acara Serah Terima Barang Milik Daerah 001/BAST/DISKOMINFO/XI/2026"
    )
    assert "/StructTreeRoot" in reader.trailer["/Root"]
    xmp = reader.trailer["/Root"]["/Metadata"].get_object().get_data()
    assert b"pdfuaid" in xmp
    fonts = {
        str(f) for p in reader.pages for f in p["/Resources"]["/Font"].values() for f in [f["/BaseFont"]]
    }
    assert fonts
    assert all("Inter" in f for f in fonts)


def test_no_sentence_and_no_digit_of_the_text_is_typed_in_the_template() -> None:
    template = (Path(document.__code__.co_filename).parent / "templates" / "bast.typ").read_text(
        encoding="utf-8"
    )
    words = {"Halaman", "PIHAK", "Nomor", "Mengetahui", "Nama", "dari"}
    assert not [w for w in words if f'"{w}' in template or f"[{w}" in template]


# --- commands

ROWS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("place", {"name": "Mauk", "kind": "site"}),
    ("place", {"name": "Gudang", "kind": "site"}),
    ("agency", {"name": "DISKOMINFO", "title": "Dinas Komunikasi dan Informatika"}),
    ("person", {"name": "Ani", "agency": "DISKOMINFO"}),
    ("person", {"name": "Budi"}),
    ("asset", {"name": "R/1", "title": "Router", "serial": "HB1", "custodian": "Ani", "place": "Gudang",
               "kode_barang": "1.3.2.10.02.04.002", "acquired": "2024-02-01", "price_idr": "8000"}),
    ("asset", {"name": "R/2", "title": "Switch", "custodian": "Ani", "place": "Gudang", "kode_barang": "9.9"}),
)  # fmt: skip


@pytest.fixture
def engine(scrubbed: Path) -> Any:
    """An inventory with two assets, found by the commands through SIAGA_HOME."""
    settings = Settings(home=scrubbed)
    prepare(settings)
    opened: Engine = store.open_engine(settings)
    with store.session(opened) as session:
        writer = Writer(session, Author("ani", NOW))
        for noun, values in ROWS:
            writer.put(noun, values)
        writer.finish()
    yield opened
    opened.dispose()


def app() -> typer.Typer:
    whole = typer.Typer()
    whole.add_typer(custody_app())
    whole.add_typer(stocktake_app)
    whole.command("value")(asset_value)
    whole.command("due")(due)
    return whole


def run(*arguments: object) -> Outcome:
    found = typer.main.get_command(app()).main([str(a) for a in arguments], "siaga", standalone_mode=False)
    assert isinstance(found, Outcome)
    return found


def only(outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.rows is not None
    (row,) = outcome.rows
    return row


NUMBER = "001/BAST/DISKOMINFO/XI/2026"


def test_an_office_move_from_handover_to_the_signed_document(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "bast.pdf"
    row = only(run("custody", "handover", "place=Gudang", "--to", "Budi", "--place", "Mauk", "--date", "2026-11-24",
                   "--condition", "B", "--condition", "R/2=rr", "--known-by", "Ani", "--out", out))  # fmt: skip
    assert (row["number"], row["from"], row["to"], row["assets"]) == (NUMBER, "Ani", "Budi", 2)
    first = out.read_bytes()
    with store.session(engine) as session:
        writer = Writer(session, Author("ani", NOW))
        writer.put("asset", {"name": "R/1", "serial": "CHANGED", "custodian": "Ani"})
        writer.set("person", writer.ids("person")["Ani"], {"name": "Ani Baru", "nip": "1"})
        writer.finish()
    again = tmp_path / "again.pdf"
    assert only(run("custody", "bast", NUMBER, "--out", again))["assets"] == 2
    assert again.read_bytes() == first
    run("custody", "sign", NUMBER, "--file", out, "--date", "2026-11-25")
    shown = only(run("custody", "show", NUMBER, "-o", "json"))
    assert (shown["status"], shown["sha256"]) == ("signed", hashlib.sha256(first).hexdigest())
    assert [g["condition"] for g in shown["goods"]] == ["B", "RR"]
    run("custody", "bast", NUMBER, "--out", again)
    assert again.read_bytes() == first
    listed = run("custody", "list", "-o", "json").rows
    assert listed is not None
    assert [(r["name"], r["status"]) for r in listed] == [(NUMBER, "signed")]
    history = run("custody", "history", NUMBER).rows
    assert history is not None
    assert [h["action"] for h in history] == ["add", "set"]
    assert NUMBER in render(run("custody", "show", NUMBER))


def test_a_dry_run_shows_the_number_and_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    done = run("custody", "loan", "R/1", "--to", "Budi", "--due", "2027-01-01", "--date", "2026-11-24", "--dry-run",
               "--out", tmp_path / "x.pdf")  # fmt: skip
    assert "Dry run: the BAST would be 001/BAST/DISKOMINFO/XI/2026; nothing was written." in done.messages
    assert "+ custody 001/BAST" in render(done)
    assert not (tmp_path / "x.pdf").exists()
    assert run("custody", "list").rows == []


def test_a_loan_and_its_return_and_the_days_between(engine: Engine) -> None:
    run("custody", "loan", "R/1", "--to", "Budi", "--due", "2026-12-24", "--date", "2026-11-24")
    late = run("due", "--at", "2027-01-01", "--fail", "-o", "json")
    assert late.exit_code == 6
    assert (only(late)["kind"], only(late)["severity"], only(late)["days"]) == ("loan", "critical", -8)
    line = run("due", "--at", "2027-01-01", "--fail", "--quiet")
    assert (line.exit_code, render(line).count("\n")) == (6, 1)
    row = only(run("custody", "return", "R/1", "--date", "2027-01-02"))
    assert (row["number"], row["to"], row["to_place"]) == ("001/BAST/DISKOMINFO/I/2027", "Ani", "Gudang")
    assert run("due", "--at", "2027-01-02", "--fail").exit_code == 0


def test_cancelling_sets_back_and_is_printed_on_the_document(engine: Engine, tmp_path: Path) -> None:
    run("custody", "handover", "R/1", "--to", "Budi", "--date", "2026-11-24")
    run("custody", "cancel", NUMBER, "--reason", "salah orang", "--dry-run")
    assert only(run("custody", "show", NUMBER))["status"] == "draft"
    assert "rows set back: 1" in run("custody", "cancel", NUMBER, "--reason", "salah orang").messages[0]
    out = tmp_path / "bast.pdf"
    run("custody", "bast", NUMBER, "--out", out)
    assert "DIBATALKAN" in pypdf.PdfReader(out).pages[0].extract_text()


@pytest.mark.parametrize(
    ("arguments", "error", "code"),
    [
        (["handover", "R/9", "--to", "Budi"], NotFoundError, "nothing-selected|bad-selector"),
        (["handover", "R/1", "--to", "Budi", "--out", "x.txt"], UsageError, "not-a-pdf"),
        (["handover", "R/1", "--to", "Budi", "--out", "/no/where/x.pdf"], NotFoundError, "no-such-directory"),
        (["handover", "R/1", "--to", "Budi", "--date", "kemarin"], UsageError, "bad-date"),
        (["handover", "R/1", "--to", "Budi", "--place", "Mars"], InvalidError, "bad-values"),
        (["handover", "R/1", "--to", "Ani"], InvalidError, "custody-refused"),
        (["bast", "9/X", "--out", "x.pdf"], NotFoundError, "no-such-custody"),
        (["sign", "9/X", "--file", "none"], NotFoundError, "no-such-file"),
        (["cancel", "9/X", "--reason", "r"], NotFoundError, "no-such-custody"),
        (["show", "9/X"], NotFoundError, "no-such-custody"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_nothing_is_written(
    engine: Engine, arguments: list[str], error: type[SiagaError], code: str
) -> None:
    with pytest.raises(SiagaError) as caught:
        run("custody", *arguments)
    assert caught.value.code in code.split("|")
    assert code != "nothing-selected" or isinstance(caught.value, error)
    assert run("custody", "list").rows == []


def test_a_bast_that_cannot_be_printed_is_recorded_and_says_so(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "taken.pdf").mkdir()
    with pytest.raises(PartialError, match=f"bast-not-printed: {NUMBER} is recorded"):
        run(
            "custody",
            "handover",
            "R/1",
            "--to",
            "Budi",
            "--date",
            "2026-11-24",
            "--out",
            tmp_path / "taken.pdf",
        )
    with store.reading(engine) as session:
        assert recorded(session, NUMBER).taker.name == "Budi"


def test_a_number_that_is_not_there_prints_nothing(engine: Engine, scrubbed: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no-such-custody"):
        bast_pdf(Settings(home=scrubbed), "x", tmp_path / "x.pdf")
    assert not (tmp_path / "x.pdf").exists()


class Scanner(io.TextIOWrapper):
    """Standard input with a scanner at the other end."""

    def __init__(self, lines: bytes) -> None:
        super().__init__(io.BytesIO(lines))


def test_a_stock_take_from_scanner_to_csv(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "assets expected: 2" in run("stocktake", "start", "opname", "--place", "Gudang").messages[0]
    monkeypatch.setattr("sys.stdin", Scanner(b"hb1\r\nGHOST\n\n\xff\xfe\n"))
    done = run("stocktake", "seen", "opname", "--condition", "B")
    assert [r["asset"] for r in done.rows or []] == ["R/1"]
    assert "GHOST is on no asset: kept as unknown." in done.messages
    status = run("stocktake", "status", "opname", "--state", "not-found", "-o", "name")
    assert [r["asset"] for r in status.rows or []] == ["R/2"]
    assert run("stocktake", "observe", "opname").messages == ["Seen by their serials, newly or again: 0."]
    ended = run("stocktake", "end", "opname", "-o", "csv")
    assert "1 found, 1 not-found, 2 unknown." in ended.messages
    assert render(ended).splitlines()[0].startswith("asset,title,serial,state,place,seen_place")
    with pytest.raises(InvalidError, match="stocktake-ended"):
        run("stocktake", "seen", "opname", "R/2")
    with pytest.raises(UsageError, match="no-such-state"):
        run("stocktake", "status", "opname", "--state", "gone")


def test_values_with_their_sums_and_the_codes_nobody_knows(engine: Engine) -> None:
    done = run("value", "--on", "2026-11-24", "-o", "json")
    worth = {r["asset"]: (r["book_value_idr"], r["missing"]) for r in done.rows or []}
    assert worth == {"R/1": (3000, ""), "R/2": (None, "no price")}
    assert any("9.9 is not in the table" in m for m in done.messages)
    assert (
        "All: 2 assets, price 8000, accumulated 5000, book value 3000 rupiah; without a value: 1."
        in done.messages
    )
    sums = run("value", "--on", "2026-11-24", "--total", "-o", "json").rows or []
    assert [(s["group"], s["book_value_idr"]) for s in sums] == [("", 0), ("1.3.2.10.02", 3000)]
    chosen = run("value", "kode_barang=9.9").rows or []
    assert [r["asset"] for r in chosen] == ["R/2"]


@pytest.mark.parametrize("text", ["soon", "-3", "90y", ""])
def test_a_span_that_is_none_is_refused(engine: Engine, text: str) -> None:
    with pytest.raises(UsageError, match="bad-span"):
        run("due", f"--within={text}")


def test_nothing_due_is_one_line(engine: Engine) -> None:
    quiet = run("due", "--within", "12w", "--quiet", "--fail")
    assert (render(quiet), quiet.exit_code, quiet.format) == (
        "Nothing is due within 84 days.\n",
        0,
        Format.table,
    )
