"""A changed configuration that a device tells of by syslog is backed up by the service, with the name of who did it."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli_runner import closed_port, until
from tests.monitor.backup_world import World, simulated, world

SETTINGS = """
[monitor]
listen = true
ping = false
compact = false
backup_s = 1
audit_s = 1
batch_s = 0.05
[audit]
hours = "24/7"
telnet_port = {telnet}
[listen]
addresses = ["127.0.0.1"]
trap_port = 0
syslog_port = {port}
syslog_tcp_port = 0
"""
CHANGED = (
    b"<189>45: *Mar  1 00:01:02.123: %SYS-5-CONFIG_I: Configured from console by siti on vty0 (10.1.1.5)"
)


def rows(made: World, query: str) -> list[tuple[Any, ...]]:
    place = f"file:{made.settings.home / 'siaga.db'}?mode=ro"
    with closing(sqlite3.connect(place, uri=True)) as plain:
        return plain.execute(query).fetchall()


def test_a_line_of_syslog_ends_in_a_backup_with_its_author(scrubbed: Path, tmp_path: Path) -> None:
    port, file = closed_port(), tmp_path / "siaga.toml"
    file.write_text(SETTINGS.format(port=port, telnet=closed_port()))
    versions = "SELECT author, cause FROM config_version ORDER BY id"
    with world(scrubbed, {"sw1": simulated("ios")}) as made, (tmp_path / "said").open("w") as said:
        environment = {**os.environ, "SIAGA_HOME": str(scrubbed), "SIAGA_CONFIG": str(file)}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli", "monitor", "run"], env=environment, stderr=said
        )
        try:
            until(lambda: len(rows(made, versions)) == 1, (tmp_path / "said").read_text(), 60)
            assert made.devices["sw1"].config.enter("ip http server", []) is None
            made.devices["sw1"].note_change("siti")
            with closing(socket.socket(type=socket.SOCK_DGRAM)) as sender:
                sender.sendto(CHANGED, ("127.0.0.1", port))
            until(lambda: len(rows(made, versions)) == 2, (tmp_path / "said").read_text(), 60)
            until(lambda: rows(made, "SELECT count(*) FROM device_wish") == [(0,)], "the wish stays", 20)
            ended = "SELECT status FROM run WHERE kind = 'audit' AND ended_at IS NOT NULL"
            until(lambda: rows(made, ended) == [("ok",)], "nobody looked for open doors", 60)
        finally:
            process.terminate()
            assert process.wait(30) == 0
        assert rows(made, versions)[1] == ("siti", "out-of-band")
        assert rows(made, "SELECT count(*) FROM exposure") == [(1,)]
        assert rows(made, "SELECT kind, times FROM device_event") == [("config-changed", 1)]
