"""What Ansible gets: names that are nothing but names, variables that run nothing, texts that are never templates."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from export_world import FIELDS, NOW, build
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from inventory import store
from inventory.exports import ansible
from inventory.exports.hosts import Surroundings, host, hosts, site
from inventory.exports.netbox import REFUSED, REFUSED_GROUPS, Options, options
from inventory.exports.netbox_filters import selector
from inventory.exports.netbox_rows import netbox_hosts
from inventory.history import Author
from inventory.nouns import declare
from inventory.select import parse
from inventory.writing import Writer
from siaga.errors import UsageError
from siaga.settings import Settings
from tests.homes import prepare

HOSTILE = "{{ lookup('pipe', 'touch pwned') }}"
CONFIG = """
[fields.device]
po_number = {}
ports = { type = "int" }
depth_m = { type = "float" }
reviewed = { type = "date" }
managed = { type = "bool" }
keeper = { type = "ref", ref = "person" }
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with hostile rows; these tests only read it."""
    where = tmp_path_factory.mktemp("ansible") / "home"
    settings = Settings(home=where, fields=FIELDS)
    prepare(settings)
    engine = store.open_engine(settings)
    build(engine)
    with store.session(engine) as session:
        writer = Writer(session, Author("budi", NOW))
        writer.restoring = True  # rows from before secrets were refused
        writer.put(
            "device", {"name": "rtr-1", "notes": HOSTILE, "var.banner": HOSTILE, "var.ansible_become": "yes"}
        )
        for name, value in (
            ("ansible_ssh_common_args", "-o ProxyCommand=id"),
            ("ansible_connection", "local"),
        ):
            writer.put("device", {"name": "sw-1", f"var.{name}": value})
        writer.put("device", {"name": "sw-1", "var.snmp_community": "hush-hush", "var.mtu": "9000"})
        writer.finish()
    engine.dispose()
    (where / "siaga.toml").write_text(CONFIG)
    return where


@pytest.fixture
def engine(home: Path):
    """The engine of that home."""
    opened = store.open_engine(Settings(home=home, fields=FIELDS))
    yield opened
    opened.dispose()
    declare({})


def run(home: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's own commands from siaga's environment, as a user does."""
    command = Path(sys.executable).parent / arguments[0]
    own = {"SIAGA_HOME": str(home), "SIAGA_CONFIG": str(home / "siaga.toml"), "HOME": str(folder)}
    return subprocess.run(
        [str(command), *arguments[1:]],
        cwd=folder,
        env={**os.environ, **own, "ANSIBLE_HOME": str(folder / ".ansible"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def listed(home: Path, folder: Path, inventory: str) -> dict[str, Any]:
    done = run(home, folder, "ansible-inventory", "-i", inventory, "--list")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = unmarked(json.loads(done.stdout))
    return found


def unmarked(value: Any) -> Any:
    """Take away the marks of texts that Ansible does not trust as templates: those of a plugin all bear one."""
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"]
            if "__ansible_unsafe" in value
            else {k: unmarked(v) for k, v in value.items()}
        )
    return [unmarked(v) for v in value] if isinstance(value, list) else value


# --- names and variables ------------------------------------------------------------------------------------


@given(st.text(max_size=140), st.integers(1, 10**9))
def test_a_hosts_name_is_harmless(name: str, device_id: int) -> None:
    alias = ansible.alias(name, device_id)
    assert alias in (name, f"device_{device_id}")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}", alias)
    assert alias.lower() not in ("all", "ungrouped", "localhost")


@given(st.sampled_from(ansible.GROUPED_BY), st.text(max_size=80))
def test_a_groups_name_is_harmless_and_never_a_hosts(kind: str, value: str) -> None:
    group = ansible.group(kind, value)
    assert re.fullmatch(rf"{kind}_[a-z0-9][a-z0-9_]*", group)
    assert ansible.alias(group, 7) == "device_7"
    assert re.fullmatch(r"[a-z][a-z0-9_]*", ansible.raw_group(kind, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ansible_ssh_common_args", "-o ProxyCommand=id"),
        ("ansible_connection", "local"),
        ("ansible_connection", "community.docker.docker"),
        ("ansible_python_interpreter", "/tmp/../x"),
        ("ansible_host", "-oProxyCommand=id"),
        ("ansible_password", "x"),
        ("bad-name", 1),
        ("nested", {"__ansible_vault": "x"}),
        ("nested", [{"a": {"__ansible_unsafe": "x"}}]),
    ],
)
def test_a_row_may_not_set_what_runs_commands_here(name: str, value: Any) -> None:
    kept, left_out = ansible.variables({name: value})
    assert kept == {}
    assert len(left_out) == 1


def test_a_row_may_say_how_a_network_device_is_reached() -> None:
    given = {"ansible_connection": "ansible.netcommon.network_cli", "ansible_network_os": "cisco.ios.ios"}
    assert ansible.variables({**given, "ansible_become": "no"}) == ({**given, "ansible_become": False}, [])


def test_only_what_could_be_a_template_is_marked() -> None:
    value = {"a": "plain", "b": ["{{ x }}", 1], "c": "#jinja2: x"}
    marked = {
        "a": "plain",
        "b": [{"__ansible_unsafe": "{{ x }}"}, 1],
        "c": {"__ansible_unsafe": "#jinja2: x"},
    }
    assert ansible.marked_where_needed(value) == marked
    assert ansible.marked(["a", 1]) == [{"__ansible_unsafe": "a"}, 1]


# --- hosts --------------------------------------------------------------------------------------------------


def row(**more: Any) -> dict[str, Any]:
    return {
        "id": 5,
        "name": "rtr-9",
        "role": "router",
        "status": "active",
        "address": "10.0.0.1",
        "tags": "",
        **more,
    }


def test_a_host_has_its_merged_variables_and_facts_win_over_them() -> None:
    around = Surroundings({}, {}, {}, {5: {"domain": "layer", "mtu": 9000, "siaga_role": "fake"}})
    found = host(row(vars={"mtu": 9000}), around)[0].variables
    assert (found["domain"], found["mtu"], found["siaga_role"]) == ("layer", 9000, "router")


def test_the_site_is_the_nearest_place_of_that_kind() -> None:
    places = {
        "rak": {"kind": "rack", "parent": "kantor"},
        "kantor": {"kind": "site", "parent": "mauk"},
        "mauk": {"kind": "kecamatan", "parent": None},
        "a": {"kind": "room", "parent": "b"},
        "b": {"kind": "room", "parent": "a"},
    }
    assert [site(n, places) for n in ("rak", "kantor", "mauk", "a", "")] == [
        "kantor",
        "kantor",
        "mauk",
        "a",
        "",
    ]


def test_a_device_becomes_a_host_with_its_groups(engine: Engine) -> None:
    with store.reading(engine) as session:
        found = {h.name: h for h in hosts(session)}
    router = found["rtr-1"]
    assert router.groups == (
        *("role_router", "kecamatan_mauk", "site_kantor_mauk", "agency_dinas_kominfo", "platform_routeros"),
        *("status_active", "tag_core", "tag_1_10", "maker_mikrotik", "model_rb760igs"),
    )
    given = router.variables
    assert (given["ansible_host"], given["ansible_port"], given["ansible_user"]) == ("10.1.0.1", 22, "ops")
    assert given["ansible_network_os"] == "community.routeros.routeros"
    assert (given["siaga_po_number"], given["siaga_reviewed"], given["siaga_keeper"]) == (
        "=PO-1",
        "2026-02-03",
        "Budi",
    )
    assert given["nested"] == {"a": {"b": ["x: y", "no"]}, "on": True}
    assert re.fullmatch(r"device_\d+", found["-aneh [1-9]"].alias)


def test_what_a_host_may_not_have_is_left_out_and_told(engine: Engine) -> None:
    left_out: list[str] = []
    with store.reading(engine) as session:
        found = hosts(session, left_out=left_out)
    text = "".join(ansible.listing(found))
    assert "ProxyCommand" not in text
    assert "hush-hush" not in text
    assert [s for s in left_out if "hush-hush" in s or "ProxyCommand" in s] == []
    assert sorted(s.partition(": ")[2] for s in left_out if s.startswith("sw-1")) == [
        "the variable ansible_connection may not be 'local'.",
        "the variable ansible_ssh_common_args may not be set by a row.",
        "the variable snmp_community seems to be a secret, which belongs in a credential.",
    ]


def test_hosts_are_grouped_by_what_was_asked_for_or_by_fields_of_ones_own(engine: Engine) -> None:
    with store.reading(engine) as session:
        found = hosts(session, group_by=("po_number", "virtual_no")[:1])
        with pytest.raises(UsageError, match="bad-group-by"):
            hosts(session, group_by=["colour"])
    assert ansible.grouped(found)["po_number_po_1"] == ["rtr-1"]
    assert len(ansible.grouped(found)["ungrouped"]) == 4


def test_the_listing_is_one_json_object_with_all_hosts_in_meta(engine: Engine) -> None:
    with store.reading(engine) as session:
        found = hosts(session)
    whole = json.loads("".join(ansible.listing(found)))
    assert list(whole["_meta"]["hostvars"]) == [h.alias for h in found]
    assert set(whole["all"]["children"]) == set(whole) - {"_meta", "all"}
    assert whole["_meta"]["hostvars"]["rtr-1"]["siaga_notes"] == {"__ansible_unsafe": HOSTILE}
    assert json.loads(ansible.host_json(found[0])) == whole["_meta"]["hostvars"][found[0].alias]


# --- Ansible itself -----------------------------------------------------------------------------------------


def test_ansible_reads_the_script_and_renders_nothing_of_it(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    with store.reading(engine) as session:
        (tmp_path / "all.json").write_text("".join(ansible.listing(hosts(session))))
    (tmp_path / "script.sh").write_text("#!/bin/sh\ncat all.json\n")
    (tmp_path / "script.sh").chmod(0o700)
    found = listed(home, tmp_path, "script.sh")
    assert found["tag_core"] == {"hosts": ["rtr-1"]}
    assert len(found["_meta"]["hostvars"]) == 5
    done = run(
        home,
        tmp_path,
        "ansible",
        "-i",
        "script.sh",
        "rtr-1",
        "-m",
        "debug",
        "-a",
        "msg={{ siaga_notes }}{{ banner }}{{ 3 * 4 }}",
    )
    assert f'"msg": "{HOSTILE}{HOSTILE}12"' in done.stdout, done
    assert not (tmp_path / "pwned").exists()


PLUGIN = """
plugin: siaga.siaga.inventory
selector: status!=retired
group_by: [device_roles, region, tags, status, is_virtual, services, manufacturers]
config_context: true
interfaces: true
keyed_groups:
  - prefix: platform
    key: siaga_platform
groups:
  with_address: primary_ip4 is defined
compose:
  twelve: 3 * 4
  shout: role | upper
"""


def test_the_plugin_is_found_and_gives_what_netboxs_gives(home: Path, tmp_path: Path) -> None:
    (tmp_path / "siaga.yml").write_text(PLUGIN)
    found = listed(home, tmp_path, "siaga.yml")
    router = found["_meta"]["hostvars"]["rtr-1"]
    assert (router["twelve"], router["shout"]) == (12, "ROUTER")
    assert (router["device_roles"], router["sites"], router["tenants"]) == (
        ["router"],
        ["Kantor Mauk"],
        ["dinas-kominfo"],
    )
    assert (router["racks"], router["regions"]) == (["Rak 1"], ["Mauk", "Kabupaten"])
    assert (router["ansible_host"], router["primary_ip4"]) == ("10.1.0.1", "10.1.0.1")
    assert router["custom_fields"]["po_number"] == "=PO-1"
    assert router["config_context"][0]["mtu"] == 1500
    assert router["asset_tag"] == "1.3.2/9000"
    ether1 = next(i for i in router["interfaces"] if i["name"] == "ether1")
    assert ether1["ip_addresses"] == [{"address": "10.1.0.1/24", "dns_name": "rtr-1.example"}]
    groups = {g: found[g]["hosts"] for g in found if "hosts" in found[g]}
    assert groups["device_roles_router"] == ["rtr-1"]
    assert groups["region_mauk"] == ["rtr-1", "sw-1"]
    assert (groups["is_virtual"], groups["service_e_planning"]) == (["srv-1"], ["srv-1"])
    assert (groups["platform_routeros"], groups["manufacturers_mikrotik"]) == (["rtr-1"], ["rtr-1"])
    assert "rtr-1" in groups["with_address"]
    assert "lama" not in found["_meta"]["hostvars"]
    assert "hush-hush" not in json.dumps(found)


def test_what_a_device_wrote_is_no_template_in_the_plugin_either(home: Path, tmp_path: Path) -> None:
    (tmp_path / "siaga.yml").write_text(PLUGIN)
    done = run(
        home,
        tmp_path,
        "ansible",
        "-i",
        "siaga.yml",
        "rtr-1",
        "-m",
        "debug",
        "-a",
        "msg={{ siaga_notes }}{{ local_context_data[0].banner }}",
    )
    assert f'"msg": "{HOSTILE}{HOSTILE}"' in done.stdout, done
    assert not (tmp_path / "pwned").exists()


def test_a_file_that_cannot_be_is_refused_with_every_reason(home: Path, tmp_path: Path) -> None:
    (tmp_path / "siaga.yml").write_text(
        "plugin: siaga.siaga.inventory\napi_endpoint: http://netbox\ngroup_by: [cluster]\ncolour: red\n"
    )
    done = run(home, tmp_path, "ansible-inventory", "-i", "siaga.yml", "--graph")
    for part in (
        "api_endpoint: siaga reads its own inventory",
        "colour: there is no such option",
        "cluster: there are",
    ):
        assert part in done.stderr
    assert "rtr-1" not in done.stdout


def test_the_plugin_keeps_a_cache_until_the_file_or_the_flag_says_otherwise(
    home: Path, tmp_path: Path
) -> None:
    cached = f"cache: true\ncache_plugin: jsonfile\ncache_connection: {tmp_path}/cache\n"
    (tmp_path / "siaga.yml").write_text("plugin: siaga.siaga.inventory\nselector: role=router\n" + cached)
    first = listed(home, tmp_path, "siaga.yml")
    [file] = (tmp_path / "cache").iterdir()
    file.write_text(file.read_text().replace("10.1.0.1", "10.9.9.9"))
    assert listed(home, tmp_path, "siaga.yml")["_meta"]["hostvars"]["rtr-1"]["ansible_host"] == "10.9.9.9"
    (tmp_path / "siaga.yml").write_text(
        "plugin: siaga.siaga.inventory\nselector: role=router\nplurals: true\nracks: false\n" + cached
    )
    assert listed(home, tmp_path, "siaga.yml")["_meta"]["hostvars"]["rtr-1"]["ansible_host"] == "10.1.0.1"
    assert first["_meta"]["hostvars"]["rtr-1"]["ansible_host"] == "10.1.0.1"


# --- NetBox's options ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ([{"role": "router"}], 'role="router"'),
        ([{"role": "router"}, {"role": "switch"}], 'role="router","switch"'),
        ([{"role": "router,switch"}], 'role="router","switch"'),
        ([{"tag": "core"}, {"tag": "web"}], 'tags="core" tags="web"'),
        ([{"tenant__n": "dinas"}], 'agency!="dinas"'),
        ([{"name__isw": "rtr"}], '(name~"(?i)^rtr")'),
        ([{"name__nic": ["a.b", "c"]}], 'not (name~"(?i)a\\.b" or name~"(?i)c")'),
        ([{"site": "Kantor Mauk"}, {"status": "active"}], 'place.under="Kantor Mauk" status="active"'),
        ([{"has_primary_ip": "true"}], "address!=''"),
        ([{"has_primary_ip": False}], "address=''"),
        ([{"cf_po_number": "7"}], 'po_number="7"'),
        ([{"serial__empty": True}], "serial=''"),
        ([{"rack_unit__gte": 3}], 'rack_unit>="3"'),
        ([{"manufacturer": "MikroTik"}], 'device_type.maker="MikroTik"'),
        ([{"q": "mauk"}], '(name~"(?i)mauk")'),
        ([], ""),
    ],
)
def test_filters_of_netbox_become_a_selector(filters: list[Mapping[str, Any]], wanted: str) -> None:
    found = selector(Options(query_filters=filters))
    assert found == wanted
    parse(found)


