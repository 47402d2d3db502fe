"""Provisioning: how long a plan takes before Ansible starts, and what an apply costs beside plain ansible-playbook.

    python -m bench.plan              # both; 12 hosts are changed
    python -m bench.plan --hosts 50   # more of them
    python -m bench.plan --only plan

The hosts are directories behind one real sshd on 127.85.0.0/16, entered with a key, as far away and with processors
of their own as `bench.far` makes them (`--delay-ms 0 --host-s 0`: on this machine's cores). All carry out the same
play with the same forks, pipelining and ControlPersist, in turn, after one run that counts for nobody (it meets the
host keys); the directories are emptied before each. CPU seconds are those of the command and everything it started, and
leave out the hosts' side, which is sshd's. siaga changes one host first; "one host first" is Ansible made to do so too
(`serial: [1, "100%"]`).
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncssh
from pydantic import SecretStr

from bench.far import Far, forwarder, python
from bench.measure import load, machine, table
from inventory.credentials import store_secret
from inventory.database import initialise
from inventory.models import Credential, Device, Interface, Link, Place
from inventory.store import open_engine, session
from siaga.secrets import open_vault
from siaga.settings import Settings

PORT, FAR_PORT = 25610, 25611  # sshd's, and where its hosts are asked if they are far away
SWITCHES = 400  # of the network in which the hosts stand
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Make a directory
      ansible.builtin.file:
        path: "{{ siaga_root }}/etc/bench-more"
        state: directory
    - name: Write a file
      ansible.builtin.copy:
        dest: "{{ siaga_root }}/etc/bench-one"
        content: "{{ inventory_hostname }}\\n"
    - name: Have a line
      ansible.builtin.lineinfile:
        path: "{{ siaga_root }}/etc/bench-one"
        line: two
        create: true
    - name: Ask for a file
      ansible.builtin.stat:
        path: "{{ siaga_root }}/etc/bench-one"
    - name: Run a command
      ansible.builtin.command: /bin/true
      changed_when: false
    - name: Link it
      ansible.builtin.file:
        src: bench-one
        path: "{{ siaga_root }}/etc/bench-two"
        state: link
        force: true
"""
TUNED = "ansible-playbook, tuned"
APPLIES: dict[str, dict[str, str]] = {
    "siaga apply": {},
    "siaga apply, mitogen": {"SIAGA_PROVISION__FAST": "true"},
}
COLD = """
import resource, sys, time
begun = time.monotonic()
from infra.desk import Desk
from infra.plans import ready
from inventory.store import open_engine
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import load
settings = load()
desk = Desk(open_engine(settings), open_vault(settings.home), settings, "bench", utc_now)
prepared, radii = ready(desk, "bench", "role=server", [])
used = resource.getrusage(resource.RUSAGE_SELF)
print(len(prepared.hosts), used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss)
"""


def furnish(
    folder: Path, hosts: int, key: str, port: int = PORT, interpreter: str = "/usr/bin/python3"
) -> dict[str, str]:
    """Make a home with these hosts in a network of SWITCHES switches, and return the environment that means it."""
    home, plays = folder / "home", folder / "plays"
    settings = Settings(home=home)
    initialise(settings)
    plays.mkdir()
    (plays / "bench.toml").write_text('title = "Bench"\nrisk = "low"\n')
    (plays / "bench.yml").write_text(PLAY)
    engine = open_engine(settings)
    with session(engine) as opened:
        login = Credential(name="key", kind="ssh-key", username=os.environ.get("USER") or "root")
        place = Place(name="Pusat data", kind="site")
        opened.add_all([login, place])
        opened.flush()
        store_secret(opened, open_vault(home), login.id or 0, "key", SecretStr(key))
        network(opened, place.id or 0, hosts, login.id or 0, folder, port, interpreter)
    engine.dispose()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SIAGA_HOME": str(home),
        "SIAGA_PLAYBOOKS": str(plays),
        "LANG": "C.UTF-8",
    }


