"""The report's commands. Heavy libraries are imported inside, so that `siaga --help` costs little."""

from pathlib import Path
from typing import Annotated

import typer

from siaga.outcome import Outcome

app = typer.Typer(name="report", help="Reports: what the data proves.", no_args_is_help=True)


@app.callback()
def reports() -> None:
    """Reports: what the data proves."""


@app.command()
def readiness(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The PDF; the JSON is put beside it.")
    ] = Path("readiness.pdf"),
    lang: Annotated[str, typer.Option("--lang", help="id or en; by default the settings' language.")] = "",
    since: Annotated[str, typer.Option("--since", help="Begin of the window: 30d, 12h, or a date.")] = "30d",
    at: Annotated[str, typer.Option("--at", help="End of the window; by default now.")] = "",
    letter: Annotated[str, typer.Option("--letter", help="Number of the covering letter.")] = "",
    illustrative: Annotated[
        bool, typer.Option("--illustrative", help="Mark every page as an illustration.")
    ] = False,
) -> Outcome:
    """Write the readiness report as PDF, with every figure and its source as JSON beside it."""
    from report.service import Order, make

    return make(Order(output, lang, since, at, letter, illustrative))
