"""The commands that write the inventory for other tools. Nothing heavy is imported up here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import Annotated, Any

import typer

from inventory.options import At, Output, Selector, split
from siaga.outcome import Column, Format, Outcome

Out = Annotated[
    str, typer.Option("--out", "-O", help="The file to write, whole or not at all; - is standard output.")
]
Nouns = Annotated[
    list[str] | None,
    typer.Option("--noun", "-n", help="What to export: device, interface, … Default: all. May be repeated."),
]
Revision = Annotated[
    bool, typer.Option("--revision", help="With each row's revision: an import refuses rows changed since.")
]
Observed = Annotated[
    bool, typer.Option("--observed", help="With what siaga saw or derived, which no import takes.")
]

export_app = typer.Typer(name="export", help="Write the inventory for other tools.", no_args_is_help=True)


@export_app.command("csv")
def csv(
    selector: Selector = None,
    noun: Nouns = None,
    out: Out = "-",
    revision: Revision = False,
    observed: Observed = False,
    at: At = "",
) -> Outcome:
    """Write CSV: one noun to a file, several to a directory or a .zip.

    Example: siaga export csv --noun device kecamatan=Mauk -O device.csv
    """
    from inventory.exports.csv_files import write_csv
    from siaga.errors import UsageError

    zipped = PurePath(out).suffix.lower() == ".zip"
    single = len(_names(noun)) == 1
    if out == "-" and not single:
        raise UsageError(
            "needs-out", "Several nouns need --out: a directory or a .zip; or name one with --noun."
        )
    wanted = {"revision": revision, "with_observed": observed, "empty": not (zipped or single)}
    with _tables(selector, noun, at, **wanted) as tables:
        sha256 = write_csv(tables, out, _progress())
    return _written(tables, out, sha256)


@export_app.command("xlsx")
def xlsx(
    selector: Selector = None,
    noun: Nouns = None,
    out: Out = "-",
    revision: Revision = False,
    observed: Observed = False,
    at: At = "",
) -> Outcome:
    """Write a workbook, a sheet for each noun.

    Example: siaga export xlsx -O inventaris.xlsx
    """
    from inventory.exports.files import needs_file
    from inventory.exports.workbook import write_xlsx
    from siaga.clock import utc_now

    needs_file(out, "A workbook")
    with _tables(selector, noun, at, revision=revision, with_observed=observed) as tables:
        sha256 = write_xlsx(tables, out, at=utc_now(), progress=_progress())
    return _written(tables, out, sha256)


@export_app.command("yaml")
def yaml(
    selector: Selector = None,
    noun: Nouns = None,
    out: Out = "-",
    revision: Revision = False,
    observed: Observed = False,
    at: At = "",
) -> Outcome:
    """Write one YAML document; importing it into an empty inventory gives the same one.

    Example: siaga export yaml -O inventaris.yaml
    """
    from inventory.exports.document import write_yaml
    from siaga.clock import utc_now

    with _tables(selector, noun, at, revision=revision, with_observed=observed) as tables:
        sha256 = write_yaml(tables, out, at=utc_now(), progress=_progress())
    return _written(tables, out, sha256)


@export_app.command("ansible")
def ansible(
    selector: Selector = None,
    list_: Annotated[bool, typer.Option("--list", help="All hosts and groups; what is done anyway.")] = False,
    host: Annotated[str, typer.Option("--host", help="The variables of one host.")] = "",
    group_by: Annotated[str, typer.Option("--group-by", help="Groups, separated by commas.")] = "",
    out: Out = "-",
    at: At = "",
) -> Outcome:
    """Write an Ansible inventory as JSON; answers --list and --host as an inventory script does.

    Without a selector all devices that are not retired.

    Example: siaga export ansible role=router --group-by role,kecamatan
    """
    from inventory.exports.ansible import GROUPED_BY, host_json, listing
    from inventory.exports.hosts import hosts

    left_out: list[str] = []
    kinds = split(group_by) or list(GROUPED_BY)
    with _reading(at) as session:
        ids = (
            [_host_id(session, host)]
            if host
            else _selected(session, "device", selector or ["status!=retired"])
        )
        found = hosts(session, ids, group_by=kinds, left_out=left_out)
    pieces = iter([host_json(found[0]) + "\n"]) if host else listing(found)
    return Outcome(messages=[*_some(left_out), *_text_written(pieces, out)])


def _host_id(session: Any, host: str) -> int:
    """Return the id of the device that is called `host` in an inventory: its name, or device_ID."""
    import re

    from inventory.exports.ansible import alias
    from inventory.store import labels
    from siaga.errors import NotFoundError
    from siaga.text import safe

    names = labels(session, "device")
    numbered = re.fullmatch(r"device_(\d{1,18})", host)
    if numbered and int(numbered[1]) in names:
        return int(numbered[1])
    found = next((i for i, name in names.items() if host in (name, alias(name, i))), None)
    if found is None:
        raise NotFoundError("no-such-device", f"No device is called '{safe(host, 80)}'.")
    return found


@export_app.command("prometheus-sd")
def prometheus_sd(
    selector: Selector = None,
    module: Annotated[
        str, typer.Option("--module", help="The snmp_exporter module where a device has no snmp_module.")
    ] = "if_mib",
    out: Out = "-",
    at: At = "",
) -> Outcome:
    """Write the devices polled by SNMP as targets for Prometheus (HTTP-SD), for snmp_exporter.

    Example: siaga export prometheus-sd -O targets.json
    """
    from inventory.exports.prometheus import lines, targets
    from inventory.select import joined

    with _reading(at) as session:
        found = targets(session, joined(selector or []), module=module)
    return Outcome(messages=_text_written(lines(found), out))


@export_app.command("template")
def template(
    file: Annotated[str, typer.Argument(metavar="FILE.j2", help="A Jinja template; it sees `rows`.")],
    selector: Selector = None,
    noun: Annotated[str, typer.Option("--noun", "-n", help="What the rows are.")] = "device",
    out: Out = "-",
    at: At = "",
) -> Outcome:
    """Write what a template of your own makes of the rows.

    Example: siaga export template hosts.j2 status=active -O hosts
    """
    from inventory.exports.context import table_context
    from inventory.exports.templates import opened, rendered
    from inventory.nouns import noun as noun_of

    made = opened(file)
    with _reading(at) as session:
        name = noun_of(noun).name
        context = table_context(session, name, _selected(session, name, selector) if selector else None)
    return Outcome(messages=_text_written(iter([rendered(made, "", context).text]), out))


def render(
    file: Annotated[str, typer.Argument(metavar="TEMPLATE", help="A Jinja template of a configuration.")],
    devices: Annotated[
        list[str], typer.Argument(metavar="DEVICE…", help="Names, or selectors: each adds its own.")
    ],
    out: Annotated[
        str, typer.Option("--out", "-O", help="A directory: one file for each device, whole or none.")
    ] = "",
    output: Output = Format.table,
    at: At = "",
) -> Outcome:
    """Render a configuration of each device from the inventory.

    One device goes to standard output; several need --out. Nothing is sent to any device.

    Example: siaga render routeros.rsc.j2 role=router -O configs
    """
    from inventory.exports.context import device_contexts
    from inventory.exports.templates import opened, rendered
    from siaga.errors import UsageError

    made = opened(file)
    with _reading(at) as session:
        ids = _each(session, devices)
        if not out and len(ids) > 1 and output not in (Format.json, Format.jsonl):
            raise UsageError(
                "needs-out", f"{len(ids)} devices are meant: say with --out DIRECTORY where they go."
            )
        found = [rendered(made, name, context) for name, context in device_contexts(session, ids)]
    if out:
        return _placed(found, out, _suffix(file), output)
    if output in (Format.json, Format.jsonl):
        rows = [{"device": r.name, "sha256": r.sha256, "text": r.text} for r in found]
        return Outcome(rows, format=output)
    return Outcome(messages=[*_text_written(iter([found[0].text]), "-"), f"SHA-256 {found[0].sha256}"])


def _each(session: Any, words: Sequence[str]) -> list[int]:
    """Return the devices that any of the words means, each once."""
    from siaga.errors import NotFoundError

    found = dict.fromkeys(i for word in words for i in _selected(session, "device", [word]))
    if not found:
        raise NotFoundError("nothing-selected", f"No device matches {' or '.join(map(repr, words))}.")
    return list(found)


def _suffix(file: str) -> str:
    """Return how the rendered files end: as the template's name does without .j2."""
    return PurePath(PurePath(file).name.removesuffix(".j2")).suffix or ".txt"


