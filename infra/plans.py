"""Plan, then apply: a check run with its diff is stored; only what somebody has seen is carried out.

A plan stands on the playbook tree, the parameters, the hosts, their variables and the result of its check.
If any of them has changed since, it is refused. Hosts that could not be checked are not changed either.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from infra import approvals, store
from infra.applying import carry_out, ended_as, record, why
from infra.desk import Desk, Report, Watch
from infra.events import TaskEvent
from infra.hosts import Host
from infra.launch import End, connection, run_job
from infra.locks import locked
from infra.models import Job, Plan
from infra.playbooks import playbook, said
from infra.prepare import Prepared, digest, digests, prepare
from infra.radius import Radius, from_plain, open_view, radii
from infra.recorder import Recorder
from infra.results import GOOD, tally
from inventory import runs
from inventory.access import require_devices
from inventory.select import selected
from inventory.store import labels, reading, session
from siaga.errors import InvalidError, NotFoundError, SiagaError

RESULT = "the stored result of the check"


def settle(desk: Desk) -> list[str]:
    """Close what a killed process left open, and return a sentence for each job so closed."""
    runs.mark_interrupted(desk.engine, now=desk.clock())
    with session(desk.engine) as opened:
        dead = store.settle(opened, desk.clock())
        found = [(j.id, j.mode, j.playbook) for j in dead]
    for job_id, _, _ in found:
        if desk.around.windows is not None:
            desk.around.windows.close(f"job {job_id}", desk.clock())
    return [
        f"Job {number} ({mode} of {name}) was cut off when its process ended and is marked interrupted:"
        f" 'siaga job show {number}' says how far it came."
        + (f" 'siaga job resume {number}' takes up the hosts that are not done." if mode == "apply" else "")
        for number, mode, name in found
    ]


def make_plan(
    desk: Desk,
    name: str,
    selector: str,
    given: Sequence[str],
    watch: Watch,
    *,
    finding: int | None = None,
) -> Report:
    """Try the play on the selected hosts in check mode, and keep the result as a plan.

    Raises as `playbooks.values` and `prepare.prepare` do, and InvalidError (`bad-playbook`).
    """
    prepared, radius = ready(desk, name, selector, given)
    play = prepared.play
    local = desk.clock().astimezone(ZoneInfo(desk.settings.timezone))
    with session(desk.engine) as opened:
        store.forget_tasks(opened, desk.clock() - timedelta(days=desk.settings.provision.keep_days))
        plan = Plan(
            name=store.free_name(opened, f"{play.name}-{local:%Y%m%d-%H%M%S}"),
            playbook=play.name,
            selector=selector,
            who=desk.who,
            created_at=desk.clock(),
            status="void",  # until the check has come to its end
            risk=play.risk,
            needs_approval=approvals.needed(play, desk.settings),
            finding_id=finding,
            radius={n: r.plain() for n, r in radius.items()},
            hosts=[h.name for h in prepared.hosts],
            parameters=said(play, given),
        )
        opened.add(plan)
    report, end = _check(desk, plan, prepared, radius, watch)
    _seal(desk, plan, prepared, report, end)
    return report


def ready(desk: Desk, name: str, selector: str, given: Sequence[str]) -> tuple[Prepared, dict[str, Radius]]:
    """Return all that a plan needs before Ansible starts: play, hosts with their variables, and what hangs on them."""
    play = playbook(name, desk.settings.playbooks)
    parameters = said(play, given)
    with reading(desk.engine) as opened:
        _allow(opened, desk, selector)
        prepared = prepare(opened, desk.vault, play, selector, parameters, connection(), desk.around.restore)
        view = open_view(opened, desk.clock().date())
    return prepared, radii(view, {h.name: h.device_id for h in prepared.hosts})


def _allow(opened: Session, desk: Desk, selector: str) -> None:
    """Raise AuthError (`not-allowed`) unless the user may provision every device that is meant."""
    ids = set(selected(opened, "device", selector))
    names = sorted(labels(opened, "device", ids).values()) if ids else []
    require_devices(opened, desk.who, desk.settings.access, "provisioner", names)


def _check(
    desk: Desk, plan: Plan, prepared: Prepared, radius: dict[str, Radius], watch: Watch
) -> tuple[Report, End]:
    """Run the check with its records: run, job, tasks, hosts."""
    names = [h.name for h in prepared.hosts]
    run_id = runs.start(desk.engine, "plan", who=desk.who, now=desk.clock())
    with session(desk.engine) as opened:
        job_id = store.add_job(opened, plan, run_id, "check", names, desk.clock())
    events: list[TaskEvent] = []
    try:
        with Recorder(desk, job_id, watch) as recorder:
            events = recorder.events
            end = run_job(
                prepared.play, prepared.hosts, check=True, settings=desk.settings, on_event=recorder
            )
    except SiagaError as error:
        record(desk, run_id, job_id, "failed", tally(names, events, cut_off=True), error.sentence)
        raise
    tallies = tally(names, events, cut_off=end.status != "ran")
    status = ended_as(end, tallies)
    reason = why(end, desk.settings.provision.timeout_s)
    record(desk, run_id, job_id, status, tallies, reason)
    notes = (*prepared.notes, *([reason] if reason else []))
    report = Report(
        plan.name,
        job_id,
        status,
        tuple(tallies),
        tuple(events),
        notes,
        radii=radius,
        needs_approval=plan.needs_approval,
        risk=plan.risk,
    )
    return report, end


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

    Raises InvalidError: `plan-used`, `plan-void`, `plan-expired`, or `plan-changed` with what has changed;
    ApprovalError (`needs-approval`); BusyError (`device-busy`) while another process holds one of the devices.
    """
    plan, prepared, hosts = checked(desk, name)
    left_out = sorted(set(plan.hosts) - {h.name for h in hosts})
    with locked(desk.settings, hosts):
        with session(desk.engine) as opened:
            if not store.claim(opened, plan.id or 0, "applied"):
                raise InvalidError("plan-used", f"Plan '{name}' was just taken by another command.")
        report = carry_out(desk, plan, prepared, hosts, watch)
    if not left_out:
        return report
    note = f"Not changed, because the check did not succeed there: {', '.join(left_out)}."
    return replace(report, notes=(*report.notes, note))


