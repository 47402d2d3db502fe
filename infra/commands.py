"""The commands of provisioning are put in their place here. Nothing heavy is imported up here."""

import typer


def mount(app: typer.Typer) -> None:
    """Add plan, apply, job and playbook to the roof's commands."""
    from infra.job_commands import job_app
    from infra.plan_commands import apply, plan_app
    from infra.playbook_commands import playbook_app

    app.add_typer(plan_app)
    app.command("apply")(apply)
    app.add_typer(job_app)
    app.add_typer(playbook_app)
