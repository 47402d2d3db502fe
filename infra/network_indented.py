"""Configurations by indentation: Cisco IOS, Huawei VRP, Ruijie. A line below another is one space further in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from infra.network import SECRET, Change, Entry


@dataclass(frozen=True)
class Indented:
    """`no` is the word that takes a line away, `up` leaves a section, `comments` begin lines that say nothing.

    `negations`: expressions of lines that are taken away by another command than `no` and the whole line.
    `typing`: what stands otherwise in the configuration than it is typed (`^C` around a banner).
    `unsaid`: the beginning of a line that the platform adds by itself, such as an access list's numbers.
    """

    no: str = "no"
    up: str = "exit"
    comments: tuple[str, ...] = ("!",)
    noise: tuple[str, ...] = ("end", "return")
    negations: Mapping[str, str] = field(default_factory=dict)
    typing: Mapping[str, str] = field(default_factory=dict)
    unsaid: str = ""

    def entries(self, text: str) -> list[Entry]:
        """Return the lines, each with the lines that it is indented below."""
        found: list[Entry] = []
        above: list[tuple[int, str]] = []
        for line in text.replace("\r", "").splitlines():
            said = line.strip()
            if not said or said.startswith(self.comments) or said in self.noise:
                continue
            said = re.sub(self.unsaid, "", said) if self.unsaid else said
            indent = len(line) - len(line.lstrip())
            while above and above[-1][0] >= indent:
                above.pop()
            found.append(Entry(tuple(t for _, t in above), said))
            if not said.startswith("%"):
                above.append((indent, said))
        holders = {e.path for e in found}
        return [replace(e, opens=(*e.path, e.text) in holders) for e in found]

    def missing(self, wanted: Entry, running: Sequence[Entry]) -> Change | None:
        """Return how to add the line; a line `no X` is true where nothing begins with X."""
        here = [e.text for e in running if e.path == wanted.path]
        refused = wanted.text.removeprefix(f"{self.no} ")
        if refused != wanted.text:
            true = wanted.text in here or not any(f"{t} ".startswith(f"{refused} ") for t in here)
        else:
            true = any(self.same(wanted, Entry(wanted.path, t)) for t in here)
        return None if true else self._change(wanted, add=True)

    def same(self, wanted: Entry, entry: Entry) -> bool:
        """Tell whether they are the same, as far as a secret does not hide it."""
        secret = SECRET.search(wanted.text)
        return entry.text.startswith(wanted.text[: secret.start()]) if secret else entry.text == wanted.text

    def removal(self, entry: Entry) -> Change:
        """Return how to take a line away."""
        return self._change(entry, add=False)

    def sent(self, entry: Entry) -> Change:
        """Return how to type a line that is not shown."""
        return self._change(entry, add=True)

    def _change(self, entry: Entry, *, add: bool) -> Change:
        deeper = (self.up,) if entry.opens else ()
        there = self._within(entry.path, (self._typed(entry.text), *deeper))
        back = self._within(entry.path, (self._negated(entry.text),))
        return Change(entry, add, there if add else back, back if add else there)

    def _within(self, path: tuple[str, ...], lines: tuple[str, ...]) -> tuple[str, ...]:
        return (*path, *lines, *[self.up] * len(path))

    def _typed(self, line: str) -> str:
        for shown, typed in self.typing.items():
            line = line.replace(shown, typed)
        return line

    def _negated(self, line: str) -> str:
        for pattern, command in self.negations.items():
            if re.match(pattern, line):
                return re.sub(pattern, command, line, count=1)
        if line.startswith(f"{self.no} "):
            return line.removeprefix(f"{self.no} ")
        secret = SECRET.search(line)
        return f"{self.no} {line[: secret.start()].rstrip() if secret else line}"
