"""The dashboards can be loaded: whole, by no fixed data source, with panels that do not lie on one another."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

GRAFANA = Path(__file__).resolve().parent.parent.parent / "docs" / "grafana"
FILES = sorted(p.name for p in GRAFANA.glob("*.json"))


def dashboard(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GRAFANA / name).read_text(encoding="utf-8"))
    return found


def test_there_are_three() -> None:
    assert FILES == ["contract.json", "device.json", "regency.json"]
    assert len({dashboard(name)["uid"] for name in FILES}) == 3


@pytest.mark.parametrize("name", FILES)
def test_every_panel_asks_the_chosen_source_and_uses_known_variables(name: str) -> None:
    whole = dashboard(name)
    variables = {v["name"] for v in whole["templating"]["list"]} | {"__rate_interval", "__range"}
    ids = [p["id"] for p in whole["panels"]]
    assert len(ids) == len(set(ids))
    for panel in whole["panels"]:
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables


@pytest.mark.parametrize("name", FILES)
def test_no_panel_lies_on_another(name: str) -> None:
    spots = [p["gridPos"] for p in dashboard(name)["panels"]]
    assert all(s["x"] + s["w"] <= 24 for s in spots)
    for a, b in combinations(spots, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
