"""How far a device's clock is off: the time that its syslog message says, against when the message came. Pure.

RFC 5424 gives a zone. RFC 3164 gives neither zone nor year: such a clock shows UTC or the regency's time, and the one
that is nearer is meant. The time says nothing of when something happened: clocks are wrong, and anybody can write one.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_PRI = re.compile(rb"<\d{1,3}>(?:1 )?")
_ISO = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)?[ :]")
_OLD = re.compile(
    rb"(?:\S{1,40}: )?[*.]?([A-Z][a-z]{2}) ([ \d]\d) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?[ :]"
)
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def skew_ms(data: bytes, came: datetime, zone: str) -> int | None:
    """Return by how many milliseconds the sender's clock is ahead (less than 0: behind); None if it says no time."""
    pri = _PRI.match(data)
    if pri is None:
        return None
    rest = data[pri.end() : pri.end() + 120]
    try:
        offs = [round((at - came).total_seconds() * 1000) for at in _times(rest, came, zone)]
    except (ValueError, OverflowError):
        return None
    return min(offs, key=abs, default=None)


def _times(text: bytes, came: datetime, zone: str) -> Iterator[datetime]:
    """Yield the moments that a time may mean. Raises ValueError for a time that there is not."""
    if found := _ISO.match(text):
        at = datetime.fromisoformat((found[1] + (found[2] or b"")).decode())
        yield from (at,) if at.tzinfo else _both(at, zone)
    elif (found := _OLD.match(text)) and found[1] in _MONTHS:
        month, day = _MONTHS.index(found[1]) + 1, int(found[2])
        hour, minute, second = (int(p) for p in found.group(4, 5, 6))
        micros = int((found[7] or b"0").ljust(6, b"0"))
        years = (int(found[3]),) if found[3] else (came.year - 1, came.year, came.year + 1)
        for year in years:
            if (month, day) != (2, 29) or year % 4 == 0:
                yield from _both(datetime(year, month, day, hour, minute, second, micros), zone)  # noqa: DTZ001 - it says no zone


def _both(at: datetime, zone: str) -> tuple[datetime, datetime]:
    return at.replace(tzinfo=UTC), at.replace(tzinfo=ZoneInfo(zone))
