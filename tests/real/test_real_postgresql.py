"""The inventory on a real PostgreSQL means what it means on SQLite, also for two who write at once.

The server lives in a directory of its own and answers on a Unix socket only.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.monitor.alarm_world import net

ROOT = Path(__file__).resolve().parent.parent.parent
# What is said of selectors, history, imports and addresses, without the tests of SQLite's own file.
SUITES = (
    "test_select.py", "test_past.py", "test_load.py", "test_ipam.py", "test_custody.py", "test_stocktake.py",
    "test_due.py",
)  # fmt: skip
pytestmark = pytest.mark.real


def tool(name: str) -> str:
    """Return the newest of PostgreSQL's programs as Debian installs them."""
    if os.geteuid() != 0:
        pytest.skip("it takes root to become the user postgres")
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[4]))
    if not found:
        missing = "PostgreSQL is not installed (apt-get install postgresql)"
        if os.environ.get("SIAGA_REQUIRE_REAL"):
            pytest.fail(missing)
        pytest.skip(missing)
    return str(found[-1])


def as_postgres(*command: str) -> None:
    subprocess.run(
        ["runuser", "-u", "postgres", "--", *command], check=True, capture_output=True, cwd="/", timeout=60
    )


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    initdb, control = tool("initdb"), tool("pg_ctl")
    home = Path("/run") / f"siaga-pg-{os.getpid()}"  # a socket's path must be short
    home.mkdir(mode=0o700)
    shutil.chown(home, "postgres")
    data = str(home / "data")
    try:
        as_postgres(initdb, "-D", data, "-A", "trust", "--no-sync")
        options = f"-c listen_addresses='' -k {home} -c fsync=off"
        as_postgres(control, "-D", data, "-l", str(home / "log"), "-w", "-o", options, "start")
        yield f"postgresql+psycopg://postgres@/?host={home}"
        as_postgres(control, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.slow
def test_the_inventory_means_the_same_on_postgresql(server: str) -> None:
    files = [f"tests/inventory/{name}" for name in SUITES if (ROOT / "tests/inventory" / name).exists()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        env={**os.environ, "SIAGA_TEST_POSTGRESQL": server},
        capture_output=True,
        text=True,
        timeout=420,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


_WRITES = """
import sys
import cli
print([cli.run(["device", "set", "rtr-1", f"var.{sys.argv[1]}_{n}=x"]) for n in range(6)])
"""


def test_what_several_processes_write_at_once_is_all_there(server: str, scrubbed: Path) -> None:
    environment = {
        **os.environ,
        "SIAGA_HOME": str(scrubbed),
        "SIAGA_DATABASE_URL": f"{server}&dbname=postgres",
    }

    def siaga(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "cli", *words], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    siaga("init")
    siaga("device", "add", "rtr-1")
    at_work = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", _WRITES, n], env=environment, stdout=subprocess.PIPE, text=True
        )
        for n in "ab"
    ]
    for process in at_work:
        out, _ = process.communicate(timeout=120)
        assert out.splitlines()[-1] == str([0] * 6)
    shown = siaga("device", "show", "rtr-1", "-o", "json")
    assert all(f'"{name}_{n}"' in shown for name in "ab" for n in range(6))
    siaga("history", "verify")
    assert "rtr-1" in siaga("device", "list", "role=other")


def test_alarms_mean_the_same_on_postgresql(server: str, tmp_path: Path) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as administration:
        administration.execute(text("CREATE DATABASE alarms"))
    engine.dispose()
    with net(tmp_path / "net", database_url=f"{server}&dbname=alarms") as world:
        for dead in (set(), {"rtr-a", "rtr-b"}, {"rtr-a", "rtr-b"}, {"rtr-b"}, {"rtr-b"}):
            world.dead = dead
            world.round()
            world.tell()
            world.restart()
        assert world.open_now() == {("rtr-b", "device-down")}
        told = [(m["event"], m["device"]) for m in world.told()]
        assert told == [("opened", "rtr-a"), ("opened", "rtr-b"), ("recovered", "rtr-a")]
        assert {n.status for n in world.outbox()} == {"sent"}
