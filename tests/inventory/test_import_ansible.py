"""What Ansible lists comes in: texts with its marks, vaults as secrets, and siaga's own hosts as what they were."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from export_world import FIELDS, build
from sqlalchemy import Engine

from inventory import store
from inventory.exports import ansible as exported
from inventory.exports.hosts import hosts
from inventory.history import Author
from inventory.imports.ansible import ansible
from inventory.imports.harmless import without_secrets
from inventory.imports.load import load
from inventory.imports.sheets import Taken
from inventory.nouns import declare
from inventory.writing import Diff
from siaga.errors import InvalidError
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner
from tests.homes import prepare
from tests.inventory.conftest import NOW

FIELDS_TOML = """
[fields.device]
po_number = {}
ports = { type = "int" }
depth_m = { type = "float" }
reviewed = { type = "date" }
managed = { type = "bool" }
keeper = { type = "ref", ref = "person" }
"""


def row(taken: Taken, at: int = 0) -> dict[str, Any]:
    """Return a row of the one sheet as field → value, without the fields that it does not have."""
    (sheet,) = taken.sheets
    return {k: v for k, v in zip(sheet.header, sheet.rows[at][1], strict=False) if v is not None}


def listing(**variables: Any) -> str:
    return json.dumps({"_meta": {"hostvars": {"r1": variables}}, "routers": {"hosts": ["r1"]}})


def unsafe(text: str) -> dict[str, str]:
    return {"__ansible_unsafe": text}


# --- marks ------------------------------------------------------------------------------------------------------


def test_a_text_marked_unsafe_is_the_text_at_any_depth_and_a_vault_stays_a_secret() -> None:
    left: list[str] = []
    value = {
        "a": unsafe("x"),
        "b": [unsafe("{{ y }}"), {"c": unsafe("z"), "d": {"__ansible_vault": "$ANSIBLE_VAULT;1.1"}}],
        "e": {"__ansible_unsafe": "x", "more": 1},
        "f": unsafe("$ANSIBLE_VAULT;1.1;AES256"),
        "password": unsafe("rahasia"),
        "api_token": "secret://env/TOKEN",
    }
    assert without_secrets(value, "r1", left) == {
        "a": "x",
        "b": ["{{ y }}", {"c": "z", "d": None}],
        "e": None,
        "f": None,
        "api_token": "secret://env/TOKEN",
    }
    assert left == ["r1.b.d", "r1.e", "r1.f", "r1.password"]


def test_a_marked_listing_gives_address_port_platform_and_variables() -> None:
    text = listing(
        ansible_host=unsafe("10.1.0.1"),
        ansible_port=2222,
        ansible_network_os=unsafe("cisco.ios.ios"),
        contract=unsafe("A-1"),
        ntp=[unsafe("10.0.0.1")],
    )
    taken = ansible("stdin", text)
    assert row(taken) == {
        "name": "r1",
        "address": "10.1.0.1",
        "ssh_port": 2222,
        "platform": "ios",
        "role": "router",
        "transport": "ssh",
        "tags": "routers",
        "notes": "network os: cisco.ios.ios",
        "var.contract": "A-1",
        "var.ntp": ["10.0.0.1"],
    }
    assert taken.left == []


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({"siaga_address": "10.1.0.2"}, "10.1.0.2"),
        ({"ansible_host": "r1.example", "siaga_address": unsafe("10.1.0.2")}, "10.1.0.2"),
        ({"ansible_ssh_host": "2001:db8::1"}, "2001:db8::1"),
        ({"ansible_host": "r1.example"}, None),
    ],
)
def test_the_address_is_what_a_variable_says(variables: dict[str, Any], address: str | None) -> None:
    assert row(ansible("stdin", listing(**variables))).get("address") == address


def test_a_host_that_is_called_by_its_address_has_it() -> None:
    taken = ansible("stdin", '{"all": {"hosts": ["10.1.0.7", "r2"]}}')
    assert [row(taken, at).get("address") for at in (0, 1)] == ["10.1.0.7", None]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "a mapping of groups must stand at its top"),
        ("3", "a mapping of groups must stand at its top"),
        ("[", "it is no JSON (line 1)"),
        ("[" * 100_000, "it is no JSON"),
        ('{"_meta": 3}', "_meta holds no hostvars"),
        ('{"_meta": {"hostvars": []}}', "_meta holds no hostvars"),
        ('{"_meta": {"hostvars": {"a": 3}}}', "the variables of a are no mapping"),
        ('{"x": {"hosts": 3}}', "the hosts of the group x are no list of names"),
        ('{"x": {"children": [3]}}', "the children of the group x are no list of names"),
    ],
)
def test_what_is_no_listing_is_told_in_plain_words(text: str, reason: str) -> None:
    with pytest.raises(InvalidError) as caught:
        ansible("stdin", text)
    assert caught.value.sentence == f"stdin is no listing of 'ansible-inventory --list': {reason}."


# --- there and back ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which every noun has rows."""
    where = tmp_path_factory.mktemp("ansible") / "home"
    settings = Settings(home=where, fields=FIELDS)
    prepare(settings)
    engine = store.open_engine(settings)
    build(engine)
    engine.dispose()
    (where / "siaga.toml").write_text(FIELDS_TOML)
    return where


