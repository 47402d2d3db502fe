"""Ansible by mitogen does what Ansible does: the same result, host keys and refusals; without mitogen it says so."""

import importlib.util
from typing import Any

import pytest

from infra import launch
from infra.plans import apply_plan, make_plan
from siaga.errors import InvalidError
from siaga.settings import Provision
from tests.infra.conftest import Regency
from tests.infra.test_provisioning import TOUCH, Watch


@pytest.fixture
def quick(regency: Regency) -> Regency:
    """A regency whose plays run by mitogen."""
    regency.settings = regency.settings.model_copy(update={"provision": Provision(fast=True)})
    regency.play("touch", TOUCH)
    return regency


def test_a_play_is_planned_and_applied_by_key_and_by_password(quick: Regency, watch: Watch) -> None:
    plan = make_plan(quick.desk, "touch", "role=server", [], watch)
    assert [h.status for h in plan.hosts] == ["changed", "changed"], [h.reason for h in plan.hosts]
    assert "+" in plan.tasks[0].diff
    done = apply_plan(quick.desk, plan.plan, watch)
    assert [h.status for h in done.hosts] == ["changed", "changed"]
    assert all((h.root / "etc/who").exists() for h in quick.farm.hosts)
    known = (quick.settings.home / "known_hosts").read_text().splitlines()
    assert len(known) == 2, "new host keys are remembered"
    (one, kind, key), (other, _, other_key) = (line.split() for line in known)
    (quick.settings.home / "known_hosts").write_text(f"{one} {kind} {other_key}\n{other} {kind} {key}\n")
    plan = make_plan(quick.desk, "touch", "role=server", [], watch)
    assert [h.status for h in plan.hosts] == ["unreachable", "unreachable"], "a changed key is refused"


def test_without_mitogen_nothing_is_started(
    quick: Regency, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str, package: str | None = None) -> Any:
        return None if name == "ansible_mitogen" else importlib.util.find_spec(name, package)

    monkeypatch.setattr(launch, "find_spec", absent)
    with pytest.raises(InvalidError, match="no-mitogen"):
        make_plan(quick.desk, "touch", "srv-1", [], watch)
