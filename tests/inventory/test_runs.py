"""A process that is killed leaves a run that the next command marks interrupted, and a database that is whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import select

from inventory.models import Device, Run
from inventory.runs import mark_interrupted, process_start
from inventory.store import reading
from siaga.settings import Settings
from tests.inventory.conftest import NOW

# An import in a process of its own: it says when it is in the middle, and then waits to be killed.
_IMPORT = """
import sys, time
from siaga.settings import load as load_settings
from siaga.clock import utc_now
from inventory.store import open_engine
from inventory.runs import recorded
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.sheets import Sheet
engine = open_engine(load_settings())
sheet = Sheet("d", "device", ("name", "role"), tuple((i, (f"rtr-{i}", "router")) for i in range(2, 400)))
def progress(done, total):
    if done == total // 2 and sys.argv[1] == "wait":
        print("middle", flush=True)
        time.sleep(60)
with recorded(engine, "import", who="budi", summary={}) as run:
    load(engine, [sheet], Author("budi", utc_now(), "", f"import {run}"), progress=progress)
print("done", flush=True)
"""


def test_a_killed_import_leaves_nothing_half_written(settings: Settings, engine: Engine) -> None:
    environment = {**os.environ, "SIAGA_HOME": str(settings.home), "PYTHONPATH": str(Path.cwd())}
    arguments = [sys.executable, "-c", _IMPORT]
    with subprocess.Popen(
        [*arguments, "wait"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "middle\n"
        process.send_signal(signal.SIGKILL)
    with reading(engine) as session:
        assert session.exec(select(Device)).all() == []
        assert session.exec(select(Run.status)).all() == ["running"]
    again = subprocess.run([*arguments, "go"], env=environment, check=True, capture_output=True, text=True)
    assert again.stdout == "done\n"
    with reading(engine) as session:
        assert len(session.exec(select(Device)).all()) == 398
        assert session.exec(select(Run.status).order_by(Run.id)).all() == ["interrupted", "ok"]


def test_a_living_run_is_left_alone(settings: Settings, engine: Engine) -> None:
    from inventory.runs import start

    start(engine, "poll", who="budi", now=NOW)
    assert mark_interrupted(engine, now=NOW) == []


def test_a_process_is_known_by_its_start_not_by_its_number() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started = process_start(process.pid)
        assert started
        assert started != process_start(os.getpid())
        process.kill()
    for _ in range(50):
        if not process_start(process.pid):
            break
        time.sleep(0.02)
    assert process_start(process.pid) == ""
