"""A job once more: the same play and parameters, on all its hosts or on those that did not go well."""

from sqlmodel import Session

from infra import store
from infra.around import Wanted
from infra.desk import Desk
from infra.playbooks import playbook
from infra.results import GOOD
from inventory.store import reading
from siaga.errors import InvalidError


def again(desk: Desk, job_id: int, *, failed: bool) -> Wanted:
    """Return what to plan; raises NotFoundError (`no-such-job`) or InvalidError (`nothing-failed`)."""
    with reading(desk.engine) as opened:
        job, _ = store.job_numbered(opened, job_id)
        plan = store.plan_of(opened, job)
        selector = _failed(opened, job_id) if failed else plan.selector
    known = {p.name for p in playbook(plan.playbook, desk.settings.playbooks).parameters}
    given = tuple(f"{k}={_text(v)}" for k, v in plan.parameters.items() if k in known)
    return Wanted(plan.playbook, selector, given)


def _failed(opened: Session, job_id: int) -> str:
    names = [h.host for h in store.hosts_of(opened, job_id) if h.status not in GOOD]
    if not names:
        raise InvalidError("nothing-failed", f"Every host of job {job_id} went well.")
    return named(names)


def named(names: list[str]) -> str:
    """Return a selector of exactly these devices."""
    return ",".join(f"'{n}'" if "'" not in n else f'"{n}"' for n in names)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
