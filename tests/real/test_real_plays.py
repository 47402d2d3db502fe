"""Each play on a real host of the lab: planned, applied, planned again without a change, and then seen to work."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import lab as build
from tests.real.conftest import Lab
from tests.real.machine import KEY, RUN, until
from tests.real.nodes import NODES
from tests.real.plays import Played, Works

pytestmark = pytest.mark.real

SRV3 = NODES["srv3"].address
NOC = NODES["noc"].address
REPORT = "/var/lib/siaga/hardening.txt"
DOMAIN = "e-planning.contoh.invalid"
QUIET = ["-q", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
GIVEN = (
    f"ntp_servers={NODES['rtr1'].address}",
    *("firewall=on", "firewall_open=tcp/443,tcp/80", f"management={NOC}/32", "confirm_s=30"),
    f"log_servers={NOC}:5514",
    *("app_name=eplanning", f"app_domain={DOMAIN}", "app_upstream=127.0.0.1:8080"),
    *("ups_driver=dummy-ups", "ups_port=lab.dev", "ups_shutdown=no"),
    "wallboard_url=http://127.0.0.1:8080/wallboard",
)
RECEIVER = """
import socket, sys
with socket.create_server(("0.0.0.0", 5514)) as server:
    print("listening", flush=True)
    while True:
        line, _ = server.accept()
        while text := line.recv(65536):
            print(text.decode(errors="replace"), flush=True)
"""


@pytest.fixture(scope="module")
def citra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key of an administrator."""
    key = tmp_path_factory.mktemp("citra") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "citra", "-f", str(key)], check=True)
    return key


@pytest.fixture(scope="module")
def site(lab: Lab, home: Path, citra: Path) -> tuple[Works, Played]:
    """All plays for a server on srv3: planned, applied, planned again with nothing left to do; and the plan."""
    works = Works(lab, home).begin()
    works.site()
    lab.read("srv3", "sh", "-c", "mkdir /srv/www && echo '<h1>Siaga</h1>' > /srv/www/wallboard")
    web = ("systemd-run", "--quiet", "--unit=www", "--working-directory=/srv/www")
    lab.read("srv3", *web, "python3", "-m", "http.server", "8080", "--bind", "0.0.0.0")
    lab.read("srv3", "sh", "-c", "printf 'ups.status: OL\\nbattery.charge: 97\\n' > /etc/nut/lab.dev")
    admin = f"admins=citra {citra.with_suffix('.pub').read_text().strip()}"
    plan = works.make_so("site", "srv3", admin, *GIVEN, f"wallboard_sleep={hours(lab, 6, 8)}")
    return works, plan


