"""What is wrong with rows: with one alone, with several together, and how an import tells of many."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from inventory.ipam_space import merged
from siaga.errors import InvalidError

MAX_TOLD = 500  # lines of an import's problems that somebody reads
_FEW = 3  # rows with the same problem that are told one by one
_SPANS = 12  # ranges of rows that are named
_NAMED = 4  # rows that one sentence names
_CONFLICTS = 50  # conflicts that a change by hand tells


class BadRowError(Exception):
    """A row that cannot be written; `problems` holds (field or '', sentence) of each reason."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(p for _, p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Conflict:
    """What only shows among rows together: (noun, name) of each, and the field it is about, if it is about one."""

    sentence: str
    rows: tuple[tuple[str, str], ...] = ()
    field: str = ""


def several(names: Sequence[str], between: str = " and ") -> str:
    """Return the names of rows for a sentence: the first few, and how many more."""
    more = len(names) - _NAMED
    return between.join([*names[:_NAMED], *([f"{more} more"] if more > 0 else [])])


class ConflictError(BadRowError):
    """Rows that cannot stand beside each other: `conflicts` holds all, `problems` as many as somebody reads."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        more = len(conflicts) - _CONFLICTS
        told = [("", c.sentence) for c in conflicts[:_CONFLICTS]]
        super().__init__([*told, *([("", f"and {more} more")] if more > 0 else [])])
        self.conflicts = tuple(conflicts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of an import: (file or sheet, row) of each row concerned, the file's own title, and why.

    A row of 0 means the sheet as a whole; without any place the problem is nowhere in the import.
    """

    places: tuple[tuple[str, int], ...]
    column: str
    reason: str

    @property
    def sentence(self) -> str:
        """The problem as one line."""
        return self._line("row", "rows")

    def summed_up(self) -> str:
        """Return the line for the rows that are not told one by one."""
        return self._line("1 more row", f"{len(self.places)} more rows")

    def _line(self, one: str, several: str) -> str:
        where = " and ".join(_where(s, n, one, several) for s, n in _by_source(self.places).items())
        column = f", column {self.column}" if self.column and where else ""
        return f"{where}{column}: {self.reason}" if where else self.reason


def _by_source(places: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for source, line in places:
        found.setdefault(source, []).append(line)
    return found


def _where(source: str, lines: Sequence[int], one: str, several: str) -> str:
    if lines == [0]:
        return source
    return f"{source}, {one if len(lines) == 1 else several} {_numbers(lines)}"


def _numbers(lines: Iterable[int]) -> str:
    """Return numbers of rows in short: 2-7, 9, 12."""
    spans = merged((n, n) for n in lines)
    words = [f"{a}" if a == b else f"{a}-{b}" for a, b in spans[:_SPANS]]
    return ", ".join([*words, *(["…"] if len(spans) > _SPANS else [])])


def lines(problems: Sequence[Problem], most: int | None = MAX_TOLD) -> list[str]:
    """Return problems as lines for people: what many rows of a sheet share is summed up, and `most` lines told.

    With None for `most`, each problem is a line of its own: a program counts on that.
    """
    if most is None:
        return [p.sentence for p in problems]
    told = list(_folded(problems))
    more = sum(count for count, _ in told[most:])
    return [*(sentence for _, sentence in told[:most]), *([f"and {more} more"] if more else [])]


def _folded(problems: Sequence[Problem]) -> Iterator[tuple[int, str]]:
    """Yield (how many problems it tells, line), in the order of the problems."""
    alike: dict[tuple[str, str, str], list[int]] = {}
    for at, problem in enumerate(problems):
        if len(problem.places) == 1:
            key = (problem.places[0][0], problem.column, problem.reason)
            alike.setdefault(key, []).append(at)
    rest = {group[_FEW]: group[_FEW:] for group in alike.values() if len(group) > _FEW + 1}
    silent = {at for group in rest.values() for at in group[1:]}
    for at, problem in enumerate(problems):
        if at in rest:
            places = tuple(problems[i].places[0] for i in rest[at])
            yield len(places), Problem(places, problem.column, problem.reason).summed_up()
        elif at not in silent:
            yield 1, problem.sentence


def refuse(problems: Sequence[Problem], what: str, most: int | None = MAX_TOLD) -> None:
    """Raise one InvalidError (`bad-rows`) with every problem, if there is any."""
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise InvalidError("bad-rows", f"{what}: {count} found; nothing was written.", lines(problems, most))
