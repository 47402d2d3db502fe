"""Bad input gets one clear line and the right exit code, and nothing is lost or half-written."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from tests.cli_runner import Said, Siaga, cramped, runner, stored
from tests.homes import fresh

Book = dict[str, list[Sequence[Any]]]
PLACES: list[Sequence[Any]] = [
    ("name", "kind", "kecamatan"),
    ("Kabupaten Tangerang", "regency", None),
    ("Mauk", "kecamatan", "Kabupaten Tangerang"),
    ("Kantor Mauk", "site", "Mauk"),
]
DEVICES: list[Sequence[Any]] = [
    ("name", "role", "place", "address", "notes"),
    ("rtr-1", "router", "Kantor Mauk", "10.0.0.1", "as it was"),
]
# Every bad workbook also holds good rows: one that would change what is there, and one that would be new.
GOOD: list[Sequence[Any]] = [
    ("rtr-1", "router", "Kantor Mauk", "10.0.0.1", "changed"),
    ("rtr-2", "router", "Kantor Mauk", "10.0.0.2", "new"),
]


def book(path: Path, sheets: Book) -> Path:
    made = Workbook()
    made.remove(made.worksheets[0])
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    made.save(path)
    return path


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    """What runs a command line."""
    return runner(capsys)


@pytest.fixture
def home(scrubbed: Path, tmp_path: Path, siaga: Siaga) -> Path:
    """A home whose inventory holds three places and a device."""
    fresh(scrubbed)
    siaga("import", book(tmp_path / "first.xlsx", {"place": PLACES, "device": DEVICES})).well()
    return scrubbed


def last_run(siaga: Siaga) -> tuple[str, str]:
    newest = json.loads(siaga("runs", "-o", "json").well().out)[0]
    return newest["kind"], newest["status"]


BAD_BOOKS: dict[str, tuple[Book, list[str]]] = {
    "wrong columns": (
        {"device": [("nama", "role", "alamat"), ("rtr-2", "router", "10.0.0.2")], "place": PLACES},
        [
            "column 'nama' is unknown; a device has name, role,",
            "column 'alamat' is unknown",
            "'name' is missing",
        ],
    ),
    "duplicate names": (
        {"device": [DEVICES[0], *GOOD, ("rtr-2", "switch", "Mauk", "10.0.0.3", "")]},
        ["sheet 'device', row 4: 'rtr-2' stands in row 3 already"],
    ),
    "an unknown kecamatan": (
        {"place": [*PLACES, ("Kantor lain", "site", "Mouk")], "device": [DEVICES[0], *GOOD]},
        ["sheet 'place', row 5, column", "no place called 'Mouk'; did you mean 'Mauk'?"],
    ),
    "a place of a device that is not there": (
        {"device": [DEVICES[0], *GOOD, ("rtr-3", "router", "Kantor Mouk", "10.0.0.3", "")]},
        ["row 4, column place", "did you mean 'Kantor Mauk'?"],
    ),
    "bad addresses": (
        {
            "device": [
                DEVICES[0],
                *GOOD,
                ("rtr-3", "router", "Mauk", "10.0.0.300", ""),
                ("rtr-4", "router", "Mauk", "10.0.0.4 (lama)", ""),
            ]
        },
        [
            "row 4, column address: address is '10.0.0.300', must be an IPv4 or IPv6 address",
            "row 5, column address: address is '10.0.0.4 (lama)'",
        ],
    ),
    "one address twice": (
        {"device": [DEVICES[0], *GOOD, ("rtr-3", "router", "Mauk", "10.0.0.1", "")]},
        ["both polled at 10.0.0.1 port 161"],
    ),
    "a sheet of nothing known": (
        {"gadget": [("name",), ("x",)], "device": [DEVICES[0], *GOOD]},
        ["sheet 'gadget': There is nothing called 'gadget'"],
    ),
}


@pytest.mark.parametrize("what", BAD_BOOKS)
def test_a_bad_row_stops_the_whole_import(what: str, home: Path, tmp_path: Path, siaga: Siaga) -> None:
    before = stored(home)
    sheets, words = BAD_BOOKS[what]
    path = book(tmp_path / "bad.xlsx", sheets)
    for flags in (["--dry-run"], []):
        problems = siaga("import", path, *flags).failed(5, "bad-rows")
        for word in words:
            assert any(word in p for p in problems), problems
        assert stored(home) == before
    assert last_run(siaga) == ("import", "failed")
    siaga("history", "verify").well()


def test_the_good_rows_of_a_bad_workbook_would_have_been_written(
    home: Path, tmp_path: Path, siaga: Siaga
) -> None:
    siaga("import", book(tmp_path / "good.xlsx", {"device": [DEVICES[0], *GOOD]})).well()
    found = json.loads(siaga("device", "list", "-o", "json").well().out)
    assert [(d["name"], d["notes"]) for d in found] == [("rtr-1", "changed"), ("rtr-2", "new")]


def _zip_without_book(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "x" * 100)


def _inside_replaced(name: str, content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        whole = book(path.with_name("whole.xlsx"), {"device": [DEVICES[0], *GOOD]})
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
            for item in source.namelist():
                target.writestr(item, content if item == name else source.read(item))

    return make


def _cut_off(path: Path) -> None:
    path.write_bytes(book(path.with_name("whole.xlsx"), {"device": [DEVICES[0], *GOOD]}).read_bytes()[:3000])


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def _laughs() -> bytes:
    """Entities within entities: a gigabyte of text in a few lines of XML."""
    inner = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    cell = '<c r="A1" t="inlineStr"><is><t>&a9;</t></is></c>'
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">{cell}</row></sheetData></worksheet>'
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{inner}]>{sheet}'.encode()


UNREADABLE: dict[str, tuple[str, Callable[[Path], object], int, str]] = {
    "no zip": ("b.xlsx", lambda p: p.write_bytes(b"name;role\nrtr-2;router\n"), 5, "bad-workbook"),
    "nothing at all": ("b.xlsx", lambda p: p.write_bytes(b""), 5, "bad-workbook"),
    "a zip of something else": ("b.xlsx", _zip_without_book, 5, "bad-workbook"),
    "cut off": ("b.xlsx", _cut_off, 5, "bad-workbook"),
    "a directory": ("b.xlsx", lambda p: p.mkdir(), 5, "bad-workbook"),
    "no XML": ("b.xlsx", _inside_replaced("xl/worksheets/sheet1.xml", b"<a"), 5, "bad-workbook"),
    "no sheets": ("b.xlsx", _inside_replaced("xl/workbook.xml", b"<a/>"), 5, "empty-import"),
    "a bomb": ("b.xlsx", _inside_replaced("xl/worksheets/sheet1.xml", _laughs()), 5, "bad-workbook"),
    "no rows": ("b.xlsx", lambda p: book(p, {"device": []}), 5, "empty-import"),
    "only a header": ("b.xlsx", lambda p: book(p, {"device": DEVICES[:1]}), 5, "empty-import"),
    "an empty CSV": ("device.csv", lambda p: p.write_bytes(b""), 5, "empty-import"),
    "not UTF-8": ("device.csv", lambda p: p.write_bytes(b"name,role\nrtr-\xe9,router\n"), 5, "bad-workbook"),
    "not there": ("b.xlsx", lambda p: None, 3, "no-such-file"),
    "of another kind": ("b.ods", lambda p: p.write_bytes(b"PK"), 2, "unknown-format"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_is_said_and_changes_nothing(
    what: str, home: Path, tmp_path: Path, siaga: Siaga
) -> None:
    before = stored(home)
    name, make, exit_code, code = UNREADABLE[what]
    make(tmp_path / name)
    said = siaga("import", tmp_path / name)
    assert said.failed(exit_code, code) == []
    assert name in said.err
    assert stored(home) == before
    assert last_run(siaga) == ("import", "failed")


# -- cut off, and no room ------------------------------------------------------------------------------------


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A CSV of devices that do not fit SQLite's cache, so that the log grows before the commit."""
    lines = [f"srv-{i},server,Kantor Mauk,{'x' * 1900}" for i in range(1200)]
    path = tmp_path / "device.csv"
    path.write_text("\n".join(["name,role,place,notes", *lines]))
    return path


