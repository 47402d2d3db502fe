"""How long the same play takes: Ansible with its defaults, Ansible tuned, siaga, siaga by mitogen.

    python -m bench.ansible_speed [--hosts 50] [--rounds 2] [--delay-ms 15] [--host-s 0.3] [--only defaults,siaga,…]

Hosts are real sshd's on 127.86.2.x. `bench.far` puts them as far away as they are in a regency and gives them
processors of their own; `--delay-ms 0 --host-s 0` leaves them on this machine's cores, where what Ansible spends on a
host counts as the controller's. The four are run in turn, round by round.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bench.far import NEAR, Far, forwarder, python
from infra.hosts import Host, marked
from infra.launch import run_job
from infra.playbooks import playbook
from siaga.settings import Provision, Settings

NET = "127.86.2"
PORT, OWN_PORT = 26_610, 26_611  # where hosts are asked, and where their sshd listens
PER_DAEMON = 16  # sshd listens on so many sockets at most (MAX_LISTEN_SOCKS)
SSHD = "/usr/sbin/sshd"
PLAY = """
- hosts: all
  gather_facts: true
  gather_subset: ["!all", "min"]
  tasks:
    - name: Make a directory
      ansible.builtin.file: {path: "{{ place }}/etc", state: directory, mode: "0755"}
    - name: Copy a file
      ansible.builtin.copy: {dest: "{{ place }}/etc/motd", content: "Kabupaten Contoh\\n", mode: "0644"}
    - name: Write from a template
      ansible.builtin.template: {src: t.j2, dest: "{{ place }}/etc/t", mode: "0644"}
    - name: See to a line
      ansible.builtin.lineinfile: {path: "{{ place }}/etc/conf", line: "answer=42", create: true, mode: "0644"}
    - name: Ask for the load
      ansible.builtin.command: cat /proc/loadavg
      changed_when: false
      check_mode: false
    - name: Look at a file
      ansible.builtin.stat: {path: "{{ place }}/etc/t"}
