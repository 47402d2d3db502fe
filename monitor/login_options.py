"""How a command line says how to log in to a device: options that several commands share. Nothing heavy up here."""

from typing import Annotated

import typer

Host = Annotated[str, typer.Argument(help="A device's name, or HOST, HOST:PORT, [IPv6]:PORT.")]
Credential = Annotated[str, typer.Option("--credential", help="The name of a credential in the inventory.")]
Snmp = Annotated[str, typer.Option("--snmp", help="SNMP version: 1, 2c or 3.")]
CommunityFile = Annotated[str, typer.Option(help="A file whose first line is the community.")]
CommunityEnv = Annotated[str, typer.Option(help="A variable that holds the community.")]
User = Annotated[str, typer.Option(help="SNMPv3 or SSH user.")]
Auth = Annotated[str, typer.Option(help="SNMPv3 authentication: SHA-256, SHA, MD5 …")]
AuthFile = Annotated[str, typer.Option(help="A file with the authentication passphrase.")]
Priv = Annotated[str, typer.Option(help="SNMPv3 privacy: AES, AES-256, DES.")]
PrivFile = Annotated[str, typer.Option(help="A file with the privacy passphrase.")]
Ssh = Annotated[bool, typer.Option("--ssh", help="Read over SSH instead of SNMP.")]
PasswordFile = Annotated[str, typer.Option(help="A file with the SSH password.")]
PlatformName = Annotated[str, typer.Option(help="The platform if it is known: linux, cisco_ios, frr …")]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", min=0.05, max=300, help="Seconds to wait; default: the settings'."),
]
Retries = Annotated[
    int | None, typer.Option(min=0, max=10, help="How often to ask again; default: the settings'.")
]