def _imported_whole(siaga: Siaga, large: Path, home: Path) -> None:
    siaga("import", large).well()
    assert len(stored(home)["device"]) == 1201
    siaga("history", "verify").well()


_KILLED = """
import os, signal
from sqlalchemy import Engine, event
import cli

@event.listens_for(Engine, "commit")
def die(connection):
    if connection.connection.dbapi_connection.total_changes > 1000:
        os.kill(os.getpid(), signal.SIGKILL)

cli.main()
"""


def test_kill_9_in_the_middle_of_an_import_leaves_what_was_there(
    home: Path, large: Path, siaga: Siaga
) -> None:
    """All rows are written, and the power goes before they are committed."""
    before = stored(home)
    command = [sys.executable, "-P", "-c", _KILLED, "import", str(large)]
    assert subprocess.run(command, timeout=60).returncode == -signal.SIGKILL
    assert stored(home) == before
    assert last_run(siaga) == ("import", "interrupted")
    _imported_whole(siaga, large, home)
    assert last_run(siaga) == ("import", "ok")


@pytest.mark.parametrize(
    ("octets", "statuses"),
    [(0, {"ok"}), (1_500_000, {"failed", "interrupted"})],  # of the last run that there was room to record
    ids=["at once", "in the middle"],
)
def test_a_full_disk_stops_an_import_and_leaves_what_was_there(
    octets: int, statuses: set[str], home: Path, large: Path, siaga: Siaga
) -> None:
    before = stored(home)
    assert cramped(home, octets, "import", large).failed(75, "disk-full") == []
    assert stored(home) == before
    assert last_run(siaga)[1] in statuses
    _imported_whole(siaga, large, home)


