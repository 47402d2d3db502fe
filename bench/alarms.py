"""What alarms cost: one round of 5,000 devices judged, in CPU seconds; quiet, and with a twentieth of them silent.

Run by itself: `.venv/bin/python -m bench.alarms [DEVICES]`.
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine, reading, session
from inventory.writing import Writer
from monitor.alarm_store import Recall
from monitor.alarms import News, take
from monitor.observation import Mempool, Observation, Port, Processor, Reach, Sensor
from monitor.rules.subjects import Around, Flow, subjects
from monitor.scene import open_scene
from monitor.state import Heard
from monitor.store import named_ports
from siaga.settings import Settings

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PORTS = 28


def observation(name: str) -> Observation:
    """Return what a switch of 28 ports says."""
    ports = tuple(Port(n, f"ge{n}", ifAdminStatus="up", ifOperStatus="up") for n in range(1, PORTS + 1))
    sensors = tuple(Sensor("temperature", f"T{n}", 40.0, "°C") for n in range(4))
    loads, pools = (Processor("0", 12.0),), (Mempool("RAM", 40.0),)
    return Observation(name, "127.0.0.1", 161, "snmp", T0, Reach.up, "", 0.1, 9e5, ports=ports,
                       processors=loads, mempools=pools, sensors=sensors)  # fmt: skip


def filled(settings: Settings, count: int) -> list[int]:
    """Make an inventory of a core and `count` switches behind a hundred routers; return the ids."""
    engine = open_engine(settings)
    with session(engine) as writing:
        writer = Writer(writing, Author("bench", T0))
        writer.put("device", {"name": "core", "role": "core-router"})
        for n in range(100):
            writer.put("device", {"name": f"rtr-{n}", "role": "router", "parent": "core"})
        for n in range(count - 101):
            writer.put("device", {"name": f"sw-{n}", "role": "switch", "parent": f"rtr-{n % 100}"})
        writer.flush()
        return sorted(writer.ids("device").values())


def main(count: int) -> None:
    """Measure, and print a line for each kind of round."""
    with TemporaryDirectory(prefix="siaga-bench-") as directory:
        settings = Settings(home=Path(directory) / "home")
        initialise(settings)
        ids = filled(settings, count)
        engine = open_engine(settings)
        began = time.process_time()
        with reading(engine) as opened:
            scene = open_scene(opened, settings, T0, patient=True)
        print(f"scene of {count} devices: {time.process_time() - began:.2f} CPU s")
        seen = observation("sw")
        around = Around(flows={f"ge{n}": Flow(1e6, 1e6, 0.0, 0.0) for n in range(1, PORTS + 1)})
        recall: Recall | None = None
        for n, (title, silent) in enumerate(
            [
                ("first round", set()),
                ("quiet round", set()),
                ("reachability only", None),
                ("5 % silent", set(ids[::20])),
            ]
        ):
            now = T0 + timedelta(seconds=60 * n)
            began = time.process_time()
            news = {}
            for device in ids:
                reach = Reach.silent if silent and device in silent else Reach.up
                whole = silent is not None and reach is Reach.up
                parts = tuple(subjects(seen, named_ports(seen.ports), around)) if whole else ()
                news[device] = News((Heard(device, now, reach),), parts, whole)
            made = time.process_time() - began
            with session(engine) as writing:
                taken = take(writing, scene, news, now, recall=recall)
            recall = taken.recall
            spent = time.process_time() - began
            print(
                f"{title}: {spent:.2f} CPU s ({made:.2f} s of it to make the subjects),"
                f" {spent / count * 1e6:.0f} µs per device, {len(taken.opened)} alerts"
            )
        engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
