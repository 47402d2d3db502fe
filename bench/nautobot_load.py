"""Puts the same CSV files into Nautobot, by bulk statements of its ORM; bench.nautobot runs it in Nautobot's Python.

    python -P bench/nautobot_load.py FOLDER INTERFACES

Reads FOLDER/NOUN.csv (at most INTERFACES interfaces, 0 for all), makes the user 'bench' with the token in
$BENCH_TOKEN, and prints rows and seconds of each part as JSON. It imports nothing of siaga. Validation (`clean`)
is left out, which every other way into Nautobot does: this is the quickest way in that there is.
"""

import csv
import ipaddress
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

BATCH = 2_000
TREE = (("regency", ""), ("kecamatan", "regency"), ("desa", "kecamatan"), ("site", "desa"))
Named = dict[str, Any]


class Loader:
    """What was made so far, by name, from the files of one folder."""

    def __init__(self, folder: Path) -> None:
        from django.contrib.contenttypes.models import ContentType
        from nautobot.dcim.models import Device
        from nautobot.extras.models import Status

        self.folder = folder
        self.active = Status.objects.get(name="Active")
        self.retired = Status.objects.get(name="Decommissioning")
        self.of_devices = ContentType.objects.get_for_model(Device)
        self.places: Named = {}
        self.agencies: Named = {}
        self.types: Named = {}
        self.devices: Named = {}
        self.uplinks: Named = {}
        self.prefixes: Named = {}

    def rows(self, noun: str) -> Iterator[dict[str, str]]:
        """Yield the rows of a noun's files."""
        for path in sorted(self.folder.glob(f"{noun}*.csv")):
            if path.stem.partition("-")[0] == noun:
                with path.open(encoding="utf-8", newline="") as file:
                    yield from csv.DictReader(file)

    def surroundings(self) -> int:
        """Make places, agencies and device types."""
        from nautobot.dcim.models import DeviceType, Location, LocationType, Manufacturer
        from nautobot.tenancy.models import Tenant

        kinds: Named = {}
        for kind, above in TREE:
            kinds[kind] = LocationType.objects.create(name=kind, parent=kinds.get(above))
            kinds[kind].content_types.add(self.of_devices)
            here = (r for r in self.rows("place") if r["kind"] == kind)
            self.places |= _made(Location, (self._place(r, kinds[kind]) for r in here))
        self.agencies = _made(Tenant, (Tenant(name=r["name"]) for r in self.rows("agency")))
        makers = _made(
            Manufacturer,
            (Manufacturer(name=m) for m in sorted({r["maker"] for r in self.rows("device_type")})),
        )
        types = (
            DeviceType(manufacturer=makers[r["maker"]], model=r["name"]) for r in self.rows("device_type")
        )
        self.types = _made(DeviceType, types, "model")
        return len(self.places) + len(self.agencies) + len(self.types)

    def _place(self, row: dict[str, str], kind: Any) -> Any:
        from nautobot.dcim.models import Location

        where = {k: row[k] or None for k in ("latitude", "longitude")}
        above = self.places.get(row["parent"])
        return Location(name=row["name"], location_type=kind, status=self.active, parent=above, **where)

    def hosts(self) -> int:
        """Make roles, platforms, tags and devices."""
        from nautobot.dcim.models import Device, Platform
        from nautobot.extras.models import Role, Tag

        rows = list(self.rows("device"))
        used = sorted({r["platform"] for r in rows} - {""})
        platforms = _made(Platform, (Platform(name=p, network_driver=p) for p in used))
        roles = self._allowed(Role, {r["role"] for r in rows})
        tags = self._allowed(Tag, {t for r in rows for t in r["tags"].split()})
        made = (
            Device(
                name=r["name"],
                role=roles[r["role"]],
                status=self.active if r["status"] == "active" else self.retired,
                location=self.places[r["place"]],
                tenant=self.agencies[r["agency"]],
                device_type=self.types[r["device_type"]],
                platform=platforms.get(r["platform"]),
                serial=r["serial"],
            )
            for r in rows
        )
        self.devices = _made(Device, made)
        for row in rows:
            if row["tags"]:
                self.devices[row["name"]].tags.set([tags[t] for t in row["tags"].split()])
        return len(self.devices)

    def _allowed(self, model: Any, names: Iterable[str]) -> Named:
        """Make roles or tags that devices may have."""
        found = {name: model.objects.create(name=name) for name in sorted(names)}
        for one in found.values():
            one.content_types.add(self.of_devices)
        return found

    def ports(self, most: int) -> int:
        """Make interfaces, and keep the first of each device."""
        from nautobot.dcim.models import Interface

        given, number = islice(self.rows("interface"), most or None), 0
        while batch := list(islice(given, 10 * BATCH)):
            made = [
                Interface(
                    device=self.devices[r["device"]],
                    name=r["name"],
                    status=self.active,
                    type="10gbase-x-sfpp" if r["speed_bps"] == "10000000000" else "1000base-t",
                    mac_address=r["mac"],
                    description=r["alias"],
                    enabled=r["enabled"] == "yes",
                    mode="access" if r["mode"] == "access" else "tagged",
                )
                for r in batch
            ]
            Interface.objects.bulk_create(made, batch_size=BATCH)
            for row, one in zip(batch, made, strict=True):
                self.uplinks.setdefault(row["device"], one)
            number += len(batch)
        return number

    def space(self) -> int:
        """Make prefixes, the wide ones first."""
        from nautobot.ipam.models import Prefix, get_default_namespace

        namespace = get_default_namespace()
        for length in (8, 16, 24):
            made = []
            for row in self.rows("prefix"):
                network = ipaddress.IPv4Network(row["name"])
                if network.prefixlen == length:
                    above = self.prefixes.get(str(network.supernet(new_prefix=max(length - 8, 0))))
                    kind = "container" if row["status"] == "container" else "network"
                    given = {"prefix": row["name"], "namespace": namespace, "status": self.active}
                    made.append(Prefix(**given, type=kind, parent=above))
            Prefix.objects.bulk_create(made, batch_size=BATCH)
            self.prefixes |= {str(p.prefix): p for p in made}
        return len(self.prefixes)

    def addresses(self) -> int:
        """Make addresses, give them to interfaces, and say which is a device's own."""
        from nautobot.dcim.models import Device
        from nautobot.ipam.models import IPAddress, IPAddressToInterface

        rows, made = list(self.rows("address")), []
        for row in rows:
            text = f"{row['name']}/{row['length']}"
            within = self.prefixes[str(ipaddress.IPv4Interface(text).network)]
            made.append(IPAddress(address=text, status=self.active, parent=within, dns_name=row["dns_name"]))
        IPAddress.objects.bulk_create(made, batch_size=BATCH)
        own = [(row["device"], one) for row, one in zip(rows, made, strict=True) if row["device"]]
        joined = (
            IPAddressToInterface(ip_address=one, interface=self.uplinks[device])
            for device, one in own
            if device in self.uplinks
        )
        IPAddressToInterface.objects.bulk_create(joined, batch_size=BATCH)
        for device, one in own:
            self.devices[device].primary_ip4 = one
        Device.objects.bulk_update(self.devices.values(), ["primary_ip4"], batch_size=BATCH)
        return len(made)


def _made(model: Any, objects: Iterable[Any], key: str = "name") -> Named:
    """Insert the objects in batches and return them by `key`."""
    found = list(objects)
    model.objects.bulk_create(found, batch_size=BATCH)
    return {getattr(o, key): o for o in found}


def allow(token: str) -> None:
    """Make the user whose token reads everything."""
    from django.contrib.auth import get_user_model
    from nautobot.users.models import Token

    user = get_user_model().objects.create_superuser("bench", "bench@localhost.example", token)
    Token.objects.create(user=user, key=token)


def main() -> None:
    """Load the folder named on the command line."""
    import nautobot

    nautobot.setup()
    loader, most = Loader(Path(sys.argv[1])), int(sys.argv[2])
    parts: dict[str, Callable[[], int]] = {
        "places, agencies, types": loader.surroundings,
        "devices": loader.hosts,
        "interfaces": lambda: loader.ports(most),
        "prefixes": loader.space,
        "addresses": loader.addresses,
    }
    told = {}
    for what, work in parts.items():
        began = time.monotonic()
        told[what] = (work(), round(time.monotonic() - began, 1))
    allow(os.environ["BENCH_TOKEN"])
    print(json.dumps(told))


if __name__ == "__main__":
    main()
