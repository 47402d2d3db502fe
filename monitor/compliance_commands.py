"""`siaga compliance`: what the rules say of the configurations that are kept. Nothing heavy is imported up here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory import complete
from inventory.options import Fields, Output, split
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.compliance.check import Result
    from monitor.compliance.files import Library
    from monitor.compliance.format import Rule
    from monitor.compliance.run import Round

app = typer.Typer(
    name="compliance", help="What rules say of the configurations of devices.", no_args_is_help=True
)
Devices = Annotated[
    list[str] | None,
    typer.Argument(
        help="Which devices: role=router kecamatan=Mauk. Default: all.",
        autocompletion=complete.selectors("device"),
    ),
]
_STYLE = {
    **{("severity", k): v for k, v in {"critical": "bold red", "high": "red", "medium": "yellow"}.items()},
    **{("verdict", k): v for k, v in {"met": "green", "broken": "red", "unknown": "magenta"}.items()},
}


@app.command("check")
def check(
    selector: Devices = None,
    configs: Annotated[
        str,
        typer.Option(
            "--configs", help="A folder of configurations, named as the devices. Default: the backup."
        ),
    ] = "",
    max_age_d: Annotated[
        int, typer.Option("--max-age", min=1, help="Days after which a configuration proves nothing.")
    ] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge, and store nothing.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only devices that do not comply.")] = False,
) -> Outcome:
    """Judge the newest configuration of each device by the rules of its platform, and keep what is wrong as findings.

    A finding closes by itself when a later configuration proves it mended. Without a configuration, or without what a
    rule needs of the inventory, the answer is unknown, which is not compliant. Ends with 6 if a rule is broken, with 7
    if only something is unknown.

    Examples: siaga compliance check · siaga compliance check role=switch kecamatan=Mauk · siaga compliance check
    rtr-mauk --configs ./exports --dry-run
    """
    from datetime import timedelta

    from inventory.access import require
    from inventory.store import open_engine
    from monitor.commands import chosen
    from monitor.compliance.run import judged, kept
    from monitor.compliance.source import texts_of
    from siaga.clock import utc_now
    from siaga.settings import load

    settings, now = load(), utc_now()
    engine = open_engine(settings)
    if not dry_run:
        require(who(), settings.access, "operator")
    texts = texts_of(engine, settings, configs)
    ids = chosen(engine, selector or [])
    done = judged(engine, settings, ids, now, texts=texts, max_age=timedelta(days=max_age_d))
    if not dry_run:
        done = kept(engine, settings, done, now, who=who())
    return _checked(done, now, output, fields, quiet=quiet)


def _checked(done: "Round", now: "datetime", output: Format, fields: str, *, quiet: bool) -> Outcome:
    rows, kept = [_row(r, done.library, now) for r in done.results], done.kept
    broken, unknown = sum(r["broken"] for r in rows), sum(r["unknown"] for r in rows)
    shown = [r for r in rows if not quiet or r["broken"] or r["unknown"]]
    messages = [_summary(rows, broken, unknown)]
    if done.without:
        messages.append(
            f"For {done.without} devices there are no rules: their platform has none, or is not known."
        )
    if kept.opened or kept.closed:
        messages.append(
            f"Findings: {kept.opened} new, {kept.closed} closed, {kept.again} as before ('siaga finding list')."
        )
    code = 6 if broken else 7 if unknown else 0
    return Outcome(
        shown if output not in (Format.table, Format.wide) else [_readable(r) for r in shown],
        _COLUMNS,
        messages if not quiet or shown else [],
        exit_code=code,
        format=output,
        fields=split(fields),
        style=_STYLE,
    )


_COLUMNS = [
    Column("device", "device"),
    Column("platform", "platform", wide=True),
    Column("severity", "worst"),
    Column("broken", "broken", right=True),
    Column("unknown", "unknown", right=True),
    Column("met", "met", right=True),
    Column("age", "configuration"),
    Column("first", "the worst of it"),
    Column("sha256", "sha256", wide=True),
]


def _row(result: "Result", library: "Library", now: "datetime") -> dict[str, Any]:
    from inventory.findings import Verdict, rank
    from monitor.compliance.store import age_d

    counts = result.counts
    wrong = [(n, a) for n, a in result.answers.items() if a.verdict is Verdict.broken]
    wrong.sort(key=lambda p: (rank(library.by_name[p[0]].severity), p[0]))
    unknown = next((a.reason for a in result.answers.values() if a.verdict is Verdict.unknown), "")
    return {
        "device": result.subject.name,
        "platform": result.subject.platform,
        "severity": library.by_name[wrong[0][0]].severity if wrong else "",
        "broken": counts[Verdict.broken],
        "unknown": counts[Verdict.unknown],
        "met": counts[Verdict.met],
        "age_d": age_d(result.at, now),
        "evidence_at": result.at,
        "sha256": result.sha256,
        "rules": {n: a.verdict.value for n, a in result.answers.items() if a.verdict is not Verdict.none},
        "reasons": {
            n: a.reason for n, a in result.answers.items() if a.verdict in (Verdict.broken, Verdict.unknown)
        },
        "first": f"{wrong[0][0]}: {wrong[0][1].reason}" if wrong else unknown,
    }


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "age": _age(row["age_d"]), "sha256": row["sha256"][:12]}


def _age(days: float | None) -> str:
    if days is None:
        return "none"
    return f"{days:.0f} d old" if days >= 1 else f"{days * 24:.0f} h old"


def _summary(rows: "Sequence[dict[str, Any]]", broken: int, unknown: int) -> str:
    good = sum(not r["broken"] and not r["unknown"] for r in rows)
    return f"{good} of {len(rows)} devices comply; {broken} answers are broken, {unknown} unknown."


@app.command("list")
def list_(
    selector: Devices = None,
    rule: Annotated[str, typer.Option("--rule", help="Only answers of this rule.")] = "",
    verdict: Annotated[
        str,
        typer.Option(
            "--verdict", help="Only these answers: broken, unknown, met. Default: broken and unknown."
        ),
    ] = "broken,unknown",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List what was last said of each device, and how old the configuration is that it rests on.

    Examples: siaga compliance list --verdict unknown · siaga compliance list --rule ios-ntp --verdict met,broken
    """
    from inventory.store import open_engine, reading
    from monitor.commands import chosen
    from monitor.compliance.files import load as load_rules
    from monitor.compliance.store import details, stored
    from siaga.clock import utc_now
    from siaga.errors import UsageError
    from siaga.settings import load
    from siaga.text import safe

    settings, now = load(), utc_now()
    wanted = split(verdict)
    if strange := [v for v in wanted if v not in ("broken", "unknown", "met", "none")]:
        raise UsageError("bad-verdict", f"'{safe(strange[0], 40)}' is none of broken, unknown, met, none.")
    engine, library = open_engine(settings), load_rules(settings.home)
    if rule:
        library.rule(rule)
    ids = chosen(engine, selector or [])
    with reading(engine) as session:
        kept = stored(session, ids)
        rows = details(kept, library, now)
    rows = [r for r in rows if r["verdict"] in wanted and (not rule or r["rule"] == rule)]
    never = sum(one is None for _, one in kept)
    messages = [f"{never} devices were never judged: run 'siaga compliance check'."] if never else []
    if output in (Format.table, Format.wide):
        rows = [{**r, "age": _age(r["age_d"])} for r in rows]
    columns = [Column(k, k) for k in ("device", "severity", "rule", "verdict")]
    columns += [Column("age", "configuration"), Column("reason", "reason")]
    return Outcome(rows, columns, messages, format=output, fields=split(fields), style=_STYLE)


