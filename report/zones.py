"""Whether the zones of a site are apart (BSSN 4/2021, article 33(2)a): by what is recorded, and by what was seen. Pure.

A zone is management, service, user or guest (with cameras). That they are apart is known only when the records say so
and something seen agrees; a single sight of the contrary is enough for no.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from report import three

MANAGEMENT = "management"
Segment = tuple[str, int]  # a VLAN, or a prefix without one, by its id


@dataclass(frozen=True)
class Zoned:
    """What is known of one site.

    `segments`: zone → the VLANs and prefixes it is recorded to have there. `managed`: in which zone the management
    address of each managed device lies, '' where no record says. `rules`: of each switch, whether its configuration
    carries recorded VLANs only. `seen`: zones in whose VLANs its switches learned addresses.
    """

    segments: Mapping[str, frozenset[Segment]] = field(default_factory=dict)
    managed: tuple[str, ...] = ()
    rules: tuple[bool | None, ...] = ()
    seen: frozenset[str] = frozenset()


def apart(site: Zoned) -> bool | None:
    """Return whether the zones of a site are apart; None: not known."""
    return three.every((_no_segment_twice(site), _managed_apart(site), _others_recorded(site), _proved(site)))


def _no_segment_twice(site: Zoned) -> bool:
    return not any(a & b for a, b in combinations(site.segments.values(), 2))


def _managed_apart(site: Zoned) -> bool | None:
    """Return whether every managed device is managed in the zone for that; of none, nobody knows."""
    return three.every(z == MANAGEMENT if z else None for z in site.managed) if site.managed else None


def _others_recorded(site: Zoned) -> bool | None:
    """Return whether some zone beside management is recorded: a lack of records says nothing of the network."""
    return True if any(site.segments.get(z) for z in site.segments if z != MANAGEMENT) else None


def _proved(site: Zoned) -> bool | None:
    """Return whether configurations or learned addresses agree: no switch has a VLAN that nobody recorded."""
    by_rules = three.every(site.rules) if site.rules else None
    return True if by_rules is None and len(site.seen) > 1 else by_rules


def zone_of(text: str, words: Mapping[str, Iterable[str]]) -> str:
    """Return the zone that a role or a VLAN's name speaks of; '' for none, or for more than one."""
    parts = set(re.split(r"[^a-z0-9]+", text.casefold()))
    found = [zone for zone, some in words.items() if parts & set(some)]
    return found[0] if len(found) == 1 else ""
