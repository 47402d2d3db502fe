"""How plans and jobs are shown: per host the differences, then a table; messages say what to do next."""

import io
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from infra.desk import Report, Step
from infra.events import TaskEvent
from infra.network import BY_SIAGA
from infra.results import HostTally
from siaga.outcome import Column, Format, Outcome
from siaga.render import render
from siaga.text import safe

_COLOUR = {"changed": "yellow", "failed": "red", "unreachable": "red", "interrupted": "red", "ok": "green"}
_NUMBERS = ("changed", "ok", "failed", "unreachable", "unchecked")
_TITLES = {"unchecked": "not checkable"}


def outcome(
    report: Report,
    said: Sequence[str],
    code: int,
    output: Format,
    *,
    diffs: bool,
    warnings: Sequence[str] = (),
) -> Outcome:
    """Return a report as one object for programs, as text for people.

    What is `said` ends the text, because a long difference would push it off the screen; beside data for a
    program it goes to standard error.
    """
    text = None
    if output in (Format.table, Format.wide):
        text = (_differences(report) if diffs else "") + _table(report.hosts, output)
        text += "".join(f"{said}\n" for said in radius_lines(report))
        text, said = "\n".join([text, *said]), ()
    row = {"name": report.plan, "job": report.job_id, "status": report.status}
    row |= {"partly_checked": bool(report.unchecked), "notes": list(report.notes)}
    row |= {"risk": report.risk, "needs_approval": report.needs_approval}
    row["steps"] = [vars(s) for s in report.steps]
    row["hosts"] = [_host(report, h) for h in report.hosts]
    return Outcome([row], messages=[*warnings, *said], exit_code=code, single=True, format=output, text=text)


def _host(report: Report, one: HostTally) -> dict[str, Any]:
    tasks = [
        {"task": t.task, "status": t.status, "checked": t.checked, "diff": t.diff, "message": t.message}
        for t in report.tasks
        if t.host == one.host and (t.status not in ("ok", "skipped") or not t.checked)
    ]
    counts = {k: getattr(one, k) for k in (*_NUMBERS, "skipped")}
    radius = report.radii[one.host].plain() if one.host in report.radii else None
    found = {k: getattr(one, k) for k in ("batch", "duration_s", "before", "after", "verdict", "rolled_back")}
    host = {"host": one.host, "status": one.status, **counts, "reason": one.reason, **found}
    return {**host, "radius": radius, "tasks": tasks}


def radius_lines(report: Report) -> Iterator[str]:
    """Yield what hangs on the hosts: a line for each on which something does, one for those nobody knows of."""
    known = {h.host: report.radii[h.host] for h in report.hosts if h.host in report.radii}
    for name, radius in known.items():
        if radius.devices or radius.services or radius.agencies:
            yield f"{safe(name, 60)}: {safe(radius.says, 400)}"
            if radius.services:
                yield f"  services: {safe(', '.join(radius.services), 400)}"
    unknown = sum(r.depth is None for r in known.values())
    if known and unknown:
        yield f"What hangs on {unknown} of {len(known)} hosts is not known: no line to them is recorded."


