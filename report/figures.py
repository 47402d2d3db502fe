"""What a report holds: figures, tables and charts with the source of each, as frozen values.

`value` is what programs read, `shown` what people read; `tone` is a judgement and never the only sign of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from report.assessment import Assessment

Value = float | int | str | None


class Tone(StrEnum):
    """How a figure stands: good, warning, bad, or not known."""

    plain = ""
    good = "good"
    warn = "warn"
    bad = "bad"
    unknown = "unknown"


@dataclass(frozen=True)
class Figure:
    """One figure. `coverage` is the share (0..1) of what should be known that is; `evidence` names rows.

    `value` is None where there is too little data: then `shown` says so in words.
    """

    id: str
    label: str
    value: Value
    unit: str
    shown: str
    source: str
    numerator: float | int | None = None
    denominator: float | int | None = None
    coverage: float | None = None
    evidence: tuple[str, ...] = ()
    note: str = ""
    tone: Tone = Tone.plain


@dataclass(frozen=True)
class Column:
    """A column of a table; `width` is its share of the page, numbers are set to the right."""

    title: str
    width: float = 1.0
    right: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell: the value, and how it is printed."""

    value: Value
    shown: str
    tone: Tone = Tone.plain
    unit: str = ""  # of a number: ratio, s, idr, bps; of a text: date, time
    link: str = ""  # the id of the record behind it
    spark: tuple[float | None, ...] = ()  # shares (0..1) over time, None where nothing was observed


@dataclass(frozen=True)
class Table:
    """A table with its source; `empty` is said instead of no rows, a `wide` one gets a page on its side."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str
    note: str = ""
    empty: str = ""
    wide: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Bar:
    """A bar: `share` of the full width (0..1 and over), its figure, and whether it rests on enough data."""

    label: str
    share: float
    shown: str
    tone: Tone = Tone.plain
    sure: bool = True


@dataclass(frozen=True)
class Bars:
    """Bars against a mark at `mark` (0..1), such as the threshold of the contract."""

    id: str
    title: str
    bars: tuple[Bar, ...]
    source: str
    mark: float
    mark_shown: str
    note: str = ""
    empty: str = ""
    kind: str = "bars"


@dataclass(frozen=True)
class Heat:
    """Rows of cells over time; each cell has a tone and therefore a glyph, and rows end in a figure."""

    id: str
    title: str
    ticks: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Tone, ...], Cell], ...]
    legend: tuple[tuple[Tone, str], ...]
    source: str
    last: str = ""
    note: str = ""
    empty: str = ""
    kind: str = "heat"


@dataclass(frozen=True)
class Stack:
    """One bar in parts: (label, count, printed, tone)."""

    id: str
    title: str
    parts: tuple[tuple[str, int, str, Tone], ...]
    source: str
    note: str = ""
    kind: str = "stack"


@dataclass(frozen=True)
class Numbers:
    """A row of figures; `big` ones are for the summary."""

    figures: tuple[Figure, ...]
    big: bool = False
    kind: str = "numbers"


@dataclass(frozen=True)
class Text:
    """A paragraph, or with `boxed` a notice."""

    text: str
    boxed: bool = False
    kind: str = "text"


@dataclass(frozen=True)
class Heading:
    """A heading within a chapter."""

    text: str
    kind: str = "heading"


@dataclass(frozen=True)
class Chart:
    """A drawing of ours: SVG with the text that stands for it (`alt`); `width` is its share of the page."""

    id: str
    title: str
    svg: str
    alt: str
    source: str
    width: float = 1.0
    note: str = ""
    empty: str = ""
    kind: str = "chart"


@dataclass(frozen=True)
class Verdict:
    """The index on its scale of 1 to 5: `value` (None: no row has a level) within [low, high]."""

    id: str
    label: str
    value: float | None
    shown: str
    band: str
    low: float
    high: float
    interval: str
    text: str
    source: str
    tone: Tone = Tone.plain
    kind: str = "verdict"


@dataclass(frozen=True)
class Level:
    """An indicator as printed; `level` (1..5) is None for too little data, `target` the level wanted."""

    id: str
    name: str
    shown: str
    level: int | None
    level_shown: str
    target_shown: str
    weight_shown: str
    coverage_shown: str
    note: str
    official: bool = False
    tone: Tone = Tone.plain


@dataclass(frozen=True)
class Levels:
    """Indicators of one part of the rubric, a line each; `heads` are the titles of the columns."""

    id: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[Level, ...]
    source: str
    note: str = ""
    empty: str = ""
    kind: str = "levels"


@dataclass(frozen=True)
class Record:
    """All that is behind one indicator: pairs of label and text, under an id that others point to."""

    id: str
    title: str
    level: Level
    pairs: tuple[tuple[str, str], ...]
    kind: str = "record"


@dataclass(frozen=True)
class Pair:
    """Blocks in two columns: the first `split` of them stand left, on the share `left` of the width."""

    blocks: tuple["Block", ...]
    left: float = 0.5
    split: int = 1
    kind: str = "pair"


Block = Numbers | Table | Bars | Heat | Stack | Text | Heading | Chart | Verdict | Levels | Record | Pair


@dataclass(frozen=True)
class Chapter:
    """A chapter: its number as printed ('' for none), its title and its blocks; a `wide` one lies on its side."""

    number: str
    title: str
    blocks: tuple[Block, ...]
    wide: bool = False


@dataclass(frozen=True)
class Report:
    """The whole report as a value. `words` are the template's own labels, `meta` what the cover says."""

    lang: str
    meta: dict[str, str | bool]
    parameters: tuple[Figure, ...]
    figures: tuple[Figure, ...]
    chapters: tuple[Chapter, ...]
    words: dict[str, str] = field(default_factory=dict)
    assessment: Assessment | None = None

    def blocks(self) -> Iterator[Block]:
        """Yield every block in reading order."""
        for chapter in self.chapters:
            for block in chapter.blocks:
                yield from block.blocks if isinstance(block, Pair) else (block,)
