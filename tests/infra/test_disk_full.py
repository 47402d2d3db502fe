"""A host whose disk is full, for real: its file system is a tmpfs without room."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.plans import apply_plan, make_plan
from siaga.lock import device_lock
from tests.infra.conftest import Regency
from tests.infra.test_cut_off import one_id

pytestmark = pytest.mark.real

WRITE = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Write
      ansible.builtin.copy:
        dest: "{{ siaga_root }}/etc/config"
        content: "{{ 'x' * 100000 }}"
        mode: "0644"
"""


@pytest.fixture
def full(regency: Regency) -> Iterator[Path]:
    """Put a small file system in the place of srv-1's etc, and fill it."""
    if os.geteuid() != 0:
        if os.environ.get("SIAGA_REQUIRE_REAL"):
            pytest.fail("mounting a tmpfs needs root")
        pytest.skip("mounting a tmpfs needs root")
    place = regency.farm.hosts[0].root / "etc"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "siaga-test", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_host_whose_disk_is_full_says_so_and_the_other_is_changed(regency: Regency, full: Path) -> None:
    regency.play("write", WRITE)
    plan = make_plan(regency.desk, "write", "role=server", [], lambda _: None)
    assert [h.status for h in plan.hosts] == ["changed", "changed"], "a check cannot know"
    done = apply_plan(regency.desk, plan.plan, lambda _: None)
    bad, good = done.hosts
    assert (done.status, bad.status, good.status) == ("partial", "failed", "changed")
    assert bad.reason.startswith("Write: its disk is full: make room there"), bad.reason
    assert not (full / "config").exists(), "no half of a file is left"
    with device_lock(regency.settings.home, one_id(regency, "srv-1"), "srv-1"):
        pass