def _differences(report: Report) -> str:
    """Return each host's changes and their differences as text, coloured on a terminal, never cut."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=sys.stdout.isatty(), markup=False, highlight=False)
    for one in report.hosts:
        for text in _host_lines(one.host, [t for t in report.tasks if t.host == one.host]):
            console.print(text, soft_wrap=True)
    return out.getvalue()


def _host_lines(host: str, tasks: Sequence[TaskEvent]) -> Iterator[Text]:
    told = [t for t in tasks if t.status in ("changed", "failed", "unreachable") or not t.checked]
    if not told:
        return
    yield Text(safe(host, 60), style="bold")
    for task in told:
        status = task.status if task.checked else "not checkable"
        said = f": {task.message}" if task.message and task.status != "changed" else ""
        yield Text(f"  {status}: {task.task}{said}", style=_COLOUR.get(task.status, ""))
        yield from (_diff_line(text) for text in task.diff.splitlines())
    yield Text("")


def _diff_line(text: str) -> Text:
    style = {"+": "green", "-": "red", "@": "cyan"}.get(text[:1], "dim")
    return Text(f"    {text}", style="dim" if text.startswith(("+++", "---")) else style)


def _table(hosts: Sequence[HostTally], output: Format) -> str:
    columns = [Column("host", "host"), Column("status", "status")]
    columns += [Column(k, _TITLES.get(k, k), right=True) for k in _NUMBERS]
    columns.append(Column("reason", "reason"))
    rows = [{c.key: getattr(h, c.key) for c in columns} for h in hosts]
    return render(Outcome(rows, columns, format=output, style={("status", k): v for k, v in _COLOUR.items()}))


def plan_messages(report: Report) -> list[str]:
    """Return what a plan's reader must know, and what to type next."""
    messages = list(report.notes)
    if report.unchecked:
        names = sorted({t.task for t in report.unchecked})
        shown = "; ".join(names[:5]) + ("; …" if len(names) > 5 else "")
        messages.append(
            f"Partly checked: {len(names)} tasks cannot be tried without doing them, so what they change is"
            f" not shown: {shown}."
        )
    messages += _bound_to_us(report) + _unreached(report)
    good = [h for h in report.hosts if h.status in ("ok", "changed")]
    if not good or report.status == "interrupted":
        return [*messages, f"Plan {report.plan} cannot be applied: the check did not succeed."]
    if not any(h.changed or h.unchecked for h in good):
        return [*messages, "Nothing would change: there is nothing to apply."]
    if report.needs_approval:
        messages.append(f"It waits for a second person, who says: siaga plan approve {report.plan}")
        return [*messages, f"Then apply it with: siaga apply {report.plan}"]
    return [*messages, f"Apply it with: siaga apply {report.plan}"]


def _bound_to_us(report: Report) -> list[str]:
    names = sorted({t.host for t in report.tasks if t.diff.startswith(BY_SIAGA)})
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    said = (
        f"No timer of its own takes the change back on {shown}: siaga does, as long as its first login lives."
    )
    return [said] if names else []


def _unreached(report: Report) -> list[str]:
    names = [h.host for h in report.hosts if h.status == "unreachable"]
    return [f"Unreachable: {', '.join(names)}."] if names else []


def apply_messages(report: Report) -> list[str]:
    """Return how an apply went, in sentences."""
    changed = sum(h.status == "changed" for h in report.hosts)
    fine = sum(h.status == "ok" for h in report.hosts)
    waiting = sum(h.status == "not run" for h in report.hosts)
    bad = len(report.hosts) - changed - fine - waiting
    back = sum(h.rolled_back for h in report.hosts)
    said = f"Job {report.job_id}: {changed} hosts changed, {fine} were as they should be, {bad} failed"
    said += f" ({back} taken back)" if back else ""
    said += f", {waiting} were not touched." if waiting else "."
    return [*report.notes, *_unreached(report), said, *_next(report, bad, waiting)]


def _next(report: Report, bad: int, waiting: int) -> list[str]:
    """Return what to type for the hosts that are not done."""
    messages = []
    if report.status == "interrupted" or waiting:
        messages.append(f"Take up the hosts that are not done with: siaga job resume {report.job_id}")
    if bad:
        messages.append(f"Plan those that failed again with: siaga job rerun {report.job_id} --failed")
    return messages


def step_lines(steps: Sequence[Step]) -> list[str]:
    """Return the steps of an apply, one line each."""
    return [f"  {s.name:<9}{s.status:<8} {safe(s.detail, 400)}".rstrip() for s in steps]


def timing_lines(report: Report, number: int = 10) -> list[str]:
    """Return how long the hosts took, and the tasks that took longest, each over all hosts."""
    hosts = sorted(report.hosts, key=lambda h: -(h.duration_s or 0))
    lines = [f"  {h.duration_s or 0:8.1f} s  {safe(h.host, 60)}" for h in hosts[:number]]
    spent: dict[str, list[float]] = {}
    for task in report.tasks:
        spent.setdefault(task.task, []).append(task.duration_s or 0.0)
    slow = sorted(spent.items(), key=lambda pair: -sum(pair[1]))[:number]
    tasks = [f"  {sum(s):8.1f} s  {name} ({len(s)} hosts, longest {max(s):.1f} s)" for name, s in slow]
    return ["Hosts by time:", *lines, "Tasks by time:", *tasks]
