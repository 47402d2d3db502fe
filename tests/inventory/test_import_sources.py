"""What a team had before comes in: files, a regency's facts, Ansible, Oxidized, device types, LibreNMS."""

import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli_runner import Siaga, runner, stored
from tests.homes import fresh
from tests.json_server import Reply, served


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str]) -> Siaga:
    run = runner(capsys)
    fresh(scrubbed)
    return run


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put octets on standard input."""

    def give(text: str) -> None:
        octets = io.BytesIO(text.encode())
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=octets, isatty=lambda: False))

    return give


def rows(siaga: Siaga, noun: str, *words: str) -> dict[str, dict[str, Any]]:
    found = json.loads(siaga(noun, "list", *words, "-o", "json").well().out)
    return {r["name"]: r for r in found}


def twice(siaga: Siaga, *arguments: object) -> None:
    """Import, and hold that the second time everything is so already."""
    assert "siaga history undo 1" in siaga("import", *arguments).well().err
    assert "Imported: everything was so already." in siaga("import", *arguments).well().err


# --- files ------------------------------------------------------------------------------------------------------

GOOD = "name,role,serial\nrtr-1,router,00123\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("device.csv", GOOD),
        ("device.csv", "\ufeffname;role;serial\nrtr-1;router;00123\n"),
        ("device.yaml", "device:\n  - {name: rtr-1, role: router, serial: '00123'}\n"),
    ],
)
def test_a_file_is_taken_by_its_format(siaga: Siaga, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    twice(siaga, path)
    assert rows(siaga, "device")["rtr-1"]["serial"] == "00123"


@pytest.mark.parametrize(
    ("text", "options"),
    [(GOOD, ["--noun", "device"]), ("device:\n- {name: rtr-1, serial: '00123'}\n", ["--format", "yaml"])],
)
def test_standard_input_is_taken(siaga: Siaga, typed: Any, text: str, options: list[str]) -> None:
    typed(text)
    siaga("import", "-", *options).well()
    assert rows(siaga, "device")["rtr-1"]["serial"] == "00123"


def test_what_the_rows_of_standard_input_are_must_be_said(siaga: Siaga, typed: Any) -> None:
    typed(GOOD)
    siaga("import", "-").failed(2, "no-noun")


def test_a_dry_run_says_what_would_be_and_writes_nothing(
    siaga: Siaga, tmp_path: Path, scrubbed: Path
) -> None:
    path = tmp_path / "device.csv"
    path.write_text(GOOD)
    before = stored(scrubbed)
    said = siaga("import", path, "--dry-run", "--diff").well()
    assert said.out.split() == [
        "+",
        "device",
        "rtr-1",
        "name:",
        "rtr-1",
        "role:",
        "router",
        "serial:",
        "00123",
    ]
    assert said.err == "Dry run: nothing was written.\n"
    assert stored(scrubbed) == before
    siaga("import", path).well()
    path.write_text(GOOD.replace("00123", "00124"))
    (row,) = json.loads(siaga("import", path, "--dry-run", "--diff", "-o", "json").well().out)
    assert (row["action"], row["before"], row["after"]) == ("set", {"serial": "00123"}, {"serial": "00124"})


def test_all_problems_are_told_at_once_with_row_and_column_and_nothing_is_written(
    siaga: Siaga, tmp_path: Path, scrubbed: Path
) -> None:
    path = tmp_path / "device.csv"
    path.write_text(
        "name,role,place,address\nsw-1,swich,,\nsw-2,switch,Nowhere,10.0.0.999\nsw-3,switch,,10.0.0.3\n"
    )
    before = stored(scrubbed)
    problems = siaga("import", path).failed(5, "bad-rows")
    assert [p.partition(":")[0] for p in problems] == [
        "device.csv, row 2, column role",
        "device.csv, row 3, column place",
        "device.csv, row 3, column address",
    ]
    assert stored(scrubbed) == before


def test_skip_bad_writes_the_others_says_what_was_left_out_and_ends_with_7(
    siaga: Siaga, tmp_path: Path
) -> None:
    path = tmp_path / "device.csv"
    path.write_text("name,role\nsw-1,swich\nsw-2,switch\n")
    said = siaga("import", path, "--skip-bad")
    assert said.code == 7
    assert "left out: device.csv, row 2, column role: role is 'swich'" in said.err
    assert set(rows(siaga, "device")) == {"sw-2"}
    (run,) = json.loads(siaga("runs", "-o", "json").well().out)
    assert (run["status"], run["summary"]["left_out"]) == ("partial", 1)


def test_a_draft_of_a_column_map_works_once_it_was_read(siaga: Siaga, tmp_path: Path) -> None:
    path = tmp_path / "Daftar perangkat.csv"
    path.write_text("Daftar perangkat Diskominfo\nNama;Jenis;No. Seri;Ket\nRTR 1;Router;00123;baik\n")
    draft = siaga("import", path, "--draft-map", "--noun", "device").well().out
    assert "header_row = 2" in draft
    assert '"Nama" = "name"' in draft
    drafted = tmp_path / "map.toml"
    drafted.write_text(
        '[[table]]\nnoun = "device"\nheader_row = 2\nignore = ["Ket"]\n'
        '[table.columns]\n"No. Seri" = "serial"\n"Jenis" = "role"\n'
        '[table.templates]\nname = "{Nama|name}"\n[table.values.role]\n"Router" = "router"\n'
    )
    siaga("import", path, "--map", drafted).well()
    (row,) = rows(siaga, "device").values()
    assert (row["role"], row["serial"]) == ("router", "00123")


def test_a_column_that_the_map_does_not_name_is_an_error(siaga: Siaga, tmp_path: Path) -> None:
    path, own = tmp_path / "device.csv", tmp_path / "map.toml"
    path.write_text("Nama;Ket\nrtr-1;baik\n")
    own.write_text('[[table]]\nnoun = "device"\n[table.columns]\n"Nama" = "name"\n')
    (problem,) = siaga("import", path, "--map", own).failed(5, "map-mismatch")
    assert problem == "device.csv: the column 'Ket' is neither mapped nor ignored"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonesuch.xlsx"], (3, "no-such-file")),
        (["thing.doc"], (3, "no-such-file")),
        (["nagios", "http://127.0.0.1/"], (2, "unknown-source")),
        (["netbox"], (2, "no-source")),
        (["netbox", "ftp://127.0.0.1/"], (2, "bad-url")),
        (["netbox", "http://u:p@127.0.0.1/"], (2, "bad-url")),
        (["netbox", "http://127.0.0.1:1/", "--token-from", "s3cr3t"], (2, "bad-secret-source")),
        (["netbox", "http://127.0.0.1:1/", "--token-from", "env:NONESUCH"], (3, "no-such-variable")),
        (["ansible", "nonesuch.ini"], (3, "no-such-file")),
        (["oxidized", "nonesuch.db"], (3, "no-such-file")),
        (["devicetypes", "nonesuch"], (3, "no-such-file")),
    ],
)
def test_what_is_not_there_or_not_meant_is_one_clear_sentence(
    siaga: Siaga, arguments: list[str], code: tuple[int, str]
) -> None:
    said = siaga("import", *arguments)
    said.failed(*code)
    assert "s3cr3t" not in said.err


# --- the facts of a regency -----------------------------------------------------------------------------------------

REGENCY = """
regency: {name: Kabupaten Contoh, code: '36.99', status: sourced}
kecamatan:
  status: sourced
  files: {desa_kelurahan: desa.csv}
  coordinates: {kind: polygon centroid}
  items:
    - {code: '36.99.01', name: Mauk, lat: -6.06, lon: 106.5}
    - {code: '36.99.02', name: Kemiri}
