"""The roof: mounts each floor's commands, renders what they return, and turns errors into exit codes."""

import contextlib
import gc
import io
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, wraps
from inspect import Parameter, signature
from typing import Any

import typer
from typer.core import TyperGroup

import infra.around
import infra.commands
import inventory.commands
import inventory.event_commands
import inventory.export_commands
import inventory.finding_commands
import inventory.goods_commands
import inventory.graph_commands
import inventory.history_commands
import inventory.import_commands
import inventory.ipam_commands
import inventory.noun_commands
import inventory.proposal_commands
import inventory.stocktake_commands
import monitor.access_commands
import monitor.alert_commands
import monitor.arp_commands
import monitor.audit_commands
import monitor.backup_commands
import monitor.capacity_commands
import monitor.check_commands
import monitor.commands
import monitor.compliance_commands
import monitor.discover_commands
import monitor.doctor_commands
import monitor.listen_commands
import monitor.lldp_commands
import monitor.maintenance_commands
import monitor.monitor_commands
import monitor.notify_commands
import monitor.out.commands
import monitor.out.follow_commands
import monitor.outage_commands
import monitor.platform_commands
import monitor.propose_commands
import monitor.samples_commands
import monitor.service_commands
import report.bast_commands
import report.commands
import report.evidence_commands
import report.export_commands
from inventory.catalog import SPECS
from inventory.options import Fields, split
from siaga.errors import AuthError, InvalidError, SiagaError, TemporaryError, UsageError
from siaga.outcome import Outcome
from siaga.text import safe
from siaga.who import who

_LONGEST = 4000  # characters of one line of an error

_HELP = """siaga keeps a regency's ICT infrastructure ready, and proves it.

The inventory says what should be, the monitor sees what is, infra makes it so, the report proves it.
Start with: siaga demo
"""


# The commands of `siaga --help`, by what one wants; the nouns stand together below.
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Begin", ("demo", "init", "doctor", "import", "export")),
    (
        "Look",
        (
            "status",
            "top",
            "bandwidth",
            "availability",
            "samples",
            "impact",
            "due",
            "disagreements",
            "history",
            "explain",
        ),
    ),
    ("Find and ask", ("inspect", "discover", "poll", "listen", "propose", "proposal", "trust", "platform")),
    ("Watch, be told", ("monitor", "check", "alert", "notify", "maintenance")),
    ("Keep it safe", ("compliance", "audit", "access", "finding")),
    ("Tell other tools", ("metrics", "event")),
    ("Keep in order", ("backup", "ipam", "adopt", "stocktake", "rule", "runs")),
    ("Make it so", ("plan", "apply", "job", "playbook", "render")),
    ("Prove it", ("report",)),
)


class Root(TyperGroup):
    """The root command, whose help fits a screen: commands by purpose, then the nouns."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands in sections, and all nouns as one paragraph."""
        for title, names in SECTIONS:
            commands = [(n, self.commands[n].get_short_help_str(58)) for n in names if n in self.commands]
            if commands:
                with formatter.section(title):
                    formatter.write_dl(commands)
        with formatter.section(
            "Nouns, each with list, show, add, set, rm, history ('siaga nouns' tells of them)"
        ):
            formatter.write_text(", ".join(s.name.replace("_", "-") for s in SPECS))


