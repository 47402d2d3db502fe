"""The commands on jobs: list, show, diff, cancel, rerun, resume. Nothing heavy is imported up here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.command_line import Output, Yes, agreed, desk, watched
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from infra.desk import Desk, Report
    from infra.models import Job

Number = Annotated[int, typer.Argument(min=1, help="The job's number.")]
job_app = typer.Typer(name="job", help="Runs of Ansible: checks and applies.", no_args_is_help=True)


@job_app.command("list")
def job_list(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    output: Output = Format.table,
) -> Outcome:
    """List the jobs, newest first, each with its plan."""
    from infra import store
    from infra.plans import settle
    from infra.results import GOOD
    from inventory.store import reading

    at = desk()
    warnings = settle(at)
    with reading(at.engine) as opened:
        rows = [
            {
                "job": job.id,
                "mode": job.mode,
                "status": job.status,
                "plan": found.name,
                "plan_status": found.status,
                "selector": found.selector,
                "who": found.who,
                "started_at": job.started_at,
                "ended_at": job.ended_at,
                "hosts": sum(counts.values()),
                "failed": sum(n for status, n in counts.items() if status not in GOOD),
                "results": counts,
                "resumes": job.resumes,
                "origin": job.origin,
            }
            for job, found, counts in store.jobs(opened, limit)
        ]
    columns = [Column(k, k.replace("_", " "), right=k in ("job", "hosts", "failed")) for k in _JOB]
    columns += [Column(k, k.replace("_", " "), wide=True) for k in _JOB_WIDE]
    return Outcome(rows, columns, messages=warnings, format=output)


_JOB = ("job", "mode", "status", "plan", "hosts", "failed", "started_at")
_JOB_WIDE = ("ended_at", "selector", "who", "plan_status", "results", "resumes", "origin")


@job_app.command("show")
def job_show(
    number: Number,
    timings: Annotated[
        bool, typer.Option("--timings", help="The slowest tasks, and the time of each host.")
    ] = False,
    output: Output = Format.table,
) -> Outcome:
    """Show one job: its steps, each host, each task that changed or failed, and the differences."""
    from infra import show
    from infra.plans import settle

    at = desk()
    warnings = settle(at)
    job, report = reported(at, number)
    messages = [*warnings]
    if output in (Format.table, Format.wide):
        messages += show.step_lines(report.steps)
        messages += show.timing_lines(report) if timings else []
    messages.append(f"Job {number}: {job.mode} of plan {report.plan}, {job.status}. {job.reason}".strip())
    return show.outcome(report, messages, 0, output, diffs=True)


def reported(at: "Desk", number: int) -> "tuple[Job, Report]":
    """Return a job with all that was recorded of it."""
    from infra import store
    from infra.desk import Report
    from inventory.store import reading

    with reading(at.engine) as opened:
        job, plan_name = store.job_numbered(opened, number)
        tallies, tasks = store.recorded(opened, number)
        steps = [s for _, s in store.steps_of(opened, number)]
    return job, Report(plan_name, number, job.status, tuple(tallies), tuple(tasks), steps=tuple(steps))


@job_app.command("diff")
def job_diff(
    number: Number,
    against: Annotated[
        int | None,
        typer.Option("--against", min=1, help="Another job. Default of an apply: the check of its plan."),
    ] = None,
    output: Output = Format.table,
) -> Outcome:
    """Show what a job did otherwise than another: than the check that was shown before it, unless you name one.

    Exit code 6 if something went otherwise.
    """
    from infra import store
    from infra.differing import differences
    from inventory.store import reading
    from siaga.errors import UsageError

    at = desk()
    with reading(at.engine) as opened:
        job, _ = store.job_numbered(opened, number)
        other = against or (store.plan_of(opened, job).job_id if job.mode == "apply" else None)
        if other is None or other == number:
            sentence = f"Job {number} is a check: say with --against which job it is compared with."
            raise UsageError("nothing-to-compare", sentence)
        store.job_numbered(opened, other)
        found = differences(store.tasks_of(opened, other), store.tasks_of(opened, number))
    rows = [vars(d) for d in found]
    columns = [Column(k, k) for k in ("host", "task", "before", "after")]
    columns.append(Column("diff", "difference", wide=True))
    said = f"{len(rows)} tasks of job {number} went otherwise than in job {other}."
    return Outcome(rows, columns, messages=[said], exit_code=6 if rows else 0, format=output)


@job_app.command("cancel")
def job_cancel(number: Number) -> Outcome:
    """End a running job in order: Ansible is stopped, and what was done so far is recorded.

    A command that already runs on a host may still come to its end there.
    """
    from infra.cancelling import cancel

    status = cancel(desk(), number)
    return Outcome(
        messages=[f"Job {number} has ended: {status}. Take it up again with: siaga job resume {number}"]
    )


@job_app.command("rerun")
def job_rerun(
    number: Number,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only the hosts that are not done: failed, unreached or left.")
    ] = False,
    output: Output = Format.table,
) -> Outcome:
    """Plan a job's play again, with the same parameters: a new check, to be looked at and applied as any plan.

    Example: siaga job rerun 12 --failed
    """
    from infra import show
    from infra.plans import make_plan, settle
    from infra.rerun import again
    from infra.results import exit_code

    at = desk()
    warnings = settle(at)
    wanted = again(at, number, failed=failed)
    report = watched(
        f"plan {wanted.playbook}",
        lambda watch: make_plan(at, wanted.playbook, wanted.selector, wanted.parameters, watch),
    )
    said = show.plan_messages(report)
    return show.outcome(report, said, exit_code(report.status), output, diffs=True, warnings=warnings)


@job_app.command("resume")
def job_resume(number: Number, yes: Yes = False, output: Output = Format.table) -> Outcome:
    """Take up an apply that was cut off, cancelled or stopped, on the hosts that are not done.

    The plan is the same, and is refused if anything has changed under it.
    """
    from infra import show
    from infra.plans import resume, settle
    from infra.results import GOOD, exit_code

    at = desk()
    warnings = settle(at)
    _, before = reported(at, number)
    names = [h.host for h in before.hosts if h.status not in GOOD]
    agreed(f"Change {len(names)} hosts as plan {before.plan} shows?", yes=yes)
    report = watched(f"resume {number}", lambda watch: resume(at, number, watch), names)
    said = show.apply_messages(report)
    return show.outcome(report, said, exit_code(report.status), output, diffs=False, warnings=warnings)


PlanFile = Annotated[Path, typer.Argument(metavar="FILE", help="The file that 'siaga job export' wrote.")]
Passphrase = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="Where the passphrase stands. Default: it is asked for."),
]


@job_app.command("export")
def job_export(
    plan_name: Annotated[str, typer.Argument(metavar="PLAN", help="A plan that may be applied.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, such as on a stick.")],
    passphrase_file: Passphrase = None,
) -> Outcome:
    """Write a plan to a file that is carried out elsewhere, where no network leads home.

    Play, variables and logins are sealed in it under a passphrase: do not let that travel with the file. Here the
    plan can be applied no more; bring its results back with 'siaga job import'.

    Example: siaga job export baseline-20261124-071502 /media/stick/mauk.plan
    """
    from infra.exporting import export_plan
    from infra.plans import settle

    at = desk()
    warnings = settle(at)
    count = export_plan(at, plan_name, file, _passphrase(passphrase_file, twice=True))
    said = f"{file} holds plan {plan_name} for {count} hosts. Carry it out there with: siaga job run {file}"
    return Outcome(messages=[*warnings, said])


@job_app.command("run")
def job_run(
    file: PlanFile, passphrase_file: Passphrase = None, yes: Yes = False, output: Output = Format.table
) -> Outcome:
    """Carry out a plan from a file, on a machine that reaches its hosts; no inventory is needed there.

    A run that was cut off is taken up where it was. The results are written beside the file at every step.
    """
    from infra import show
    from infra.district import carry_out_file, peek, results_path
    from infra.results import exit_code
    from siaga.clock import utc_now
    from siaga.settings import load
    from siaga.text import safe
    from siaga.who import who

    name, count = peek(file)
    agreed(f"Change {count} hosts as plan {safe(name, 80)} shows?", yes=yes)
    secret = _passphrase(passphrase_file, twice=False)
    report = watched(
        f"run {file.name}", lambda watch: carry_out_file(load(), file, secret, who(), utc_now, watch)
    )
    said = [*report.notes, f"Bring {results_path(file)} back, and take it in with: siaga job import FILE"]
    return show.outcome(report, said, exit_code(report.status), output, diffs=False)


@job_app.command("import")
def job_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The results that 'siaga job run' wrote.")],
) -> Outcome:
    """Take in the results of a plan that was carried out elsewhere, with what was learnt of its hosts.

    Example: siaga job import /media/stick/mauk.plan.results
    """
    from infra.exporting import import_results

    name, numbers = import_results(desk(), file)
    if not numbers:
        return Outcome(messages=[f"Nothing new: the results of plan {name} are here already."])
    jobs = ", ".join(map(str, numbers))
    return Outcome(
        messages=[f"The results of plan {name} are taken in as job {jobs}: siaga job show {numbers[-1]}"]
    )


def _passphrase(path: Path | None, *, twice: bool) -> str:
    """Return the passphrase: from a file, or asked for on a terminal."""
    import sys

    from siaga.errors import NotFoundError, UsageError

    if path is not None:
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise NotFoundError("no-such-file", f"{path} cannot be read as a passphrase.") from None
    if not sys.stdin.isatty():
        raise UsageError("needs-passphrase", "Name a file with --passphrase-file where nobody can be asked.")
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True))
