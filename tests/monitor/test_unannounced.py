"""A change nobody announced, as docs/unannounced-change.md tells it: noticed, judged, planned, mended, proven."""

import json
from pathlib import Path
from typing import Any

import pytest
from backup_world import World, simulated, world
from sqlmodel import select

from infra.models import Plan
from inventory.store import reading
from tests.cli_runner import Siaga, runner

GOOD = (Path(__file__).parent / "configurations" / "ios.good").read_text()


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


def typed(made: World, who: str, *lines: str) -> None:
    """Configure the switch by hand, as somebody at its console."""
    where: list[Any] = []
    for line in lines:
        assert made.devices["rtr-mauk"].config.enter(line, where) is None, line
    made.devices["rtr-mauk"].note_change(who)


def rows(siaga: Siaga, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(siaga(*words, "-o", "json").out)
    return found


def test_a_change_nobody_announced(siaga: Siaga, scrubbed: Path) -> None:
    with world(scrubbed, {"rtr-mauk": simulated("ios", GOOD)}) as made:
        servers = ('var.ntp_servers=["10.36.0.1","10.36.0.2"]', 'var.syslog_servers=["10.36.0.9"]')
        siaga("layer", "add", "regency", *servers).well()
        siaga("backup", "run").well()
        siaga("compliance", "check")
        assert rows(siaga, "finding", "list") == []

        typed(made, "siti", "line vty 0 4", "transport input telnet ssh")
        (ran,) = rows(siaga, "backup", "run")
        assert (ran["result"], ran["cause"], ran["author"]) == ("stored", "out-of-band", "siti")
        assert "+ transport input telnet ssh" in siaga("backup", "diff", "rtr-mauk").well().out
        assert siaga("compliance", "check").code == 6
        (found,) = rows(siaga, "finding", "list")
        assert (found["rule"], found["device"]) == ("ios-vty-ssh", "rtr-mauk")
        assert found["evidence"] == ["line vty 0 4: missing: transport input ssh or none"]
        assert (found["playbook"], found["params"]["services"]) == ("network-baseline", "off")

        siaga("plan", "--from-finding", found["id"])
        with reading(made.engine) as session:
            plan = session.exec(select(Plan)).one()
        assert (plan.playbook, plan.selector, plan.finding_id) == (
            "network-baseline",
            "rtr-mauk",
            found["id"],
        )

        siaga("compliance", "check")  # planned is not mended
        assert [r["id"] for r in rows(siaga, "finding", "list")] == [found["id"]]
        typed(made, "siaga", "line vty 0 4", "no transport input", "transport input ssh")
        siaga("backup", "run").well()
        siaga("compliance", "check")
        assert rows(siaga, "finding", "list") == []
        (closed,) = rows(siaga, "finding", "list", "--all")
        assert (closed["id"], closed["closed_why"]) == (found["id"], "mended")
        assert closed["evidence_at"] >= found["evidence_at"]
