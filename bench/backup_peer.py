"""The peer of bench/backup.py: netmiko alone in threads, in a process that imports nothing else of weight."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from netmiko import ConnectHandler


def main() -> None:
    """Fetch from every port that a JSON file names, and write each answer into a file beside it."""
    given = Path(sys.argv[1])
    wanted = json.loads(given.read_text())

    def one(port: int) -> int:
        talk = ConnectHandler(
            device_type="cisco_ios",
            host="127.0.0.1",
            port=port,
            conn_timeout=60,
            banner_timeout=60,
            auth_timeout=60,
            **wanted["login"],
        )
        talk.enable()
        text = str(talk.send_command("show running-config", read_timeout=60))
        talk.disconnect()
        (given.parent / f"{port}.txt").write_text(text)
        return len(text)

    with ThreadPoolExecutor(wanted["threads"]) as pool:
        sizes = list(pool.map(one, wanted["ports"]))
    assert min(sizes) > 1000


if __name__ == "__main__":
    main()
