"""The other forms of a report say what its JSON says, and nothing in them runs."""

import csv
import io
import json
import re
import zipfile
from datetime import date
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest
from full import books, matter
from regency import UNTIL, regency

from report.actions import planned
from report.books import Books, Listing, Matter, Paper
from report.charts import Area, Moment, Spoke, chart_map, chart_radar, chart_trend
from report.csvs import as_zip
from report.figures import Chart, Level, Levels, Record, Table, Tone, Verdict
from report.flat import tables
from report.html import as_html
from report.outlines import outlines
from report.readiness import build
from report.render import as_json, as_pdf
from report.xlsx import as_xlsx
from siaga.errors import InvalidError, UsageError

HOSTILE = (
    '=HYPERLINK("http://x")',
    "+1+1",
    "-2",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    '" onload="x',
)


@pytest.fixture(scope="module")
def document() -> bytes:
    return as_json(build(matter(), now=UNTIL))


@pytest.fixture(scope="module")
def hostile() -> bytes:
    papers = tuple(Paper(n, n, n, date(2026, 1, 1), n) for n in HOSTILE)
    listing = Listing("X-1", HOSTILE[4], ((HOSTILE[0], 10, False),), tuple((n,) for n in HOSTILE))
    facts = regency(3, 2)
    return as_json(
        build(Matter(facts, Books(papers=papers, listings=(listing,)), scope=HOSTILE[4]), now=UNTIL)
    )


