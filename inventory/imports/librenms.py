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
Record = Mapping[str, Any]
# Only columns that are needed: LibreNMS answers 400 (Invalid columns) to one that its version does not have.
_PORTS = "port_id,device_id,ifName,ifDescr,ifAlias,ifPhysAddress,deleted"


def librenms(
    url: str, token: SecretStr | None, *, ca_file: str = "", patience: Patience = Patience()
) -> Taken:
    """Return what a LibreNMS knows; raises what fetching.Api raises.

    What it observed (states, versions, counters) is not taken over: that is what siaga sees for itself.
    """
    headers = {"X-Auth-Token": token} if token else {}
    root = url.rstrip("/").removesuffix("/api/v0")
    with Api(root, "LibreNMS", headers, ca_file, patience) as api:
        devices = _records(api, "devices", "devices")
        locations = _records(api, "resources/locations", "locations", missing=True)
        ports = _records(api, "ports", "ports", {"columns": _PORTS})
        links = _records(api, "resources/links", "links", missing=True)
    taken = _Taken(devices, locations)
    sheets = [
        from_rows("LibreNMS, locations", "place", list(taken.places())),
        from_rows("LibreNMS, hardware", "device_type", list(taken.types())),
        from_rows("LibreNMS, devices", "device", list(taken.devices())),
        from_rows("LibreNMS, ports", "interface", list(taken.ports(ports))),
        from_rows("LibreNMS, links", "link", list(taken.links(links))),
    ]
    said = [f"LibreNMS: {counted(api.requests, 'request')}."]
    said += ["The token travelled unencrypted, over http."] if api.plain_text else []
    said += [] if links else ["LibreNMS gave no links: it knows none, or the token may not read them."]
    return Taken([s for s in sheets if s.rows], [*said, *taken.left])


def _records(
    api: Api, path: str, key: str, params: Mapping[str, str] | None = None, *, missing: bool = False
) -> list[Record]:
    """Return the list under `key`; an empty one is answered by 404 (`missing`) where it is of resources."""
    answer = api.get(f"api/v0/{path}", params, missing=missing)
    found = answer.get(key) if isinstance(answer, Mapping) else [] if answer is None else None
    if not isinstance(found, list) or not all(isinstance(r, Mapping) for r in found):
        raise InvalidError("api-answer", f"{api.url}/api/v0/{path} answered no list of {key}.")
    return found


