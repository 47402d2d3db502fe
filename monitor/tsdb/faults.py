"""What goes wrong with the files of the store, as sentences: which file, which device, which hour."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from monitor.samples import time_of
from siaga.errors import SiagaError, TemporaryError


@dataclass(frozen=True, slots=True)
class Damage:
    """What cannot be read: in which file, of which device (-1: of none alone), from when on."""

    file: Path
    device: int
    at_ms: int
    reason: str

    def __str__(self) -> str:
        """Name the place."""
        hour = time_of(self.at_ms).strftime("%Y-%m-%dT%H:%MZ")
        device = f", device {self.device}" if self.device >= 0 else ""
        return f"{self.file}{device}, from {hour}: {self.reason}"


class DamagedSamplesError(SiagaError):
    """Some blocks are damaged; `damage` lists them. What is not in them can still be read."""

    def __init__(self, damage: tuple[Damage, ...]) -> None:
        first = damage[0]
        more = f" and {len(damage) - 1} more" if len(damage) > 1 else ""
        sentence = (
            f"Samples are damaged ({first}{more}). Everything else can be read; 'siaga samples check' lists what"
            " cannot. Put the file back from a backup."
        )
        super().__init__("samples-damaged", sentence, [str(d) for d in damage[1:21]])
        self.damage = damage


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system raise into an error of ours that names the file."""
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        sentence = f"The samples in {path} cannot be used now: {what}. What was stored before is kept."
        raise TemporaryError("samples-unavailable", sentence) from None
    except sqlite3.OperationalError as error:
        sentence = f"The samples in {path} cannot be used now: {error}. What was stored before is kept."
        raise TemporaryError("samples-unavailable", sentence) from None
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # its subclasses are faults of the program
            raise
        sentence = (
            f"The samples in {path} are damaged ({error}): put a backup back, or move the file aside to begin"
            " a new one; the other files and the inventory are not touched."
        )
        raise SiagaError("samples-damaged", sentence) from None


@contextmanager
def told_of(path: Path, at_ms: int, told: Callable[[Damage], None]) -> Iterator[None]:
    """Tell that a day file cannot be read; it is never locked, so whatever SQLite says of it is damage."""
    try:
        yield
    except sqlite3.Error as error:
        if path.exists():  # else its time had come just now
            told(Damage(path, -1, at_ms, f"the file cannot be read ({error})"))
