"""The commands on configurations: back them up, show, compare, search, and prepare their restoring."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import Fields, Output, Selector, Yes, split
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from monitor.configs.due import Standing
    from monitor.configs.run import Round

app = typer.Typer(
    name="backup", help="Device configurations: kept, compared, searched.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="The device's name.")]
_STYLE = {
    ("result", "stored"): "green",
    ("state", "good"): "green",
    ("state", "old"): "yellow",
    ("state", "failing"): "bold red",
    ("state", "never"): "red",
    ("state", "no login"): "yellow",
    ("state", "unknown"): "dim",
    **{("result", r): "red" for r in ("silent", "refused", "incomplete", "garbled", "failed")},
    ("result", "host-key-changed"): "bold red",
    ("result", "busy"): "yellow",
}


@app.command("run")
def run(
    selector: Selector = None,
    due_only: Annotated[
        bool, typer.Option("--due", help="Only those whose interval is over, or for whom somebody asked.")
    ] = False,
    cause: Annotated[
        str, typer.Option("--cause", help="What explains a change, as job:7; without, it is out-of-band.")
    ] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what changed or failed.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Read the configurations of devices now, and keep what changed.

    One commit holds what one run found changed. For cron and systemd: siaga backup run --due --quiet.

    Examples: siaga backup run · siaga backup run rtr-kec-mauk · siaga backup run role=router --due
    """
    from inventory.access import require
    from inventory.runs import recorded
    from inventory.store import open_engine, reading
    from monitor.commands import chosen
    from monitor.configs.due import due, overview
    from monitor.configs.run import back_up
    from monitor.configs.service import summary_of
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    engine = open_engine(settings)
    ids = chosen(engine, _named(selector or []))
    with reading(engine) as session:
        if due_only:
            ids = due(session, settings.backup, utc_now(), set(ids))
        elif not selector:  # whoever nobody can log in to is told of by 'backup list', not tried each time
            found = overview(session, utc_now(), _week(), set(ids))
            ids = [s.device_id for s in found if s.state not in ("unknown", "no login")]
    if not ids:
        return Outcome([], format=output, messages=[] if quiet else ["There is nothing to back up now."])
    summary: dict[str, Any] = {}
    with recorded(engine, "backup", who=who(), summary=summary) as run_id, _Bar(len(ids), quiet) as step:
        done = back_up(
            engine, settings, ids, who=who(), now=utc_now, run_id=run_id, cause=cause, progress=step
        )
        summary.update(summary_of(done))
        summary["left_out"] = summary["failed"]
    return _ran(done, output, fields, quiet)


def _named(selector: Sequence[str]) -> list[str]:
    """Let a single word be a device's name."""
    if len(selector) == 1 and not any(c in selector[0] for c in "=~<>!@: "):
        return [f"name={selector[0]}"]
    return list(selector)


def _week() -> "timedelta":
    from datetime import timedelta

    return timedelta(days=7)


def _ran(done: "Round", output: Format, fields: str, quiet: bool) -> Outcome:
    good = done.count("stored", "unchanged")
    failed = len(done.kept) - good
    said = (
        f"{_count(len(done.kept), 'device')}: {done.count('stored')} changed,"
        f" {done.count('unchanged')} unchanged, {failed} not backed up."
    )
    if done.interrupted:
        said = f"Interrupted; what had come is kept. {said}"
    rows = [
        {
            "device": k.name,
            "result": k.result,
            "added": k.added,
            "removed": k.removed,
            "cause": k.cause,
            "author": k.author,
            "took_s": round(k.took_s, 2),
            "reason": k.reason,
        }
        for k in done.kept
    ]
    shown = rows if output is not Format.table else [r for r in rows if r["result"] != "unchanged"]
    columns = [
        Column("device", "device"),
        Column("result", "result"),
        Column("added", "+", right=True),
        Column("removed", "-", right=True),
        Column("cause", "cause"),
        Column("author", "by"),
        Column("took_s", "s", wide=True, right=True),
        Column("reason", "reason"),
    ]
    return Outcome(
        shown or (None if output is Format.table else []),
        columns,
        messages=[] if quiet and not shown else [said],
        exit_code=7 if failed and good else 1 if failed else 0,
        format=output,
        fields=split(fields),
        style=_STYLE,
    )