def resume(desk: Desk, job_id: int, watch: Watch) -> Report:
    """Take up an apply that was cut off or stopped: the same plan, on the hosts that are not done.

    Raises as `apply_plan` does, and InvalidError (`nothing-to-resume`).
    """
    with reading(desk.engine) as opened:
        job, name = store.job_numbered(opened, job_id)
        done = {h.host for h in store.hosts_of(opened, job_id) if h.status in GOOD}
    _refuse_resuming(desk, job)
    plan, prepared, hosts = checked(desk, name, again=True)
    rest = [h for h in hosts if h.name not in done]
    if not rest:
        raise InvalidError("nothing-to-resume", f"Job {job_id} has changed all its hosts.")
    with locked(desk.settings, rest):
        return carry_out(desk, plan, prepared, rest, watch, resumes=job_id)


def _refuse_resuming(desk: Desk, job: Job) -> None:
    if job.mode != "apply":
        raise InvalidError("nothing-to-resume", f"Job {job.id} was a check: make a new plan.")
    if job.status in ("running", "ok"):
        said = "is running still" if job.status == "running" else "has changed all its hosts"
        raise InvalidError("nothing-to-resume", f"Job {job.id} {said}.")
    with reading(desk.engine) as opened:
        later = store.resumed_by(opened, job.id or 0)
    if later is not None:
        sentence = f"Job {job.id} was taken up by job {later}: resume that one."
        raise InvalidError("nothing-to-resume", sentence)


def checked(desk: Desk, name: str, *, again: bool = False) -> tuple[Plan, Prepared, list[Host]]:
    """Return a plan that may be applied now, and the hosts that its check succeeded on.

    `again`: it was applied already, and its remaining hosts are meant. Raises as `apply_plan` does.
    """
    with reading(desk.engine) as opened:
        plan = store.plan_called(opened, name)
        _allow(opened, desk, plan.selector)
        _refuse_state(plan, desk, again=again)
        now = _as_it_was(opened, desk, plan)
        approvals.require(opened, plan, desk)
        good = {h.host for h in store.hosts_of(opened, plan.job_id or 0) if h.status in GOOD}
        return plan, now, [h for h in now.hosts if h.name in good]


def _as_it_was(opened: Session, desk: Desk, plan: Plan) -> Prepared:
    """Return the play and hosts of a plan; raises InvalidError (`plan-changed`) unless all is as it was."""
    known: Mapping[str, str] = json.loads(plan.digest)
    try:
        play = playbook(plan.playbook, desk.settings.playbooks)
        now = prepare(
            opened, desk.vault, play, plan.selector, plan.parameters, connection(), desk.around.restore
        )
    except (InvalidError, NotFoundError) as error:
        problems = [error.sentence, *error.problems]
        raise InvalidError("plan-changed", f"Plan '{plan.name}' no longer holds.", problems) from None
    found = {**digests(now, desk.vault), RESULT: _result(store.tasks_of(opened, plan.job_id or 0))}
    changed = [part for part in {**known, **found} if known.get(part) != found.get(part)]
    if changed:
        problems = [f"{part[:1].upper()}{part[1:]} has changed." for part in changed]
        sentence = f"Plan '{plan.name}' no longer holds; look at a new one: siaga plan {plan.playbook}"
        raise InvalidError("plan-changed", f"{sentence} '{plan.selector}'.", problems)
    return now


def _refuse_state(plan: Plan, desk: Desk, *, again: bool) -> None:
    if plan.status == "applied" and not again:
        raise InvalidError("plan-used", f"Plan '{plan.name}' was applied already: make a new one.")
    if plan.status == "exported":
        sentence = f"Plan '{plan.name}' was taken elsewhere to be carried out: bring its results back with"
        raise InvalidError("plan-used", f"{sentence} 'siaga job import'.")
    if plan.status == "rejected":
        raise InvalidError("plan-void", f"Plan '{plan.name}' was rejected: 'siaga plan show' says why.")
    if plan.status not in ("ready", "applied"):
        reason = "did not succeed on any host" if plan.status == "failed" else "did not come to its end"
        sentence = f"Plan '{plan.name}' is {plan.status}: its check {reason}."
        raise InvalidError("plan-void", sentence)
    if desk.clock() > approvals.expires_at(plan, desk.settings):
        hours = desk.settings.provision.plan_expires_h
        sentence = f"Plan '{plan.name}' is older than {hours} h: make a new one."
        raise InvalidError("plan-expired", sentence)


def reported(desk: Desk, name: str) -> tuple[Plan, Report]:
    """Return a plan with what its check said, as it was shown when it was made."""
    with reading(desk.engine) as opened:
        plan = store.plan_called(opened, name)
        tallies, tasks = store.recorded(opened, plan.job_id or 0)
    status = "ok" if all(t.status in GOOD for t in tallies) else "partial"
    return plan, Report(
        name,
        plan.job_id or 0,
        status if plan.status != "failed" else "failed",
        tuple(tallies),
        tuple(tasks),
        radii=from_plain(plan.radius, plan.hosts),
        needs_approval=plan.needs_approval,
        risk=plan.risk,
    )
