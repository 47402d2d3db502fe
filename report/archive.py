"""The reports of earlier periods that are kept in the home, for the trend and for what changed since.

`<home>/reports/<period>/readiness.json` is written once for a period and never changed by a later one.
"""

import json
from pathlib import Path

from report.books import Last, Step
from report.flat import blocks
from report.periods import Period

FOLDER = "reports"
NAME = "readiness.json"
MOST = 24  # periods in the trend
LIMIT = 256 << 20


def earlier(home: Path, period: Period) -> tuple[Step, ...]:
    """Return the index of each kept period of the same length that ended before this one begins, oldest first."""
    found = []
    for path in sorted((home / FOLDER).glob(f"*/{NAME}")):
        step = _step(path)
        if step is not None and step[0] <= period.since.isoformat() and _alike(step[1].label, period.label):
            found.append(step)
    return tuple(s for _, s in sorted(found, key=lambda f: f[0])[-MOST:])


def last(home: Path, period: Period) -> Last | None:
    """Return the kept report of the period just before; None where there is none, or it has no index."""
    found = earlier(home, period)
    if not found:
        return None
    tree = json.loads((home / FOLDER / found[-1].label / NAME).read_text(encoding="utf-8"))
    records = [b["level"] for c in tree["chapters"] for b in blocks(c) if b["kind"] == "record"]
    return Last(found[-1].label, found[-1].value, {str(r["id"]): r["level"] for r in records})


def _alike(label: str, other: str) -> bool:
    """Return whether two periods are of one kind: months among months, quarters among quarters."""
    return len(label) == len(other) and ("Q" in label) == ("Q" in other)


def _step(path: Path) -> tuple[str, Step] | None:
    """Return the end and the index of a kept report; a file that is none is passed over: it proves nothing."""
    try:
        if path.stat().st_size > LIMIT:
            return None
        tree = json.loads(path.read_text(encoding="utf-8"))
        verdict = next(b for c in tree["chapters"] for b in blocks(c) if b["kind"] == "verdict")
        value = None if verdict["value"] is None else float(verdict["value"])
        step = Step(path.parent.name, value, float(verdict["low"]), float(verdict["high"]))
        return str(tree["meta"]["until"]), step
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None
