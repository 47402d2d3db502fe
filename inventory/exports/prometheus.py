"""Devices as targets for Prometheus' HTTP service discovery (http_sd), as snmp_exporter wants them.

A target is the device's SNMP address. `__param_module` and `__param_auth` are what snmp_exporter takes from the
query: the module is the device's variable `snmp_module` (its own or a layer's), the auth its variable
`snmp_auth` or else the name of its credential. The secret itself stands in snmp.yml and never here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from inventory.exports.hosts import Surroundings, described, own_variables, surroundings
from inventory.select import selected
from inventory.store import rows
from siaga.text import safe

DEFAULT_MODULE = "if_mib"
_POLLED = "status=active transport=snmp address!=''"
_MODULES = re.compile(r"[A-Za-z0-9_.-]+(,[A-Za-z0-9_.-]+)*")
LABELS = ("role", "agency", "kecamatan", "site", "platform", "maker", "model")


def targets(session: Session, selector: str = "", *, module: str = DEFAULT_MODULE) -> list[dict[str, Any]]:
    """Return the selected devices that are polled by SNMP, a target group each. Raises UsageError (`bad-selector`)."""
    meant = f"({selector}) and {_POLLED}" if selector.strip() else _POLLED
    devices = rows(session, "device", selected(session, "device", meant))
    around = surroundings(session, [r["id"] for r in devices])
    return [target(row, around, module) for row in devices]


def target(row: Mapping[str, Any], around: Surroundings, module: str = DEFAULT_MODULE) -> dict[str, Any]:
    """Return one device as a target group: its address, and labels, of which none is empty."""
    facts = described(row, around)
    given = own_variables(row, around)[0]
    wanted = str(given.get("snmp_module", ""))
    labels = {
        "__param_module": wanted if _MODULES.fullmatch(wanted) else module,
        "__param_auth": given.get("snmp_auth") or row.get("credential"),
        "device": row["name"],
        **{name: facts.get(name) for name in LABELS},
    }
    shown = {k: safe(v) for k, v in labels.items() if v not in (None, "")}
    return {"targets": [where(str(row["address"]), int(row["snmp_port"]))], "labels": shown}


def where(address: str, port: int) -> str:
    """Return an address as snmp_exporter takes it: with a port only if it is not 161, and then IPv6 in brackets."""
    if port == 161:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the answer of an HTTP-SD endpoint, one target group on each line."""
    yield "["
    for number, one in enumerate(found):
        yield f"{',' if number else ''}\n{json.dumps(one, ensure_ascii=False)}"
    yield "\n]\n"
