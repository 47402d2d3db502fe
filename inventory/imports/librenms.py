"""Reads LibreNMS by its API (v0): locations, devices, ports and links become places, devices, interfaces and links."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from inventory.imports import vocabulary
from inventory.imports.fetching import Api, Patience
from inventory.imports.harmless import Names, notes
from inventory.imports.sheets import Taken, from_rows
from siaga.errors import InvalidError
from siaga.text import safe

Row = dict[str, Any]
_PORTS = (
    "port_id,device_id,ifName,ifDescr,ifAlias,ifSpeed,ifHighSpeed,ifType,ifPhysAddress,ifAdminStatus,deleted"
)


def librenms(
    url: str, token: SecretStr | None, *, ca_file: str = "", patience: Patience = Patience()
) -> Taken:
    """Return what a LibreNMS knows; raises what fetching.Api raises.

    What it observed (states, versions, counters) is not taken over: that is what siaga sees for itself.
    """
    headers = {"X-Auth-Token": token} if token else {}
    root = url.rstrip("/").removesuffix("/api/v0")
    with Api(root, "LibreNMS", headers, ca_file, patience) as api:
        devices = _records(api, "devices")
        ports = _records(api, f"ports?columns={_PORTS}", "ports")
        links = _records(api, "resources/links", "links")
    taken = _Taken()
    sheets = [
        from_rows("LibreNMS, locations", "place", list(taken.places(devices))),
        from_rows("LibreNMS, hardware", "device_type", list(taken.types(devices))),
        from_rows("LibreNMS, devices", "device", list(taken.devices(devices))),
        from_rows("LibreNMS, ports", "interface", list(taken.ports(ports))),
        from_rows("LibreNMS, links", "link", list(taken.links(links))),
    ]
    said = [f"LibreNMS: {api.requests} requests."]
    said += ["The token travelled unencrypted, over http."] if api.plain_text else []
    return Taken([s for s in sheets if s.rows], [*said, *taken.left])


def _records(api: Api, path: str, key: str = "") -> list[Mapping[str, Any]]:
    path, _, query = path.partition("?")
    params = dict([query.split("=", 1)]) if query else None
    answer = api.get(f"api/v0/{path}", params, missing=key == "links")
    found = answer.get(key or path) if isinstance(answer, Mapping) else [] if answer is None else None
    if not isinstance(found, list) or not all(isinstance(r, Mapping) for r in found):
        raise InvalidError("api-answer", f"{api.url}/api/v0/{path} answered no list of {key or path}.")
    return found


class _Taken:
    """The rows in one reading, with the names that LibreNMS' ids were given."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.place_of, self.type_of = Names("place"), Names("device_type")
        self.device_of = Names("device")
        self.port_of: dict[Any, str] = {}

    def places(self, devices: list[Mapping[str, Any]]) -> Iterator[tuple[int, Row]]:
        seen: dict[str, Mapping[str, Any]] = {}
        for device in devices:
            seen.setdefault(str(device.get("location") or "").strip(), device)
        for number, (text, device) in enumerate(seen.items(), 1):
            if text:
                row: dict[str, Any] = {"name": self.place_of.give(text, text), "kind": "site"}
                row |= {"latitude": device.get("lat"), "longitude": device.get("lng")}
                yield number, {k: v for k, v in row.items() if v not in (None, "")}

    def types(self, devices: list[Mapping[str, Any]]) -> Iterator[tuple[int, Row]]:
        for number, text in enumerate(
            dict.fromkeys(str(d.get("hardware") or "").strip() for d in devices), 1
        ):
            if text:
                yield number, {"name": self.type_of.give(text, text), "model": safe(text)}

    def devices(self, devices: list[Mapping[str, Any]]) -> Iterator[tuple[int, Row]]:
        for device in devices:
            name = device.get("sysName") or device.get("hostname")
            row = {
                "name": self.device_of.give(device.get("device_id"), name, device.get("hostname")),
                "role": vocabulary.role(device.get("type"), device.get("purpose"), name) or None,
                "status": "retired" if str(device.get("disabled")) == "1" else None,
                "place": self.place_of.get(str(device.get("location") or "").strip()),
                "device_type": self.type_of.get(str(device.get("hardware") or "").strip()),
                "platform": vocabulary.platform(device.get("os")),
                "address": _address(device),
                "snmp_port": device.get("port"),
                "serial": safe(device.get("serial") or ""),
                "notes": notes(
                    device.get("notes"), hostname=device.get("hostname"), purpose=device.get("purpose")
                ),
            }
            yield _number(device.get("device_id")), {k: v for k, v in row.items() if v not in (None, "")}

    def ports(self, ports: list[Mapping[str, Any]]) -> Iterator[tuple[int, Row]]:
        gone = 0
        names: dict[str, Names] = {}
        for port in ports:
            device = self.device_of.get(port.get("device_id"))
            if not device or str(port.get("deleted")) == "1":
                gone += 1
                continue
            own = names.setdefault(device, Names("interface"))
            name = own.give(
                port.get("port_id"), port.get("ifName") or port.get("ifDescr"), port.get("ifDescr")
            )
            self.port_of[port.get("port_id")] = f"{device}:{name}"
            alias = safe(port.get("ifAlias") or "")
            row = {"device": device, "name": name, "alias": alias if alias != name else "", "mac": _mac(port)}
            yield _number(port.get("port_id")), {k: v for k, v in row.items() if v not in (None, "")}
        if gone:
            self.left.append(f"{gone} deleted ports, or ports of unknown devices, were left out.")

    def links(self, links: list[Mapping[str, Any]]) -> Iterator[tuple[int, Row]]:
        unknown, seen, names = 0, set(), Names("link")
        for link in links:
            ends = sorted(
                filter(None, (self.port_of.get(link.get(k)) for k in ("local_port_id", "remote_port_id")))
            )
            if len(ends) < 2 or ends[0] == ends[1] or tuple(ends) in seen:
                unknown += len(ends) < 2
                continue
            seen.add(tuple(ends))
            name = names.give(tuple(ends), " - ".join(e.replace(":", " ") for e in ends))
            yield (
                _number(link.get("id")),
                {"name": name, "kind": "other", "a_interface": ends[0], "z_interface": ends[1]},
            )
        if unknown:
            self.left.append(
                f"{unknown} links lead to devices that LibreNMS does not poll; they were left out."
            )


def _address(device: Mapping[str, Any]) -> str | None:
    from ipaddress import ip_address

    for text in (device.get("ip"), device.get("overwrite_ip"), device.get("hostname")):
        try:
            return str(ip_address(str(text or "").strip()))
        except ValueError:
            continue
    return None


def _mac(port: Mapping[str, Any]) -> str:
    text = str(port.get("ifPhysAddress") or "").replace(":", "").lower()
    return text if len(text) == 12 and text.strip("0") else ""


def _number(text: Any) -> int:
    return int(text) if str(text).isdigit() else 0
