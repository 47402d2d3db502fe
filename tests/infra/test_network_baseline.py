"""The network baseline from plan to read-back, over real SSH, on the platforms' simulated command lines."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select

from infra import approvals
from infra.around import NOTHING, Given, around
from infra.desk import Desk, Report, Told
from infra.events import TaskEvent
from infra.giving_back import given_back
from infra.plans import apply_plan, make_plan, ready
from inventory.credentials import store_secret
from inventory.models import Credential, Device, Place
from inventory.store import make_engine, session
from siaga.secrets import open_vault
from siaga.settings import Settings, Ssh
from tests.cli_runner import runner
from tests.homes import prepare
from tests.simulators.cli import device as simulated
from tests.simulators.cli.server import running

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
AUTH, PRIV, PASSWORD = "canary-auth-4Hd8", "canary-priv-6Mb1", "canary-pw-2Qz5"
GIVEN = [
    "ntp_servers=192.0.2.1",
    "syslog_servers=192.0.2.5",
    "management=127.0.0.0/8",
    "snmp_communities=remove",
    "snmp_contact=noc@contoso.invalid",
]
CONFIGS = {
    "ios": """hostname sw-ios
archive
 path flash:siaga
!
ip http server
ntp server 192.0.2.9
snmp-server community public RO
!
interface GigabitEthernet0/1
 description Kantor Mauk
!
line vty 0 4
 login local
 transport input telnet ssh
""",
    "vrp": """sysname sw-vrp
#
http server enable
telnet server enable
#
ntp-service unicast-server 192.0.2.9
snmp-agent community read cipher %^%#x%^%#
#
interface GigabitEthernet0/0/1
 description Kantor Kronjo
#
user-interface vty 0 4
 authentication-mode aaa
 protocol inbound all
""",
    "yunshan": """sysname sw-yunshan
#
telnet server enable
#
ntp unicast-server 192.0.2.9
#
interface 10GE1/0/1
 description Kantor Kemiri
#
user-interface vty 0 4
 authentication-mode aaa
 protocol inbound all
""",
    "ruijie": """hostname sw-ruijie
enable service telnet-server
enable service web-server
snmp-server community public ro
interface GigabitEthernet 0/1
 description Kantor Mekar Baru
line vty 0 4
 login local
""",
    "routeros": """/interface ethernet
set [ find default-name=ether1 ] comment="Kantor Kresek"
/snmp community
set [ find default=yes ] addresses=0.0.0.0/0
/snmp
set enabled=no
/interface vlan
add interface=ether1 name=manajemen vlan-id=10
/interface wireguard
add listen-port=13231 name=wg-lama
/interface wireguard peers
add allowed-address=10.1.0.0/30 interface=wg-lama public-key="x="
/ip address
add address=10.20.1.1/24 interface=manajemen
/queue simple
add name=lama target=manajemen
/ip service
set telnet disabled=no
set ftp
set www
set api
set api-ssl
set ssh
set winbox
/ip ssh
set strong-crypto=no
/tool bandwidth-server
set enabled=yes
/tool mac-server
set allowed-interface-list=all
/system identity
set name=rtr-routeros
/system note
set note=""
/system ntp client
set enabled=no
/system ntp client servers
add address=192.0.2.9
/system logging action
add name=arsip target=disk
/system logging
add action=arsip topics=script
""",
}
TIMERS = ("ios", "routeros", "yunshan")


class Network:
    """The simulated devices, and a home whose inventory knows them."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.devices = {
            make: simulated.Device(make, text, password=PASSWORD) for make, text in CONFIGS.items()
        }
        self.engine: Engine
        self.seen: list[Told] = []
        self.around = NOTHING

    @property
    def desk(self) -> Desk:
        """What plan and apply work with."""
        vault = open_vault(self.settings.home)
        return Desk(self.engine, vault, self.settings, "tester", lambda: NOW, around=self.around)

    def plan(self, *given: str, selector: str = "role=switch") -> Report:
        """Plan the network baseline."""
        return make_plan(self.desk, "network-baseline", selector, [*GIVEN, *given], self.seen.append)

    def apply(self, plan: Report) -> Report:
        """Have a second person approve a plan, and apply it."""
        approvals.say(replace(self.desk, who="second"), plan.plan, "approved")
        return apply_plan(self.desk, plan.plan, self.seen.append)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """Serve the devices and know them."""
    net = Network(tmp_path / "home")
    prepare(net.settings)
    net.engine = make_engine(net.settings.database)
    with running(list(net.devices.values()), address="127.86.1.1") as ports:
        with session(net.engine) as opened:
            vault = open_vault(net.settings.home)
            login = Credential(name="noc", kind="ssh-password", username="noc")
            snmp = Credential(
                name="v3", kind="snmp-v3", username="siaga", auth_protocol="SHA", priv_protocol="AES"
            )
            place = Place(name="Kantor Mauk", kind="site")
            opened.add_all([login, snmp, place])
            opened.flush()
            store_secret(opened, vault, login.id or 0, "password", SecretStr(PASSWORD))
            store_secret(opened, vault, snmp.id or 0, "auth", SecretStr(AUTH))
            store_secret(opened, vault, snmp.id or 0, "priv", SecretStr(PRIV))
            for make, port in zip(net.devices, ports, strict=True):
                opened.add(
                    Device(
                        name=f"sw-{make}",
                        role="switch",
                        platform=make,
                        address="127.86.1.1",
                        ssh_port=port,
                        place_id=place.id,
                        credential_id=snmp.id,
                        ssh_credential_id=login.id,
                    )
                )
        yield net
    net.engine.dispose()


