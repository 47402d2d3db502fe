"""Takes back what went wrong on some hosts, in the way that the play says, and looks whether it worked."""

from collections.abc import Sequence

from infra.course import Course
from infra.frontmatter import Playbook
from infra.launch import known_hosts
from infra.results import GOOD, tally
from siaga.errors import SiagaError


def taken_back(course: Course, names: Sequence[str]) -> dict[str, bool]:
    """Return for each host whether it was taken back, and is again as it was for whoever can see it."""
    play = course.prepared.play
    if play.rollback == "none":
        course.recorder.step("rollback", "skipped", f"{play.name} has no way back: see to {', '.join(names)}")
        return {}
    acted = _acted(course, play, names)
    found = {n: acted[n] == "" for n in names}
    looked = course.looked_after([n for n in names if found[n]])
    for name, verdict in looked.items():
        found[name] = verdict.good
    _say(course, acted, {n: str(v) for n, v in looked.items() if not v.good})
    return found


def _acted(course: Course, play: Playbook, names: Sequence[str]) -> dict[str, str]:
    """Do what the play says; return for each host '' or why it could not be done."""
    if play.rollback == "play":
        return _by_play(course, play, names)
    if play.rollback == "restore":
        return {n: _restored(course, n) for n in names}
    return dict.fromkeys(names, "")  # self: the play has seen to it, or the device does when its time is over


def _by_play(course: Course, play: Playbook, names: Sequence[str]) -> dict[str, str]:
    seen = len(course.recorder.events)
    hosts = [course.hosts[n] for n in names]
    path = play.rollback_path.name
    try:
        end = course.ansible.run(hosts, check=False, on_event=course.recorder, playbook=path)
    except SiagaError as error:
        return dict.fromkeys(names, error.sentence)
    found = tally(names, course.recorder.events[seen:], cut_off=end.status != "ran")
    return {t.host: "" if t.status in GOOD else t.reason or t.status for t in found}


def _restored(course: Course, name: str) -> str:
    """Give a device back what it had; what it has now is kept first, for the way back begins there."""
    around, kept = course.desk.around, course.tallies[name].before
    if around.restore is None or around.backup is None or not kept:
        return "no configuration of it was kept"
    now = around.backup([name], f"job:{course.job_id}").get(name)
    if now is None or now.failure:
        return f"its configuration cannot be read: {now.failure if now else 'nothing of its kind is kept'}"
    try:
        given = around.restore(name, kept)
    except SiagaError as error:
        return "" if error.code == "nothing-to-restore" else error.sentence
    from infra.giving_back import given_back  # it speaks to command lines, by a heavy library

    return given_back(course.hosts[name], given, known_hosts(course.desk.settings))


def _say(course: Course, acted: dict[str, str], worse: dict[str, str]) -> None:
    failed = {n: why for n, why in acted.items() if why} | worse
    good = [n for n in acted if n not in failed]
    parts = [f"{', '.join(good)}: taken back"] if good else []
    parts += [f"{n}: {why}" for n, why in failed.items()]
    course.recorder.step("rollback", "failed" if failed else "ok", "; ".join(parts))
