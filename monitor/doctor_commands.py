"""`siaga doctor`: what is wrong with siaga itself, and how to mend it. Nothing heavy is imported up here."""

from typing import TYPE_CHECKING, Annotated

import typer

from inventory.options import Fields, Output, split
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from monitor.doctor.finding import Patient


def doctor(
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Read every file of samples and every index, whatever long it takes."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only what is wrong.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Say what is wrong with siaga itself, and how to mend it; exit code 6 when anything is.

    Looks at settings, home, key, rights, database, samples, disk, clock, locks, the service and its rounds, what waits
    to be told or sent, rules, platforms, routes, versions. Changes nothing; the service may run meanwhile.

    Examples: siaga doctor · siaga doctor --deep -o json
    """
    from monitor.doctor import all as every
    from monitor.doctor.finding import OK, examined, exit_code
    from siaga.errors import InvalidError

    try:
        patient = _patient(deep)
    except InvalidError as error:
        found = every.of_settings(error)
    else:
        found = list(examined(patient, every.of(patient)))
    shown = [f for f in found if not quiet or f.state != OK]
    if output in (Format.table, Format.wide):
        lines = [f"{f.state:7}  {f.area:11}  {f.said} {f.todo}".rstrip() for f in shown]
        wrong = sum(f.state != OK for f in found)
        said = f"{wrong} finding{'' if wrong == 1 else 's'}." if wrong else "All is well."
        return Outcome(text="\n".join(lines) or None, messages=[said], exit_code=exit_code(found))
    columns = [Column(k, k) for k in ("area", "state", "said", "todo")]
    rows = [vars(f) for f in shown]
    return Outcome(rows, columns, exit_code=exit_code(found), format=output, fields=split(fields))


def _patient(deep: bool) -> "Patient":
    from inventory.store import open_engine
    from monitor.doctor.finding import Patient
    from siaga.clock import utc_now
    from siaga.errors import NotFoundError
    from siaga.settings import load

    settings = load()
    try:
        engine = open_engine(settings)
    except NotFoundError:
        engine = None
    return Patient(settings, engine, utc_now(), deep)
