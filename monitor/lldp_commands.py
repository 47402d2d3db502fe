"""`siaga link check`: asks devices who is at the other end of their ports. Nothing heavy is imported up here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import DryRun, Fields, Why, split
from monitor.commands import Output, Selector, _bar, chosen
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from inventory.wires import Verdict
    from monitor.lldp import Answer


def mount(app: typer.Typer) -> None:
    """Add the verb to those of a link."""
    app.command("check")(link_check)


def link_check(
    selector: Selector = None,
    dry_run: DryRun = False,
    fail: Annotated[bool, typer.Option("--fail", help="End with 6 if a link is in conflict.")] = False,
    why: Why = "",
    output: Output = Format.table,
    fields: Fields = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> Outcome:
    """Ask devices by LLDP, CDP and MikroTik's neighbour table who is at the other end, and set the links' states.

    SELECTOR says which devices are asked. A link becomes confirmed or conflicting; one of which nothing was heard stays
    as it is. Recorded devices that hear each other without a recorded link are listed as not recorded.

    Example: siaga link check role=router,switch --dry-run
    """
    from inventory.history import Author
    from inventory.runs import recorded
    from inventory.store import open_engine
    from monitor.links import hold, targets
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    who = _allowed(settings)
    engine = open_engine(settings)
    asked = targets(engine, settings, chosen(engine, selector or []))
    summary: dict[str, Any] = {}
    with recorded(engine, "link check", who=who, summary=summary) as run, _bar(len(asked), quiet) as step:
        answers = _asked(settings, asked, step)
        author = Author(who, utc_now(), why, f"link check {run}")
        checked = hold(engine, settings, answers, author, dry_run=dry_run)
        summary.update(checked.counts)
    told = _messages(answers, summary, dry_run=dry_run)
    code = _exit_code(answers, conflicting=fail and bool(summary["conflicting"]))
    columns = [
        Column(k, k, wide=k == "before")
        for k in ("link", "state", "before", "a_interface", "z_interface", "heard")
    ]
    return Outcome(
        [_row(v) for v in checked.verdicts],
        columns,
        messages=told,
        exit_code=code,
        format=output,
        fields=split(fields),
    )


def _allowed(settings: Any) -> str:
    from inventory.access import require
    from siaga.who import who

    name = who()
    require(name, settings.access, "operator")
    return name


def _asked(settings: Any, targets: Sequence[Any], step: Any) -> "list[Answer]":
    import asyncio

    from monitor.lldp import ask

    return asyncio.run(ask(targets, concurrency=settings.poll.concurrency, progress=step))


def _row(verdict: "Verdict") -> dict[str, Any]:
    return {
        "link": verdict.link.name if verdict.link else None,
        "state": verdict.state,
        "before": verdict.link.state if verdict.link else None,
        "a_interface": verdict.a,
        "z_interface": verdict.z,
        "heard": verdict.because,
    }


def _messages(answers: "Sequence[Answer]", summary: dict[str, Any], *, dry_run: bool) -> list[str]:
    wrong = [a for a in answers if a.reach.value != "up"]
    told = [f"{a.device} did not answer in full: {(a.reason or a.reach.value).rstrip('.')}." for a in wrong]
    verb = "would change" if dry_run else "changed"
    links = f"{summary['confirmed']} confirmed, {summary['conflicting']} conflicting ({summary['changed']} {verb})"
    heard = f"Asked {summary['asked']}, {summary['heard']} heard somebody"
    return [*told, f"{heard}; links: {links}, {summary['not_recorded']} not recorded."]


def _exit_code(answers: "Sequence[Answer]", *, conflicting: bool) -> int:
    """Return 6 for a conflict that was asked about, 7 when some did not answer in full, 1 when nobody answered."""
    silent = sum(a.reach.value != "up" for a in answers)
    if conflicting:
        return 6
    if not silent:
        return 0
    return 1 if all(not a.heard and a.reach.value != "up" for a in answers) else 7
