"""The chain of an apply over real SSH: canary, batches, looks, backups, windows, locks, rollback, resume."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import store
from infra.around import Around, Kept, Wanted
from infra.differing import differences
from infra.events import TaskEvent
from infra.plans import apply_plan, make_plan, resume
from inventory.store import reading
from siaga.errors import InvalidError, TemporaryError
from siaga.lock import device_lock
from tests.cli_runner import runner
from tests.infra.conftest import Regency

TOUCH = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Write
      ansible.builtin.file:
        path: "{{ siaga_root }}/etc/{{ word }}"
        state: touch
"""
BACK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Take back
      ansible.builtin.file:
        path: "{{ siaga_root }}/etc/{{ word }}"
        state: absent
"""
FRONT = 'risk = "low"\nrollback = "play"\n[params.word]\ndefault = "who"\n'


@dataclass(frozen=True)
class Seen:
    state: str
    reason: str = ""
    neighbours: frozenset[str] | None = None


@dataclass(frozen=True)
class Look:
    devices: Mapping[str, Seen]
    services: Mapping[str, Seen] = field(default_factory=dict)


@dataclass
class Others:
    """The other floors, for a farm: who looks reads the hosts' own files; what was called, in order, is noted."""

    regency: Regency
    spoilt: frozenset[str] = frozenset()  # hosts that fall as soon as their file is there
    unkept: frozenset[str] = frozenset()
    full: bool = False  # whether backups fail once something has changed
    calls: list[str] = field(default_factory=list)
    windows: dict[str, tuple[list[str], datetime, bool]] = field(default_factory=dict)

    def look(self, devices: Sequence[str], services: Sequence[str]) -> Look:
        self.calls.append(f"look {' '.join(devices)}")
        return Look({n: Seen("down", "no reply") if self._fallen(n) else Seen("up") for n in devices})

    def _fallen(self, name: str) -> bool:
        return name in self.spoilt and who(self.regency, name).exists()

    def backup(self, names: Sequence[str], job: str) -> dict[str, Kept]:
        self.calls.append(f"backup {' '.join(names)} {job}".strip())
        if job and self.full:
            raise TemporaryError("disk-full", "The disk of the backups is full.")
        return {n: self._kept(n) for n in names}

    def _kept(self, name: str) -> Kept:
        if name in self.unkept:
            return Kept(failure="its prompt never came")
        return Kept(f"kept-{name}-{who(self.regency, name).exists()}")

    def hold(self, cause: str, devices: Sequence[str], until: datetime, who: str, now: datetime) -> None:
        self.windows[cause] = (list(devices), until, True)

    def close(self, cause: str, now: datetime) -> None:
        if cause in self.windows:
            self.windows[cause] = (*self.windows[cause][:2], False)

    def around(self) -> Around:
        return Around(look=self.look, backup=self.backup, windows=self)


def who(regency: Regency, name: str) -> Path:
    return next(h.root for h in regency.farm.hosts if h.name == name) / "etc/who"


def written(regency: Regency) -> list[str]:
    return [h.name for h in regency.farm.hosts if who(regency, h.name).exists()]


@pytest.fixture
def others(regency: Regency) -> Others:
    found = Others(regency)
    regency.around = found.around()
    provision = regency.settings.provision.model_copy(update={"settle_s": 0, "lock_wait_s": 0})
    regency.settings = regency.settings.model_copy(update={"provision": provision})
    regency.play("write", TOUCH, FRONT)
    (regency.settings.playbooks[0] / "write.rollback.yml").write_text(BACK)
    return found


Watch = Callable[[Any], None]


def steps(report: Any) -> list[tuple[str, str]]:
    return [(s.name, s.status) for s in report.steps]


@pytest.mark.parametrize("farm", [3], indirect=True)
def test_one_goes_first_then_the_rest_and_each_step_is_recorded(
    regency: Regency, others: Others, watch: Watch
) -> None:
    others.unkept = frozenset({"srv-3"})
    plan = make_plan(regency.desk, "write", "role=server", ["word=who"], watch).plan
    busy = pytest.raises(TemporaryError, match=r"device-busy: srv-2 is being read or changed")
    with device_lock(regency.settings.home, _id(regency, "srv-2"), "srv-2"), busy:
        apply_plan(regency.desk, plan, watch)
    assert others.calls == [], "nothing was begun, and the plan is not used up"

    done = apply_plan(regency.desk, plan, watch)

    assert written(regency) == ["srv-1", "srv-2"]
    found = {h.host: h for h in done.hosts}
    assert (done.status, found["srv-3"].status) == ("partial", "not run")
    assert found["srv-3"].reason == "its configuration could not be kept: its prompt never came"
    assert [(found[n].batch, found[n].before, found[n].after) for n in ("srv-1", "srv-2")] == [
        (1, "kept-srv-1-False", "kept-srv-1-True"),
        (2, "kept-srv-2-False", "kept-srv-2-True"),
    ]
    assert {found[n].verdict for n in ("srv-1", "srv-2")} == {"as before"}
    assert steps(done) == [
        ("lock", "ok"),
        ("window", "ok"),
        ("batch", "ok"),
        ("checks", "ok"),
        ("before", "failed"),
        ("batch", "ok"),
        ("checks", "ok"),
        ("verify", "ok"),
    ]
    assert done.steps[2].detail == "canary: srv-1"
    cause = f"job {done.job_id}"
    names, until, still_open = others.windows[cause]
    assert (names, still_open) == ([h.name for h in regency.farm.hosts], False)
    assert until <= regency.now + timedelta(minutes=2), "were siaga killed, it would end by itself"
    with reading(regency.engine) as opened:
        assert [s for _, s in store.steps_of(opened, done.job_id)] == list(done.steps)
    with device_lock(regency.settings.home, _id(regency, "srv-2"), "srv-2"):
        pass  # no lock is left


