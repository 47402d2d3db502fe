"""The regency that the plays of the lab work on, and siaga's commands as a test says them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.playbooks import HOME as PLAYBOOKS
from tests.real import lab as build
from tests.real.conftest import SIAGA, Lab, _environment
from tests.real.machine import KEY
from tests.real.nodes import NODES

SITE = ("baseline", "app-server", "server-room", "command-center", "harden")
REGENCY = f"""\
place:
  - {{name: Kabupaten Contoh, kind: regency}}
  - {{name: Mekar Baru, kind: kecamatan, parent: Kabupaten Contoh}}
  - {{name: Kantor Mekar Baru, kind: site, parent: Mekar Baru}}
device:
  - {{name: srv3, role: server, platform: linux, place: Kantor Mekar Baru, address: {NODES["srv3"].address},
     ssh_credential: ops}}
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

    def begin(self, regency: str = REGENCY) -> "Works":
        """Make the home and import a regency."""
        self.say("init")
        self.say("credential", "add", "ops", "kind=ssh-key", "username=ops", "--secret", f"key=file:{KEY}")
        file = self.home / "regency.yaml"
        file.write_text(regency)
        self.say("import", str(file))
        return self

    def say(self, *words: str) -> str:
        """Return what siaga prints; it must succeed."""
        ended = self.lab.siaga(self.home, *words)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def site(self) -> None:
        """Add a play of the operator's own that is all of SITE one after the other, carried out by mitogen."""
        folder = self.home / "plays"
        folder.mkdir()
        fronts = [(PLAYBOOKS / f"{name}.toml").read_text() for name in SITE]
        params = "\n".join(f"[params.{front.partition('[params.')[2]}" for front in fronts)
        (folder / "site.toml").write_text(f'title = "Site"\nrisk = "medium"\n{params}')
        plays = [{"name": n, "ansible.builtin.import_playbook": str(PLAYBOOKS / f"{n}.yml")} for n in SITE]
        (folder / "site.yml").write_text(json.dumps(plays))
        settings = self.home / ".config/siaga/siaga.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f'playbooks = ["{folder}"]\n[provision]\nfast = true\n')

    def plan(self, play: str, host: str, *given: str) -> Played:
        """Plan a play on one host."""
        params = [word for one in given for word in ("--param", one)]
        ended = self.lab.siaga(self.home, "plan", play, f"name={host}", *params, "-o", "json", timeout_s=900)
        assert ended.stdout, ended.stderr
        return Played(ended.returncode, json.loads(ended.stdout))

    def approve(self, plan: Played) -> None:
        """Have a second person approve a plan."""
        words = [*_environment(self.home), "SUDO_USER=nobody", str(SIAGA)]
        ended = build.run("noc", *words, "plan", "approve", plan.report["name"], "--why", "sudah dilihat")
        assert ended.returncode == 0, ended.stderr

    def apply(self, plan: Played) -> Played:
        """Apply a plan."""
        ended = self.lab.siaga(self.home, "apply", plan.report["name"], "--yes", "-o", "json", timeout_s=900)
        assert ended.stdout, ended.stderr
        return Played(ended.returncode, json.loads(ended.stdout))

    def make_so(self, play: str, host: str, *given: str) -> Played:
        """Plan and apply, then plan again: nothing may be left to do, and nothing unchecked. Return the plan."""
        plan = self.plan(play, host, *given)
        assert (plan.code, plan.host["status"]) == (0, "changed"), plan.report
        done = self.apply(plan)
        assert (done.code, done.host["status"]) == (0, "changed"), done.report
        again = self.plan(play, host, *given)
        left = (again.code, again.host["status"], again.host["changed"])
        assert left == (0, "ok", 0), (again.diff, again.report)
        assert not again.report["partly_checked"], again.report
        return plan