"""
TASKS = 1 + PLAY.count("- name:")  # facts are gathered first


@dataclass(frozen=True)
class Once:
    """One run: wall seconds, CPU seconds of the controller and of the hosts, the most memory, workers at that time."""

    wall_s: float
    cpu_s: float
    hosts_cpu_s: float
    peak_bytes: int
    workers: int


class Ground:
    """A directory with keys, a play, an inventory, and the daemons."""

    def __init__(self, folder: Path, hosts: int, far: Far = NEAR, tasks: int = TASKS) -> None:
        self.folder, self.count, self.far = folder, hosts, far
        self.port = PORT if far.delay_ms else OWN_PORT
        self.python = Path("/usr/bin/python3")
        self.user = os.environ.get("USER") or "root"
        for name in ("host", "login"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True)
        (folder / "authorized_keys").write_text((folder / "login.pub").read_text())
        (folder / "ansible.cfg").write_text("")
        (folder / "plays").mkdir()
        begin, *each = PLAY.split("    - name:")
        (folder / "plays/speed.yml").write_text("    - name:".join([begin, *each[: tasks - 1]]))
        (folder / "plays/speed.toml").write_text('title = "Speed"\n')
        (folder / "plays/t.j2").write_text("host {{ inventory_hostname }}\n")
        key = (folder / "host.pub").read_text().split()[:2]
        known = "".join(f"[{a}]:{self.port} {' '.join(key)}\n" for a in self.addresses)
        (folder / "known_hosts").write_text(known)

    @property
    def addresses(self) -> list[str]:
        """The hosts' addresses."""
        return [f"{NET}.{n}" for n in range(1, self.count + 1)]

    def hosts(self) -> list[Host]:
        """The hosts as siaga prepares them."""
        key = SecretStr((self.folder / "login").read_text())
        return [
            Host(f"h{n}", f"h{n}", n, (), self._variables(n, a), {}, key)
            for n, a in enumerate(self.addresses)
        ]

    def _variables(self, number: int, address: str) -> dict[str, object]:
        return {
            "ansible_host": address,
            "ansible_port": self.port,
            "ansible_user": self.user,
            "ansible_connection": "ssh",
            "ansible_python_interpreter": str(self.python),
            "place": str(self.folder / "hosts" / str(number)),
        }

    def inventory(self) -> Path:
        """The same hosts for ansible-playbook alone."""
        common = f"-o UserKnownHostsFile={self.folder}/known_hosts -o IdentitiesOnly=yes -F none"
        every = {
            h.alias: marked(h.variables)
            | {
                "ansible_ssh_private_key_file": str(self.folder / "login"),
                "ansible_ssh_common_args": common,
            }
            for h in self.hosts()
        }
        path = self.folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": every}}))
        return path

    def clear(self) -> None:
        """Take away what the play wrote, so that each run changes the same."""
        shutil.rmtree(self.folder / "hosts", ignore_errors=True)
        for number in range(self.count):
            (self.folder / "hosts" / str(number)).mkdir(parents=True)

    @contextlib.contextmanager
    def daemons(self) -> Iterator[None]:
        """Run the sshd's while the block lasts."""
        Path("/run/sshd").mkdir(exist_ok=True)
        self.running: list[subprocess.Popen[bytes]] = []
        configs = [self._config(first) for first in range(0, self.count, PER_DAEMON)]
        self.running = [subprocess.Popen([SSHD, "-D", "-f", str(path)]) for path in configs]
        try:
            time.sleep(1)
            with python(self.folder, self.far) as self.python, forwarder(PORT, OWN_PORT, self.far):
                yield
        finally:
            for process in self.running:
                process.terminate()
                process.wait()

    def _config(self, first: int) -> Path:
        path = self.folder / f"sshd{first}"
        lines = [f"ListenAddress {a}:{OWN_PORT}" for a in self.addresses[first : first + PER_DAEMON]]
        lines += [f"HostKey {self.folder}/host", f"AuthorizedKeysFile {self.folder}/authorized_keys"]
        # A developer's own shell files can cost a tenth of a second for every command.
        lines += [
            f"SetEnv HOME={self.folder} PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        ]
        lines += ["StrictModes no", "PermitRootLogin yes", "PasswordAuthentication no", "UsePAM no"]
        lines += [
            "Subsystem sftp internal-sftp",
            "MaxStartups 200:30:400",
            "MaxSessions 50",
            f"PidFile {path}.pid",
        ]
        path.write_text("\n".join(lines) + "\n")
        return path


def plain(ground: Ground, extra: dict[str, str]) -> None:
    """Run ansible-playbook itself, with nothing of the caller's environment but PATH."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(ground.folder),
        "LANG": "C.UTF-8",
        "ANSIBLE_CONFIG": str(ground.folder / "ansible.cfg"),
        **extra,
    }
    command = ["ansible-playbook", "-i", str(ground.inventory()), str(ground.folder / "plays/speed.yml")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-500:])


def by_siaga(ground: Ground, *, fast: bool) -> None:
    """Run the play as `siaga apply` does, from the prepared hosts on."""
    provision = Provision(fast=fast)
    settings = Settings(
        home=ground.folder / "home", playbooks=(ground.folder / "plays",), provision=provision
    )
    settings.home.mkdir(exist_ok=True)
    shutil.copy(ground.folder / "known_hosts", settings.home / "known_hosts")
    play = playbook("speed", settings.playbooks)
    bad: list[str] = []

    def note(event: object) -> None:
        if getattr(event, "status", "") in ("failed", "unreachable"):
            bad.append(str(event))

    end = run_job(play, ground.hosts(), check=False, settings=settings, on_event=note)
    if bad or end.status != "ran":
        raise SystemExit(f"{end}: {bad[:3]}")


TUNED = {
    "ANSIBLE_PIPELINING": "True",
    "ANSIBLE_DIFF_ALWAYS": "True",  # siaga shows and keeps the differences
    "ANSIBLE_FORKS": str(Provision().forks),
    "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s",
}
WAYS: dict[str, Callable[[Ground], None]] = {
    "defaults": lambda ground: plain(ground, {}),
    "tuned": lambda ground: plain(ground, TUNED),
    "siaga": lambda ground: by_siaga(ground, fast=False),
    "siaga-fast": lambda ground: by_siaga(ground, fast=True),
}


def once(ground: Ground, way: str) -> Once:
    """Run one way and measure it; the daemons' children are waited for by sshd, so their CPU is the machine's."""
    ground.clear()
    stop, seen = threading.Event(), [(0, 0)]
    watcher = threading.Thread(target=_watch, args=(stop, seen))
    before, begun = (_mine_s(), _hosts_s(ground)), time.monotonic()
    watcher.start()
    try:
        WAYS[way](ground)
    finally:
        wall = time.monotonic() - begun
        stop.set()
        watcher.join()
    _hang_up(ground)
    return Once(wall, _mine_s() - before[0], _hosts_s(ground) - before[1], *max(seen))


def _mine_s() -> float:
    """Return the CPU seconds of the children that have ended: Ansible and what it started here."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _hosts_s(ground: Ground) -> float:
    """Return the CPU seconds of the logins that have ended (proc(5): cutime and cstime of each sshd)."""
    stats = [Path(f"/proc/{p.pid}/stat").read_text().rpartition(")")[2].split() for p in ground.running]
    return sum(int(words[13]) + int(words[14]) for words in stats) / os.sysconf("SC_CLK_TCK")


def _hang_up(ground: Ground) -> None:
    """End the connections that ControlPersist has kept, so that their logins are counted."""
    for path in (ground.folder / ".ansible/cp").glob("*"):
        subprocess.run(["ssh", "-O", "exit", "-S", str(path), "x"], capture_output=True)
    deadline = time.monotonic() + 20
    while any(_children(p.pid) for p in ground.running) and time.monotonic() < deadline:
        time.sleep(0.1)


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()


def _watch(stop: threading.Event, seen: list[tuple[int, int]]) -> None:
    """Note the memory (PSS) of all ansible-playbook processes and their number, once a second."""
    while not stop.wait(1.0):
        sizes = [size for pid in Path("/proc").glob("[0-9]*") if (size := _pss(pid))]
        seen.append((sum(sizes), len(sizes) - 1))


def _pss(process: Path) -> int:
    with contextlib.suppress(OSError):
        if b"ansible-playbook" in (process / "cmdline").read_bytes():
            for line in (process / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    return 0


def main(words: Sequence[str]) -> None:
    """Measure and print."""
    reading = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reading.add_argument("--hosts", type=int, default=50)
    reading.add_argument("--rounds", type=int, default=2)
    reading.add_argument("--tasks", type=int, default=TASKS, help="only the first so many of the play")
    reading.add_argument("--delay-ms", type=float, default=15, help="of a link, in each direction")
    reading.add_argument("--host-s", type=float, default=0.3, help="what a module takes on a host")
    reading.add_argument("--only", default=",".join(WAYS))
    given = reading.parse_args(words)
    ways = [w for w in WAYS if w in given.only.split(",")]
    found: dict[str, list[Once]] = {w: [] for w in ways}
    with tempfile.TemporaryDirectory(prefix="siaga-speed-") as folder:
        far = Far(given.delay_ms, given.host_s)
        ground = Ground(Path(folder), given.hosts, far, given.tasks)
        with ground.daemons():
            for _ in range(given.rounds):
                for way in ways:
                    found[way].append(once(ground, way))
                    print(way, found[way][-1], file=sys.stderr, flush=True)
    base = statistics.median(r.wall_s for r in found[ways[0]])
    load = os.getloadavg()[0]
    print(
        f"{given.hosts} hosts, {given.tasks} tasks, {given.rounds} rounds, {os.cpu_count()} cores, load {load:.1f} at"
        f" the end; {far}"
    )
    print(f"{'':12}{'wall s':>9}{'times':>8}{'CPU s':>9}{'hosts':>9}{'times':>8}{'peak MB':>9}{'MB/fork':>9}")
    whole = statistics.median(r.cpu_s + r.hosts_cpu_s for r in found[ways[0]])
    for way, runs in found.items():
        wall, cpu = statistics.median(r.wall_s for r in runs), statistics.median(r.cpu_s for r in runs)
        hosts = statistics.median(r.hosts_cpu_s for r in runs)
        peak = max(runs, key=lambda r: r.peak_bytes)
        mb = peak.peak_bytes / 1e6
        times = f"{base / wall:8.2f}{cpu:9.1f}{hosts:9.1f}{whole / (cpu + hosts):8.2f}"
        print(f"{way:12}{wall:9.1f}{times}{mb:9.0f}{mb / max(peak.workers, 1):9.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