opd:
  items:
    - {id: dinkes, name: Dinas Kesehatan, status: sourced}
    - {id: rekaan, name: Dinas Rekaan, status: illustrative}
apps:
  items:
    - {id: e-planning, name: E-Planning, owner: dinkes, status: sourced}
"""
VILLAGES = "kode,nama,jenis,kode_kecamatan,lat,lng\n"
VILLAGES += "36.99.01.2001,Sukamaju,desa,36.99.01,,\n36.99.02.2001,Sukamaju,desa,36.99.02,,\n"
VILLAGES += "36.99.02.1002,Ketapang,kelurahan,36.99.02,-6.1,106.4\n"


def regency(folder: Path, text: str = REGENCY, villages: str = VILLAGES) -> Path:
    (folder / "desa.csv").write_text(villages)
    path = folder / "contoh.yaml"
    path.write_text(text)
    return path


def test_a_regency_comes_with_its_villages_agencies_and_applications(siaga: Siaga, tmp_path: Path) -> None:
    twice(siaga, regency(tmp_path))
    places = rows(siaga, "place")
    assert {n: p["kind"] for n, p in places.items()} == {
        "Kabupaten Contoh": "regency",
        "Mauk": "kecamatan",
        "Kemiri": "kecamatan",
        "Desa Sukamaju Mauk": "desa",  # two villages of one name are told apart by their kecamatan
        "Desa Sukamaju Kemiri": "desa",
        "Kelurahan Ketapang": "kelurahan",
    }
    assert places["Desa Sukamaju Kemiri"]["parent"] == "Kemiri"
    assert places["Kelurahan Ketapang"]["position_kind"] == "centroid"  # an office is not where its middle is
    assert set(rows(siaga, "agency")) == {"dinkes", "kec-mauk", "kec-kemiri"}
    assert rows(siaga, "service")["e-planning"]["agency"] == "dinkes"


def test_what_was_made_up_comes_only_when_asked_for(siaga: Siaga, tmp_path: Path) -> None:
    path = regency(tmp_path)
    assert "'Dinas Rekaan' of opd is illustrative and was left out" in siaga("import", path).well().err
    siaga("import", path, "--with-illustrative").well()
    assert "illustrative" in rows(siaga, "agency")["rekaan"]["notes"]


@pytest.mark.parametrize(
    ("text", "villages", "word"),
    [
        (REGENCY.replace("{code: '36.99.01', name: Mauk", "{code: '36.99.01'"), VILLAGES, "no kecamatan.items.name"),
        (REGENCY, VILLAGES.replace("desa,36.99.02", "desa,36.99.77"), "36.99.77 that is not there"),
        (REGENCY, "a,b\n1,2\n", "has no columns"),
        (REGENCY.replace("{id: dinkes, name: Dinas Kesehatan, status: sourced}", "dinkes"), VILLAGES, "no mapping"),
    ],
)  # fmt: skip
def test_a_regency_that_does_not_hold_together_is_refused(
    siaga: Siaga, tmp_path: Path, scrubbed: Path, text: str, villages: str, word: str
) -> None:
    before = stored(scrubbed)
    said = siaga("import", regency(tmp_path, text, villages))
    said.failed(5, "bad-regency")
    assert word in said.err
    assert stored(scrubbed) == before


# --- Ansible --------------------------------------------------------------------------------------------------------

INI = """
[routers]
rtr-mauk ansible_host=10.1.0.1 ansible_network_os=cisco.ios.ios contract=A-1 snmp_community=rahasia
[servers]
srv-1 ansible_host=10.1.0.2 ansible_port=2222 ansible_password=rahasia
"""


def test_an_ansible_inventory_comes_by_ansibles_own_reading(siaga: Siaga, tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(INI)
    said = siaga("import", "ansible", path).well()
    assert "everything was so already" in siaga("import", "ansible", path).well().err
    devices = rows(siaga, "device")
    assert devices["rtr-mauk"]["address"] == "10.1.0.1"
    assert devices["rtr-mauk"]["platform"] == "ios"
    assert "routers" in devices["rtr-mauk"]["tags"]
    assert devices["srv-1"]["ssh_port"] == 2222
    assert "Secrets are not taken over: rtr-mauk.snmp_community" in said.err
    assert "rahasia" not in said.err + json.dumps(devices)


def test_a_listing_is_taken_from_standard_input(siaga: Siaga, typed: Any) -> None:
    typed(json.dumps({"_meta": {"hostvars": {"r1": {"ansible_host": "10.1.0.9"}}}, "all": {"hosts": ["r1"]}}))
    siaga("import", "ansible", "-").well()
    assert rows(siaga, "device")["r1"]["address"] == "10.1.0.9"


@pytest.mark.parametrize("text", ["[", "[]", '{"_meta": 3}', '{"_meta": {"hostvars": {"a": 3}}}'])
def test_a_listing_that_is_none_is_refused(siaga: Siaga, typed: Any, text: str) -> None:
    typed(text)
    said = siaga("import", "ansible", "-")
    assert said.code == 5, said
    assert "Traceback" not in said.err


# --- Oxidized -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("10.1.0.1:routeros\nsw-1:ios:down\n# note\n", []),
        ("10.1.0.1;routeros;inti\nsw-1;ios;inti\n", ["--delimiter", ";", "--fields", "name,model,group"]),
    ],
)
def test_a_router_db_gives_devices(siaga: Siaga, tmp_path: Path, text: str, options: list[str]) -> None:
    path = tmp_path / "router.db"
    path.write_text(text)
    twice(siaga, "oxidized", path, *options)
    devices = rows(siaga, "device")
    first = next(d for d in devices.values() if d["address"] == "10.1.0.1")
    assert (first["platform"], devices["sw-1"]["platform"]) == ("routeros", "ios")
    if options:
        assert "inti" in first["tags"]


def test_passwords_of_a_router_db_stay_where_they_are(siaga: Siaga, tmp_path: Path) -> None:
    path = tmp_path / "router.db"
    path.write_text("sw-1:ios:admin:rahasia\n")
    said = siaga("import", "oxidized", path, "--fields", "name,model,username,password").well()
    assert "passwords were not taken over" in said.err
    assert "rahasia" not in said.err + siaga("device", "show", "sw-1").well().out


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("name,ip,model", "'ip' is unknown (it is called address here)"),
        ("name,colour,colour", "'colour' is unknown, 'colour' is unknown"),
        ("address,model", "'name' is missing"),
        ("name,model,model", "'model' stands there twice"),
    ],
)
def test_fields_that_a_router_db_cannot_have_are_named(
    siaga: Siaga, tmp_path: Path, fields: str, told: str
) -> None:
    path = tmp_path / "router.db"
    path.write_text("sw-1:ios\n")
    said = siaga("import", "oxidized", path, "--fields", fields)
    said.failed(2, "unknown-field")
    assert f"--fields: {told}; there are name, address, model, group" in said.err


ROUTER_DB = """\
# inti
rtr-mauk ; 10.1.0.1 ; routeros ; Kantor Mauk ; noc ; rahasia ; x

  # akses
