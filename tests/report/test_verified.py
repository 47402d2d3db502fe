"""A report follows from its snapshot, byte for byte; and what is stored is what it was made of."""

import hashlib
import json
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from inventory.models import Change
from inventory.store import open_engine, session
from monitor.samples import Asked, Sample, open_samples, polls_of
from report import verify
from report.asked.kept import kept
from report.assessment_json import as_json, from_json
from report.bundle import opened, packed
from report.judge import assess
from report.judging import Judged, judge, stored
from report.records import KINDS, Load, Polled, RawDay
from report.rubric import load
from report.rubric import read as read_rubric
from report.snapshot import NAMED, differing, read
from report.verify import Check, Found
from siaga.errors import InvalidError, NotFoundError
from siaga.settings import Settings
from siaga.signing import Signer, fits, open_signer, public_key
from tests.monitor.line_world import DAY, MINUTE, ids, watched
from tests.report import judged_world

GOLDEN = Path(__file__).with_name("golden") / "assessment.json"


@dataclass(frozen=True)
class World:
    """A home with its judgement."""

    settings: Settings
    judged: Judged

    @property
    def json(self) -> bytes:
        return as_json(self.judged.assessment)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIAGA_HOME", str(tmp_path_factory.mktemp("judged") / "home"))
        settings = judged_world.make()
        return World(settings, judge(settings, judged_world.PERIOD))


@pytest.fixture
def world(template: World, scrubbed: Path) -> World:
    """Return the same in a home of its own, which may be altered."""
    shutil.copytree(template.settings.home, scrubbed)
    return World(Settings(home=scrubbed), template.judged)


def against(settings: Settings, judged: Judged) -> list[Check]:
    """Compare a snapshot with what a home holds now."""
    _, told = read(judged.snapshot.data)
    limits = judged.loaded.rubric.limits
    with kept(settings, judged_world.PERIOD, limits, filed=verify.filed(told)) as ask:
        return list(verify.compared(told, lambda kind: ask.every(kind)))


def test_the_golden_assessment(template: World) -> None:
    """All but the snapshot's hash, which every new column of the inventory changes."""
    found = as_json(replace(template.judged.assessment, snapshot_sha256=""))
    assert found == GOLDEN.read_bytes(), "see tests/report/judged_world.py for how to renew it"


def test_the_same_stores_give_the_same_bytes(template: World) -> None:
    again = judge(template.settings, judged_world.PERIOD, keep=False)
    assert again.snapshot.data == template.judged.snapshot.data
    assert as_json(again.assessment) == template.json


def test_a_snapshot_answers_as_the_stores_did(template: World) -> None:
    snapshot, told = read(template.judged.snapshot.data)
    assert snapshot.data == template.judged.snapshot.data
    found = assess(told, template.judged.loaded, snapshot_sha256=snapshot.sha256)
    assert as_json(found) == template.json
    assert from_json(template.json) == replace(template.judged.assessment, previous=None)


def test_every_kind_is_in_the_snapshot_or_said_to_be_unknown(template: World) -> None:
    lines = template.judged.snapshot.data.splitlines()
    named = {r.get("fact") or r.get("unknown") for r in map(json.loads, lines[1:])}
    assert set(NAMED) - named == {"raw_day"}  # no day is compacted yet
    assert len(NAMED) == len(KINDS)


def test_a_kept_snapshot_is_found_by_its_hash(world: World) -> None:
    sha256 = world.judged.snapshot.sha256
    assert stored(world.settings.home, sha256) == world.judged.snapshot.data
    for wrong in ("0" * 64, "../../etc/passwd", ""):
        with pytest.raises(NotFoundError):
            stored(world.settings.home, wrong)


# --- what is stored -----------------------------------------------------------------------------------------


def test_unchanged_samples_hold_before_and_after_they_are_compacted(world: World) -> None:
    (check,) = against(world.settings, world.judged)
    assert (check.what, check.found) == ("samples", Found.ok)
    with open_samples(world.settings.home) as store:
        store.maintain(DAY + timedelta(days=3))
    assert (world.settings.home / "tsdb" / "r5" / "2026-10-05.db").exists()
    (check,) = against(world.settings, world.judged)
    assert check.found is Found.ok, check.detail


