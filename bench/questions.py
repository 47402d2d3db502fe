"""What is asked of the inventory, inside the process and as a command; `answers` times the inside in this process.

bench.inventory runs this module in a child, so that its own size stays small: the kernel counts the greatest
size of a child from the moment of the fork on, the parent's pages included.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench import measure
from bench.fleet import FLAT, Fleet

LIST_S, ANSIBLE_S = 0.3, 2.0  # what was promised of 10,000 devices, inside the process
SITE, SWITCH = 207, 501


@dataclass(frozen=True)
class Question:
    """`how` and `words` say what is done inside; `command` is the same as a command line, () where there is none.

    `most_s` is what was promised, 0 where nothing was.
    """

    what: str
    how: str
    words: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    most_s: float = LIST_S


def questions(fleet: Fleet) -> list[Question]:
    """Return every question to a fleet."""
    block = (fleet.sites - 1) >> 8
    return [
        Question("device list", "whole", ("device",), ("device", "list", "-o", "json")),
        *(_selected("device", text) for text in _OF_DEVICES),
        _selected("contract", "end<90d"),
        _selected("interface", f"device={fleet.device(SWITCH)}"),
        *(_selected("interface", text) for text in _OF_INTERFACES),
        Question(
            "interface list (all of them)", "whole", ("interface",), ("interface", "list", "-o", "csv"), 0
        ),
        Question(
            f"next free /24 in 10.{block}.0.0/16",
            "prefix",
            (f"10.{block}.0.0/16", "24"),
            ("ipam", "next-prefix", f"10.{block}.0.0/16", "24"),
        ),
        Question(
            "next free /30 in 10.0.0.0/8",
            "prefix",
            ("10.0.0.0/8", "30"),
            ("ipam", "next-prefix", "10.0.0.0/8", "30"),
        ),
        Question(
            "next free address in a /24", "address", ("10.0.5.0/24",), ("ipam", "next-address", "10.0.5.0/24")
        ),
        Question(
            "next free address behind all of a flat /16", "address", (FLAT,), ("ipam", "next-address", FLAT)
        ),
        Question("next free VLAN of a group", "vlan", ("vlans-07",), ("ipam", "next-vlan", "vlans-07")),
        Question(
            "Ansible inventory of all devices", "ansible", (), ("export", "ansible", "--list"), ANSIBLE_S
        ),
        Question("history verify", "verify", (), ("history", "verify"), 0),
    ]


_OF_DEVICES = (
    "role=core-router",
    "name~^rtr-0.*5$",
    "tag:critical status!=retired",
    'kecamatan="Kecamatan 03"',
    "agency.kind=puskesmas support_contract.end<90d",
    "device_type.eol<0d or not platform=ios",
)
_OF_INTERFACES = (
    'device.place.parent="Desa 007" mode=trunk',
    "role=core-router",
    "alias~CTR-0.*7$",
    "mac=02:00:00:00:10:01",
)


def _selected(noun: str, text: str) -> Question:
    return Question(f"{noun} list {text}", "selected", (noun, text), (noun, "list", text, "-o", "json"))


def answers(home: Path, asked: Sequence[Question], runs: int) -> list[tuple[float, int]]:
    """Return for each question the median seconds inside this process, and how many rows or hosts it gave."""
    from inventory.store import open_engine
    from siaga.settings import Settings

    settings = Settings(home=home)
    engine = open_engine(settings)
    found = []
    for question in asked:
        work = partial(_HOW[question.how], settings, engine, *question.words)
        seconds, result = measure.inside(work, runs)
        found.append((seconds, len(result)))
    return found


def _whole(settings: Any, _engine: Any, noun: str) -> Sequence[Any]:
    from inventory.quick import listed

    rows = listed(settings.database, noun)
    assert rows is not None
    return rows[1]


def _chosen(_settings: Any, engine: Any, noun: str, text: str) -> Sequence[Any]:
    from inventory import store
    from inventory.select import selected

    with store.reading(engine) as session:
        return store.rows(session, noun, selected(session, noun, text))


def _prefix(_settings: Any, engine: Any, within: str, length: str) -> Sequence[Any]:
    from inventory import ipam, ipam_claims, store

    with store.session(engine) as session:  # under the write lock, as a claim finds it
        return ipam_claims.next_prefixes(session, ipam.find(session, within), int(length))


def _address(_settings: Any, engine: Any, within: str) -> Sequence[Any]:
    from inventory import ipam, ipam_claims, store

    with store.session(engine) as session:
        return ipam_claims.next_addresses(session, ipam.find(session, within))


def _vlan(_settings: Any, engine: Any, group: str) -> Sequence[Any]:
    from inventory import ipam_claims, store

    with store.session(engine) as session:
        return ipam_claims.next_vlans(session, group)


def _ansible(_settings: Any, engine: Any) -> Sequence[Any]:
    from inventory import store
    from inventory.exports.ansible import listing
    from inventory.exports.hosts import hosts

    with store.reading(engine) as session:
        found = hosts(session)
        sum(len(piece) for piece in listing(found))
        return found


def _verify(_settings: Any, engine: Any) -> Sequence[Any]:
    from inventory import store
    from inventory.history import breaks

    with store.reading(engine) as session:
        return list(breaks(session))


_HOW: Mapping[str, Callable[..., Sequence[Any]]] = {
    "whole": _whole,
    "selected": _chosen,
    "prefix": _prefix,
    "address": _address,
    "vlan": _vlan,
    "ansible": _ansible,
    "verify": _verify,
}


def main() -> None:
    """HOME DEVICES RUNS [QUESTION]: print the answers (or that one) as JSON."""
    home, devices, runs, *only = sys.argv[1:]
    asked = [q for q in questions(Fleet(int(devices))) if not only or q.what in only]
    print(json.dumps(answers(Path(home), asked, int(runs))))


if __name__ == "__main__":
    main()
