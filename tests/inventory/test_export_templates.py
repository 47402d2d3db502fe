"""Templates see rows and nothing else; what is missing is an error; and the commands write whole files or none."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from export_world import build
from sqlalchemy import Engine

from inventory import store
from inventory.export_commands import export_app, render
from inventory.exports.context import device_contexts, table_context
from inventory.exports.hosts import Surroundings
from inventory.exports.prometheus import lines, target, targets, where
from inventory.exports.templates import MAX_OCTETS, opened, rendered
from inventory.history import Author
from inventory.nouns import declare
from inventory.select import selected
from inventory.writing import Writer
from siaga.clock import utc_now
from siaga.errors import InvalidError, NotFoundError, SiagaError, UsageError
from siaga.outcome import Outcome
from siaga.settings import Settings
from tests.homes import prepare

CONFIG = """\
hostname {{ device.name }}
{% for server in ntp_servers %}
ntp server {{ server }}
{% endfor %}
{% for i in interfaces if i.enabled %}
interface {{ i.name }} ! {{ i.alias or 'tanpa nama' }}
{% endfor %}
! {{ place.name }}, {{ agency.title }}, {{ device.maker }} {{ vars.mtu }}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with rows, a description among them that would add a line; these tests only read it."""
    from export_world import FIELDS

    where_ = tmp_path_factory.mktemp("templates") / "home"
    settings = Settings(home=where_, fields=FIELDS)
    prepare(settings)
    engine = store.open_engine(settings)
    build(engine)
    with store.session(engine) as session:
        writer = Writer(session, Author("budi", utc_now()))
        writer.put(
            "device",
            {"name": "sw-1", "var.ntp_servers": "10.0.0.3", "var.mtu": "1500", "agency": "dinas-kominfo"},
        )
        writer.put("interface", {"device": "sw-1", "name": "gi0/1", "alias": "lantai 2\nno shutdown"})
        writer.finish()
    engine.dispose()
    declare({})
    return where_


@pytest.fixture
def engine(home: Path):
    """The engine of that home."""
    opened_ = store.open_engine(Settings(home=home))
    yield opened_
    opened_.dispose()


@pytest.fixture
def siaga(home: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs an export command on that home."""
    monkeypatch.setenv("SIAGA_HOME", str(home))
    app = typer.Typer()
    app.add_typer(export_app)
    app.command("render")(render)

    def run(*arguments: object) -> Outcome:
        found: Outcome = typer.main.get_command(app).main([str(a) for a in arguments], standalone_mode=False)
        return found

    return run


def made(tmp_path: Path, text: str, name: str = "x.cfg.j2") -> Any:
    (tmp_path / name).write_text(text)
    return opened(str(tmp_path / name))


def refusal(tmp_path: Path, text: str, **context: Any) -> str:
    with pytest.raises(InvalidError) as caught:
        rendered(made(tmp_path, text), "rtr-1", context)
    assert caught.value.code == "bad-template"
    return caught.value.sentence


def context_of(engine: Engine, name: str) -> dict[str, Any]:
    with store.reading(engine) as session:
        [(_, context)] = device_contexts(session, selected(session, "device", name))
    return context


# --- what a template can and cannot -------------------------------------------------------------------------


def test_a_configuration_is_rendered_from_all_that_hangs_on_a_device(engine: Engine, tmp_path: Path) -> None:
    found = rendered(made(tmp_path, CONFIG), "rtr-1", context_of(engine, "rtr-1"))
    assert found.text.splitlines() == [
        *("hostname rtr-1", "ntp server 10.0.0.1", "ntp server =1+1", "interface ether1 ! -5"),
        "! Rak 1, =cmd|'/C calc'!A0, MikroTik 1500",
    ]
    assert found.sha256 == hashlib.sha256(found.text.encode()).hexdigest()


def test_a_description_cannot_add_a_line_to_a_configuration(engine: Engine, tmp_path: Path) -> None:
    found = rendered(
        made(tmp_path, "{% for i in interfaces %}description {{ i.alias }}\n{% endfor %}"),
        "",
        context_of(engine, "sw-1"),
    )
    assert found.text == "description lantai 2 no shutdown\n"


def test_what_the_inventory_holds_is_never_a_template_itself(engine: Engine, tmp_path: Path) -> None:
    found = rendered(made(tmp_path, "{{ device.notes }}"), "", context_of(engine, "rtr-1"))
    assert found.text == "{{ lookup('pipe', 'id') }}"


