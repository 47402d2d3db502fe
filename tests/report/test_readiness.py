"""The report as a value, and the PDF that prints it."""

import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest
from full import matter
from judged import judged
from regency import SINCE, UNTIL, regency

import report
from report import render
from report.books import Matter
from report.facts import Connection, Device, Facts, Seen, Usage
from report.figures import Table
from report.files import write_both
from report.numbers import number, percent
from report.readiness import build
from report.render import as_json, as_pdf
from siaga.errors import SiagaError

HOSTILE = (
    '#panic("x")',
    "$ x^2 $",
    "[link]",
    "*b*",
    "<b>&amp;",
    "{name}",
    "日本\x1b[31m",
    "x" * 300,
    "@ref",
    "\\",
)
# A number stands alone: not a part of a word such as v2c, rtr-07 or 027/101.
SAID = ("shown", "number", "id", "name", "title", "interval")
NUMBER = re.compile(r"(?<![\w/.,–-])\d[\d.,]*\d|(?<![\w/.,–-])\d")


def figure(facts: Facts, key: str) -> Any:
    return next(f for f in build(facts, now=UNTIL).figures if f.id == key)


@pytest.fixture(scope="module")
def documents() -> dict[str, bytes]:
    return {lang: as_json(build(matter(lang), now=UNTIL, lang=lang)) for lang in ("id", "en")}


@pytest.fixture(scope="module")
def pdfs(documents: dict[str, bytes]) -> dict[str, bytes]:
    return {lang: as_pdf(document) for lang, document in documents.items()}


@pytest.fixture(scope="module")
def texts(pdfs: dict[str, bytes]) -> dict[str, list[str]]:
    return {
        lang: [p.extract_text() for p in pypdf.PdfReader(BytesIO(pdf)).pages] for lang, pdf in pdfs.items()
    }


def test_an_empty_inventory_makes_a_report_that_claims_nothing() -> None:
    made = build(Facts(SINCE, UNTIL), now=UNTIL)
    values = {f.id: f.value for f in made.figures}
    assert values["E-01"] == 0
    assert values["E-05"] is None
    assert values["N-04"] is None
    assert values["N-07"] is None
    assert values["P-01"] is None


def test_a_device_never_seen_is_neither_up_nor_down() -> None:
    facts = Facts(SINCE, UNTIL, devices=(Device(1, "a"), Device(2, "b", seen=Seen.up)))
    assert [figure(facts, k).value for k in ("E-02", "E-03", "E-04")] == [1, 0, 1]
    assert figure(facts, "E-05").value == 0.5


def test_too_few_measurements_are_said_and_not_a_number() -> None:
    few = Connection("wan", down_bps=10**8, usage=Usage(300, (99e6,) * 19, (1e6,) * 19))
    facts = Facts(SINCE, UNTIL, connections=(few,))
    assert figure(facts, "N-07").value is None
    assert figure(facts, "N-07").shown == "data tidak cukup"
    enough = replace(few, usage=Usage(300, (99e6,) * 20, (1e6,) * 20))
    assert figure(replace(facts, connections=(enough,)), "N-07").value == 1


def test_old_snmp_and_other_serials_are_findings() -> None:
    devices = (
        Device(1, "a", snmp="2c", serial="X1", seen_serial="X2"),
        Device(2, "b", snmp="3", serial="Y", seen_serial="Y"),
        Device(3, "c", serial="Z"),
    )
    facts = Facts(SINCE, UNTIL, devices=devices)
    assert (figure(facts, "E-06").numerator, figure(facts, "E-06").denominator) == (1, 2)
    assert (figure(facts, "E-07").numerator, figure(facts, "E-07").denominator) == (1, 2)


def test_every_figure_and_table_has_a_source_and_an_own_id() -> None:
    made = build(regency(), now=UNTIL)
    assert all(f.source for f in made.figures)
    tables = [b for b in made.blocks() if isinstance(b, Table)]
    assert all(t.source for t in tables)
    ids = [t.id for t in tables] + [f.id for f in made.figures]
    assert len(ids) == len(set(ids))


def test_the_words_are_in_both_languages_and_hold_no_digit() -> None:
    words: dict[str, dict[str, str]] = {}
    for path in (Path(report.__file__ or "").parent / "words").glob("*.toml"):
        more = tomllib.loads(path.read_text())
        assert not words.keys() & more.keys(), path
        words |= more
    for key, both in words.items():
        assert set(both) == {"id", "en"}, key
        holes = {lang: set(re.findall(r"\{\w+\}", text)) for lang, text in both.items()}
        assert holes["id"] == holes["en"], key
        names = re.sub(r"SHA-256|SNMPv3", "", both["id"] + both["en"])
        assert not re.search(r"\d", names), key


