"""Lets the service run in a home on a small disk that fills up and is emptied again; tells what came of it.

    python -m tests.real.full_disk HOME      HOME lies on a file system of its own, of a few MiB

The clock is a fake one, the disk is a real one: at minute 5 whatever is free is taken, at minute 8 a device dies, at
minute 15 the room is given back.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import select

from inventory.store import reading
from monitor.instance import last_status
from monitor.models import Alert
from monitor.samples import open_samples
from monitor.tsdb.check import check
from tests.monitor.day_script import star
from tests.monitor.day_world import SETTINGS, Stage, play

BEGIN = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FULL_S, DEAD_S, FREE_S, END_S = 300.0, 480.0, 900.0, 1500.0


def fill(stage: Stage) -> None:
    """Take all the room that there is."""
    with (stage.settings.home / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 12))
        except OSError:
            os.fsync(file.fileno())


def main(home: Path) -> None:
    """Play it and print what is there afterwards."""
    during: dict[str, object] = {}

    def free(stage: Stage) -> None:
        with open_samples(stage.settings.home) as store:
            uptimes = store.read([(2, "uptime", "")], BEGIN, BEGIN + timedelta(hours=1))
        during["status"] = (last_status(stage.settings.home) or {}).get("problems")
        during["polls"] = sum(len(s.at_ms) for s in uptimes.values())
        (stage.settings.home / "ballast").unlink()

    settings = {**SETTINGS, "monitor": {**SETTINGS["monitor"], "reachability_s": 30, "counters_s": 30}}
    script = star("sw-1", "sw-2", until_s=END_S, begin=BEGIN, dark={"sw-2": ((DEAD_S, 1200.0),)})
    day = play(script, home, acts=[(FULL_S, fill), (FREE_S, free)], settings=settings)
    with reading(day.engine) as opened, open_samples(home) as store:
        alerts = [
            [a.rule, (a.opened_at - BEGIN).total_seconds(), a.closed_why]
            for a in opened.exec(select(Alert).where(Alert.rule != "poller-late"))
        ]
        series = store.read([(day.ids["sw-1"], "uptime", "")], BEGIN, BEGIN + timedelta(hours=1))
        looks = store.asked(BEGIN, BEGIN + timedelta(hours=1))[day.ids["sw-2"]]
    (uptime,) = series.values()
    print(
        json.dumps(
            {
                "said": day.said,
                "during": during,
                "alerts": alerts,
                "seconds": [(at - int(BEGIN.timestamp() * 1000)) / 1000 for at in uptime.at_ms.tolist()],
                "looks": [[(a.at - BEGIN).total_seconds(), a.answered] for a in looks],
                "damage": [str(d) for d in check(home / "tsdb").damage],
                "told": [line["rule"] for line in day.told()],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
