"""Approval by a second person: who may give it, what it is bound to, and whether a plan has it.

An approval is of the plan's digest, which covers the playbook tree, parameters, variables, targets and the result of
the check; it is sealed with the master key, so that a row written past siaga is none. It ends with its plan.
"""

import hashlib
from datetime import datetime, timedelta

from sqlmodel import Session

from infra import store
from infra.desk import Desk
from infra.frontmatter import RISKS, Playbook
from infra.models import Approval, Plan
from inventory.access import require_devices
from inventory.store import reading, session
from siaga.errors import ApprovalError, AuthError, InvalidError
from siaga.seal import open_seal
from siaga.settings import Settings


def needed(play: Playbook, settings: Settings) -> bool:
    """Tell whether a plan of this play needs a second person: the play asks for one, or its risk does."""
    bound = settings.provision.four_eyes_from
    return play.needs_approval or (bound != "never" and RISKS.index(play.risk) >= RISKS.index(bound))


def person(who: str) -> str:
    """Return the human behind a name of siaga.who: 'root (sudo: budi)' is budi."""
    return who.partition(" (sudo: ")[2].rstrip(")") or who


def say(desk: Desk, name: str, verdict: str, why: str = "") -> Plan:
    """Approve or reject a plan, and return it.

    Raises AuthError (`own-plan`, `not-allowed`) or InvalidError (`plan-used`, `plan-void`).
    """
    with session(desk.engine) as writing:
        plan = store.plan_called(writing, name)
        _refuse(writing, desk, plan, verdict)
        now = desk.clock()
        row = Approval(
            plan_id=plan.id or 0, who=desk.who, at=now, verdict=verdict, why=why, digest=_digest(plan)
        )
        row.seal = _sealed(desk.settings, plan, row)
        writing.add(row)
        if verdict == "rejected":
            plan.status = "rejected"
            writing.add(plan)
    return plan


def _refuse(opened: Session, desk: Desk, plan: Plan, verdict: str) -> None:
    if plan.status != "ready":
        sentence = f"Plan '{plan.name}' is {plan.status}: there is nothing to be said to it any more."
        raise InvalidError("plan-used" if plan.status == "applied" else "plan-void", sentence)
    if verdict == "approved" and person(plan.who) == person(desk.who):
        sentence = f"Plan '{plan.name}' is your own: somebody else must look at it and approve it."
        raise AuthError("own-plan", sentence)
    if verdict == "approved" or person(plan.who) != person(desk.who):
        require_devices(opened, desk.who, desk.settings.access, "approver", plan.hosts)


def require(opened: Session, plan: Plan, desk: Desk) -> None:
    """Raise ApprovalError (`needs-approval`) unless the plan needs none, or has one that holds."""
    if not plan.needs_approval:
        return
    said = store.approvals_of(opened, [plan.id or 0]).get(plan.id or 0, [])
    good = [a for a in said if holds(desk.settings, plan, a)]
    if not good:
        sentence = f"Plan '{plan.name}' (risk: {plan.risk}) waits for a second person:"
        raise ApprovalError("needs-approval", f"{sentence} 'siaga plan approve {plan.name}'.")


def holds(settings: Settings, plan: Plan, one: Approval) -> bool:
    """Tell whether an approval is one: somebody else's, of this plan as it is, and written by siaga."""
    other = person(one.who) != person(plan.who)
    seal = open_seal(settings.home)
    sealed = seal is not None and seal.fits(_text(plan, one), one.seal)
    return one.verdict == "approved" and other and one.digest == _digest(plan) and sealed


def given(desk: Desk, plan: Plan) -> list[Approval]:
    """Return what was said to a plan, in order."""
    with reading(desk.engine) as opened:
        return store.approvals_of(opened, [plan.id or 0]).get(plan.id or 0, [])


def expires_at(plan: Plan, settings: Settings) -> datetime:
    """Return until when a plan, and with it its approval, may be applied."""
    return plan.created_at + timedelta(hours=settings.provision.plan_expires_h)


def _digest(plan: Plan) -> str:
    return hashlib.sha256(f"{plan.name}\0{plan.digest}".encode()).hexdigest()


def _text(plan: Plan, one: Approval) -> str:
    return f"siaga-approval\0{plan.name}\0{one.digest}\0{one.who}\0{one.verdict}\0{one.at.isoformat()}"


def _sealed(settings: Settings, plan: Plan, one: Approval) -> str:
    seal = open_seal(settings.home)
    if seal is None:
        raise AuthError("no-master-key", "Without the master key no approval can be sealed.")
    return seal.of(_text(plan, one))
