"""The official sheets by the command: what stands on them, what is said beside them, and as of when."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pypdf
import pytest
from openpyxl import load_workbook

from inventory.imports.column_map import plain
from inventory.imports.draft import _fields
from inventory.nouns import noun
from report.exports import forms
from report.exports.architecture import described
from tests.cli_runner import Siaga, runner
from tests.homes import fresh

COMMANDS = ("kib-b", "kir", "kir-2021", "kibar", "sia-spbe")


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str]) -> Siaga:
    """A regency with an agency, a room, a server, a link of nobody, and three assets, one of them disposed of."""
    run = runner(capsys)
    fresh(scrubbed)
    for words in (
        ("place", "add", "Tangerang", "kind=regency", "code=36.03"),
        ("place", "add", "Ruang Server", "kind=room", "parent=Tangerang", "purpose=server"),
        ("agency", "add", "kominfo", "title=Dinas Kominfo", "kind=opd"),
        ("device", "add", "srv-1", "role=server", "agency=kominfo", "notes=status: sourced; sources: seed"),
        ("device", "add", "rtr-1", "role=router", "agency=kominfo", "place=Ruang Server"),
        ("service", "add", "e-surat", "agency=kominfo", "url=https://surat.example.go.id"),
        ("asset", "add", "R/1", "title=Router", "kode_barang=1.3.2.10.02.04.002", "register_number=0008"),
        ("asset", "add", "R/2", "title=Switch 🚀"),
        ("asset", "add", "R/3", "title=Rusak", "status=disposed"),
    ):  # fmt: skip
        run(*words).well()
    for name in ("R/1", "R/2", "R/3"):
        run("asset", "set", name, "agency=kominfo", "place=Ruang Server").well()
    return run


def rows(siaga: Siaga, *words: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(siaga("export", *words, "-o", "json").well().out)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_is_named_by_either_option(siaga: Siaga, name: str, tmp_path: Path) -> None:
    ending = "pdf" if name == "kibar" else "xlsx"
    for option in ("-O", "--out"):
        path = tmp_path / f"{option}.{ending}"
        assert f"in {path}." in siaga("export", name, option, path).well().err
        assert path.stat().st_size > 1000
    assert siaga("export", name, "-O", "-").well().out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_books_as_they_were_hold_what_was_there(siaga: Siaga, name: str) -> None:
    assert rows(siaga, name)
    assert rows(siaga, name, "--at", "set:1") == []
    assert rows(siaga, name, "--at", "1d") == []
    siaga("export", name, "--at", "set:1000").failed(3, "no-such-set")


def test_a_change_set_is_shown_as_of_its_moment(siaga: Siaga, tmp_path: Path) -> None:
    siaga("export", "kir", "--at", "set:10", "-O", tmp_path / "a.xlsx")
    siaga("export", "kir", "--at", "set:12", "-O", tmp_path / "a.xlsx").well()
    page = load_workbook(tmp_path / "a.xlsx").active
    assert page["A2"].value.startswith("Keadaan per ")
    assert siaga("export", "sia-spbe", "--at", "set:12").well().err.startswith("Keadaan per ")


def test_what_was_disposed_of_is_left_out_with_a_word(siaga: Siaga) -> None:
    for name in ("kib-b", "kir", "kir-2021", "kibar"):
        said = siaga("export", name, "status=disposed").well()
        assert "Left out: 1 row disposed of (status=disposed)" in said.err


def test_an_empty_letterhead_is_told(siaga: Siaga) -> None:
    assert "NO. KODE LOKASI is empty for kominfo" in siaga("export", "kib-b").well().err
    siaga("agency", "set", "kominfo", "code=12.10.28.01").well()
    assert "KODE LOKASI" not in siaga("export", "kib-b").well().err


def test_a_count_and_a_register_are_always_two(siaga: Siaga) -> None:
    assert {r["quantity_register"] for r in rows(siaga, "kir")} == {"1 / 0008", "1 / -"}
    assert "Register 1" in siaga("export", "kir").well().err


@pytest.mark.parametrize("name", ["kib-b", "kir", "kir-2021", "kibar"])
def test_what_the_font_lacks_is_a_box_and_a_sentence(siaga: Siaga, name: str, tmp_path: Path) -> None:
    said = siaga("export", name, "-O", tmp_path / "a.pdf").well().err
    assert "1 row has characters that the PDF's font lacks, printed as □: R/2." in said
    assert "□" in "".join(p.extract_text() for p in pypdf.PdfReader(tmp_path / "a.pdf").pages)
    assert "the PDF's font" not in siaga("export", name, "name=R/1", "-O", tmp_path / "b.pdf").well().err


def test_one_is_one(siaga: Siaga, tmp_path: Path) -> None:
    said = siaga("export", "kibar", "name=R/1", "-O", tmp_path / "a.pdf").well().err
    assert f"1 label on 1 page is in {tmp_path / 'a.pdf'}." in said
    said = siaga("export", "kib-b", "-O", tmp_path / "a.xlsx").well().err
    assert f"2 rows on 1 sheet are in {tmp_path / 'a.xlsx'}." in said


# --- SIA-SPBE -----------------------------------------------------------------------------------------------


def test_each_list_has_its_own_columns(siaga: Siaga) -> None:
    lines = siaga("export", "sia-spbe").well().out.splitlines()
    heads = {lines[n - 1]: line for n, line in enumerate(lines) if line.startswith("Nama")}
    assert list(heads) == ["Server", "Perangkat Jaringan", "Pusat Komputasi", "Aplikasi"]
    assert "Klasifikasi Tier" in heads["Pusat Komputasi"]
    assert "Alamat (URL)" in heads["Aplikasi"]
    assert "Klasifikasi Tier" not in heads["Server"]
    header = next(csv.reader(io.StringIO(siaga("export", "sia-spbe", "-o", "csv").well().out)))
    assert {"sheet", "tier", "url", "hardware_kind"} <= {*header}


def test_where_a_fact_came_from_is_no_description() -> None:
    assert described("status: sourced; sources: seed") == ""
    assert described("Portal; status: unverified; sources: a, b; as of: 2019; integrated: True") == (
        "Portal; integrated: True"
    )
    assert described("Server lama; sources: gudang") == "Server lama; sources: gudang"


def test_a_description_leaves_provenance_out(siaga: Siaga) -> None:
    [server] = [r for r in rows(siaga, "sia-spbe") if r["name"] == "srv-1"]
    assert server["description"] == ""


# --- titles -------------------------------------------------------------------------------------------------

# These hold no value of one field: a running number, two numbers in one, thousands, and a count in one of three.
NO_FIELDS = {
    "No. Urut",
    "No",
    "Jumlah Barang/Register",
    "Harga Beli/Perolehan (ribuan)",
    "Keadaan Baik (B)",
    "Keadaan Kurang Baik (KB/RR)",
    "Keadaan Rusak Berat (RB)",
}


@pytest.mark.parametrize("name", ["kib-b", "kir", "kir-2021"])
def test_the_official_titles_are_known_when_they_come_in_again(name: str) -> None:
    titles = [c.whole for c in forms.form(name).columns]
    known = _fields(noun("asset"), titles)
    assert {t for t in titles if t not in known} == NO_FIELDS & {*titles}
    assert all(plain(t) for t in known)
