"""An apply on its way: what is fixed, what has come of each host so far, and how hosts are now against before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

from infra.around import Look, Nothing
from infra.desk import Desk
from infra.hosts import Host
from infra.launch import Ansible, End
from infra.models import Plan
from infra.prepare import Prepared
from infra.radius import Radius
from infra.recorder import Recorder
from infra.results import HostTally
from infra.verdict import Verdict, compared

AGAIN_S = 2.0


@dataclass
class Course:
    """An apply on its way: what is fixed, what was seen before, and what has come of each host so far."""

    desk: Desk
    plan: Plan
    prepared: Prepared
    hosts: Mapping[str, Host]
    job_id: int
    recorder: Recorder
    ansible: Ansible
    radii: Mapping[str, Radius]
    before: Look = field(default_factory=Nothing)
    tallies: dict[str, HostTally] = field(default_factory=dict)
    end: End = field(default_factory=lambda: End("ran"))
    stopped: str = ""

    @property
    def names(self) -> list[str]:
        """The hosts, in the plan's order."""
        return list(self.hosts)

    def around(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the devices and services to look at for these hosts."""
        devices = dict.fromkeys([*names, *(b for n in names for b in self.radii[n].beside)])
        return list(devices), list(dict.fromkeys(s for n in names for s in self.radii[n].services))

    def proving(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return those of them that were up before: of the others nothing is proved, and silence takes its time."""
        devices, services = self.around(names)
        up = {n for n, s in self.before.devices.items() if s.state == "up"}
        well = {n for n, s in self.before.services.items() if s.state == "up"}
        return [n for n in devices if n in up], [n for n in services if n in well]

    def looked_after(self, names: Sequence[str]) -> dict[str, Verdict]:
        """Return how hosts are now against before; asked again until all is as before, or it has taken too long."""
        if self.desk.around.look is None or not names:
            return {}
        until, pause = monotonic() + self.desk.settings.provision.settle_s, Event()
        while True:
            now = self.look(*self.proving(names))
            found = {n: self._compared(n, now) for n in names}
            if all(v.good for v in found.values()) or monotonic() >= until or self.ansible.cancelled:
                return found
            pause.wait(AGAIN_S)

    def look(self, devices: Sequence[str], services: Sequence[str]) -> Look:
        """Return what is seen of these, if the play asks for it and somebody can."""
        look, play = self.desk.around.look, self.prepared.play
        if look is None or not (play.pre_checks or play.post_checks) or not (devices or services):
            return Nothing()
        return look(devices, services)

    def _compared(self, name: str, now: Look) -> Verdict:
        own, checks = self.radii[name], self.prepared.play.post_checks
        return compared(name, own.beside, own.services, self.before, now, checks)