def test_the_baseline_is_planned_typed_read_back_and_then_nothing_is_left(network: Network) -> None:
    before = {make: device.running() for make, device in network.devices.items()}
    plan = network.plan()
    assert {h.host: (h.status, h.unchecked) for h in plan.hosts} == {
        f"sw-{make}": ("changed", 0) for make in CONFIGS
    }, [t.message for t in plan.tasks if t.message]
    assert {m: strip(d.running()) for m, d in network.devices.items()} == {
        m: strip(lines) for m, lines in before.items()
    }

    done = network.apply(plan)
    assert [h.status for h in done.hosts] == ["changed"] * len(CONFIGS), [h.reason for h in done.hosts]
    diffs = {t.host: t.diff for t in plan.tasks if t.diff}
    assert {t.host: t.diff for t in done.tasks if t.diff} == diffs, "what was shown is what was done"
    itself, siaga = (
        "@@ way back: by the device itself, after 120 s",
        "@@ way back: by siaga over its first login",
    )
    assert {m: diffs[f"sw-{m}"].startswith(itself) for m in CONFIGS} == {m: m in TIMERS for m in CONFIGS}
    assert all(diffs[f"sw-{m}"].startswith(siaga) for m in CONFIGS if m not in TIMERS)
    assert "@@ line vty 0 4\n- transport input telnet ssh\n@@ global\n+ service" in diffs["sw-ios"]
    has = {make: {line.strip() for line in device.running()} for make, device in network.devices.items()}
    assert has["ios"] >= {"ntp server 192.0.2.1", "permit 127.0.0.0 0.255.255.255", "login local"}
    assert not has["ios"] & {"ip http server", "ntp server 192.0.2.9", "snmp-server community public RO"}
    assert has["vrp"] >= {"info-center loghost 192.0.2.5", "acl 2998 inbound", "protocol inbound ssh"}
    assert any(x.startswith("snmp-agent usm-user v3 siaga privacy-mode aes128 cipher") for x in has["vrp"])
    assert not has["vrp"] & {"telnet server enable", "http server enable"}
    assert any(x.startswith("snmp-server user siaga siaga v3 encrypted auth sha") for x in has["ruijie"])
    assert has["yunshan"] >= {"ntp unicast-server 192.0.2.1", "protocol inbound ssh"}
    assert "telnet server enable" not in has["yunshan"]
    assert "enable service telnet-server" not in has["ruijie"]
    assert {"add address=192.0.2.1", "set telnet disabled=yes", "set strong-crypto=yes"} <= has["routeros"]
    assert "add address=192.0.2.9" not in has["routeros"]
    for make, device in network.devices.items():
        assert device.saved == device.config.lines() or make == "routeros", "kept over a restart"
    typed = "\n".join(line for device in network.devices.values() for line in device.heard)
    assert typed.count(AUTH) == 3, "typed once to each that takes it in a line; VRP and YunShan ask for it"
    assert "siaga-back" not in "\n".join(network.devices["routeros"].running()), "no way back is left there"
    assert [device.clock.pending for device in network.devices.values()] == [None] * len(CONFIGS)

    again = network.plan()
    assert [(h.status, h.changed) for h in again.hosts] == [("ok", 0)] * len(CONFIGS), [
        t.diff for t in again.tasks
    ]
    assert_no_secret_is_kept(network)


