"""NetBox comes in by its REST API and by its CSV files: answers and exports recorded from a real one, served again."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from siaga.settings import Settings
from tests.cli_runner import Siaga, runner, stored
from tests.homes import prepare
from tests.json_server import Reply, served

RECORDED = sorted((Path(__file__).parent / "netbox").glob("recorded-*"))
TOKEN = "nbt_kunci.rahasia-sekali"
PLACEHOLDER = "http://netbox.example"
# What the seed holds that must never be taken over: a community and a pre-shared key.
SECRET = "jangan-terbaca"


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


@pytest.fixture(autouse=True)
def home(scrubbed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETBOX_TOKEN", TOKEN)
    prepare(Settings(home=scrubbed))
    return scrubbed


@pytest.fixture(params=RECORDED, ids=lambda p: str(p.name))
def recorded(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@contextmanager
def netbox(folder: Path, changed: dict[str, Any] | None = None) -> Iterator[tuple[str, list[str]]]:
    """Serve what a NetBox answered, page by page; what it was never asked has no answer. Yield URL and requests."""
    lines = (folder / "api.jsonl").read_text().splitlines()
    answers = {a["path"]: a for a in map(json.loads, lines)}
    asked: list[str] = []

    def answer(path: str, headers: Mapping[str, str]) -> Reply:
        asked.append(path)
        known = headers.get("Authorization") == f"Bearer {TOKEN}"
        found = answers.get(path if known else "refused", {"status": 500, "body": {}})
        text = json.dumps((changed or {}).get(path, found["body"]))
        return Reply(text.replace(PLACEHOLDER, f"http://{headers['Host']}").encode(), found["status"])

    with served(answer) as url:
        yield url, asked


def rows(siaga: Siaga, noun: str, *more: str) -> dict[str, dict[str, Any]]:
    found = json.loads(siaga(noun.replace("_", "-"), "list", "-o", "json", *more).well().out)
    return {r["name"]: r for r in found}


def by_api(siaga: Siaga, folder: Path) -> str:
    with netbox(folder) as (url, _):
        return siaga("import", "netbox", url, "--token-from", "env:NETBOX_TOKEN").well().err


def test_everything_comes_in_page_by_page(siaga: Siaga, recorded: Path) -> None:
    with netbox(recorded) as (url, asked):
        said = siaga("import", "netbox", url, "--token-from", "env:NETBOX_TOKEN").well()
        count = len(asked)
        again = siaga("import", "netbox", f"{url}/api/", "--token-from", "env:NETBOX_TOKEN").well()
    # This NetBox gives ten at once, whatever is asked for: interfaces come in five pages, none twice.
    assert len([p for p in asked[:count] if p.startswith("/api/dcim/interfaces/")]) == 5
    assert "everything was so already" in again.err
    version = recorded.name.removeprefix("recorded-")
    assert f"NetBox {version}: {count} requests." in said.err
    assert "The token travelled unencrypted" in said.err
    counted = dict(re.findall(r"^(\w+) +(\d+) ", said.out, re.MULTILINE))
    assert counted == {
        "place": "22",
        "agency": "14",
        "provider": "2",
        "person": "2",
        "contract": "2",
        "device_type": "5",
        "component": "14",
        "vlan_group": "1",
        "vlan": "3",
        "vrf": "1",
        "prefix": "6",
        "ip_range": "1",
        "device": "17",
        "interface": "48",
        "address": "6",
        "link": "4",
        "asset": "1",
        "contact": "2",
        "note": "1",
    }
    siaga("history", "verify").well()


def test_a_record_is_the_row_that_an_operator_would_have_written(siaga: Siaga, recorded: Path) -> None:
    said = by_api(siaga, recorded)
    devices = rows(siaga, "device")
    core = devices["rtr-cc-1"]
    wanted = {
        "role": "core-router",
        "status": "active",
        "place": "Command Center Ruang Server R01",
        "agency": "Dinas Komunikasi dan Informatika",
        "device_type": "MikroTik CCR2004-16G-2S+",
        "platform": "routeros",
        "address": "10.10.1.1",
        "serial": "HE9080WQ12X",
        "rack_unit": 40,
        "tags": "core",
    }
    assert {k: core[k] for k in wanted} == wanted
    assert core["vars"] == {"ntp_servers": ["10.10.1.5"], "snmp": {}}
    assert "Garansi" in core["notes"]
    assert "no kontrak: SPK-2024-017" in core["notes"]
    states = {n: devices[f"rtr-{n}"]["status"] for n in ("mauk", "curug", "legok", "kronjo")}
    assert states == {"mauk": "active", "curug": "planned", "legok": "retired", "kronjo": "spare"}
    assert devices["vm-eplanning"]["virtual"] is True
    assert devices["antrean-1"]["role"] == "other"
    assert "the device role mesin-antrean, which is not among ours" in said
    places = rows(siaga, "place")
    assert places["Tegal Kunir Kidul"]["kind"] == "desa"
    # A region and a site of one name are two places; NetBox's own names stand in the notes.
    assert places["Mauk"]["kind"] == "site"
    assert places["Mauk region"]["kind"] == "kecamatan"
    assert places["Kantor Mauk"]["parent"] == "Mauk region"
    assert places["Command Center Ruang Server"]["parent"] == "Command Center Gedung A"
    ports = rows(siaga, "interface", "device=sw-cc-1")
    four = ports["GigabitEthernet1/0/4"]
    assert (four["mode"], four["vlan"], four["tagged_vlans"], four["enabled"]) == (
        "trunk",
        "manajemen",
        "20",
        False,
    )
    links = rows(siaga, "link")
    assert {(n, v["a_interface"], v["z_interface"], v["kind"]) for n, v in links.items()} == {
        ("CC-1", "rtr-cc-1:ether2", "sw-cc-1:GigabitEthernet1/0/1", "copper"),
        ("ASTI-0017", "rtr-cc-1:sfp-sfpplus1", "rtr-mauk:ether1", "fibre"),
        ("INET-1", None, None, "other"),
        ("cc-mauk", "rtr-cc-1:wlan1", "rtr-mauk:wlan1", "radio"),
    }
    contract = rows(siaga, "contract")["ASTI-0017"]
    assert (contract["committed_down_bps"], contract["end"]) == (50_000_000, "2026-12-31")
    addresses = rows(siaga, "address")
    assert addresses["10.10.1.1"]["interface"] == "rtr-cc-1:ether1"
    assert addresses["10.10.1.1 rsud"]["status"] == "reserved"
    assert addresses["10.10.1.20"]["device"] == "vm-eplanning"


def test_no_secret_is_taken_and_what_is_left_is_said(siaga: Siaga, recorded: Path, home: Path) -> None:
    said = by_api(siaga, recorded)
    assert SECRET not in json.dumps(stored(home), default=str)
    assert SECRET not in said
    assert TOKEN not in said
    for sentence in (
        "the custom field snmp_community, because its name is that of a secret (1)",
        "local_context_data.snmp.community, which looks like a secret (1)",
        "No home here for ipam/services (1).",
        "extras/journal-entries: those on virtualization.cluster (1)",
    ):
        assert sentence in said


def test_a_dry_run_asks_and_writes_nothing(siaga: Siaga, recorded: Path, home: Path) -> None:
    before = stored(home)
    with netbox(recorded) as (url, _):
        said = siaga(
            "import", "netbox", url, "--token-from", "env:NETBOX_TOKEN", "--dry-run", "--diff"
        ).well()
    assert "rtr-cc-1" in said.out + said.err
    assert stored(home) == before


def test_a_wrong_token_is_refused_as_netbox_refuses_it(
    siaga: Siaga, recorded: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETBOX_TOKEN", "nbt_salah.salah-benar")
    before = stored(home)
    with netbox(recorded) as (url, _):
        said = siaga("import", "netbox", url, "--token-from", "env:NETBOX_TOKEN")
    said.failed(4, "api-refused")
    assert "salah-benar" not in said.err
    assert stored(home) == before


@pytest.mark.parametrize(
    "body", [[], {"count": 3}, {"results": [1]}, {"count": 1, "next": None, "results": [{}]}]
)
def test_a_page_that_is_none_writes_nothing(siaga: Siaga, recorded: Path, home: Path, body: Any) -> None:
    lines = map(json.loads, (recorded / "api.jsonl").read_text().splitlines())
    page = next(a["path"] for a in lines if a["path"].startswith("/api/dcim/devices/"))
    before = stored(home)
    with netbox(recorded, {page: body}) as (url, _):
        said = siaga("import", "netbox", url, "--token-from", "env:NETBOX_TOKEN")
    assert said.code in (3, 5), said
    said.failed(said.code, said.err.split()[1].rstrip(":"))
    assert stored(home) == before


# --- CSV -----------------------------------------------------------------------------------------------------


def exports(recorded: Path, folder: Path) -> Path:
    """Lay NetBox's exports ("All data"; device types as their table, they have no other CSV) in one folder."""
    whole = recorded / "csv"
    for app in (p for p in whole.iterdir() if not p.name.endswith("-table")):
        shutil.copytree(app, folder / app.name)
    shutil.copy(whole / "dcim-table" / "netbox_device types.csv", folder / "dcim")
    return folder


