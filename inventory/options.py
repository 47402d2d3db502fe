"""Options that many commands share. Nothing heavy is imported up here: `siaga --help` must cost little."""

from typing import Annotated

import typer

from siaga.outcome import Format

SELECTOR_HELP = "Which rows: role=router kecamatan=Balaraja name~^rtr tag:core @saved. Default: all."
Output = Annotated[Format, typer.Option("--output", "-o", help="How rows are printed.", show_default=True)]
FIELDS_HELP = "Only these fields, separated by commas."
Fields = Annotated[str, typer.Option("--fields", help=FIELDS_HELP)]
Selector = Annotated[
    list[str] | None,
    typer.Argument(help=SELECTOR_HELP),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")]
_LONGEST_WHY = 200


def _short(why: str) -> str:
    from siaga.errors import InvalidError

    if len(why) > _LONGEST_WHY:
        raise InvalidError(
            "why-too-long",
            f"The reason has {len(why)} characters, and may have {_LONGEST_WHY}: say it shorter.",
        )
    return why


Why = Annotated[str, typer.Option("--why", help="The reason, for the history.", callback=_short)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Values = Annotated[list[str] | None, typer.Argument(help="field=value …; an empty value empties the field.")]
At = Annotated[
    str,
    typer.Option("--at", help="As it was: 2026-08-01, '2026-08-01 10:00', 3d (ago), set:17 (a change set)."),
]
Since = Annotated[str, typer.Option("--since", help="Only rows changed since then: 2026-08-01, 2h, 7d.")]
Until = Annotated[str, typer.Option("--until", help="Only rows not changed after then: 2026-08-01, 2h, 7d.")]
Secrets = Annotated[
    list[str] | None,
    typer.Option("--secret", help="Credentials: PART=env:VAR, PART=file:PATH or PART=ask."),
]


def split(fields: str) -> list[str]:
    """Return the field names of a --fields option."""
    return [f.strip() for f in fields.split(",") if f.strip()]
