"""What the commands of provisioning share: options, the desk, the question before, and what is shown meanwhile."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siaga.outcome import Format

if TYPE_CHECKING:
    from infra.desk import Desk, Report, Watch

Output = Annotated[Format, typer.Option("--output", "-o", help="How the result is printed.")]
Selector = Annotated[list[str], typer.Argument(help="Which devices: role=server kecamatan=Mauk srv-*.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", help="A parameter as name=value; each is an option of its own too."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def desk() -> "Desk":
    """Return what provisioning works with: this home, this user, this clock, and what the roof has provided."""
    from infra.around import around
    from infra.desk import Desk
    from inventory.store import open_engine
    from siaga.clock import utc_now
    from siaga.secrets import open_vault
    from siaga.settings import load
    from siaga.who import who

    settings = load()
    engine = open_engine(settings)
    vault = open_vault(settings.home)
    return Desk(engine, vault, settings, who(), utc_now, around(engine, settings))


def agreed(question: str, *, yes: bool) -> None:
    """Ask before hosts are changed; without a terminal --yes is the only answer."""
    import sys

    from siaga.errors import UsageError

    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("needs-yes", "Applying a plan changes hosts: say --yes where nobody can be asked.")
    typer.confirm(question, abort=True, err=True)


def watched(title: str, work: "Callable[[Watch], Report]", hosts: Sequence[str] = ()) -> "Report":
    """Do the work and show on standard error how far it is: one moving line on a terminal, else a line each."""
    import sys

    from infra.progress import Progress, line

    def tell(told: Any) -> None:
        if text := line(told):
            print(text, file=sys.stderr, flush=True)  # noqa: T201

    if not sys.stderr.isatty():
        return work(tell)
    from rich.console import Console
    from rich.text import Text

    console, progress = Console(stderr=True, markup=False, highlight=False), Progress(title, len(hosts))
    with console.status(Text(progress.line())) as status:

        def watch(told: Any) -> None:
            progress.take(told)
            status.update(Text(progress.line()))
            if text := line(told):
                console.print(Text(text))

        return work(watch)
