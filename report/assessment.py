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
    previous: "Assessment | None" = field(default=None, repr=False)
