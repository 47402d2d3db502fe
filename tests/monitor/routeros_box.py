"""A RouterOS that holds lists and settings: runs the commands that it is given, and exports what it then has.

Places are counted as `[:pick [find dynamic=no] N]` counts them. What is set to its default is not exported any more.
"""

import re
from collections.abc import Iterable, Mapping

from monitor.compliance.routeros import Export, Item, entry

_PLACE = re.compile(r" place-before=\[:pick \[find dynamic=no\] (\d+)\]$")
_REMOVED = re.compile(r"(/.*?) remove \[(?:find (.*)|:pick \[find dynamic=no\] (\d+))\]$")
_SET = re.compile(r"(/[a-z0-9 -]*?) (set) \[find ([^]]*)\] (.*)$")
_ANY = re.compile(r"(/[a-z0-9 -]*?) ((?:add|set)(?: .*)?)$", re.DOTALL)


class Box:
    """Holds menus: path → target → keys of what is set, path → the list of what was added."""

    def __init__(self, export: Export, defaults: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        self.sets = {
            p: {i.target: dict(i.keys) for i in items if i.verb == "set"} for p, items in export.items()
        }
        self.adds = {p: [dict(i.keys) for i in items if i.verb == "add"] for p, items in export.items()}
        self._defaults = defaults

    def run(self, commands: Iterable[str]) -> "Box":
        for command in commands:
            self._run(command)
        return self

    def _run(self, command: str) -> None:
        if removed := _REMOVED.fullmatch(command):
            path, which, place = removed.groups()
            found = [int(place)] if place else self._found(path, which)
            assert len(found) == 1, command
            del self.adds[path][found[0]]
        elif changed := _SET.fullmatch(command):
            path, _, which, rest = changed.groups()
            (at,) = self._found(path, which)
            self._assign(self.adds[path][at], keys_of(f"set {rest}"), {"comment": "", "disabled": "no"})
        else:
            self._added_or_set(command)

    def _added_or_set(self, command: str) -> None:
        place = _PLACE.search(command)
        found = _ANY.fullmatch(command[: place.start()] if place else command)
        assert found, command
        item = entry(found[2])
        assert item, command
        if item.verb == "add":
            held = self.adds.setdefault(found[1], [])
            assert not place or int(place[1]) < len(held), command  # RouterOS: no such item
            held.insert(int(place[1]) if place else len(held), dict(item.keys))
        else:
            keys = self.sets.setdefault(found[1], {}).setdefault(item.target, {})
            listed = {"comment": "", "disabled": "no"} if item.target.startswith("[ find") else {}
            self._assign(keys, item.keys, {**listed, **self._defaults.get(found[1], {}).get(item.target, {})})

    def _found(self, path: str, which: str) -> list[int]:
        wanted = keys_of(f"set {which}").items()
        return [n for n, keys in enumerate(self.adds[path]) if wanted <= keys.items()]

    def _assign(self, held: dict[str, str], keys: Mapping[str, str], defaults: Mapping[str, str]) -> None:
        for key, value in keys.items():
            if defaults.get(key) == value:
                held.pop(key, None)
            else:
                held[key] = value

    def says(self, *, ordered: Iterable[str] = ()) -> dict[str, object]:
        """Return what it has, comparable: in lists that are not ordered the place does not count."""
        return comparable(
            {
                p: (
                    *(Item("set", t, k) for t, k in self.sets.get(p, {}).items() if k),
                    *(Item("add", "", k) for k in self.adds.get(p, [])),
                )
                for p in {*self.sets, *self.adds}
            },
            ordered,
        )


def keys_of(text: str) -> Mapping[str, str]:
    item = entry(text)
    assert item
    return item.keys


def comparable(export: Export, ordered: Iterable[str]) -> dict[str, object]:
    """Return an export as a value that is equal for two that mean the same."""
    found: dict[str, object] = {}
    for path, items in export.items():
        sets = {i.target: dict(i.keys) for i in items if i.verb == "set"}
        adds = [i.canonical for i in items if i.verb == "add"]
        if sets or adds:
            found[path] = (sets, adds if path in ordered else sorted(adds))
    return found