def test_a_full_disk_stops_the_setting_up_and_later_it_goes_on(scrubbed: Path, siaga: Siaga) -> None:
    cramped(scrubbed, 20_000, "init").failed(75, "disk-full")
    siaga("init").well()
    assert json.loads(siaga("device", "list", "-o", "json").well().out) == []
    stored(scrubbed)


def test_a_full_disk_stops_a_poll_and_the_inventory_is_whole(home: Path, siaga: Siaga) -> None:
    before = stored(home)
    said = cramped(home, 30_000, "poll")
    assert said.failed(75, "disk-full" if "disk-full" in said.err else "samples-unavailable") == []
    assert stored(home) == before
    siaga("poll").well()  # the device has no credential: it is refused without a packet
    assert stored(home) != before


# -- a home that is not as it was ----------------------------------------------------------------------------


@pytest.fixture
def sealed(home: Path, siaga: Siaga, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a secret, used by its device."""
    monkeypatch.setenv("NOC", "canary-community")
    siaga("credential", "add", "noc", "kind=snmp-v2c", "--secret", "community=env:NOC").well()
    siaga("device", "set", "rtr-1", "credential=noc").well()
    return home


def _key(home: Path, content: bytes | None) -> None:
    (home / "master.key").unlink()
    if content is not None:
        (home / "master.key").write_bytes(content)


@pytest.mark.parametrize("arguments", [["poll"], ["inspect", "rtr-1"], ["plan", "baseline", "rtr-1"]])
@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "no-master-key"), (b"short", "bad-master-key"), (b"\7" * 32, "cannot-open-secret")],
    ids=["missing", "short", "foreign"],
)
def test_without_its_master_key_a_secret_stays_sealed(
    content: bytes | None, code: str, arguments: list[str], sealed: Path, siaga: Siaga
) -> None:
    before = stored(sealed)
    if arguments[0] == "plan":
        siaga("device", "set", "rtr-1", "role=server", "ssh_credential=noc").well()
        before = stored(sealed)
    _key(sealed, content)
    said = siaga(*arguments)
    assert said.failed(4, code) == []
    assert "canary" not in said.err
    assert stored(sealed) == before


def test_the_right_key_put_back_opens_everything_again(sealed: Path, siaga: Siaga) -> None:
    kept = (sealed / "master.key").read_bytes()
    _key(sealed, b"\7" * 32)
    siaga("poll").failed(4, "cannot-open-secret")
    _key(sealed, kept)
    siaga("device", "set", "rtr-1", "address=127.0.0.1", "snmp_port=9").well()
    siaga("poll").well()


COMMANDS = [
    ["device", "list"],
    ["import", "device.csv"],
    ["init"],
    ["runs"],
    ["status"],
    ["poll"],
    ["inspect", "127.0.0.1:9"],
    ["plan", "baseline", "role=server"],
    ["report", "readiness", "-o", "r.pdf"],
]


def _no_database(_: bytes) -> bytes:
    return b"this is no database " * 1000


def _torn(whole: bytes) -> bytes:
    """Tear every page but the first, as a failing disk may."""
    return whole[:4096] + os.urandom(len(whole) - 4096)


@pytest.mark.parametrize("damage", [_no_database, _torn])
def test_a_damaged_database_is_said_by_every_command_and_left_alone(
    damage: Callable[[bytes], bytes],
    home: Path,
    siaga: Siaga,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(home / "siaga.db")) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    for path in home.glob("siaga.db*"):  # new files: what this process still holds open is out of the way
        path.unlink()
    (home / "siaga.db").write_bytes(damage(backup.read_bytes()))
    damaged = (home / "siaga.db").read_bytes()
    monkeypatch.chdir(tmp_path)
    Path("device.csv").write_text("name,role\nrtr-9,router\n")
    for arguments in COMMANDS:
        assert siaga(*arguments).failed(1, "database-damaged") == []
        assert (home / "siaga.db").read_bytes() == damaged
    for log in home.glob("siaga.db-*"):
        log.unlink()
    shutil.copy(backup, home / "siaga.db")
    assert "rtr-1" in siaga("device", "list").well().out


def test_damaged_samples_are_said_and_the_inventory_is_not_touched(home: Path, siaga: Siaga) -> None:
    (home / "samples.db").write_bytes(b"this is no database " * 1000)
    before = stored(home)
    assert siaga("poll").failed(1, "samples-damaged") == []
    assert stored(home) == before
    assert "rtr-1" in siaga("status", "-o", "json").well().out


def test_a_damaged_head_is_said_too(home: Path, siaga: Siaga) -> None:
    (home / "tsdb").mkdir()
    (home / "tsdb" / "hot.db").write_bytes(b"this is no database " * 1000)
    before = stored(home)
    assert siaga("poll").failed(1, "samples-damaged") == []
    assert stored(home) == before


def test_a_home_without_inventory_says_what_to_do(scrubbed: Path, siaga: Siaga) -> None:
    for arguments in (
        ["device", "list"],
        ["poll"],
        ["plan", "baseline", "a"],
        ["inspect", "a", "--credential", "c"],
    ):
        said = siaga(*arguments)
        assert said.failed(3, "not-initialised") == []
        assert "siaga init" in said.err
    assert not scrubbed.exists()


def test_an_inventory_locked_by_another_is_temporary(
    home: Path, tmp_path: Path, siaga: Siaga, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory.store.BUSY_TIMEOUT_MS", 50)
    with closing(sqlite3.connect(home / "siaga.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        siaga("device", "set", "rtr-1", "notes=x").failed(75, "database-busy")
        siaga("import", tmp_path / "first.xlsx").failed(75, "database-busy")
        siaga("device", "list").well()
        other.execute("ROLLBACK")
    siaga("device", "set", "rtr-1", "notes=x").well()


# -- settings and the command line ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"[poll\n", None),
        (b"\xff\xfe", None),
        (b"[poll]\ntimeout_s = 'soon'\nretries = 99\n", "poll.timeout_s: "),
        (b"[pol]\nretries = 1\n", "pol: "),
        (2 * b"[[routes]]\nname = 'noc'\nchannel = 'file'\n", "two routes are called 'noc'"),
        (None, None),
    ],
    ids=["no TOML", "no text", "wrong values", "unknown", "twice", "a directory"],
)
def test_unreadable_settings_are_named(
    text: bytes | None, problem: str | None, tmp_path: Path, siaga: Siaga, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.mkdir() if text is None else path.write_bytes(text)
    monkeypatch.setenv("SIAGA_CONFIG", str(path))
    said = siaga("device", "list")
    problems = said.failed(5, "bad-settings")
    assert str(path) in said.err
    assert any(p.startswith(problem) for p in problems) if problem else problems == []


@pytest.mark.parametrize(
    "variables",
    [
        {"SIAGA_POLL__TIMEOUT": "2"},
        {"SIAGA_POLL__RETRIES": "x"},
        {"SIAGA_POLL": "3", "SIAGA_POLL__RETRIES": "1"},
    ],
)
def test_wrong_variables_are_named(
    variables: dict[str, str], siaga: Siaga, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = siaga("device", "list")
    said.failed(5, "bad-settings")
    assert "poll" in said.err.lower()


@pytest.mark.parametrize(
    "arguments",
    [
        ["pol"],
        ["poll", "--qiet"],
        ["device", "show"],
        ["device", "list", "-o", "pdf"],
        ["inspect", "127.0.0.1", "--timeout", "soon"],
        ["job", "show", "first"],
        ["--verson"],
        ["device", "shw", "\x1b[2J\u202e"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_one_line(arguments: list[str], siaga: Siaga) -> None:
    said = siaga(*arguments)
    assert said.failed(2, "usage") == []
    assert said.err.rstrip("\n").isprintable()
    assert " -h'." in said.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["device", "show", "rtr-l"], "no-such-device"),
        (["device", "set", "rtr-l", "role=switch"], "nothing-selected"),
        (["device", "rm", "rtr-l", "--yes"], "nothing-selected"),
        (["inspect", "rtr l"], "unknown-host"),
        (["inspect", "127.0.0.1", "--credential", "nok"], "no-such-credential"),
        (["inspect", "127.0.0.1", "--community-file", "/nowhere"], "no-such-file"),
        (["trust", "rtr-l"], "no-such-device"),
        (["plan", "baseline", "rtr-l"], "nothing-selected"),
        (["plan", "basline", "rtr-1"], "no-such-playbook"),
        (["apply", "baseline-1", "--yes"], "no-such-plan"),
        (["job", "show", "9"], "no-such-job"),
    ],
    ids=lambda a: " ".join(a) if isinstance(a, list) else "",
)
def test_what_is_not_there_is_not_found(arguments: list[str], code: str, home: Path, siaga: Siaga) -> None:
    before = stored(home)
    assert siaga(*arguments).failed(3, code) == []
    assert stored(home) == before


def test_a_failure_that_is_not_clear_would_be_seen() -> None:
    for err in ("", "siaga: Something.\n", "siaga: x: No end\n", "siaga: x: A.\nmore\n", "Error: x\n"):
        with pytest.raises(AssertionError):
            Said(5, "", err).failed(5, "x")
