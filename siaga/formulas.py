"""Texts in CSV that no spreadsheet takes for a formula, and that come back exactly as they were (OWASP, CSV Injection).

A text that begins with = + - @, a tab or a carriage return gets an apostrophe in front; so does one that would
look like that afterwards. `restored` takes exactly one away again, so that nothing is lost on the way. Both stand
here, in the cellar, because an export writes what an import reads, and neither may know the other.
"""

import re

FORMULA_STARTS = "=+-@\t\r"
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(text: str) -> str:
    """Return a text as it may stand in a CSV cell."""
    first = text[:1]
    if first and (first in FORMULA_STARTS or (first == "'" and _GUARDED.match(text))):
        return "'" + text
    return text


def restored(cell: str) -> str:
    """Return the text that `guarded` made this cell of; any other cell stays as it is."""
    return cell[1:] if cell[:1] == "'" and _GUARDED.match(cell) else cell
