"""Plan, then apply: a check run with its diff is stored; only what somebody has seen is carried out.

A plan stands on the playbook tree, the parameters, the hosts, their variables and the result of its check.
If any of them has changed since, it is refused. Hosts that could not be checked are not changed either.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session

from infra import facts, store
from infra.events import TaskEvent
from infra.hosts import Host
from infra.launch import End, connection, run_job
from infra.models import Plan
from infra.playbooks import playbook, values
from infra.prepare import Prepared, digest, digests, prepare
from infra.results import GOOD, HostTally, judged, tally
from inventory import runs
from inventory.access import require_devices
from inventory.select import selected
from inventory.store import labels, reading, session
from siaga.errors import InvalidError, NotFoundError, SiagaError
from siaga.secrets import Vault
from siaga.settings import Settings

RESULT = "the stored result of the check"
FLUSH_S = 0.5
Watch = Callable[[TaskEvent], None]
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Desk:
    """What provisioning works with: where it stores, what opens secrets, who asks, and what time it is."""

    engine: Engine
    vault: Vault
    settings: Settings
    who: str
    clock: Clock


@dataclass(frozen=True)
class Report:
    """How a plan or an apply went. `status`: ok, partial, failed, interrupted; `notes` are sentences."""

    plan: str
    job_id: int
    status: str
    hosts: tuple[HostTally, ...]
    tasks: tuple[TaskEvent, ...]
    notes: tuple[str, ...] = ()

    @property
    def unchecked(self) -> list[TaskEvent]:
        """The tasks that check mode had to leave out."""
        return [t for t in self.tasks if not t.checked]


class Recorder:
    """Stores task events in batches while a job runs, so that a killed job leaves what it did."""

    def __init__(self, engine: Engine, job_id: int, watch: Watch) -> None:
        self.events: list[TaskEvent] = []
        self._engine, self._job_id, self._watch = engine, job_id, watch
        self._stored, self._at = 0, time.monotonic()

    def __call__(self, event: TaskEvent) -> None:
        """Take one event; store what has gathered twice a second."""
        self.events.append(event)
        self._watch(event)
        if time.monotonic() - self._at >= FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Store what has gathered."""
        with session(self._engine) as opened:
            store.add_tasks(opened, self._job_id, self.events[self._stored :])
        self._stored, self._at = len(self.events), time.monotonic()


def settle(desk: Desk) -> list[str]:
    """Close what a killed process left open, and return a sentence for each job so closed."""
    runs.mark_interrupted(desk.engine, now=desk.clock())
    with session(desk.engine) as opened:
        dead = store.settle(opened, desk.clock())
        return [
            f"Job {j.id} ({j.mode} of {j.playbook}) was cut off when its process ended and is marked"
            f" interrupted: 'siaga job show {j.id}' says how far it came."
            for j in dead
        ]


def make_plan(desk: Desk, name: str, selector: str, given: Sequence[str], watch: Watch) -> Report:
    """Try the play on the selected hosts in check mode, and keep the result as a plan.

    Raises as `playbooks.values` and `prepare.prepare` do, and InvalidError (`bad-playbook`).
    """
    play = playbook(name, desk.settings.playbooks)
    parameters = {k: v for k, v in values(play, given).items() if any(g.startswith(f"{k}=") for g in given)}
    with reading(desk.engine) as opened:
        _allow(opened, desk, selector)
        prepared = prepare(opened, desk.vault, play, selector, parameters, connection())
    local = desk.clock().astimezone(ZoneInfo(desk.settings.timezone))
    with session(desk.engine) as opened:
        plan = Plan(
            name=store.free_name(opened, f"{play.name}-{local:%Y%m%d-%H%M%S}"),
            playbook=play.name,
            selector=selector,
            who=desk.who,
            created_at=desk.clock(),
            status="void",  # until the check has come to its end
            hosts=[h.name for h in prepared.hosts],
            parameters=parameters,
        )
        opened.add(plan)
    report, end = _run(desk, plan, prepared, prepared.hosts, "check", watch)
    _seal(desk, plan, prepared, report, end)
    return report


def _allow(opened: Session, desk: Desk, selector: str) -> None:
    """Raise AuthError (`not-allowed`) unless the user may provision every device that is meant."""
    ids = set(selected(opened, "device", selector))
    names = sorted(labels(opened, "device", ids).values()) if ids else []
    require_devices(opened, desk.who, desk.settings.access, "provisioner", names)


def _seal(desk: Desk, plan: Plan, prepared: Prepared, report: Report, end: End) -> None:
    """Give the plan its digest, and its status: ready only if the check ended and a host can be changed."""
    with session(desk.engine) as opened:
        row = opened.get_one(Plan, plan.id)
        row.job_id = report.job_id
        parts = {**digests(prepared, desk.vault), RESULT: _result(store.tasks_of(opened, report.job_id))}
        row.digest = json.dumps(parts)
        if end.status == "ran":
            row.status = "ready" if any(h.status in GOOD for h in report.hosts) else "failed"
        opened.add(row)


def _result(tasks: Sequence[TaskEvent]) -> str:
    return digest([[t.host, t.task, t.status, t.checked, t.diff] for t in tasks])


