"""The measures: each a module with one pure function `measure(ask, limits)` that returns a Reading.

The folder is scanned: a module that has it is a measure, and its name is what a rubric calls it. Nobody edits a list.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from report.assessment import Reading
    from report.questions import Questions
    from report.rubric import Limits

    Measure = Callable[[Questions, Limits], Reading]


@cache
def names() -> frozenset[str]:
    """Return the names of all measures."""
    files = Path(__file__).parent.glob("[a-z]*.py")
    return frozenset(p.stem for p in files if "\ndef measure(" in p.read_text(encoding="utf-8"))


def find(name: str) -> "Measure":
    """Return the measure of a name that is among `names()`."""
    found: Measure = import_module(f"report.measures.{name}").measure
    return found