def _placed(found: Sequence[Any], out: str, suffix: str, output: Format) -> Outcome:
    from inventory.exports.files import whole_directory

    with whole_directory(out) as opened:
        for one in found:
            with opened(f"{one.name}{suffix}") as file:
                file.write(one.octets)
    rows = [
        {"device": r.name, "file": f"{r.name}{suffix}", "octets": len(r.octets), "sha256": r.sha256}
        for r in found
    ]
    columns = [Column("device", "device"), Column("file", "file"), Column("octets", "octets", right=True)]
    return Outcome(rows, [*columns, Column("sha256", "sha256")], format=output)


# --- what all of them need --------------------------------------------------------------------------------


@contextmanager
def _reading(at: str) -> Iterator[Any]:
    """Open the inventory, as it is or as it was, to be read."""
    from inventory import store
    from inventory.noun_commands import engine_at
    from siaga.settings import load

    engine = engine_at(load(), at)
    with store.reading(engine) as session:
        yield session


@contextmanager
def _tables(
    selector: list[str] | None, noun: list[str] | None, at: str, **wanted: bool
) -> Iterator[list[Any]]:
    from inventory.exports.tables import export_tables
    from inventory.select import joined

    with _reading(at) as session:
        yield export_tables(session, _names(noun), joined(selector or []), **wanted)


