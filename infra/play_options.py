"""A play's parameters as options of `siaga plan`: --ntp-servers … beside --param ntp_servers=…, with their help.

The play is known only when the command line is read: its front-matter is looked up then, and its options are
rewritten to --param before anything else looks at them. `siaga plan` itself is a command and a group at once:
what is none of its verbs is a play.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from infra.frontmatter import Parameter, Playbook
from siaga.errors import UsageError

_TAKING = ("-p", "--param", "-o", "--output", "--fields", "--from-finding")  # options of our own with a value
MAKE = "make"


class PlanGroup(TyperGroup):
    """`siaga plan VERB …`, and `siaga plan PLAYBOOK SELECTOR…` for short of `siaga plan make`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb in front where there is none."""
        if (args and args[0] not in (*self.commands, "-h", "--help")) or (
            {"-h", "--help"} & set(args) and _named(args) is not None
        ):
            args = [MAKE, *args]
        return super().parse_args(ctx, args)


class PlayCommand(TyperCommand):
    """A command whose first argument is a play, and which takes the play's parameters as options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Rewrite the play's options to --param."""
        play = _named(args)
        if play is not None:
            ctx.meta["siaga.play"] = play
            args = list(rewritten(args, {p.option: p for p in play.parameters}))
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then those of the play."""
        super().format_options(ctx, formatter)
        play: Playbook | None = ctx.meta.get("siaga.play")
        if play is not None and play.parameters:
            with formatter.section(f"Parameters of {play.name}"):
                formatter.write_dl([(f"{p.option} <{p.type}>", described(p)) for p in play.parameters])


def described(parameter: Parameter) -> str:
    """Return a parameter's help with its choices and its default."""
    default = parameter.default
    text = ", ".join(map(str, default)) if isinstance(default, list) else str(default)
    more = f" [{'|'.join(parameter.choices)}]" if parameter.choices else ""
    more += "" if parameter.least is None else f" [at least {parameter.least}]"
    said = "required" if parameter.required else f"default: {text}" if text else ""
    return f"{parameter.help}{more}{f'  [{said}]' if said else ''}"


def _named(args: Sequence[str]) -> Playbook | None:
    """Return the play that a plain word names, or None; what is wrong with it is told later by who runs it."""
    from infra.playbooks import NAME, playbook
    from siaga.errors import NotFoundError, SiagaError
    from siaga.settings import load

    for word in _words(args):
        try:
            if NAME.fullmatch(word):
                return playbook(word, load().playbooks)
        except NotFoundError:
            continue
        except SiagaError:
            return None
    return None


def _words(args: Sequence[str]) -> Iterator[str]:
    taken = False
    for arg in args:
        if not taken and not arg.startswith("-"):
            yield arg
        taken = arg in _TAKING


def rewritten(args: Sequence[str], options: Mapping[str, Parameter]) -> Iterator[str]:
    """Yield the arguments with each of the play's options as --param name=value; a bare switch means yes.

    Raises UsageError (`usage`) for any other option without a value: `--name=` says that it is to be empty.
    """
    waiting = iter(args)
    for arg in waiting:
        name, equals, value = arg.partition("=")
        off = options.get("--" + name[5:]) if name.startswith("--no-") else None
        if name in options:
            switch = options[name].type == "bool" and not equals
            said = "yes" if switch else value if equals else next(waiting, None)
            if said is None or (not equals and said.startswith("--")):
                raise UsageError("usage", f"Option '{name}' requires an argument.")
            yield from ("--param", f"{options[name].name}={said}")
        elif off is not None and off.type == "bool":
            yield from ("--param", f"{off.name}=no")
        else:
            yield arg