def build(wanted: str = "") -> typer.Typer:
    """Return the command tree; of the nouns only the `wanted` one has its verbs ('*': all of them).

    There are as many nouns as would cost half of the start-up time.
    """
    app = typer.Typer(
        name="siaga",
        cls=Root,
        help=_HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command("demo")(demo)
    _mount_inventory(app)
    app.command("inspect")(monitor.commands.inspect)
    app.command("discover")(monitor.discover_commands.discover)
    app.command("propose")(monitor.propose_commands.propose)
    app.command("poll")(monitor.commands.poll)
    app.command("listen")(monitor.listen_commands.listen)
    app.add_typer(monitor.monitor_commands.app)
    app.command("check")(monitor.check_commands.check)
    app.command("doctor")(monitor.doctor_commands.doctor)
    app.command("status")(monitor.commands.status)
    app.command("top")(monitor.commands.top)
    app.command("bandwidth")(monitor.capacity_commands.bandwidth)
    app.command("availability")(monitor.capacity_commands.availability)
    app.add_typer(monitor.alert_commands.app)
    app.add_typer(monitor.maintenance_commands.app)
    app.add_typer(monitor.notify_commands.app)
    app.command("trust")(monitor.commands.trust)
    app.add_typer(monitor.backup_commands.app)
    app.add_typer(monitor.platform_commands.app)
    app.add_typer(monitor.compliance_commands.app)
    app.command("audit")(monitor.audit_commands.audit)
    app.add_typer(monitor.access_commands.app)
    app.add_typer(inventory.finding_commands.app)
    app.add_typer(monitor.samples_commands.app)
    app.add_typer(monitor.out.commands.app)
    infra.commands.mount(app)
    infra.around.provide(_around_applies)
    app.add_typer(report.commands.app)
    _mount_nouns(app, wanted)
    _with_fields(app)
    return app


def _with_fields(app: typer.Typer) -> None:
    """Let every command that prints rows in a format be asked for some fields of them."""
    for group in app.registered_groups:
        if group.typer_instance:
            _with_fields(group.typer_instance)
    for command in app.registered_commands:
        if command.callback:
            command.callback = _narrowed(command.callback)


def _narrowed(callback: Callable[..., Any]) -> Callable[..., Any]:
    takes = signature(callback)
    if "output" not in takes.parameters or "fields" in takes.parameters:
        return callback

    @wraps(callback)
    def narrowed(*arguments: Any, fields: str = "", **options: Any) -> Any:
        result = callback(*arguments, **options)
        return replace(result, fields=split(fields)) if fields and isinstance(result, Outcome) else result

    asked = Parameter("fields", Parameter.KEYWORD_ONLY, default="", annotation=Fields)
    narrowed.__annotations__ = {**callback.__annotations__, "fields": Fields}
    narrowed.__dict__["__signature__"] = takes.replace(parameters=[*takes.parameters.values(), asked])
    return narrowed


def _mount_inventory(app: typer.Typer) -> None:
    app.command("init")(inventory.commands.init)
    app.command("import")(inventory.import_commands.import_)
    app.add_typer(_export())
    app.command("render")(inventory.export_commands.render)
    app.command("impact")(inventory.graph_commands.impact)
    app.command("explain")(inventory.graph_commands.explain)
    app.command("disagreements")(inventory.proposal_commands.disagreements)
    app.command("adopt")(inventory.proposal_commands.adopt)
    app.command("due")(inventory.goods_commands.due)
    app.add_typer(inventory.stocktake_commands.stocktake_app)
    app.add_typer(_ipam())
    app.add_typer(inventory.history_commands.history_app)
    app.add_typer(inventory.history_commands.rule_app)
    app.add_typer(_event())
    app.add_typer(_event(), name="events", hidden=True)  # whoever says it in the plural is understood
    app.command("nouns")(inventory.commands.nouns_list)
    app.command("runs")(inventory.commands.run_list)


@cache
def _export() -> typer.Typer:
    app = inventory.export_commands.export_app
    report.export_commands.mount(app)
    return app


@cache
def _event() -> typer.Typer:
    app = inventory.event_commands.event_app
    app.command("follow")(monitor.out.follow_commands.follow)
    app.command("heard")(monitor.out.follow_commands.heard)
    return app


@cache
def _ipam() -> typer.Typer:
    app = inventory.ipam_commands.app
    app.command("scan")(monitor.arp_commands.ipam_scan)
    return app


def _around_applies(engine: Any, settings: Any) -> infra.around.Around:
    """Give to whoever changes devices what the other floors can do for it (see infra.around)."""
    from monitor.glance import Eyes
    from monitor.work_windows import WorkWindows

    return infra.around.Around(
        look=Eyes(engine, settings).glance,
        backup=_kept_by(engine, settings) if settings.backup.around_jobs else None,
        restore=_given_back_by(settings),
        windows=WorkWindows(engine),
        finding=_asks_of(engine),
    )


def _kept_by(engine: Any, settings: Any) -> Callable[[Sequence[str], str], Mapping[str, infra.around.Kept]]:
    """Return what backs up the configurations of devices whose locks the caller holds.

    Of network devices, and of servers that are backed up: one that was never read whole stops no job, for what a play
    changes there is files, whose differences the job keeps.
    """

    def kept(names: Sequence[str], job: str) -> Mapping[str, infra.around.Kept]:
        from infra.network_dialects import names as dialects
        from inventory.store import platforms_of, reading
        from monitor.configs.service import Keeper
        from monitor.configs.store import read_before

        with reading(engine) as session:
            spoken, before = platforms_of(session, names), read_before(session, names)
        wanted = [n for n in names if spoken.get(n) in dialects() or n in before]
        found = Keeper(engine, settings, who=who()).backup(wanted, job)
        return {name: infra.around.Kept(one.name, one.failure) for name, one in found.items()}

    return kept


def _given_back_by(settings: Any) -> Callable[[str, str], infra.around.Given]:
    """Return what tells by which lines a device gets an earlier configuration back."""

    def given(name: str, kept: str) -> infra.around.Given:
        from monitor.configs.service import restored

        found = restored(settings, name, version=int(kept) if kept.isdigit() and int(kept) else None)
        if found.kind != "commands":
            sentence = f"what {name} is can only be given a whole file: 'siaga backup restore' writes it."
            raise InvalidError("no-commands", sentence)
        return infra.around.Given(found.lines, found.shown)

    return given


def _asks_of(engine: Any) -> Callable[[int], infra.around.Wanted]:
    """Return what tells which play, where and with what a finding asks for."""

    def asked(number: int) -> infra.around.Wanted:
        from inventory.findings_store import remedy_of
        from inventory.store import reading

        with reading(engine) as session:
            remedy = remedy_of(session, number)
        return infra.around.Wanted(remedy.playbook, remedy.selector, remedy.assignments)

    return asked


def _mount_nouns(app: typer.Typer, wanted: str) -> None:
    for spec in SPECS:
        name = spec.name.replace("_", "-")
        if name == "custody":  # its numbers stay without a gap because nobody adds or removes one by hand
            app.add_typer(report.bast_commands.custody_app())
        elif wanted in (name, "*"):
            app.add_typer(_noun(name))
        else:
            app.add_typer(typer.Typer(name=name, help=spec.help))


def _noun(name: str) -> typer.Typer:
    app = inventory.noun_commands.noun_app(name)
    if name == "asset":
        app.command("value")(inventory.goods_commands.asset_value)
    if name == "evidence":
        report.evidence_commands.mount(app)
    if name == "link":
        monitor.lldp_commands.mount(app)
    if name == "outage":
        monitor.outage_commands.mount(app)
    if name == "service":
        monitor.service_commands.mount(app)
    if name == "proposal":
        inventory.proposal_commands.mount(app)
    return app


def demo(
    keep: bool = typer.Option(False, "--keep", help="Keep it running, so that other commands can be tried."),
    directory: str = typer.Option("siaga-demo", "--directory", help="Where the demo keeps its files."),
    seed: int = typer.Option(36_03, "--seed", help="The same seed gives the same regency."),
) -> Outcome:
    """Show the main job on a simulated regency.

    Inventory, poll, provision, report: from nothing to the PDF, without root and without devices at hand.
    """
    from demo.story import tell

    return tell(directory, keep=keep, seed=seed)


def version() -> str:
    """Return the installed version."""
    from importlib.metadata import version as installed

    return installed("siaga")


def main() -> None:
    """Run one command line and end the process with its exit code."""
    _start_quickly()
    _print_anything()
    sys.exit(run(sys.argv[1:]))


def _start_quickly() -> None:
    """Save a tenth of a second at start-up: no search for pydantic plug-ins, less work for the collector."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(50_000, 50, 50)


def _print_anything() -> None:
    """Let a terminal that knows no UTF-8 get \\u escapes instead of an end in the middle."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; every error becomes one clear line."""
    return _plugin(arguments) if "--nagios" in arguments else _run(arguments)


def _plugin(arguments: list[str]) -> int:
    """Run as a plugin of Nagios: it reads standard output, and takes the 2 of a slip for critical."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = _run(arguments)
    sys.stderr.write(err.getvalue())
    if out.getvalue():
        sys.stdout.write(out.getvalue())
        return code
    said = err.getvalue().partition("\n")[0].removeprefix("siaga: ").replace("|", "/")
    sys.stdout.write(f"SIAGA UNKNOWN - {said or 'nothing was said'}\n")
    return 3


def _run(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        print(f"siaga {version()}")  # noqa: T201
        return 0
    try:
        wanted = "*" if "_SIAGA_COMPLETE" in os.environ else next(iter(arguments), "")
        result = typer.main.get_command(build(wanted)).main(
            arguments, prog_name="siaga", standalone_mode=False
        )
        return _shown(result)
    except SiagaError as error:
        return _failed(error)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        return _unwritable(error)
    except UnicodeEncodeError as error:
        return _no_text(error)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)  # noqa: T201
        return 130
    except Exception as error:  # noqa: BLE001 - the rim: one line instead of a traceback
        return _usage_or_bug(error)


def _no_text(error: UnicodeEncodeError) -> int:
    """An argument whose octets are no UTF-8, where text was needed; a file may well be called so."""
    if error.reason != "surrogates not allowed":
        return _bug(error)
    sentence = (
        f"'{safe(error.object, 80)}' on the command line is not valid UTF-8: see to the terminal's encoding."
    )
    return _failed(UsageError("bad-encoding", sentence))


def _unwritable(error: OSError) -> int:
    """A file, or standard output itself, that cannot be read or written: the disk, or the rights."""
    import errno

    what = f"{error.strerror}{f' ({error.filename})' if error.filename else ''}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
        failure: SiagaError = TemporaryError("disk-full", f"{what}: make room and run it again.")
    elif error.errno in (errno.EACCES, errno.EPERM):
        failure = AuthError("no-permission", f"{what}: see to the rights of the file.")
    else:
        return _bug(error)
    sys.stdout = None  # what could not be written must not be tried again at exit
    return _failed(failure)


def _shown(result: Any) -> int:
    if not isinstance(result, Outcome):
        return result if isinstance(result, int) else 0
    from siaga.render import render

    for message in result.messages:
        print(message, file=sys.stderr)  # noqa: T201
    if sys.stdout is not None:
        sys.stdout.write(render(result))
        sys.stdout.flush()
    return result.exit_code


def _failed(error: SiagaError) -> int:
    # A sentence may quote what a device or a file said: it stays one line and drives no terminal.
    print(f"siaga: {safe(_bounded(str(error)), _LONGEST)}", file=sys.stderr)  # noqa: T201
    for line in error.picture:
        print(f"  | {line}", file=sys.stderr)  # noqa: T201
    for problem in error.problems:
        print(f"  - {safe(_bounded(problem), _LONGEST)}", file=sys.stderr)  # noqa: T201
    return error.exit_code


_QUOTED = re.compile(r"(?<!\w)'([^'\n]{200,})'(?!\w)")


def _bounded(sentence: str) -> str:
    """Cut long quotations of what somebody gave, so that an error stays a sentence."""
    return _QUOTED.sub(lambda m: f"'{m[1][:80]}…'", sentence)


def _usage_or_bug(error: Exception) -> int:
    show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if not isinstance(code, int):
        return _bug(error)
    if type(error).__name__ == "NoArgsIsHelpError" and show is not None:
        show()
    elif show is not None:  # typer's own usage errors; typer.Exit has none to show
        _misused(error)
    return code


def _misused(error: Any) -> None:
    """Say in one line what is wrong with the command line, and which help shows it right."""
    from siaga.text import safe

    path = getattr(error.ctx, "command_path", "siaga") if getattr(error, "ctx", None) else "siaga"
    sentence = f"{safe(error.format_message()).rstrip('.')}. See '{path} -h'."
    print(f"siaga: usage: {sentence}", file=sys.stderr)  # noqa: T201


def _bug(error: Exception) -> int:
    """Write the traceback to a file that only the user can read, and say where it is."""
    import tempfile
    import traceback

    descriptor, path = tempfile.mkstemp(prefix="siaga-error-", suffix=".txt")
    with os.fdopen(descriptor, "w") as file:
        traceback.print_exception(error, file=file)
    print(  # noqa: T201
        f"siaga: internal-error: This is a fault of siaga ({type(error).__name__}). Report it with {path}.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    main()
