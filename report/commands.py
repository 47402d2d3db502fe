"""The report's commands. Heavy libraries are imported inside, so that `siaga --help` costs little."""

from pathlib import Path
from typing import Annotated

import typer

from inventory import complete
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


@app.command()
def claim(
    provider: Annotated[
        str, typer.Argument(help="The provider's name.", autocompletion=complete.names("provider"))
    ],
    period: Annotated[str, typer.Option("--period", help="The month: 2026-10.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The PDF; the JSON is put beside it.")
    ] = Path("claim.pdf"),
    number: Annotated[str, typer.Option("--number", help="Number of the letter; left to fill in.")] = "",
    signer: Annotated[
        str,
        typer.Option("--signer", help="Who signs, as recorded.", autocompletion=complete.names("person")),
    ] = "",
    date: Annotated[str, typer.Option("--date", help="The day of the letter; by default today.")] = "",
) -> Outcome:
    """Write the letter to a provider: measured against its contracts, outages, and what is claimed.

    The same measurements on the same day give the same bytes.

    Example: siaga report claim isp-a --period 2026-10 -o klaim-isp-a.pdf
    """
    from report.claim_service import Order, make

    return make(Order(provider, period, output, number, signer, date))
