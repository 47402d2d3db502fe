"""Each play on a real host of the lab: planned, applied, planned again without a change, and then seen to work."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import lab as build
from tests.real.conftest import Lab
from tests.real.machine import KEY, until
from tests.real.nodes import NODES
from tests.real.plays import Works

pytestmark = pytest.mark.real

SRV3 = NODES["srv3"].address
NOC = NODES["noc"].address
DOMAIN = "e-planning.contoh.invalid"
QUIET = ["-q", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
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
def works(lab: Lab, home: Path) -> Works:
    """A home whose inventory knows the server and the router that the plays work on."""
    return Works(lab, home).begin()


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


def reaches(lab: Lab, port: int) -> bool:
    """Whether noc gets a TCP connection to the server."""
    return lab.run("noc", "bash", "-c", f"exec 3<>/dev/tcp/{SRV3}/{port}").returncode == 0


def test_the_baseline_lets_in_who_is_named_and_sends_logs_away(
    works: Works, receiver: Path, tmp_path: Path
) -> None:
    lab = works.lab
    key = tmp_path / "id_citra"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "citra", "-f", str(key)], check=True)
    lab.read("srv3", "systemd-run", "--quiet", "python3", "-m", "http.server", "8080", "--bind", "0.0.0.0")
    until("port 8080 answers", lambda: reaches(lab, 8080))
    plan = works.make_so(
        "baseline",
        "srv3",
        f"ntp_servers={NODES['rtr1'].address}",
        f"admins=citra {key.with_suffix('.pub').read_text().strip()}",
        "firewall=on",
        "firewall_open=tcp/443,tcp/80",
        f"management={NOC}/32",
        f"log_servers={NOC}:5514",
        "confirm_s=20",
    )
    assert plan.report["partly_checked"] is False
    assert "+table inet siaga" in plan.diff
    assert lab.read("noc", "ssh", *QUIET, "-i", str(key), f"citra@{SRV3}", "sudo", "-n", "id", "-un") == "root\n"
    assert not reaches(lab, 8080)
    assert lab.run("rtr1", "bash", "-c", f"exec 3<>/dev/tcp/{SRV3}/22").returncode != 0, "not management"
    lab.read("srv3", "logger", "-t", "uji", "banjir di Kresek")
    until("the log server has the line", lambda: "banjir di Kresek" in receiver.read_text(), wait_s=20)
    assert '"1"' in lab.read("srv3", "apt-config", "dump", "APT::Periodic::Unattended-Upgrade")
    assert lab.read("srv3", "systemctl", "is-enabled", "nftables", "rsyslog", "chrony").split() == ["enabled"] * 3
    assert not lab.read("srv3", "sh", "-c", "ls /run/siaga"), "the way back was called off"


def test_a_firewall_that_locks_us_out_is_taken_back_by_the_host_itself(works: Works) -> None:
    before = works.lab.read("srv3", "nft", "list", "table", "inet", "siaga")
    plan = works.plan("baseline", "srv3", "firewall=on", "management=192.0.2.0/24", "confirm_s=6")
    done = works.apply(plan)
    assert (done.code, done.host["status"]) == (1, "failed"), done.report
    assert "took it back by itself after 6 s" in done.host["reason"]
    after = works.lab.read("srv3", "nft", "list", "table", "inet", "siaga")
    assert counted_off(after) == counted_off(before)
    assert "192.0.2.0/24" not in works.lab.read("srv3", "cat", "/etc/nftables.conf")


def counted_off(rules: str) -> list[str]:
    """Return rules without their counters."""
    return [line.split("counter")[0] for line in rules.splitlines()]


def test_an_application_is_served_by_name_with_a_database_that_is_dumped(works: Works) -> None:
    lab = works.lab
    works.make_so("app-server", "srv3", "app_name=eplanning", f"app_domain={DOMAIN}", "app_upstream=127.0.0.1:8080")
    curl = [sys.executable, "-c", FETCH, SRV3, DOMAIN]
    assert "Directory listing" in lab.read("noc", *curl)
    mine = ("runuser", "-u", "eplanning", "--", "psql", "-tAqc")
    lab.read("srv3", *mine, "create table usulan (judul text); insert into usulan values ('jembatan')")
    lab.read("srv3", "systemctl", "start", "siaga-pg-backup.service")
    dump = "/var/backups/postgresql/eplanning-latest.dump"
    assert "jembatan" in lab.read("srv3", "pg_restore", "--data-only", "-f", "-", dump)
    assert lab.run("srv3", "runuser", "-u", "nobody", "--", "psql", "eplanning", "-c", "select 1").returncode != 0
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


def test_the_server_room_knows_when_the_power_fails(works: Works) -> None:
    lab = works.lab
    lab.read("srv3", "sh", "-c", "printf 'ups.status: OL\\nbattery.charge: 97\\n' > /etc/nut/lab.dev")
    works.make_so("server-room", "srv3", "ups_driver=dummy-ups", "ups_port=lab.dev", "ups_shutdown=no")
    asked = ("upsc", "ups@localhost", "ups.status")
    until("upsd has the UPS", lambda: lab.run("srv3", *asked).stdout.strip() == "OL", wait_s=20)
    assert "battery.charge 97" in lab.read("srv3", "/usr/local/lib/siaga-sensors")
    lab.read("srv3", "sh", "-c", "printf 'ups.status: OB\\nbattery.charge: 61\\n' > /etc/nut/lab.dev")
    said = ("journalctl", "-b", "-t", "upsmon", "-o", "cat")
    until("the watcher says so", lambda: "on battery" in lab.read("srv3", *said), wait_s=40)
    mode = lab.read("srv3", "stat", "-c", "%a %U:%G", "/etc/nut/upsd.users", "/etc/nut/upsmon.conf")
    assert mode == "640 root:nut\n640 root:nut\n"


def test_the_screen_of_the_command_centre_is_described_as_systemd_takes_it(works: Works) -> None:
    lab = works.lab
    works.say("device", "set", "srv3", "var.siaga_manage_packages=false")
    works.make_so(
        "command-center", "srv3", "wallboard_url=https://siaga.contoh.invalid/wallboard", "wallboard_sleep=20:00-06:00"
    )
    works.say("device", "set", "srv3", "var.siaga_manage_packages=true")
    assert lab.read("srv3", "systemctl", "is-enabled", "siaga-wallboard") == "enabled\n"
    units = [f"siaga-wallboard{x}" for x in (".service", "-dark.timer", "-light.timer")]
    complaints = lab.run("srv3", "systemd-analyze", "verify", *units).stderr
    assert [x for x in complaints.splitlines() if "siaga" in x and "not executable" not in x] == []
    assert "wallboard" in lab.read("srv3", "getent", "passwd", "wallboard")


def test_the_hardening_report_is_kept_and_says_what_changed(works: Works) -> None:
    lab = works.lab
    plan = works.make_so("harden", "srv3")
    assert "+pass  what is not let in is kept out (nftables)" in plan.diff
    lab.read("srv3", "sh", "-c", "chmod o+w /etc/crontab; touch /usr/local/bin/x; chmod 777 /usr/local/bin/x")
    worse = works.plan("harden", "srv3")
    assert "-pass  nobody else may write programs that root runs (none)" in worse.diff
    assert "+FAIL  nobody else may write programs that root runs (/usr/local/bin/x)" in worse.diff
    observed = json.loads(works.say("device", "show", "srv3", "-o", "json"))["observed"]
    told = {field: o["value"] for field, o in observed.items() if o["source"] == "ansible"}
    assert told["hardening"].split(" of ")[0].isdigit()
    assert {"os", "kernel", "processor", "memory_mb", "interfaces"} <= set(told)
    mac = json.loads(lab.read("srv3", "ip", "-json", "link", "show", "eth0"))[0]["address"]
    assert f"eth0 {mac} {SRV3}/24 up" in told["interfaces"]
    assert observed["hardening"]["cause"].startswith("job ")


def test_no_key_of_siagas_is_on_the_hosts(works: Works) -> None:
    secret = KEY.read_text().splitlines()[2]
    assert works.lab.run("srv3", "grep", "-rlF", secret, "/etc", "/home", "/root", "/var/lib", "/tmp").stdout == ""
