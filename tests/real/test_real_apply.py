"""A bare server is provisioned over SSH by Ansible, and then its file system and daemons are asked.

One story in order: a plan changes nothing; an apply that is killed leaves no process and is marked; one host
that cannot be reached does not stop the other; what was planned is then true; a second time changes nothing;
and the server just provisioned is polled with the SNMPv3 user it was given.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.real.conftest import Lab
from tests.real.lab import netns
from tests.real.machine import KEY, sh, until
from tests.real.nodes import NODES, SNMP_USER

pytestmark = pytest.mark.real

TIME_SERVER = f"ntp_servers={NODES['rtr1'].address}"
HARDENED = "/etc/ssh/sshd_config.d/10-siaga.conf"


@pytest.fixture(scope="module")
def regency(lab: Lab, home: Path, secrets: dict[str, str]) -> Path:
    """A home whose inventory knows both servers, and how to log in and to poll."""
    v3 = [f"username={SNMP_USER}", "auth_protocol=SHA-256", "priv_protocol=AES"]
    passwords = ["--secret", f"auth=file:{secrets['auth']}", "--secret", f"priv=file:{secrets['priv']}"]
    done(lab, home, "init")
    done(lab, home, "credential", "add", "poller", "kind=snmp-v3", *v3, *passwords)
    done(lab, home, "credential", "add", "ops", "kind=ssh-key", "username=ops", "--secret", f"key=file:{KEY}")
    done(lab, home, "place", "add", "Tigaraksa", "kind=kecamatan")
    for name in ("srv1", "srv2"):
        values = [
            "role=server",
            "platform=linux",
            "place=Tigaraksa",
            "credential=poller",
            "ssh_credential=ops",
        ]
        done(lab, home, "device", "add", name, f"address={NODES[name].address}", *values)
    return home


def done(lab: Lab, home: Path, *words: str) -> str:
    """Return what siaga prints; it must succeed."""
    ended = lab.siaga(home, *words)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def planned(lab: Lab, home: Path, selector: str) -> dict[str, Any]:
    """Return the plan of the baseline as the object that `siaga plan -o json` prints."""
    words = ("plan", "baseline", selector, "--param", TIME_SERVER, "-o", "json")
    plan: dict[str, Any] = json.loads(done(lab, home, *words))
    return plan


def applied(lab: Lab, home: Path, plan: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Apply a plan; return the exit code and the object that is printed."""
    ended = lab.siaga(home, "apply", plan["name"], "--yes", "-o", "json")
    assert ended.stdout, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return ended.returncode, report


def status(report: dict[str, Any]) -> dict[str, str]:
    """Return what became of each host."""
    return {host["host"]: host["status"] for host in report["hosts"]}


def changed(report: dict[str, Any]) -> dict[str, int]:
    """Return how many tasks changed something, or would, on each host."""
    return {host["host"]: host["changed"] for host in report["hosts"]}


def has(lab: Lab, node: str, path: str, text: str = "Managed by siaga") -> bool:
    """Whether a file of a node holds a text."""
    return lab.run(node, "grep", "-q", "-s", text, path).returncode == 0


def test_a_plan_shows_the_differences_and_changes_nothing(lab: Lab, regency: Path) -> None:
    before = lab.read("srv2", "find", "/etc", "-newer", "/etc/machine-id", "-type", "f")
    plan = planned(lab, regency, "name=srv2")
    assert (plan["status"], status(plan)) == ("ok", {"srv2": "changed"})
    diffs = "".join(task["diff"] for task in plan["hosts"][0]["tasks"])
    assert f"+server {NODES['rtr1'].address} iburst" in diffs
    assert "+PasswordAuthentication no" in diffs
    assert lab.read("srv2", "find", "/etc", "-newer", "/etc/machine-id", "-type", "f") == before
    assert lab.run("srv2", "dpkg", "-s", "chrony").returncode != 0


def test_an_apply_that_is_killed_is_marked_and_leaves_no_process(lab: Lab, regency: Path) -> None:
    plan = planned(lab, regency, "name=srv2")
    private = set(Path("/dev/shm").glob("siaga-job-*"))
    apply = lab.popen(regency, "apply", plan["name"], "--yes")
    try:
        until("the apply has begun", lambda: has(lab, "srv2", "/etc/chrony/chrony.conf"), wait_s=180)
    finally:
        apply.kill()
        apply.communicate()
    until("its processes have ended", lambda: not sh("ip", "netns", "pids", netns("noc")), wait_s=120)
    until("its secrets are gone", lambda: not set(Path("/dev/shm").glob("siaga-job-*")) - private, wait_s=60)
    last = json.loads(done(lab, regency, "job", "list", "-o", "json"))[0]
    assert (last["mode"], last["plan"], last["status"]) == ("apply", plan["name"], "interrupted")
    assert json.loads(done(lab, regency, "runs", "-o", "json"))[0]["status"] == "interrupted"
    again = lab.siaga(regency, "apply", plan["name"], "--yes")
    assert (again.returncode, again.stderr[:16]) == (5, "siaga: plan-used")


