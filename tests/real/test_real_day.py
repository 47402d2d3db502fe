"""Two minutes of a scripted day over real daemons: alarms, outages, causes and availability are those of the script."""

import os
from pathlib import Path

import pytest

from bench.day import played
from bench.day_net import CannotError, Net, Node, why_not
from bench.day_script import SCRIPT, read

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_what_siaga_makes_of_a_short_day_is_what_happened(tmp_path: Path) -> None:
    if reason := why_not():
        assert os.environ.get("SIAGA_REQUIRE_REAL") != "1", reason
        pytest.skip(reason)
    script = read(SCRIPT.with_name("day_short.toml"))
    done, _ = played(script, tmp_path, lambda _: None)
    said = (tmp_path / "said.txt").read_text()
    assert done.wrong == [], f"{done.alerts} {done.outages} {said}"
    assert done.looks > 200
    assert said.splitlines()[-1] == "ended"


def test_a_second_day_does_not_take_away_the_nodes_of_the_first(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    nodes = {"core": Node("core", "core-router", "Tigaraksa", "", 0)}
    with Net(nodes, (), tmp_path), pytest.raises(CannotError, match="wait for its end"):
        Net(nodes, (), tmp_path).__enter__()