def _id(regency: Regency, name: str) -> int:
    from sqlmodel import select

    from inventory.models import Device

    with reading(regency.engine) as opened:
        return opened.exec(select(Device.id).where(Device.name == name)).one() or 0


@pytest.mark.parametrize("farm", [3], indirect=True)
def test_a_bad_canary_stops_the_job_is_taken_back_and_the_rest_can_be_taken_up(
    regency: Regency, others: Others, watch: Watch
) -> None:
    others.spoilt = frozenset({"srv-1"})
    plan = make_plan(regency.desk, "write", "role=server", [], watch).plan
    done = apply_plan(regency.desk, plan, watch)
    assert written(regency) == [], "the canary was taken back, and nobody else was touched"
    assert [(h.status, h.rolled_back) for h in done.hosts] == [
        ("failed", True),
        ("not run", False),
        ("not run", False),
    ]
    assert done.hosts[0].reason == "after the change srv-1 was up and is down (no reply)"
    assert steps(done)[3:] == [("checks", "failed"), ("rollback", "ok")]
    assert done.notes[-1].startswith("Stopped after canary: srv-1: after the change")
    assert others.windows[f"job {done.job_id}"][2] is False

    others.spoilt, others.full = frozenset(), True
    again = resume(regency.desk, done.job_id, watch)
    assert (again.status, written(regency)) == ("ok", ["srv-1", "srv-2", "srv-3"])
    assert ("after", "failed") in steps(again), "that they were not kept afterwards undoes nothing"
    for job in (done.job_id, again.job_id):
        with pytest.raises(InvalidError, match="nothing-to-resume"):
            resume(regency.desk, job, watch)


@pytest.mark.parametrize("farm", [3], indirect=True)
def test_a_playbook_that_changes_while_it_is_applied_ends_the_job_before_the_next_batch(
    regency: Regency, others: Others
) -> None:
    plan = make_plan(regency.desk, "write", "role=server", ["word=who"], lambda _: None).plan

    def meddling(told: Any) -> None:
        if getattr(told, "name", "") == "checks":
            regency.play("write", TOUCH + "# and more\n", FRONT)

    done = apply_plan(regency.desk, plan, meddling)
    assert (done.status, len(written(regency))) == ("partial", 1)
    assert sorted(h.status for h in done.hosts) == ["changed", "not run", "not run"]
    assert "Stopped: the playbook or one of its roles was changed while it was applied." in done.notes
    with pytest.raises(InvalidError, match="plan-changed"):
        resume(regency.desk, done.job_id, lambda _: None)


def test_a_finding_says_what_is_planned(
    regency: Regency, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    regency.play("write", TOUCH, FRONT)
    monkeypatch.setenv("SIAGA_HOME", str(regency.settings.home))
    monkeypatch.setenv("SIAGA_PLAYBOOKS", str(regency.settings.playbooks[0]))
    siaga = runner(capsys)
    siaga("plan", "write", "srv-1", "--from-finding", "12").failed(2, "two-questions")
    wanted = Wanted("write", "srv-1", ("word=found",))
    found = Around(finding=lambda number: {12: wanted}[number])
    monkeypatch.setattr("infra.around.around", lambda engine, settings: found)
    made = json.loads(siaga("plan", "--from-finding", "12", "-o", "json").well().out)
    assert [h["host"] for h in made["hosts"]] == ["srv-1"]
    listed = json.loads(siaga("plan", "list", "-o", "json").well().out)
    assert [(p["name"], p["finding"], p["waits_for"]) for p in listed] == [(made["name"], 12, "apply")]
    monkeypatch.setattr("infra.around.around", lambda engine, settings: Around())
    siaga("plan", "--from-finding", "12").failed(3, "no-findings")


def event(task: str, status: str, diff: str = "", *, checked: bool = True, host: str = "a") -> TaskEvent:
    return TaskEvent(host, task, status, checked=checked, diff=diff)


def test_what_went_otherwise_than_the_check_said_is_told() -> None:
    before = [
        event("same", "ok"),
        event("twice", "changed", "+1"),
        event("twice", "changed", "+2"),
        event("grew", "ok"),
        event("left out", "skipped", checked=False),
        event("gone", "ok"),
        event("elsewhere", "ok", host="b"),
    ]
    after = [
        event("same", "ok"),
        event("twice", "changed", "+1"),
        event("twice", "changed", "+3"),
        event("grew", "failed"),
        event("left out", "changed"),
        event("new", "changed", "+n"),
    ]
    assert [(d.task, d.before, d.after, d.diff) for d in differences(before, after)] == [
        ("twice", "changed", "changed", "+3"),
        ("grew", "ok", "failed", ""),
        ("gone", "ok", "-", ""),
        ("new", "-", "changed", "+n"),
    ]