def test_a_host_that_cannot_be_reached_does_not_stop_the_other(lab: Lab, regency: Path) -> None:
    plan = planned(lab, regency, "role=server")
    assert set(status(plan)) == {"srv1", "srv2"}
    lab.read("sw", "ip", "link", "set", "port2", "down")
    try:
        code, report = applied(lab, regency, plan)
    finally:
        lab.read("sw", "ip", "link", "set", "port2", "up")
    assert (code, report["status"]) == (7, "partial")
    assert status(report) == {"srv1": "unreachable", "srv2": "changed"}
    assert next(h for h in report["hosts"] if h["host"] == "srv1")["reason"]
    assert not has(lab, "srv1", HARDENED)


def test_the_clock_is_kept_by_the_server_that_was_named(lab: Lab, regency: Path) -> None:
    assert lab.read("srv2", "systemctl", "is-enabled", "chrony") == "enabled\n"
    assert has(lab, "srv2", "/etc/chrony/chrony.conf", f"^server {NODES['rtr1'].address} iburst$")
    chosen = f"^,*,{NODES['rtr1'].address},"
    until(
        "chrony has chosen it",
        lambda: chosen in lab.read("srv2", "chronyc", "-n", "-c", "sources"),
        wait_s=60,
    )


def test_the_agent_answers_its_user_and_no_community(
    lab: Lab, regency: Path, secrets: dict[str, str]
) -> None:
    user = ["--user", SNMP_USER, "--auth", "SHA-256", "--priv", "AES", "--priv-file", secrets["priv"]]
    address = ("--timeout", "1", "--retries", "1", NODES["srv2"].address)
    code, seen = lab.inspect(regency, "--snmp", "3", *user, "--auth-file", secrets["auth"], *address)
    assert (code, seen["sysName"], seen["sysLocation"]) == (0, "srv2", "Tigaraksa")
    code, seen = lab.inspect(regency, "--snmp", "3", *user, "--auth-file", secrets["wrong"], *address)
    assert (code, seen["reach"]) == (4, "refused")
    assert lab.inspect(regency, *address)[1]["reach"] == "silent"  # the community "public"
    mode = lab.read("srv2", "stat", "-c", "%a", "/etc/snmp/snmpd.conf", "/var/lib/snmp/snmpd.conf")
    assert mode == "600\n600\n"
    memory = lab.read("srv2", "cat", "/etc/snmp/snmpd.conf", "/var/lib/snmp/snmpd.conf")
    assert Path(secrets["auth"]).read_text().strip() not in memory


def test_sshd_is_hardened_and_still_lets_siaga_in(lab: Lab, regency: Path) -> None:
    said = dict(line.split(" ", 1) for line in lab.read("srv2", "sshd", "-T").splitlines())
    wanted = {
        "permitrootlogin": "no",
        "passwordauthentication": "no",
        "x11forwarding": "no",
        "maxauthtries": "4",
    }
    assert {key: said[key] for key in wanted} == wanted
    options = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    refused = lab.run("noc", "ssh", *options, f"netops@{NODES['srv2'].address}", "true")
    assert "Permission denied (publickey)" in refused.stderr
    assert lab.read(
        "noc", "ssh", "-q", *options, "-i", str(KEY), f"ops@{NODES['srv2'].address}", "uname", "-n"
    ) == ("srv2\n")


def test_a_second_time_changes_nothing(lab: Lab, regency: Path) -> None:
    plan = planned(lab, regency, "name=srv2")
    assert (status(plan), changed(plan)) == ({"srv2": "ok"}, {"srv2": 0})
    files = "find /etc /var/lib/snmp -type f -printf '%p %T@ %s\\n' | sort"
    before = lab.read("srv2", "sh", "-c", files)
    code, report = applied(lab, regency, plan)
    assert (code, status(report), changed(report)) == (0, {"srv2": "ok"}, {"srv2": 0})
    assert lab.read("srv2", "sh", "-c", files) == before


def test_facts_are_observed_and_the_new_server_is_polled(lab: Lab, regency: Path) -> None:
    observed = json.loads(done(lab, regency, "device", "show", "srv2", "-o", "json"))["observed"]
    ansible = {field: o["value"] for field, o in observed.items() if o["source"] == "ansible"}
    assert any(re.search("Debian", value) for value in ansible.values()), ansible
    polled = json.loads(done(lab, regency, "poll", "name=srv2", "-o", "json"))
    assert (polled["asked"], polled["up"]) == (1, 1)