def test_one_changed_sample_of_a_counter_is_found(world: World) -> None:
    """One octet more in one poll, inside a bin of five minutes, whose sum it does not change."""
    at = DAY + 77 * MINUTE
    _again(world.settings, "mauk-2", lambda s: replace(s, value=s.value + 1) if s.at == at else s)
    (check,) = against(world.settings, world.judged)
    assert (check.found, check.detail) == (
        Found.failed,
        "The stored samples are not those of the report: raw_line of mauk-2 2026-10-05.",
    )


def test_one_changed_byte_of_a_past_day_is_found(world: World) -> None:
    with open_samples(world.settings.home) as store:
        store.maintain(DAY + timedelta(days=3))
    judged = judge(world.settings, judged_world.PERIOD)
    (check,) = against(world.settings, judged)
    assert check.found is Found.ok, check.detail
    path = world.settings.home / "tsdb" / "raw" / "2026-10-05.db"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with kept(world.settings, judged_world.PERIOD, judged.loaded.rubric.limits) as ask:
        (day,) = ask.every(RawDay) or ()
    (then,) = read(judged.snapshot.data)[1].every(RawDay) or ()
    assert (day.day, day.sha256 != then.sha256) == (then.day, True)


def test_one_changed_look_is_found(world: World) -> None:
    _again(world.settings, "mauk-2", lambda s: s, silent=(DAY + 77 * MINUTE, DAY + 78 * MINUTE))
    (check,) = against(world.settings, world.judged)
    assert check.found is Found.failed
    assert "polled of rtr-mauk-2" in check.detail


def test_samples_that_are_gone_prove_nothing_either_way(world: World) -> None:
    shutil.rmtree(world.settings.home / "tsdb")
    (check,) = against(world.settings, world.judged)
    assert check.found is Found.unknown


def _again(
    settings: Settings,
    line: str,
    alter: Callable[[Sample], Sample],
    silent: tuple[datetime, datetime] | None = None,
) -> None:
    """Store the samples of the world anew, those of one line altered: what is stored is never overwritten."""
    known = ids(settings)
    shutil.rmtree(settings.home / "tsdb")
    for name, gap in (("mauk-1", (9, 10)), ("mauk-2", None), ("curug-1", (2, 4))):
        if name != line:
            times = [(DAY + gap[0] * 60 * MINUTE, DAY + gap[1] * 60 * MINUTE)] if gap else []
            watched(settings.home, known[f"rtr-{name}"], times)
    judged_world._rooms(settings, known)
    device = known[f"rtr-{line}"]
    samples, asked = [], []
    for n in range(1440):
        at = DAY + n * MINUTE
        there = silent is None or not silent[0] <= at < silent[1]
        asked.append(Asked(device, at, there))
        if there:
            uptime = round((at - DAY + timedelta(days=9)).total_seconds() * 100)
            samples.append(Sample(device, "uptime", "", at, uptime))
            for metric, bps in (("in_octets_64", 4_000_000), ("out_octets_64", 1_000_000)):
                samples.append(alter(Sample(device, metric, "wan", at, round(n * 60 * bps / 8) + 1_000_000)))
    with open_samples(settings.home) as store:
        store.write(polls_of(samples, asked))


def test_the_stored_samples_again_are_those_of_the_report(world: World) -> None:
    """What the two tests above alter is found by the alteration, and not by writing anew."""
    _again(world.settings, "mauk-2", lambda s: s)
    (check,) = against(world.settings, world.judged)
    assert check.found is Found.ok, check.detail


def test_history_that_was_written_anew_is_found(world: World) -> None:
    snapshot = world.judged.snapshot
    number, then = snapshot.head.history
    with session(open_engine(world.settings)) as opened_:
        entry = opened_.get(Change, number)
        assert entry is not None
        assert entry.hash == then
        assert opened_.exec(select(Change).where(Change.id > number)).first() is None  # type: ignore[operator]
    assert verify.history(snapshot, then).found is Found.ok
    assert verify.history(snapshot, "0" * 64).found is Found.failed
    assert verify.history(snapshot, None).found is Found.failed


# --- the report itself --------------------------------------------------------------------------------------


