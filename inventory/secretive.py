"""Does a variable hold a secret? Its name tells: one answer for writing, importing, explaining and exporting."""

import re
from collections.abc import Mapping
from typing import Any

from inventory.layers import typed

REFERENCE = "secret://"  # a value that begins so says where a secret lies, and is none
# Words between separators, and what stands for nothing else wherever it is: adminPassword, clientSecret. A secretariat
# and a community of BGP are none.
_SECRET = re.compile(
    r"(?i)(?:^|[_\-. ])(?:pass(?:phrase|code)?|pwd|token|psk|vault|sandi|credentials?|(?<!bgp[_\-. ])community"
    r"|(?:api|private|priv|auth|ssh|snmp|wpa|shared)_?keys?)(?:$|[_\-. 0-9])"
    r"|passw|passphrase|secrets?(?![a-z])|secret_?key|snmp_?community|kata_?sandi|^enable$"
)


def secret_like(name: str) -> bool:
    """Tell whether a variable or field of this name holds a secret, as far as its name tells."""
    return bool(_SECRET.search(name))


def plain_secret(name: str, value: Any) -> bool:
    """Tell whether a value is a secret in the clear: by its name it is one, and it is no reference to one."""
    return value not in (None, "") and secret_like(name) and not str(value).startswith(REFERENCE)


def plain_secrets(name: str, value: Any) -> list[str]:
    """Return where secrets stand in the clear in a variable, at any depth and in a text that reads as JSON.

    A truth value is none, whatever it is called: `enable=true`.
    """
    value = typed(value)
    if plain_secret(name, value):
        return [] if isinstance(value, bool) else [name]
    if isinstance(value, Mapping):
        return [p for k, inner in value.items() for p in plain_secrets(f"{name}.{k}", inner)]
    if isinstance(value, (list, tuple)):
        return [p for inner in value if isinstance(inner, Mapping) for p in plain_secrets(name, inner)]
    return []
