"""Recorded devices are recognised and their ports listed exactly.

The recordings lie beside the repository ($SIAGA_CORPUS, or ../shared/corpus); where there are none the test
is skipped; a $SIAGA_CORPUS that holds none fails.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from strict import differences

from monitor.observation import Observation, Reach, as_json
from monitor.snmp import observe_all
from monitor.targets import SnmpAuth, Target
from siaga.clock import utc_now

pytestmark = pytest.mark.corpus
CORPUS = Path(os.environ.get("SIAGA_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
AT_LEAST = 60
PORT = 41161


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Serve the recordings on loopback addresses of their own; give name → address, port."""
    if not (CORPUS / "serve.py").exists():
        reason = f"The recordings are not at {CORPUS}."
        if "SIAGA_CORPUS" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    table = tmp_path_factory.mktemp("corpus") / "map.json"
    command = [
        sys.executable,
        "serve.py",
        "dev",
        "--net",
        "127.61.0.1",
        "--port",
        str(PORT),
        "--map",
        str(table),
    ]
    with subprocess.Popen(command, cwd=CORPUS, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            assert line.startswith("ready"), line
            yield json.loads(table.read_text("utf-8"))
        finally:
            server.terminate()
            server.communicate(timeout=20)


@pytest.fixture(scope="module")
def found(agents: dict[str, Any]) -> list[Observation]:
    auth = SnmpAuth(community=SecretStr("public"))
    targets = [
        Target(name, row["address"], snmp_port=row["port"], snmp=auth, timeout_s=5.0)
        for name, row in agents.items()
    ]
    return asyncio.run(observe_all(targets, concurrency=8, now=utc_now))


def test_at_least_sixty_recorded_devices_are_read_exactly(found: list[Observation]) -> None:
    aliases = yaml.safe_load((CORPUS / "os_aliases.yaml").read_text("utf-8"))
    short = {}
    for seen in found:
        expected = json.loads((CORPUS / "dev" / seen.name / "expected.json").read_text("utf-8"))
        if wrong := list(differences(expected, as_json(seen), aliases)):
            short[seen.name] = wrong
    for name, wrong in short.items():
        print(f"{name}: {'; '.join(wrong[:4])}{' …' if len(wrong) > 4 else ''}")
    assert len(found) - len(short) >= AT_LEAST
    assert len(found) >= AT_LEAST


def test_every_recorded_device_answers_to_the_end(found: list[Observation]) -> None:
    assert {o.name: o.reason for o in found if o.reach is not Reach.up} == {}