@app.command("list")
def list_(
    selector: Selector = None,
    older_than: Annotated[
        str, typer.Option("--older-than", help="Only those without a good backup of that age: 7d, 24h.")
    ] = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List how each device's backup stands: when it was last read whole, what changed, what fails.

    Good is younger than 7 days, or than --older-than says. Figures survive restarts: they are rows of the database.
    """
    from inventory.store import open_engine, reading
    from monitor.commands import chosen
    from monitor.configs.due import coverage, overview
    from siaga.clock import moment, utc_now
    from siaga.settings import load

    settings, now = load(), utc_now()
    age = now - moment(older_than, now, settings.timezone) if older_than else _week()
    engine = open_engine(settings)
    ids = chosen(engine, _named(selector or []))
    with reading(engine) as session:
        found = overview(session, now, age, set(ids))
    good, ought = coverage(found)
    rows = [_row(s, now, output) for s in found if not older_than or s.state not in ("good", "unknown")]
    share = f" ({100 * good / ought:.0f} %)" if ought else ""
    said = f"{good} of {ought} devices{share} have a good backup younger than {older_than or '7d'}."
    columns = [Column(k, t) for k, t in (("state", "state"), ("name", "name"), ("role", "role"))]
    columns += [Column("platform", "platform"), Column("age", "last good"), Column("changed", "changed")]
    columns += [Column(k, k, wide=True, right=True) for k in ("lines", "runs", "changes", "took_s")]
    columns += [Column("failures", "failed", right=True), Column("reason", "reason")]
    return Outcome(rows, columns, messages=[said], format=output, fields=split(fields), style=_STYLE)


def _row(s: "Standing", now: "datetime", output: Format) -> dict[str, Any]:
    from dataclasses import asdict

    from monitor.show import duration
    from siaga.clock import shown

    row: dict[str, Any] = asdict(s)
    for key in ("ok_at", "tried_at", "changed_at"):
        row[key] = shown(row[key]) or None
    row["age_s"] = (now - s.ok_at).total_seconds() if s.ok_at else None
    if output in (Format.table, Format.wide):
        row["age"] = f"{duration(row['age_s'])} ago" if s.ok_at else "never"
        row["changed"] = (row["changed_at"] or "")[:16].replace("T", " ")
        row["reason"] = s.reason if s.failures else ""
    return row


@app.command("show")
def show(
    device: Name,
    at: Annotated[str, typer.Option("--at", help="As it was then: 2026-08-01, 3d (ago).")] = "",
    number: Annotated[bool, typer.Option("--history", help="The versions instead of a text.")] = False,
    output: Output = Format.table,
) -> Outcome:
    """Show a device's configuration, secrets masked: now, or as it was at a time.

    A masked secret has a mark, which changes when the secret does.
    """
    from inventory.store import open_engine, reading
    from monitor.configs import views
    from monitor.configs.repo import Repository
    from monitor.configs.store import versions
    from siaga.clock import shown
    from siaga.settings import load

    settings = load()
    with reading(open_engine(settings)) as session:
        row = views.device_of(session, device)
        version = views.version_at(session, row, _moment(at))
        listed = versions(session, row.id or 0) if number else []
    told = {
        "device": row.name,
        "at": shown(version.at),
        "commit": version.commit,
        "author": version.author,
        "cause": version.cause,
    }
    if number:
        keys = ("at", "author", "cause", "added", "removed", "commit")
        rows = [{k: shown(v.at) if k == "at" else getattr(v, k) for k in keys} for v in listed]
        return Outcome(rows, [Column(k, k) for k in keys], format=output)
    lines = views.shown(Repository(settings.home), version)
    if output is not Format.table:
        return Outcome([{**told, "lines": lines}], single=True, format=output)
    return Outcome(text="".join(f"{line}\n" for line in lines), messages=[_headed(told)])


def _headed(told: dict[str, str]) -> str:
    by = f" by {told['author']}" if told["author"] else ""
    return f"{told['device']} since {told['at']} ({told['cause']}{by}), commit {told['commit'][:10]}."


def _moment(text: str) -> "datetime | None":
    from siaga.clock import moment, utc_now
    from siaga.settings import load

    return moment(text, utc_now(), load().timezone) if text else None


@app.command("diff")
def diff(
    device: Name,
    since: Annotated[
        str, typer.Option("--since", help="From how it was then. Default: the version before.")
    ] = "",
    until: Annotated[str, typer.Option("--until", help="To how it was then. Default: the newest.")] = "",
    other: Annotated[str, typer.Option("--with", help="Compare with this device instead.")] = "",
    output: Output = Format.table,
) -> Outcome:
    """Show what changed in a device's configuration, with who and why.

    Examples: siaga backup diff rtr-kec-mauk · siaga backup diff rtr-kec-mauk --since 7d · siaga backup diff a --with b
    """
    from datetime import timedelta

    from inventory.store import open_engine, reading
    from monitor.configs import views
    from monitor.configs.repo import Repository
    from siaga.clock import shown
    from siaga.errors import NotFoundError
    from siaga.settings import load

    settings = load()
    with reading(open_engine(settings)) as session:
        row = views.device_of(session, device)
        after = views.version_at(session, row, _moment(until))
        if other:
            before = views.version_at(session, views.device_of(session, other))
        else:
            start = _moment(since) or after.at - timedelta(microseconds=1)
            try:
                before = views.version_at(session, row, start)
            except NotFoundError:
                before = after
    lines = views.difference(Repository(settings.home), before, after)
    told = {
        "device": row.name,
        "from": shown(before.at),
        "to": shown(after.at),
        "author": after.author,
        "cause": after.cause,
        "commit": after.commit,
    }
    if output is not Format.table:
        return Outcome([{**told, "diff": lines}], single=True, format=output)
    if not lines:
        return Outcome(messages=[f"{row.name}: nothing changed."])
    return Outcome(
        text="".join(f"{line}\n" for line in lines), messages=[_headed({**told, "at": told["to"]})]
    )


@app.command("blame")
def blame(
    device: Name,
    at: Annotated[str, typer.Option("--at", help="Of how it was then.")] = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show for each line of a configuration when it came, by whom and why."""
    from dataclasses import asdict

    from inventory.store import open_engine, reading
    from monitor.configs import views
    from monitor.configs.repo import Repository
    from siaga.clock import shown
    from siaga.settings import load

    settings = load()
    with reading(open_engine(settings)) as session:
        row = views.device_of(session, device)
        version = views.version_at(session, row, _moment(at))
        found = views.blamed(session, Repository(settings.home), row, version)
    rows = [{**asdict(b), "at": shown(b.at)} for b in found]
    if output is Format.table:
        wide = max((len(f"{b.author} {b.cause}") for b in found), default=0)
        text = "".join(
            f"{shown(b.at)[:16].replace('T', ' ')}  {f'{b.author} {b.cause}'.strip():<{wide}}  {b.line}\n"
            for b in found
        )
        return Outcome(text=text)
    columns = [Column(k, k) for k in ("number", "at", "author", "cause", "line")]
    return Outcome(rows, columns, format=output, fields=split(fields))


@app.command("search")
def search(
    text: Annotated[str, typer.Argument(help="What to look for; upper and lower case are the same.")],
    selector: Selector = None,
    regex: Annotated[bool, typer.Option("--regex", help="It is an extended regular expression.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Search all newest configurations.

    Examples: siaga backup search 10.20.0.5 · siaga backup search --regex 'vlan (30|40)' role=switch
    """
    from inventory.store import open_engine, reading
    from monitor.commands import chosen
    from monitor.configs import views
    from monitor.configs.repo import Repository
    from siaga.errors import UsageError
    from siaga.settings import load

    settings = load()
    if not text or "\n" in text or len(text) > 300:
        raise UsageError("bad-search", "What is looked for is one line of at most 300 characters.")
    engine = open_engine(settings)
    ids = set(chosen(engine, _named(selector))) if selector else None
    with reading(engine) as session:
        found = views.searched(session, Repository(settings.home), text, regex=regex, ids=ids)
    devices = len({r["device"] for r in found})
    said = f"{_count(len(found), 'line')} in {_count(devices, 'device')}."
    columns = [Column("device", "device"), Column("line", "line", right=True), Column("text", "text")]
    return Outcome(found, columns, messages=[said], format=output, fields=split(fields))


@app.command("restore")
def restore(
    device: Name,
    at: Annotated[
        str, typer.Option("--at", help="As it was then. Default: the version before the newest.")
    ] = "",
    write: Annotated[
        str,
        typer.Option(
            "--write", help="Write what would be sent into this file (mode 0600; it holds secrets)."
        ),
    ] = "",
    yes: Yes = False,
    output: Output = Format.table,
) -> Outcome:
    """Show what giving back an earlier configuration would change, and write what is to be sent.

    Nothing is sent from here: the lines are applied by a plan, which shows them, waits for approval and backs up
    before and after. Without --write only the difference is shown.
    """
    from pathlib import Path

    from inventory.access import require
    from monitor.configs.service import restored
    from siaga.errors import UsageError
    from siaga.settings import load
    from siaga.text import safe
    from siaga.whole_file import replace_file

    settings = load()
    require(who(), settings.access, "provisioner" if write else "operator")
    found = restored(settings, device, _moment(at))
    said = [f"{found.device}: this is what a restore would change; nothing was sent."]
    if found.kind == "commands":
        said.append(f"'siaga plan restore-configuration {found.device}' plans to send it.")
    if write:
        path = Path(write)
        if path.exists() and not yes:
            raise UsageError("file-exists", f"{safe(path, 200)} is there already; --yes replaces it.")
        replace_file(path, "".join(f"{line}\n" for line in found.lines), mode=0o600)
        what = "the whole configuration" if found.kind == "whole" else f"{len(found.lines)} commands"
        said.append(f"Wrote {what} into {safe(path, 200)}: it holds secrets, delete it afterwards.")
    if output is not Format.table:
        row = {
            "device": found.device,
            "kind": found.kind,
            "lines": len(found.lines),
            "diff": list(found.shown),
        }
        return Outcome([row], single=True, format=output, messages=said[1:])
    return Outcome(text="".join(f"{line}\n" for line in found.shown), messages=said)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


class _Bar:
    """A progress bar on standard error, on a terminal only; `with _Bar(n) as step` gives the callback."""

    def __init__(self, total: int, quiet: bool) -> None:
        self._total, self._quiet, self._progress = total, quiet, None

    def __enter__(self) -> Any:
        import sys

        if self._quiet or not sys.stderr.isatty():
            return None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("backing up"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        progress: Any = Progress(*columns, console=Console(stderr=True), transient=True)
        self._progress = progress
        progress.start()
        task = progress.add_task("backing up", total=self._total)
        return lambda _one: progress.advance(task)

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()
