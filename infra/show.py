"""How plans and jobs are shown: per host the differences, then a table; messages say what to do next."""

import io
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from infra.events import TaskEvent
from infra.plans import Report
from infra.results import HostTally
from siaga.outcome import Column, Format, Outcome
from siaga.render import render
from siaga.text import safe

_COLOUR = {"changed": "yellow", "failed": "red", "unreachable": "red", "interrupted": "red", "ok": "green"}
_NUMBERS = ("changed", "ok", "failed", "unreachable", "unchecked")
_TITLES = {"unchecked": "not checkable"}


def line(event: TaskEvent) -> str:
    """Return a task event as one line, or nothing if it needs no telling."""
    if event.status not in ("changed", "failed", "unreachable"):
        return ""
    said = f": {safe(event.message, 160)}" if event.message and event.status != "changed" else ""
    return f"{safe(event.host, 60)}: {event.status}: {event.task}{said}"


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
        text, said = "\n".join([text, *said]), ()
    row = {"name": report.plan, "job": report.job_id, "status": report.status}
    row |= {"partly_checked": bool(report.unchecked), "notes": list(report.notes)}
    row["hosts"] = [_host(report, h) for h in report.hosts]
    return Outcome([row], messages=[*warnings, *said], exit_code=code, single=True, format=output, text=text)


def _host(report: Report, one: HostTally) -> dict[str, Any]:
    tasks = [
        {"task": t.task, "status": t.status, "checked": t.checked, "diff": t.diff, "message": t.message}
        for t in report.tasks
        if t.host == one.host and (t.status not in ("ok", "skipped") or not t.checked)
    ]
    counts = {k: getattr(one, k) for k in (*_NUMBERS, "skipped")}
    return {"host": one.host, "status": one.status, **counts, "reason": one.reason, "tasks": tasks}


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
    messages += _unreached(report)
    good = [h for h in report.hosts if h.status in ("ok", "changed")]
    if not good or report.status == "interrupted":
        return [*messages, f"Plan {report.plan} cannot be applied: the check did not succeed."]
    if not any(h.changed or h.unchecked for h in good):
        return [*messages, "Nothing would change: there is nothing to apply."]
    return [*messages, f"Apply it with: siaga apply {report.plan}"]


def _unreached(report: Report) -> list[str]:
    names = [h.host for h in report.hosts if h.status == "unreachable"]
    return [f"Unreachable: {', '.join(names)}."] if names else []


def apply_messages(report: Report) -> list[str]:
    """Return how an apply went, in sentences."""
    changed = sum(h.status == "changed" for h in report.hosts)
    fine = sum(h.status == "ok" for h in report.hosts)
    bad = len(report.hosts) - changed - fine
    said = f"Job {report.job_id}: {changed} hosts changed, {fine} were as they should be, {bad} failed."
    return [*report.notes, *_unreached(report), said]
