"""Periods, the monthly run and its mail, what changed between reports, and signatures."""

import email
import json
import re
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID
from full import matter
from pydantic import SecretStr
from regency import UNTIL, regency

from inventory.models import Place
from inventory.store import open_engine, session
from report.archive import earlier
from report.changes import changes
from report.periods import before, label, last_month, named, of
from report.readiness import build
from report.render import as_json, as_pdf
from report.schedule import Run, difference, run, timer
from report.service import Order, make
from report.sign import Signature, signed
from report.sign_service import sign_file
from siaga.errors import InvalidError, NotFoundError, SiagaError, UsageError
from siaga.settings import load
from tests.homes import prepare
from tests.monitor.notify_servers import smtp

ZONE = "Asia/Jakarta"
NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


# --- periods


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-10", "2026-09-30T17:00", "2026-10-31T17:00"),
        ("2026-12", "2026-11-30T17:00", "2026-12-31T17:00"),
        ("2026-Q4", "2026-09-30T17:00", "2026-12-31T17:00"),
        ("2026-q1", "2025-12-31T17:00", "2026-03-31T17:00"),
        ("2026-S2", "2026-06-30T17:00", "2026-12-31T17:00"),
        ("2026", "2025-12-31T17:00", "2026-12-31T17:00"),
    ],
)
def test_a_period_is_of_the_regency_s_calendar(text: str, since: str, until: str) -> None:
    found = named(text, ZONE)
    assert (found.since, found.until) == (
        datetime.fromisoformat(f"{since}Z"),
        datetime.fromisoformat(f"{until}Z"),
    )
    assert found.label == text.upper()


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-Q5", "2026-S3", "26-10", "0001-01", "x" * 300, "2026-10-01"]
)
def test_what_is_no_period_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is no period: write 2026-10"):
        named(text, ZONE)


def test_a_period_goes_as_far_as_it_has_come() -> None:
    assert of("2026-Q4", "30d", "", NOW, ZONE).until == NOW
    with pytest.raises(UsageError, match="has not begun"):
        of("2027-01", "30d", "", NOW, ZONE)
    window = of("", "1h", "", NOW, ZONE)
    assert (window.until - window.since).total_seconds() == 3600


def test_periods_have_names_and_neighbours() -> None:
    whole = named("2026-Q3", ZONE)
    assert label(whole.since, whole.until, ZONE) == "2026-Q3"
    assert [before(p, ZONE) for p in ("2026-01", "2026-Q1", "2026", "2026-10")] == [
        "2025-12",
        "2025-Q4",
        "2025",
        "2026-09",
    ]
    assert last_month(NOW, ZONE) == "2026-10"
    assert last_month(datetime(2026, 10, 31, 18, tzinfo=UTC), ZONE) == "2026-10"  # in Jakarta it is November


# --- what changed


def test_changes_name_index_levels_and_figures_and_the_worse_first() -> None:
    from dataclasses import replace

    from judged import judged

    new = json.loads(as_json(build(matter(), now=UNTIL)))
    old = json.loads(as_json(build(replace(matter(), judged=judged(4), facts=regency(100)), now=UNTIL)))
    found = changes(old, new)
    assert found[0].kind == "index"
    assert found[0].better is False
    levels = [c for c in found if c.kind == "level"]
    assert {c.better for c in levels} == {True, False, None}
    assert [c.better is True for c in levels] == sorted(c.better is True for c in levels)
    assert ("E-01", "100", "140") in [(c.id, c.before, c.after) for c in found]
    assert changes(new, new) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other"}'])
def test_what_is_no_report_cannot_be_compared(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InvalidError) as caught:
        difference(tmp_path / "a.json", tmp_path / "a.json")
    assert caught.value.code == "not-a-report"
    with pytest.raises(NotFoundError):
        difference(tmp_path / "b.json", tmp_path / "a.json")


# --- the monthly run


@pytest.fixture
def home(scrubbed: Path) -> Path:
    settings = load()
    prepare(settings)
    with session(open_engine(settings)) as opened:
        opened.add(Place(name="Kabupaten Tangerang", kind="regency", code="36.03"))
    return settings.home


