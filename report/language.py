"""The report's two languages: sentences from words.toml, numbers from report.numbers, cells made of both."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from report import numbers
from report.figures import Cell, Tone
from report.glyphs import printable

LANGUAGES = ("id", "en")


@cache
def _words() -> dict[str, dict[str, str]]:
    path = Path(__file__).with_name("words.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Tongue:
    """One language, and how it says things."""

    lang: str

    def say(self, key: str, **values: str) -> str:
        """Return the sentence called `key` with its placeholders filled; KeyError for an unknown one."""
        return _words()[key][self.lang].format(**values)

    def knows(self, key: str) -> bool:
        """Return whether there is a word called `key`."""
        return key in _words()

    def number(self, value: float, decimals: int = 0) -> str:
        """Return a number as printed."""
        return numbers.number(value, decimals, self.lang)

    def percent(self, ratio: float | None, decimals: int = 1) -> str:
        """Return a ratio as a percentage, or that there is not enough data."""
        return self.say("not-enough") if ratio is None else numbers.percent(ratio, decimals, self.lang)

    def span(self, seconds: float) -> str:
        """Return a length of time."""
        return numbers.span(seconds, self.lang)

    def moment(self, at: datetime) -> str:
        """Return date and time in words."""
        return numbers.moment(at, self.lang)

    # --- cells

    def text(self, value: object, tone: Tone = Tone.plain) -> Cell:
        """Return foreign text as a cell; nothing is a dash."""
        raw = "" if value is None else str(value)
        return Cell(raw or None, printable(raw) or self.say("none"), tone)

    def word(self, key: str, tone: Tone = Tone.plain) -> Cell:
        """Return one of our own words as a cell."""
        return Cell(key, self.say(key), tone)

    def count(self, value: int | None, tone: Tone = Tone.plain) -> Cell:
        """Return a count as a cell; None is a dash, never a zero."""
        return Cell(value, self.say("none") if value is None else self.number(value), tone)

    def share(self, ratio: float | None, decimals: int = 1, tone: Tone = Tone.plain) -> Cell:
        """Return a ratio as a cell."""
        missing = Tone.unknown if ratio is None else tone
        return Cell(ratio, self.percent(ratio, decimals), missing)

    def rates(self, down: float | None, up: float | None, decimals: int, missing: str = "none") -> Cell:
        """Return `down / up` in Mbps; both missing is `missing`, one missing a dash."""
        if down is None and up is None:
            return Cell(None, self.say(missing), Tone.unknown if missing != "none" else Tone.plain)
        shown = [self.say("none") if r is None else numbers.mbps(r, decimals, self.lang) for r in (down, up)]
        return Cell(f"{_raw(down)} / {_raw(up)}", " / ".join(shown))

    def stamp(self, at: datetime | None) -> Cell:
        """Return a time as a cell."""
        return Cell(at.isoformat() if at else None, numbers.stamp(at) if at else self.say("none"))

    def day(self, on: date | None, tone: Tone = Tone.plain) -> Cell:
        """Return a date as a cell."""
        return Cell(on.isoformat() if on else None, on.isoformat() if on else self.say("none"), tone)


def _raw(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.0f}"


def rows_of(table: str, ids: Iterable[int]) -> str:
    """Name rows as evidence: `device 1..120 (118)`, first and last id and how many."""
    known = sorted(set(ids))
    return f"{table} {known[0]}..{known[-1]} ({len(known)})" if known else f"{table} (0)"
