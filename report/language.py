"""The report's two languages: sentences from words/*.toml, numbers from report.numbers, cells made of both."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from report import numbers
from report.figures import Cell, Tone
from report.glyphs import printable
from siaga.clock import JAKARTA, as_utc
from siaga.errors import UsageError
from siaga.text import safe

LANGUAGES = ("id", "en")
WORDS = Path(__file__).parent / "words"


def chosen(lang: str) -> str:
    """Return a language that reports are made in. Raises UsageError (`no-such-language`)."""
    if lang not in LANGUAGES:
        sentence = f"There is no report in '{safe(lang, 20)}': use one of {', '.join(LANGUAGES)}."
        raise UsageError("no-such-language", sentence)
    return lang


@cache
def _words() -> dict[str, dict[str, str]]:
    """Read every file of the folder; a word stands in one of them."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(WORDS.glob("*.toml")):
        found |= tomllib.loads(path.read_text(encoding="utf-8"))
    return found


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

    def in_words(self, on: date) -> str:
        """Return a day in words: `3 November 2026`."""
        return f"{on.day} {numbers.MONTHS[self.lang][on.month - 1]} {on.year}"

    def span(self, seconds: float) -> str:
        """Return a length of time."""
        return numbers.span(seconds, self.lang)

    def moment(self, at: datetime) -> str:
        """Return date and time in words."""
        return numbers.moment(at, self.lang)

    def short(self, at: datetime, pieces: Sequence[tuple[datetime, datetime]]) -> str:
        """Return where a piece of time begins, short enough for an axis: the clock within a day, else the day."""
        local = as_utc(at).astimezone(ZoneInfo(JAKARTA))
        inside = bool(pieces) and (pieces[-1][1] - pieces[0][0]).total_seconds() <= 2 * 86_400
        return f"{local:%H.%M}" if inside else f"{local:%d/%m}"

    # --- cells

    def text(self, value: object, tone: Tone = Tone.plain, limit: int = 120) -> Cell:
        """Return foreign text as a cell, cut at `limit` as printed; nothing is a dash."""
        raw = "" if value is None else str(value)
        return Cell(raw or None, printable(raw, limit) or self.say("none"), tone)

    def word(self, key: str, tone: Tone = Tone.plain) -> Cell:
        """Return one of our own words as a cell."""
        return Cell(key, self.say(key), tone)

    def known(self, group: str, key: str, tone: Tone = Tone.plain) -> Cell:
        """Return the word `group-key` where we have one, else the key itself as foreign text."""
        name = f"{group}-{key}"
        return Cell(key, self.say(name), tone) if self.knows(name) else self.text(key, tone)

    def signed(self, value: int) -> str:
        """Return a difference with its sign; none is 0."""
        return f"+{self.number(value)}" if value > 0 else self.number(value)

    def count(self, value: int | None, tone: Tone = Tone.plain) -> Cell:
        """Return a count as a cell; None is a dash, never a zero."""
        return Cell(value, self.say("none") if value is None else self.number(value), tone)

    def share(self, ratio: float | None, decimals: int = 1, tone: Tone = Tone.plain) -> Cell:
        """Return a ratio as a cell."""
        missing = Tone.unknown if ratio is None else tone
        return Cell(ratio, self.percent(ratio, decimals), missing, "ratio")

    def brief(self, ratio: float | None, decimals: int = 1, tone: Tone = Tone.plain) -> Cell:
        """Return a ratio for a narrow column: where nothing is known, the mark of that and a dash."""
        if ratio is None:
            return Cell(None, self.say("none"), Tone.unknown, "ratio")
        return self.share(ratio, decimals, tone)

    def money(self, idr: int | float | None, tone: Tone = Tone.plain) -> Cell:
        """Return rupiah as a cell, whole; None is a dash, never a zero."""
        return Cell(idr, self.say("none") if idr is None else self.number(idr), tone, "idr")

    def minutes(self, seconds: float | None, tone: Tone = Tone.plain) -> Cell:
        """Return seconds as whole minutes."""
        return Cell(seconds, self.say("none") if seconds is None else self.number(seconds / 60), tone, "s")

    def rates(self, down: float | None, up: float | None, decimals: int, missing: str = "none") -> Cell:
        """Return `down / up` in Mbps; both missing is `missing`, one missing a dash."""
        if down is None and up is None:
            return Cell(None, self.say(missing), Tone.unknown if missing != "none" else Tone.plain)
        shown = [self.say("none") if r is None else numbers.mbps(r, decimals, self.lang) for r in (down, up)]
        return Cell(f"{_raw(down)} / {_raw(up)}", " / ".join(shown))

    def stamp(self, at: datetime | None) -> Cell:
        """Return a time as a cell."""
        return Cell(
            at.isoformat() if at else None, numbers.stamp(at) if at else self.say("none"), unit="time"
        )

    def day(self, on: date | None, tone: Tone = Tone.plain) -> Cell:
        """Return a date as a cell."""
        return Cell(on.isoformat() if on else None, on.isoformat() if on else self.say("none"), tone, "date")


def _raw(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.0f}"


def rows_of(table: str, ids: Iterable[int]) -> str:
    """Name rows as evidence: `device 1..120 (118)`, first and last id and how many."""
    known = sorted(set(ids))
    return f"{table} {known[0]}..{known[-1]} ({len(known)})" if known else f"{table} (0)"
