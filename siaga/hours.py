"""Hours of the week as people write them: 'Mon-Fri 07.30-16.30', 'Sab,Min 08:00-12:00; Sen 22.00-02.00', '24/7'.

Days are English or Indonesian, in three letters or whole; without any, every day. A span that ends before it
begins goes past midnight, and belongs to the day on which it begins. Pure; the zone is that of the regency.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from siaga.clock import JAKARTA
from siaga.errors import InvalidError
from siaga.text import safe

_DAYS = (
    ("mon", "sen", "monday", "senin"),
    ("tue", "sel", "tuesday", "selasa"),
    ("wed", "rab", "wednesday", "rabu"),
    ("thu", "kam", "thursday", "kamis"),
    ("fri", "jum", "friday", "jumat"),
    ("sat", "sab", "saturday", "sabtu"),
    ("sun", "min", "sunday", "minggu"),
)
_NUMBER = {word: n for n, words in enumerate(_DAYS) for word in words}
_SPAN = re.compile(r"(?:([a-z ,\-]+?)\s+)?(\d{1,2})[.:](\d{2})\s*[-–]\s*(\d{1,2})[.:](\d{2})", re.IGNORECASE)
_LONGEST = 200


@dataclass(frozen=True)
class Span:
    """Minutes of a day from `start` to `end` (more than a day's where it goes past midnight), on some days."""

    days: frozenset[int]  # 0 is Monday
    start: int
    end: int


@dataclass(frozen=True)
class Hours:
    """Some hours of the week."""

    spans: tuple[Span, ...]
    zone: str = JAKARTA

    def until(self, at: datetime) -> datetime | None:
        """Return when the span ends that `at` lies in, or None if it lies in none."""
        local = at.astimezone(ZoneInfo(self.zone))
        found = []
        for back in (0, 1):  # a span of yesterday may not be over
            day = (local - timedelta(days=back)).replace(hour=0, minute=0, second=0, microsecond=0)
            for span in self.spans:
                start, end = day + timedelta(minutes=span.start), day + timedelta(minutes=span.end)
                if day.weekday() in span.days and start <= local < end:
                    found.append(end)
        return max(found).astimezone(at.tzinfo) if found else None

    def hold(self, at: datetime) -> bool:
        """Tell whether `at` lies in these hours."""
        return self.until(at) is not None


@lru_cache(maxsize=512)
def hours(text: str, zone: str = JAKARTA) -> Hours:
    """Return the hours that a text means; raises InvalidError (`bad-hours`)."""
    if text.strip().casefold() in ("24/7", "24x7", "selalu", "always"):
        return Hours((Span(frozenset(range(7)), 0, 24 * 60),), zone)
    parts = [p.strip() for p in re.split(r"[;\n]", text[:_LONGEST]) if p.strip()]
    spans = [_span(p) for p in parts]
    if not spans or None in spans:
        sentence = f"'{safe(text, 60)}' are no hours: write them as 'Mon-Fri 07.30-16.30; Sat 08.00-12.00'."
        raise InvalidError("bad-hours", sentence)
    return Hours(tuple(s for s in spans if s is not None), zone)


def _span(text: str) -> Span | None:
    found = _SPAN.fullmatch(text)
    if not found:
        return None
    days = _days(found[1]) if found[1] else frozenset(range(7))
    start, end = int(found[2]) * 60 + int(found[3]), int(found[4]) * 60 + int(found[5])
    sound = max(int(found[3]), int(found[5])) < 60 and max(start, end) <= 24 * 60
    if not days or not sound or start == end:
        return None
    return Span(days, start, end if end > start else end + 24 * 60)


def _days(text: str) -> frozenset[int] | None:
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.casefold().partition("-")
        ends = [_NUMBER.get(first), _NUMBER.get(last) if dash else _NUMBER.get(first)]
        if ends[0] is None or ends[1] is None:
            return None
        found |= {(ends[0] + n) % 7 for n in range((ends[1] - ends[0]) % 7 + 1)}
    return frozenset(found)