@pytest.mark.slow
def test_a_login_opened_by_hand_is_noticed_judged_mended_by_a_plan_and_proven(
    lab: Lab, regency: Path
) -> None:
    """What docs/unannounced-change.md tells of a router, here of a server with a real sshd."""

    def rows(*words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(lab.siaga(regency, *words, "-o", "json").stdout)
        return found

    def reported() -> str:
        return done(lab, regency, "report", "readiness", "--explain", "INF-PER-07", "--lang", "en")

    if not has(lab, "srv2", HARDENED):
        assert applied(lab, regency, planned(lab, regency, "name=srv2"))[0] == 0
    done(lab, regency, "layer", "add", "regency", f'var.ntp_servers=["{NODES["rtr1"].address}"]')
    done(lab, regency, "backup", "run", "srv2")
    lab.siaga(regency, "compliance", "check", "srv2")
    assert "linux-root-login" not in {f["rule"] for f in rows("finding", "list")}

    lab.read("srv2", "sed", "-i", "s/^PermitRootLogin .*/PermitRootLogin yes/", HARDENED)
    (kept,) = rows("backup", "run", "srv2")
    assert (kept["result"], kept["cause"]) == ("stored", "out-of-band")
    assert "+PermitRootLogin yes" in done(lab, regency, "backup", "diff", "srv2")
    assert lab.siaga(regency, "compliance", "check", "srv2").returncode == 6
    (found,) = (f for f in rows("finding", "list") if f["rule"] == "linux-root-login")
    assert re.search("Not met .*srv2", reported())

    number = str(found["id"])
    plan: dict[str, Any] = json.loads(done(lab, regency, "plan", "--from-finding", number, "-o", "json"))
    assert applied(lab, regency, plan)[0] == 0
    assert "permitrootlogin no" in lab.read("srv2", "sshd", "-T")
    (newest, *_) = rows("backup", "show", "srv2", "--history")
    assert newest["cause"].startswith("job:")
    lab.siaga(regency, "compliance", "check", "srv2")
    (after,) = (f for f in rows("finding", "list", "--all") if f["id"] == found["id"])
    assert (after["state"], after["closed_why"]) == ("closed", "mended")
    assert re.search("(?m)^Met +srv2$", reported())


WAITING = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Begin
      ansible.builtin.file: {path: /run/siaga-begun, state: touch, mode: "0644"}
    - name: Wait for the word
      ansible.builtin.shell: touch /run/siaga-waits; until [ -e /run/siaga-go ]; do sleep 0.2; done
    - name: End
      ansible.builtin.file: {path: /run/siaga-done, state: touch, mode: "0644"}
"""


@pytest.fixture
def waiting(lab: Lab, regency: Path) -> dict[str, Any]:
    """The plan of a play that waits on the host until it is told to go on."""
    plays = regency / "plays"
    plays.mkdir()
    (plays / "waiting.yml").write_text(WAITING)
    (plays / "waiting.toml").write_text('title = "Waiting"\nrisk = "low"\n')
    settings = regency / ".config/siaga/siaga.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'playbooks = ["{plays}"]\n[ssh]\ntimeout_s = 5\n')
    plan: dict[str, Any] = json.loads(done(lab, regency, "plan", "waiting", "srv2", "-o", "json"))
    return plan


def private_directories() -> set[Path]:
    """Return the directories that the jobs in noc work in."""
    pids = sh("ip", "netns", "pids", netns("noc")).split()
    told = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)
    return {Path(p.decode()) for p in re.findall(rb"/dev/shm/siaga-job-\w+", told)}


def test_a_link_that_goes_down_in_the_middle_ends_the_job_and_it_is_taken_up_again(
    lab: Lab, regency: Path, waiting: dict[str, Any]
) -> None:
    apply = lab.popen(regency, "apply", waiting["name"], "--yes")
    try:
        until("the play waits", lambda: lab.run("srv2", "test", "-e", "/run/siaga-waits").returncode == 0)
        private = private_directories()
        assert private
        lab.read("sw", "ip", "link", "set", "port3", "down")
        said = apply.communicate(timeout=150)[0]  # twice ssh.timeout_s
    finally:
        apply.kill()
        lab.read("sw", "ip", "link", "set", "port3", "up")
    assert apply.returncode == 1, said
    assert "Traceback" not in said
    last = json.loads(done(lab, regency, "job", "list", "-o", "json"))[0]
    assert (last["status"], last["results"]) == ("failed", {"unreachable": 1}), said
    (host,) = json.loads(done(lab, regency, "job", "show", str(last["job"]), "-o", "json"))["hosts"]
    assert (host["status"], host["changed"]) == ("unreachable", 1)
    assert re.search("the connection was cut|it does not answer", host["reason"]), host
    assert not [p for p in private if p.exists()]
    until("its processes have ended", lambda: not sh("ip", "netns", "pids", netns("noc")), wait_s=20)
    assert lab.run("srv2", "test", "-e", "/run/siaga-done").returncode != 0

    lab.read("srv2", "touch", "/run/siaga-go")
    resumed = lab.siaga(regency, "job", "resume", str(last["job"]), "--yes", "-o", "json")
    assert (resumed.returncode, status(json.loads(resumed.stdout))) == (0, {"srv2": "changed"}), (
        resumed.stderr
    )
    assert lab.run("srv2", "test", "-e", "/run/siaga-done").returncode == 0


def test_no_secret_is_in_what_siaga_keeps(lab: Lab, regency: Path, secrets: dict[str, str]) -> None:
    kept = b"".join(p.read_bytes() for p in regency.rglob("*") if p.is_file())
    for name in ("auth", "priv"):
        assert Path(secrets[name]).read_bytes().strip() not in kept
    assert KEY.read_bytes().splitlines()[1] not in kept
