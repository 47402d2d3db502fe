"""Holds what devices hear of each other against the recorded links, and writes the states that changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from inventory.history import Author
from inventory.store import reading, session
from inventory.wires import Verdict, judge, keep, known, wires
from inventory.writing import Writer
from monitor import store
from monitor.lldp import Answer
from monitor.targets import Target
from siaga.secrets import open_vault
from siaga.settings import Settings


@dataclass(frozen=True)
class Checked:
    """What of the links was judged, and in numbers: asked, heard, confirmed, conflicting, not_recorded, changed."""

    verdicts: tuple[Verdict, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


def targets(engine: Engine, settings: Settings, ids: Sequence[int]) -> list[Target]:
    """Return whom to ask of these devices: the active ones that are asked by SNMP."""
    with reading(engine) as opened:
        devices = [d for d in store.devices_to_poll(opened, ids) if d.transport == "snmp"]
        return store.targets(opened, devices, open_vault(settings.home), settings)


def hold(
    engine: Engine, settings: Settings, answers: Sequence[Answer], author: Author, *, dry_run: bool = False
) -> Checked:
    """Hold what was heard against the links and write the states, but for a dry run."""
    with session(engine) as opened:
        found = list(judge(wires(opened), (h for a in answers for h in a.heard), known(opened)))
        writer = Writer(opened, author, settings.rules, settings.access)
        states = [v.state for v in found]
        counts: dict[str, Any] = {
            "asked": len(answers),
            "heard": sum(bool(a.heard) for a in answers),
            "confirmed": states.count("confirmed"),
            "conflicting": states.count("conflicting"),
            "not_recorded": states.count("not recorded"),
            "changed": keep(writer, found),
        }
        writer.finish()
        if dry_run:
            opened.rollback()
    return Checked(tuple(found), counts)
