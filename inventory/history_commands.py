"""Commands on the history and the regency's own rules."""

from typing import Annotated, Any

import typer

from inventory.options import DryRun, Output, Since, Why, Yes
from siaga.outcome import Column, Format, Outcome

history_app = typer.Typer(
    name="history", help="Who changed what, when and why; undo; the audit chain.", no_args_is_help=True
)
rule_app = typer.Typer(
    name="rule", help="The regency's own rules ([[rules]] in siaga.toml).", no_args_is_help=True
)
_TOLD = 100
Number = Annotated[int, typer.Argument(help="The change set's number.")]


@history_app.command("list")
def history_list(
    since: Since = "",
    who: Annotated[str, typer.Option("--who", help="Only what this user changed.")] = "",
    cause: Annotated[str, typer.Option("--cause", help="Only of this run: 'import 12', 'BAST 001/*'.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="At most so many.", min=1)] = 50,
    output: Output = Format.table,
) -> Outcome:
    """List change sets, the newest first: what was written together."""
    from inventory import store, trail
    from siaga.clock import moment, utc_now
    from siaga.settings import load

    settings = load()
    when = moment(since, utc_now(), settings.timezone) if since else None
    with store.reading(store.open_engine(settings)) as session:
        rows = trail.sets(session, since=when, who=who, cause=cause, limit=limit)
    keys = ("change_set", "at", "who", "changes", "what", "why", "cause")
    return Outcome(rows, [Column(k, k, right=k in ("change_set", "changes")) for k in keys], format=output)


@history_app.command("show")
def history_show(number: Number, output: Output = Format.table) -> Outcome:
    """Show every change of one set."""
    from inventory import store
    from inventory.undo import entries
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        found = entries(session, number)
    keys = (
        "id",
        "at",
        "who",
        "noun",
        "row_name",
        "action",
        "before",
        "after",
        "why",
        "cause",
        "change_set",
        "hash",
    )
    rows = [{k: e[k] for k in keys} for e in found]
    wide = ("id", "why", "cause", "change_set", "hash")
    return Outcome(rows, [Column(k, k, wide=k in wide) for k in keys], format=output)


@history_app.command("undo")
def history_undo(
    number: Number,
    dry_run: DryRun = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take back what still stands, leave the rest.")
    ] = False,
    yes: Yes = False,
    why: Why = "",
) -> Outcome:
    """Take one change set back, by new changes; refused where somebody changed the same since.

    Example: siaga history undo 17 --dry-run
    """
    from inventory import writes
    from inventory.undo import ChangedSinceError, entries, undo

    left: list[str] = []

    def work(session: Any, writer: Any, settings: Any) -> None:
        try:
            left[:] = undo(writer, entries(session, number), force=force)
        except ChangedSinceError as error:
            hint = "take that back first, or leave it and take back the rest with --force"
            raise ChangedSinceError([*error.problems, ("", hint)]) from None

    ask = "" if dry_run else f"Take back change set {number} ({{rows}})?"
    reason = why or f"undo of change set {number}"
    diffs, writer = writes.write(work, dry_run=dry_run, why=reason, cause=f"undo {number}", ask=ask, yes=yes)
    outcome = writes.told(diffs, writer, dry_run=dry_run)
    return Outcome(outcome.rows, text=outcome.text, messages=[*left, *outcome.messages])


@history_app.command("export")
def history_export(
    after: Annotated[int, typer.Option("--after", help="Only entries after this id.", min=0)] = 0,
    output: Output = Format.jsonl,
) -> Outcome:
    """Write out the entries themselves with their hashes, oldest first: a copy that cannot be changed from here.

    Example: siaga history export --after 1200 >> history.jsonl
    """
    from inventory import store
    from inventory.history import entries
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        rows = [
            {**e, "at": e["at"].isoformat()} for e in entries(session, after or None)
        ]  # as it was hashed, in UTC
    return Outcome(rows, [Column(k, k) for k in rows[0]] if rows else [], format=output)


@history_app.command("verify")
def history_verify(
    head: Annotated[
        str, typer.Option("--head", help="A head written down earlier, which must be in the chain.")
    ] = "",
    chain_only: Annotated[
        bool, typer.Option("--chain-only", help="Do not compare the rows with what the history says of them.")
    ] = False,
    output: Output = Format.table,
) -> Outcome:
    """Check that no entry of the history was edited, removed or moved, and that every row is what it says.

    Write its head down somewhere else now and then: with --head a history rewritten from end to end is found too.
    """
    from inventory import store
    from inventory.history import breaks, last_hash, sealed
    from inventory.replay import Replay
    from siaga.settings import load

    with store.reading(store.open_engine(load())) as session:
        replay = None if chain_only else Replay()
        found = list(breaks(session, head.strip().lower(), replay.take if replay else None))
        found += replay.differences(session) if replay else ()
        last, seal = last_hash(session), sealed(session)
    plain = output is Format.table
    if plain:
        _refuse(found)
    unsure = ["The head's seal cannot be checked: there is no master key here."] if seal is None else []
    if plain:
        return Outcome(messages=[f"The history holds; its head is {last}.", *unsure])
    row = {
        "holds": not found,
        "head": last,
        "sealed": seal,
        "rows_compared": not chain_only,
        "problems": found,
    }
    return Outcome([row], single=True, format=output, messages=unsure, exit_code=6 if found else 0)


def _refuse(found: list[str]) -> None:
    from siaga.errors import FindingsError

    if found:
        more = [f"and {len(found) - _TOLD} more"] if len(found) > _TOLD else []
        raise FindingsError("history-broken", "The history does not hold.", [*found[:_TOLD], *more])


@history_app.command("seal")
def history_seal() -> Outcome:
    """Accept the head as it stands, once you have looked: when the master key was replaced, or was not there.

    It is sealed with the master key; siaga does so itself at every change, unless it found another's head.
    """
    from inventory import store
    from inventory.access import require
    from inventory.history import breaks, seal_head, sealed
    from siaga.secrets import open_vault
    from siaga.settings import load
    from siaga.who import who

    settings = load()
    require(who(), settings.access, "admin")
    open_vault(settings.home)  # says what to do where there is no key
    with store.session(store.open_engine(settings)) as session:
        unsealed = sealed(session) is False
        count = seal_head(session)
        _refuse(list(breaks(session)))
    did = "is sealed" if unsealed else "was sealed already"
    return Outcome(messages=[f"The head of {count} entries {did}."])


@rule_app.command("list")
def rule_list(output: Output = Format.table) -> Outcome:
    """List the rules that are declared."""
    from siaga.settings import load

    keys = ("name", "noun", "when", "must", "require", "protect", "severity", "message")
    rows = [{k: getattr(r, k) for k in keys} for r in load().rules]
    return Outcome(rows, [Column(k, k) for k in keys], format=output)


@rule_app.command("check")
def rule_check(
    output: Output = Format.table,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing when all is well.")] = False,
) -> Outcome:
    """Hold every rule against every row; for cron: exit code 6 when one is broken.

    Example: siaga rule check --quiet
    """
    from inventory import rules, store
    from siaga.settings import load

    settings = load()
    with store.reading(store.open_engine(settings)) as session:
        found = list(rules.broken(session, settings.rules))
    rows = [
        {"rule": b.rule, "severity": b.severity, "noun": b.noun, "name": b.name, "sentence": b.sentence}
        for b in found
    ]
    if not found:
        count = len(settings.rules)
        return Outcome(
            rows if output is not Format.table else None,
            format=output,
            messages=[] if quiet else [f"All {count} rules hold."],
        )
    return Outcome(rows, [Column(k, k) for k in rows[0]], format=output, exit_code=6)
