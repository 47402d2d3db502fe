"""A sheet of labels in millimetres: how many stand beside and below each other, how large, and whether they fit."""

import re
from dataclasses import dataclass

from siaga.errors import UsageError
from siaga.text import safe

PAPERS = {"a4": (210, 297), "f4": (215, 330)}  # millimetres, upright
PAD_MM = 1.5
_SIZE = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)x(\d{1,3}(?:\.\d{1,2})?)")


@dataclass(frozen=True)
class Grid:
    """A sheet of labels, in millimetres. `left` and `top` None: the grid stands in the middle."""

    columns: int = 3
    rows: int = 8
    width: float = 70
    height: float = 37
    gap_x: float = 0
    gap_y: float = 0
    left: float | None = None
    top: float | None = None
    paper: str = "a4"
    skip: int = 0
    borders: bool = False

    @property
    def margins(self) -> tuple[float, float]:
        """The margins left and above; raises UsageError (`labels-do-not-fit`)."""
        wide = self.columns * self.width + (self.columns - 1) * self.gap_x
        high = self.rows * self.height + (self.rows - 1) * self.gap_y
        paper_wide, paper_high = PAPERS[self.paper]
        left = (paper_wide - wide) / 2 if self.left is None else self.left
        top = (paper_high - high) / 2 if self.top is None else self.top
        if left < 0 or top < 0 or left + wide > paper_wide + 0.01 or top + high > paper_high + 0.01:
            raise UsageError(
                "labels-do-not-fit",
                f"{self.columns} x {self.rows} labels of {self.width:g} x {self.height:g} mm do not fit on"
                f" {self.paper} ({paper_wide} x {paper_high} mm).",
            )
        return left, top

    @property
    def code_mm(self) -> float:
        """The side of the code with its quiet zone: the label's height, or half its width."""
        return min(self.height - 2 * PAD_MM, self.width / 2)


def sized(text: str, option: str) -> tuple[float, float]:
    """Return (70, 37) for '70x37'; raises UsageError (`bad-size`)."""
    match = _SIZE.fullmatch(text.strip().lower())
    if not match:
        raise UsageError("bad-size", f"{option} is '{safe(text, 40)}': write millimetres as 70x37.")
    return float(match[1]), float(match[2])
