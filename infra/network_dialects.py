"""How a network platform's command line is spoken: one TOML file per platform in dialects/, read here.

A file names netmiko's driver for the login, the grammar of the configuration, and what is typed to read, change
and save it. `prompt` and `refused` are regular expressions; `{host}` in `prompt` is the device's own name.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from infra.network import Grammar
from infra.network_back import WayBack
from infra.network_indented import Indented
from infra.network_menus import Menus
from siaga.errors import NotFoundError
from siaga.text import safe

HOME = Path(__file__).resolve().parent / "dialects"


@dataclass(frozen=True)
class Dialect:
    """One platform's command line. `asks`: what it may ask, with the answer; `{secret}` is the one just due.

    `prompted`: from here on a line is not typed, because the device asks for the secret (VRP).
    `commit`, `discard`: where lines count only once they are committed, the line for it, and the one that drops them.
    `back`: how the device goes back by itself, or None if it cannot.
    `snmp_auth`, `snmp_priv`: how it calls the protocols of SNMPv3.
    """

    name: str
    netmiko: str
    grammar: Grammar
    read: str
    prompt: str
    refused: str
    enter: str = ""
    leave: str = ""
    save: str = ""
    commit: str = ""
    discard: str = ""
    back: WayBack | None = None
    prompted: str = ""
    asks: Mapping[str, str] = field(default_factory=dict)
    snmp_auth: Mapping[str, str] = field(default_factory=dict)
    snmp_priv: Mapping[str, str] = field(default_factory=dict)


@cache
def dialect(platform: str) -> Dialect:
    """Return the platform's dialect; raises NotFoundError (`no-such-dialect`) saying which there are."""
    if platform not in names():
        said = (
            f"Devices of platform '{safe(platform, 40)}' cannot be configured yet, only {', '.join(names())}."
        )
        raise NotFoundError("no-such-dialect", said)
    data: dict[str, Any] = tomllib.loads((HOME / f"{platform}.toml").read_text("utf-8"))
    if parent := data.pop("inherits", ""):
        data = {**tomllib.loads((HOME / f"{parent}.toml").read_text("utf-8")), **data}
    grammar = data.pop("grammar")
    made: Grammar = Menus() if grammar == "menus" else Indented(**_tuples(data.pop("indented", {})))
    re.compile(data["prompt"].replace("{host}", "x"))
    back = data.pop("back", None)
    return Dialect(
        name=platform, grammar=made, back=WayBack(**_tuples(back)) if back is not None else None, **data
    )


def names() -> list[str]:
    """Return the platforms that can be configured."""
    return sorted(path.stem for path in HOME.glob("*.toml"))


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