def test_the_templates_type_no_text(documents: dict[str, bytes]) -> None:
    for path in (Path(report.__file__ or "").parent / "templates").glob("*.typ"):
        for line in path.read_text().splitlines():
            code = line.split("//")[0]
            assert not re.search(r"\[[^\]\[#]*\d[^\]\[]*\]", code), line


def shown_numbers(document: dict[str, Any]) -> set[str]:
    """Return every number printed as a figure, a cell, a bar or part of the cover; sentences do not count."""
    texts: list[str] = [str(v) for v in document["meta"].values()]

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            texts.extend(re.findall(r">([^<]+)<", value.get("svg", "")))
            texts.extend(str(value[k]) for k in SAID if value.get(k))
            texts.extend(str(v) for p in value.get("pairs", ()) for v in p.values())
            texts.extend(str(v) for k, v in value.items() if k.endswith("_shown"))
            for key, inner in value.items():
                if key not in ("text", "source", "note", "title", "label", "svg", "pairs"):
                    collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner) if isinstance(inner, (dict, list)) else texts.append(str(inner))

    collect(document)
    for one in document["figures"]:  # "130 of 140", "coverage 89.2%": the parts of a figure, as printed
        parts = [
            number(one[k], 0, document["lang"]) for k in ("numerator", "denominator") if one[k] is not None
        ]
        share = [percent(one["coverage"], 1, document["lang"])] if one["coverage"] is not None else []
        texts.extend(parts + share)
    return {n for text in texts for n in NUMBER.findall(text)}


def unwrapped(text: str) -> str:
    """Join what a narrow cell broke after a dash."""
    return re.sub(r"(?<=[–/-])\s*\n", "", text.replace("\u200b", ""))


@pytest.mark.parametrize("lang", ["id", "en"])
def test_every_number_in_the_pdf_is_in_the_json(
    lang: str, documents: dict[str, bytes], texts: dict[str, list[str]]
) -> None:
    known = shown_numbers(json.loads(documents[lang]))
    pages = len(texts[lang])
    for index, text in enumerate(texts[lang]):
        if index < 2:  # the cover has the fingerprint, the contents page numbers
            continue
        foot = re.compile(rf"\b\w+ {index + 1} \w+ {pages}\b")
        assert foot.search(text), f"page {index + 1} does not say which it is"
        strange = set(NUMBER.findall(unwrapped(foot.sub("", text)))) - known
        assert not strange, f"page {index + 1} prints {strange}"


def test_both_languages_carry_the_same_values(documents: dict[str, bytes]) -> None:
    both = [json.loads(documents[lang])["figures"] for lang in ("id", "en")]
    for one, other in zip(*both, strict=True):
        for key in ("id", "value", "unit", "numerator", "denominator", "coverage", "evidence", "tone"):
            assert one[key] == other[key], one["id"]


def test_the_cover_carries_the_fingerprint_of_the_json(
    documents: dict[str, bytes], texts: dict[str, list[str]], pdfs: dict[str, bytes]
) -> None:
    printed = re.sub(r"\s", "", texts["id"][0])
    assert hashlib.sha256(documents["id"]).hexdigest() in printed
    attached = pypdf.PdfReader(BytesIO(pdfs["id"])).attachments
    assert attached["readiness.json"] == [documents["id"]]


def test_every_page_says_that_it_is_an_illustration(texts: dict[str, list[str]]) -> None:
    assert all("ILUSTRASI/SIMULASI" in text for text in texts["id"])
    assert all("ILLUSTRATION/SIMULATION" in text for text in texts["en"])


def test_a_real_report_is_not_marked_and_claims_no_score() -> None:
    document = as_json(build(regency(3, 2, illustrative=False), now=UNTIL))
    text = " ".join(p.extract_text() for p in pypdf.PdfReader(BytesIO(as_pdf(document))).pages)
    assert "ILUSTRASI" not in text
    assert "bukan nilai resmi" in re.sub(r"\s+", " ", text)


def test_only_the_shipped_font_is_used(pdfs: dict[str, bytes]) -> None:
    names = set()
    for page in pypdf.PdfReader(BytesIO(pdfs["id"])).pages:
        for font in page["/Resources"].get("/Font", {}).values():
            names.add(str(font.get_object()["/BaseFont"]).split("+")[-1])
    assert names
    assert all(
        re.fullmatch(r"Inter-(Regular|SemiBold|Bold)(-Identity-H)?", name.lstrip("/")) for name in names
    ), names