@pytest.fixture
def receiver(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """A log server in noc; its file holds what came."""
    heard = tmp_path / "heard"
    with heard.open("w") as file:
        process = subprocess.Popen(build.inside("noc", sys.executable, "-c", RECEIVER), stdout=file)
        try:
            until("the log server listens", lambda: "listening" in heard.read_text())
            yield heard
        finally:
            process.kill()
            process.wait()


def hours(lab: Lab, begin: int, end: int) -> str:
    """Return the hours from `begin` to `end` hours from now by the host's clock, as HH:MM-HH:MM."""
    return "-".join(lab.read("srv3", "date", "-d", f"{h:+} hours", "+%H:%M").strip() for h in (begin, end))


def reaches(lab: Lab, port: int) -> bool:
    """Whether noc gets a TCP connection to the server."""
    return lab.run("noc", "bash", "-c", f"exec 3<>/dev/tcp/{SRV3}/{port}").returncode == 0


def test_administrators_come_in_with_their_key_and_others_not_at_all(
    site: tuple[Works, Played], citra: Path
) -> None:
    works, plan = site
    lab = works.lab
    assert "+table inet siaga" in plan.diff
    assert (
        lab.read("noc", "ssh", *QUIET, "-i", str(citra), f"citra@{SRV3}", "sudo", "-n", "id", "-un")
        == "root\n"
    )
    assert lab.run("srv3", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080").returncode == 0
    assert (reaches(lab, 443), reaches(lab, 8080)) == (True, False)
    assert lab.run("rtr1", "bash", "-c", f"exec 3<>/dev/tcp/{SRV3}/22").returncode != 0, "not management"
    assert not lab.read("srv3", "sh", "-c", "ls /run/siaga"), "the way back was called off"


def test_logs_go_away_and_security_is_mended(site: tuple[Works, Played], receiver: Path) -> None:
    works, _ = site
    works.lab.read("srv3", "logger", "-t", "uji", "banjir di Kresek")
    until("the log server has the line", lambda: "banjir di Kresek" in receiver.read_text(), wait_s=30)
    assert '"1"' in works.lab.read("srv3", "apt-config", "dump", "APT::Periodic::Unattended-Upgrade")
    enabled = works.lab.read("srv3", "systemctl", "is-enabled", "nftables", "rsyslog", "chrony", "nginx")
    assert enabled.split() == ["enabled"] * 4


def test_an_application_is_served_by_name_with_a_database_that_is_dumped(site: tuple[Works, Played]) -> None:
    lab = site[0].lab
    curl = [sys.executable, "-c", FETCH, SRV3, DOMAIN]
    assert re.match("TLSv1.[23] HTTP/1.1 200 OK", lab.read("noc", *curl))
    mine = ("runuser", "-u", "eplanning", "--", "psql", "-tAqc")
    lab.read("srv3", *mine, "create table usulan (judul text); insert into usulan values ('jembatan')")
    lab.read("srv3", "systemctl", "start", "siaga-pg-backup.service")
    dump = "/var/backups/postgresql/eplanning-latest.dump"
    assert "jembatan" in lab.read("srv3", "pg_restore", "--data-only", "-f", "-", dump)
    assert (
        lab.run("srv3", "runuser", "-u", "nobody", "--", "psql", "eplanning", "-c", "select 1").returncode
        != 0
    )
    assert lab.read("srv3", "systemctl", "is-active", "siaga-pg-backup.timer") == "active\n"


FETCH = """
import http.client, ssl, socket, sys
address, name = sys.argv[1:]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
line = context.wrap_socket(socket.create_connection((address, 443), 10), server_hostname=name)
line.sendall(f"GET / HTTP/1.0\\r\\nHost: {name}\\r\\n\\r\\n".encode())
text = b""
while part := line.recv(65536):
    text += part
print(line.version(), text.decode(errors="replace"))
"""


def test_the_server_room_knows_when_the_power_fails(site: tuple[Works, Played]) -> None:
    lab = site[0].lab
    asked = ("upsc", "ups@localhost", "ups.status")
    until("upsd has the UPS", lambda: lab.run("srv3", *asked).stdout.strip() == "OL", wait_s=30)
    assert "battery.charge 97" in lab.read("srv3", "/usr/local/lib/siaga-sensors")
    lab.read("srv3", "sh", "-c", "printf 'ups.status: OB\\nbattery.charge: 61\\n' > /etc/nut/lab.dev")
    said = ("journalctl", "-b", "-u", "nut-monitor", "-o", "cat")
    until("the watcher says so", lambda: "on battery" in lab.read("srv3", *said), wait_s=60)
    mode = lab.read("srv3", "stat", "-c", "%a %U:%G", "/etc/nut/upsd.users", "/etc/nut/upsmon.conf")
    assert mode == "640 root:nut\n640 root:nut\n"


def test_the_screen_of_the_command_centre_shows_the_wallboard(site: tuple[Works, Played]) -> None:
    """A compositor and a browser as Debian has them; the browser has asked for the page, and is the first one still."""
    lab = site[0].lab
    assert lab.read("srv3", "systemctl", "is-enabled", "siaga-wallboard") == "enabled\n"
    asked = ("journalctl", "--no-pager", "-u", "www", "-g", "GET /wallboard HTTP")
    until("the page is shown", lambda: lab.run("srv3", *asked).returncode == 0, wait_s=30)
    said = lab.read("srv3", "systemctl", "show", "-P", "NRestarts", "-P", "ActiveState", "siaga-wallboard")
    assert said == "0\nactive\n"
    assert lab.run("srv3", "pgrep", "-u", "wallboard", "-f", "chromium.*--kiosk").returncode == 0
    timers = ("siaga-wallboard-dark.timer", "siaga-wallboard-light.timer")
    assert lab.read("srv3", "systemctl", "is-active", *timers) == "active\nactive\n"


@pytest.mark.slow
def test_a_screen_that_sleeps_is_not_woken(site: tuple[Works, Played]) -> None:
    works, _ = site
    works.lab.read("srv3", "systemctl", "start", "siaga-wallboard-dark.service")
    works.make_so("command-center", "srv3", *GIVEN[-1:], f"wallboard_sleep={hours(works.lab, -1, 1)}")
    assert works.lab.run("srv3", "systemctl", "is-active", "siaga-wallboard").stdout == "inactive\n"


def test_the_hardening_report_is_kept_and_says_what_changed(site: tuple[Works, Played]) -> None:
    works, plan = site
    assert "+pass  every account is closed or has a password" in plan.diff
    assert "pass  what is not let in is kept out (nftables)" in works.lab.read("srv3", "cat", REPORT)
    works.lab.read("srv3", "sh", "-c", "touch /usr/local/bin/x; chmod 777 /usr/local/bin/x")
    worse = works.plan("harden", "srv3")
    assert "+FAIL  nobody else may write programs that root runs (/usr/local/bin/x)" in worse.diff


def test_facts_are_observed_with_the_job_as_their_cause(site: tuple[Works, Played]) -> None:
    works, _ = site
    observed = json.loads(works.say("device", "show", "srv3", "-o", "json"))["observed"]
    told = {field: o["value"] for field, o in observed.items() if o["source"] == "ansible"}
    assert {"os", "kernel", "processor", "memory_mb", "interfaces", "hardening"} <= set(told)
    mac = json.loads(works.lab.read("srv3", "ip", "-json", "link", "show", "eth0"))[0]["address"]
    assert f"eth0 {mac} {SRV3}/24 up" in told["interfaces"]
    assert observed["hardening"]["cause"] == "job 2"


@pytest.mark.usefixtures("site")
def test_no_key_of_siagas_is_on_the_host() -> None:
    secret = KEY.read_text().splitlines()[2].encode()
    written = [p for p in (RUN / "srv3/up").rglob("*") if p.is_file() and not p.is_symlink()]
    assert len(written) > 50
    assert [p for p in written if p.stat().st_size < 10_000_000 and secret in p.read_bytes()] == []
