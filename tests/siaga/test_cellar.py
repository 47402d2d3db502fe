"""The cellar: text from devices is harmless, settings are strict, secrets stay sealed, output is stable."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from siaga.clock import ahead, moment, retry_after_s, shown
from siaga.errors import AuthError, InvalidError, UsageError
from siaga.formulas import restored
from siaga.outcome import Column, Format, Outcome
from siaga.render import render
from siaga.secrets import Vault, make_key, open_vault
from siaga.settings import load
from siaga.text import decoded, one, pictured, safe

HOSTILE = [
    "\x1b[2J\x1b[H",
    "[/foo]",
    "[link=http://x]y[/link]",
    "a\nb",
    "\u202egnp.exe",
    "\x9b31m",
    "x" * 5000,
    "=1+1",
]


@given(st.text())
def test_safe_text_is_one_bounded_line_without_controls(text: str) -> None:
    line = safe(text)
    assert len(line) <= 255
    assert line.isprintable()
    assert safe(line) == line


@given(st.binary())
def test_octets_of_any_kind_become_safe_text(octets: bytes) -> None:
    assert decoded(octets).isprintable()


def test_safe_text_keeps_what_people_write() -> None:
    assert safe("Kantor Kecamatan Mauk – uplink ①") == "Kantor Kecamatan Mauk – uplink ①"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("form", list(Format))
def test_no_form_of_output_passes_an_escape_on(text: str, form: Format) -> None:
    shown_ = render(
        Outcome([{"name": text, "n": 1}], [Column("name", "name"), Column("n", "n")], format=form)
    )
    assert "\x1b" not in shown_
    assert "\x9b" not in shown_
    assert "\u202e" not in shown_


def test_csv_neutralises_formulas_but_keeps_numbers() -> None:
    text = render(Outcome([{"a": "=cmd()", "b": -5, "c": "-5"}], format=Format.csv))
    assert text == "a,b,c\n'=cmd(),-5,'-5\n"


HIDDEN = st.text(alphabet="ab \\\"'\n\t\r:#-=+@\u200b\u2028\u202e\ufeff\x85\x9b\u00a0é😀", max_size=30)


@given(
    rows=st.lists(
        st.fixed_dictionaries({"name": st.text() | HIDDEN, "n": st.integers() | st.none()}), max_size=3
    )
)
def test_yaml_says_what_json_says(rows: list[dict[str, object]]) -> None:
    assert yaml.safe_load(render(Outcome(rows, format=Format.yaml))) == json.loads(
        render(Outcome(rows, format=Format.json))
    )


@given(text=HIDDEN | st.just("x  y\n\tz" * 2000))
def test_csv_loses_no_text_that_a_field_can_hold(text: str) -> None:
    text = re.sub("[\u202a-\u202e\u2066-\u2069\x7f-\x9f]", "", text)
    (_, row) = csv.reader(
        io.StringIO(render(Outcome([{"a": "x", "b": text}], format=Format.csv)), newline="")
    )
    assert restored(row[1]) == text


def test_a_field_that_is_not_there_is_said_in_every_format() -> None:
    for form in Format:
        with pytest.raises(UsageError, match="no field 'c' here"):
            render(Outcome([{"a": 1}], single=True, fields=["c"], format=form))


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ("77", 77),
        ("999999999999", 3600),
        ("Thu, 26 Nov 2026 00:01:00 GMT", 60),
        ("Thu, 26 Nov 2026 00:01:00 -0000", 60),
        ("Wed, 25 Nov 2026 23:59:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 -2300", 0),
        ("٣", 0),
        ("soon", 0),
        ("", 0),
    ],
)
def test_how_long_another_side_asks_to_wait(said: str, wait_s: float) -> None:
    assert retry_after_s(said, datetime(2026, 11, 26, tzinfo=UTC)) == wait_s


@pytest.mark.parametrize("text", ["999999w", "0001-01-01", "9999-12-31 23:59-23:59", "٣d", "soon"])
def test_a_time_that_cannot_be_is_one_clear_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        moment(text, datetime(2026, 11, 26, tzinfo=UTC))
    assert caught.value.code == "bad-time"


def test_what_is_no_time_is_told_with_what_would_be_one_there() -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    for read, word in ((moment, "2h, 3d (ago)"), (ahead, "2h, 3d (from now)")):
        with pytest.raises(UsageError, match=re.escape(word)):
            read("besok", now)


def test_a_mark_stands_below_its_character() -> None:
    assert pictured("a\tb=\u200bc", 5) == ("a b= c", "     ^")
    text, mark = pictured("x" * 300 + "!" + "y" * 300, 300)
    assert text[mark.index("^")] == "!"
    assert len(text) < 110


@pytest.mark.parametrize(
    ("words", "right"), [("ip range", "an ip range"), ("Address", "an Address"), ("vlan", "a vlan")]
)
def test_words_have_their_article(words: str, right: str) -> None:
    assert one(words) == right


def test_empty_is_an_empty_list() -> None:
    assert render(Outcome([], format=Format.json)) == "[]\n"
    assert render(Outcome([], [Column("a", "a")], format=Format.csv)) == "a\n"


def test_times_carry_their_zone() -> None:
    row = {"at": datetime(2026, 11, 24, 3, 0, tzinfo=UTC)}
    assert json.loads(render(Outcome([row], format=Format.json))) == [{"at": "2026-11-24T10:00:00+07:00"}]
    assert shown(None) == ""


def test_an_unknown_field_is_said_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="there are a, b"):
        render(Outcome([{"a": 1, "b": 2}], fields=["c"]))


def test_settings_come_from_files_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s.toml").write_text("language = 'en'\n[poll]\ntimeout_s = 3\nretries = 1\n")
    monkeypatch.setenv("SIAGA_CONFIG", str(tmp_path / "s.toml"))
    monkeypatch.setenv("SIAGA_POLL__RETRIES", "4")
    found = load()
    assert (found.language, found.poll.timeout_s, found.poll.retries) == ("en", 3.0, 4)


@pytest.mark.parametrize("text", ["language = 'fr'", "speed = 1", "[poll]\ntimeout_s = 'x'", "not toml ["])
def test_wrong_settings_are_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    monkeypatch.setenv("SIAGA_CONFIG", str(tmp_path / "s.toml"))
    with pytest.raises(InvalidError) as caught:
        load()
    assert caught.value.code == "bad-settings"


def test_a_box_opens_only_under_its_own_name() -> None:
    vault = Vault(bytes(range(32)))
    box = vault.seal("a", "rahasia")
    assert vault.open("a", box) == "rahasia"
    with pytest.raises(AuthError):
        vault.open("b", box)
    assert "rahasia" not in repr(vault)
    assert "rahasia" not in repr(box)


def test_the_master_key_is_made_once(tmp_path: Path) -> None:
    make_key(tmp_path)
    before = open_vault(tmp_path).key_id
    make_key(tmp_path)
    assert open_vault(tmp_path).key_id == before
    with pytest.raises(AuthError, match="siaga init"):
        open_vault(tmp_path / "none")