def test_a_template_may_include_what_lies_beside_it_and_nothing_above(tmp_path: Path) -> None:
    (tmp_path / "part.j2").write_text("bagian")
    assert rendered(made(tmp_path, "{% include 'part.j2' %}"), "", {}).text == "bagian"
    with pytest.raises(NotFoundError, match=r"there is no template '../secret'"):
        rendered(made(tmp_path, "{% include '../secret' %}"), "", {})


def test_what_is_missing_is_an_error_with_its_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a\nb {{ device.colour }}", device={}) == (
        "x.cfg.j2, for rtr-1, line 2: 'dict object' has no attribute 'colour'."
    )
    assert "line 3" in refusal(tmp_path, "a\n\n{% for x in missing %}{% endfor %}")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ().__class__.__bases__ }}",
        "{{ device.__init__.__globals__ }}",
        "{{ rows.append(1) }}",
        "{{ cycler.__init__.__globals__.os.popen('id') }}",
        "{{ '%s' | format(device.__class__) }}",
        "{{ 'x' * 100000000 }}",
        "{{ [0] * 100000000 }}",
        "{{ 10 ** 10000 }}",
        "{{ 1 / 0 }}",
        "{{ 'a' + 1 }}",
        "{{ range(1000000) | list }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ],
)
def test_a_template_cannot_leave_the_sandbox_or_fill_the_memory(tmp_path: Path, text: str) -> None:
    assert "line 1" in refusal(tmp_path, text, device={}, rows=[])


def test_a_rendering_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_OCTETS == 64 * 2**20
    monkeypatch.setattr("inventory.exports.templates.MAX_OCTETS", 2**20)
    assert "becomes longer" in refusal(tmp_path, "{% for i in range(99999) %}" + "x" * 99 + "{% endfor %}")


def test_a_template_that_is_none_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match=r"x.cfg.j2, line 2: "):
        made(tmp_path, "a\n{% for %}")
    (tmp_path / "binary.j2").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidError, match="UTF-8"):
        opened(str(tmp_path / "binary.j2"))
    with pytest.raises(NotFoundError, match="no-such-template"):
        opened(str(tmp_path / "none.j2"))


def test_an_export_template_sees_the_rows_by_netboxs_name_too(engine: Engine, tmp_path: Path) -> None:
    with store.reading(engine) as session:
        context = table_context(session, "vlan", None)
    text = "{% for r in queryset %}{{ r.vid }} {{ r.name }}{% endfor %} {{ rows | length }} {{ noun }}"
    assert rendered(made(tmp_path, text), "", context).text == "10 mauk-10 1 vlan"


# --- Prometheus ---------------------------------------------------------------------------------------------


def test_devices_polled_by_snmp_are_targets_with_labels_as_snmp_exporter_wants_them(engine: Engine) -> None:
    with store.reading(engine) as session:
        found = {t["labels"]["device"]: t for t in targets(session)}
    assert sorted(found) == ["-aneh [1-9]", "rtr-1", "sw-1"]  # not the planned and not the retired one
    assert found["rtr-1"]["targets"] == ["10.1.0.1"]
    labels = found["rtr-1"]["labels"]
    assert labels["__param_auth"] == "noc"
    assert (labels["role"], labels["agency"], labels["kecamatan"], labels["site"]) == (
        "router",
        "dinas-kominfo",
        "Mauk",
        "Kantor Mauk",
    )
    assert found["sw-1"]["targets"] == ["[2001:db8::5]:1161"]
    assert "agency" not in found["-aneh [1-9]"]["labels"]
    assert json.loads("".join(lines(list(found.values())))) == list(found.values())
    assert json.loads("".join(lines([]))) == []


def test_a_selector_narrows_and_cannot_widen_the_targets(engine: Engine) -> None:
    with store.reading(engine) as session:
        assert [t["labels"]["device"] for t in targets(session, "rtr-1 or lama")] == ["rtr-1"]


def test_the_module_and_the_login_come_from_variables_or_the_default() -> None:
    row = {
        "id": 1,
        "name": "r",
        "role": "",
        "address": "10.0.0.1",
        "snmp_port": 161,
        "credential": "noc",
        "tags": "",
    }
    around = Surroundings({}, {}, {}, {1: {"snmp_module": "mikrotik,if_mib", "snmp_auth": "public_v2"}})
    labels = target(row, around)["labels"]
    assert labels == {"__param_module": "mikrotik,if_mib", "__param_auth": "public_v2", "device": "r"}
    evil = target({**row, "vars": {"snmp_module": "x&target=evil"}}, Surroundings({}, {}, {}), "if_mib")
    assert evil["labels"]["__param_module"] == "if_mib"


def test_an_address_has_a_port_only_when_it_is_not_the_usual_one() -> None:
    assert [where("10.0.0.1", 161), where("10.0.0.1", 1161), where("2001:db8::1", 161)] == [
        "10.0.0.1",
        "10.0.0.1:1161",
        "2001:db8::1",
    ]


