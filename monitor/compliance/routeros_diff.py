"""From one /export to another: what differs by path, item and key, and the commands that make the one into the other.

Three kinds of menu are told apart:

    set      what is always there; a key that is gone is set to RouterOS's own default, if that is known
    named    lists whose items are known by a name or an address: set, removed and added by that
    placed   lists in which the place counts, such as a firewall, and all others: removed and added by their place

Removals of named items come first, from the last menu to the first, because what is written later refers to what is
written earlier; then all else in the order of the new export.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from monitor.compliance.routeros import Export, Item, assigned

_DEFAULTS = Path(__file__).with_name("routeros_defaults.toml")
_EVERYWHERE = {"comment": "", "disabled": "no"}  # of every item of a list
# By what the items of a list are known, where it is not their name.
_KNOWN_BY: Mapping[str, tuple[str, ...]] = {
    "/ip address": ("address", "interface"),
    "/ipv6 address": ("address", "interface"),
    "/ip dhcp-server network": ("address",),
    "/ip dhcp-server lease": ("address", "mac-address"),
    "/ip firewall address-list": ("address", "list"),
    "/interface bridge port": ("bridge", "interface"),
    "/interface list member": ("interface", "list"),
    "/ip dns static": ("name",),
    "/system ntp client servers": ("address",),
}
_BY_PLACE = ("/ip firewall filter", "/ip firewall nat", "/ip firewall mangle", "/ip firewall raw")
_PLACED = (*_BY_PLACE, *(p.replace("/ip ", "/ipv6 ") for p in _BY_PLACE), "/queue simple", "/ip route")
_PLACED_TOO = ("/interface bridge filter", "/interface bridge nat", "/routing filter rule", "/routing rule")


@dataclass(frozen=True)
class Change:
    """One difference: in which menu, of which item and key ('': the whole item), before and after (None: none)."""

    path: str
    item: str
    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Way:
    """How to come from one export to another: commands, each whole in itself, and what no command is known for."""

    commands: tuple[str, ...]
    left: tuple[Change, ...] = ()


def way(before: Export, after: Export) -> Way:
    """Return the commands that make `before` into `after`."""
    paths = [*after, *(p for p in before if p not in after)]
    steps = {p: _Step(p, before.get(p, ()), after.get(p, ())) for p in paths}
    gone = [c for p in reversed(list(before)) for c in steps[p].removals()]
    done = [c for p in paths for c in steps[p].rest()]
    return Way((*gone, *done), tuple(c for p in paths for c in steps[p].left()))


def changes(before: Export, after: Export) -> Iterator[Change]:
    """Yield what differs, menu by menu."""
    for path in [*after, *(p for p in before if p not in after)]:
        step = _Step(path, before.get(path, ()), after.get(path, ()))
        yield from step.changes()


class _Step:
    """One menu before and after."""

    def __init__(self, path: str, before: Sequence[Item], after: Sequence[Item]) -> None:
        self.path = path
        self._sets = [{i.target: i.keys for i in items if i.verb == "set"} for items in (before, after)]
        self._adds = [[i for i in items if i.verb == "add"] for items in (before, after)]
        self._known_by = _identity(path, *self._adds)

    # --- what differs

    def changes(self) -> Iterator[Change]:
        """Yield the differences of this menu."""
        before, after = self._sets
        for target in dict.fromkeys((*before, *after)):
            yield from self._keys(target, before.get(target, {}), after.get(target, {}))
        if self._known_by:
            yield from self._named_changes()
        else:
            yield from self._placed_changes()

    def _keys(self, item: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                yield Change(self.path, item, key, before.get(key), after.get(key))

    def _named_changes(self) -> Iterator[Change]:
        before, after = self._named()
        for name in dict.fromkeys((*before, *after)):
            told = " ".join(name)
            if name not in after:
                yield Change(self.path, told, "", before[name].text, None)
            elif name not in before:
                yield Change(self.path, told, "", None, after[name].text)
            else:
                yield from self._keys(told, before[name].keys, after[name].keys)

    def _placed_changes(self) -> Iterator[Change]:
        before, after = self._adds
        for kind, i1, i2, j1, j2 in _opcodes(before, after):
            if kind != "equal":
                yield from (Change(self.path, f"#{n}", "", before[n].text, None) for n in range(i1, i2))
                yield from (Change(self.path, f"#{n}", "", None, after[n].text) for n in range(j1, j2))

    # --- the commands

    def removals(self) -> Iterator[str]:
        """Yield the removals of named items."""
        if self._known_by:
            before, after = self._named()
            for name in reversed(list(before)):
                if name not in after or self._must_go(before[name], after[name]):
                    yield f"{self.path} remove {self._find(name)}"

    def rest(self) -> Iterator[str]:
        """Yield all other commands of this menu."""
        yield from self._set_commands()
        if self._known_by:
            yield from self._named_commands()
        else:
            yield from self._placed_commands()

    def left(self) -> Iterator[Change]:
        """Yield the keys that are gone and whose value is then not known."""
        before, after = self._sets
        for target, keys in before.items():
            for key, value in keys.items():
                if key not in after.get(target, {}) and self._default(target, key) is None:
                    yield Change(self.path, target, key, value, None)

    def _set_commands(self) -> Iterator[str]:
        before, after = self._sets
        for target in dict.fromkeys((*after, *before)):
            old, new = before.get(target, {}), after.get(target, {})
            wanted = {k: v for k, v in new.items() if old.get(k) != v}
            for key in old.keys() - new.keys():
                default = self._default(target, key)
                if default is not None:
                    wanted[key] = default
            if wanted:
                yield " ".join(
                    filter(None, (self.path, "set", target, assigned(dict(sorted(wanted.items())))))
                )

    def _default(self, target: str, key: str) -> str | None:
        own = _defaults().get(self.path, {}).get(target, {}).get(key)
        listed = target.startswith("[ find")
        return _EVERYWHERE.get(key) if own is None and listed else own

    def _named(self) -> tuple[dict[tuple[str, ...], Item], dict[tuple[str, ...], Item]]:
        before, after = ({_name(i, self._known_by): i for i in items} for items in self._adds)
        return before, after

    def _find(self, name: tuple[str, ...]) -> str:
        return f"[find {assigned(dict(zip(self._known_by, name, strict=True)))}]"

    def _must_go(self, old: Item, new: Item) -> bool:
        """Tell whether an item can only be made anew: it had a key that no command takes away."""
        return any(k not in new.keys and k not in _EVERYWHERE for k in old.keys)

    def _named_commands(self) -> Iterator[str]:
        before, after = self._named()
        for name, new in after.items():
            old = before.get(name)
            if old is None or self._must_go(old, new):
                yield f"{self.path} {new.text}"
                continue
            wanted = {k: v for k, v in new.keys.items() if old.keys.get(k) != v}
            wanted |= {k: _EVERYWHERE[k] for k in old.keys if k not in new.keys}
            if wanted:
                yield f"{self.path} set {self._find(name)} {assigned(wanted)}"

    def _placed_commands(self) -> Iterator[str]:
        """Yield removals and additions from the end to the beginning, so that earlier places stay what they are."""
        before, after = self._adds
        size = len(before)
        for kind, i1, i2, j1, j2 in reversed(_opcodes(before, after)):
            if kind == "equal":
                continue
            for place in range(i2 - 1, i1 - 1, -1):
                yield f"{self.path} remove {_at(place)}"
                size -= 1
            for place, item in enumerate(after[j1:j2], i1):
                before_it = f" place-before={_at(place)}" if place < size else ""
                yield f"{self.path} {item.text}{before_it}"
                size += 1


def _at(place: int) -> str:
    """Return how a script names the item at this place, not counting those that RouterOS makes by itself."""
    return f"[:pick [find dynamic=no] {place}]"


def _opcodes(before: Sequence[Item], after: Sequence[Item]) -> list[tuple[str, int, int, int, int]]:
    old, new = [i.canonical for i in before], [i.canonical for i in after]
    return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _identity(path: str, before: Sequence[Item], after: Sequence[Item]) -> tuple[str, ...]:
    """Return the keys by which each item of a list is known, before and after; nothing if only its place is."""
    if path in _PLACED or path in _PLACED_TOO:
        return ()
    keys = _KNOWN_BY.get(path, ("name",))
    for items in (before, after):
        names = [_name(i, keys) for i in items if all(i.keys.get(k) for k in keys)]
        if len(set(names)) != len(items):
            return ()
    return keys


def _name(item: Item, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(item.keys[k] for k in keys)


@cache
def _defaults() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    found: Mapping[str, Mapping[str, Mapping[str, str]]] = tomllib.loads(
        _DEFAULTS.read_text(encoding="utf-8")
    )
    return found
