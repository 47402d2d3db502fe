"""The inventory's other commands: set-up, nouns, runs. The nouns' verbs are in noun_commands.py."""

from inventory.options import DryRun as DryRun
from inventory.options import Fields as Fields
from inventory.options import Output as Output
from inventory.options import Selector as Selector
from inventory.options import Since
from inventory.options import Why as Why
from inventory.options import Yes as Yes
from siaga.outcome import Format, Outcome


def nouns_list(output: Output = Format.table) -> Outcome:
    """List all nouns of the inventory; each has the verbs list, show, add, set, rm, history."""
    from inventory.catalog import SPECS
    from siaga.outcome import Column

    rows = [{"noun": s.name.replace("_", "-"), "what": s.help} for s in SPECS]
    return Outcome(rows, [Column("noun", "noun"), Column("what", "what")], format=output)


def init() -> Outcome:
    """Set up database, master key and home.

    Harmless to run again; an older database is copied aside and brought up to date.
    """
    from inventory.database import initialise
    from siaga.settings import load

    settings = load()
    return Outcome(messages=[*initialise(settings), f"Home is {settings.home}."])


def run_list(since: Since = "", output: Output = Format.table) -> Outcome:
    """List the last runs, or all since a time; those cut off are marked.

    Runs are imports, polls, plans and applies.
    """
    from sqlmodel import col, select

    from inventory import store
    from inventory.models import Run
    from inventory.runs import mark_interrupted
    from siaga.clock import moment, utc_now
    from siaga.outcome import Column
    from siaga.settings import load

    settings = load()
    engine = store.open_engine(settings)
    query = select(Run).order_by(col(Run.id).desc())
    if since:
        query = query.where(col(Run.started_at) >= moment(since, utc_now(), settings.timezone))
    else:
        query = query.limit(50)
    mark_interrupted(engine, now=utc_now())
    with store.reading(engine) as session:
        rows = [
            {
                "id": r.id,
                "kind": r.kind,
                "status": r.status,
                "who": r.who,
                "started_at": r.started_at,
                "ended_at": r.ended_at,
                "summary": r.summary,
            }
            for r in session.exec(query)
        ]
    columns = [Column(k, k) for k in ("id", "kind", "status", "who", "started_at", "ended_at", "summary")]
    return Outcome(rows, columns, format=output)
