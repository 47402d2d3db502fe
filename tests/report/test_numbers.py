"""Numbers as people read them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report import numbers

FINITE = st.floats(-1e12, 1e12, allow_nan=False)


def back(text: str, lang: str) -> Decimal:
    """Read a printed number again."""
    thousands, point = numbers.MARKS[lang]
    return Decimal(text.replace("−", "-").replace(thousands, "").replace(point, "."))


@pytest.mark.parametrize(
    ("value", "decimals", "indonesian", "english"),
    [
        (98.1, 2, "98,10", "98.10"),
        (2561, 0, "2.561", "2,561"),
        (0.5, 0, "1", "1"),
        (94.96, 1, "95,0", "95.0"),
        (-1234.5, 1, "−1.234,5", "−1,234.5"),
        (-0.001, 1, "0,0", "0.0"),
        (1234567, 0, "1.234.567", "1,234,567"),
    ],
)
def test_numbers_are_printed_in_both_languages(
    value: float, decimals: int, indonesian: str, english: str
) -> None:
    assert numbers.number(value, decimals, "id") == indonesian
    assert numbers.number(value, decimals, "en") == english


@given(FINITE, st.integers(0, 4))
def test_both_languages_print_the_same_number(value: float, decimals: int) -> None:
    read = {back(numbers.number(value, decimals, lang), lang) for lang in ("id", "en")}
    assert read == {numbers.rounded(value, decimals)}
    assert abs(next(iter(read)) - Decimal(str(value))) <= Decimal(5).scaleb(-decimals - 1)


@given(FINITE)
def test_zero_never_has_a_minus(value: float) -> None:
    text = numbers.number(value, 1)
    assert text.startswith("−") == (numbers.rounded(value, 1) < 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        numbers.number(value)


def test_rates_shares_and_spans() -> None:
    assert numbers.mbps(12_345_678) == "12,35"
    assert numbers.percent(0.981) == "98,10%"
    assert [numbers.percent(r, 1) for r in (0, 0.0001, 0.9999, 1)] == ["0,0%", "<0,1%", ">99,9%", "100,0%"]
    assert [numbers.span(s) for s in (0, 45, 11520, 90000, 86400)] == [
        "0 dtk",
        "45 dtk",
        "3 j 12 mnt",
        "1 hari 1 j",
        "1 hari",
    ]


def test_times_are_local_and_say_so() -> None:
    at = datetime(2026, 11, 23, 17, 5, tzinfo=UTC)
    assert numbers.moment(at) == "24 November 2026 pukul 00.05 WIB"
    assert numbers.moment(at, "en") == "24 November 2026 00:05 WIB"
    assert numbers.stamp(at) == "2026-11-24\u00a000:05"
