"""Configurations as menus of items, RouterOS's: `/export` prints `add k=v` and `set … k=v` below each menu.

An export shows only what differs from the default. A template that wants a default writes `k?=v`: true where no
other value is shown. An item's identity is its name, or what KEYS says for its menu.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from infra.network import SECRET, Change, Entry

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "/ip address": ("address", "interface"),
        "/ip firewall filter": ("comment",),
        "/routing ospf interface-template": ("interfaces",),
        "/interface wireguard peers": ("interface", "public-key"),
        "/system logging": ("action", "topics"),
        "/system ntp client servers": ("address",),
    }
)
_WORD = re.compile(r'(?:[^\s"\[]|"(?:[^"\\]|\\.)*"|\[[^\]]*\])+')
_JOINED = re.compile(r"\\\r?\n\s*")


@dataclass(frozen=True)
class Item:
    """One line of a menu. `verb` is add or set; `target` is what is set (`telnet`, `[ find … ]`), or empty."""

    menu: str
    verb: str
    target: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells the item from the others of its menu."""
        keys = KEYS.get(self.menu, ("name",))
        own = [bare(self.values.get(k, "")) for k in keys] if self.verb == "add" else [self.target]
        return (self.menu, self.verb, *own)

    @property
    def find(self) -> str:
        """How the item is chosen in a command."""
        if self.verb == "set":
            return self.target
        keys = KEYS.get(self.menu, ("name",))
        return "[ find " + " ".join(f"{k}={self.values.get(k, '')}" for k in keys) + " ]"


def bare(value: str) -> str:
    """Return a value without the quotes that an export puts around what has blanks."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def item(entry: Entry) -> Item:
    """Read one line; a word without `=` before the first pair is what `set` works on."""
    verb, *words = (word.group() for word in _WORD.finditer(entry.text))
    targets = [w for w in words if "=" not in w or w.startswith("[")]
    pairs = dict(w.partition("=")[::2] for w in words if w not in targets)
    return Item(" ".join(entry.path), verb, " ".join(targets), pairs)


@dataclass(frozen=True)
class Menus:
    """RouterOS."""

    def entries(self, text: str) -> list[Entry]:
        """Return the lines with their menus; lines that were broken are joined."""
        found: list[Entry] = []
        menu = ""
        for line in _JOINED.sub("", text.replace("\r\n", "\n")).splitlines():
            said = line.strip()
            if said.startswith("/"):
                path, verb, rest = _divided(said)
                menu = path
                said = f"{verb} {rest}".strip()
            if said and not said.startswith("#"):
                found.append(Entry((menu,) if menu else (), said))
        return found

    def missing(self, wanted: Entry, running: Sequence[Entry]) -> Change | None:
        """Return how to make the item be as wanted: added, or the values set that are not so."""
        want = item(wanted)
        have = [item(e) for e in running if e.path == wanted.path and e.text[:4] in ("add ", "set ")]
        mine = [i for i in have if i.identity == want.identity]
        is_now = {k: v for i in mine for k, v in i.values.items()}
        wrong = {k: v for k, v in want.values.items() if not _true(k, v, is_now)}
        if not wrong and (mine or want.verb == "set"):
            return None
        if want.verb == "add" and not mine:
            return self._added(wanted, want)
        pairs = " ".join(f"{k.rstrip('?')}={v}" for k, v in wrong.items())
        old = " ".join(f"{k.rstrip('?')}={v}" for k in wrong if (v := _before(k, wrong[k], is_now)))
        path = f"{want.menu} set {want.find}".rstrip()
        entry = replace(wanted, text=f"set {want.find} {pairs}".replace("  ", " "))
        return Change(entry, True, (f"{path} {pairs}",), (f"{path} {old}",) if old else ())

    def same(self, wanted: Entry, entry: Entry) -> bool:
        """Tell whether both are the same item, with these values or others."""
        return item(wanted).identity == item(entry).identity

    def removal(self, entry: Entry) -> Change:
        """Return how to take an item away."""
        gone = item(entry)
        back = f"{gone.menu} {entry.text}"
        return Change(entry, False, (f"{gone.menu} remove {gone.find}",), (back,))

    def sent(self, entry: Entry) -> Change:
        """Return how to type a line that no export shows; there is no taking it back."""
        return Change(entry, True, (f"{' '.join(entry.path)} {entry.text}",), ())

    def _added(self, entry: Entry, want: Item) -> Change:
        pairs = " ".join(f"{k.rstrip('?')}={v}" for k, v in want.values.items())
        return Change(entry, True, (f"{want.menu} add {pairs}",), (f"{want.menu} remove {want.find}",))


def _divided(line: str) -> tuple[str, str, str]:
    """Divide `/ip service set telnet disabled=yes` into menu, verb and the rest."""
    words = line.split()
    for number, word in enumerate(words):
        if word in ("add", "set"):
            return " ".join(words[:number]), word, line.split(f" {word} ", 1)[1]
    return " ".join(words), "", ""


def _before(key: str, value: str, is_now: Mapping[str, str]) -> str:
    """Return what a value was before; where an export did not say, only a switch's default can be told."""
    return is_now.get(key.rstrip("?"), {"yes": "no", "no": "yes"}.get(value, ""))


def _true(key: str, value: str, is_now: Mapping[str, str]) -> bool:
    """Tell whether a value is so; of a secret only that the item is there, for an export hides it."""
    if SECRET.search(value):
        return bool(is_now)
    shown = is_now.get(key.rstrip("?"))
    return key.endswith("?") if shown is None else bare(shown) == bare(value)