sw-1;10.1.0.2;ios;akses;noc;rahasia;y
sw-2;2001:db8::2;procurve;;;;
lama;10.1.0.9;unheard-of;akses;noc;;
"""


def test_a_router_db_with_groups_comments_and_blanks_comes_in_whole(siaga: Siaga, tmp_path: Path) -> None:
    path = tmp_path / "router.db"
    path.write_text(ROUTER_DB)
    options = ["--delimiter", ";", "--fields", "name,address,model,group,username,password,-"]
    said = siaga("import", "oxidized", path, *options).well()
    assert "everything was so already" in siaga("import", "oxidized", path, *options).well().err
    found = rows(siaga, "device")
    assert {n: (d["address"], d["platform"], d["tags"], d["transport"]) for n, d in found.items()} == {
        "rtr-mauk": ("10.1.0.1", "routeros", "Kantor-Mauk", "ssh"),
        "sw-1": ("10.1.0.2", "ios", "akses", "ssh"),
        "sw-2": ("2001:db8::2", "procurve", "", "ssh"),
        "lama": ("10.1.0.9", "", "akses", "ssh"),
    }
    assert found["lama"]["notes"] == "model: unheard-of; group: akses; user: noc"
    assert "The groups Kantor Mauk, akses are kept as tags." in said.err
    assert "rahasia" not in said.err + json.dumps(found)


def test_every_line_of_a_router_db_that_is_none_is_told_with_its_number(
    siaga: Siaga, tmp_path: Path, scrubbed: Path
) -> None:
    path = tmp_path / "router.db"
    path.write_text("# inti\nsw-1:ios\n:routeros\nsw-2;ios\nsw-3:ios\nsw-1:ios:down\n  : \n")
    before = stored(scrubbed)
    said = siaga("import", "oxidized", path)
    assert said.failed(5, "bad-router-db") == [
        "router.db, line 3: there is no name",
        "router.db, line 4: there is no ':' in it: say with --delimiter what stands between fields",
        "router.db, line 6: 'sw-1' stands in line 2 already",
        "router.db, line 7: there is no name",
    ]
    assert "router.db: 4 lines cannot be read; nothing was written." in said.err
    assert stored(scrubbed) == before


def test_what_no_field_was_named_for_is_told(siaga: Siaga, tmp_path: Path) -> None:
    path = tmp_path / "router.db"
    path.write_text("sw-1:ios:up:inti:x\nsw-2:ios:inti\nsw-3:ios:down\n")
    said = siaga("import", "oxidized", path).well()
    assert "more than name, model, up stands in line 1; that was left out" in said.err
    assert "field 3 is neither up nor down in line 2: say with --fields what it is" in said.err
    assert {n: d["status"] for n, d in rows(siaga, "device").items()} == {
        "sw-1": "active",
        "sw-2": "active",
        "sw-3": "spare",
    }


# --- the devicetype-library -----------------------------------------------------------------------------------------

TYPE = """
manufacturer: Contoh
model: CT-24P
slug: contoh-ct-24p
part_number: CT24P
u_height: 1
is_full_depth: false
console-ports:
  - {name: con0, type: rj-45}
