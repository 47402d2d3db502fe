"""`siaga platform`: what is known of each make, and how to add one. Nothing heavy is imported up here."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inventory.options import Fields, Output, split
from monitor import login_options as login
from siaga.outcome import Column, Format, Outcome

if TYPE_CHECKING:
    from inventory.platform_format import Platform
    from monitor.tables import Oid, Value
    from monitor.targets import Target
    from siaga.settings import Settings

app = typer.Typer(name="platform", help="What siaga knows of each make, and how to teach it another.")


@app.command("list")
def platform_list(
    words: Annotated[list[str] | None, typer.Argument(help="Only those with these words in them.")] = None,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List the makes that siaga recognises, and what it reads of each.

    Examples: siaga platform list · siaga platform list ups · siaga platform list huawei -o json
    """
    from inventory.platforms import platforms
    from monitor.platform_view import row

    rows = [row(p) for p in platforms()]
    wanted = [w.lower() for w in words or []]
    rows = [r for r in rows if all(w in " ".join(map(str, r.values())).lower() for w in wanted)]
    columns = [
        Column(k, k, wide=k in ("netmiko", "ansible")) for k in ("name", "vendor", "title", "reads")
    ] + [
        Column("netmiko", "netmiko", wide=True),
        Column("ansible", "ansible", wide=True),
        Column("file", "file"),
    ]
    return Outcome(rows, columns, format=output, fields=split(fields))


@app.command("show")
def platform_show(
    name: Annotated[str, typer.Argument(help="A platform's name.")], output: Output = Format.table
) -> Outcome:
    """Show how a make is recognised, and every object that is read of it.

    Example: siaga platform show routeros
    """
    from inventory.platforms import named
    from monitor.platform_view import described, whole

    known = named(name)
    return Outcome([whole(known)], single=True, text=described(known), format=output)


@app.command("test")
@login.asks(*login.SSH_ONLY, "retries")
def platform_test(
    which: Annotated[str, typer.Argument(help="A platform's name, or a file: new.toml.")],
    against: Annotated[str, typer.Argument(help="A recording (.snmprec), or a device: HOST, HOST:PORT.")],
    output: Output = Format.table,
    *,
    asking: login.Asking,
) -> Outcome:
    """Try a platform file on a device or a recording of one, and show what it finds and what it does not.

    Ends with 6 if the device is not recognised as this platform, or if none of the file's own readings finds anything.

    Examples: siaga platform test new.toml ups.snmprec · siaga platform test new.toml 10.1.2.3 --community-file c.txt
    """
    from dataclasses import replace

    from monitor.platform_trial import outcome, trial
    from siaga.settings import load

    settings = load()
    known = _given(which)
    asking = replace(asking, host=against)
    left_out: list[str] = []
    tried = outcome(trial(known, _source(settings, asking, left_out)), output)
    several = "1 line was" if len(left_out) == 1 else f"{len(left_out)} lines were"
    told = [f"{several} left out of the recording: {left_out[0]}."] if left_out else []
    return replace(tried, messages=[*told, *tried.messages])


@app.command("record")
@login.asks(*login.SSH_ONLY, "retries")
def platform_record(
    host: login.Host,
    file: Annotated[
        str, typer.Option("--file", "-f", help="Where the recording goes; default: NAME.snmprec.")
    ] = "",
    draft: Annotated[
        str, typer.Option("--draft", help="Write a draft of a platform file, too: NEW.toml.")
    ] = "",
    unmasked: Annotated[
        bool, typer.Option("--unmasked", help="Keep names, serial numbers and addresses. Never give it away.")
    ] = False,
    most: Annotated[
        int, typer.Option("--most", min=100, max=1_000_000, help="Stop after so many objects.")
    ] = 100_000,
    *,
    asking: login.Asking,
) -> Outcome:
    """Record what a device tells, without its secrets and names, and draft a platform file from it.

    Tables that hold users, communities, routes and other hosts are left out; names, serial numbers and the device
    part of MACs become stand-ins. Look through the file before you give it to anybody.

    Examples: siaga platform record 10.1.2.3 --draft acme.toml · siaga platform record ups-rsud -f ups.snmprec
    """
    from dataclasses import replace

    from monitor.platform_record import record
    from siaga.settings import load

    asking = replace(asking, host=host)
    target = _target(load(), asking)
    return record(target, Path(file or f"{_file_name(host)}.snmprec"), draft, most=most, unmasked=unmasked)


def _given(which: str) -> "Platform":
    """Return the platform of a file, or the one of that name; raises InvalidError for a file with mistakes."""
    from inventory.platforms import folders, named, read, strangers
    from siaga.errors import InvalidError, NotFoundError

    if not which.endswith(".toml"):
        return named(which)
    path = Path(which)
    if not path.is_file():
        raise NotFoundError("no-such-file", f"{path} is no file.")
    problems: list[str] = []
    found = read(path, problems)
    problems += strangers(found, *folders()) if found else []
    if found is None or problems:
        raise InvalidError("bad-platform", f"{path} is not valid.", problems)
    return found


def _source(
    settings: "Settings", asking: login.Asking, left_out: list[str]
) -> "Mapping[Oid, Value] | Target":
    """Return a recording's objects, or the target to ask."""
    from monitor.recording import load

    if asking.host.endswith(".snmprec") or Path(asking.host).is_file():
        return load(Path(asking.host), left_out)
    return _target(settings, asking)


def _target(settings: "Settings", asking: login.Asking) -> "Target":
    from monitor.inspect import patient, target_of
    from siaga.errors import UsageError
    from siaga.text import safe

    target = target_of(patient(settings, asking), asking)
    if target.snmp is None:
        raise UsageError("not-snmp", f"{safe(target.name, 60)} has no SNMP credential: give one.")
    return target


def _file_name(host: str) -> str:
    return "".join(c if c.isalnum() or c in ".-_" else "-" for c in host)[:60].strip(".-") or "device"
