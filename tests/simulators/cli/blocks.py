"""A configuration of indented blocks: IOS, NX-OS, VRP, Comware, ProCurve and their like; `no` or `undo` takes away."""

import re
from dataclasses import dataclass, field

from tests.simulators.cli.dialect import Dialect

_OCTETS = re.compile(r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b")


@dataclass
class Block:
    """One line and the lines below it."""

    line: str
    below: "list[Block]" = field(default_factory=list)


class Blocks:
    """A remembered configuration; `where` of a session is the path of blocks it is in, outermost first."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        self.dialect = dialect
        self.top = Block("")
        self._words = set(dialect.vocabulary)
        self._read(text)

    def _read(self, text: str) -> None:
        """Read a printed configuration by its indentation; comments and closing lines are not kept."""
        stack: list[tuple[int, Block]] = [(-1, self.top)]
        for raw in _body(text, self.dialect):
            line = raw.strip()
            if line in self.dialect.drop or line.startswith(self.dialect.comment):
                continue
            deep = len(raw) - len(raw.lstrip())
            while stack[-1][0] >= deep:
                stack.pop()
            block = Block(line)
            stack[-1][1].below.append(block)
            stack.append((deep, block))
            self._words.add(line.split()[0])

    def lines(self) -> list[str]:
        """Return the configuration as it is printed, without head and tail."""
        shown = self.dialect.shown
        out: list[str] = []
        for block in self.top.below:
            out += self._printed(block, "")
            if shown.between and (block.below or self._is_top(block.line)):
                out.append(shown.between)
        return out

    def _printed(self, block: Block, indent: str) -> list[str]:
        shown = self.dialect.shown
        inner = indent + shown.indent
        out = [indent + block.line]
        for one in block.below:
            out += self._printed(one, inner)
        if shown.close and block.below:
            out.append(inner + shown.close)
        return out

    def section(self, where: list[Block]) -> str:
        """Return what the prompt calls the section."""
        line = where[-1].line
        for opening, label in {**self.dialect.sections, **self.dialect.subsections}.items():
            if line.startswith(opening):
                return label.format(name="".join(line.split()[1:]))
        return line.split()[0]

    def enter(self, line: str, where: list[Block]) -> list[str] | None:
        """Take one line of configuration, moving `where`; None is success, else what the device complains."""
        words = line.split()
        negated = words[0] == self.dialect.negation and len(words) > 1
        bare = " ".join(words[1:]) if negated else " ".join(words)
        if bare.split()[0] not in self._words or not _sensible(bare):
            return list(self.dialect.unknown)
        holder = self._holder(bare, where)
        if any(bare.startswith(word) for word in self.dialect.anywhere):
            where.clear()
            holder = self.top
        if negated:
            holder.below = [b for b in holder.below if b.line != bare and not b.line.startswith(bare + " ")]
            return None
        block = self._put(bare, holder)
        if self._is_top(bare) or (where and self._is_sub(bare)):
            where.append(block)
        return None

    def _holder(self, line: str, where: list[Block]) -> Block:
        if where and self._is_top(line) and not self._is_sub(line):
            where.clear()
        return where[-1] if where else self.top

    def _is_top(self, line: str) -> bool:
        return any(line.startswith(opening) for opening in self.dialect.sections)

    def _is_sub(self, line: str) -> bool:
        return any(line.startswith(opening) for opening in self.dialect.subsections)

    def _put(self, line: str, holder: Block) -> Block:
        for block in holder.below:
            if block.line == line:
                return block
        for prefix in self.dialect.single:
            if line.startswith(prefix):
                for block in holder.below:
                    if block.line.startswith(prefix):
                        block.line = line
                        return block
        block = Block(line)
        first = line.split()[0]
        alike = [i for i, one in enumerate(holder.below) if one.line.split()[0] == first]
        holder.below.insert(alike[-1] + 1 if alike else len(holder.below), block)
        return block

    def host(self) -> str | None:
        """Return the host name in the configuration, if it says one."""
        key = self.dialect.host_line
        return next(
            (b.line.removeprefix(key).strip('"') for b in self.top.below if b.line.startswith(key)), None
        )


def _body(text: str, dialect: Dialect) -> list[str]:
    """Return the lines that are configuration: without blank ones, and what the make prints before and after."""
    lines = [line for line in text.splitlines() if line.strip()]
    head = [line for line in dialect.shown.head if line]
    if head and lines and lines[0].startswith(head[0].partition("{")[0]):
        lines = lines[len(head) :]
    tail = [line for line in dialect.shown.tail if line]
    return lines[: -len(tail)] if tail and lines[-len(tail) :] == tail else lines


def _sensible(line: str) -> bool:
    """Tell whether each IPv4 address in a line can be one."""
    return all(int(octet) < 256 for found in _OCTETS.findall(line) for octet in found)
