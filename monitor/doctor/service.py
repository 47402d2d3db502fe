"""The work: whether the service runs and keeps to its schedule, who holds locks, and what waits to be told or done."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import col, func, select

from inventory.store import reading
from monitor.doctor.finding import OK, WARNING, WRONG, Finding, Patient, many
from monitor.instance import LOCK, complaints, last_status, running
from monitor.models import DeviceState, Notification
from monitor.notify.outbox import BEGINNINGS
from monitor.out import cursor as cursors
from monitor.store import count_asked
from monitor.wishes import wishes
from siaga.clock import as_utc
from siaga.lock import holder
from siaga.text import safe

_SINCE = timedelta(minutes=15)
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_NAMED = 5
_LOCKS = {
    LOCK: "the service",
    "tsdb/writer.lock": "who writes samples",
    "tsdb/compact.lock": "who compacts samples",
}


def service(patient: Patient) -> Iterator[Finding]:
    """Look whether the service runs, and what it says of itself."""
    home = patient.settings.home
    pid, said = running(home), last_status(home)
    if not pid:
        if said is None:
            yield Finding(
                "service", OK, "The service was never started here; 'siaga monitor install' writes its units."
            )
            return
        word = "has ended" if said.get("ended") else "was cut off"
        todo = "Start it: systemctl start siaga-monitor, or 'siaga monitor run'."
        yield Finding(
            "service", WRONG, f"The service does not run; it {word} at {safe(said.get('at'), 40)}.", todo
        )
        return
    if said is None or str(said.get("pid")) != pid:
        yield Finding("service", OK, f"The service (pid {pid}) has just begun.")
        return
    wrong = list(complaints(said, patient.now))
    for one in wrong:
        yield Finding("service", WRONG if one.grave else WARNING, one.said, one.todo)
    if not wrong:
        yield Finding(
            "service", OK, f"The service (pid {pid}) is {said['late_s']:.1f} s behind its schedule."
        )


def locks(patient: Patient) -> Iterator[Finding]:
    """Say who holds which lock; the kernel lets go of a lock when its process ends."""
    home = patient.settings.home
    places = {**{home / name: what for name, what in _LOCKS.items()}, **_pushes(home)}
    held = {what: pid for path, what in places.items() if (pid := holder(path))}
    named = "; ".join(f"{what} is pid {pid} ({_command(pid)})" for what, pid in held.items())
    yield Finding("locks", OK, f"{named}." if named else "Nobody holds a lock.")
    writer, own = held.get("who writes samples"), held.get("the service")
    if own and writer and writer != own:
        said = f"Samples are written by pid {writer}, and the service is pid {own}: it cannot store what it measures."
        yield Finding("locks", WRONG, said, f"Wait for the end of that process, or end it (kill {writer}).")


def _pushes(home: Path) -> dict[Path, str]:
    return {p: f"who sends to {p.stem}" for p in sorted((home / cursors.FOLDER).glob("*.lock"))}


def _command(pid: str) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "gone"
    return safe(b" ".join(words).decode(errors="replace").strip(), 80)


def rounds(patient: Patient) -> Iterator[Finding]:
    """Look when devices were judged last."""
    if patient.engine is None:
        return
    with reading(patient.engine) as opened:
        count = count_asked(opened)
        newest = opened.exec(select(func.max(col(DeviceState.at)))).one()
    if not count:
        yield Finding("rounds", OK, "No device is recorded that could be asked.")
        return
    if newest is None:
        said = f"Of {many(count, 'device')} that could be asked none ever was."
        yield Finding("rounds", WARNING, said, "Run 'siaga poll', or start the service.")
        return
    age = patient.now - as_utc(newest)
    if age > _SINCE:
        said = f"No device was judged for {_long(age)}; {count} could be asked."
        yield Finding("rounds", WARNING, said, "Start the service, or let cron run 'siaga check'.")
    elif age < -_SINCE:
        said = f"Devices were judged {_long(-age)} in the future: the clock was set back."
        yield Finding("rounds", WARNING, said, "See to the time of this machine.")
    else:
        yield Finding(
            "rounds",
            OK,
            f"Devices were judged {max(0.0, age.total_seconds()):.0f} s ago ({count} are asked).",
        )


def _long(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return (
        f"{hours / 24:.1f} days"
        if hours > 48
        else f"{hours:.1f} hours"
        if hours > 2
        else f"{hours * 60:.0f} minutes"
    )


def outbox(patient: Patient) -> Iterator[Finding]:
    """Look what should have been told by now, and what never will be."""
    if patient.engine is None:
        return
    with reading(patient.engine) as opened:
        due = select(Notification).where(
            Notification.status == "waiting", Notification.due_at < patient.now - _SINCE
        )
        waiting = opened.exec(due).all()
        lost = select(Notification).where(
            Notification.status == "failed", Notification.at > patient.now - _WEEK
        )
        failed = opened.exec(lost.where(col(Notification.event).in_(BEGINNINGS))).all()
    if waiting:
        routes = ", ".join(sorted({n.route for n in waiting}))
        why = next((n.error for n in waiting if n.error), "nobody sends what is due")
        said = f"More than 15 minutes late by {routes}: {many(len(waiting), 'message')}, {safe(why, 200)}."
        yield Finding("outbox", WRONG, said, "Try it: 'siaga notify test ROUTE'; then 'siaga notify run'.")
    if failed:
        routes = ", ".join(sorted({n.route for n in failed}))
        said = (
            f"Given up this week by {routes}: {many(len(failed), 'message')}, {safe(failed[-1].error, 200)}."
        )
        yield Finding("outbox", WARNING, said, "Mend the route; 'siaga notify list' tells what came of each.")
    if not waiting and not failed:
        yield Finding("outbox", OK, "Nothing waits that should have been told.")


def pushes(patient: Patient) -> Iterator[Finding]:
    """Look how far each destination of remote write is behind."""
    for to in patient.settings.remote_write:
        standing = cursors.read(cursors.place(patient.settings.home, to.name))
        if standing is None:
            said = f"Nothing was sent to '{to.name}' yet."
            yield Finding("push", WARNING, said, "Start the service, or let cron run 'siaga metrics push'.")
            continue
        age = patient.now - datetime.fromisoformat(standing.taken_at) if standing.taken_at else None
        if standing.failures:
            said = f"'{to.name}' failed {many(standing.failures, 'time')}: {safe(standing.error, 200)}."
            yield Finding(
                "push", WRONG, said, "Mend the destination: what was stored meanwhile is sent then."
            )
        elif age is not None and age > _SINCE:
            said = f"'{to.name}' took samples {_long(age)} ago, and none since."
            yield Finding("push", WARNING, said, "Start the service, or let cron run 'siaga metrics push'.")
        else:
            yield Finding(
                "push", OK, f"'{to.name}' took {standing.sent} samples; {standing.dropped} were refused."
            )


def wished(patient: Patient) -> Iterator[Finding]:
    """Look what devices made desirable and nobody did."""
    if patient.engine is None:
        return
    with reading(patient.engine) as opened:
        old = [w for w in wishes(opened) if w.at < patient.now - _DAY]
    if old:
        names = ", ".join(safe(w.device, 80) for w in old[:_NAMED])
        said = f"Changed more than a day ago, and not saved: the configuration of {many(len(old), 'device')} ({names})."
        yield Finding("backups", WARNING, said, "Save them: 'siaga backup run'.")