class _Taken:
    """The rows in one reading, with the names that LibreNMS' ids were given."""

    def __init__(self, devices: list[Record], locations: list[Record]) -> None:
        self.left: list[str] = []
        self.place_of, self.type_of = Names("place"), Names("device_type")
        self.device_of = Names("device")
        self.port_of: dict[int, str] = {}
        self._devices = devices
        self._locations = {_number(one.get("id")): one for one in locations}

    def _location(self, device: Record) -> Record:
        """Return a device's location: beside its fields, as one of them, or by its id, as the version has it."""
        own = device.get("location")
        if isinstance(own, Mapping):
            return own
        return device if own else self._locations.get(_number(device.get("location_id")), {})

    def _place(self, device: Record) -> str:
        return str(self._location(device).get("location") or "").strip()

    def places(self) -> Iterator[tuple[int, Row]]:
        seen: dict[str, Record] = {}
        for device in self._devices:
            seen.setdefault(self._place(device), self._location(device))
        for number, (text, found) in enumerate(seen.items(), 1):
            if text:
                row: dict[str, Any] = {"name": self.place_of.give(text, text), "kind": "site"}
                row |= {"latitude": found.get("lat"), "longitude": found.get("lng")}
                yield number, {k: v for k, v in row.items() if v not in (None, "")}

    def types(self) -> Iterator[tuple[int, Row]]:
        known = dict.fromkeys(str(d.get("hardware") or "").strip() for d in self._devices)
        for number, text in enumerate(known, 1):
            if text:
                yield number, {"name": self.type_of.give(text, text), "model": safe(text)}

    def devices(self) -> Iterator[tuple[int, Row]]:
        for device in self._devices:
            number = _number(device.get("device_id"))
            name = device.get("sysName") or device.get("hostname")
            row = {
                "name": self.device_of.give(number, name, device.get("hostname")),
                "role": vocabulary.role(device.get("type"), device.get("purpose"), name) or None,
                "status": "retired" if _is_set(device.get("disabled")) else None,
                "place": self.place_of.get(self._place(device)),
                "device_type": self.type_of.get(str(device.get("hardware") or "").strip()),
                "platform": vocabulary.platform(device.get("os")),
                "address": _address(device),
                "transport": "none" if _is_set(device.get("snmp_disable")) else None,
                "snmp_port": device.get("port"),
                "serial": safe(device.get("serial") or ""),
                "notes": notes(
                    device.get("notes"), hostname=device.get("hostname"), purpose=device.get("purpose")
                ),
            }
            yield number, {k: v for k, v in row.items() if v not in (None, "")}

    def ports(self, ports: list[Record]) -> Iterator[tuple[int, Row]]:
        deleted = strange = 0
        names: dict[str, Names] = {}
        for port in ports:
            number, device = _number(port.get("port_id")), self.device_of.get(_number(port.get("device_id")))
            if not device or _is_set(port.get("deleted")):
                deleted, strange = deleted + bool(device), strange + (not device)
                continue
            own = names.setdefault(device, Names("interface"))
            name = own.give(number, port.get("ifName") or port.get("ifDescr"), port.get("ifDescr"))
            self.port_of[number] = f"{device}:{name}"
            alias = safe(port.get("ifAlias") or "")
            row = {"device": device, "name": name, "alias": alias if alias != name else "", "mac": _mac(port)}
            yield number, {k: v for k, v in row.items() if v not in (None, "")}
        self._leave(deleted, "deleted port")
        self._leave(
            strange,
            "port of a device that the token may not see",
            "ports of devices that the token may not see",
        )

    def links(self, links: list[Record]) -> Iterator[tuple[int, Row]]:
        """Yield each cable once: both of its ends tell of it. What is no longer active was another one's."""
        old = unknown = 0
        seen, names = set(), Names("link")
        for link in links:
            sides = (self.port_of.get(_number(link.get(k))) for k in ("local_port_id", "remote_port_id"))
            ends = tuple(sorted(filter(None, sides)))
            if len(ends) < 2 or not _is_set(link.get("active", 1)):
                old, unknown = old + (len(ends) == 2), unknown + (len(ends) < 2)
            elif ends[0] != ends[1] and ends not in seen:
                seen.add(ends)
                name = names.give(ends, " - ".join(e.replace(":", " ") for e in ends))
                row = {"name": name, "kind": "other", "a_interface": ends[0], "z_interface": ends[1]}
                yield _number(link.get("id")), row
        self._leave(old, "link that is no longer active", "links that are no longer active")
        self._leave(
            unknown,
            "link to a port that LibreNMS does not poll",
            "links to ports that LibreNMS does not poll",
        )

    def _leave(self, count: int, one: str, many: str = "") -> None:
        if count:
            self.left.append(f"Left out: {counted(count, one, many)}.")


def _address(device: Record) -> str | None:
    """Return where a device is polled: at `overwrite_ip` if it has one, else at what its host name meant last."""
    from ipaddress import ip_address

    for text in (device.get("overwrite_ip"), device.get("ip"), device.get("hostname")):
        try:
            return str(ip_address(str(text or "").strip()))
        except ValueError:
            continue
    return None


def _mac(port: Record) -> str:
    text = str(port.get("ifPhysAddress") or "").replace(":", "").lower()
    return text if len(text) == 12 and text.strip("0") else ""


def _number(text: Any) -> int:
    return int(text) if str(text).isdigit() else 0


def _is_set(flag: Any) -> bool:
    """Read a flag, which is 1, "1" or true, as the version has it."""
    return str(flag).lower() in ("1", "true")


def counted(count: int, one: str, many: str = "") -> str:
    """Return how many there are, in words; `many` is needed where an s at the end is not enough."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
