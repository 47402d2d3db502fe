"""The report's commands. Heavy libraries are imported inside, so that `siaga --help` costs little."""

from pathlib import Path
from typing import Annotated

import typer

from inventory import complete
from inventory.options import Fields, Output, split
from siaga.outcome import Column, Format, Outcome

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
    period: Annotated[
        str, typer.Option("--period", help="2026-10, 2026-Q4, 2026-S2 or 2026; instead of --since and --at.")
    ] = "",
    explain: Annotated[
        str, typer.Option("--explain", help="Explain one indicator here instead: INF-JAR-04.")
    ] = "",
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Write the signed evidence bundle (ZIP) instead.")
    ] = None,
    rubric: Annotated[str, typer.Option("--rubric", help="A rubric's version, or a file of your own.")] = "",
) -> Outcome:
    """Write the readiness report as PDF, with every figure and its source as JSON beside it."""
    if explain or bundle:
        from report import judging_service

        asked = {"period": period, "since": since, "at": at, "lang": lang, "rubric": rubric}
        if explain:
            return judging_service.explain(explain, **asked)
        return judging_service.bundle(bundle or Path(), **asked)
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


@app.command()
def indicators(
    period: Annotated[str, typer.Option("--period", help="2026-10, 2026-Q4, 2026-S2 or 2026.")] = "",
    since: Annotated[str, typer.Option("--since", help="Begin of the window: 30d, 12h, or a date.")] = "30d",
    at: Annotated[str, typer.Option("--at", help="End of the window; by default now.")] = "",
    lang: Annotated[str, typer.Option("--lang", help="id or en; by default the settings' language.")] = "",
    rubric: Annotated[str, typer.Option("--rubric", help="A rubric's version, or a file of your own.")] = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List every indicator with its value, its level, and what would raise it; the index stands below.

    Example: siaga report indicators --period 2026-Q4 -o wide
    """
    from report.judging_service import listed

    return listed(
        period=period, since=since, at=at, lang=lang, rubric=rubric, output=output, fields=split(fields)
    )


@app.command()
def kinds(output: Output = Format.table, fields: Fields = "") -> Outcome:
    """List the kinds of documents, how old they may be, and which indicators ask for them."""
    from report.evidence_service import kinds as known
    from siaga.settings import load

    columns = [
        Column("kind", "kind"),
        Column("title", "title"),
        Column("oldest_days", "oldest, days", right=True),
    ]
    columns.append(Column("rows", "indicators"))
    return Outcome(known(load().language), columns, format=output, fields=split(fields))


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A report's JSON or PDF, or a bundle.")],
    key: Annotated[
        list[str] | None, typer.Option("--key", help="A public key that is trusted; can be repeated.")
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Do not compare with what is stored on this machine.")
    ] = False,
    rubric: Annotated[str, typer.Option("--rubric", help="The rubric's file, if it is your own.")] = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Compute a report anew and compare: its snapshot, rubric, figures, documents, and the stored samples.

    Ends with 6 if a check fails. A bundle carries all it needs, and is verified on any machine with --alone.

    Example: siaga report verify bukti-2026-Q4.zip
    """
    from report.verify_service import verify_file

    return verify_file(file, key or [], alone=alone, rubric=rubric, output=output, fields=split(fields))