def found_of(checks: Any) -> dict[str, Found]:
    return {c.what: c.found for c in checks}


def test_a_json_report_holds_and_an_altered_figure_does_not(template: World) -> None:
    data, loaded = template.judged.snapshot.data, template.judged.loaded
    good = found_of(verify.judged_again(verify.claim_of(template.json), data, loaded))
    assert good == dict.fromkeys(("snapshot", "rubric", "figures"), Found.ok)
    tree = json.loads(template.json)
    tree["rows"][11]["level"] = 5
    altered = (json.dumps(tree, ensure_ascii=False, indent=2) + "\n").encode()
    checks = list(verify.judged_again(verify.claim_of(altered), data, loaded))
    assert checks[-1].found is Found.failed
    assert checks[-1].detail == "Computed anew the report differs: INF-JAR-05."


def test_an_altered_fact_of_the_snapshot_is_found(template: World) -> None:
    data = template.judged.snapshot.data.replace(b'"up_ms":79200000', b'"up_ms":86400000')
    assert data != template.judged.snapshot.data
    (check,) = verify.judged_again(verify.claim_of(template.json), data, template.judged.loaded)
    assert (check.what, check.found) == ("snapshot", Found.failed)
    pairs = dict(differing(template.judged.snapshot, read(data)[0]))
    assert set(pairs) == {"met"}


def test_another_rubric_is_found(template: World) -> None:
    other = read_rubric(load().data.replace(b"target: 150", b"target: 160"), "mine")
    data = template.judged.snapshot.data
    assert (
        found_of(verify.judged_again(verify.claim_of(template.json), data, other))["rubric"] is Found.failed
    )


def test_a_document_that_carries_an_assessment_is_verified_by_it(template: World) -> None:
    inner = {k: v for k, v in json.loads(template.json).items() if k != "schema"}
    outer = json.dumps({"schema": "siaga-readiness-2", "assessment": inner, "chapters": []}).encode()
    assert verify.claim_of(outer) == verify.claim_of(template.json)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schema":"x"}', b"\xff", b'{"assessment":7}'])
def test_what_is_no_report_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(InvalidError) as caught:
        verify.claim_of(data)
    assert caught.value.code == "bad-report"


@pytest.mark.parametrize("flate", [False, True])
def test_a_pdf_is_verified_by_the_json_it_carries(template: World, flate: bool) -> None:
    body = zlib.compress(template.json) if flate else template.json
    head = b"%PDF-1.7\n1 0 obj\n<< /Type /EmbeddedFile /Length " + str(len(body)).encode()
    pdf = head + b" >>\nstream\n" + body + b"\nendstream\nendobj\n%%EOF\n"
    assert verify.attached(pdf) == template.json
    with pytest.raises(InvalidError):
        verify.attached(b"%PDF-1.7\n%%EOF\n")


def test_a_pdf_that_siaga_prints_carries_its_json() -> None:
    from regency import UNTIL
    from regency import regency as facts

    from report.readiness import build
    from report.render import as_json as document_of
    from report.render import as_pdf

    document = document_of(build(facts(4, 2), now=UNTIL))
    pdf = as_pdf(document)
    assert verify.attached(pdf) == document
    again = as_pdf(verify.attached(pdf))
    assert verify.archive_part(pdf) == "3a"
    assert verify.archive_part(b"%PDF-1.7") == ""
    assert verify.pages(pdf, again).found is Found.ok
    assert verify.pages(pdf + b"signed", again).found is Found.ok
    assert verify.pages(pdf[:900] + b"x" + pdf[901:], again).found is Found.failed


# --- the bundle ---------------------------------------------------------------------------------------------

SIGNER = Signer(b"k" * 32)


def bundled(world: World, **documents: bytes) -> bytes:
    papers = {hashlib.sha256(d).hexdigest(): d for d in documents.values()}
    return packed(world.judged.snapshot, world.json, world.judged.loaded.data, papers, SIGNER)


def checked(data: bytes, *keys: str) -> dict[str, Found]:
    return found_of(verify.of_bundle(opened(data), keys, lambda b: read_rubric(b, "x")))


