"""Hours of the week as a set of minutes, counted from Monday 00.00. Pure."""

from siaga.errors import InvalidError
from siaga.hours import hours

DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN


def minutes(text: str) -> set[int] | None:
    """Return the minutes that some hours hold, such as 'Mon-Fri 07.30-16.30'; None if they are not said."""
    if not text.strip():
        return None
    try:
        spans = hours(text).spans
    except InvalidError:
        return None
    return {
        (day * DAY_MIN + minute) % WEEK_MIN
        for s in spans
        for day in s.days
        for minute in range(s.start, s.end)
    }
