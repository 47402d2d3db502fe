"""The provider's letter: what is owed by the contract's rule, to the rupiah, and a PDF that says it and stays so."""

import io
import json
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from report.claim_letter import as_pages
from report.claim_service import Order, make, period
from report.penalty import Rule, amount, monthly, months, rule
from siaga.errors import NotFoundError, UsageError
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner
from tests.monitor.line_world import DAY, changed, ids, minute, regency, watched

NOW = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
MONTH_MS = 31 * 86_400_000
TERM: dict[str, Any] = {"price_idr": 120_000_000, "start": "2026-01-01", "end": "2026-12-31"}


def test_rules_are_read_as_contracts_write_them() -> None:
    assert rule("prorata") == Rule("prorata")
    assert rule("Prorata, per sambungan") == Rule("prorata", per_line=True)
    assert rule("5%/jam maks 50%") == Rule("rate", Fraction(1, 20), 3600, Fraction(1, 2))
    assert rule("0,1 % per hari") == Rule("rate", Fraction(1, 1000), 86_400)
    steps = ((Fraction("99.5"), Fraction(1, 20)), (Fraction(98), Fraction(1, 4)))
    assert rule("<98:25%; <99.5:5%") == Rule("steps", steps=steps)
    assert rule("menurut kesepakatan") is None
    assert rule("") is None


def test_a_sum_is_exact_and_never_more_than_the_fee() -> None:
    fee = Fraction(10_000_000)
    hour = 3_600_000
    assert amount(Rule("prorata"), fee, 31 * hour, MONTH_MS, 95.0) == fee * 31 / (31 * 24)
    rate = Rule("rate", Fraction(1, 20), 3600, Fraction(1, 2))
    assert amount(rate, fee, 3 * hour, MONTH_MS, 95.0) == 1_500_000
    assert amount(rate, fee, 300 * hour, MONTH_MS, 95.0) == 5_000_000
    steps = rule("<99.5:5%; <98:25%")
    assert steps is not None
    assert [amount(steps, fee, 0, MONTH_MS, pct) for pct in (99.5, 99.4, 98.0, 97.9, None)] == [
        0, 500_000, 500_000, 2_500_000, 0,
    ]  # fmt: skip


@given(st.text(max_size=60))
def test_no_text_is_an_error(text: str) -> None:
    found = rule(text)
    if found is not None:
        assert 0 <= amount(found, Fraction(1000), 10**9, MONTH_MS, 50.0) <= 1000


def test_a_month_costs_its_share_of_the_term() -> None:
    assert months(date(2026, 1, 1), date(2026, 12, 31)) == 12
    assert months(date(2026, 3, 15), date(2027, 3, 14)) == 12
    assert months(date(2026, 2, 1), date(2026, 2, 28)) == 1
    assert monthly(120_000_000, date(2026, 1, 1), date(2026, 12, 31)) == 10_000_000
    assert monthly(None, date(2026, 1, 1), date(2026, 12, 31)) is None
    assert monthly(1, date(2026, 1, 2), date(2026, 1, 1)) is None


def test_a_period_is_a_month_of_the_regency() -> None:
    assert period("2026-10", "Asia/Jakarta") == (
        datetime(2026, 9, 30, 17, 0, tzinfo=UTC),
        datetime(2026, 10, 31, 17, 0, tzinfo=UTC),
    )
    assert period("2026-12", "UTC")[1] == datetime(2027, 1, 1, tzinfo=UTC)
    for wrong in ("2026", "2026-13", "10-2026", "2026-00"):
        with pytest.raises(UsageError):
            period(wrong, "UTC")


@pytest.fixture
def scripted(scrubbed: Path) -> Settings:
    """Lines of isp-a: Mauk is cut for an hour, Curug for four minutes, and for two hours without power."""
    terms = {**TERM, "penalty": "5%/jam maks 50%", "claim_after_s": 300, "availability_pct": 99.5}
    settings = regency(**terms, provider_availability_pct=99.9)
    known = ids(settings)
    one, three = known["rtr-mauk-1"], known["rtr-curug-1"]
    cuts = {one: [(minute(3), minute(4))], three: [(minute(6), minute(6, 4)), (minute(9), minute(11))]}
    for device, gaps in cuts.items():
        watched(scrubbed, device, gaps)
        changed(settings, device, DAY, "not observed", "up")
        for a, b in gaps:
            changed(settings, device, a.replace(minute=a.minute + 1), "up", "down")
            changed(settings, device, b, "down", "up")
    with session(open_engine(settings)) as opened:
        writer = Writer(opened, Author("test", NOW))
        times = {"start": minute(9).isoformat(), "end": minute(11).isoformat()}
        writer.put("outage", {"name": "padam", "place": "Curug", "cause": "power", **times})
        writer.put("person", {"name": "Citra Lesmana", "nip": "197003031995031003", "role": "Kepala Dinas"})
        writer.finish()
    return settings


def made(tmp_path: Path, name: str = "klaim.pdf", **more: str) -> tuple[bytes, dict[str, Any]]:
    pdf = tmp_path / name
    make(Order("isp-a", "2026-10", pdf, dated="2026-11-03", **more), NOW)
    tree: dict[str, Any] = json.loads(pdf.with_suffix(".json").read_bytes())
    return pdf.read_bytes(), tree


