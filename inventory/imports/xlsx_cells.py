"""Reads the XML inside a workbook by the standard library's expat, as a stream: rows of cells, no tree."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any
from xml.parsers import expat

from inventory.imports.sheets import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Line

_CHUNK = 1 << 18
_MAX_TOKEN = 1 << 23  # of a tag with its attributes
MAX_TEXT = 131_072  # characters of a cell, as in CSV; a spreadsheet itself allows 32,767
_MAX_HELD = 1 << 30  # octets that all sheets together may take in memory
_MAX_PROBLEMS = 1_000
_SPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main ",
    "http://purl.oclc.org/ooxml/spreadsheetml/main ",
)
_RANGE = re.compile(r"[A-Z]{1,3}(\d{1,7})(?::[A-Z]{1,3}(\d{1,7}))?")
# A spreadsheet keeps 15 digits of a number; a NIP or a serial of more, typed as a number, is another one.
_ROUNDED = 10**15


class Damaged(Exception):  # noqa: N818 - a state of the file, told on by xlsx.read_workbook
    """The file is no workbook as it should be; the text completes 'FILE cannot be read: …'."""


class Held:
    """How much of a workbook is held already, all its sheets together: a small file can unpack to a large one."""

    def __init__(self, cells: int = MAX_CELLS, octets: int = _MAX_HELD) -> None:
        self.most_cells, self.cells = cells, cells
        self.most_octets, self.octets = octets, octets

    def text(self, text: str) -> str:
        """Count a text that is kept, and return it. Raises Damaged."""
        if len(text) > MAX_TEXT:
            raise Damaged(_TOO_LONG)
        self.octets -= text.__sizeof__()
        if self.octets < 0:
            self._refuse()
        return text

    def row(self, filled: int, width: int) -> None:
        """Count a row of so many cells, and as many places as lie between and before them. Raises Damaged."""
        self.cells -= filled
        self.octets -= 100 + 8 * width + 32 * filled
        if self.cells < 0:
            raise Damaged(f"it has more than {self.most_cells:,} cells: split it")
        if self.octets < 0:
            self._refuse()

    def _refuse(self) -> None:
        raise Damaged(f"it would take more than {self.most_octets // 2**20:,} MiB of memory: split it")


@dataclass(frozen=True)
class Book:
    """What the cells of every sheet refer to: shared texts, styles that are dates, and the first day."""

    strings: list[str]
    date_styles: frozenset[str]
    epoch_1904: bool
    held: Held = field(default_factory=Held)


@dataclass
class Table:
    """What one sheet holds."""

    lines: list[Line] = field(default_factory=list)
    merged: list[tuple[int, int, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


_TOO_LONG = f"it has a text of more than {MAX_TEXT:,} characters in one cell"


def _feed(parser: expat.XMLParserType, stream: IO[bytes], texts: list[str]) -> Iterator[None]:
    """Give the stream to the parser piece by piece. Raises Damaged; nothing may define entities (no bombs).

    `texts` are the pieces of the text that is being read: it is looked at after every piece, because one text can
    be as long as the file.
    """

    def refuse(*_: Any) -> None:
        raise Damaged("it defines entities, which no spreadsheet does")

    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    fed = 0
    try:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > _MAX_TOKEN:
                raise Damaged("it has a tag of more than 8 MiB")
            if sum(map(len, texts)) > MAX_TEXT:
                raise Damaged(_TOO_LONG)
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Damaged(f"its XML is damaged ({error})") from None
    yield


def documents(stream: IO[bytes]) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield (tag, attributes, text) of the elements of a small part, an element with texts after them.

    Namespaces are left away. For `si` the text is that of its `t` outside of `rPh`.
    """
    found: list[tuple[str, dict[str, str], str]] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    texts: list[str] = []
    reading = [False]

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "si":
            texts.clear()
        elif tag == "rPh":
            reading[0] = True
        elif tag == "t":
            parser.CharacterDataHandler = None if reading[0] else texts.append
        else:
            found.append((tag, {k.rpartition(" ")[2]: v for k, v in attributes.items()}, ""))

    def end(name: str) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "si":
            found.append((tag, {}, "".join(texts)))
        elif tag == "rPh":
            reading[0] = False
        elif tag == "t":
            parser.CharacterDataHandler = None

    parser.StartElementHandler, parser.EndElementHandler = start, end
    for _ in _feed(parser, stream, texts):
        yield from found
        found.clear()


