"""`siaga monitor`: the service, its status, and its units for systemd. Nothing heavy is imported up here."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.options import Fields, Output, split
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

app = typer.Typer(
    name="monitor", help="The service that watches: run, status, health, install.", no_args_is_help=True
)
# By then the service has read what it knows, and after its first round it has most of what it will hold.
_SETTLED_S = (5.0, 60.0)


@app.command("run")
def run() -> Outcome:
    """Watch all devices and services until SIGTERM or Ctrl-C.

    Asks everybody in turn, stores samples, judges states, tells of alerts. SIGHUP reads settings, devices and rules
    again. A second one in the same home ends at once with 75. See docs/monitor.md.
    """
    import asyncio

    from inventory.access import require
    from inventory.runs import recorded
    from inventory.store import open_engine
    from monitor.instance import only
    from monitor.service import Service
    from siaga.clock import utc_now
    from siaga.settings import load
    from siaga.settled import settle

    settings = load()
    require(who(), settings.access, "operator")
    engine = open_engine(settings)
    with only(settings.home), recorded(engine, "monitor", who=who(), summary={}) as run_id:

        async def watch() -> None:
            service = Service(settings, engine, run_id=run_id, now=utc_now, say=_say, load=load)
            for after_s in _SETTLED_S:
                asyncio.get_running_loop().call_later(after_s, settle)
            await service.run()

        asyncio.run(watch())
    return Outcome()


def _say(sentence: str) -> None:
    """Log a sentence; that nobody takes it (a full disk, a pipe without an end) is no reason to stop watching."""
    import sys

    from siaga.text import safe

    with suppress(OSError):
        sys.stderr.write(safe(sentence, 1000) + "\n")
        sys.stderr.flush()


@app.command("status")
def status(output: Output = Format.table, fields: Fields = "") -> Outcome:
    """Show how the service keeps to its schedule; exit code 6 when it is late, has problems, or does not run."""
    from monitor.instance import last_status, running
    from siaga.settings import load

    home = load().home
    pid, found = running(home), last_status(home)
    wrong = _wrong(pid, found)
    if found is None:
        return Outcome([] if output is not Format.table else None, messages=wrong, exit_code=6, format=output)
    row = {**found, "running": bool(pid), "findings": wrong}
    if output not in (Format.table, Format.wide):
        return Outcome([row], single=True, exit_code=6 if wrong else 0, format=output, fields=split(fields))
    columns = [Column("tier", "tier")]
    columns += [Column(k, k, right=True) for k in ("done", "late_s", "skipped", "missed")]
    said = wrong or [
        f"The service runs (pid {pid}) since {found['began']}; it is {found['late_s']:.1f} s behind."
    ]
    said.append(
        f"{found['samples_written']} polls stored, {found['samples_waiting']} wait; a commit takes"
        f" {found['commit_s']:.3f} s, judging {found['judge_s']:.3f} s; loop lag {found['loop_lag_s']:.3f} s."
    )
    return Outcome(found["tiers"], columns, said, 6 if wrong else 0, format=output, fields=split(fields))


def _wrong(pid: str, found: dict[str, Any] | None) -> list[str]:
    from monitor.instance import complaints
    from siaga.clock import utc_now

    if not pid:
        return ["The service does not run here: start it with 'siaga monitor run', or by systemd."]
    if found is None or found["ended"] or str(found["pid"]) != pid:
        return ["The service has just begun, and has said nothing of itself yet."]
    return [c.said for c in complaints(found, utc_now())]


@app.command("health")
def health(
    since: Annotated[
        str, typer.Option("--since", help="From when on: 7d before the end, or 2026-11-01.")
    ] = "30d",
    until: Annotated[
        str, typer.Option("--until", help="Until when: 2h ago, or 2026-11-01; default: now.")
    ] = "",
    output: Output = Format.table,
) -> Outcome:
    """Show how well siaga itself did: how late it was, whom it left out, what waited, and when it ran at all.

    The figures are those that the service keeps of itself each minute; the report may rest on them.

    Example: siaga monitor health --since 2026-10-01 --until 2026-11-01 -o json
    """
    from monitor.samples import open_samples
    from monitor.selfhealth import self_health
    from siaga.clock import span, utc_now
    from siaga.settings import load

    settings = load()
    start, end = span(since, until, utc_now(), settings.timezone)
    with open_samples(settings.home) as samples:
        row = vars(self_health(samples, start, end))
    if output not in (Format.table, Format.wide):
        return Outcome([row], single=True, format=output)
    rows = [{"figure": k, "value": "" if v is None else v} for k, v in row.items()]
    hint = [] if row["minutes"] else ["The service kept no figures in that time."]
    return Outcome(
        rows, [Column("figure", "figure"), Column("value", "value", right=True)], hint, format=output
    )


@app.command("install")
def install(
    user: Annotated[bool, typer.Option("--user", help="For systemd --user of this account.")] = False,
    print_: Annotated[bool, typer.Option("--print", help="Only show the files.")] = False,
    directory: Annotated[
        Path | None, typer.Option("--directory", help="Where the units go. Default: where systemd looks.")
    ] = None,
) -> Outcome:
    """Write the units of the service and its timers for systemd.

    siaga-monitor.service watches; siaga-notify and siaga-compact are timers that do their part when the service does
    not run. The units are checked with systemd-analyze where that is there. Nothing is started.
    """
    from monitor.units import checked, units, where, written
    from siaga.settings import load

    made = units(load(), user=user)
    if print_:
        return Outcome(text="\n".join(f"# {name}\n{text}" for name, text in made.items()))
    folder = directory or where(user=user)
    written(folder, made)
    problems = checked(folder, made, user=user)
    ctl = "systemctl --user" if user else "systemctl"
    said = [f"Wrote {len(made)} units into {folder}."]
    said += [f"systemd-analyze: {p}" for p in problems]
    said.append(
        f"Start with: {ctl} daemon-reload && {ctl} enable --now siaga-monitor.service siaga-notify.timer"
        " siaga-compact.timer"
    )
    return Outcome(messages=said, exit_code=1 if problems else 0)