def test_a_bundle_proves_itself_anywhere_and_is_the_same_bytes_each_time(template: World) -> None:
    data = bundled(template)
    assert data == bundled(template)
    good = dict.fromkeys(("signature", "files", "snapshot", "rubric", "figures", "documents"), Found.ok)
    assert checked(data, SIGNER.public) == good
    assert checked(data)["signature"] is Found.unknown
    assert opened(data).snapshot == template.judged.snapshot.data


@pytest.mark.parametrize(
    ("name", "fails"),
    [("readiness.json", "figures"), ("rubric.yaml", "rubric"), ("facts/day.jsonl", "snapshot")],
)
def test_an_altered_file_of_a_bundle_is_found(template: World, name: str, fails: str) -> None:
    whole = opened(bundled(template))
    altered = {**whole.files, name: whole.files[name].replace(b"6", b"7", 1) + b"\n"}
    found = found_of(
        verify.of_bundle(replace(whole, files=altered), [SIGNER.public], lambda b: read_rubric(b, "x"))
    )
    assert Found.failed in (found.get(fails), found.get("report"))


def test_a_manifest_by_another_key_is_found(template: World) -> None:
    whole = opened(bundled(template))
    manifest = whole.files["manifest.json"]
    assert whole.signed
    assert not fits(Signer(b"x" * 32).public, manifest, SIGNER.sign(manifest))
    assert not fits(SIGNER.public, manifest + b" ", SIGNER.sign(manifest))
    assert not fits("no key", manifest, "no signature")
    checks = found_of(verify.signature(replace(whole, signed=False), [SIGNER.public]))
    assert checks["signature"] is Found.failed


@pytest.mark.parametrize("at", [0, 30, 2000, -10])
def test_a_damaged_bundle_is_one_clear_error_or_a_failed_check(template: World, at: int) -> None:
    data = bytearray(bundled(template))
    data[at] ^= 0xFF
    try:
        found = checked(bytes(data), SIGNER.public)
    except InvalidError as error:
        assert error.code == "bad-bundle"  # noqa: PT017 - either of the two is right
    else:
        assert Found.failed in found.values()


def test_wherever_a_bundle_is_damaged_it_is_told_or_nothing_of_it_changed(template: World) -> None:
    whole = bundled(template)
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        data = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        try:
            found = opened(data)
        except InvalidError as error:
            assert error.code == "bad-bundle"  # noqa: PT017 - either is right
        else:
            assert not found.signed or found.problems or found.files == opened(whole).files, at


def test_documents_are_found_changed_and_missing(template: World) -> None:
    snapshot, told = read(template.judged.snapshot.data)
    from report.records import Document

    paper = Document("sk", "sk_ttis", date(2026, 2, 10), sha256=hashlib.sha256(b"sk").hexdigest())
    more = replace(told, facts={**told.facts, Document: (paper,)})
    for state, found in (("ok", Found.ok), ("missing", Found.failed), ("changed", Found.failed)):
        assert verify.documents(more, lambda _, s=state: s).found is found  # type: ignore[misc]
    assert snapshot.head.regency == "Kabupaten Tangerang"


def test_a_public_key_is_44_characters_of_base64(world: World) -> None:
    assert public_key(f" {SIGNER.public} ") == SIGNER.public
    assert len(SIGNER.public) == 44
    assert open_signer(world.settings.home).public != SIGNER.public
    with pytest.raises(Exception, match="no public key"):
        public_key("abc")


@pytest.mark.parametrize("data", [b"", b"{}\n", b'{"schema":"siaga-snapshot-1"}\n', b"x\n"])
def test_what_is_no_snapshot_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(InvalidError) as caught:
        read(data)
    assert caught.value.code == "bad-snapshot"


def test_a_fact_that_cannot_be_read_says_which(template: World) -> None:
    data = template.judged.snapshot.data.replace(b'"observed_ms":86400000', b'"observed_ms":"viel"', 1)
    with pytest.raises(InvalidError, match="met 0"):
        read(data)


def test_load_and_looks_carry_the_hash_of_their_samples(template: World) -> None:
    _, told = read(template.judged.snapshot.data)
    assert all(len(one.sha256) == 64 for one in told.every(Load) or ())
    assert {p.device for p in told.every(Polled) or () if p.sha256} >= {"core", "rtr-mauk-1"}