def test_what_is_claimed_is_what_the_contract_says_and_no_more(scripted: Settings, tmp_path: Path) -> None:
    _, tree = made(tmp_path)
    figures = tree["figures"]
    (contract,) = figures["contracts"]
    lines = {k["name"]: k for k in contract["lines"]}
    # The fee of a month is shared by the two lines; an hour is 5 % of one share.
    assert contract["monthly_idr"] == 10_000_000
    assert lines["mauk-1"]["claimable_s"] == 3600
    assert lines["mauk-1"]["amount_idr"] == 250_000
    short, dark = lines["curug-1"]["outages"]
    assert (short["seconds"], short["claimable_s"]) == (240, 0)
    assert (dark["seconds"], dark["claimable_s"], dark["cause"]) == (7200, 0, "power")
    assert (figures["amount_idr"], figures["claimable_s"]) == (250_000, 3600)
    assert lines["curug-1"]["excused_s"] == 7200
    for k in lines.values():
        assert k["window_s"] == 31 * 86_400
    assert (contract["measured_pct"], contract["provider_pct"]) == (
        100 * (2 * 86_400 + 2 * 120 - 3600 - 240 - 7200) / (2 * 86_400 + 2 * 120 - 7200),
        99.9,
    )


def test_the_letter_says_it_and_is_made_again_alike(scripted: Settings, tmp_path: Path) -> None:
    pdf, tree = made(tmp_path, number="027/11/Kominfo", signer="Citra Lesmana")
    again, _ = made(tmp_path, "lagi.pdf", number="027/11/Kominfo", signer="Citra Lesmana")
    assert pdf == again
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    text = " ".join("".join(p.extract_text() for p in reader.pages).replace("\u200b", "").split())
    for said in (
        "Penyedia A",
        "027/11/Kominfo",
        "Rp 250.000 (dua ratus lima puluh ribu rupiah)",
        "tidak: di bawah batas",
        "99,900%",
        "Citra Lesmana",
        "NIP 197003031995031003",
        "05-10-2026 10.00.00",
        "60 pengamatan tanpa jawaban",
    ):
        assert said in text, said
    attached = reader.attachments["claim.json"][0]
    assert json.loads(attached) == tree
    page = reader.pages[0].mediabox
    assert (round(float(page.width)), round(float(page.height))) == (595, 842)
    assert len(as_pages(attached, 30)) == len(reader.pages)


def test_nothing_is_claimed_by_a_contract_that_did_not_run(scripted: Settings, tmp_path: Path) -> None:
    for start, end in (("2026-11-01", "2027-10-31"), ("2025-10-01", "2026-09-30")):
        with session(open_engine(scripted)) as opened:
            writer = Writer(opened, Author("test", NOW))
            writer.put("contract", {"name": "K/A", "start": start, "end": end})
            writer.finish()
        with pytest.raises(NotFoundError, match="No contract of 'isp-a' ran in this time: K/A did not"):
            made(tmp_path)
    assert list(tmp_path.glob("klaim.*")) == []
    with session(open_engine(scripted)) as opened:
        writer = Writer(opened, Author("test", NOW))
        new = {"name": "K/C", "provider": "isp-a", "kind": "circuit"}
        writer.put("contract", {**new, "start": "2026-10-31", "end": "2027-10-30"})
        writer.put("connection", {"name": "mauk-1", "contract": "K/C"})
        writer.finish()
    figures = made(tmp_path)[1]["figures"]
    assert ([c["contract"] for c in figures["contracts"]], figures["contracts_not_running"]) == (
        ["K/C"],
        ["K/A"],
    )


@pytest.mark.parametrize(
    ("start", "end", "days", "claimable_s"),
    [("2026-01-01", "2026-10-04", 4, 0), ("2026-10-05", "2027-01-31", 27, 3600)],
)
def test_a_contract_is_measured_on_the_days_of_its_term(
    scripted: Settings, tmp_path: Path, start: str, end: str, days: int, claimable_s: int
) -> None:
    with session(open_engine(scripted)) as opened:
        writer = Writer(opened, Author("test", NOW))
        writer.put("contract", {"name": "K/A", "start": start, "end": end})
        writer.finish()
    (contract,) = made(tmp_path)[1]["figures"]["contracts"]
    line = next(k for k in contract["lines"] if k["name"] == "mauk-1")
    assert (line["window_s"], line["claimable_s"]) == (days * 86_400, claimable_s)


def test_hostile_names_are_text(scripted: Settings, tmp_path: Path) -> None:
    with session(open_engine(scripted)) as opened:
        writer = Writer(opened, Author("test", NOW))
        writer.put(
            "provider", {"name": "isp-a", "title": '#panic("x") $x^2$ *b* @ref', "account": "\\ `r` <b>"}
        )
        writer.put("contract", {"name": "K/A", "penalty": ']#read("/etc/passwd")[ 中'})
        writer.finish()
    pdf, tree = made(tmp_path)
    text = "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert "panic" in text
    assert tree["figures"]["contracts"][0]["amount_idr"] is None
    assert "menurut ketentuan kontrak" in tree["total"]


def test_what_cannot_be_claimed_is_said_in_one_line(
    scripted: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    siaga: Siaga = runner(capsys)
    out = ("-o", tmp_path / "x.pdf")
    siaga("report", "claim", "nobody", "--period", "2026-10", *out).failed(3, "no-such-provider")
    siaga("report", "claim", "isp-a", "--period", "october", *out).failed(2, "bad-period")
    siaga("report", "claim", "isp-a", "--period", "2999-01", *out).failed(2, "period-not-over")
    siaga("report", "claim", "isp-a", "--period", "2026-10", "-o", "x.txt").failed(2, "not-a-pdf")
    siaga("report", "claim", "isp-a", "--period", "2026-10", "--signer", "X", *out).failed(
        3, "no-such-person"
    )
    assert list(tmp_path.glob("x.*")) == []
