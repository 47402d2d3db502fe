"""How measures make a Reading: shares of members, of time, ladders. Exact arithmetic, rounded once, as it is printed.

A member of which nothing is known is in no numerator and no denominator: it lowers the coverage.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from report.assessment import Number, Reading
from report.needs import Term
from report.numbers import rounded

PERCENT = "persen"
LADDER = "tingkat"


def said(key: str, **values: object) -> str:
    """Return a remark: its key in words.toml, and what stands in it."""
    return " ".join([key, *(f"{k}={v}" for k, v in values.items())])


def unknown(unit: str, note: str, evidence: Iterable[str] = ()) -> Reading:
    """Return the reading of a measure that has nothing to go by."""
    return Reading(None, unit, note=note, evidence=tuple(evidence))


def shown(value: Fraction | Number) -> float:
    """Return a value with two decimals, halves away from zero: what is judged is what is printed."""
    exact = Fraction(value)
    return float(rounded(float(exact), 2)) if exact.denominator != 1 else float(exact)


def share(
    members: Mapping[str, bool | None],
    *,
    unit: str = PERCENT,
    total: int | None = None,
    as_of: date | None = None,
    evidence: Iterable[str] = (),
    note: str = "",
    terms: tuple[tuple[str, Term], ...] = (),
) -> Reading:
    """Return how many percent of the known members are so. `total`: how many there are, if more than are listed."""
    known = {name: so for name, so in members.items() if so is not None}
    met = tuple(sorted(name for name, so in known.items() if so))
    value = shown(Fraction(100 * len(met), len(known))) if known else None
    there = max(total or 0, len(members))
    return Reading(
        value,
        unit,
        numerator=len(met),
        denominator=tuple(sorted(known)),
        met=met,
        as_of=as_of,
        coverage=covered(len(known), there),
        evidence=tuple(evidence),
        note=note,
        counted=len(known),
        unknown=tuple(sorted(set(members) - set(known))),
        missing=there - len(members),
        terms=terms,
        of_members=True,
    )


def covered(known: int, there: int) -> float:
    """Return the known share, four decimals; of nothing nothing is known."""
    return float(rounded(known / there, 4)) if there else 0.0


def part(
    numerator: Fraction | int,
    denominator: Fraction | int,
    *,
    coverage: float,
    unit: str = PERCENT,
    listed: Iterable[str] = (),
    met: Iterable[str] = (),
    evidence: Iterable[str] = (),
    note: str = "",
    as_of: date | None = None,
) -> Reading:
    """Return how many percent one quantity is of another (seconds, hours, rupiah); None of nothing."""
    value = shown(100 * Fraction(numerator) / Fraction(denominator)) if denominator else None
    return Reading(
        value,
        unit,
        numerator=shown(numerator),
        denominator=tuple(sorted(listed)),
        met=tuple(sorted(met)),
        as_of=as_of,
        coverage=coverage if denominator else 0.0,
        evidence=tuple(evidence),
        note=note,
        counted=shown(denominator),
    )


def ladder(
    value: Number | None,
    terms: Mapping[str, Term],
    *,
    coverage: float = 1.0,
    base: Reading | None = None,
    evidence: Iterable[str] = (),
    note: str = "",
) -> Reading:
    """Return the reading of a ladder: `terms` are what its needs speak of; `base` gives its list of members."""
    return Reading(
        value,
        LADDER,
        numerator=base.numerator if base else None,
        denominator=base.denominator if base else (),
        met=base.met if base else (),
        as_of=base.as_of if base else None,
        coverage=base.coverage if base else coverage,
        evidence=(*(base.evidence if base else ()), *evidence),
        note=note or (base.note if base else ""),
        counted=base.counted if base else None,
        unknown=base.unknown if base else (),
        missing=base.missing if base else 0,
        terms=tuple(sorted(terms.items())),
    )
