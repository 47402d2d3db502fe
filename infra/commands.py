"""The commands of provisioning: plan, apply, job, playbook. Nothing heavy is imported up here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from infra.events import TaskEvent
    from infra.plans import Desk, Report

Output = Annotated[Format, typer.Option("--output", "-o", help="How the result is printed.")]
Selector = Annotated[list[str], typer.Argument(help="Which devices: role=server kecamatan=Mauk srv-*.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", help="A parameter as name=value; 'siaga playbook show' lists them."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

job_app = typer.Typer(name="job", help="Runs of Ansible: checks and applies.", no_args_is_help=True)
playbook_app = typer.Typer(name="playbook", help="The plays there are.", no_args_is_help=True)


def plan(
    playbook: Annotated[str, typer.Argument(help="The play: 'siaga playbook list' shows them.")],
    selector: Selector,
    param: Parameters = None,
    output: Output = Format.table,
) -> Outcome:
    """Try a play on devices and change nothing.

    The differences are shown, and kept as a plan that can be applied.
    """
    from infra import show
    from infra.plans import make_plan, settle
    from infra.results import exit_code
    from inventory.select import joined

    desk = _desk()
    warnings = settle(desk)
    report = _watched(
        f"plan {playbook}", lambda watch: make_plan(desk, playbook, joined(selector), param or [], watch)
    )
    said = show.plan_messages(report)
    return show.outcome(report, said, exit_code(report.status), output, diffs=True, warnings=warnings)


def apply(
    plan_name: Annotated[str, typer.Argument(metavar="PLAN", help="The name that 'siaga plan' gave.")],
    yes: Yes = False,
    output: Output = Format.table,
) -> Outcome:
    """Carry out a plan exactly as it was shown.

    On the hosts it was checked on; refused if anything has changed since.
    """
    from infra import show
    from infra.plans import apply_plan, settle
    from infra.results import exit_code

    desk = _desk()
    warnings = settle(desk)
    _agreed(desk, plan_name, yes=yes)
    report = _watched(f"apply {plan_name}", lambda watch: apply_plan(desk, plan_name, watch))
    said = show.apply_messages(report)
    return show.outcome(report, said, exit_code(report.status), output, diffs=False, warnings=warnings)


def _desk() -> "Desk":
    from infra.plans import Desk
    from inventory.store import open_engine
    from siaga.clock import utc_now
    from siaga.secrets import open_vault
    from siaga.settings import load
    from siaga.who import who

    settings = load()
    engine = open_engine(settings)
    return Desk(engine, open_vault(settings.home), settings, who(), utc_now)


def _agreed(desk: "Desk", plan_name: str, *, yes: bool) -> None:
    """Ask before hosts are changed; without a terminal --yes is the only answer."""
    import sys

    from infra import store
    from infra.results import GOOD
    from inventory.store import reading
    from siaga.errors import UsageError

    with reading(desk.engine) as session:
        found = store.plan_called(session, plan_name)
        count = sum(h.status in GOOD for h in store.hosts_of(session, found.job_id or 0))
    if yes or found.status != "ready":
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("needs-yes", "Applying a plan changes hosts: say --yes where nobody can be asked.")
    typer.confirm(f"Change {count} hosts as plan {plan_name} shows?", abort=True, err=True)


def _watched(title: str, work: Callable[[Callable[["TaskEvent"], None]], "Report"]) -> "Report":
    """Do the work and show on standard error how far it is: one moving line on a terminal, else a line each."""
    import sys

    from infra.show import line

    def tell(event: "TaskEvent") -> None:
        if text := line(event):
            print(text, file=sys.stderr, flush=True)  # noqa: T201

    if not sys.stderr.isatty():
        return work(tell)
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, markup=False, highlight=False)
    with console.status(Text(f"{title}: connecting")) as status:

        def watch(event: "TaskEvent") -> None:
            if event.status != "skipped":
                status.update(Text(f"{title}: {event.host}: {event.task}"))
            if event.status in ("changed", "failed", "unreachable"):
                console.print(Text(line(event)))

        return work(watch)


@job_app.command("list")
def job_list(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    output: Output = Format.table,
) -> Outcome:
    """List the jobs, newest first, each with its plan."""
    from infra import store
    from infra.plans import settle
    from infra.results import GOOD
    from inventory.store import session

    desk = _desk()
    warnings = settle(desk)
    with session(desk.engine) as opened:
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
            }
            for job, found, counts in store.jobs(opened, limit)
        ]
    columns = [Column(k, k.replace("_", " "), right=k in ("job", "hosts", "failed")) for k in _JOB]
    columns += [Column(k, k.replace("_", " "), wide=True) for k in _JOB_WIDE]
    return Outcome(rows, columns, messages=warnings, format=output)


_JOB = ("job", "mode", "status", "plan", "hosts", "failed", "started_at")
_JOB_WIDE = ("ended_at", "selector", "who", "plan_status", "results")


@job_app.command("show")
def job_show(
    number: Annotated[int, typer.Argument(help="The job's number.")],
    output: Output = Format.table,
) -> Outcome:
    """Show one job: each host, each task that changed or failed, and the differences."""
    from infra import show, store
    from infra.plans import Report, settle
    from infra.results import tally
    from inventory.store import session

    desk = _desk()
    warnings = settle(desk)
    with session(desk.engine) as opened:
        job, plan_name = store.job_numbered(opened, number)
        tasks = store.tasks_of(opened, number)
        hosts = {h.host: h for h in store.hosts_of(opened, number)}
    tallies = [
        t if (h := hosts[t.host]).status == t.status else _restated(t, h.status, h.reason)
        for t in tally(list(hosts), tasks)
    ]
    report = Report(plan_name, number, job.status, tuple(tallies), tuple(tasks))
    messages = [
        *warnings,
        f"Job {number}: {job.mode} of plan {plan_name}, {job.status}. {job.reason}".strip(),
    ]
    return show.outcome(report, messages, 0, output, diffs=True)


def _restated(tally: Any, status: str, reason: str) -> Any:
    """Return a tally with the status that was recorded when the job ended."""
    from dataclasses import replace

    return replace(tally, status=status, reason=reason)


@playbook_app.command("list")
def playbook_list(output: Output = Format.table) -> Outcome:
    """List the plays."""
    from infra.playbooks import playbooks
    from siaga.settings import load

    rows = [
        {"name": p.name, "title": p.title, "risk": p.risk, "platforms": ", ".join(p.platforms)}
        for p in playbooks(load().playbooks)
    ]
    return Outcome(rows, [Column(k, k) for k in ("name", "title", "risk", "platforms")], format=output)


@playbook_app.command("show")
def playbook_show(
    name: Annotated[str, typer.Argument(help="The play.")], output: Output = Format.table
) -> Outcome:
    """Show a play and its parameters."""
    from infra.playbooks import playbook
    from siaga.settings import load

    found = playbook(name, load().playbooks)
    parameters = {
        p.name: {"type": p.type, "default": p.default, "choices": list(p.choices), "help": p.help}
        for p in found.parameters
    }
    head = {"name": found.name, "title": found.title, "risk": found.risk, "platforms": list(found.platforms)}
    lines = [found.title, "", found.description, "", f"risk       {found.risk}"]
    lines += [f"platforms  {', '.join(found.platforms)}", f"file       {found.path}", "", "parameters"]
    for p in found.parameters:
        default = ", ".join(p.default) if isinstance(p.default, list) else p.default
        lines.append(f"  --param {p.name}=…  ({p.type}; {default or 'empty'})  {p.help}")
    row = {**head, "description": found.description, "path": str(found.path), "parameters": parameters}
    return Outcome([row], single=True, format=output, text="\n".join(lines))


@playbook_app.command("hosts")
def playbook_hosts(
    selector: Selector,
    playbook: Annotated[
        str, typer.Option("--playbook", help="The play whose parameters are shown.")
    ] = "baseline",
    param: Parameters = None,
) -> Outcome:
    """Show the Ansible inventory that a play would see, as JSON, without secrets."""
    import json

    from infra import playbooks
    from infra.hosts import inventory
    from infra.launch import connection
    from infra.prepare import prepare
    from inventory.select import joined
    from inventory.store import reading

    desk = _desk()
    play = playbooks.playbook(playbook, desk.settings.playbooks)
    given = {k: v for k, v in playbooks.values(play, param or []).items() if _is_given(k, param or [])}
    with reading(desk.engine) as session:
        prepared = prepare(session, desk.vault, play, joined(selector), given, connection())
    return Outcome(text=json.dumps(inventory(prepared.hosts), indent=2, ensure_ascii=False))


def _is_given(name: str, given: list[str]) -> bool:
    return any(text.startswith(f"{name}=") for text in given)