def test_an_empty_database_makes_an_honest_report(home: Path, tmp_path: Path) -> None:
    make(Order((tmp_path / "r.json",), period="2020-02", lang="en"))
    tree = json.loads((tmp_path / "r.json").read_text())
    figures = {f["id"]: f for f in tree["figures"]}
    assert figures["N-10"]["shown"] == figures["B-01"]["shown"] == "not enough data"
    assert tree["assessment"]["index"]["value"] is None or tree["assessment"]["shares"]["no_data"] > 0
    empty = [b for c in tree["chapters"] for b in c["blocks"] if b["kind"] == "table" and not b["rows"]]
    assert all(b["empty"] for b in empty)


def test_a_month_is_made_once_kept_and_mailed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with smtp() as inbox:
        options = (
            f'{{ server = "127.0.0.1", port = {inbox.port}, tls = "none", sender = "siaga@example.org" }}'
        )
        (home / "siaga.toml").write_text(
            '[[routes]]\nname = "laporan"\nchannel = "email"\nto = ["kadis@example.org"]\nseverities = []\n'
            f"options = {options}\n"
        )
        monkeypatch.setenv("SIAGA_CONFIG", str(home / "siaga.toml"))
        first = run(Run("2026-09"), NOW)
        second = run(Run(route="laporan"), NOW)
        third = run(Run("2026-10"), NOW)
        (mail,) = inbox.mails
    assert [o.rows[0]["made"] for o in (first, second, third) if o.rows] == [True, True, False]
    kept = home / "reports" / "2026-10"
    assert {p.name for p in kept.iterdir()} == {f"readiness.{e}" for e in ("pdf", "html", "xlsx", "json")}
    assert not list((home / "reports").glob(".*"))
    said = email.message_from_bytes(mail.octets)
    (attached,) = [p for p in said.walk() if p.get_filename()]
    assert attached.get_payload(decode=True) == (kept / "readiness.pdf").read_bytes()
    assert attached.get_filename() == "readiness-2026-10.pdf"
    assert "2026-10" in str(said["Subject"])


def test_the_kept_reports_of_the_same_kind_are_the_trend(home: Path) -> None:
    tree = json.loads(as_json(build(matter(), now=UNTIL)))
    for name in ("2026-08", "2026-09", "2026-Q3", "2026-11"):
        folder = home / "reports" / name
        folder.mkdir(parents=True)
        tree["meta"]["until"] = named(name, ZONE).until.isoformat()
        (folder / "readiness.json").write_text(json.dumps(tree))
    (home / "reports" / "2026-07").mkdir()
    (home / "reports" / "2026-07" / "readiness.json").write_text("{broken")
    assert [s.label for s in earlier(home, named("2026-10", ZONE))] == ["2026-08", "2026-09"]
    assert [s.label for s in earlier(home, named("2026-Q4", ZONE))] == ["2026-Q3"]


def test_a_month_that_is_not_over_has_no_report_yet(home: Path) -> None:
    with pytest.raises(UsageError, match="2026-11 is not over"):
        run(Run("2026-11"), NOW)


def test_the_timer_names_this_installation() -> None:
    text = (
        timer("/opt/siaga/bin/siaga", Path("/var/lib/siaga"), "/etc/siaga/siaga.toml", "laporan").text or ""
    )
    assert "ExecStart=/opt/siaga/bin/siaga report monthly --route laporan" in text
    assert "OnCalendar=*-*-01 05:00" in text
    assert re.search(r"^0 5 1 \* \* SIAGA_HOME=/var/lib/siaga .*report monthly --route laporan$", text, re.M)


# --- signatures


