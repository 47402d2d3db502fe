"""`siaga service check`: asks services as their users do, now. Nothing heavy is imported up here."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import Fields, Output, split
from monitor.commands import _bar
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from monitor.probes.plan import Check
    from monitor.probes.result import Probed

_STYLE = {"ok": "green", "warning": "yellow", "critical": "bold red", "unknown": "magenta"}
Selector = Annotated[
    list[str] | None,
    typer.Argument(
        help="Which services: name=e-planning agency.kind=rsud criticality=1; or one URL. Default: all."
    ),
]


def mount(app: typer.Typer) -> None:
    """Add the verb to those of a service."""
    app.command("check")(service_check)


def service_check(
    selector: Selector = None,
    expect: Annotated[
        str, typer.Option("--expect", help="With a URL: what its answer must hold (RE2).")
    ] = "",
    timeout_s: Annotated[
        float | None, typer.Option("--timeout", min=0.1, max=120, help="Seconds for each check.")
    ] = None,
    nagios: Annotated[
        bool, typer.Option("--nagios", help="One line with performance data; exit code 0 to 3.")
    ] = False,
    output: Output = Format.table,
    fields: Fields = "",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only what is not ok; no progress bar.")
    ] = False,
) -> Outcome:
    """Check services now: HTTP(S) with times, content and certificate, TCP, TLS, DNS, or a Nagios plugin.

    What a service's URL and port say is checked, or what its field 'check' says. Ends with 6 if something is wrong,
    with 7 if something could not be found out. Nothing is stored.

    Examples: siaga service check criticality=1 · siaga service check https://eplanning.example.go.id --expect Masuk
    · siaga service check 'dns://10.1.1.53/example.go.id?type=SOA' · siaga service check tls://10.1.1.5:636
    """
    from dataclasses import replace

    from monitor.probes.plan import limits
    from siaga.settings import load

    settings = load()
    checks = _checks(settings, selector or [], expect)
    bounds = limits(settings.checks)
    if timeout_s:
        bounds = replace(bounds, timeout_s=timeout_s)
    with _bar(len(checks), quiet or nagios) as step:
        found = _probed(settings, checks, bounds, step)
    if nagios:
        return _nagios(found)
    return _table(found, output, fields, quiet=quiet)


def _checks(settings: Any, selector: Sequence[str], expect: str) -> "list[Check]":
    """Return what to check; raises NotFoundError (`nothing-selected`) for a selector without any."""
    from monitor.probes.plan import Service, planned
    from siaga.errors import UsageError

    if len(selector) == 1 and "://" in selector[0].split("=")[0].split("~")[0]:
        wanted = [Service(selector[0], selector[0], expect=expect)]
    elif expect:
        raise UsageError("expect-without-url", "--expect goes with one URL; a recorded service has its own.")
    else:
        wanted = _recorded(settings, selector)
    planned_ = (planned(s, settings.plugins, settings.checks.resolver) for s in wanted)
    return [check for check in planned_ if check is not None]


def _recorded(settings: Any, selector: Sequence[str]) -> list[Any]:
    from inventory.select import joined, selected
    from inventory.store import open_engine, reading
    from monitor.probes.store import services
    from siaga.errors import NotFoundError
    from siaga.text import safe

    with reading(open_engine(settings)) as session:
        ids = selected(session, "service", joined(selector))
        if selector and not ids:
            raise NotFoundError("nothing-selected", f"No service matches '{safe(' '.join(selector), 80)}'.")
        return services(session, ids)


def _probed(settings: Any, checks: "Sequence[Check]", bounds: Any, step: Any) -> "list[Probed]":
    import asyncio

    from monitor.probes.run import probe_all
    from siaga.clock import utc_now

    concurrency = settings.checks.concurrency
    return asyncio.run(probe_all(checks, bounds, concurrency=concurrency, now=utc_now, progress=step))


def _table(found: "Sequence[Probed]", output: Format, fields: str, *, quiet: bool) -> Outcome:
    from monitor.probes.result import as_json

    shown = [p for p in found if not quiet or p.verdict.value != "ok"]
    rows = [_row(p) for p in shown] if output in (Format.table, Format.wide) else [as_json(p) for p in shown]
    messages = [] if quiet and not shown else [_summary(found)]
    return Outcome(
        rows,
        _COLUMNS,
        messages=messages,
        exit_code=_exit_code(found),
        format=output,
        fields=split(fields),
        style={("verdict", value): style for value, style in _STYLE.items()},
    )


_COLUMNS = [
    Column("verdict", "verdict"),
    Column("name", "service"),
    Column("kind", "check"),
    Column("status", "status", right=True),
    Column("time", "time", right=True),
    Column("phases", "phases", wide=True),
    Column("certificate", "certificate"),
    Column("address", "address", wide=True),
    Column("reason", "what is wrong"),
    Column("target", "target", wide=True),
]


def _row(one: "Probed") -> dict[str, Any]:
    phases = [
        f"{r.label} {r.value * 1000:.0f}" for r in one.readings[1:] if r.unit == "s" and r.value is not None
    ]
    end = one.certificate
    return {
        "verdict": one.verdict.value,
        "name": one.name,
        "kind": one.kind,
        "status": one.status,
        "time": f"{one.took_s * 1000:.0f} ms",
        "phases": ", ".join(phases) + (" ms" if phases else ""),
        "certificate": f"{end.days_left:.0f} d" if end else "",
        "address": one.address,
        "reason": " ".join(f.text for f in one.faults) or "; ".join(one.shown[:2]),
        "target": one.target,
    }


def _summary(found: "Sequence[Probed]") -> str:
    counts = {v: sum(p.verdict.value == v for p in found) for v in _STYLE}
    told = ", ".join(f"{n} {v}" for v, n in counts.items() if n)
    return f"Checked {len(found)} service{'' if len(found) == 1 else 's'}{': ' + told if told else ''}."


def _exit_code(found: "Sequence[Probed]") -> int:
    """Return 6 if something is wrong, 7 if only some could be found out, 1 if none could."""
    verdicts = [p.verdict.value for p in found]
    if "critical" in verdicts or "warning" in verdicts:
        return 6
    if "unknown" not in verdicts:
        return 0
    return 1 if set(verdicts) == {"unknown"} else 7


def _nagios(found: "Sequence[Probed]") -> Outcome:
    """Return the one line of a Nagios plugin: the worst verdict, what is wrong, and every figure."""
    from monitor.probes.perfdata import written
    from monitor.probes.result import Verdict, worst
    from siaga.text import safe

    verdict = worst(p.verdict for p in found) if found else Verdict.unknown
    wrong = [p for p in found if p.verdict.value != "ok"]
    told = "; ".join(f"{p.name}: {p.reason}" for p in wrong) if wrong else _summary(found)
    data = " ".join(filter(None, _figures(found, written)))
    line = f"SIAGA {verdict.value.upper()} - {safe(told.replace('|', '/'), 1000)}"
    return Outcome(text=f"{line} | {data}" if data else line, exit_code=verdict.exit_code)


def _figures(found: "Sequence[Probed]", written: Any) -> Iterator[str]:
    alone = len(found) == 1
    for one in found:
        yield written(iter(one.readings), "" if alone else f"{one.name} ")
