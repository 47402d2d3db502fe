"""Times Nautobot's ORM without HTTP or JSON around it; bench.nautobot runs it in Nautobot's Python.

    python -P bench/nautobot_orm.py RUNS

Prints median seconds of reading all devices with the names of what they refer to: as model instances (what its
views and jobs work with), and as bare values, which is the least that its database can be asked for.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

REFERRED = ("role", "status", "location", "tenant", "platform", "device_type", "primary_ip4")


def objects() -> int:
    """Read all devices as model instances, and name what they refer to."""
    from nautobot.dcim.models import Device

    found = Device.objects.select_related(*REFERRED).prefetch_related("tags")
    rows = [
        [d.name, d.serial, *(str(getattr(d, r) or "") for r in REFERRED), [t.name for t in d.tags.all()]]
        for d in found
    ]
    return len(rows)


def values() -> int:
    """Read the same as bare values, without tags."""
    from nautobot.dcim.models import Device

    names = [f"{r}__name" for r in REFERRED[:5]]
    return len(
        list(Device.objects.values_list("name", "serial", *names, "device_type__model", "primary_ip4__host"))
    )


def main() -> None:
    """Time both and print {name: [rows, seconds]}."""
    import nautobot

    nautobot.setup()
    works: dict[str, Callable[[], int]] = {"objects": objects, "values": values}
    told: dict[str, Any] = {}
    for what, work in works.items():
        rows, times = work(), []
        for _ in range(int(sys.argv[1])):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        told[what] = [rows, statistics.median(times)]
    print(json.dumps(told))


if __name__ == "__main__":
    main()
