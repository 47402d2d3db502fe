"""siaga propose: looks at hosts and says what they are to the inventory. Nothing heavy is imported up here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from inventory.options import DryRun, Fields, Output, split
from monitor import login_options as login
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from inventory.proposals import Proposed
    from monitor.named_hosts import Look
    from siaga.settings import Settings


@login.asks("credential")
def propose(
    hosts: Annotated[list[str], typer.Argument(help="Addresses or names: HOST, HOST:PORT, [IPv6]:PORT.")],
    credential: Annotated[
        list[str] | None,
        typer.Option("--credential", help="A credential of the inventory; several are tried in turn."),
    ] = None,
    output: Output = Format.table,
    fields: Fields = "",
    dry_run: DryRun = False,
    *,
    asking: login.Asking,
) -> Outcome:
    """Look at hosts and say what they are to the inventory.

    A row, perhaps a row, or new. What is certainly a row is kept as observed; the rest waits in
    'siaga proposal list'. A recorded address is asked with its row's credential; without any the community
    "public" is tried.

    Examples: siaga propose 10.3.1.2 10.3.1.3 --credential noc · siaga propose 10.3.1.2 --dry-run
    """
    from inventory.access import require
    from monitor.inspect import explicit
    from monitor.named_hosts import looked
    from siaga.errors import UsageError
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, "operator")
    if credential and explicit(asking):
        raise UsageError("two-logins", "Either --credential or a login on the command line, not both.")
    looks = looked(settings, hosts, asking, credential or [])
    told = _proposed(settings, looks, dry_run=dry_run)
    return _outcome(looks, told, output, split(fields), dry_run=dry_run)


def _proposed(settings: "Settings", looks: "Sequence[Look]", *, dry_run: bool) -> "list[Proposed]":
    from inventory.history import Author
    from inventory.store import open_engine
    from inventory.store import session as writing
    from monitor.named_hosts import take
    from siaga.clock import utc_now

    with writing(open_engine(settings)) as session:
        author = Author(who(), utc_now(), cause="propose")
        told = take(session, author, looks, source="propose")
        if dry_run:
            session.rollback()
    return told


def _outcome(
    looks: "Sequence[Look]", told: "Sequence[Proposed]", output: Format, fields: list[str], *, dry_run: bool
) -> Outcome:
    from monitor.propose import HEARD
    from siaga.text import safe

    heard = [x for x in looks if x.seen.reach in HEARD]
    rows = [
        {
            "host": x.host,
            "what": p.kind.value,
            "device": p.device,
            "score": p.match.score,
            "proposal": p.proposal,
            "serial": x.seen.identity.serial,
            "name": x.seen.identity.sysName,
            "note": p.note,
            "reasons": list(p.match.reasons),
        }
        for x, p in zip(heard, told, strict=True)
    ]
    columns = [Column(k, k, right=k == "score", wide=k == "reasons") for k in (rows[0] if rows else ())]
    messages = [
        f"{safe(x.host)}: {x.seen.reach.value}: {safe(x.seen.reason, 300)}" for x in looks if x not in heard
    ]
    messages += ["Dry run: nothing was written."] if dry_run else []
    code = 0 if len(heard) == len(looks) else 7 if heard else 1
    nothing = not rows and output in (Format.table, Format.wide)
    return Outcome(None if nothing else rows, columns, messages, code, format=output, fields=fields)