def network(
    opened: object, place: int, hosts: int, login: int, folder: Path, port: int, interpreter: str
) -> None:
    """Add a core, switches in chains of four behind it, and the servers on the last of some of them."""
    add = opened.add_all  # type: ignore[attr-defined]
    rows = [Device(name="core", role="core-router", place_id=place)]
    rows += [Device(name=f"sw-{i:03}", role="switch", place_id=place) for i in range(SWITCHES)]
    for i in range(hosts):
        root = folder / "hosts" / f"srv-{i:03}"
        (root / "etc").mkdir(parents=True)
        (root / "tmp").mkdir()
        own = {"siaga_root": str(root), "ansible_python_interpreter": interpreter}
        address = f"127.85.{i // 250}.{i % 250 + 1}"
        rows.append(
            Device(
                name=f"srv-{i:03}",
                role="server",
                address=address,
                ssh_port=port,
                place_id=place,
                ssh_credential_id=login,
                vars=own,
                transport="none",
            )
        )
    add(rows)
    opened.flush()  # type: ignore[attr-defined]
    switches, servers = rows[1 : SWITCHES + 1], rows[SWITCHES + 1 :]
    pairs = [(s, rows[0] if i % 4 == 0 else switches[i - 1]) for i, s in enumerate(switches)]
    pairs += [(s, switches[i * 4 % SWITCHES + 3]) for i, s in enumerate(servers)]
    ports = [
        [Interface(device_id=d.id, name=f"p{n}-{side}") for side, d in enumerate(p)]
        for n, p in enumerate(pairs)
    ]
    add([p for pair in ports for p in pair])
    opened.flush()  # type: ignore[attr-defined]
    add([Link(name=f"l{n}", a_interface_id=a.id, z_interface_id=z.id) for n, (a, z) in enumerate(ports)])


