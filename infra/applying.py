"""The chain of an apply: window, look, then batch by batch backup, change and look again; a bad batch ends it.

A batch is bad when a host failed, was lost on the way, or is no longer as it was before for the monitor. Then nothing
more is touched, and what went wrong is taken back in the way that the play says. A host that never answered proves
nothing against the play: it is left out, and if it was the canary, another one goes first.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from infra import facts, playbooks, store
from infra.around import Kept
from infra.batches import Batch, Together, batches
from infra.course import Course
from infra.desk import Desk, Report, Watch
from infra.hosts import Host
from infra.launch import End, opened
from infra.models import Plan
from infra.prepare import Prepared
from infra.radius import Radius, open_view, radii
from infra.recorder import Recorder
from infra.results import GOOD, HostTally, judged, tally, unsure
from infra.rollback import taken_back
from infra.verdict import Verdict, not_ready
from inventory import runs
from inventory.host_keys import note_first_uses
from inventory.store import reading, session
from siaga.errors import SiagaError

LEASE = timedelta(seconds=120)  # a window's; renewed when a third of it is over


@dataclass(frozen=True)
class Order:
    """In which batches hosts are changed, and what hangs on each."""

    batches: Sequence[Batch]
    radii: Mapping[str, Radius]


def order(desk: Desk, hosts: Sequence[Host]) -> Order:
    """Return the order for these hosts by the network as it is recorded now."""
    devices = {h.name: h.device_id for h in hosts}
    with reading(desk.engine) as looking:
        view = open_view(looking, desk.clock().date())
    known = radii(view, devices)
    return Order(batches(known, Together(view, devices), desk.settings.provision.batch_hosts), known)


def carry_out(
    desk: Desk,
    plan: Plan,
    prepared: Prepared,
    hosts: Sequence[Host],
    watch: Watch,
    *,
    resumes: int | None = None,
    ordered: Order | None = None,
) -> Report:
    """Apply a plan on these hosts, whose locks are held, with all its records."""
    names = [h.name for h in hosts]
    run_id = runs.start(desk.engine, "apply", who=desk.who, now=desk.clock())
    with session(desk.engine) as writing:
        job_id = store.add_job(writing, plan, run_id, "apply", names, desk.clock(), resumes)
    cause = f"job {job_id}"
    try:
        with (
            Recorder(desk, job_id, watch) as recorder,
            opened(prepared.play, hosts, desk.settings) as ansible,
        ):
            found = ordered or order(desk, hosts)
            own = {h.name: h for h in hosts}
            course = Course(desk, plan, prepared, own, job_id, recorder, ansible, found.radii)
            recorder.step("lock", detail=f"{len(names)} devices")
            _open_window(course, cause)
            _batches(course, found.batches)
            _verify(course)
    except SiagaError as error:
        _failed(desk, run_id, job_id, names, error.sentence)
        raise
    except BaseException as error:
        _failed(desk, run_id, job_id, names, f"siaga itself broke off: {type(error).__name__}")
        raise
    finally:
        _close_window(desk, cause)
    return _ended(course, run_id)


def _open_window(course: Course, cause: str) -> None:
    """Open a window for the hosts, and renew it while the job lives; a killed job's ends by itself."""
    desk, windows = course.desk, course.desk.around.windows
    if windows is None:
        course.recorder.step("window", "skipped", "there is no monitor to be told")
        return
    held_at: list[datetime] = []

    def renew() -> None:
        now = desk.clock()
        if not held_at or now - held_at[-1] >= LEASE / 3:
            windows.hold(cause, course.names, now + LEASE, desk.who, now)
            held_at[:] = [now]

    renew()
    course.recorder.also(renew)
    course.recorder.step("window", detail=f"for {cause}; nobody is called meanwhile")


def _close_window(desk: Desk, cause: str) -> None:
    if desk.around.windows is not None:
        with suppress(SiagaError):  # it ends by itself
            desk.around.windows.close(cause, desk.clock())


