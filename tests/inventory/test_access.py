"""Roles: who may look, who may change what lies in his place, who may change everything."""

from pathlib import Path

import pytest

from siaga.who import account, who
from tests.cli_runner import Siaga, runner
from tests.homes import fresh

ME = account(who())


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


@pytest.fixture
def config(scrubbed: Path, tmp_path: Path, siaga: Siaga, monkeypatch: pytest.MonkeyPatch) -> Path:
    fresh(scrubbed)
    for name, parent in (
        ("Kabupaten", ""),
        ("Mauk", "Kabupaten"),
        ("Rajeg", "Kabupaten"),
        ("Kantor", "Mauk"),
    ):
        siaga("place", "add", name, "kind=site", f"parent={parent}").well()
    siaga("agency", "add", "dinkes", "place=Rajeg").well()
    siaga("device", "add", "rtr-mauk", "place=Kantor").well()
    siaga("device", "add", "rtr-rajeg", "place=Rajeg").well()
    siaga("device", "add", "rtr-dinkes", "agency=dinkes").well()
    siaga("device", "add", "rtr-nowhere").well()
    monkeypatch.setenv("SIAGA_CONFIG", str(tmp_path / "siaga.toml"))
    return tmp_path / "siaga.toml"


def entry(role: str, **more: str) -> str:
    lines = {"user": ME, "role": role, **more}
    return "[[access]]\n" + "".join(f'{k} = "{v}"\n' for k, v in lines.items() if v)


def test_who_is_not_named_may_only_look(config: Path, siaga: Siaga) -> None:
    config.write_text(entry("admin", user="somebody-else"))
    siaga("device", "list").well()
    (problem,) = siaga("device", "set", "rtr-mauk", "notes=x").failed(4, "not-allowed")
    assert "rtr-mauk" in problem
    config.write_text(entry("viewer"))
    siaga("device", "add", "new").failed(4, "not-allowed")


def test_an_operator_changes_what_lies_in_his_place(config: Path, siaga: Siaga, tmp_path: Path) -> None:
    config.write_text(entry("operator", place="Mauk"))
    siaga("device", "set", "rtr-mauk", "notes=x").well()
    siaga("device", "add", "rtr-new", "place=Mauk").well()
    siaga("interface", "add", "rtr-mauk:ether1", "speed_bps=1G").well()
    siaga("place", "add", "Ruang", "kind=room", "parent=Kantor").well()
    for refused in (
        ("device", "set", "rtr-rajeg", "notes=x"),
        ("device", "set", "rtr-nowhere", "place=Mauk"),
        ("device", "set", "rtr-mauk", "place=Rajeg"),
        ("device", "add", "stray"),
        ("interface", "add", "rtr-rajeg:ether1"),
        ("device", "rm", "rtr-rajeg", "--yes"),
        ("layer", "add", "all", "var.x=1"),
        ("place", "set", "Rajeg", "notes=x"),
    ):
        siaga(*refused).failed(4, "not-allowed")
    (tmp_path / "device.csv").write_text("name,notes\nrtr-mauk,good\nrtr-rajeg,bad\n")
    assert siaga("import", tmp_path / "device.csv").failed(4, "not-allowed") == [
        "device 'rtr-rajeg' is not in your place or agency"
    ]
    siaga("device", "rm", "rtr-new", "--yes").well()
    siaga("history", "verify").well()


def test_an_agency_is_a_scope_too(config: Path, siaga: Siaga) -> None:
    config.write_text(entry("operator", agency="dinkes"))
    siaga("device", "set", "rtr-dinkes", "notes=x").well()
    siaga("device", "set", "rtr-mauk", "notes=x").failed(4, "not-allowed")


def test_an_admin_may_everything_and_no_entry_limits_nobody(config: Path, siaga: Siaga) -> None:
    config.write_text(entry("admin"))
    siaga("layer", "add", "all", "var.x=1").well()
    siaga("device", "set", "rtr-rajeg", "notes=x").well()
    config.write_text("")
    siaga("device", "set", "rtr-rajeg", "notes=y").well()
    config.write_text("[[access]]\nrole = 'admin'\n")
    siaga("device", "list").failed(5, "bad-settings")