class _Tags(HTMLParser):
    """Collects the tags and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(page: bytes) -> _Tags:
    found = _Tags()
    found.feed(page.decode())
    return found


def test_the_page_needs_nothing_from_anywhere(document: bytes) -> None:
    found = parsed(as_html(document))
    assert {t for t, _ in found.tags} & {"script", "link", "iframe", "img", "object", "base", "form"} == set()
    assert all(not a.get("src") and not k.startswith("on") for _, a in found.tags for k in a)
    links = [a["href"] or "" for t, a in found.tags if t == "a"]
    ids = {a["id"] for _, a in found.tags if a.get("id")}
    assert links
    assert all(href.startswith("#") and href[1:] in ids for href in links)
    policy = next(a["content"] or "" for t, a in found.tags if t == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'")


def test_the_page_says_every_figure_and_cell(document: bytes) -> None:
    text = " ".join(" ".join(parsed(as_html(document)).text).split())
    tree = json.loads(document)
    shown = [
        f["shown"]
        for c in tree["chapters"]
        for b in c["blocks"]
        if b["kind"] == "numbers"
        for f in tree["figures"]
        if f["id"] in b["ids"]
    ]
    cells = [
        c["shown"]
        for t in tree["chapters"]
        for b in t["blocks"]
        if b["kind"] == "table"
        for row in b["rows"]
        for c in row
    ]
    assert len(shown) > 20
    assert len(cells) > 1000
    assert not [s for s in {*shown, *cells} if " ".join(s.split()) not in text]


def test_what_is_hostile_is_text_on_the_page(hostile: bytes) -> None:
    found = parsed(as_html(hostile))
    assert not [t for t, _ in found.tags if t == "script"]
    assert all(not k.startswith("on") for _, a in found.tags for k in a)
    text = "".join(found.text)
    assert all(name in text for name in HOSTILE)


def test_the_workbook_has_every_table_and_no_formula(document: bytes, hostile: bytes) -> None:
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(document)))
    wanted = [t.id for t in tables(json.loads(document))]
    assert [s.title.split(" ")[0] for s in book.worksheets[1:]] == [w[:31] for w in wanted]
    for data in (document, hostile):
        made = openpyxl.load_workbook(io.BytesIO(as_xlsx(data)))
        kinds = {c.data_type for sheet in made.worksheets for row in sheet.iter_rows() for c in row}
        assert "f" not in kinds
    cells = {str(c.value) for sheet in made.worksheets for row in sheet.iter_rows() for c in row}
    assert set(HOSTILE) <= cells


def test_cells_of_the_workbook_are_typed(document: bytes) -> None:
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(document)))
    money = next(s for s in book.worksheets if s.title.startswith("O-T3"))
    assert [money.cell(5, n).value for n in (4, 5, 6)] == [12, 120_000_000, 10_000_000]
    assert money.cell(5, 8).is_date
    bills = next(s for s in book.worksheets if s.title.startswith("B-T1"))
    assert bills.cell(5, 4).value == pytest.approx(0.9954)
    assert bills.cell(5, 4).number_format == "0.00%"


def test_csv_has_values_that_programs_read_and_none_that_a_spreadsheet_runs(
    document: bytes, hostile: bytes
) -> None:
    with zipfile.ZipFile(io.BytesIO(as_zip(document))) as archive:
        figures = list(csv.DictReader(io.StringIO(archive.read("figures.csv").decode())))
        names = archive.namelist()
    known = {f["id"]: f for f in json.loads(document)["figures"]}
    assert {f["id"]: f["value"] for f in figures} == {
        k: "" if f["value"] is None else repr(f["value"]) for k, f in known.items()
    }
    assert len(names) == len(set(names)) > 40
    with zipfile.ZipFile(io.BytesIO(as_zip(hostile))) as archive:
        for name in archive.namelist():
            for row in csv.reader(io.StringIO(archive.read(name).decode())):
                assert not [c for c in row if c.startswith(("=", "@")) or re.match(r"[+-][^\d.]", c)]


@pytest.mark.parametrize("made", [as_html, as_xlsx, as_zip])
def test_the_same_report_makes_the_same_bytes(made: Any, document: bytes) -> None:
    assert made(document) == made(document)


def test_an_archive_gets_its_part_of_pdf_a() -> None:
    small = as_json(build(regency(1, 0), now=UNTIL))
    for part, said in (("2a", b"pdfaid:part>2<"), ("3b", b"pdfaid:conformance>B<")):
        assert said in as_pdf(small, part)
    with pytest.raises(UsageError, match="no PDF/A-9z"):
        as_pdf(small, "9z")


# --- the drawings


def test_a_drawing_escapes_what_it_is_told() -> None:
    square = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    drawn = chart_map([Area("<b>&", square, (0.5, 0.5), Tone.bad, "<i>")], [(Tone.bad, "<u>")])
    drawn += chart_radar([Spoke("<b>", 3.0, 2.0, 4.0, "<i>")] * 3, ["<u>"] * 5)
    drawn += chart_trend([Moment("<b>", 0.5, "<i>"), Moment("x", 0.7, "y")], (0, 1), [(0.5, "<u>")])
    assert not re.search(r"<(b|i|u)>", drawn)
    assert "&lt;b&gt;" in drawn


def test_a_gap_breaks_the_line_of_a_trend() -> None:
    values = [1.0, 2.0, None, 3.0, 4.0]
    drawn = chart_trend([Moment(str(i), v, "") for i, v in enumerate(values)], (0, 5), [])
    assert drawn.count('stroke-width="1.8"') == 2
    assert "○" in drawn


def test_our_outlines_are_those_of_twenty_nine_kecamatan() -> None:
    found, source = outlines("36.03")
    assert len(found) == 29
    assert len({name for name, _, _ in found}) == 29
    assert "wilayah_boundaries" in source
    assert outlines("") == outlines("../etc") == outlines("99.99") == ((), "")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"features": [{"properties": {"name": "a"}}]}'])
def test_a_file_of_outlines_that_is_none_is_one_sentence(tmp_path: Any, text: str) -> None:
    (tmp_path / "geography").mkdir()
    (tmp_path / "geography" / "36.03.json").write_text(text)
    with pytest.raises(InvalidError, match=r"36\.03\.json holds no outlines"):
        outlines("36.03", tmp_path)


# --- what the chapters say


def blocks(kind: type, about: Matter | None = None) -> list[Any]:
    return [b for b in build(about or matter(), now=UNTIL).blocks() if isinstance(b, kind)]


def table(key: str, about: Matter | None = None) -> Table:
    return next(b for b in blocks(Table, about) if b.id == key)


def test_every_indicator_stands_in_a_chapter_and_has_a_record() -> None:
    judged = matter().judged
    assert judged is not None
    ids = [r.id for r in judged.rows]
    listed: list[Level] = [level for b in blocks(Levels) for level in b.rows]
    assert sorted(level.id for level in listed) == sorted(ids)
    assert [b.level.id for b in blocks(Record)] == ids


def test_a_row_without_data_has_no_level_and_is_no_gap() -> None:
    judged = matter().judged
    assert judged is not None
    bare = {r.id for r in judged.rows if r.level is None}
    listed = {level.id: level for b in blocks(Levels) for level in b.rows}
    assert bare
    assert {listed[i].level_shown for i in bare} == {"tanpa data"}
    assert not bare & {row[1].value for row in table("G-T1").rows}
    assert bare == {row[0].value for row in table("G-T2").rows}


def test_the_summary_has_index_interval_shares_gates_and_five_gaps() -> None:
    made = build(matter(), now=UNTIL)
    first = made.chapters[0].blocks
    (verdict,) = blocks(Verdict)
    judged = matter().judged
    assert judged is not None
    assert verdict.value == judged.index.value
    assert verdict.interval == f"[{judged.index.low:.2f}; {judged.index.high:.2f}]".replace(".", ",")
    assert len(table("S-T1").rows) == 5
    assert len(table("S-T2").rows) == len(judged.gates) == 3
    assert first[0].kind == "text"


def test_both_availabilities_and_the_claim_are_those_of_the_published_example() -> None:
    """FACTS: users 98.61 %, SLA 99.54 %, 200 minutes claimable, power and short failures told apart."""
    row = {c.title: cell.shown for c, cell in zip(table("B-T1").columns, table("B-T1").rows[0], strict=True)}
    assert (row["Pengguna"], row["SLA"], row["Menit klaim"]) == ("98,61%", "99,54%", "200")
    times = table("B-T2").rows[0]
    assert [c.shown for c in times[2:7]] == ["560", "300", "60", "40", "200"]


def test_without_whole_months_no_sum_is_printed_and_it_is_said_why() -> None:
    from dataclasses import replace

    partial = replace(matter(), books=replace(books(), priced=False))
    assert "bulan penuh" in table("B-T1", partial).note
    assert "bulan penuh" not in table("B-T1").note


def test_a_partial_report_has_no_index_and_says_so() -> None:
    part = Matter(regency(10, 4), scope="Balaraja")
    made = build(part, now=UNTIL)
    assert made.meta["scope"] == "Balaraja"
    assert not blocks(Verdict, part)
    assert not blocks(Levels, part)
    assert "indikator berlaku bagi seluruh daerah" in table("S-T1", part).empty
    titles = {c.number for c in made.chapters}
    assert not titles & {"II", "IV", "VI", "VIII", "IX"}  # those are about the whole regency


def test_every_chart_has_a_text_that_stands_for_it() -> None:
    charts = blocks(Chart)
    assert len(charts) >= 5
    assert all(c.svg and len(c.alt) > 20 for c in charts)


def test_the_regency_says_what_it_plans_and_keeps_the_rest_proposed(tmp_path: Any) -> None:
    (tmp_path / "actions.toml").write_text('[INF-JAR-05]\nowner = "Sekda"\ndue = 2027-03-01\ncost = "high"\n')
    found = {a.row: a for a in planned(tmp_path)}
    assert (found["INF-JAR-05"].owner, found["INF-JAR-05"].due, found["INF-JAR-05"].own) == (
        "Sekda",
        date(2027, 3, 1),
        True,
    )
    assert found["INF-PER-06"].quick
    assert not found["INF-PER-06"].own


@pytest.mark.parametrize("text", ["[X", '[A]\ncost = "cheap"', "[A]\nowner = 7", "[A]\nwho = 'x'"])
def test_a_plan_that_cannot_be_read_is_one_sentence(tmp_path: Any, text: str) -> None:
    (tmp_path / "actions.toml").write_text(text)
    with pytest.raises(InvalidError) as caught:
        planned(tmp_path)
    assert caught.value.code == "bad-actions"
