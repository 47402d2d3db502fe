"""The commands on plays: list, show, lint, hosts. Nothing heavy is imported up here."""

from typing import Annotated

import typer

from infra.command_line import Output, Parameters, Selector, desk
from siaga.outcome import Column, Format, Outcome

playbook_app = typer.Typer(name="playbook", help="The plays there are.", no_args_is_help=True)


@playbook_app.command("list")
def playbook_list(output: Output = Format.table) -> Outcome:
    """List the plays."""
    from infra.approvals import needed
    from infra.playbooks import playbooks
    from siaga.settings import load

    settings = load()
    rows = [
        {
            "name": p.name,
            "title": p.title,
            "risk": p.risk,
            "second_person": needed(p, settings),
            "platforms": ", ".join(p.platforms),
            "rollback": p.rollback,
            "folder": str(p.folder),
        }
        for p in playbooks(settings.playbooks)
    ]
    columns = [
        Column(k, k.replace("_", " ")) for k in ("name", "title", "risk", "second_person", "platforms")
    ]
    columns += [Column(k, k, wide=True) for k in ("rollback", "folder")]
    return Outcome(rows, columns, format=output)


@playbook_app.command("show")
def playbook_show(
    name: Annotated[str, typer.Argument(help="The play.")], output: Output = Format.table
) -> Outcome:
    """Show a play and its parameters."""
    from infra.approvals import needed
    from infra.play_options import described
    from infra.playbooks import playbook
    from siaga.settings import load

    settings = load()
    found = playbook(name, settings.playbooks)
    second = needed(found, settings)
    parameters = {
        p.name: {
            "type": p.type,
            "default": p.default,
            "choices": list(p.choices),
            "required": p.required,
            "option": p.option,
            "help": p.help,
        }
        for p in found.parameters
    }
    head = {
        "name": found.name,
        "title": found.title,
        "risk": found.risk,
        "platforms": list(found.platforms),
        "second_person": second,
        "pre_checks": list(found.pre_checks),
        "post_checks": list(found.post_checks),
        "rollback": found.rollback,
    }
    lines = [found.title, "", found.description, "", f"risk         {found.risk}"]
    lines += [f"approval     {'by a second person' if second else 'not needed'}"]
    lines += [f"platforms    {', '.join(found.platforms)}"]
    lines += [f"pre-checks   {', '.join(found.pre_checks) or 'none'}"]
    lines += [f"post-checks  {', '.join(found.post_checks) or 'none'}", f"rollback     {found.rollback}"]
    lines += [f"file         {found.path}", "", "parameters"]
    lines += [f"  {p.option} <{p.type}>  {described(p)}" for p in found.parameters]
    row = {**head, "description": found.description, "path": str(found.path), "parameters": parameters}
    return Outcome([row], single=True, format=output, text="\n".join(lines))


@playbook_app.command("lint")
def playbook_lint(
    names: Annotated[list[str] | None, typer.Argument(help="Which plays. Default: all.")] = None,
    output: Output = Format.table,
) -> Outcome:
    """Read plays as siaga and Ansible will, and say what is wrong with them; exit code 6 if something is.

    Front-matter, parameters nobody uses, modules without their full name, tasks that would show a secret, syntax.

    Example: siaga playbook lint; siaga playbook lint baseline
    """
    from infra.lint import linted
    from siaga.settings import load

    problems = linted(load(), names or [])
    rows = [vars(p) for p in problems]
    columns = [Column(k, k) for k in ("playbook", "severity", "where", "problem")]
    errors = sum(p.severity == "error" for p in problems)
    said = [] if problems else ["Nothing is wrong with them."]
    return Outcome(rows, columns, messages=said, exit_code=6 if errors else 0, format=output)


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

    at = desk()
    play = playbooks.playbook(playbook, at.settings.playbooks)
    given = playbooks.said(play, param or [])
    with reading(at.engine) as session:
        prepared = prepare(session, at.vault, play, joined(selector), given, connection())
    return Outcome(text=json.dumps(inventory(prepared.hosts), indent=2, ensure_ascii=False))
