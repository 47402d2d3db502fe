"""The judgement of a period by a rubric, as frozen values: what measures compute, and what every form prints.

It is an internal measure, never an official score. A row without enough data has no level: it is neither the worst
nor the best, it widens the interval of the index.
"""

from dataclasses import dataclass, field
from datetime import date

Number = int | float


@dataclass(frozen=True)
class Reading:
    """What a measure found: `value` in `unit`, or None where too little is known.

    `denominator` lists by name what was counted, `as_of` when that list held; `met` are those of it that count for
    the numerator. `coverage` is the known share (0..1); `evidence` are ids of rows, samples and documents behind it.
    """

    value: Number | None
    unit: str
    numerator: Number | None = None
    denominator: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    as_of: date | None = None
    coverage: float = 0.0
    evidence: tuple[str, ...] = ()
    note: str = ""
    counted: Number | None = None  # what the numerator is a part of: members, milliseconds, hours, rupiah
    unknown: tuple[str, ...] = ()  # members of which nothing is known: neither in the list nor in the count
    of_members: bool = False  # the numerator counts members of the list, and not seconds, points or rupiah
    missing: int = 0  # members that a dated list has and the inventory does not
    terms: tuple[tuple[str, Number | bool | None], ...] = ()  # what the needs of a ladder speak of


@dataclass(frozen=True)
class Need:
    """Something that a level of a ladder needs, as the rubric says it; `holds` is None where it is not known."""

    level: int
    text: str
    holds: bool | None


@dataclass(frozen=True)
class Basis:
    """What an official text says to it: the framework's key, its indicator or criterion."""

    framework: str
    indicator: str = ""
    criterion: str = ""


@dataclass(frozen=True)
class Row:
    """An indicator of the rubric and its reading; `level` (1..5) is None for *data tidak cukup*.

    `levels` are the texts or thresholds of levels 2..5 as printed; `next_step` says what would raise the level.
    """

    id: str
    name: str
    dimension: str
    part: str
    area: str
    definition: str
    formula: str
    weight: float
    target: Number | None
    reading: Reading
    level: int | None
    levels: tuple[tuple[int, str], ...] = ()
    official: bool = False
    basis: tuple[Basis, ...] = ()
    next_step: str = ""
    measure: str = ""  # the name of the function
    direction: str = "higher"  # higher, lower, ladder
    min_coverage: float = 0.0
    official_levels: bool = (
        False  # the level texts follow an official maturity text; `official` is of what is measured
    )
    needs: tuple[Need, ...] = ()
    reason: str = ""  # why there is no level, and how to get the data


@dataclass(frozen=True)
class Gate:
    """A condition that stands on page 1 whatever the average says; `open` is None where it is not known."""

    row: str
    text: str
    open: bool | None


@dataclass(frozen=True)
class Share:
    """How many rows are good (4-5), moderate (3), poor (1-2), without data."""

    good: int
    moderate: int
    poor: int
    no_data: int


@dataclass(frozen=True)
class Score:
    """A weighted mean of levels with its interval: rows without a level taken as 1 (`low`) and as 5 (`high`)."""

    name: str
    value: float | None
    low: float
    high: float
    weight: float = 0.0  # of its rows together
    known_weight: float = 0.0  # of those with a level


@dataclass(frozen=True)
class Assessment:
    """All rows of a rubric for one window (UTC dates inclusive of the first, exclusive of the last day)."""

    rubric: str
    label: str
    since: date
    until: date
    rows: tuple[Row, ...]
    index: Score
    band: str
    dimensions: tuple[Score, ...]
    areas: tuple[Score, ...]
    shares: Share
    gates: tuple[Gate, ...]
    frameworks: tuple[tuple[str, str, str], ...] = ()  # key, name, status
    snapshot_sha256: str = ""
    rubric_sha256: str = ""
    lang: str = "id"
    zone: str = "Asia/Jakarta"
    names: tuple[tuple[str, str], ...] = ()  # keys of dimensions, parts and areas → their names
    previous: "Assessment | None" = field(default=None, repr=False)
