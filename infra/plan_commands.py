"""The commands on plans: make, list, show, approve, reject; and apply. Nothing heavy is imported up here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.command_line import Output, Parameters, Yes, agreed, desk, watched
from infra.play_options import MAKE, PlanGroup, PlayCommand
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from infra.around import Wanted
    from infra.desk import Desk

Name = Annotated[str, typer.Argument(metavar="PLAN", help="The name that 'siaga plan' gave.")]
plan_app = typer.Typer(
    name="plan",
    cls=PlanGroup,
    help="Try a play on devices and change nothing: siaga plan PLAYBOOK SELECTOR…",
    no_args_is_help=True,
)


@plan_app.command(MAKE, cls=PlayCommand)
def plan_make(
    playbook: Annotated[str, typer.Argument(help="The play: 'siaga playbook list' shows them.")] = "",
    selector: Annotated[
        list[str] | None, typer.Argument(help="Which devices: role=server kecamatan=Mauk srv-*.")
    ] = None,
    param: Parameters = None,
    from_finding: Annotated[
        int | None, typer.Option("--from-finding", min=1, help="Plan what a finding asks for, by its number.")
    ] = None,
    output: Output = Format.table,
) -> Outcome:
    """Try a play on devices and change nothing.

    The differences are shown, and kept as a plan that can be applied. 'siaga plan PLAYBOOK -h' shows its options.

    Examples: siaga plan baseline role=server --ntp-servers ntp.bmkg.go.id · siaga plan --from-finding 12
    """
    from infra import show
    from infra.plans import make_plan, settle
    from infra.results import exit_code

    at = desk()
    warnings = settle(at)
    wanted = _wanted(at, playbook, selector or [], param or [], from_finding)
    title = f"plan {wanted.playbook}"
    report = watched(
        title,
        lambda watch: make_plan(
            at, wanted.playbook, wanted.selector, wanted.parameters, watch, finding=from_finding
        ),
    )
    said = show.plan_messages(report)
    code = exit_code(report.status)
    return show.outcome(report, said, code, output, diffs=True, warnings=warnings)


def _wanted(
    at: "Desk", playbook: str, selector: list[str], param: list[str], finding: int | None
) -> "Wanted":
    """Return what is to be planned: what was typed, or what a finding asks for."""
    from infra.around import Wanted
    from inventory.select import joined
    from siaga.errors import NotFoundError, UsageError

    if finding is None:
        if not playbook or not selector:
            raise UsageError(
                "nothing-asked", "Say which play and which devices: siaga plan PLAYBOOK SELECTOR…"
            )
        return Wanted(playbook, joined(selector), tuple(param))
    if playbook:
        raise UsageError("two-questions", f"--from-finding says which play: leave out '{playbook}'.")
    if at.around.finding is None:
        raise NotFoundError("no-findings", "No findings are kept here.")
    asked = at.around.finding(finding)
    return Wanted(asked.playbook, asked.selector, (*asked.parameters, *param))


@plan_app.command("list")
def plan_list(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    output: Output = Format.table,
) -> Outcome:
    """List the plans, newest first, and what each waits for."""
    from infra import store
    from infra.approvals import expires_at
    from inventory.store import reading

    at = desk()
    with reading(at.engine) as opened:
        found = store.plans(opened, limit)
        said = store.approvals_of(opened, [p.id or 0 for p in found])
    rows = [
        {
            "name": p.name,
            "status": p.status,
            "waits_for": waits_for(at, p, said.get(p.id or 0, [])),
            "risk": p.risk,
            "hosts": len(p.hosts),
            "who": p.who,
            "created_at": p.created_at,
            "expires_at": expires_at(p, at.settings),
            "playbook": p.playbook,
            "selector": p.selector,
            "finding": p.finding_id,
            "approved_by": [a.who for a in said.get(p.id or 0, []) if a.verdict == "approved"],
        }
        for p in found
    ]
    columns = [Column(k, k.replace("_", " "), right=k == "hosts") for k in _LIST]
    columns += [Column(k, k.replace("_", " "), wide=True) for k in _LIST_WIDE]
    hint = [] if rows else ["There is no plan yet: siaga plan PLAYBOOK SELECTOR…"]
    return Outcome(rows, columns, messages=hint, format=output)


_LIST = ("name", "status", "waits_for", "risk", "hosts", "who", "created_at")
_LIST_WIDE = ("expires_at", "playbook", "selector", "finding", "approved_by")


def waits_for(at: "Desk", plan: Any, said: list[Any]) -> str:
    """Return what a plan waits for: approval, apply; '' if it waits for nothing any more."""
    from infra.approvals import expires_at, holds

    if plan.status != "ready":
        return ""
    if at.clock() > expires_at(plan, at.settings):
        return "nothing: expired"
    if plan.needs_approval and not any(holds(at.settings, plan, a) for a in said):
        return "approval"
    return "apply"


@plan_app.command("show")
def plan_show(name: Name, output: Output = Format.table) -> Outcome:
    """Show a plan as it was made: the differences, what hangs on each host, and what was said to it."""
    from infra import approvals, show
    from infra.plans import reported
    from siaga.clock import shown

    at = desk()
    plan, report = reported(at, name)
    said = approvals.given(at, plan)
    waits = waits_for(at, plan, said)
    zone = at.settings.timezone
    until = shown(approvals.expires_at(plan, at.settings), zone)
    messages = [f"Made by {plan.who} at {shown(plan.created_at, zone)}; may be applied until {until}."]
    for one in said:
        reason = f": {one.why}" if one.why else ""
        messages.append(f"{one.verdict.capitalize()} by {one.who} at {shown(one.at, zone)}{reason}.")
    messages.append(f"It is {plan.status}" + (f" and waits for: {waits}." if waits else "."))
    return show.outcome(report, messages, 0, output, diffs=True)


@plan_app.command("approve")
def plan_approve(
    name: Name,
    why: Annotated[str, typer.Option("--why", help="What you looked at, or a condition.")] = "",
) -> Outcome:
    """Approve somebody else's plan, exactly as it is; whatever changes under it voids the approval.

    Example: siaga plan approve network-baseline-20261124-071502 --why "rapat CAB 24 Nov"
    """
    from infra.approvals import expires_at, say
    from siaga.clock import shown
    from siaga.text import safe

    at = desk()
    plan = say(at, name, "approved", safe(why, 200))
    until = shown(expires_at(plan, at.settings), at.settings.timezone)
    return Outcome(messages=[f"Plan {name} is approved until {until}. Apply it with: siaga apply {name}"])


@plan_app.command("reject")
def plan_reject(
    name: Name, why: Annotated[str, typer.Option("--why", help="What is wrong with it.")] = ""
) -> Outcome:
    """Reject a plan: it cannot be applied any more.

    Example: siaga plan reject baseline-20261124-071502 --why "jangan pada jam layanan"
    """
    from infra.approvals import say
    from siaga.text import safe

    say(desk(), name, "rejected", safe(why, 200))
    return Outcome(messages=[f"Plan {name} is rejected."])


def apply(plan_name: Name, yes: Yes = False, output: Output = Format.table) -> Outcome:
    """Carry out a plan exactly as it was shown.

    On the hosts it was checked on; refused if anything has changed since. One host goes first, then batches from
    the leaves inwards; after each the monitor looks whether all is as before. A bad batch ends it.
    """
    from infra import show
    from infra.plans import apply_plan, checked, settle
    from infra.results import exit_code

    at = desk()
    warnings = settle(at)
    names = (
        [] if yes else [h.name for h in checked(at, plan_name)[2]]
    )  # who is asked knows that it can be applied
    agreed(f"Change {len(names)} hosts as plan {plan_name} shows?", yes=yes)
    report = watched(f"apply {plan_name}", lambda watch: apply_plan(at, plan_name, watch), names)
    said = show.apply_messages(report)
    return show.outcome(report, said, exit_code(report.status), output, diffs=False, warnings=warnings)
