"""`siaga ipam scan`: reads the neighbour tables of devices now. Nothing heavy is imported up here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.commands import Output, Selector, _bar, chosen
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from monitor.arp import Neighbours, Scan


def ipam_scan(
    selector: Selector = None,
    output: Output = Format.table,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.")] = False,
) -> Outcome:
    """Read ARP, IPv6 neighbour and bridge tables of devices now, and remember what they saw.

    Routers know which MAC an address has, switches at which port a MAC hangs; 'siaga node list' shows both. A silent
    device is told; the exit code is then 7.

    Example: siaga ipam scan role=router,switch
    """
    from inventory.access import require
    from inventory.runs import recorded
    from inventory.store import open_engine
    from monitor.arp import scan
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    engine = open_engine(settings)
    ids = chosen(engine, selector or [])
    summary: dict[str, Any] = {}
    with (
        recorded(engine, "ipam scan", who=who(), summary=summary),
        _bar(len(ids), quiet) as step,
    ):
        result = scan(engine, settings, ids, now=utc_now, progress=step)
        summary.update(_summary(result))
    return _told(result, output, quiet=quiet)


def _summary(result: "Scan") -> dict[str, Any]:
    from dataclasses import asdict

    from monitor.observation import Reach

    counts = {reach.value: result.count(reach) for reach in Reach}
    placed = {f"macs_{k}" if k != "macs" else k: v for k, v in asdict(result.placed).items()}
    return {"asked": len(result.answers), **counts, **asdict(result.kept), **placed}


def _told(result: "Scan", output: Format, *, quiet: bool) -> Outcome:
    from inventory import ipam_ports
    from inventory.ipam_nodes import told
    from monitor.observation import Reach

    rows = [_row(answer) for answer in result.answers]
    wrong = [row for row in rows if row["reach"] != Reach.up.value]
    if not rows:
        return Outcome(
            [],
            messages=["None of these devices is active and asked by SNMP: nothing was read."],
            format=output,
        )
    said = (
        f"Asked {len(rows)} device{'' if len(rows) == 1 else 's'}, {len(rows) - len(wrong)} answered in full."
    )
    ports = [ipam_ports.told(result.placed)] if result.placed.macs else []
    columns = [Column(key, key) for key in ("device", "reach", "addresses", "macs", "reason")]
    shown = wrong if output in (Format.table, Format.wide) else rows
    # With nothing wrong there is no table at all, only the sentence.
    return Outcome(
        shown or (None if output in (Format.table, Format.wide) else []),
        columns,
        messages=[] if quiet and not wrong else [said, told(result.kept), *ports],
        exit_code=_exit_code(result.count(Reach.up, Reach.partial), bool(wrong)),
        format=output,
    )


def _row(answer: "Neighbours") -> dict[str, Any]:
    return {
        "device": answer.device,
        "reach": answer.reach.value,
        "addresses": len(answer.seen),
        "macs": len({one.mac for one in answer.learned}),
        "reason": answer.reason,
        "took_s": round(answer.took_s, 3),
        "at": answer.at,
    }


def _exit_code(answered: int, wrong: bool) -> int:
    """Return 0 when all answered, 7 when some did not, 1 when nobody did."""
    if not wrong:
        return 0
    return 7 if answered else 1
