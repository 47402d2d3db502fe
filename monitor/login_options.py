"""How a command line says how to log in to a device: options that several commands share. Nothing heavy up here."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

Host = Annotated[str, typer.Argument(help="A device's name, or HOST, HOST:PORT, [IPv6]:PORT.")]


@dataclass(frozen=True)
class Asking:
    """Whom to ask and how, as typed; files and variables name where a secret is, never the secret.

    Every field but the host is an option of its name.
    """

    host: str = ""
    credential: Annotated[
        str, typer.Option("--credential", help="The name of a credential in the inventory.")
    ] = ""
    snmp: Annotated[str, typer.Option("--snmp", help="SNMP version: 1, 2c or 3.")] = "2c"
    community_file: Annotated[str, typer.Option(help="A file whose first line is the community.")] = ""
    community_env: Annotated[str, typer.Option(help="A variable that holds the community.")] = ""
    user: Annotated[str, typer.Option(help="SNMPv3 or SSH user.")] = ""
    auth: Annotated[str, typer.Option(help="SNMPv3 authentication: SHA-256, SHA, MD5 …")] = ""
    auth_file: Annotated[str, typer.Option(help="A file with the authentication passphrase.")] = ""
    priv: Annotated[str, typer.Option(help="SNMPv3 privacy: AES, AES-256, DES.")] = ""
    priv_file: Annotated[str, typer.Option(help="A file with the privacy passphrase.")] = ""
    ssh: Annotated[bool, typer.Option("--ssh", help="Read over SSH instead of SNMP.")] = False
    password_file: Annotated[str, typer.Option(help="A file with the SSH password.")] = ""
    platform: Annotated[str, typer.Option(help="The platform if it is known: linux, cisco_ios, frr …")] = ""
    timeout_s: Annotated[
        float | None,
        typer.Option("--timeout", min=0.05, max=300, help="Seconds to wait; default: the settings'."),
    ] = None
    retries: Annotated[
        int | None, typer.Option(min=0, max=10, help="How often to ask again; default: the settings'.")
    ] = None


SSH_ONLY = ("ssh", "password_file", "platform")


def asks(*without: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of `Asking` but those named; it gets what was typed as `asking`, without a host."""
    offered = {f.name: f for f in fields(Asking) if f.name not in ("host", *without)}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def asked(*arguments: Any, **options: Any) -> Any:
            typed = {name: options.pop(name) for name in offered if name in options}
            return command(*arguments, asking=Asking(**typed), **options)

        own = [p for p in signature(command).parameters.values() if p.name != "asking"]
        added = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type)
            for name, f in offered.items()
        ]
        hints = {p.name: p.annotation for p in (*own, *added)}
        asked.__annotations__ = {**hints, "return": command.__annotations__.get("return")}
        asked.__dict__["__signature__"] = signature(command).replace(parameters=[*own, *added])
        return asked

    return decorate
