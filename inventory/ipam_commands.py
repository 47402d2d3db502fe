"""The commands of IPAM: what is used, what is free next, what was seen. Nothing heavy is imported up here."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from inventory.ipam_next_commands import Prefix, Vrf, next_address, next_prefix, next_vlan, opened
from inventory.options import At, Fields, Output, split
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

app = typer.Typer(
    name="ipam", help="Prefixes, addresses and VLANs: used, free next, seen.", no_args_is_help=True
)

Within = Annotated[str, typer.Argument(help="Only what lies in this prefix.")]
Days = Annotated[int, typer.Option("--days", min=1, max=3650, help="How many days back.")]
All = Annotated[bool, typer.Option("--all", "-a", help="Also those that are left out for a reason.")]


@app.command("tree")
def tree(
    prefix: Within = "",
    vrf: Annotated[
        str, typer.Option("--vrf", help="Only this VRF; default: the global table and all VRFs.")
    ] = "",
    depth: Annotated[int, typer.Option("--depth", min=0, max=128, help="Only so many levels.")] = 128,
    at: At = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show prefixes as a tree, and how much of each is used.

    A container is used by the prefixes in it, any other prefix by its addresses, ranges and prefixes.
    """
    from inventory import ipam, ipam_text, ipam_tree

    with opened(at) as session:
        within, named = ipam.span(prefix, vrf) if prefix else (None, vrf)
        own = ipam.vrf_id(session, named) if named else ipam_tree.ANY
        rows = [r for r in ipam_tree.tree(session, within, own) if r["depth"] <= depth]
    text = ipam_text.tree(rows) if rows and not fields else None
    messages = [] if rows else ["No prefix is recorded there: siaga prefix add records one."]
    return Outcome(rows, messages=messages, format=output, fields=split(fields), text=text)


@app.command("show")
def show(
    what: Annotated[str, typer.Argument(help="A recorded prefix, or any address.")],
    vrf: Vrf = "",
    at: At = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Show one prefix, or one address: whose it is, what is around it, when it was seen."""
    from inventory import ipam, ipam_show, ipam_text

    with opened(at) as session:
        if ipam_show.is_address(what):
            row = ipam_show.address(session, what, vrf)
            text = ipam_text.address(row)
        else:
            row = ipam_show.prefix(session, ipam.find(session, what, vrf))
            text = ipam_text.prefix(row)
    chosen = None if fields else text
    return Outcome([row], single=True, format=output, fields=split(fields), text=chosen)


app.command("next-prefix")(next_prefix)
app.command("next-address")(next_address)
app.command("next-vlan")(next_vlan)


@app.command("free")
def free(
    prefix: Prefix, vrf: Vrf = "", at: At = "", output: Output = Format.table, fields: Fields = ""
) -> Outcome:
    """List what is free of a prefix: blocks of a container, spans of addresses of any other."""
    from inventory import ipam, ipam_claims

    with opened(at) as session:
        rows = ipam_claims.free_rows(session, ipam.find(session, prefix, vrf))
    columns = [Column(k, k) for k in ("free", "first", "last")] + [
        Column("addresses", "addresses", right=True)
    ]
    messages = [] if rows else [f"Nothing of {prefix} is free."]
    return Outcome(rows, columns, messages=messages, format=output, fields=split(fields))


@app.command("seen-not-recorded")
def seen_not_recorded(
    prefix: Within = "",
    days: Days = 30,
    all_: All = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List addresses that were seen on the network and are not recorded.

    Those in DHCP ranges are left out, unless --all.
    """
    from inventory import ipam, ipam_seen

    with opened() as session:
        within = ipam.span(prefix)[0] if prefix else None
        rows = ipam_seen.not_recorded(session, since=_days_ago(days), within=within)
    kept = [r for r in rows if all_ or not r["dhcp"]]
    messages = [f"{_count(len(kept), 'address', 'es')} seen in {days} days and not recorded."]
    if len(kept) < len(rows):
        messages.append(f"{_more(rows, kept)} in DHCP ranges (--all).")
    shown = ("address", "mac", "device", "port", "prefix", "last_seen")
    return Outcome(
        kept,
        _columns(shown, "first_seen", "source", "macs", "dhcp"),
        messages=messages,
        format=output,
        fields=split(fields),
    )


@app.command("recorded-not-seen")
def recorded_not_seen(
    days: Days = 30, all_: All = False, output: Output = Format.table, fields: Fields = ""
) -> Outcome:
    """List active addresses that nobody saw for some days.

    Prefixes in which nothing at all was seen are left out, unless --all: nobody looks there.
    """
    from inventory import ipam_seen

    with opened() as session:
        rows = ipam_seen.not_seen(session, since=_days_ago(days))
    kept = [r for r in rows if all_ or r["watched"]]
    messages = [f"{_count(len(kept), 'address', 'es')} recorded and not seen in {days} days."]
    if len(kept) < len(rows):
        messages.append(f"{_more(rows, kept)} where nothing was seen at all (--all): siaga ipam scan.")
    shown = ("name", "device", "agency", "prefix", "seen_at", "seen_mac")
    return Outcome(
        kept, _columns(shown, "dns_name", "watched"), messages=messages, format=output, fields=split(fields)
    )


@app.command("check")
def check(output: Output = Format.table, fields: Fields = "") -> Outcome:
    """Say what is wrong with the recorded addresses; exit code 6 if anything is."""
    from dataclasses import asdict

    from inventory import ipam_check, ipam_text

    with opened() as session:
        rows = [asdict(f) for f in ipam_check.findings(session, since=_days_ago(1))]
    messages = [
        f"{_count(len(rows), 'finding', 's')}." if rows else "Nothing is wrong with the recorded addresses."
    ]
    columns = _columns(("kind", "noun", "name", "text"))
    text = ipam_text.findings(rows) if rows and not fields else None
    return Outcome(rows, columns, messages, 6 if rows else 0, format=output, fields=split(fields), text=text)


@app.command("seen-import")
def seen_import(
    file: Annotated[
        str,
        typer.Argument(help="A CSV or XLSX file with address,mac,device,port; '-' is CSV on standard input."),
    ],
) -> Outcome:
    """Keep sightings from a file: addresses, their MACs, and who saw them where."""
    from inventory import ipam_nodes
    from inventory.access import require
    from inventory.imports.reading import read_sheets
    from inventory.store import open_engine, session
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    sheets = read_sheets(file, "node")
    with session(open_engine(settings)) as opened:
        seen = [s for sheet in sheets for s in ipam_nodes.from_sheet(opened, sheet)]
        kept = ipam_nodes.remember(opened, seen, at=utc_now())
    return Outcome(messages=[ipam_nodes.told(kept)])


# --- what the commands share --------------------------------------------------------------------------


def _days_ago(days: int) -> Any:
    from datetime import timedelta

    from siaga.clock import utc_now

    return utc_now() - timedelta(days=days)


def _columns(shown: Sequence[str], *wide: str) -> list[Column]:
    return [*(Column(k, k) for k in shown), *(Column(k, k, wide=True) for k in wide)]


def _count(number: int, word: str, plural: str) -> str:
    return f"{number} {word}{'' if number == 1 else plural}"


def _more(rows: Sequence[Any], kept: Sequence[Any]) -> str:
    left = len(rows) - len(kept)
    return f"{left} more {'lies' if left == 1 else 'lie'}"