@pytest.fixture
def engine(home: Path) -> Any:
    opened = store.open_engine(Settings(home=home, fields=FIELDS))
    yield opened
    opened.dispose()
    declare({})


def changed(engine: Engine, taken: Taken) -> list[Diff]:
    """Return what an import would change."""
    found = load(engine, taken.sheets, Author("ani", NOW), dry_run=True)
    return [d for d in found if d.action != "same"]


def plugin_listing(home: Path, folder: Path, options: str = "") -> str:
    """Return what ansible-inventory makes of siaga's own plugin."""
    (folder / "siaga.yml").write_text(f"plugin: siaga.siaga.inventory\n{options}")
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-inventory"), "-i", "siaga.yml", "--list"],
        cwd=folder,
        env={
            **os.environ,
            "SIAGA_HOME": str(home),
            "SIAGA_CONFIG": str(home / "siaga.toml"),
            "HOME": str(folder),
            "ANSIBLE_HOME": str(folder / ".ansible"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_siagas_own_plugin_listed_comes_back_as_the_same_devices(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    text = plugin_listing(home, tmp_path, "config_context: true\ngroup_by: [role, tags]\n")
    assert "__ansible_unsafe" in text
    taken = ansible("stdin", text)
    (sheet,) = taken.sheets
    assert len(sheet.rows) == 5
    assert changed(engine, taken) == []
    assert taken.left == [
        "Variables of layers and of the inventory file are left there: domain, ntp_servers, snmp_module."
    ]
    names = [sheet.header.index(n) for n in ("name", "role", "status", "place", "address", "serial")]
    router = next(cells for _, cells in sheet.rows if cells[names[0]] == "rtr-1")
    assert [router[i] for i in names] == ["rtr-1", "router", "active", "Rak 1", "10.1.0.1", "0012"]


def test_the_listing_of_siagas_own_script_gives_the_same_devices_with_what_layers_gave(
    engine: Engine,
) -> None:
    with store.reading(engine) as session:
        taken = ansible("stdin", "".join(exported.listing(hosts(session))))
    fields = {f for d in changed(engine, taken) for f in d.after}
    assert fields == {"vars"}  # a script's listing cannot say which variable came from where


def test_the_documented_pipe_changes_nothing(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scrubbed: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    octets = plugin_listing(home, tmp_path).encode()
    monkeypatch.setenv("SIAGA_HOME", str(home))
    monkeypatch.setenv("SIAGA_CONFIG", str(home / "siaga.toml"))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(octets), isatty=lambda: False))
    siaga: Siaga = runner(capsys)
    said = siaga("import", "ansible", "-", "--diff", "--dry-run").well()
    assert said.out == ""
    assert "Secrets" not in said.err