def _names(given: Sequence[str] | None) -> list[str]:
    return [name for text in given or () for name in split(text)]


def _selected(session: Any, noun: str, words: Sequence[str] | None) -> list[int]:
    from inventory.select import joined, selected

    return selected(session, noun, joined(words or []))


def _text_written(pieces: Iterator[str], out: str) -> list[str]:
    """Write text to a file or to standard output; return what there is to say."""
    from inventory.exports.files import whole

    with whole(out) as file:
        for piece in pieces:
            file.write(piece.encode())
    return [f"Wrote {out} (SHA-256 {file.sha256})."] if out != "-" else []


def _written(tables: Sequence[Any], out: str, sha256: str) -> Outcome:
    messages = [
        f"The {t.noun} variable{'s' if len(t.left_out) > 1 else ''} {', '.join(t.left_out)} stayed behind:"
        " by the name a secret, which belongs in a credential."
        for t in tables
        if t.left_out
    ]
    if out != "-":
        rows, filled = sum(t.count for t in tables), sum(1 for t in tables if t.count)
        proof = f" (SHA-256 {sha256})" if sha256 else ""
        messages.append(f"Wrote {rows} rows of {filled} nouns to {out}{proof}.")
    return Outcome(messages=messages)


def _some(left_out: Sequence[str]) -> list[str]:
    """Return the first of many sentences about variables that were left out."""
    more = [f"and {len(left_out) - 10} more variables were left out."] if len(left_out) > 10 else []
    return [*left_out[:10], *more]


def _progress() -> Callable[[int, int], None] | None:
    """Return a callback that shows how far a long export is, on a terminal only."""
    import sys

    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        end = "\n" if done >= total else ""
        if total >= 10_000:
            print(f"\r  {done} of {total} rows", end=end, file=sys.stderr, flush=True)  # noqa: T201

    return show
