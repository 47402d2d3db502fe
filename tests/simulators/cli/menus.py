"""The configuration of RouterOS: menus with entries of key=value, changed by add, set and remove, printed by export."""

import re
from dataclasses import dataclass, field

from tests.simulators.cli.dialect import Dialect

_JOINED = re.compile(r"\\\s*\n\s*")
_WORD = re.compile(r"""([^\s="]+)(?:=("(?:[^"\\]|\\.)*"|\S*))?""")
_SECRET = ("password", "secret", "private-key", "passphrase", "pre-shared-key", "wpa2-pre-shared-key")


@dataclass
class Entry:
    """One line of an export: `add k=v`, or `set [ find default-name=ether1 ] k=v`."""

    verb: str
    chosen: str = ""
    values: dict[str, str] = field(default_factory=dict)

    def line(self, hidden: bool) -> str:
        """Return the line as it is exported."""
        values = " ".join(f"{k}={v}" for k, v in self.values.items() if not (hidden and k in _SECRET))
        return " ".join(part for part in (self.verb, self.chosen, values) if part)


class Menus:
    """A remembered configuration; `where` of a session is its menu, a list of words."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        self.dialect = dialect
        self.menus: dict[str, list[Entry]] = {}
        path = ""
        for line in _JOINED.sub("", text).splitlines():
            if line.startswith("/"):
                path = line.strip()
                self.menus.setdefault(path, [])
            elif line.strip() and not line.startswith("#"):
                self.menus.setdefault(path, []).append(_entry(line.strip()))

    def lines(self, *, hidden: bool = False, below: str = "") -> list[str]:
        """Return the export of all, or of one menu, long lines broken as RouterOS does."""
        out: list[str] = []
        for path, entries in self.menus.items():
            if entries and path.startswith(below):
                out += [path, *(part for entry in entries for part in _wrapped(entry.line(hidden)))]
        return out

    def host(self) -> str | None:
        """Return the identity."""
        entries = self.menus.get("/system identity", [])
        return entries[0].values.get("name", "").strip('"') if entries else None

    def section(self, where: list[str]) -> str:
        """Return the menu as the prompt shows it."""
        return "/" + " ".join(where)

    def enter(self, line: str, where: list[str]) -> list[str] | None:
        """Take one command; None is success, else what the device says."""
        text = line[1:] if line.startswith("/") else " ".join([*where, line])
        words = text.replace("/", " ").split() if " " not in text else text.split()
        for number, word in enumerate(words):
            if word in ("add", "set", "remove", "disable", "enable"):
                path = "/" + " ".join(words[:number]).replace("/", " ")
                return self._done(
                    path, word, re.split(rf"(?:^|\s){word}(?:\s|$)", text, maxsplit=1)[1].strip()
                )
        if counted := re.fullmatch(r"(.*) print count-only where (.*)", text):
            entries = self.menus.get("/" + counted[1], [])
            return [str(sum(_fits(e, f"[ find {counted[2]} ]", n) for n, e in enumerate(entries)))]
        path = "/" + " ".join(words)
        if any(known == path or known.startswith(path + " ") for known in self.menus):
            where[:] = words
            return None
        return [f"bad command name {words[0] if words else ''} (line 1 column 1)"]

    def _done(self, path: str, verb: str, rest: str) -> list[str] | None:
        if not any(k == path or k.startswith(path.rsplit(" ", 1)[0]) for k in self.menus):
            return [f"bad command name {path.split()[-1]} (line 1 column 1)"]
        entries = self.menus.setdefault(path, [])
        if verb == "add":
            made = _entry(f"add {rest}")
            if path.startswith("/system s") and any(e.values["name"] == made.values["name"] for e in entries):
                return ["failure: already have such name"]
            entries.append(made)
            return None
        chosen, values = _chosen(rest)
        found = [entry for number, entry in enumerate(entries) if _fits(entry, chosen, number)]
        if not found and not chosen and verb == "set":
            entries.append(Entry("set", "", {}))
            found = entries[-1:]
        if not found:  # of a `find` that finds nothing, nothing is done
            return None if chosen.startswith("[") else ["no such item"]
        if verb == "remove":
            self.menus[path] = [entry for entry in entries if entry not in found]
        for entry in found:
            if verb in ("disable", "enable"):
                entry.values["disabled"] = "yes" if verb == "disable" else "no"
            entry.values |= _pairs(values)
        return None


def _entry(line: str) -> Entry:
    verb, _, rest = line.partition(" ")
    chosen, values = _chosen(rest) if verb == "set" else ("", rest)
    return Entry(verb, chosen, _pairs(values))


def _chosen(rest: str) -> tuple[str, str]:
    """Divide what is chosen (`[find ...]`, a number, a name) from the values."""
    if rest.startswith("["):
        inner, _, values = rest[1:].partition("]")
        return f"[ {inner.strip()} ]", values.strip()
    first, _, values = rest.partition(" ")
    return ("", rest) if "=" in first or not first else (first, values)


def _pairs(text: str) -> dict[str, str]:
    """Return key=value words; of a word alone the value is empty."""
    return {found[1]: found[2] or "" for found in _WORD.finditer(text)}


def _fits(entry: Entry, chosen: str, number: int) -> bool:
    if not chosen:
        return entry.verb == "set"
    if chosen.isdigit():
        return number == int(chosen)
    if not chosen.startswith("["):
        return entry.chosen == chosen or entry.values.get("name") == chosen
    if like := re.search(r'name~"([^"]*)"', chosen):
        return re.search(like[1], entry.values.get("name", "")) is not None
    wanted = _pairs(chosen.strip("[] ").removeprefix("find").removeprefix(" where").strip())
    own = {**_pairs(entry.chosen.strip("[] ").removeprefix("find").strip()), **entry.values}
    return bool(wanted) and all(own.get(k, "").strip('"') == v.strip('"') for k, v in wanted.items())


def _wrapped(line: str, width: int = 80) -> list[str]:
    """Break a long line as an export does: a backslash at the end, four blanks before the rest."""
    out: list[str] = []
    while len(line) > width and (cut := line.rfind(" ", 20, width - 2)) > 0:
        out.append(line[: cut + 1] + "\\")
        line = "    " + line[cut + 1 :]
    return [*out, line]