def test_filters_for_devices_and_machines_are_told_apart() -> None:
    given = Options(selector="status=active", device_query_filters=[{"role": "router"}])
    assert selector(given) == '(status=active) (virtual=no role="router" or virtual=yes)'


@pytest.mark.parametrize("filters", [["role"], [{"a": 1, "b": 2}], [{"name": "both \" and '"}]])
def test_a_filter_that_is_none_is_refused(filters: list[Any]) -> None:
    with pytest.raises(UsageError, match="bad-filter"):
        selector(Options(query_filters=filters))


def test_every_refused_option_has_its_reason() -> None:
    with pytest.raises(UsageError) as caught:
        options({**dict.fromkeys(REFUSED, "x"), "group_by": list(REFUSED_GROUPS)}, ())
    assert len(caught.value.problems) == len(REFUSED) + len(REFUSED_GROUPS)


def netbox(engine: Engine, **given: Any) -> dict[str, Any]:
    with store.reading(engine) as session:
        return {one.name: one for one, _ in netbox_hosts(session, Options(**given))}


def test_without_plurals_names_are_singular_and_values_bare(engine: Engine) -> None:
    one = netbox(engine, plurals=False, group_by=["role", "site"], services=False)["rtr-1"]
    assert (one.variables["role"], one.variables["site"], one.variables["tenant"]) == (
        "router",
        "Kantor Mauk",
        "dinas-kominfo",
    )
    assert one.groups == ("role_router", "site_kantor_mauk")
    assert "services" not in one.variables