@contextmanager
def sshd(folder: Path, public: str) -> Iterator[None]:
    """Run OpenSSH's server for this user, on all of 127.85.0.0/16."""
    key = folder / "host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (folder / "authorized").write_text(public)
    (folder / "authorized").chmod(0o600)
    lines = [
        f"Port {PORT}", "ListenAddress 0.0.0.0", f"HostKey {key}", f"AuthorizedKeysFile {folder}/authorized",
        "PasswordAuthentication no", "PermitRootLogin yes", "StrictModes no", f"PidFile {folder}/sshd.pid",
        "MaxStartups 200:30:400", "UsePAM no",
    ]  # fmt: skip
    (folder / "sshd_config").write_text("\n".join(lines) + "\n")
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen(
        ["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def before_ansible(environment: dict[str, str], runs: int = 5) -> tuple[int, float, float, float]:
    """Return hosts, and the medians of CPU seconds, wall seconds and MiB of a cold process that prepares a plan."""
    said = [
        subprocess.run(
            [sys.executable, "-P", "-c", COLD], env=environment, check=True, capture_output=True, text=True
        )
        for _ in range(runs)
    ]
    figures = sorted([float(x) for x in s.stdout.split()] for s in said)
    hosts, cpu_s, wall_s, kib = figures[len(figures) // 2]
    return int(hosts), cpu_s, wall_s, kib / 1024


def cost(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command and return the CPU and wall seconds of it and its children."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall_s, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s


def noted(what: str, spent: tuple[float, float]) -> tuple[float, float]:
    """Say what one run cost, while the others are still to come."""
    print(f"{what}: {spent[0]:.1f} s of CPU, {spent[1]:.1f} s of wall", file=sys.stderr, flush=True)
    return spent


def emptied(folder: Path) -> None:
    """Take away what the play made."""
    for path in (folder / "hosts").glob("*/etc/bench-*"):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def plain(folder: Path, environment: dict[str, str], forks: int) -> tuple[Sequence[str], dict[str, str]]:
    """Return ansible-playbook on the same inventory with the same settings, and its environment."""
    from infra.jobs import environment as tuned

    siaga = [sys.executable, "-P", "-m", "cli", "playbook", "hosts", "--playbook", "bench", "role=server"]
    shown = subprocess.run(siaga, env=environment, check=True, capture_output=True, text=True).stdout
    (folder / "plain.json").write_text(shown)
    for name in ("home", "scratch", "cp"):
        (folder / "plain" / name).mkdir(parents=True, exist_ok=True)
    (folder / "plain" / "ansible.cfg").touch()
    task = {
        "accept_new": True,
        "folder": folder / "plays",
        "forks": forks,
        "connect_timeout_s": 15,
        "task_timeout_s": 600,
        "fast": False,
    }
    (folder / "plain" / "first.yml").write_text(
        PLAY.replace("- hosts: all\n", '- hosts: all\n  serial: [1, "100%"]\n')
    )
    command = ["ansible-playbook", "-i", str(folder / "plain.json"), "--diff"]
    return [*command, "--private-key", str(folder / "key")], tuned(folder / "plain", task)


def applied(folder: Path, environment: dict[str, str], hosts: int, runs: int) -> list[list[str]]:
    """Return the rows of the comparison, medians of interleaved runs."""
    siaga = [sys.executable, "-P", "-m", "cli"]
    forks = min(Settings().provision.forks, hosts)
    command, own = plain(folder, environment, forks)
    own["PATH"] = f"{Path(sys.executable).parent}:{own['PATH']}"
    books = {
        TUNED: folder / "plays" / "bench.yml",
        f"{TUNED}, one host first": folder / "plain" / "first.yml",
    }
    times: dict[str, list[tuple[float, float]]] = {n: [] for n in (*books, *APPLIES)}
    noted("warm-up", cost([*command, str(books[TUNED])], own))
    for _ in range(runs):
        for name, book in books.items():
            emptied(folder)
            times[name].append(noted(name, cost([*command, str(book)], own)))
        for name, given in APPLIES.items():
            emptied(folder)
            planned = [*siaga, "plan", "bench", "role=server", "-o", "json"]
            more = environment | given
            made = subprocess.run(planned, env=more, check=False, capture_output=True, text=True)
            if made.returncode:
                raise SystemExit(f"{name}: {made.stdout[-3000:]}{made.stderr[-2000:]}")
            apply = [*siaga, "apply", json.loads(made.stdout)["name"], "--yes"]
            times[name].append(noted(name, cost(apply, more)))
    base_cpu, base_wall = (sorted(x)[runs // 2] for x in zip(*times[TUNED], strict=True))
    rows = []
    for what, pairs in times.items():
        cpu, wall = (sorted(x)[runs // 2] for x in zip(*pairs, strict=True))
        rows.append([what, f"{cpu:.1f}", f"{wall:.1f}", f"{cpu / base_cpu:.3f}", f"{wall / base_wall:.3f}"])
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=12)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", choices=("plan", "apply"))
    parser.add_argument("--delay-ms", type=float, default=15, help="of a link, in each direction")
    parser.add_argument("--host-s", type=float, default=0.3, help="what a module takes on a host")
    given = parser.parse_args()
    key = asyncssh.generate_private_key("ssh-ed25519")
    private = key.export_private_key().decode()
    print(f"{machine()}\n")
    if given.only != "apply":
        with tempfile.TemporaryDirectory(prefix="siaga-bench-") as name:
            hosts, cpu_s, wall_s, mib = before_ansible(furnish(Path(name), 100, private))
            row = [f"{hosts} hosts, {SWITCHES} switches", f"{cpu_s:.2f}", f"{wall_s:.2f}", f"{mib:.0f}"]
            print(table(["a plan before Ansible starts, cold", "CPU s", "wall s", "MiB"], [row]), "\n")
    if given.only != "plan":
        far = Far(given.delay_ms, given.host_s)
        with tempfile.TemporaryDirectory(prefix="siaga-bench-") as name, ExitStack() as stack:
            folder = Path(name)
            (folder / "key").write_text(private)
            (folder / "key").chmod(0o600)
            interpreter = stack.enter_context(python(folder, far))
            port = stack.enter_context(forwarder(FAR_PORT, PORT, far))
            environment = furnish(folder, given.hosts, private, port, str(interpreter))
            stack.enter_context(sshd(folder, key.export_public_key().decode()))
            rows = applied(folder, environment, given.hosts, given.runs)
            print(f"{far}; load {load()} at the end\n")
            print(table([f"{given.hosts} hosts, 6 tasks", "CPU s", "wall s", "x CPU", "x wall"], rows))


if __name__ == "__main__":
    main()
