"""The commands that find what is free next, and claim it. Nothing heavy is imported up here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from inventory.commands import DryRun, Output, Why
from siaga.outcome import Format, Outcome
from siaga.who import who

Prefix = Annotated[str, typer.Argument(help="A recorded prefix, such as 10.1.2.0/24.")]
Vrf = Annotated[str, typer.Option("--vrf", help="The VRF; without it the global table is meant.")]
Claim = Annotated[bool, typer.Option("--claim", help="Record it at once, so that nobody else is given it.")]
Values = Annotated[list[str] | None, typer.Argument(help="With --claim: field=value … of the new row.")]
Count = Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="How many.")]

Find = Callable[[Any], Sequence[Mapping[str, Any]]]


def next_prefix(
    parent: Prefix,
    length: Annotated[str, typer.Argument(help="How long the new prefix is: 24 or /24.")],
    values: Values = None,
    claim: Claim = False,
    count: Count = 1,
    vrf: Vrf = "",
    dry_run: DryRun = False,
    why: Why = "",
    output: Output = Format.table,
) -> Outcome:
    """Find the lowest free prefix in a prefix, and claim it.

    Example: siaga ipam next-prefix 10.1.0.0/16 24 --claim place=Mauk agency=Dinkes
    """
    from inventory import ipam, ipam_claims
    from siaga.errors import UsageError

    digits = length.removeprefix("/")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 4):
        raise UsageError("bad-length", f"'{length}' is no prefix length such as 24.")

    def found(session: Any) -> Sequence[Mapping[str, Any]]:
        return ipam_claims.next_prefixes(session, ipam.find(session, parent, vrf), int(digits), count)

    return _next("prefix", found, values or [], claim=claim, dry_run=dry_run, why=why, output=output)


def next_address(
    prefix: Prefix,
    values: Values = None,
    claim: Claim = False,
    count: Count = 1,
    vrf: Vrf = "",
    dry_run: DryRun = False,
    why: Why = "",
    output: Output = Format.table,
) -> Outcome:
    """Find the lowest free address of a prefix, and claim it.

    Addresses of ranges and of the prefixes within it are not given out.
    Example: siaga ipam next-address 10.1.2.0/24 --claim device=rtr-mauk interface=ether1
    """
    from inventory import ipam, ipam_claims

    def found(session: Any) -> Sequence[Mapping[str, Any]]:
        return ipam_claims.next_addresses(session, ipam.find(session, prefix, vrf), count)

    return _next("address", found, values or [], claim=claim, dry_run=dry_run, why=why, output=output)


def next_vlan(
    group: Annotated[str, typer.Argument(help="The VLAN group.")],
    values: Values = None,
    claim: Claim = False,
    dry_run: DryRun = False,
    why: Why = "",
    output: Output = Format.table,
) -> Outcome:
    """Find the lowest free VLAN id of a group, and claim it.

    VLAN 1 and 1002 to 1005 are never given. Example: siaga ipam next-vlan ring-utara --claim name=dinkes-mauk
    """
    from inventory import ipam_claims

    def found(session: Any) -> Sequence[Mapping[str, Any]]:
        return ipam_claims.next_vlans(session, group)

    return _next("vlan", found, values or [], claim=claim, dry_run=dry_run, why=why, output=output)


@contextmanager
def opened(at: str = "") -> Iterator[Any]:
    """Give a session that reads the inventory of the settings, as it is or as it was."""
    from inventory.noun_commands import engine_at
    from inventory.store import reading
    from siaga.settings import load

    with reading(engine_at(load(), at)) as session:
        yield session


def _next(
    noun: str, find: Find, values: Sequence[str], *, claim: bool, dry_run: bool, why: str, output: Format
) -> Outcome:
    """Return what `find` finds free; with `claim` it is written in the transaction in which it was found."""
    from siaga.errors import UsageError

    if values and not claim:
        raise UsageError("no-claim", f"'{values[0]}' says what the new row is: add --claim to record it.")
    if claim:
        found, messages = _claimed(noun, find, values, dry_run=dry_run, why=why)
    else:
        with opened() as session:
            found, messages = find(session), []
    done = claim and not dry_run
    rows = [{**row, "claimed": done} for row in found]
    names = [str(row["vid"] if noun == "vlan" else row["name"]) for row in rows]
    return Outcome(rows, messages=messages, format=output, text="\n".join(names))


def _claimed(
    noun: str, find: Find, values: Sequence[str], *, dry_run: bool, why: str
) -> tuple[Sequence[Mapping[str, Any]], list[str]]:
    from inventory import ipam_claims, store
    from inventory.history import Author
    from inventory.writing import BadRowError, Writer
    from siaga.clock import utc_now
    from siaga.errors import InvalidError
    from siaga.settings import load

    settings = load()
    given = _assignments(values)
    with store.session(store.open_engine(settings)) as session:
        author = Author(who(), utc_now(), why)
        writer = Writer(session, author, settings.rules, settings.access)
        try:
            found = find(session)
            diffs = ipam_claims.claim(writer, noun, found, given)
            writer.finish()
        except BadRowError as error:
            sentences = [sentence for _, sentence in error.problems]
            raise InvalidError("bad-values", "Nothing was written.", sentences) from None
        if dry_run:
            session.rollback()
    names = ", ".join(d.name for d in diffs)
    return found, [f"{'Would claim' if dry_run else 'Claimed'} {names}.", *writer.warnings]


def _assignments(values: Sequence[str]) -> dict[str, str]:
    from siaga.errors import UsageError

    pairs = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError("bad-assignment", f"'{text}' is no field=value.")
        pairs[key.strip()] = value
    return pairs