def _batches(course: Course, planned: Sequence[Batch]) -> None:
    """Carry out the batches until one is bad."""
    course.before = course.look(*course.around(course.names))
    waiting = deque(planned)
    total, number = len(planned), 0
    as_it_was = playbooks.digest(course.prepared.play)
    while waiting and not course.stopped and course.end.status == "ran":
        if number and playbooks.digest(course.prepared.play) != as_it_was:
            course.stopped = "Stopped: the playbook or one of its roles was changed while it was applied."
            course.recorder.step("checks", "failed", course.stopped)
            return
        batch, number = waiting.popleft(), number + 1
        ready = _ready(course, batch.hosts, number)
        if ready:
            said = "canary" if batch.canary else f"batch {number} of {max(total, number + len(waiting))}"
            _batch(course, ready, number, said, waiting[0].hosts if waiting else ())
        proven = any(course.tallies[n].status in GOOD for n in batch.hosts)
        if batch.canary and not proven and not course.stopped and waiting:
            first, *rest = waiting.popleft().hosts  # the canary never sang: another one goes first
            waiting.extendleft([Batch(tuple(rest))] * bool(rest) + [Batch((first,), canary=True)])


def _ready(course: Course, names: Sequence[str], number: int) -> list[str]:
    """Return the hosts that may be touched now: the monitor does not find them down, and their state is kept."""
    checks = course.prepared.play.pre_checks
    reasons = {n: not_ready(n, course.before, checks) for n in names}
    kept = _kept(course, [n for n in names if not reasons[n]], "")
    for name in names:
        one = kept.get(name, Kept())
        failure = f"its configuration could not be kept: {one.failure}" if one.failure else ""
        reason = reasons[name] or failure
        course.tallies[name] = HostTally(name, reason=reason, batch=number, before=one.name)
        if reason:
            course.recorder.step("before", "failed", f"{name} is left alone: {reason}")
    return [n for n in names if not course.tallies[n].reason]


def _kept(course: Course, names: Sequence[str], job: str) -> Mapping[str, Kept]:
    """Return what names the configurations of these devices as they are now."""
    backup = course.desk.around.backup
    return backup(names, job) if backup is not None and names else {}


def _batch(course: Course, names: list[str], number: int, said: str, ahead: Sequence[str]) -> None:
    """Change the hosts of one batch, look at them, and take back what went wrong."""
    course.recorder.step("batch", detail=f"{said}: {', '.join(names)}")
    seen = len(course.recorder.events)
    hosts = [course.hosts[n] for n in names]
    following = [course.hosts[n] for n in ahead]
    begun = not course.ansible.cancelled
    course.end = course.ansible.run(hosts, check=False, on_event=course.recorder, ahead=following)
    cut_off = course.end.status != "ran"
    done = tally(names, course.recorder.events[seen:], cut_off=cut_off)
    for one in unsure(done) if cut_off and begun else done:
        course.tallies[one.host] = replace(one, batch=number, before=course.tallies[one.host].before)
    if course.end.status == "ran":
        verdicts = course.looked_after([n for n in names if course.tallies[n].touched])
        _judge(course, verdicts, said)
    _keep(course, names)


def _judge(course: Course, verdicts: Mapping[str, Verdict], said: str) -> None:
    """Note how the hosts are; a bad one ends the job, and is taken back if the play can."""
    for name, verdict in verdicts.items():
        worse = "" if verdict.good else f"after the change {verdict}"
        one = course.tallies[name]
        status = "failed" if worse and one.status in GOOD else one.status  # what was lost stays so
        course.tallies[name] = replace(one, verdict=str(verdict), status=status, reason=one.reason or worse)
    names = [n for n, t in course.tallies.items() if not t.rolled_back and _bad(t)]
    if not names:
        course.recorder.step("checks", detail=f"{said}: {_seen(verdicts)}")
        return
    reasons = "; ".join(f"{n}: {course.tallies[n].reason}" for n in names).rstrip(".")
    course.recorder.step("checks", "failed", f"{said}: {reasons}")
    course.stopped = f"Stopped after {said}: {reasons}."
    back = taken_back(course, names)
    for name, good in back.items():
        course.tallies[name] = replace(course.tallies[name], rolled_back=good)


def _bad(one: HostTally) -> bool:
    """Tell whether a host speaks against going on: it failed, or was lost after something had run there."""
    return one.status == "failed" or (one.status == "unreachable" and one.touched)


def _seen(verdicts: Mapping[str, Verdict]) -> str:
    unseen = [n for n, v in verdicts.items() if v.unseen]
    if not verdicts or len(unseen) == len(verdicts):
        return "the tasks went well; the monitor sees none of these devices"
    return "as before" + (f"; not observed: {', '.join(unseen)}" if unseen else "")


