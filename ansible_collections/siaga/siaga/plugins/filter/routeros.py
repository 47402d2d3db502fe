"""A value as RouterOS takes it: a name with a blank stands in quotes, and a dollar is no variable."""

from __future__ import annotations

import re
from typing import Any

from infra.network_scripts import quoted

_PLAIN = re.compile(r"[A-Za-z0-9._/:+-]+")


def routeros_value(text: object) -> str:
    """Return text as the right side of `key=`."""
    said = str(text)
    return said if _PLAIN.fullmatch(said) else f'"{quoted(said)}"'


class FilterModule:
    """What Ansible finds here."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"routeros_value": routeros_value}
