"""What is remembered of SNMPv3 engines: IDs and clocks, no keys; a bad file is a beginning without one."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from monitor import usm
from monitor.engine_book import EngineBook
from monitor.targets import SnmpAuth, SnmpVersion, Target

AUTH = SnmpAuth(
    SnmpVersion.v3,
    user="siaga",
    auth_protocol="SHA-256",
    auth_secret=SecretStr("autentikasi-1"),
    priv_protocol="AES",
    priv_secret=SecretStr("privasi-rahasia"),
)
TARGET = Target("sw", "127.81.0.9", snmp=AUTH)
ENGINE_ID = bytes.fromhex("80001f8804736961676174657374")


def known() -> usm.Engine:
    engine = usm.Engine(usm.user(AUTH))
    engine.meet(ENGINE_ID, 7, 1000, 50.0)
    engine.clock.sure = True
    return engine


def test_an_engine_is_remembered_without_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "engines.json"
    book = EngineBook(path)
    book.note(known(), TARGET, 60.0)
    book.save()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["engines.json"]
    text = path.read_text()
    user = usm.user(AUTH)
    for secret in (b"autentikasi-1", b"privasi-rahasia", user.auth_key, user.priv_key):
        assert secret.hex() not in text
        assert secret.decode("latin-1") not in text
    again = usm.Engine(usm.user(AUTH))
    EngineBook(path).introduce(again, TARGET, 200.0)
    assert (again.engine_id, again.clock.boots, again.clock.sure) == (ENGINE_ID, 7, False)
    assert 1010 <= again.clock.now(200.0) < 1100


def test_who_did_not_authenticate_is_not_remembered(tmp_path: Path) -> None:
    book = EngineBook(tmp_path / "engines.json")
    engine = usm.Engine(usm.user(AUTH))
    engine.meet(ENGINE_ID, 7, 1000, 0.0)
    book.note(engine, TARGET, 1.0)
    book.save()
    assert not (tmp_path / "engines.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"engines": 7}',
        json.dumps({"engines": {"127.81.0.9 161 siaga": ["zz", 1, 2, 3]}}),
        json.dumps({"engines": {"127.81.0.9 161 siaga": ["80001f8804", -1, 2, 3]}}),
        json.dumps({"engines": {"127.81.0.9 161 siaga": ["80001f8804", 2**31, 2, 3]}}),
        json.dumps({"engines": {"127.81.0.9 161 siaga": ["80001f88", 1, 2, 3]}}),
        json.dumps({"engines": {"127.81.0.9 161 siaga": ["80001f8804", 1, True, 3]}}),
        json.dumps({"engines": {"127.81.0.9 161 siaga": ["80001f8804", 1, 2, 10**400]}}),
    ],
)
def test_a_file_that_is_not_right_is_no_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "engines.json"
    path.write_text(text)
    engine = usm.Engine(usm.user(AUTH))
    EngineBook(path).introduce(engine, TARGET, 0.0)
    assert not engine.met


def test_a_book_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    book = EngineBook(tmp_path / "no" / "such" / "directory.json")
    book.note(known(), TARGET, 60.0)
    book.save()
