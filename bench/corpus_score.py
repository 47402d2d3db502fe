"""Read recordings that are being served as SNMP agents, and write what was found for a scorer.

    python -m bench.corpus_score MAP.json FOUND.json [--light]

MAP.json names an address and port for each recording; FOUND.json gets {name: device} in the JSON of
`siaga inspect`. Prints devices, seconds of wall and of processor time.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from pydantic import SecretStr

from monitor.observation import as_json
from monitor.snmp import observe_all
from monitor.targets import SnmpAuth, Target
from siaga.clock import utc_now


def targets(table: Path, community: str = "public") -> list[Target]:
    """Return one target for each recording of the map."""
    auth = SnmpAuth(community=SecretStr(community))
    rows = json.loads(table.read_text("utf-8"))
    return [
        Target(name, row["address"], snmp_port=row["port"], snmp=auth, timeout_s=3.0)
        for name, row in rows.items()
    ]


def main() -> None:
    """Read all, write all, say how long it took."""
    table, found = Path(sys.argv[1]), Path(sys.argv[2])
    wall, cpu = time.monotonic(), time.process_time()
    full = "--light" not in sys.argv
    seen = asyncio.run(observe_all(targets(table), concurrency=8, now=utc_now, full=full))
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    found.write_text(json.dumps({o.name: as_json(o) for o in seen}, indent=1), "utf-8")
    odd = [f"{o.name}: {o.reach.value} {o.reason}" for o in seen if o.reason]
    print(f"{len(seen)} devices, {wall:.1f} s wall, {cpu:.1f} s processor", *odd, sep="\n")


if __name__ == "__main__":
    main()
