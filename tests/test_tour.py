"""The tour's commands do what the tour says, in its order, against the simulated regency."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.regency import Secrets, build, workbook
from demo.story import _store_credentials  # the demo's own way in: the test stands where the demo stands
from demo.world import Ports, start
from inventory.database import initialise
from siaga.clock import utc_now
from siaga.settings import Settings

TOUR = Path(__file__).resolve().parent.parent / "docs" / "tour.md"
# What must be seen: a command that prints nothing, or something else, is no tour.
SEEN = {
    "siaga device list role=core-router": "rtr-core-1",
    "siaga contract show ILUSTRASI-A-RSUD": "Penyedia A",
    "siaga device list 'role=router and colour=red'": "^",
    "siaga device set rtr-kec-mauk 'notes=rack 2, left' --dry-run": "rack 2, left",
    "siaga device history rtr-kec-mauk": "moved on Monday",
    "siaga device list @inti -o name": "rtr-core-2",
    "siaga history verify": "holds",
    "siaga import siaga-demo/regency.xlsx --dry-run": "nothing was written",
    "siaga inspect rtr-core-1": "uptime",
    "siaga inspect sw-cmd-1": "ssh  up",
    "siaga poll": "Asked 142 devices",
    "siaga status": "142 devices",
    "siaga device show rtr-kec-jambe": "observed",
    "siaga playbook show baseline": "--ntp-servers",
    "siaga job show 4": "srv-app-1",
}


@dataclass(frozen=True)
class Command:
    """One line of the tour and the exit code it promises."""

    text: str
    exit_code: int


def commands() -> list[Command]:
    found = []
    for block in re.findall(r"```console\n(.*?)```", TOUR.read_text(), re.S):
        for line in block.splitlines():
            text, _, comment = line.removeprefix("$ ").partition("   # exit ")
            found.append(Command(text.strip(), int(comment or 0)))
    return found


@pytest.fixture
def regency(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Stand where `siaga demo --keep` leaves its user: inventory imported, two polls and two jobs done."""
    home = tmp_path / "siaga-demo"
    settings = Settings(home=home)
    initialise(settings)
    keys = Secrets.drawn()
    with start(home, 3603, keys, utc_now(), Ports(0, 0)) as world:
        ports = world.ports
        made = build(home, 3603, keys, snmp_port=ports.snmp, ssh_port=ports.ssh, year=utc_now().year)
        workbook(home / "regency.xlsx", made)
        _store_credentials(settings, made)
        (home / "siaga.toml").write_text("[poll]\ntimeout_s = 0.7\nretries = 1\n")
        repository = str(TOUR.parent.parent)
        environment = {
            **os.environ,
            "SIAGA_HOME": str(home),
            "SIAGA_CONFIG": str(home / "siaga.toml"),
            "PYTHONPATH": repository,
            "HOME": str(tmp_path),
        }
        for words in ("import siaga-demo/regency.xlsx", "poll role=server,core-router"):
            assert run(words, environment, tmp_path)[0] == 0
        yield environment


def run(words: str, environment: dict[str, str], folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "cli", *shlex.split(words)]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def test_the_tour_can_be_walked(regency: dict[str, str], tmp_path: Path) -> None:
    plan = ""
    jobs = 0
    for command in commands():
        assert command.text.startswith("siaga "), command.text
        words = command.text.removeprefix("siaga ").replace("PLAN", plan)
        words = words.replace("job show 4", f"job show {jobs}")
        code, output = run(words, regency, tmp_path)
        assert code == command.exit_code, f"{command.text}\n{output}"
        assert "internal-error" not in output
        assert SEEN.get(command.text, "") in output, f"{command.text}\n{output}"
        if words.startswith(("plan ", "apply ")):
            jobs += 1
        if match := re.search(r"siaga apply (\S+)", output):
            plan = match[1]
    for name in ("laporan.pdf", "laporan.json", "report.pdf"):
        assert (tmp_path / "siaga-demo" / name).stat().st_size > 20_000