@app.command("rules")
def rules(
    platform: Annotated[str, typer.Argument(help="Only those for this platform.")] = "",
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List the rules, siaga's own and the regency's (files in `compliance` of siaga's home).

    Example: siaga compliance rules routeros
    """
    from monitor.compliance.files import load as load_rules
    from siaga.errors import NotFoundError
    from siaga.settings import load
    from siaga.text import safe

    library = load_rules(load().home)
    if platform and platform not in library.books:
        offered = ", ".join(sorted(library.books))
        raise NotFoundError(
            "no-rules", f"There are no rules for '{safe(platform, 60)}'; there are for {offered}."
        )
    found = library.books[platform].rules if platform else tuple(library.by_name.values())
    rows = [_of_rule(r, library) for r in found]
    columns = [Column(k, k) for k in ("name", "severity", "article", "title")]
    columns += [Column(k, k, wide=True) for k in ("platforms", "parameters", "playbook")]
    return Outcome(rows, columns, format=output, fields=split(fields), style=_STYLE)


def _of_rule(rule: "Rule", library: "Library") -> dict[str, Any]:
    return {
        "name": rule.name,
        "severity": rule.severity,
        "article": rule.article,
        "title": rule.title,
        "platforms": ", ".join(library.platforms[rule.name]),
        "parameters": ", ".join(rule.parameters),
        "playbook": rule.mend.playbook if rule.mend else "",
    }


@app.command("explain")
def explain(
    rule: Annotated[str, typer.Argument(help="The rule's name; 'siaga compliance rules' lists them.")],
    device: Annotated[
        str,
        typer.Argument(help="A device: what the rule says of it.", autocompletion=complete.names("device")),
    ] = "",
    configs: Annotated[
        str, typer.Option("--configs", help="A folder of configurations. Default: the backup.")
    ] = "",
    output: Output = Format.table,
) -> Outcome:
    """Explain a rule; with a device, what it says there, by which lines, with which parameters, and what mends it.

    Examples: siaga compliance explain ios-ntp · siaga compliance explain ios-ntp sw-mauk-1
    """
    from monitor.compliance.files import load as load_rules
    from siaga.settings import load

    settings = load()
    library = load_rules(settings.home)
    meant = library.rule(rule)
    row = {**_of_rule(meant, library), "why": meant.why, **_demands(meant)}
    if device:
        row |= _at(settings, library, meant, device, configs)
    return Outcome([row], single=True, format=output)


def _demands(rule: "Rule") -> dict[str, Any]:
    said = {
        "roles": ", ".join(rule.roles),
        "when": rule.when,
        "section": " › ".join(rule.section),
        "must_have": list(rule.must_have),
        "must_not_have": list(rule.must_not_have),
        "only": [f"{o.regex} in {o.param}" for o in rule.only],
    }
    return {k: v for k, v in said.items() if v}


def _at(settings: Any, library: "Library", rule: "Rule", device: str, configs: str) -> dict[str, Any]:
    from inventory.store import open_engine, reading
    from monitor.commands import chosen
    from monitor.compliance.check import check as checked
    from monitor.compliance.check import filled
    from monitor.compliance.source import texts_of
    from monitor.compliance.store import age_d, subjects
    from siaga.clock import utc_now
    from siaga.errors import InvalidError

    engine, now = open_engine(settings), utc_now()
    ids = chosen(engine, [device])
    with reading(engine) as session:
        subject = next(iter(subjects(session, ids[:1])), None)
    if subject is None or subject.platform not in library.platforms[rule.name]:
        platform = subject.platform if subject else ""
        sentence = f"The rule {rule.name} is not for {device}, whose platform is '{platform}'."
        raise InvalidError("rule-not-meant", sentence)
    (result,) = checked([subject], library, texts_of(engine, settings, configs), now)
    answer = result.answers[rule.name]
    return {
        "device": subject.name,
        "verdict": answer.verdict.value,
        "reason": answer.reason,
        "evidence": list(answer.evidence),
        "evidence_at": result.at,
        "age_d": age_d(result.at, now),
        "values": {p: subject.params.get(p) for p in rule.parameters},
        "mend": {"playbook": rule.mend.playbook, "params": filled(rule.mend, subject.params)}
        if rule.mend
        else None,
    }


@app.command("changes")
def changes(
    before: Annotated[str, typer.Argument(help="A file with an /export of RouterOS.")],
    after: Annotated[str, typer.Argument(help="A file with another.")],
    commands: Annotated[
        bool, typer.Option("--commands", help="Print the commands that make the first into the second.")
    ] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """Tell how two exports of RouterOS differ, by menu, item and key; or how to come from the one to the other.

    What no command is known for is told on standard error. Ends with 6 if they differ.

    Example: siaga compliance changes rtr-mauk.rsc rtr-mauk-kemarin.rsc --commands
    """
    from monitor.compliance.routeros import parsed
    from monitor.compliance.routeros_diff import changes as differences
    from monitor.compliance.routeros_diff import way
    from siaga.text import safe

    old, new = (parsed(_text(path)) for path in (before, after))
    found = list(differences(old, new))
    messages = [] if found else ["They say the same."]
    if commands:
        done = way(old, new)
        messages += [f"No command is known for {c.path} {c.item} {c.key}, which is gone." for c in done.left]
        text = "\n".join(safe(c, 100_000) for c in done.commands)
        return Outcome(text=text, messages=messages, exit_code=6 if found else 0)
    rows = [
        {"path": c.path, "item": c.item, "key": c.key, "before": c.before, "after": c.after} for c in found
    ]
    columns = [Column(k, k) for k in ("path", "item", "key", "before", "after")]
    return Outcome(rows, columns, messages, 6 if found else 0, format=output, fields=split(fields))


def _text(path: str) -> str:
    from datetime import UTC, datetime
    from pathlib import Path

    from monitor.compliance.texts import LARGEST, text_of
    from siaga.errors import NotFoundError
    from siaga.text import safe

    try:
        with Path(path).open("rb") as file:
            return text_of(0, file.read(LARGEST), datetime.now(UTC)).text
    except OSError as error:
        sentence = f"'{safe(path, 200)}' cannot be read: {error.strerror}."
        raise NotFoundError("no-such-file", sentence) from None
