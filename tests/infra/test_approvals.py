"""Approval by a second person: bound to the plan as it is, to another person, and to its time."""

from datetime import timedelta

import pytest
from sqlmodel import select

from infra import approvals
from infra.frontmatter import Playbook
from infra.models import Approval, Plan
from infra.plans import apply_plan, make_plan
from inventory.store import session
from siaga.errors import ApprovalError, AuthError, InvalidError
from siaga.settings import Access, Provision, Settings
from tests.cli_runner import runner
from tests.infra.conftest import Regency
from tests.infra.test_faults import TOUCH


@pytest.mark.parametrize(
    ("risk", "asks", "bound", "needed"),
    [
        ("low", False, "high", False),
        ("medium", False, "high", False),
        ("high", False, "high", True),
        ("medium", False, "medium", True),
        ("low", True, "never", True),
        ("high", False, "never", False),
    ],
)
def test_a_second_person_is_needed_by_risk_or_because_the_play_asks(
    risk: str, asks: bool, bound: str, needed: bool, regency: Regency
) -> None:
    play = Playbook("x", regency.settings.home / "x.yml", "X", risk=risk, needs_approval=asks)
    settings = Settings(
        home=regency.settings.home, provision=Provision.model_validate({"four_eyes_from": bound})
    )
    assert approvals.needed(play, settings) is needed


def test_the_person_behind_sudo_counts() -> None:
    assert [approvals.person(w) for w in ("budi", "root", "root (sudo: budi)")] == ["budi", "root", "budi"]


def made(regency: Regency) -> str:
    regency.play("touch", TOUCH, 'risk = "high"')
    return make_plan(regency.desk, "touch", "srv-1", [], lambda _: None).plan


def waits(regency: Regency, name: str) -> None:
    with pytest.raises(ApprovalError, match=f"needs-approval: .*siaga plan approve {name}"):
        apply_plan(regency.desk, name, lambda _: None)


def test_a_plan_of_high_risk_waits_for_somebody_else_and_holds_only_as_it_was(
    regency: Regency, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    regency.who = "budi"
    name = made(regency)
    waits(regency, name)
    for own in ("budi", "root (sudo: budi)"):
        regency.who = own
        with pytest.raises(AuthError, match="own-plan"):
            approvals.say(regency.desk, name, "approved")

    # A row written past siaga is no approval, nor is one of another plan.
    with session(regency.engine) as opened:
        plan = opened.exec(select(Plan)).one()
        row = Approval(
            plan_id=plan.id or 0,
            who="ani",
            at=regency.now,
            verdict="approved",
            digest=approvals._digest(plan),
            seal="0" * 64,
        )
        opened.add(row)
    waits(regency, name)

    regency.who = "ani"
    only_operator = Access(user="ani", role="operator")
    allowed = regency.settings
    regency.settings = allowed.model_copy(update={"access": (only_operator,)})
    with pytest.raises(AuthError, match="takes the role approver"):
        approvals.say(regency.desk, name, "approved")
    regency.settings = allowed
    approvals.say(regency.desk, name, "approved", "rapat CAB")

    regency.play("touch", TOUCH + "# changed after approval\n", 'risk = "high"')
    with pytest.raises(InvalidError, match="plan-changed") as caught:
        apply_plan(regency.desk, name, lambda _: None)
    assert caught.value.problems == ("The playbook or one of its roles has changed.",)
    regency.play("touch", TOUCH, 'risk = "high"')
    with session(regency.engine) as opened:  # what was approved is another digest now
        plan = opened.exec(select(Plan)).one()
        whole, plan.digest = plan.digest, f" {plan.digest}"
        opened.add(plan)
    waits(regency, name)
    with session(regency.engine) as opened:
        plan = opened.exec(select(Plan)).one()
        plan.digest = whole
        opened.add(plan)

    regency.now += timedelta(hours=25)
    with pytest.raises(InvalidError, match="plan-expired"):
        apply_plan(regency.desk, name, lambda _: None)
    regency.now -= timedelta(hours=25)
    monkeypatch.setenv("SIAGA_HOME", str(regency.settings.home))
    shown = runner(capsys)("plan", "show", name).well().out
    assert "Made by budi at 2026-11-24" in shown
    assert "Approved by ani at 2026-11-24T07:15:02+07:00: rapat CAB." in shown
    done = apply_plan(regency.desk, name, lambda _: None)
    assert done.status == "ok"
    with pytest.raises(InvalidError, match="plan-used"):
        approvals.say(regency.desk, name, "approved")


def test_a_rejected_plan_is_never_applied(regency: Regency) -> None:
    with session(regency.engine) as opened:
        opened.add(
            Plan(
                name="p",
                playbook="touch",
                selector="srv-1",
                who="budi",
                created_at=regency.now,
                hosts=["srv-1"],
            )
        )
    regency.who = "ani"
    approvals.say(regency.desk, "p", "rejected", "not now")
    with pytest.raises(InvalidError, match="was rejected"):
        apply_plan(regency.desk, "p", lambda _: None)
    with pytest.raises(InvalidError, match="plan-void"):
        approvals.say(regency.desk, "p", "approved")
