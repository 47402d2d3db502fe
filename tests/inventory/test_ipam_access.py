"""Who may only look claims nothing, keeps no sightings, and asks no device on the inventory's behalf."""

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
    siaga("place", "add", "Mauk", "kind=kecamatan").well()
    siaga("device", "add", "rtr-mauk", "place=Mauk").well()
    siaga("device", "add", "rtr-elsewhere").well()
    siaga("prefix", "add", "10.1.0.0/16", "status=container").well()
    siaga("prefix", "add", "10.1.1.0/24").well()
    siaga("vlan-group", "add", "ring").well()
    (tmp_path / "arp.csv").write_text("address,mac\n10.1.1.7,00:11:22:33:44:55\n")
    monkeypatch.setenv("SIAGA_CONFIG", str(tmp_path / "siaga.toml"))
    return tmp_path / "siaga.toml"


def role(config: Path, name: str, more: str = "") -> None:
    config.write_text(f'[[access]]\nuser = "{ME}"\nrole = "{name}"\n{more}')


CLAIMS = (
    ("ipam", "next-address", "10.1.1.0/24", "--claim"),
    ("ipam", "next-prefix", "10.1.0.0/16", "24", "--claim"),
    ("ipam", "next-vlan", "ring", "--claim", "name=kantor"),
)


@pytest.mark.parametrize("command", CLAIMS)
def test_who_may_only_look_claims_nothing(config: Path, siaga: Siaga, command: tuple[str, ...]) -> None:
    role(config, "viewer")
    siaga(*command).failed(4, "not-allowed")
    siaga(*[w for w in command if w not in ("--claim", "name=kantor")]).well()
    role(config, "operator")
    siaga(*command).well()


def test_an_operator_of_one_place_claims_for_it_alone(config: Path, siaga: Siaga) -> None:
    role(config, "operator", 'place = "Mauk"')
    siaga("ipam", "next-address", "10.1.1.0/24", "--claim", "device=rtr-elsewhere").failed(4, "not-allowed")
    siaga("ipam", "next-address", "10.1.1.0/24", "--claim", "device=rtr-mauk").well()


@pytest.mark.parametrize(
    "command",
    [
        ("ipam", "seen-import", "arp.csv"),
        ("ipam", "scan"),
        ("poll",),
        ("propose", "127.0.0.1:1", "--timeout", "0.05", "--retries", "0"),
        ("trust", "rtr-mauk", "--yes"),
    ],
)
def test_who_may_only_look_asks_no_device_and_keeps_nothing(
    config: Path, siaga: Siaga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    role(config, "viewer")
    siaga(*command).failed(4, "not-allowed")


def test_what_is_there_already_is_called_rightly(config: Path, siaga: Siaga) -> None:
    role(config, "operator")
    siaga("address", "add", "10.1.1.9").well()
    problems = siaga("address", "add", "10.1.1.9").failed(5, "bad-values")
    assert problems == ["there is already an address called '10.1.1.9'"]


def test_an_operator_keeps_sightings(config: Path, siaga: Siaga, tmp_path: Path) -> None:
    role(config, "operator")
    siaga("ipam", "seen-import", tmp_path / "arp.csv").well()
