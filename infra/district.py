"""Disconnected work, out there: the plan on a file is carried out by the same chain, and its results are written.

It needs no inventory and no master key: a small home of its own beside the file holds the records while it works, so
that a run that was killed is taken up again where it was. Secrets stay in memory; what is left is no secret.
"""

import base64
import shutil
import socket
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from infra import stick, store
from infra.applying import Order, carry_out
from infra.batches import Batch
from infra.desk import Clock, Desk, Report, Watch
from infra.exporting import unpacked
from infra.frontmatter import read_playbook
from infra.hosts import Host
from infra.locks import locked
from infra.models import Job, Plan
from infra.plans import settle
from infra.prepare import Prepared
from infra.results import GOOD
from inventory.database import initialise
from inventory.models import Device, Run
from inventory.store import labels, observed, open_engine, reading, session
from siaga.errors import InvalidError
from siaga.secrets import open_vault
from siaga.settings import Settings
from siaga.text import safe


def work_folder(path: Path) -> Path:
    """Return where the records of a plan's file are kept while it is carried out."""
    return path.with_name(f"{path.name}.work")


def results_path(path: Path) -> Path:
    """Return the file that is to be brought back."""
    return path.with_name(f"{path.name}.results")


def peek(path: Path) -> tuple[str, int]:
    """Return which plan a file holds and for how many hosts, before anything is opened."""
    head = stick.read(path, stick.PLAN).head
    return str(head["plan"]), int(head.get("hosts") or 0)


def carry_out_file(
    settings: Settings, path: Path, passphrase: str, who: str, clock: Clock, watch: Watch
) -> Report:
    """Carry out the plan on a file, or take it up where it was cut off; the results lie beside it at every time.

    Raises AuthError (`wrong-passphrase`, `file-changed`) or InvalidError (`plan-expired`, `plan-used`).
    """
    found = stick.read(path, stick.PLAN)
    key = stick.unwrapped(found.head, passphrase)
    content = stick.opened(found, key)
    if clock() > datetime.fromisoformat(str(found.head["expires_at"])):
        raise InvalidError("plan-expired", f"Plan '{found.head['plan']}' has expired: take a new one along.")
    desk = _desk(settings, path, who, clock)
    plan = _unpack(desk.engine, work_folder(path), content)
    hosts, ordered = unpacked(content)
    settle(desk)
    rest, before = _rest(desk, hosts)
    watching = _Writing(desk, found.head, key, results_path(path), watch)
    play = read_playbook(work_folder(path) / "plays" / f"{plan.playbook}.toml")
    prepared = Prepared(play, plan.parameters, tuple(hosts), tuple(content["notes"]))
    with locked(desk.settings, rest):
        try:
            return carry_out(desk, plan, prepared, rest, watching, resumes=before, ordered=_of(ordered, rest))
        finally:
            watching.write()


class _Writing:
    """Hands on what happens, and writes the results at each step, so that they are there whatever comes."""

    def __init__(self, desk: Desk, head: Mapping[str, Any], key: bytes, path: Path, watch: Watch) -> None:
        self._desk, self._head, self._key, self._path, self._watch = desk, head, key, path, watch

    def __call__(self, told: Any) -> None:
        self._watch(told)
        if not hasattr(told, "task"):
            self.write()

    def write(self) -> None:
        """Write what is recorded so far."""
        head = {k: self._head[k] for k in ("plan", "journey")}
        content = {"place": safe(socket.gethostname(), 60), "jobs": _jobs(self._desk)}
        stick.write(self._path, stick.sealed(stick.RESULTS, head, content, self._key), new=False)


def _desk(settings: Settings, path: Path, who: str, clock: Clock) -> Desk:
    home = work_folder(path)
    own = settings.model_copy(update={"home": home, "database_url": "", "access": (), "playbooks": ()})
    if not (home / "siaga.db").exists():
        home.mkdir(mode=0o700, exist_ok=True)
        initialise(own)
    return Desk(open_engine(own), open_vault(home), own, who, clock)


def _unpack(engine: Engine, home: Path, content: Mapping[str, Any]) -> Plan:
    """Put the play where it can be read, and the plan and its devices where they can be recorded; once."""
    plays = home / "plays"
    shutil.rmtree(plays, ignore_errors=True)
    for name, text in content["files"].items():
        path = plays / name
        if not path.resolve().is_relative_to(plays.resolve()):
            raise InvalidError(
                "not-a-plan-file", f"The plan holds a file that would lie elsewhere: {safe(name)}."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(text))
    known = home / "known_hosts"
    if not known.exists():
        known.write_text(content["known_hosts"])
    with session(engine) as writing:
        plan = writing.exec(select(Plan)).first()
        if plan is None:
            plan = Plan(**content["plan"], created_at=datetime.now().astimezone(), status="applied")
            writing.add(plan)
            for host in content["hosts"]:
                writing.add(Device(id=host["device_id"], name=host["name"]))
    return plan


def _rest(desk: Desk, hosts: list[Host]) -> tuple[list[Host], int | None]:
    """Return the hosts that are not done, and the last job; raises InvalidError (`plan-used`) when all are."""
    with reading(desk.engine) as opened:
        jobs = opened.exec(select(Job).order_by(Job.id)).all()  # type: ignore[arg-type]
        done = {h.host for j in jobs for h in store.hosts_of(opened, j.id or 0) if h.status in GOOD}
    rest = [h for h in hosts if h.name not in done]
    if not rest:
        raise InvalidError("plan-used", "This plan was carried out already: bring its results back.")
    return rest, jobs[-1].id if jobs else None


def _of(ordered: Order, hosts: list[Host]) -> Order:
    names = {h.name for h in hosts}
    kept = [Batch(tuple(n for n in b.hosts if n in names), b.canary) for b in ordered.batches]
    return Order([b for b in kept if b.hosts], ordered.radii)


def _jobs(desk: Desk) -> list[dict[str, Any]]:
    """Return every job with all that was recorded of it; one that is not at its end counts as interrupted."""
    with reading(desk.engine) as opened:
        return [_job(opened, job, desk.clock()) for job in opened.exec(select(Job).order_by(Job.id))]  # type: ignore[arg-type]


def _job(opened: Session, job: Job, now: datetime) -> dict[str, Any]:
    tasks = store.tasks_of(opened, job.id or 0)
    run = opened.get(Run, job.run_id or 0)
    return {
        "number": job.id,
        "status": "interrupted" if job.status == "running" else job.status,
        "reason": job.reason,
        "who": run.who if run else "",
        "started_at": job.started_at.isoformat(),
        "ended_at": (job.ended_at or now).isoformat(),
        "hosts": [asdict(store.tallied(h, store.counted(h))) for h in store.hosts_of(opened, job.id or 0)],
        "steps": [
            [at.isoformat(), s.name, s.status, s.detail] for at, s in store.steps_of(opened, job.id or 0)
        ],
        "tasks": [t.plain() for t in tasks],
        "facts": _facts(opened),
    }


def _facts(opened: Session) -> dict[str, dict[str, str]]:
    names = labels(opened, "device")
    found = observed(opened)
    return {names[i]: {f: str(o.value) for f, o in some.items()} for i, some in found.items() if i in names}
