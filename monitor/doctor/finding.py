"""What an examination finds: one line, and what to do about it; an examination that fails is a finding itself."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from siaga.errors import SiagaError
from siaga.settings import Settings
from siaga.text import safe

OK, WARNING, WRONG = "ok", "warning", "wrong"


@dataclass(frozen=True)
class Finding:
    """`area`: what was looked at; `state`: ok, warning or wrong; `said`: a sentence; `todo`: what to do about it."""

    area: str
    state: str
    said: str
    todo: str = ""


@dataclass(frozen=True)
class Patient:
    """What is examined. `engine` is None where there is no database of record; `deep`: whatever long it takes."""

    settings: Settings
    engine: Engine | None
    now: datetime
    deep: bool = False


Examination = Callable[[Patient], Iterable[Finding]]


def examined(patient: Patient, examinations: Iterable[tuple[str, Examination]]) -> Iterator[Finding]:
    """Yield what all find, in their order."""
    for area, look in examinations:
        try:
            yield from look(patient)
        except SiagaError as error:
            yield Finding(area, WRONG, safe(error.sentence, 500), "Mend this first, and run it again.")
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            yield Finding(
                area, WRONG, f"It cannot be read: {error.strerror}{where}.", "See to the rights, or the disk."
            )


def many(number: int, word: str) -> str:
    """Return how many there are, in words: 1 day, 2 days."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def exit_code(found: Iterable[Finding]) -> int:
    """Return 0 if all is well, else 6."""
    return 6 if any(f.state != OK for f in found) else 0
