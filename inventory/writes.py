"""What the writing commands share: one transaction, a diff to look at, a question asked before the lock is taken."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from siaga.errors import InvalidError, NotFoundError, UsageError
from siaga.outcome import Outcome

if TYPE_CHECKING:
    from pydantic import SecretStr
    from sqlmodel import Session

    from inventory.writing import Diff, Writer
    from siaga.settings import Settings

Work = Callable[["Session", "Writer", "Settings"], None]
_SHOWN = 200


def write(
    work: Work, *, dry_run: bool, why: str, cause: str = "", ask: str = "", yes: bool = False
) -> "tuple[list[Diff], Writer]":
    """Do `work` in one transaction and return the diffs and the writer; a dry run is rolled back.

    With `ask` (which may hold {rows}) the work is first done on trial, its diff shown and somebody asked, while
    no lock is held; if the same work would then do something else, nothing is written and that is said.
    """
    trial, writer = _once(work, dry_run=True, why=why, cause=cause) if ask or dry_run else ([], None)
    if dry_run and writer is not None:
        return trial, writer
    if ask:
        confirm(ask.format(rows=_rows(trial)), yes=yes, shown=trial)
    done, writer = _once(work, dry_run=False, why=why, cause=cause, expected=trial if ask else None)
    return done, writer


def _once(
    work: Work, *, dry_run: bool, why: str, cause: str, expected: "Sequence[Diff] | None" = None
) -> "tuple[list[Diff], Writer]":
    from inventory import store
    from inventory.history import Author
    from inventory.writing import BadRowError, Writer
    from siaga.clock import utc_now
    from siaga.settings import load
    from siaga.who import who

    settings = load()
    with store.session(store.open_engine(settings)) as session:
        writer = Writer(session, Author(who(), utc_now(), why, cause), settings.rules, settings.access)
        try:
            work(session, writer, settings)
            writer.finish()
        except BadRowError as error:
            sentences = [p for _, p in error.problems]
            raise InvalidError("bad-values", "Nothing was written.", sentences) from None
        if expected is not None and writer.diffs != list(expected):
            sentence = "Somebody changed these rows while you were asked: nothing was written; look again."
            raise InvalidError("changed-meanwhile", sentence)
        if dry_run:
            session.rollback()
    return writer.diffs, writer


def _rows(diffs: "Sequence[Diff]") -> str:
    count = sum(d.action != "same" for d in diffs)
    return f"{count} row{'s' if count != 1 else ''}"


def told(diffs: "Sequence[Diff]", writer: "Writer", *, dry_run: bool) -> Outcome:
    """Return the diffs as lines (+ added, ~ changed, - removed), and how to take them back."""
    lines = diff_lines(diffs)
    done = _rows(diffs)
    messages = [*(f"warning: {w}" for w in writer.warnings)]
    if dry_run:
        messages.append(f"Would change {done}.")
    elif writer.chain.change_set and done != "0 rows":
        number = writer.chain.change_set
        messages.append(f"Changed {done} (change set {number}; 'siaga history undo {number}' takes it back).")
    else:
        messages.append(f"Changed {done}.")
    rows = [
        {"noun": d.noun, "name": d.name, "action": d.action, "before": d.before, "after": d.after}
        for d in diffs
        if d.action != "same"
    ]
    return (
        Outcome(rows=rows, text="\n".join(lines) if lines else None, messages=messages)
        if lines
        else Outcome(messages=messages)
    )


def diff_lines(diffs: "Sequence[Diff]", limit: int = _SHOWN, *, whole: bool = False) -> list[str]:
    """Return what changes as lines, at most `limit` rows of it; `whole` shows the fields of new rows too."""
    changed = [d for d in diffs if d.action != "same"]
    lines = [line for diff in changed[:limit] for line in _lines(diff, whole=whole)]
    return [*lines, f"… and {len(changed) - limit} more rows"] if len(changed) > limit else lines


def _lines(diff: "Diff", *, whole: bool) -> list[str]:
    from inventory.removal import GONE
    from siaga.render import cell

    sign = {"add": "+", "set": "~", "rm": "-"}[diff.action]
    lines = [f"{sign} {diff.noun} {cell(diff.name)}"]
    if diff.action == "set":
        lines += [
            f"    {k}: {cell(diff.before[k]) or '(empty)'} -> {cell(v) or '(empty)'}"
            for k, v in diff.after.items()
        ]
    elif diff.action == "rm" and GONE in diff.before:
        lines += [f"    with it: {_gone(diff.before[GONE])}"]
    elif diff.action == "add" and whole:
        lines += [f"    {k}: {cell(v)}" for k, v in diff.after.items() if cell(v)]
    return lines


def _gone(kept: "Mapping[str, Mapping[str, Any]]") -> str:
    """Return what goes with a row and is no row of its own: '12 observed, 1 device state'."""
    return ", ".join(f"{rows['count']} {table.replace('_', ' ')}" for table, rows in kept.items())


def confirm(question: str, *, yes: bool, shown: "Sequence[Diff]" = ()) -> None:
    """Ask, and raise UsageError (`needs-yes`, `not-confirmed`) unless somebody agrees."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("needs-yes", f"{question[:-1]} needs --yes when nobody can be asked.")
    for line in diff_lines(shown, 20):
        typer.echo(line, err=True)
    if not typer.confirm(question, err=True):
        raise UsageError("not-confirmed", "Nothing was changed.")


def assignments(values: Sequence[str]) -> dict[str, str]:
    """Return field → value of words such as field=value; raises UsageError (`bad-assignment`)."""
    pairs: dict[str, str] = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise UsageError("bad-assignment", f"'{text}' is no field=value.")
        if key.strip() in pairs:
            raise UsageError("bad-assignment", f"'{key.strip()}' is given twice.")
        pairs[key.strip()] = value
    return pairs


def secrets(given: Sequence[str]) -> "dict[str, SecretStr]":
    """Read PART=env:VAR, PART=file:PATH or PART=ask; a secret never stands on the command line itself."""
    from pydantic import SecretStr

    taken = {}
    for text in given:
        part, _, source = text.partition("=")
        how, _, where = source.partition(":")
        taken[part] = SecretStr(secret_from(how, where, part))
    return taken


def secret_from(how: str, where: str, part: str) -> str:
    """Return a secret from `env` VAR, `file` PATH or by asking. Raises UsageError, NotFoundError."""
    import getpass
    import os
    from pathlib import Path

    if how == "ask":
        if not sys.stdin.isatty():
            sentence = f"The {part} cannot be asked for here: give {part}=env:VAR or =file:PATH."
            raise UsageError("nobody-to-ask", sentence)
        return getpass.getpass(f"{part}: ")
    if how == "env" and where:
        if where not in os.environ:
            raise NotFoundError("no-such-variable", f"There is no variable {where}.")
        return os.environ[where]
    if how == "file":
        try:
            return Path(where).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise NotFoundError("no-such-file", f"{where} cannot be read: {reason}.") from None
    raise UsageError(
        "bad-secret-source", f"A secret is given as {part or 'PART'}=env:VAR, =file:PATH or =ask."
    )


def store_secrets(
    session: "Session", writer: "Writer", settings: "Settings", name: str, taken: "Mapping[str, SecretStr]"
) -> None:
    """Seal the secrets of a credential."""
    if not taken:
        return
    from inventory.credentials import store_secret
    from siaga.secrets import open_vault

    writer.flush()
    vault = open_vault(settings.home)
    for part, secret in taken.items():
        store_secret(session, vault, writer.ids("credential")[name], part, secret)
