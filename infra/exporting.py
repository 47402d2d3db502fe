"""Disconnected work, at home: a plan goes out on a file, and its results are taken in. See infra.district."""

import base64
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlmodel import Session, select

from infra import approvals, facts, stick, store, tree
from infra.applying import Order, order
from infra.batches import Batch
from infra.desk import Desk, Step
from infra.events import TaskEvent
from infra.hosts import Host
from infra.launch import known_hosts
from infra.models import Job, Plan
from infra.plans import checked
from infra.prepare import Prepared
from infra.radius import from_plain
from infra.results import HostTally
from inventory.models import Run
from inventory.store import labels, session
from siaga.errors import InvalidError
from siaga.text import safe

_PLAN = ("name", "playbook", "selector", "who", "risk", "parameters", "hosts")


def export_plan(desk: Desk, name: str, path: Path, passphrase: str) -> int:
    """Write a plan that may be applied to a file, and return for how many hosts; here it can be applied no more.

    Raises as `plans.checked` does, and InvalidError (`weak-passphrase`, `file-exists`).
    """
    plan, prepared, hosts = checked(desk, name)
    journey = os.urandom(16).hex()
    key = stick.journey_key(desk.vault, name, journey)
    head = {
        "plan": name,
        "journey": journey,
        "hosts": len(hosts),
        "expires_at": approvals.expires_at(plan, desk.settings).isoformat(),
        "wrap": stick.wrapped(key, passphrase),
    }
    content = packed(plan, prepared, hosts, order(desk, hosts), _known(desk, hosts))
    stick.write(path, stick.sealed(stick.PLAN, head, content, key), new=True)
    if not _claimed(desk, plan):
        path.unlink(missing_ok=True)
        raise InvalidError("plan-used", f"Plan '{name}' was just taken by another command.")
    return len(hosts)


def _claimed(desk: Desk, plan: Plan) -> bool:
    with session(desk.engine) as opened:
        return store.claim(opened, plan.id or 0, "exported")


def _known(desk: Desk, hosts: Sequence[Host]) -> str:
    """Return the lines of known_hosts that name one of the hosts, so that a changed key is refused there too."""
    path = known_hosts(desk.settings)
    names = {str(h.variables["ansible_host"]) for h in hosts}
    lines = path.read_text().splitlines() if path.exists() else []
    return "".join(f"{line}\n" for line in lines if any(n in line.partition(" ")[0] for n in names))


def packed(
    plan: Plan, prepared: Prepared, hosts: Sequence[Host], ordered: Order, known: str
) -> dict[str, Any]:
    """Return all that is needed to carry out a plan elsewhere, as JSON knows it."""
    folder = prepared.play.folder
    paths = list(tree.files(folder))
    return {
        "plan": {k: getattr(plan, k) for k in _PLAN},
        "files": {str(p.relative_to(folder)): base64.b64encode(p.read_bytes()).decode() for p in paths},
        "hosts": [_host(h) for h in hosts],
        "batches": [[list(b.hosts), b.canary] for b in ordered.batches],
        "radii": {n: r.plain() for n, r in ordered.radii.items()},
        "known_hosts": known,
        "notes": list(prepared.notes),
    }


def _host(host: Host) -> dict[str, Any]:
    return {
        "alias": host.alias,
        "name": host.name,
        "device_id": host.device_id,
        "groups": list(host.groups),
        "variables": dict(host.variables),
        "secrets": {k: v.get_secret_value() for k, v in host.secrets.items()},
        "key": host.key.get_secret_value() if host.key else None,
    }


def unpacked(content: Mapping[str, Any]) -> tuple[list[Host], Order]:
    """Return the hosts and their order as they were packed."""
    hosts = [
        Host(
            h["alias"],
            h["name"],
            h["device_id"],
            tuple(h["groups"]),
            h["variables"],
            {k: SecretStr(v) for k, v in h["secrets"].items()},
            SecretStr(h["key"]) if h["key"] else None,
        )
        for h in content["hosts"]
    ]
    batches = [Batch(tuple(names), canary) for names, canary in content["batches"]]
    return hosts, Order(batches, from_plain(content["radii"], [h.name for h in hosts]))


def import_results(desk: Desk, path: Path) -> tuple[str, list[int]]:
    """Take in the results of an exported plan; return its name and the numbers of the jobs that are new here.

    Raises InvalidError (`not-a-plan-file`, `not-exported`) or AuthError (`file-changed`).
    """
    found = stick.read(path, stick.RESULTS)
    name = str(found.head["plan"])
    content = stick.opened(found, stick.journey_key(desk.vault, name, str(found.head["journey"])))
    with session(desk.engine) as writing:
        plan = store.plan_called(writing, name)
        if plan.status not in ("exported", "applied"):
            sentence = f"Plan '{safe(name, 80)}' was not taken elsewhere: it is {plan.status}."
            raise InvalidError("not-exported", sentence)
        new = [_taken_in(writing, plan, one, str(content["place"])) for one in content["jobs"]]
        if any(one["status"] != "interrupted" for one in content["jobs"]):
            plan.status = "applied"
            writing.add(plan)
    return name, [n for n in new if n is not None]


def _taken_in(writing: Session, plan: Plan, one: Mapping[str, Any], place: str) -> int | None:
    """Store one job that ran elsewhere, unless it is here already; return its number here."""
    origin = f"{place}, job {one['number']} of {plan.name}"
    if writing.exec(select(Job.id).where(Job.origin == origin)).first() is not None:
        return None
    begun, ended = (datetime.fromisoformat(one[k]) for k in ("started_at", "ended_at"))
    summary = {"origin": origin, "hosts": {h["host"]: h["status"] for h in one["hosts"]}}
    run = Run(
        kind="apply", who=one["who"], status=one["status"], started_at=begun, ended_at=ended, summary=summary
    )
    writing.add(run)
    writing.flush()
    job_id = store.add_job(writing, plan, run.id or 0, "apply", [h["host"] for h in one["hosts"]], begun)
    events = [TaskEvent(**t) for t in one["tasks"]]
    store.add_tasks(writing, job_id, events)
    for at, *step in one["steps"]:
        store.add_step(writing, job_id, Step(*step), datetime.fromisoformat(at))
    store.end_job(
        writing, job_id, one["status"], [HostTally(**h) for h in one["hosts"]], one["reason"], ended
    )
    job = writing.get_one(Job, job_id)
    job.origin = origin
    writing.add(job)
    ids = {name: i for i, name in labels(writing, "device").items()}
    hosts = [Host(n, n, ids[n]) for n in one["facts"] if n in ids]
    facts.keep(writing, hosts, one["facts"], job_id=job_id, at=ended)
    return job_id