def pkcs12(passphrase: str) -> bytes:
    """Make a key and a certificate by itself, as an official would get them from an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kepala Dinas (uji)")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    certificate = made.not_valid_after(datetime(2036, 1, 1, tzinfo=UTC)).sign(key, hashes.SHA256())
    return serialize_key_and_certificates(
        b"k", key, certificate, None, BestAvailableEncryption(passphrase.encode())
    )


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return as_pdf(as_json(build(regency(1, 0), now=UNTIL)))


def test_a_signature_leaves_the_report_as_it_is_and_lies_in_its_box(pdf: bytes) -> None:
    made = signed(pdf, pkcs12("rahasia"), SecretStr("rahasia"), Signature("Pengesahan", "Tigaraksa"))
    assert made.startswith(pdf)
    reader = pypdf.PdfReader(BytesIO(made))
    (field,) = (a.get_object() for a in reader.pages[0]["/Annots"] if a.get_object().get("/FT") == "/Sig")
    left, foot, right, top = (float(v) for v in field["/Rect"])
    assert (right - left, top - foot) == (
        pytest.approx(84 / 25.4 * 72, abs=1),
        pytest.approx(24 / 25.4 * 72, abs=1),
    )
    assert field["/V"]["/SubFilter"] == "/ETSI.CAdES.detached"
    assert field["/V"]["/Reason"] == "Pengesahan"
    first, _, second, rest = field["/V"]["/ByteRange"]
    assert (first, second + rest) == (0, len(made))


def test_a_changed_byte_breaks_the_signature(pdf: bytes) -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import PdfSignatureStatus
    from pyhanko_certvalidator import ValidationContext

    made = signed(pdf, pkcs12("rahasia"), SecretStr("rahasia"), Signature())
    at = pdf.index(b"stream") + 40
    broken = made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]
    found: list[PdfSignatureStatus] = []
    for data in (made, broken):
        (one,) = PdfFileReader(BytesIO(data)).embedded_signatures
        found.append(validate_pdf_signature(one, ValidationContext(trust_roots=[])))
    assert [s.intact for s in found] == [True, False]
    assert [s.valid for s in found] == [True, True]


@pytest.mark.parametrize(("key", "passphrase"), [("good", "other"), ("good", ""), ("none", "rahasia")])
def test_a_key_that_does_not_open_is_one_sentence(pdf: bytes, key: str, passphrase: str) -> None:
    data = pkcs12("rahasia") if key == "good" else b"no key at all"
    with pytest.raises(InvalidError) as caught:
        signed(pdf, data, SecretStr(passphrase), Signature())
    assert caught.value.code == "bad-key"
    assert "rahasia" not in caught.value.sentence


def test_what_cannot_be_signed_is_said_and_leaves_nothing(pdf: bytes, tmp_path: Path, scrubbed: Path) -> None:
    (tmp_path / "k.p12").write_bytes(pkcs12("rahasia"))
    (tmp_path / "p").write_text("rahasia\n")
    (tmp_path / "r.pdf").write_bytes(pdf)
    (tmp_path / "t.pdf").write_bytes(b"no pdf")
    made = sign_file(tmp_path / "r.pdf", tmp_path / "k.p12", None, tmp_path / "p", "")
    assert made.rows is not None
    again: list[tuple[Any, ...]] = [
        (tmp_path / "r.signed.pdf", tmp_path / "k.p12", None, tmp_path / "p", ""),  # signed already
        (tmp_path / "t.pdf", tmp_path / "k.p12", None, tmp_path / "p", ""),
        (tmp_path / "r.pdf", tmp_path / "missing", None, tmp_path / "p", ""),
        (tmp_path / "r.pdf", tmp_path / "k.p12", tmp_path / "r.pdf", tmp_path / "p", ""),
        (tmp_path / "r.pdf", tmp_path / "k.p12", tmp_path / "x.pdf", None, ""),  # no keyboard in a test
    ]
    codes = []
    for given in again:
        with pytest.raises(SiagaError) as caught:
            sign_file(*given)
        codes.append(caught.value.code)
    assert codes == ["signed-already", "not-a-pdf", "cannot-read", "same-file", "no-passphrase"]
    assert {p.name for p in tmp_path.iterdir()} == {"k.p12", "p", "r.pdf", "t.pdf", "r.signed.pdf"}


def test_the_signer_stands_on_the_cover() -> None:
    from report.books import Signs

    signs = Signs("Dr. <Contoh> #1", "19700101", "Kepala Dinas", "Tigaraksa", date(2026, 11, 3))
    document = as_json(build(regency(1, 0), now=UNTIL, signs=signs))
    text = pypdf.PdfReader(BytesIO(as_pdf(document))).pages[0].extract_text().replace("\u200b", "")
    assert all(word in text for word in ("Dr. <Contoh> #1", "19700101", "Tigaraksa", "3 November 2026"))
