"""Every test has a home of its own, and an environment without anybody's settings."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as drawing

LONG = ("test_tour.py", "infra/test_provisioning.py")
KEPT = ("SIAGA_CORPUS", "SIAGA_MUTANTS", "SIAGA_REQUIRE_REAL", "SIAGA_TEST_POSTGRESQL")


# How long a drawn case takes depends on what else the machine does: no test may fail by it.
# Whoever works on siaga draws other cases each time; where a change is judged (CI), the same code gets the same ones.
_slow = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
drawing.register_profile("siaga", **_slow)
drawing.register_profile("judged", **_slow, derandomize=True, max_examples=50)
drawing.load_profile("judged" if os.environ.get("CI") else "siaga")


@pytest.fixture(autouse=True)
def scrubbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Take away SIAGA_*, XDG_* and NO_COLOR; give a home below the test's own directory."""
    for name in list(os.environ):
        if name.startswith(("SIAGA_", "XDG_")) and name not in KEPT:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("SIAGA_HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes a minute, so that no worker ends alone with it."""
    items.sort(key=lambda item: not item.nodeid.split("::")[0].endswith(LONG))


def pytest_collection_finish() -> None:
    """Spare the garbage collector the tests and what they imported: it looks through the heap again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
