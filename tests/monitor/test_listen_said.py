"""How far a clock is off by what its message says: every form, the doubtful ones, and what is meant to hurt."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.listen.meaning import patterns
from monitor.listen.receiver import Receiver
from monitor.listen.said import skew_ms
from monitor.listen.sieve import Sieve
from monitor.listen.sources import Source, sources

CAME = datetime(2026, 3, 2, 3, 4, 5, tzinfo=UTC)  # 10.04.05 in Jakarta
NEW_YEAR = datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)
ZONE = "Asia/Jakarta"


@pytest.mark.parametrize(
    ("line", "came", "ms"),
    [
        (b"<13>1 2026-03-02T03:04:07.250Z r1 app - - - x", CAME, 2250),
        (b"<13>1 2026-03-02T10:04:00+07:00 r1 app - - - x", CAME, -5000),
        (b"<13>1 - r1 app - - - x", CAME, None),
        (b"<13>Mar  2 03:04:05 r1 x", CAME, 0),  # a clock of UTC
        (b"<13>Mar  2 10:04:04 r1 x", CAME, -1000),  # one of Jakarta
        (b"<13>Mar  2 09:04:05 r1 x", CAME, -3_600_000),  # one of neither is wrong
        (b"<189>45: *Mar  2 10:04:05.500: %SYS-5-CONFIG_I: x", CAME, 500),
        (b"<189>45: r1: Mar  2 2026 10:04:05: %SYS-5-CONFIG_I: x", CAME, None),
        (b"<13>Mar 2 2026 10:04:05 r1 x", CAME, None),
        (b"<13>Mar  2 2021 10:04:05 r1 x", CAME, -157_741_200_000),
        (b"<13>2026-03-02T10:04:05 r1 x", CAME, 0),
        (b"<13>Dec 31 23:59:58 r1 x", NEW_YEAR, -3000),
        (b"<13>Feb 30 10:04:05 r1 x", CAME, None),
        (b"<13>Mar  2 25:04:05 r1 x", CAME, None),
        (b"<13>2026-13-02T10:04:05Z r1 x", CAME, None),
        (b"<13>9999-12-31T23:59:59-23:59 x", CAME, 251_629_966_494_000),
        (b"no priority", CAME, None),
        (b"", CAME, None),
    ],
)
def test_the_clock_is_off_by_what_the_message_says(line: bytes, came: datetime, ms: int | None) -> None:
    assert skew_ms(line, came, ZONE) == ms


@given(st.binary(max_size=60))
@settings(max_examples=60)
def test_nothing_is_raised_for_any_octets(tail: bytes) -> None:
    for head in (b"", b"<13>", b"<13>1 ", b"<13>Mar  2 ", b"<13>2026-03-0"):
        found = skew_ms(head + tail, CAME, ZONE)
        assert found is None or isinstance(found, int)


def test_of_a_minute_the_message_counts_that_came_soonest() -> None:
    known = sources([("10.0.0.1", Source(7, "r1"))])
    receiver = Receiver([], known, patterns(), sieve=Sieve(99, 99), now=lambda: CAME, tell=lambda _: None)
    for second in (1, 3, 2):  # 10.04.03 is 2 s behind, the others came late
        receiver.syslog(f"<13>Mar  2 10:04:0{second} r1 message {second}".encode(), "10.0.0.1")
    receiver.syslog(b"<13>Mar  2 10:04:05 r2 of a stranger", "10.0.0.2")
    assert (dict(receiver.take_skews()), dict(receiver.take_heard())) == ({7: -2000}, {7: 3})
    assert receiver.take_skews() == {}
