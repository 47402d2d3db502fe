"""Incidents, alerts and provisioning: what went wrong, what is open, what was put right by siaga."""

from report.books import Matter
from report.chapters import causes
from report.chapters.equipment import capped
from report.facts import Device, Facts, Job
from report.figures import Block, Cell, Chapter, Column, Figure, Numbers, Table, Tone
from report.language import Tongue, rows_of
from report.measures.availability import Outage, outages

LONGEST = 20
CLAIM_S = 300  # the published government method counts link failures longer than this


def figures(facts: Facts, t: Tongue) -> list[Figure]:
    """Return the figures I-01 to I-04 and P-01."""
    opened = [a for a in facts.alerts if a.closed_at is None]
    critical = sum(a.severity == "critical" for a in opened)
    found = outages(facts.spans)
    long = [o for o in found if o.seconds > CLAIM_S]
    source = t.say("src-outages")
    seconds = sum(o.seconds for o in found)
    rows = rows_of("asked, device", (o.device_id for o in found))
    alerts = (rows_of("alert", (a.id for a in opened)),)
    return [
        Figure(
            "I-01",
            t.say("i-alerts"),
            len(opened),
            "1",
            t.number(len(opened)),
            t.say("src-alerts", critical=t.number(critical)),
            critical,
            len(opened),
            None,
            alerts,
            f"{t.number(critical)} {t.say('severity-critical')}",
            Tone.bad if critical else Tone.warn if opened else Tone.good,
        ),
        Figure("I-02", t.say("i-outages"), len(found), "1", t.number(len(found)), source, evidence=(rows,)),
        Figure(
            "I-03",
            t.say("i-long", claim=t.span(CLAIM_S)),
            len(long),
            "1",
            t.number(len(long)),
            source,
            len(long),
            len(found),
            evidence=(rows,),
            tone=Tone.bad if long else Tone.good,
        ),
        Figure("I-04", t.say("i-time"), seconds, "s", t.span(seconds), source, evidence=(rows,)),
        _provisioned(facts, t),
    ]


def last_apply(facts: Facts) -> Job | None:
    """Return the last apply of the window that says how many hosts it had."""
    applied = [j for j in facts.jobs if j.kind == "apply" and j.hosts]
    return max(applied, key=lambda j: (j.started_at, j.id), default=None)


def _provisioned(facts: Facts, t: Tongue) -> Figure:
    job = last_apply(facts)
    label, source = t.say("p-hosts"), t.say("src-jobs")
    if job is None or not job.hosts:
        return Figure("P-01", label, None, "1", t.say("no-jobs"), source, tone=Tone.unknown)
    ok = job.ok or 0
    of = t.say("share-of", part=t.number(ok), whole=t.number(job.hosts))
    state = Tone.good if ok == job.hosts else Tone.bad
    return Figure(
        "P-01", label, ok, "1", t.number(ok), source, ok, job.hosts, None, (f"job {job.id}",), of, state
    )


def chapter(matter: Matter, t: Tongue, number: str, known: dict[str, Figure]) -> Chapter:
    """Return the chapter; requests and provisioning are of the whole regency and not in a partial report."""
    facts = matter.facts
    keys = ("I-02", "I-03", "I-04", "I-05", "I-06", "I-01", *(() if matter.scope else ("P-01",)))
    whole: list[Block] = [] if matter.scope else [causes.tickets(matter, t), _jobs(facts, t)]
    blocks: list[Block] = [
        Numbers(tuple(known[k] for k in keys)),
        causes.by_cause(matter, t),
        _outages(facts, t),
        causes.recurring(matter, t),
        _alerts(facts, t),
        *whole,
    ]
    return Chapter(number, t.say("chapter-incidents"), tuple(blocks))


def _alerts(facts: Facts, t: Tongue) -> Table:
    columns = (
        Column(t.say("severity"), 1.0),
        Column(t.say("device"), 1.8),
        Column(t.say("text"), 3.6),
        Column(t.say("opened"), 1.4, right=True),
    )
    some = [a for a in facts.alerts if a.closed_at is None]
    some.sort(key=lambda a: (a.severity != "critical", a.opened_at, a.id))
    rows: list[tuple[Cell, ...]] = [
        (_severity(a.severity, t), t.text(a.device), t.text(a.text), t.stamp(a.opened_at)) for a in some
    ]
    source = t.say("src-alerts", critical=t.number(sum(a.severity == "critical" for a in some)))
    return Table("I-T1", t.say("t-alerts"), columns, *capped(t, rows, source), empty=t.say("t-alerts-none"))


def _severity(severity: str, t: Tongue) -> Cell:
    tone = Tone.bad if severity == "critical" else Tone.warn
    key = f"severity-{severity}"
    return Cell(severity, t.say(key), tone) if t.knows(key) else t.text(severity, tone)


def _outages(facts: Facts, t: Tongue) -> Table:
    columns = (
        Column(t.say("device"), 2.1),
        Column(t.say("agency"), 2.0),
        Column(t.say("place"), 1.2),
        Column(t.say("began"), 1.6, right=True),
        Column(t.say("length"), 1.3, right=True),
        Column(t.say("ongoing"), 1.2, right=True),
    )
    found, devices = outages(facts.spans), {d.id: d for d in facts.devices}
    rows = [_outage(o, devices.get(o.device_id), t) for o in found[:LONGEST]]
    return Table(
        "I-T2",
        t.say("t-outages"),
        columns,
        *capped(t, rows, t.say("src-outages"), LONGEST, len(found)),
        empty=t.say("t-outages-none"),
    )


def _outage(outage: Outage, device: Device | None, t: Tongue) -> tuple[Cell, ...]:
    return (
        t.text(device.name if device else f"#{outage.device_id}"),
        t.text(device.agency if device else ""),
        t.text(device.kecamatan if device else ""),
        t.stamp(outage.start),
        Cell(outage.seconds, t.span(outage.seconds), Tone.bad if outage.seconds > CLAIM_S else Tone.plain),
        t.word("yes", Tone.bad) if outage.open else t.word("no"),
    )


def _jobs(facts: Facts, t: Tongue) -> Table:
    columns = (
        Column(t.say("job"), 1.6),
        Column(t.say("kind"), 1.1),
        Column(t.say("began"), 1.7, right=True),
        Column(t.say("result"), 1.1),
        Column(t.say("hosts"), 0.9, right=True),
        Column(t.say("ok"), 0.9, right=True),
        Column(t.say("changed"), 0.9, right=True),
        Column(t.say("failed"), 0.8, right=True),
    )
    rows = [_job(j, t) for j in facts.jobs if j.kind in ("plan", "apply")]
    return Table(
        "P-T1", t.say("t-jobs"), columns, *capped(t, rows, t.say("src-jobs")), empty=t.say("t-jobs-none")
    )


def _job(job: Job, t: Tongue) -> tuple[Cell, ...]:
    fine = {"ok": Tone.good, "running": Tone.unknown}.get(job.status, Tone.bad)
    key = f"status-{job.status}"
    return (
        t.text(job.title),
        t.word(f"kind-{job.kind}"),
        t.stamp(job.started_at),
        t.word(key, fine) if t.knows(key) else t.text(job.status, fine),
        *(t.count(n) for n in (job.hosts, job.ok, job.changed, job.failed)),
    )