@pytest.mark.parametrize("broken", [None, b"", b"OTTO no font"])
def test_a_missing_or_broken_font_is_one_clear_line_and_no_empty_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bytes | None
) -> None:
    shutil.copytree(render.HERE / "fonts", tmp_path / "fonts")
    bold = tmp_path / "fonts" / "Inter-Bold.otf"
    bold.unlink() if broken is None else bold.write_bytes(broken)
    monkeypatch.setattr(render, "HERE", tmp_path)
    with pytest.raises(SiagaError, match=r"has no sound Inter-Bold\.otf") as caught:
        as_pdf(as_json(build(regency(1, 0), now=UNTIL)))
    assert caught.value.code == "font-missing"


def test_the_cover_names_the_snapshot() -> None:
    some = replace(judged(), snapshot_sha256="0123456789abcdef" * 4)
    document = as_json(build(Matter(regency(1, 0), judged=some), now=UNTIL))
    cover = pypdf.PdfReader(BytesIO(as_pdf(document))).pages[0].extract_text()
    for hash_ in (some.snapshot_sha256, hashlib.sha256(document).hexdigest()):
        assert hash_ in re.sub(r"\s+", "", cover)


def test_the_pdf_is_tagged_and_says_its_language(pdfs: dict[str, bytes]) -> None:
    root = pypdf.PdfReader(BytesIO(pdfs["en"])).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("en")


def test_the_pdf_has_what_archives_and_screen_readers_ask_for(pdfs: dict[str, bytes]) -> None:
    """PDF/A (ISO 19005-3): output intent, embedded fonts. PDF/UA (ISO 14289-1): title, tabs, what tags need."""
    reader = pypdf.PdfReader(BytesIO(pdfs["id"]))
    root = reader.trailer["/Root"]
    assert [o.get_object()["/S"] for o in root["/OutputIntents"]] == ["/GTS_PDFA1"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    said = root["/Metadata"].get_object().get_data().decode()
    assert ("<pdfaid:part>3<" in said, "<pdfuaid:part>1<" in said) == (True, True)
    for page in reader.pages:
        assert (page["/Tabs"], "/StructParents" in page) == ("/S", True)
        for font in page["/Resources"].get("/Font", {}).values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(inner)
    tags = list(_tags(root["/StructTreeRoot"].get_object()["/K"]))
    assert {t["/S"] for t in tags} >= {"/Document", "/H1", "/H2", "/Table", "/TH", "/TD", "/TOC", "/Figure"}
    assert all(t.get("/Alt") for t in tags if t["/S"] == "/Figure")
    assert all("/Scope" in str(t["/A"].get_object()) for t in tags if t["/S"] == "/TH")


def _tags(node: Any) -> Iterator[Any]:
    """Yield the elements of a structure tree."""
    whole = node.get_object()
    for one in whole if isinstance(whole, list) else (whole,):
        here = one.get_object()
        if isinstance(here, dict) and "/S" in here:
            yield here
            yield from _tags(here.get("/K", pypdf.generic.ArrayObject()))


def test_same_facts_make_the_same_bytes(pdfs: dict[str, bytes]) -> None:
    again = as_json(build(matter(), now=UNTIL))
    assert as_pdf(again) == pdfs["id"]


def test_hostile_names_are_printed_and_not_run() -> None:
    devices = tuple(
        Device(i, name, maker=name, model=name, version=name, agency=name, serial=name, seen_serial="other")
        for i, name in enumerate(HOSTILE, 1)
    )
    lines = tuple(Connection(n, agency=n, contract=n, provider=n, kecamatan=n) for n in HOSTILE)
    facts = Facts(SINCE, UNTIL, regency='#panic("r")', devices=devices, connections=lines)
    document = as_json(build(facts, now=UNTIL, letter="#(1+1)"))
    text = " ".join(p.extract_text() for p in pypdf.PdfReader(BytesIO(as_pdf(document))).pages)
    flat = re.sub(r"[\s\u200b]", "", text)
    for name in ('#panic("x")', "$x^2$", "[link]", "*b*", "<b>&amp;", "{name}", "□□", "@ref", "#(1+1)"):
        assert name in flat, name
    assert "\x1b" not in text


def test_a_font_that_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from report import glyphs

    glyphs.covered.cache_clear()
    monkeypatch.setattr(glyphs, "FONTS", tmp_path)
    with pytest.raises(SiagaError, match=r"Inter-Bold\.otf"):
        glyphs.printable("x")
    glyphs.covered.cache_clear()


def test_both_files_are_written_whole(tmp_path: Path) -> None:
    beside = write_both(tmp_path / "r.pdf", b"pdf", b"{}")
    assert beside == tmp_path / "r.json"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.json", "r.pdf"]


def test_a_place_that_cannot_be_written_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "r.pdf").mkdir()
    for path in (tmp_path / "r.pdf", tmp_path / "missing" / "r.pdf"):
        with pytest.raises(SiagaError) as caught:
            write_both(path, b"pdf", b"{}")
        assert caught.value.code == "cannot-write"
    assert [p.name for p in tmp_path.iterdir()] == ["r.pdf"]