def test_an_earlier_configuration_is_given_back_by_plan_and_apply(network: Network) -> None:
    import cli  # the roof: it says who keeps configurations

    cli.build()
    network.around = replace(around(network.engine, network.settings), look=None, windows=None)
    keeper = network.around
    assert keeper.backup is not None
    before = {make: strip(device.running()) for make, device in network.devices.items()}
    names = [f"sw-{make}" for make in network.devices]
    assert {n: k.failure for n, k in keeper.backup(names, "").items()} == dict.fromkeys(names, "")
    # Not syslog: RouterOS has four rules of its own there, which this simulator has not.
    given = [g for g in GIVEN if not g.startswith("syslog")]
    network.apply(make_plan(network.desk, "network-baseline", "role=switch", given, network.seen.append))
    assert before != {make: strip(device.running()) for make, device in network.devices.items()}

    plan = make_plan(network.desk, "restore-configuration", "role=switch", [], network.seen.append)
    assert [h.status for h in plan.hosts] == ["changed"] * len(CONFIGS), [h.reason for h in plan.hosts]
    shown = {t.host: t.diff for t in plan.tasks if t.diff}
    assert "+ntp server 192.0.2.9" in shown["sw-ios"]
    assert "-ntp server 192.0.2.1" in shown["sw-ios"]
    done = network.apply(plan)
    assert [h.status for h in done.hosts] == ["changed"] * len(CONFIGS), [h.reason for h in done.hosts]
    for make, device in network.devices.items():
        # RouterOS says of a key what it is by default, if it was ever another.
        now, then = (sorted(_without_defaults(strip(x))) for x in (device.running(), before[make]))
        assert now == then, make
        assert device.saved == device.config.lines() or make == "routeros"
    assert_no_secret_is_kept(network)


def test_what_a_bad_batch_left_is_taken_back_over_a_login_of_its_own(
    network: Network, tmp_path: Path
) -> None:
    network.plan(selector="sw-ios")  # its host key is known from here on
    (host,) = ready(network.desk, "network-baseline", "sw-ios", GIVEN)[0].hosts
    known = network.settings.home / "known_hosts"
    assert given_back(host, Given(("ntp server 192.0.2.7",)), known) == ""
    device = network.devices["ios"]
    assert "ntp server 192.0.2.7" in device.running()
    assert device.saved == device.config.lines()
    stranger = tmp_path / "nobody"
    stranger.touch()
    assert "is not known and new keys are not accepted" in given_back(
        host, Given(("ntp server 192.0.2.8",)), stranger
    )
    assert "ntp server 192.0.2.8" not in device.running()


def _without_defaults(lines: list[str]) -> list[str]:
    menus = "\n".join(re.sub(r' (disabled=no|[a-z-]+="")', "", line) for line in lines)
    return re.sub(r"(?m)^(/.*\n)?set$", "", menus).split()


def strip(lines: list[str]) -> list[str]:
    """Return a configuration without the lines that hold the time."""
    return [line for line in lines if not line.startswith(("!", "#"))]


def assert_no_secret_is_kept(network: Network) -> None:
    """Look for the secrets in all that siaga keeps and tells."""
    files = [p.read_bytes() for p in network.settings.home.rglob("*") if p.is_file()]
    told = "\n".join(f"{e.diff}{e.message}" for e in network.seen if isinstance(e, TaskEvent)).encode()
    for secret in (AUTH, PRIV, PASSWORD):
        assert not any(secret.encode() in content for content in [*files, told])


def test_a_device_that_refuses_a_line_is_as_it_was_and_the_others_go_on(network: Network) -> None:
    plan = network.plan()
    before = strip(network.devices["vrp"].running())
    network.devices["vrp"].faults = simulated.Faults(
        refuses=('header login information "Hanya untuk yang berwenang. Setiap akses dicatat."',)
    )
    done = network.apply(plan)
    found = {h.host: h for h in done.hosts}
    assert found["sw-vrp"].status == "failed"
    assert "all of it was taken back" in found["sw-vrp"].reason, found["sw-vrp"].reason
    assert sorted(strip(network.devices["vrp"].running())) == sorted(before)
    assert [h.status for h in done.hosts if h.host != "sw-vrp"] == ["changed"] * (len(CONFIGS) - 1)


