"""The configuration of FortiOS: config, edit, set, next and end, nested; `unset` and `delete` take away."""

from dataclasses import dataclass, field

from tests.simulators.cli.dialect import Dialect


@dataclass
class Table:
    """A `config` or `edit` with its settings and the tables below it."""

    line: str
    sets: dict[str, str] = field(default_factory=dict)
    below: "list[Table]" = field(default_factory=list)


class Tables:
    """A remembered configuration; `where` of a session is the path of tables it is in."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        self.dialect = dialect
        self.top = Table("")
        where: list[Table] = []
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                self._take(line.strip(), where)

    def lines(self) -> list[str]:
        """Return what `show` prints, without its head."""
        return [line for table in self.top.below for line in _printed(table, 0)]

    def host(self) -> str | None:
        """Return the host name of `config system global`."""
        found = next((t for t in self.top.below if t.line == "config system global"), None)
        return found.sets.get("hostname", "").strip('"') or None if found else None

    def section(self, where: list[Table]) -> str:
        """Return the last word of where the session is, as the prompt shows it."""
        return where[-1].line.split()[-1].strip('"')

    def enter(self, line: str, where: list[Table]) -> list[str] | None:
        """Take one line; None is success, else what the device complains."""
        return None if self._take(line, where) else list(self.dialect.unknown)

    def _take(self, line: str, where: list[Table]) -> bool:
        here = where[-1] if where else self.top
        word, _, rest = line.partition(" ")
        if (word == "config" and rest) or (word == "edit" and where and rest):
            found = next((t for t in here.below if t.line == line), None)
            if found is None:
                found = Table(line)
                here.below.append(found)
            where.append(found)
        elif word == "set" and where and " " in rest:
            key, _, value = rest.partition(" ")
            here.sets[key] = value
        elif word == "unset" and where:
            here.sets.pop(rest, None)
        elif word == "delete" and where:
            here.below = [t for t in here.below if t.line != f"edit {rest}"]
        elif word == "next" and where and here.line.startswith("edit"):
            where.pop()
        elif word == "end" and where:
            while where.pop().line.startswith("edit"):
                pass
        else:
            return False
        return True


def _printed(table: Table, deep: int) -> list[str]:
    pad = "    " * deep
    end = "end" if table.line.startswith("config") else "next"
    inner = [f"{pad}    set {key} {value}" for key, value in table.sets.items()]
    for one in table.below:
        inner += _printed(one, deep + 1)
    return [pad + table.line, *inner, pad + end]
