"""Prints numbers, shares, rates, spans and times as people read them: decimal comma in Indonesian.

The one formatter of the report. What is coloured or compared is `rounded`, the figure as printed: a cell
that shows 95,0 is never judged as 94.96.
"""

import math
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from siaga.clock import JAKARTA, as_utc

MARKS = {"id": (".", ","), "en": (",", ".")}  # between thousands, before decimals
MONTHS = {
    "id": (
        "Januari",
        "Februari",
        "Maret",
        "April",
        "Mei",
        "Juni",
        "Juli",
        "Agustus",
        "September",
        "Oktober",
        "November",
        "Desember",
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}
_SPANS = {"id": ("hari", "j", "mnt", "dtk"), "en": ("d", "h", "min", "s")}


def rounded(value: float, decimals: int) -> Decimal:
    """Return `value` with so many decimals, halves away from zero; raises ValueError if it is not finite."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number that can be printed")
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return exact if exact else abs(exact)  # never a minus before a zero


def number(value: float, decimals: int = 0, lang: str = "id") -> str:
    """Return 2561.5 with one decimal as `2.561,5` (id) or `2,561.5` (en); the minus is U+2212."""
    exact = rounded(value, decimals)
    thousands, point = MARKS[lang]
    text = f"{abs(exact):,f}".replace(",", "\0").replace(".", point).replace("\0", thousands)
    return f"−{text}" if exact < 0 else text


def percent(ratio: float, decimals: int = 2, lang: str = "id") -> str:
    """Return the ratio 0.981 as `98,10%`. Not quite all is `>99,99%`, hardly any `<0,01%`: never all or none."""
    printed, least = rounded(ratio * 100, decimals), Decimal(1).scaleb(-decimals)
    if 0 < ratio < 1 and printed in (0, 100):
        mark, bound = ("<", least) if printed == 0 else (">", 100 - least)
        return f"{mark}{number(float(bound), decimals, lang)}%"
    return number(ratio * 100, decimals, lang) + "%"


def mbps(rate_bps: float, decimals: int = 2, lang: str = "id") -> str:
    """Return bits per second as megabits per second (10^6), without the unit."""
    return number(rate_bps / 1e6, decimals, lang)


def span(seconds: float, lang: str = "id") -> str:
    """Return a length of time in its two largest units: `3 j 12 mnt`, `45 dtk`."""
    left = int(rounded(max(seconds, 0), 0))
    parts = []
    for size, unit in zip((86400, 3600, 60, 1), _SPANS[lang], strict=True):
        count, left = divmod(left, size)
        parts.append((count, unit))
    first = next((i for i, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{number(count, 0, lang)} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(shown) or f"0 {_SPANS[lang][-1]}"


def day(at: datetime, lang: str = "id", zone: str = JAKARTA) -> str:
    """Return the date in words: `23 November 2026`."""
    local = as_utc(at).astimezone(ZoneInfo(zone))
    return f"{local.day} {MONTHS[lang][local.month - 1]} {local.year}"


def moment(at: datetime, lang: str = "id", zone: str = JAKARTA) -> str:
    """Return date and time in words with the zone: `23 November 2026 pukul 14.05 WIB`."""
    local = as_utc(at).astimezone(ZoneInfo(zone))
    clock = f"pukul {local:%H.%M}" if lang == "id" else f"{local:%H:%M}"
    return f"{day(at, lang, zone)} {clock} {local:%Z}"


def stamp(at: datetime, zone: str = JAKARTA) -> str:
    """Return date and time for a table's cell, the same in both languages: `2026-11-23 14:05` (unbroken)."""
    return f"{as_utc(at).astimezone(ZoneInfo(zone)):%Y-%m-%d\u00a0%H:%M}"