interfaces:
  - {name: ge1, type: 1000base-t, poe_mode: pse}
  - {name: mgmt, type: 1000base-t, mgmt_only: true}
power-ports:
  - {name: PSU1, type: iec-60320-c14, maximum_draw: 370}
"""


def test_device_types_come_with_their_ports(siaga: Siaga, tmp_path: Path) -> None:
    folder = tmp_path / "device-types" / "Contoh"
    folder.mkdir(parents=True)
    (folder / "CT-24P.yaml").write_text(TYPE)
    twice(siaga, "devicetypes", tmp_path)
    (kind,) = rows(siaga, "device-type").values()
    assert (kind["maker"], kind["model"]) == ("Contoh", "CT-24P")
    parts = json.loads(siaga("component", "list", "-o", "json").well().out)
    assert {(p["kind"], p["port"]) if "port" in p else p["kind"] for p in parts}
    assert len(parts) == 4
    (folder / "CT-24P.yaml").write_text("interfaces: []\n")
    siaga("import", "devicetypes", folder).failed(5, "bad-device-type")


def library(folder: Path, **texts: str) -> Path:
    """Write files of a maker below `folder`."""
    (folder / "Contoh").mkdir(parents=True)
    for name, text in texts.items():
        (folder / "Contoh" / f"{name}.yaml").write_text(text)
    return folder


def other(text: str, model: str, slug: str) -> str:
    return text.replace("CT-24P", model).replace("contoh-ct-24p", slug)


def test_a_folder_of_device_types_comes_in_whole(siaga: Siaga, tmp_path: Path) -> None:
    folder = library(tmp_path / "device-types", A=TYPE, B=other(TYPE, "CT-48P", "contoh-ct-48p"))
    (folder / "Contoh" / "CT-8.YML").write_text(other(TYPE, "CT-8", "contoh-ct-8"))
    (folder / "Contoh" / "README.md").write_text("# no device type")
    twice(siaga, "devicetypes", folder)
    assert {n: k["slug"] for n, k in rows(siaga, "device-type").items()} == {
        "Contoh CT-24P": "contoh-ct-24p",
        "Contoh CT-48P": "contoh-ct-48p",
        "Contoh CT-8": "contoh-ct-8",
    }
    assert len(json.loads(siaga("component", "list", "-o", "json").well().out)) == 12


def test_what_is_wrong_in_every_file_of_device_types_is_told_at_once(
    siaga: Siaga, tmp_path: Path, scrubbed: Path
) -> None:
    folder = library(
        tmp_path / "device-types",
        A=TYPE,
        B="manufacturer: Contoh\nmodel: [\n",
        C=other(TYPE, "CT-48P", "contoh-ct-24p"),
        D="slug: x\n",
        E=TYPE.replace("slug: contoh-ct-24p\n", ""),
        F=other(TYPE, "CT-8", "contoh-ct-8") + "module-bays: 3\nfront-ports:\n  - {type: lc}\n  - x\n",
        G=other(TYPE, "CT-9", "contoh-ct-9") + "rear-ports: [{name: r1}, {name: r1}]\n",
        H="",
    )
    before = stored(scrubbed)
    problems = siaga("import", "devicetypes", folder).failed(5, "bad-device-type")
    assert problems[0].startswith("Contoh/B.yaml, line 3: this is no YAML")
    assert problems[1:] == [
        "Contoh/C.yaml: the slug 'contoh-ct-24p' is that of Contoh/A.yaml already",
        "Contoh/D.yaml: it has no manufacturer and no model: it is no device type",
        "Contoh/E.yaml: the model 'Contoh CT-24P' is that of Contoh/A.yaml already",
        "Contoh/F.yaml: module-bays is no list",
        "Contoh/F.yaml: entry 1 of front-ports has no name",
        "Contoh/F.yaml: entry 2 of front-ports has no name",
        "Contoh/G.yaml: 'r1' stands twice among the rear-ports",
        "Contoh/H.yaml holds no rows to import",
    ]
    assert stored(scrubbed) == before


def test_a_value_that_cannot_be_is_told_with_its_file(siaga: Siaga, tmp_path: Path) -> None:
    folder = library(tmp_path / "device-types", A=TYPE, B=other(TYPE, "CT-8", "c8").replace("1\n", "x\n", 1))
    problem, *_ = siaga("import", "devicetypes", folder).failed(5, "bad-rows")
    assert problem.startswith("Contoh/B.yaml, row 1, column u_height: u_height is 'x'")


# --- LibreNMS -------------------------------------------------------------------------------------------------------

DEVICES = [
    {"device_id": 1, "hostname": "10.1.0.1", "sysName": "rtr-mauk", "ip": "10.1.0.1", "os": "routeros",
     "hardware": "RB4011", "location": "Kantor Mauk", "lat": "-6.06", "lng": "106.5", "serial": "HE1",
     "disabled": 0, "port": 161, "type": "network", "community": "rahasia", "authpass": "rahasia"},
    {"device_id": 2, "hostname": "sw-mauk", "sysName": "sw-mauk", "ip": "10.1.0.2", "os": "ios",
     "hardware": "WS-C2960", "location": "Kantor Mauk", "serial": None, "disabled": 1, "port": 161,
     "type": "network"},
]  # fmt: skip
PORTS = [
    {"port_id": 11, "device_id": 1, "ifName": "ether1", "ifAlias": "ke sw-mauk", "deleted": 0,
     "ifPhysAddress": "488f5a000001"},
    {"port_id": 21, "device_id": 2, "ifName": "Gi0/1", "ifAlias": "\u001b[31m=cmd|x", "deleted": 0,
     "ifPhysAddress": None},
    {"port_id": 22, "device_id": 2, "ifName": "Gi0/2", "ifAlias": "", "deleted": 1, "ifPhysAddress": None},
]  # fmt: skip
LINKS = [
    {"id": 1, "local_port_id": 11, "remote_port_id": 21, "remote_hostname": "sw-mauk", "protocol": "lldp"},
    {"id": 2, "local_port_id": 21, "remote_port_id": 11, "remote_hostname": "rtr-mauk", "protocol": "lldp"},
    {"id": 3, "local_port_id": 11, "remote_port_id": 0, "remote_hostname": "tetangga", "protocol": "lldp"},
]
# Columns of the table `ports` in every version; others came and went (ifHighSpeed).
COLUMNS = (
    *(
        "port_id",
        "device_id",
        "ifDescr",
        "ifName",
        "ifIndex",
        "ifSpeed",
        "ifOperStatus",
        "ifAdminStatus",
        "ifMtu",
    ),
    *("ifType", "ifAlias", "ifPhysAddress", "ignore", "disabled", "deleted"),
)


@contextmanager
def librenms(answers: dict[str, Any], token: str = "rahasia-api") -> Iterator[tuple[str, list[str]]]:
    """Serve the API v0 as LibreNMS does: a token in X-Auth-Token, a list under the name of what was asked."""
    asked: list[str] = []

    def answer(path: str, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(path)
        asked.append(parts.path)
        if headers.get("X-Auth-Token") != token:
            return Reply({"message": "Unauthenticated."}, 401)
        asked_for = set(parse_qs(parts.query).get("columns", [""])[0].split(","))
        if parts.path.endswith("/ports") and not asked_for <= set(COLUMNS):
            return Reply({"status": "error", "message": "Invalid columns: " + str(asked_for)}, 400)
        found = answers.get(parts.path.removeprefix("/api/v0/"))
        if found is None:
            return Reply({"status": "error", "message": "This API route does not exist"}, 404)
        return Reply(found)

    with served(answer) as url:
        yield url, asked


WHOLE = {
    "devices": {"status": "ok", "devices": DEVICES, "count": 2},
    "ports": {"status": "ok", "ports": PORTS},
    "resources/links": {"status": "ok", "links": LINKS},
}


def test_librenms_gives_places_devices_ports_and_links(siaga: Siaga, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LNMS", "rahasia-api")
    with librenms(WHOLE) as (url, _):
        said = siaga("import", "librenms", url, "--token-from", "env:LNMS").well()
        again = siaga("import", "librenms", f"{url}/api/v0", "--token-from", "env:LNMS").well()
    assert "everything was so already" in again.err
    devices = rows(siaga, "device")
    assert devices["rtr-mauk"]["platform"] == "routeros"
    assert (devices["rtr-mauk"]["place"], devices["sw-mauk"]["status"]) == ("Kantor Mauk", "retired")
    ports = json.loads(siaga("interface", "list", "-o", "json").well().out)
    assert {(p["device"], p["name"], p["mac"]) for p in ports} == {
        ("rtr-mauk", "ether1", "48:8f:5a:00:00:01"),
        ("sw-mauk", "Gi0/1", ""),
    }
    (link,) = rows(siaga, "link").values()  # both ends told of the same cable
    assert {link["a_interface"], link["z_interface"]} == {"rtr-mauk:ether1", "sw-mauk:Gi0/1"}
    assert "Left out: 1 deleted port.\n" in said.err
    assert "Left out: 1 link to a port that LibreNMS does not poll.\n" in said.err
    whole = said.err + json.dumps([devices, ports])
    assert "rahasia" not in whole
    assert "\\u001b" not in whole


def test_a_wrong_token_is_one_sentence_and_the_token_is_not_in_it(
    siaga: Siaga, monkeypatch: pytest.MonkeyPatch, scrubbed: Path
) -> None:
    monkeypatch.setenv("LNMS", "salah-sekali")
    before = stored(scrubbed)
    with librenms(WHOLE) as (url, _):
        said = siaga("import", "librenms", url, "--token-from", "env:LNMS")
    said.failed(4, "api-refused")
    assert "salah-sekali" not in said.err
    assert stored(scrubbed) == before


@pytest.mark.parametrize(
    "answers",
    [{}, {"devices": {"status": "ok"}}, {"devices": [1]}, {"devices": {"devices": [1]}}],
)
def test_an_answer_that_is_none_writes_nothing(
    siaga: Siaga, monkeypatch: pytest.MonkeyPatch, scrubbed: Path, answers: dict[str, Any]
) -> None:
    monkeypatch.setenv("LNMS", "rahasia-api")
    before = stored(scrubbed)
    with librenms(answers) as (url, _):
        said = siaga("import", "librenms", url, "--token-from", "env:LNMS")
    assert said.code in (3, 5), said
    assert "Traceback" not in said.err
    assert stored(scrubbed) == before


@pytest.mark.parametrize(
    "place",
    [
        {"location": "Kantor Mauk", "lat": "-6.06", "lng": "106.5"},  # joined, as the list has it
        {
            "location": {"id": 33, "location": "Kantor Mauk", "lat": -6.06, "lng": 106.5}
        },  # related, since 2026
        {"location_id": "33"},  # by its id only
    ],
)
def test_a_location_is_taken_however_the_version_tells_it(
    siaga: Siaga, monkeypatch: pytest.MonkeyPatch, place: dict[str, Any]
) -> None:
    monkeypatch.setenv("LNMS", "rahasia-api")
    device = {"device_id": "1", "hostname": "r1", "ip": "10.1.0.1", **place}
    where = {"id": 33, "location": "Kantor Mauk", "lat": -6.06, "lng": 106.5, "timestamp": "2026-01-01"}
    answers = {
        "devices": {"status": "ok", "devices": [device], "count": 1},
        "resources/locations": {"status": "ok", "locations": [where], "count": 1},
        "ports": {"status": "ok", "ports": []},
    }
    with librenms(answers) as (url, _):
        said = siaga("import", "librenms", url, "--token-from", "env:LNMS").well()
    assert rows(siaga, "device")["r1"]["place"] == "Kantor Mauk"
    (found,) = rows(siaga, "place").values()
    assert (found["latitude"], found["longitude"]) == (-6.06, 106.5)
    assert "LibreNMS gave no links: it knows none" in said.err


def test_ids_and_flags_are_understood_as_texts_and_as_numbers() -> None:
    from inventory.imports.librenms import _Taken

    devices = [
        {"device_id": "1", "hostname": "r1.example", "sysName": "r1", "ip": "10.9.9.9", "overwrite_ip": "10.1.0.1",
         "disabled": "0", "snmp_disable": "1", "port": "161"},
        {"device_id": 2, "hostname": "r2", "ip": None, "disabled": True, "snmp_disable": False, "port": 1161},
    ]  # fmt: skip
    ports = [
        {"port_id": "11", "device_id": 1, "ifName": "ether1", "deleted": "0"},
        {"port_id": 21, "device_id": "2", "ifName": "", "ifDescr": "eth0", "deleted": 0},
        {"port_id": 22, "device_id": 2, "ifName": "eth1", "deleted": "1"},
        {"port_id": 23, "device_id": 2, "ifName": "eth2", "deleted": True},
        {"port_id": 91, "device_id": 9, "ifName": "x"},
    ]
    links = [
        {"id": 1, "local_port_id": "11", "remote_port_id": 21, "active": "1"},
        {"id": 2, "local_port_id": 21, "remote_port_id": 11},
        {"id": 3, "local_port_id": 11, "remote_port_id": 21, "active": 0},
        {"id": 4, "local_port_id": 11, "remote_port_id": None, "active": 1},
        {"id": 5, "local_port_id": 11, "remote_port_id": 0, "active": 1},
        {"id": 6, "local_port_id": 11, "remote_port_id": 11, "active": 1},
    ]
    taken = _Taken(devices, [])
    found = {r["name"]: r for _, r in taken.devices()}
    assert (found["r1"]["address"], found["r1"]["transport"], found["r1"].get("status")) == (
        "10.1.0.1",
        "none",
        None,
    )
    assert (found["r2"]["status"], found["r2"]["snmp_port"], "transport" in found["r2"]) == (
        "retired",
        1161,
        False,
    )
    assert [r["name"] for _, r in taken.ports(ports)] == ["ether1", "eth0"]
    assert [(r["a_interface"], r["z_interface"]) for _, r in taken.links(links)] == [("r1:ether1", "r2:eth0")]
    assert taken.left == [
        "Left out: 2 deleted ports.",
        "Left out: 1 port of a device that the token may not see.",
        "Left out: 1 link that is no longer active.",
        "Left out: 2 links to ports that LibreNMS does not poll.",
    ]
