"""What a network device must know of the SNMPv3 user that it is polled with: plain words, and its passphrases.

A device makes its own keys of passphrases, so unlike a server's agent (infra/usm.py) it is given them itself, by
the line that is typed; nothing but the typed line holds them.
"""

import re
from dataclasses import replace

from infra.hosts import Host
from infra.network_dialects import Dialect
from inventory.credentials import OpenCredential

PREFIX = "siaga_secret_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
# What a command line takes for one word: no blank, no quote, and nothing that asks for help.
_WORD = re.compile(r"[!#-&(-;=@-\[\]-~]+")


def with_network_user(one: Host, credential: OpenCredential | None, dialect: Dialect) -> Host:
    """Return the host with its SNMPv3 user's variables; without a credential the user is empty.

    Raises ValueError with the reason if the platform cannot have such a user.
    """
    if credential is None:
        return replace(one, variables={**one.variables, "snmp_user": "", "snmp_auth": "", "snmp_priv": ""})
    if credential.kind != "snmp-v3" or not {"auth", "priv"} <= set(credential.secrets):
        raise ValueError("it is not of kind snmp-v3 with both an auth and a priv secret")
    if not _NAME.fullmatch(credential.username):
        raise ValueError("its user name must be 1 to 32 letters, digits, '_', '.' or '-'")
    auth, priv = (
        dialect.snmp_auth.get(credential.auth_protocol),
        dialect.snmp_priv.get(credential.priv_protocol),
    )
    if auth is None or priv is None:
        known = f"{', '.join(dialect.snmp_auth)} and {', '.join(dialect.snmp_priv)}"
        raise ValueError(f"a {dialect.name} device knows {known} only")
    for part in ("auth", "priv"):
        if not _WORD.fullmatch(credential.secrets[part].get_secret_value()):
            raise ValueError(
                f"its {part} secret holds a blank, a quote, '<', '>' or '?', which a command line may not"
            )
    plain = {"snmp_user": credential.username, "snmp_auth": auth, "snmp_priv": priv}
    secret = {f"{PREFIX}snmp_{part}": credential.secrets[part] for part in ("auth", "priv")}
    return replace(one, variables={**one.variables, **plain}, secrets={**one.secrets, **secret})
