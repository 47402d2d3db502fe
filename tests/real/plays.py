"""The regency that the plays of the lab work on, and siaga's commands as a test says them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.conftest import Lab
from tests.real.machine import KEY
from tests.real.nodes import NODES

REGENCY = f"""\
place:
  - {{name: Kabupaten Contoh, kind: regency}}
  - {{name: Mekar Baru, kind: kecamatan, parent: Kabupaten Contoh}}
  - {{name: Kantor Mekar Baru, kind: site, parent: Mekar Baru}}
agency:
  - {{name: kec-mekar-baru, title: Kecamatan Mekar Baru, kind: kecamatan, place: Kantor Mekar Baru}}
provider:
  - {{name: Penyedia A}}
contract:
  - {{name: SPK-9/2026, provider: Penyedia A, kind: circuit, committed_down_bps: 8000000, committed_up_bps: 4000000}}
device:
  - {{name: srv3, role: server, platform: linux, place: Kantor Mekar Baru, address: {NODES["srv3"].address}, ssh_credential: ops}}
  - {{name: kec1, role: router, platform: frr, place: Kantor Mekar Baru, address: {NODES["kec1"].address}, ssh_credential: ops}}
  - {{name: opd1, role: router, place: Kantor Mekar Baru}}
interface:
  - {{device: kec1, name: eth0}}
  - {{device: kec1, name: eth1}}
  - {{device: opd1, name: eth0}}
prefix:
  - {{name: 10.77.64.0/29, place: Kantor Mekar Baru}}
address:
  - {{name: 10.77.64.1, interface: "kec1:eth1"}}
  - {{name: 10.77.64.2, interface: "opd1:eth0"}}
link:
  - {{name: kec1-opd1, kind: copper, a_interface: "kec1:eth1", z_interface: "opd1:eth0", contract: SPK-9/2026}}
connection:
  - {{name: kec-mekar-baru, agency: kec-mekar-baru, place: Kantor Mekar Baru, device: kec1, link: kec1-opd1,
     contract: SPK-9/2026, prefix: 10.77.64.0/29}}
"""


@dataclass(frozen=True)
class Played:
    """A play as `siaga plan -o json` and `siaga apply -o json` print it."""

    code: int
    report: dict[str, Any]

    @property
    def host(self) -> dict[str, Any]:
        """The one host's share."""
        (only,) = self.report["hosts"]
        found: dict[str, Any] = only
        return found

    @property
    def diff(self) -> str:
        """All differences."""
        return "\n".join(t["diff"] for t in self.host["tasks"])


class Works:
    """siaga in noc with a home, and the commands a test says."""

    def __init__(self, lab: Lab, home: Path) -> None:
        self.lab, self.home = lab, home

    def begin(self) -> "Works":
        """Make the home and import the regency."""
        self.say("init")
        self.say("credential", "add", "ops", "kind=ssh-key", "username=ops", "--secret", f"key=file:{KEY}")
        file = self.home / "regency.yaml"
        file.write_text(REGENCY)
        self.say("import", str(file))
        return self

    def say(self, *words: str) -> str:
        """Return what siaga prints; it must succeed."""
        ended = self.lab.siaga(self.home, *words)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def plan(self, play: str, host: str, *given: str) -> Played:
        """Plan a play on one host."""
        params = [word for one in given for word in ("--param", one)]
        ended = self.lab.siaga(self.home, "plan", play, f"name={host}", *params, "-o", "json")
        assert ended.stdout, ended.stderr
        return Played(ended.returncode, json.loads(ended.stdout))

    def apply(self, plan: Played) -> Played:
        """Apply a plan."""
        ended = self.lab.siaga(self.home, "apply", plan.report["name"], "--yes", "-o", "json")
        assert ended.stdout, ended.stderr
        return Played(ended.returncode, json.loads(ended.stdout))

    def make_so(self, play: str, host: str, *given: str) -> Played:
        """Plan and apply, then plan again: nothing may be left to do, and nothing unchecked. Return the plan."""
        plan = self.plan(play, host, *given)
        assert (plan.code, plan.host["status"]) == (0, "changed"), plan.report
        done = self.apply(plan)
        assert (done.code, done.host["status"]) == (0, "changed"), done.report
        again = self.plan(play, host, *given)
        assert (again.code, again.host["status"], again.host["changed"]) == (0, "ok", 0), again.diff
        assert not again.report["partly_checked"], again.report
        return plan