def test_a_change_that_cuts_the_line_goes_back_by_itself_and_the_job_says_so(network: Network) -> None:
    device = network.devices["ios"]
    before, saved = strip(device.running()), device.saved
    plan = network.plan(selector="sw-ios")
    device.faults = simulated.Faults(cut_by="access-class siaga-management in", knock_s=130)
    network.settings = network.settings.model_copy(update={"ssh": Ssh(timeout_s=2)})
    done = network.apply(plan)
    (host,) = done.hosts
    assert host.status == "failed"
    assert "the device took it back by itself, 120 s after it began" in host.reason
    assert sorted(strip(device.running())) == sorted(before)
    assert device.saved == saved


OFFICE = """\
agency:
  - {name: upt-pajak, kind: other, place: Kantor Mauk}
provider:
  - {name: Penyedia A}
contract:
  - {name: SPK-7, provider: Penyedia A, kind: circuit, committed_down_bps: 20000000, committed_up_bps: 10000000}
interface:
  - {device: sw-routeros, name: ether1}
vlan:
  - {name: pajak, vid: 64}
prefix:
  - {name: 10.20.8.0/24}
address:
  - {name: 10.20.8.1, interface: "sw-routeros:ether1"}
link:
  - {name: pajak, kind: fibre, a_interface: "sw-routeros:ether1", contract: SPK-7}
connection:
  - {name: upt-pajak, agency: upt-pajak, place: Kantor Mauk, device: sw-routeros, link: pajak, contract: SPK-7,
     vlan: pajak, prefix: 10.20.8.0/24}
"""


def test_an_agency_is_connected_at_a_router_of_mikrotiks(
    network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kantor.yaml").write_text(OFFICE)
    runner(capsys)("import", str(tmp_path / "kantor.yaml")).well()
    peer = "q" * 43 + "="
    given = ["connection=upt-pajak", f"wireguard_peer={peer}", "wireguard_address=10.99.7.1/30"]

    def plan() -> Report:
        return make_plan(network.desk, "agency-connection", "sw-routeros", given, network.seen.append)

    done = network.apply(plan())
    assert [h.status for h in done.hosts] == ["changed"], done.hosts
    lines = network.devices["routeros"].running()
    has = " ".join(line.strip(" \\") for line in lines)
    for wanted in (
        "add interface=ether1 name=siaga-upt-pajak vlan-id=64",
        "add address=10.20.8.1/24 interface=siaga-upt-pajak comment=upt-pajak",
        "add name=siaga-upt-pajak max-limit=10000000/20000000 target=siaga-upt-pajak",
        f'add allowed-address=10.99.7.0/30 interface=wg-upt-pajak public-key="{peer}"',
    ):
        assert wanted in has, has
    again = plan()
    assert [(h.status, h.changed) for h in again.hosts] == [("ok", 0)], [t.diff for t in again.tasks]


def test_a_wrong_password_and_a_changed_key_leave_the_device_alone(network: Network) -> None:
    device = network.devices["ios"]
    device.password = "another"
    plan = network.plan(selector="sw-ios")
    assert plan.hosts[0].status == "unreachable"
    assert "refused the login of 'noc'" in plan.hosts[0].reason
    device.password = PASSWORD
    known = network.settings.home / "known_hosts"
    with session(network.engine) as opened:
        port = opened.exec(select(Device).where(Device.name == "sw-ios")).one().ssh_port
    host, kind, _ = known.read_text().split()[:3]
    assert host == f"[127.86.1.1]:{port}"
    other = "AAAAC3NzaC1lZDI1NTE5AAAAIGGMLzSjL1Wo1A6xqmCqv5Dk1lCzC2tDpPqF2Yg0s1Xk"
    known.write_text(f"{host} {kind} {other}\n")
    plan = network.plan(selector="sw-ios")
    assert (plan.hosts[0].status, "siaga trust sw-ios" in plan.hosts[0].reason) == ("unreachable", True)
    assert "configure terminal" not in device.heard