# --- the commands -------------------------------------------------------------------------------------------


def test_one_noun_goes_to_standard_output(siaga: Any, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert list(siaga("export", "csv", "--noun", "vlan").messages) == []
    assert capfdbinary.readouterr().out.decode().splitlines()[0].startswith("name,vid,vlan_group,status")


def test_the_other_formats_go_to_files_with_their_hash(siaga: Any, tmp_path: Path) -> None:
    for kind, name in (
        ("xlsx", "a.xlsx"),
        ("yaml", "a.yaml"),
        ("csv", "a.zip"),
        ("ansible", "a.json"),
        ("prometheus-sd", "sd.json"),
    ):
        said = siaga("export", kind, "--out", tmp_path / name).messages[-1]
        proof = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert proof in said
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert siaga("export", "csv", "-O", tmp_path / "dir").messages[-1].startswith("Wrote ")
    assert (tmp_path / "dir").stat().st_mode & 0o777 == 0o700
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "a.json",
        "a.xlsx",
        "a.yaml",
        "a.zip",
        "dir",
        "sd.json",
    ]


def test_several_nouns_need_a_place_to_go(siaga: Any) -> None:
    with pytest.raises(UsageError, match="needs-out"):
        siaga("export", "csv")
    with pytest.raises(UsageError, match="one-noun"):
        siaga("export", "yaml", "role=router")


def test_one_host_is_found_by_its_name_or_its_number(siaga: Any, capfd: pytest.CaptureFixture[str]) -> None:
    siaga("export", "ansible", "--host", "rtr-1")
    assert json.loads(capfd.readouterr().out)["siaga_name"] == "rtr-1"
    siaga("export", "ansible", "--list", "name~^-aneh")
    [alias] = json.loads(capfd.readouterr().out)["_meta"]["hostvars"]
    siaga("export", "ansible", "--host", alias)
    assert json.loads(capfd.readouterr().out)["siaga_name"] == "-aneh [1-9]"
    with pytest.raises(NotFoundError, match="no-such-device"):
        siaga("export", "ansible", "--host", "nobody")


def test_retired_devices_are_in_an_ansible_inventory_only_when_selected(
    siaga: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    siaga("export", "ansible")
    assert "lama" not in json.loads(capfd.readouterr().out)["_meta"]["hostvars"]
    siaga("export", "ansible", "lama")
    assert "lama" in json.loads(capfd.readouterr().out)["_meta"]["hostvars"]


def test_one_configuration_goes_to_standard_output_several_to_a_directory(
    siaga: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ios.cfg.j2").write_text(CONFIG)
    said = siaga("render", tmp_path / "ios.cfg.j2", "rtr-1").messages
    text = capfd.readouterr().out
    assert text.startswith("hostname rtr-1\n")
    assert said == [f"SHA-256 {hashlib.sha256(text.encode()).hexdigest()}"]
    with pytest.raises(UsageError, match="needs-out"):
        siaga("render", tmp_path / "ios.cfg.j2", "rtr-1", "sw-1")
    found = siaga(
        "render", tmp_path / "ios.cfg.j2", "rtr-1", "role=switch", "rtr-1", "-O", tmp_path / "out"
    ).rows
    assert [r["file"] for r in found] == ["rtr-1.cfg", "sw-1.cfg"]
    for row in found:
        octets = (tmp_path / "out" / row["file"]).read_bytes()
        assert (len(octets), hashlib.sha256(octets).hexdigest()) == (row["octets"], row["sha256"])


def test_one_device_that_cannot_be_rendered_leaves_no_directory(siaga: Any, tmp_path: Path) -> None:
    (tmp_path / "x.j2").write_text("{{ place.name }}")  # srv-1 is in no place
    with pytest.raises(InvalidError, match="for srv-1"):
        siaga("render", tmp_path / "x.j2", "rtr-1", "srv-1", "-O", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_template_of_rows_is_written_whole(
    siaga: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hosts.j2").write_text("{% for r in rows %}{{ r.address }} {{ r.name }}\n{% endfor %}")
    siaga("export", "template", tmp_path / "hosts.j2", "role=router")
    assert capfd.readouterr().out == "10.1.0.1 rtr-1\n"
    siaga("export", "template", tmp_path / "hosts.j2", "--noun", "device", "-O", tmp_path / "hosts")
    assert len((tmp_path / "hosts").read_text().splitlines()) == 5
    with pytest.raises(SiagaError, match="nothing-selected"):
        siaga("render", tmp_path / "hosts.j2", "name~^nobody")
