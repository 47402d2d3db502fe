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
        list[Path],
        typer.Option(
            "--output",
            "-o",
            help="A file ending in .pdf, .html, .xlsx, .zip (CSV) or .json; can be repeated.",
        ),
    ] = [Path("readiness.pdf")],  # noqa: B006 - typer copies it
    lang: Annotated[str, typer.Option("--lang", help="id or en; by default the settings' language.")] = "",
    period: Annotated[
        str, typer.Option("--period", help="2026-10, 2026-Q4, 2026-S2 or 2026; instead of --since and --at.")
    ] = "",
    since: Annotated[str, typer.Option("--since", help="Begin of the window: 30d, 12h, or a date.")] = "30d",
    at: Annotated[str, typer.Option("--at", help="End of the window; by default now.")] = "",
    place: Annotated[
        str,
        typer.Option(
            "--place", help="Only a place and all inside it.", autocompletion=complete.names("place")
        ),
    ] = "",
    agency: Annotated[
        str, typer.Option("--agency", help="Only an agency.", autocompletion=complete.names("agency"))
    ] = "",
    letter: Annotated[str, typer.Option("--letter", help="Number of the covering letter.")] = "",
    signer: Annotated[
        str,
        typer.Option("--signer", help="Who signs, as recorded.", autocompletion=complete.names("person")),
    ] = "",
    date: Annotated[str, typer.Option("--date", help="The day beside the signature: 2026-11-03.")] = "",
    pdfa: Annotated[str, typer.Option("--pdfa", help="PDF/A part for an archive: 3a, 3b, 4f, 2a, 2b.")] = "",
    illustrative: Annotated[
        bool, typer.Option("--illustrative", help="Mark every page as an illustration.")
    ] = False,
    explain: Annotated[
        str, typer.Option("--explain", help="Explain one indicator here instead: INF-JAR-04.")
    ] = "",
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Write the signed evidence bundle (ZIP) instead.")
    ] = None,
    rubric: Annotated[str, typer.Option("--rubric", help="A rubric's version, or a file of your own.")] = "",
) -> Outcome:
    """Write the readiness report, with every figure and its source as JSON beside it.

    Example: siaga report readiness --period 2026-Q4 -o laporan.pdf -o laporan.html -o laporan.xlsx
    """
    if explain or bundle:
        from report import judging_service

        asked = {"period": period, "since": since, "at": at, "lang": lang, "rubric": rubric}
        if explain:
            return judging_service.explain(explain, **asked)
        return judging_service.bundle(bundle or Path(), **asked)
    from report.service import Order, make

    return make(
        Order(
            tuple(output),
            lang=lang,
            since=since,
            at=at,
            letter=letter,
            illustrative=illustrative,
            period=period,
            place=place,
            agency=agency,
            pdfa=pdfa,
            signer=signer,
            dated=date,
            rubric=rubric,
        )
    )


@app.command()
def monthly(
    period: Annotated[
        str, typer.Option("--period", help="2026-10 or 2026-Q4; by default the last month that is over.")
    ] = "",
    route: Annotated[
        str, typer.Option("--route", help="Tell the people on this route of the notifications.")
    ] = "",
    lang: Annotated[str, typer.Option("--lang", help="id or en; by default the settings' language.")] = "",
    illustrative: Annotated[
        bool, typer.Option("--illustrative", help="Mark every page as an illustration.")
    ] = False,
) -> Outcome:
    """Make the report of a period that is over, keep it, and tell what changed since the period before.

    It lies in the home, in reports/PERIOD, as PDF, HTML, XLSX and JSON. A period that has a report keeps it.

    Example: siaga report monthly --route laporan
    """
    from report.schedule import Run, run

    return run(Run(period, route, lang, illustrative))


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The JSON of the earlier report.")],
    new: Annotated[Path, typer.Argument(help="The JSON of the later report.")],
) -> Outcome:
    """Show what changed between two reports: the index, levels, figures."""
    from report.schedule import difference

    return difference(old, new)


@app.command()
def timer(
    route: Annotated[str, typer.Option("--route", help="Whom to tell, as in `report monthly`.")] = "",
) -> Outcome:
    """Print a systemd timer, and the line of cron, that make the report every month."""
    import os
    import sys

    from report.schedule import timer as units
    from siaga.settings import load

    return units(
        str(Path(sys.argv[0]).resolve()), load().home.resolve(), os.environ.get("SIAGA_CONFIG", ""), route
    )


@app.command()
def sign(
    pdf: Annotated[Path, typer.Argument(help="The PDF to sign; it is not changed.")],
    key: Annotated[Path, typer.Option("--key", help="The signer's PKCS#12 file (.p12, .pfx).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The signed PDF; by default FILE.signed.pdf.")
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", help="Its first line is the passphrase; without it you are asked."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why it is signed, kept in the signature.")] = "",
) -> Outcome:
    """Sign a report (PAdES) with a certificate of your own: an addition to the file, which stays as it is.

    The passphrase comes from a file or from your keyboard, never from the command line. Needs `siaga[sign]`.

    Example: siaga report sign laporan.pdf --key kadis.p12
    """
    from report.sign_service import sign_file

    return sign_file(pdf, key, output, passphrase_file, reason)


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