# Fields that NetBox's CSV does not have, or has otherwise: noun -> fields.
LESS = {
    "device": {"notes", "tags", "vars", "revision"},
    "place": {"notes"},
    "interface": {"notes", "parent", "alias"},
    "device_type": {"slug", "eol", "notes"},
    "contract": {"notes"},
    "link": {"notes", "kind"},
    "vlan": {"notes"},
    "vlan_group": {"notes"},
    "agency": {"notes"},
    "prefix": {"notes"},
    "address": {"notes"},
    "provider": {"account", "notes"},
    "contact": {"notes", "name"},
    "vrf": {"notes"},
    "ip_range": {"notes"},
    "person": {"notes"},
    "asset": {"notes"},
}


def test_the_csv_files_give_the_inventory_that_the_api_gives(
    siaga: Siaga, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_api(siaga, recorded)
    whole = {noun: rows(siaga, noun) for noun in LESS}
    other = tmp_path / "other"
    prepare(Settings(home=other))
    monkeypatch.setenv("SIAGA_HOME", str(other))
    siaga("import", "netbox", exports(recorded, tmp_path / "csv")).well()
    again = siaga("import", "netbox", tmp_path / "csv").well()
    assert "everything was so already" in again.err
    for noun, less in LESS.items():
        found = rows(siaga, noun)
        assert found.keys() == whole[noun].keys(), noun
        for name, row in found.items():
            ours, theirs = ({k: v for k, v in r.items() if k not in less} for r in (row, whole[noun][name]))
            assert ours == theirs, noun
    assert SECRET not in json.dumps(stored(other), default=str)


FORMS = {
    "netbox_sites.csv": "name,slug,status,region\nKantor Mauk,kantor-mauk,active,\n",
    "netbox_devices.csv": "name,role,tenant,manufacturer,device_type,platform,serial,asset_tag,status,site\n"
    "rtr-1,Router,,MikroTik,hEX S,RouterOS,HC01,,active,Kantor Mauk\n",
}


def test_the_headers_of_the_import_forms_are_known(siaga: Siaga, tmp_path: Path) -> None:
    for name, text in FORMS.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "netbox_device types.csv").write_text("manufacturer,model,slug\nMikroTik,hEX S,hex-s\n")
    siaga("import", "netbox", tmp_path).well()
    device = rows(siaga, "device")["rtr-1"]
    assert (device["role"], device["place"], device["platform"]) == ("router", "Kantor Mauk", "routeros")