def _keep(course: Course, names: Sequence[str]) -> None:
    """Store what the batch came to, so that a job that is killed later is resumed behind it."""
    course.recorder.flush()
    changed = [n for n in names if course.tallies[n].changed]
    try:
        for name, one in _kept(course, changed, f"job:{course.job_id}").items():
            course.tallies[name] = replace(course.tallies[name], after=one.name)
    except SiagaError as error:  # what was changed is changed: that nobody kept it afterwards is only said
        course.recorder.step("after", "failed", error.sentence)
    if course.end.status == "ran":
        with session(course.desk.engine) as writing:
            store.keep_hosts(writing, course.job_id, [course.tallies[n] for n in names])


def _verify(course: Course) -> None:
    """Look at all hosts once more at the end, where there were several batches."""
    done = [n for n, t in course.tallies.items() if t.status in GOOD]
    several = len({course.tallies[n].batch for n in done}) > 1
    if course.end.status != "ran" or not several or course.desk.around.look is None:
        return
    verdicts = course.looked_after(done)
    worse = {n: str(v) for n, v in verdicts.items() if not v.good}
    for name, why in worse.items():
        course.tallies[name] = replace(
            course.tallies[name], status="failed", verdict=why, reason=f"at last {why}"
        )
    detail = "; ".join(f"{n}: {w}" for n, w in worse.items()) or f"{len(done)} hosts are as before"
    course.recorder.step("verify", "failed" if worse else "ok", detail)


def _ended(course: Course, run_id: int) -> Report:
    """Record the end of the job, and return its report."""
    desk, end = course.desk, course.end
    tallies = [course.tallies.get(n, HostTally(n)) for n in course.names]
    status = ended_as(end, tallies)
    reason = " ".join(filter(None, [course.stopped, why(end, desk.settings.provision.timeout_s)]))
    with session(desk.engine) as writing:
        facts.keep(
            writing,
            list(course.hosts.values()),
            facts.learnt(course.recorder.events),
            job_id=course.job_id,
            at=desk.clock(),
        )
        note_first_uses(
            writing, desk.settings.home, who=desk.who, now=desk.clock(), cause=f"job:{course.job_id}"
        )
    record(desk, run_id, course.job_id, status, tallies, reason)
    rec = course.recorder
    notes = [*course.prepared.notes, *([reason] if reason else [])]
    return Report(
        course.plan.name,
        course.job_id,
        status,
        tuple(tallies),
        tuple(rec.events),
        tuple(notes),
        tuple(rec.steps),
        dict(course.radii),
        risk=course.prepared.play.risk,
    )


def _failed(desk: Desk, run_id: int, job_id: int, names: Sequence[str], reason: str) -> None:
    """Record that the job broke off; what could be stored of it is counted."""
    with suppress(SiagaError):
        with reading(desk.engine) as looking:
            kept = {h.host for h in store.hosts_of(looking, job_id) if h.status != "not run"}
            events = store.tasks_of(looking, job_id)
        rest = [n for n in names if n not in kept]
        record(desk, run_id, job_id, "failed", tally(rest, events, cut_off=True), reason)


def record(
    desk: Desk, run_id: int, job_id: int, status: str, tallies: Sequence[HostTally], reason: str
) -> None:
    """Store how a job ended, and end its run."""
    with session(desk.engine) as writing:
        store.end_job(writing, job_id, status, tallies, reason, desk.clock())
    summary = {"job": job_id, "hosts": {t.host: t.status for t in tallies}}
    runs.finish(desk.engine, run_id, status, summary, now=desk.clock())


def ended_as(end: End, tallies: Sequence[HostTally]) -> str:
    """Return a job's status: what its hosts came to, if Ansible came to its end."""
    return {"ran": judged(tallies), "cancelled": "interrupted"}.get(end.status, "failed")


def why(end: End, timeout_s: int) -> str:
    """Return why a job ended before its time, as a sentence; '' if it did not."""
    if end.status == "cancelled":
        return "The job was cancelled; a command already running on a host may still come to its end there."
    if end.status == "timeout":
        return f"The job was ended after {timeout_s} s (provision.timeout_s)."
    return f"Ansible broke off: {end.error}." if end.status == "failed" else ""