def cells(source: str, stream: IO[bytes], book: Book) -> Table:
    """Return the rows of a worksheet that hold something, and what in it cannot be taken. Raises Damaged."""
    parser = expat.ParserCreate(namespace_separator=" ")
    reader = _Reader(source, book, parser)
    for _ in _feed(parser, stream, reader.texts):
        pass
    return reader.table


class _Reader:
    """The state between two tags of a worksheet; a handler for each tag, because there are ten million of them."""

    __slots__ = (
        *("table", "_source", "_book", "_parser", "_columns", "_shared", "_row", "texts", "_line", "_count"),
        *("_kind", "_style", "_ref", "_formula", "_aside", "_readers"),
    )

    def __init__(self, source: str, book: Book, parser: expat.XMLParserType) -> None:
        self.table = Table()
        self._source, self._book, self._parser = source, book, parser
        self._columns: dict[str, int] = {}
        self._shared: dict[str, str] = {}
        self._row: list[Any] = []
        self.texts: list[str] = []
        self._line = self._count = 0
        self._kind = self._style = self._ref = ""
        self._formula = self._aside = False
        self._readers = {"s": self._string, "n": self._number, "b": self._bool, "e": self._error}
        self._readers |= dict.fromkeys(("str", "inlineStr"), self._written)
        self._listen()

    def _listen(self) -> None:
        starts: dict[str, Callable[[dict[str, str]], None]] = {
            "row": self._start_row,
            "c": self._start_cell,
            "f": self._start_formula,
            "rPh": self._start_aside,
            "mergeCell": self._merge,
            **dict.fromkeys(("v", "t"), self._start_text),
        }
        ends: dict[str, Callable[[], None]] = {
            "row": self._end_row,
            "c": self._end_cell,
            "rPh": self._end_aside,
            **dict.fromkeys(("v", "t"), self._end_text),
        }
        starting = {f"{s}{tag}": handler for s in _SPACES for tag, handler in starts.items()}
        ending = {f"{s}{tag}": handler for s in _SPACES for tag, handler in ends.items()}

        def start(name: str, attributes: dict[str, str]) -> None:
            handler = starting.get(name)
            if handler:
                handler(attributes)

        def end(name: str) -> None:
            handler = ending.get(name)
            if handler:
                handler()

        self._parser.StartElementHandler, self._parser.EndElementHandler = start, end

    # --- tags -----------------------------------------------------------------------------------------

    def _start_row(self, attributes: dict[str, str]) -> None:
        said = attributes.get("r", "")
        line = int(said) if said.isdigit() else self._line + 1
        if line <= self._line or line > MAX_ROWS:
            raise Damaged(f"{self._source} has row {line} after row {self._line}")
        self._line = line
        self._row, self._count = [], 0

    def _end_row(self) -> None:
        if self._row:
            self._book.held.row(self._count, len(self._row))
            self.table.lines.append((self._line, tuple(self._row)))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        get = attributes.get
        self._ref, self._kind, self._style = get("r", ""), get("t", "n"), get("s", "")
        self._formula = False
        self.texts.clear()

    def _end_cell(self) -> None:
        row = self._row
        if not self.texts and not self._formula:
            if not self._ref and len(row) < MAX_COLUMNS:
                row.append(None)
            return
        at = self._columns.get(self._ref.rstrip("0123456789"))
        if at is None:
            at = self._column()
        if at != len(row):
            self._fill(at)
        self._count += 1
        text = self.texts[0] if len(self.texts) == 1 else "".join(self.texts)
        reader = self._readers.get(self._kind)
        row.append(reader(text) if reader else text)  # t="d" is a date of ISO 8601

    def _start_text(self, _: dict[str, str]) -> None:
        if not self._aside:
            self._parser.CharacterDataHandler = self.texts.append

    def _end_text(self) -> None:
        self._parser.CharacterDataHandler = None

    def _start_formula(self, _: dict[str, str]) -> None:
        self._formula = True

    def _start_aside(self, _: dict[str, str]) -> None:
        self._aside = True

    def _end_aside(self) -> None:
        self._aside = False

    def _merge(self, attributes: dict[str, str]) -> None:
        match = _RANGE.fullmatch(attributes.get("ref", ""))
        if match and len(self.table.merged) < 10_000:
            self.table.merged.append((int(match[1]), int(match[2] or match[1]), match[0]))

    # --- places ---------------------------------------------------------------------------------------

    def _column(self) -> int:
        """Return where the cell lies, A being 0, and remember it for its letters."""
        letters = self._ref.rstrip("0123456789")
        at = 0 if letters else len(self._row) + 1
        for letter in letters:
            if not "A" <= letter <= "Z" or at > MAX_COLUMNS:
                raise Damaged(f"{self._source} has a cell '{self._ref[:20]}', beyond column {MAX_COLUMNS}")
            at = at * 26 + ord(letter) - 64
        if at > MAX_COLUMNS:
            raise Damaged(f"{self._source} has a cell '{self._ref[:20]}', beyond column {MAX_COLUMNS}")
        if letters:
            self._columns[letters] = at - 1
        return at - 1

    def _fill(self, at: int) -> None:
        if at < len(self._row):
            raise Damaged(f"{self._source} has the cell '{self._ref[:20]}' twice")
        self._row.extend([None] * (at - len(self._row)))

    # --- values ---------------------------------------------------------------------------------------

    def _string(self, text: str) -> str:
        try:
            return self._book.strings[int(text)]
        except (ValueError, IndexError):
            raise Damaged(f"{self._source} refers to text {text[:20]}, which is not there") from None

    def _written(self, text: str) -> str:
        # The same few words stand in most rows: kept once, they cost no memory.
        known = self._shared.get(text)
        if known is None:
            known = self._book.held.text(text)
            if len(self._shared) < 100_000:
                self._shared[text] = text
        return known

    def _bool(self, text: str) -> bool:
        return text == "1"

    def _error(self, text: str) -> None:
        self._problem(f"it holds the error {text[:20]}")

    def _number(self, text: str) -> Any:
        if not text:
            # A workbook saved by a spreadsheet holds each formula's value; one written by a program may not.
            return self._problem("a formula without a value")
        try:
            number = int(text) if text.isdigit() else float(text)
        except ValueError:
            raise Damaged(f"{self._source} holds the number '{text[:20]}'") from None
        if self._style in self._book.date_styles:
            return moment(number, self._book.epoch_1904)
        if abs(number) >= _ROUNDED:
            return self._problem(
                "a number of more than 15 digits, which spreadsheets round: write it as text"
            )
        return number

    def _problem(self, reason: str) -> None:
        if len(self.table.problems) < _MAX_PROBLEMS:
            self.table.problems.append(f"{self._source}, row {self._line}, cell {self._ref}: {reason}")


def moment(number: float, epoch_1904: bool) -> datetime | str | float:
    """Return the day that a spreadsheet counts as `number`; a time of day without a day as text.

    Spreadsheets take 1900 for a leap year, so days before March 1900 lie one further back.
    """
    if not 0 <= number < 2_958_466:  # the year 10000
        return number
    if number < 1:
        return (datetime(1900, 1, 1) + timedelta(seconds=round(number * 86_400))).time().isoformat()  # noqa: DTZ001
    first = datetime(1904, 1, 1) if epoch_1904 else datetime(1899, 12, 30 if number >= 60 else 31)  # noqa: DTZ001
    days, part = divmod(number, 1)
    return first + timedelta(days=int(days), seconds=round(part * 86_400))