def test_a_file_of_another_name_is_told_by_only(siaga: Siaga, tmp_path: Path) -> None:
    path = tmp_path / "lokasi dari pak Budi.csv"
    path.write_text(FORMS["netbox_sites.csv"])
    said = siaga("import", "netbox", path)
    said.failed(2, "unknown-netbox-list")
    assert "--only" in said.err
    siaga("import", "netbox", path, "--only", "sites").well()
    assert rows(siaga, "place")["Kantor Mauk"]["kind"] == "site"


def test_a_file_that_is_no_list_of_netbox_is_said(siaga: Siaga, tmp_path: Path) -> None:
    (tmp_path / "netbox_sites.csv").write_text(FORMS["netbox_sites.csv"])
    (tmp_path / "netbox_asns.csv").write_text("asn\n1\n")
    assert "netbox_asns.csv is none of the lists" in siaga("import", "netbox", tmp_path).well().err


def test_a_bad_cell_is_told_with_its_file_list_and_line(siaga: Siaga, tmp_path: Path, home: Path) -> None:
    (tmp_path / "netbox_sites.csv").write_text("Name,Region\nKantor A,\nKantor B,Utara\n")
    before = stored(home)
    (problem,) = siaga("import", "netbox", tmp_path / "netbox_sites.csv").failed(5, "bad-rows")
    assert "netbox_sites.csv dcim/sites, row 3, column parent" in problem
    assert stored(home) == before