def apply_plan(desk: Desk, name: str, watch: Watch) -> Report:
    """Carry out a plan on the hosts it was checked on.

    Raises InvalidError: `plan-used`, `plan-void`, `plan-expired`, or `plan-changed` with what has changed.
    """
    plan, prepared, hosts = _checked(desk, name)
    left_out = sorted(set(plan.hosts) - {h.name for h in hosts})
    with session(desk.engine) as opened:
        if not store.claim(opened, plan.id or 0):
            raise InvalidError("plan-used", f"Plan '{name}' was just taken by another command.")
    report, _ = _run(desk, plan, prepared, hosts, "apply", watch)
    notes = list(report.notes)
    if left_out:
        notes.append(f"Not changed, because the check did not succeed there: {', '.join(left_out)}.")
    return Report(name, report.job_id, report.status, report.hosts, report.tasks, tuple(notes))


def _checked(desk: Desk, name: str) -> tuple[Plan, Prepared, list[Host]]:
    """Return a plan that may be applied, and the hosts that its check succeeded on."""
    with reading(desk.engine) as opened:
        plan = store.plan_called(opened, name)
        _allow(opened, desk, plan.selector)
        _refuse_state(plan, desk)
        known: Mapping[str, str] = json.loads(plan.digest)
        try:
            play = playbook(plan.playbook, desk.settings.playbooks)
            now = prepare(opened, desk.vault, play, plan.selector, plan.parameters, connection())
        except (InvalidError, NotFoundError) as error:
            problems = [error.sentence, *error.problems]
            raise InvalidError("plan-changed", f"Plan '{name}' no longer holds.", problems) from None
        found = {**digests(now, desk.vault), RESULT: _result(store.tasks_of(opened, plan.job_id or 0))}
        changed = [part for part in {**known, **found} if known.get(part) != found.get(part)]
        if changed:
            problems = [f"{part[:1].upper()}{part[1:]} has changed." for part in changed]
            sentence = f"Plan '{name}' no longer holds; look at a new one: siaga plan {plan.playbook}"
            raise InvalidError("plan-changed", f"{sentence} '{plan.selector}'.", problems)
        good = {h.host for h in store.hosts_of(opened, plan.job_id or 0) if h.status in GOOD}
        return plan, now, [h for h in now.hosts if h.name in good]


def _refuse_state(plan: Plan, desk: Desk) -> None:
    if plan.status == "applied":
        raise InvalidError("plan-used", f"Plan '{plan.name}' was applied already: make a new one.")
    if plan.status != "ready":
        why = "did not succeed on any host" if plan.status == "failed" else "did not come to its end"
        sentence = f"Plan '{plan.name}' is {plan.status}: its check {why}."
        raise InvalidError("plan-void", sentence)
    hours = desk.settings.provision.plan_expires_h
    if desk.clock() - plan.created_at > timedelta(hours=hours):
        sentence = f"Plan '{plan.name}' is older than {hours} h: make a new one."
        raise InvalidError("plan-expired", sentence)


def _run(
    desk: Desk, plan: Plan, prepared: Prepared, hosts: Sequence[Host], mode: str, watch: Watch
) -> tuple[Report, End]:
    """Run one job with all its records: run, job, tasks, hosts, facts."""
    names = [h.name for h in hosts]
    run_id = runs.start(desk.engine, "plan" if mode == "check" else "apply", who=desk.who, now=desk.clock())
    with session(desk.engine) as opened:
        job_id = store.add_job(opened, plan, run_id, mode, names, desk.clock())
    recorder = Recorder(desk.engine, job_id, watch)
    try:
        end = run_job(prepared.play, hosts, check=mode == "check", settings=desk.settings, on_event=recorder)
    except SiagaError as error:
        recorder.flush()
        _record(desk, run_id, job_id, "failed", tally(names, recorder.events, cut_off=True), error.sentence)
        raise
    recorder.flush()
    tallies = tally(names, recorder.events, cut_off=end.status != "ran")
    status = {"ran": judged(tallies), "cancelled": "interrupted"}.get(end.status, "failed")
    _record(desk, run_id, job_id, status, tallies, _reason(end, desk.settings))
    if mode == "apply":
        with session(desk.engine) as opened:
            facts.keep(opened, hosts, facts.learnt(recorder.events), job_id=job_id, at=desk.clock())
    notes = [*prepared.notes, *([_reason(end, desk.settings)] if end.status != "ran" else [])]
    return Report(plan.name, job_id, status, tuple(tallies), tuple(recorder.events), tuple(notes)), end


def _record(
    desk: Desk, run_id: int, job_id: int, status: str, tallies: Sequence[HostTally], reason: str
) -> None:
    with session(desk.engine) as opened:
        store.end_job(opened, job_id, status, tallies, reason, desk.clock())
    summary = {"job": job_id, "hosts": {t.host: t.status for t in tallies}}
    runs.finish(desk.engine, run_id, status, summary, now=desk.clock())


def _reason(end: End, settings: Settings) -> str:
    if end.status == "cancelled":
        return "The job was cancelled; a command already running on a host may still come to its end there."
    if end.status == "timeout":
        return f"The job was ended after {settings.provision.timeout_s} s (provision.timeout_s)."
    return f"Ansible broke off: {end.error}." if end.status == "failed" else ""
