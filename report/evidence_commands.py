"""`siaga evidence add FILE` and `check`: documents with their files. Nothing heavy is imported up here."""

from pathlib import Path
from typing import Annotated

import typer

from inventory.options import DryRun, Fields, Output, Why, split
from siaga.outcome import Column, Format, Outcome


def mount(app: typer.Typer) -> None:
    """Put the verbs that deal with files in the place of a row's plain ones."""
    app.registered_commands[:] = [c for c in app.registered_commands if c.name != "add"]
    app.command("add")(evidence_add)
    app.command("check")(evidence_check)


def evidence_add(
    file: Annotated[Path, typer.Argument(help="The document; it is copied into the register by its hash.")],
    kind: Annotated[
        str, typer.Option("--kind", help="What it proves, such as sop_jip ('siaga report kinds').")
    ],
    date: Annotated[str, typer.Option("--date", help="The day it is dated: 2026-03-01.")],
    signer: Annotated[str, typer.Option("--signer", help="Who signed it.")] = "",
    valid_until: Annotated[str, typer.Option("--valid-until", help="The last day on which it holds.")] = "",
    title: Annotated[str, typer.Option("--title", help="Its title or number.")] = "",
    about: Annotated[
        str, typer.Option("--about", help="The row it is about: service/e-planning, agency/mauk.")
    ] = "",
    result: Annotated[
        str, typer.Option("--result", help="What it found, in a word: 'Cukup Baik', gagal.")
    ] = "",
    name: Annotated[str, typer.Option("--name", help="Its name here; by default kind and date.")] = "",
    dry_run: DryRun = False,
    why: Why = "",
) -> Outcome:
    """Add a document to the evidence register: its file by hash, its row with kind, date, signer and end.

    Example: siaga evidence add SK-TTIS.pdf --kind sk_ttis --date 2026-02-10 --signer 'Bupati Tangerang'
    """
    from report.evidence_service import Given, add

    return add(
        Given(file, kind, date, signer, valid_until, title, about, result, name), dry_run=dry_run, why=why
    )


def evidence_check(
    output: Output = Format.table,
    fields: Fields = "",
    all_: Annotated[bool, typer.Option("--all", help="Show documents that are in order, too.")] = False,
) -> Outcome:
    """Look at every document: is its file there and unchanged, has it ended, is it too old for the rubric.

    Ends with 6 if something is wrong.
    """
    from report.evidence_service import check

    rows, looked_at = check()
    shown = [r for r in rows if all_ or r["problem"]]
    wrong = sum(bool(r["problem"]) for r in rows)
    columns = [Column(k, k.replace("_", " "), right=k == "age_days") for k in _SHOWN]
    message = f"Looked at {looked_at} document{'' if looked_at == 1 else 's'}: {wrong} with a problem."
    return Outcome(
        shown, columns, [message], exit_code=6 if wrong else 0, format=output, fields=split(fields)
    )


_SHOWN = ("name", "kind", "dated", "age_days", "valid_until", "file", "problem")
