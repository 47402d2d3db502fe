"""The commands of the judgement as a user types them: explain, list, evidence, bundle, verify; and what goes wrong."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from report import evidence
from report.records import Document
from siaga.settings import load
from tests.cli_runner import Siaga, runner
from tests.report import judged_world

PERIOD = ("--since", "2026-10-05T00:00+00:00", "--at", "2026-10-06T00:00+00:00")


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIAGA_HOME", str(tmp_path_factory.mktemp("commands") / "home"))
        return judged_world.make().home


@pytest.fixture
def home(template: Path, scrubbed: Path) -> Path:
    shutil.copytree(template, scrubbed)
    return scrubbed


@pytest.mark.usefixtures("home")
def test_an_indicator_is_explained_whole(siaga: Siaga) -> None:
    told = siaga("report", "readiness", "--explain", "inf-jar-06", *PERIOD).well().out
    for part in (
        "INF-JAR-06  Tautan yang memenuhi SLA kontrak", "Rumus", "(observed - claimable) / observed", "ESJ 2952",
        "2026-10-05 … 2026-10-07", "Nilai                 50 persen", "Pembilang             1",
        "2 (per 2026-10-06)", "Terpenuhi             curug-1 2026-10", "Belum terpenuhi       mauk-1 2026-10",
        "100,0% (sedikitnya 90,0%)", "tingkat 1 dari 5; sasaran 95", "1 lagi dari 2, antara lain mauk-1 2026-10.",
    ):  # fmt: skip
        assert part in " ".join(told.split()) or part in told, part
    assert (
        "Definition" in siaga("report", "readiness", "--explain", "INF-JAR-06", "--lang", "en", *PERIOD).out
    )


@pytest.mark.usefixtures("home")
def test_an_explanation_names_the_samples_and_what_a_ladder_needs(siaga: Siaga) -> None:
    told = " ".join(siaga("report", "readiness", "--explain", "INF-JAR-09", *PERIOD).well().out.split())
    assert "load/mauk-1:" in told
    assert "bins, sha256" in told
    ladder = " ".join(siaga("report", "readiness", "--explain", "SUP-KEL-02", *PERIOD).well().out.split())
    assert "→ 2 TTIS dibentuk [evidence(sk_ttis, 1825d): ya]" in ladder
    assert "[q == 100: ya; evidence(sop_insiden, 1095d): tidak]" in ladder
    lacking = siaga("report", "readiness", "--explain", "INF-PER-06", *PERIOD).well().out
    assert "tanpa tingkat: data tidak cukup" in lacking
    assert "siaga backup run" in lacking


@pytest.mark.usefixtures("home")
def test_all_indicators_are_listed_with_the_index_below(siaga: Siaga) -> None:
    said = siaga("report", "indicators", *PERIOD, "-o", "json").well()
    rows = json.loads(said.out)
    assert len(rows) == 51
    assert rows[0]["reading"]["denominator"] == ["Budi"]
    assert "poor" in said.err
    assert "bukan nilai resmi" in said.err


def test_a_document_is_stored_by_its_hash_and_looked_after(siaga: Siaga, home: Path, tmp_path: Path) -> None:
    paper = tmp_path / "SK TTIS.pdf"
    paper.write_bytes(b"%PDF-1.7 SK")
    sha256 = hashlib.sha256(b"%PDF-1.7 SK").hexdigest()
    given = (
        "--kind",
        "sop_insiden",
        "--date",
        "2026-03-01",
        "--signer",
        "Sekda",
        "--valid-until",
        "2027-03-01",
    )
    siaga("evidence", "add", paper, *given, "--about", "service/e-planning", "--result", "baik").well()
    kept = home / "evidence" / sha256[:2] / sha256
    assert kept.read_bytes() == b"%PDF-1.7 SK"
    row = json.loads(siaga("evidence", "show", "sop_insiden-2026-03-01", "-o", "json").well().out)
    assert (row["sha256"], row["media_type"], row["size_bytes"]) == (sha256, "application/pdf", 11)
    assert (row["target_noun"], row["target"], row["title"]) == ("service", "e-planning", "SK TTIS")
    siaga("evidence", "add", paper, *given).well()
    assert "sop_insiden-2026-03-01-2" in siaga("evidence", "list").well().out
    kept.chmod(0o600)
    kept.write_bytes(b"changed")
    said = siaga("evidence", "check", "-o", "json")
    assert said.code == 6
    assert {r["problem"] for r in json.loads(said.out)} == {"its file is changed"}
    kept.unlink()
    assert "its file is missing" in siaga("evidence", "check").out
    siaga("evidence", "rm", "kind=sop_insiden", "--yes").well()
    assert siaga("evidence", "check").code == 0


def test_a_document_that_cannot_be_is_one_clear_line(siaga: Siaga, home: Path, tmp_path: Path) -> None:
    paper, empty = tmp_path / "a.pdf", tmp_path / "empty.pdf"
    paper.write_bytes(b"x")
    empty.touch()
    add = ("evidence", "add")
    siaga(*add, tmp_path / "none.pdf", "--kind", "sk_ttis", "--date", "2026-01-01").failed(3, "no-such-file")
    siaga(*add, tmp_path, "--kind", "sk_ttis", "--date", "2026-01-01").failed(3, "no-such-file")
    siaga(*add, empty, "--kind", "sk_ttis", "--date", "2026-01-01").failed(5, "empty-file")
    siaga(*add, paper, "--kind", "sk_tti", "--date", "2026-01-01").failed(5, "no-such-kind")
    siaga(*add, paper, "--kind", "sk_ttis", "--date", "kemarin").failed(2, "bad-time")
    dates = ("--date", "2026-01-02", "--valid-until", "2026-01-01")
    siaga(*add, paper, "--kind", "sk_ttis", *dates).failed(5, "bad-dates")
    siaga(*add, paper, "--kind", "sk_ttis", "--date", "2026-01-01", "--about", "x").failed(2, "bad-target")
    gone = ("--date", "2026-01-01", "--about", "service/none")
    siaga(*add, paper, "--kind", "sk_ttis", *gone).failed(5, "bad-values")
    (home / "evidence").rename(home / "evidence-old") if (home / "evidence").exists() else None
    (home / "evidence").write_text("in the way")
    siaga(*add, paper, "--kind", "sk_ttis", "--date", "2026-01-01").failed(1, "cannot-write")


def test_kinds_say_who_asks_for_them(siaga: Siaga) -> None:
    rows = {r["kind"]: r for r in json.loads(siaga("report", "kinds", "-o", "json").well().out)}
    assert rows["sk_ttis"] == {
        "kind": "sk_ttis", "title": "SK pembentukan TTIS", "oldest_days": 1825, "rows": "SUP-KEL-02",
    }  # fmt: skip


def test_a_bundle_is_made_verified_and_found_altered(siaga: Siaga, home: Path, tmp_path: Path) -> None:
    paper, bundle, again = tmp_path / "sop.txt", tmp_path / "b.zip", tmp_path / "c.zip"
    paper.write_text("prosedur")
    siaga("evidence", "add", paper, "--kind", "sop_insiden", "--date", "2026-03-01").well()
    siaga("report", "readiness", "--bundle", bundle, *PERIOD).well()
    siaga("report", "readiness", "--bundle", again, *PERIOD).well()
    assert bundle.read_bytes() == again.read_bytes()
    rows = json.loads(siaga("report", "verify", bundle, "-o", "json").well().out)
    assert {r["check"]: r["found"] for r in rows} == dict.fromkeys(
        ("signature", "files", "snapshot", "rubric", "figures", "documents", "history", "samples"), "ok"
    )
    assert "does not hold" not in siaga("report", "verify", bundle).err
    shutil.rmtree(home)
    alone = siaga("report", "verify", bundle, "--alone").well()
    assert "which is not known here" in alone.out
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    said = siaga("report", "verify", bundle, "--alone")
    assert said.code in (5, 6)


def test_a_changed_sample_makes_a_report_fail(siaga: Siaga, home: Path, tmp_path: Path) -> None:
    from datetime import timedelta

    from monitor.samples import open_samples

    with open_samples(home) as store:
        store.maintain(judged_world.DAY + timedelta(days=3))
    bundle = tmp_path / "b.zip"
    siaga("report", "readiness", "--bundle", bundle, *PERIOD).well()
    path = home / "tsdb" / "raw" / "2026-10-05.db"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    said = siaga("report", "verify", bundle)
    assert said.code == 6
    assert (
        "failed    samples    The stored samples are not those of the report: raw_day of 2026-10-05."
        in said.out
    )
    assert "does not hold: 1 of 8 checks failed" in said.err


@pytest.mark.usefixtures("home")
def test_what_is_no_report_is_one_clear_line(siaga: Siaga, tmp_path: Path) -> None:
    other = tmp_path / "x.json"
    siaga("report", "verify", other).failed(3, "no-such-file")
    for data, code in ((b"{}", "bad-report"), (b"PK\x03\x04", "bad-bundle"), (b"%PDF-1.7", "bad-report")):
        other.write_bytes(data)
        siaga("report", "verify", other).failed(5, code)
    siaga("report", "verify", other, "--key", "abc").failed(2, "bad-key")
    siaga("report", "readiness", "--explain", "INF-JAR-99").failed(3, "no-such-indicator")
    siaga("report", "readiness", "--explain", "INF-JAR-01", "--period", "2026-Q9").failed(2, "bad-period")
    siaga("report", "readiness", "--explain", "INF-JAR-01", "--lang", "xx").failed(2, "no-such-language")
    siaga("report", "indicators", "--rubric", tmp_path / "none.yaml").failed(3, "no-such-rubric")
    mine = tmp_path / "mine.yaml"
    mine.write_text("schema: 1\n")
    assert siaga("report", "indicators", "--rubric", mine).failed(5, "bad-rubric")
    folder = tmp_path / "no" / "b.zip"
    siaga("report", "readiness", "--bundle", folder, *PERIOD).failed(1, "cannot-write")


def test_an_empty_inventory_is_an_honest_page(siaga: Siaga) -> None:
    siaga("init").well()
    said = siaga("report", "indicators", "--period", "2026-10").well()
    assert "[1.00, 5.00]" in said.err
    assert "51 without data" in said.err


def test_hostile_names_appear_as_text(siaga: Siaga, home: Path) -> None:
    from sqlalchemy import text

    from inventory.store import open_engine, session

    hostile = "=cmd|' /C calc'!A0 \x1b[31m#panic(\"x\")"
    with session(open_engine(load())) as opened:
        opened.connection().execute(text("UPDATE person SET name = :n WHERE name = 'Budi'"), {"n": hostile})
    told = siaga("report", "readiness", "--explain", "STR-SDM-01", *PERIOD).well().out
    assert "\x1b" not in told
    assert "=cmd|' /C calc'!A0 [31m#panic" in " ".join(told.split())
    assert home.exists()


def test_the_store_of_documents_refuses_what_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MAX_BYTES", 3)
    (tmp_path / "a").write_bytes(b"abcd")
    with pytest.raises(Exception, match="too-large"):
        evidence.put(tmp_path, tmp_path / "a")
    assert Document("d", "k", judged_world.DAY.date()).about == ""