def test_groups_names_can_be_raw_but_never_reserved(engine: Engine) -> None:
    assert netbox(engine, group_names_raw=True, group_by=["sites", "tags"])["rtr-1"].groups == (
        "kantor_mauk",
        "core",
        "tags_1_10",
    )
    assert ansible.raw_group("tag", "all") == "tag_all"


def test_the_site_can_be_given_whole_with_its_prefixes(engine: Engine) -> None:
    [found] = netbox(engine, site_data=True, prefixes=True)["rtr-1"].variables["sites"]
    assert (found["name"], found["kind"]) == ("Kantor Mauk", "site")
    assert found["prefixes"] == [{"prefix": "10.1.0.0/24", "status": "active", "vrf": None}]


def test_variables_and_fields_can_be_flat_but_not_against_the_rules(engine: Engine) -> None:
    flat = {"config_context": True, "flatten_config_context": True, "flatten_local_context_data": True}
    found = netbox(engine, flatten_custom_fields=True, **flat)
    assert (found["rtr-1"].variables["mtu"], found["rtr-1"].variables["po_number"]) == (1500, "=PO-1")
    assert "ansible_connection" not in found["sw-1"].variables
    assert "hush-hush" not in str(found["sw-1"].variables)


def test_a_host_can_be_called_and_reached_by_other_fields(engine: Engine) -> None:
    found = netbox(engine, hostname_field="po_number", ansible_host_dns_name=True)["rtr-1"]
    assert (found.alias, found.variables["ansible_host"]) == (
        "device_1",
        "rtr-1.example",
    )  # =PO-1 is no host's name
    assert netbox(engine, hostname_field="serial")["rtr-1"].alias == "0012"


def test_variables_can_be_renamed(engine: Engine) -> None:
    renamed = netbox(engine, rename_variables=[{"pattern": "^(tags|serial)$", "repl": "nb_\\1"}])[
        "rtr-1"
    ].variables
    assert (renamed["nb_serial"], "serial" in renamed, "tags" in renamed) == ("0012", False, False)
    with pytest.raises(UsageError, match="rename_variables"):
        netbox(engine, rename_variables=[{"pattern": "("}])
