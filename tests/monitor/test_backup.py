"""Backups of real SSH servers with command lines that remember: what is kept, compared, blamed, searched, given back."""

import json
from pathlib import Path

import pytest

from tests.cli_runner import Siaga, runner
from tests.monitor.backup_world import simulated, text_of, world
from tests.simulators.cli.dialect import names


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


def test_every_make_is_read_whole_over_ssh_and_a_second_round_changes_nothing(
    scrubbed: Path, siaga: Siaga
) -> None:
    devices = {make: simulated(make) for make in names()}
    with world(scrubbed, devices) as made:
        first = siaga("backup", "run", "-o", "json")
        rows = json.loads(first.out)
        assert {r["device"]: r["result"] for r in rows} == dict.fromkeys(devices, "stored"), first.err
        again = siaga("backup", "run").well()
    assert "unchanged" in again.err
