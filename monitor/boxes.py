"""Which of the addresses that answered are one box: by its hardware, and by the addresses it says are its own. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from inventory.candidates import Fleet
from inventory.identity import CERTAIN, Candidate, compare
from inventory.traits import Facts
from monitor.scope import point

_ALSO_AT_MOST = 48  # of IPv6 they are as long as a fact of a proposal may be, and none is cut in its middle


@dataclass(frozen=True)
class Answered:
    """One address that answered, what it said, and which addresses it says are its own.

    `same_as`: an address whose light probe was the same box, so that this one was not looked at.
    """

    facts: Facts
    own: frozenset[str] = frozenset()
    same_as: str = ""


@dataclass(frozen=True)
class Box:
    """One box: what it said, and every address that answered, the one it goes by first."""

    facts: Facts
    addresses: tuple[str, ...]


def boxes(answered: Iterable[Answered], known: Collection[str] = ()) -> list[Box]:
    """Return the boxes, each once; one goes by an address that is `known` (recorded or asked about), else its lowest.

    Two addresses are one box where it certainly is one by identity, or where one side says that the other's
    address is its own and nothing of hardware or name speaks against it.
    """
    ranked = sorted(answered, key=lambda a: (bool(a.same_as), point(a.facts.address)))
    groups: list[list[Answered]] = []
    of_address: dict[str, int] = {}
    owners: dict[str, list[int]] = {}
    fleet = Fleet()
    for one in ranked:
        number = _group(one, groups, of_address, owners, fleet)
        if number is None:
            number = len(groups)
            groups.append([])
            fleet.add(Candidate(number, one.facts.address, one.facts.traits))
        groups[number].append(one)
        of_address[one.facts.address] = number
        for address in one.own:
            owners.setdefault(address, []).append(number)
    return [_box(group, known) for group in groups]


def _group(
    one: Answered,
    groups: Sequence[Sequence[Answered]],
    of_address: dict[str, int],
    owners: dict[str, list[int]],
    fleet: Fleet,
) -> int | None:
    """Return the box that an address belongs to, of those found so far."""
    if one.same_as in of_address:
        return of_address[one.same_as]
    traits = one.facts.traits
    scored = [(compare(traits, c.traits).score, -c.id) for c in fleet.near(traits)]
    best = max(scored, default=(0, 0))
    if best[0] >= CERTAIN:
        return -best[1]
    claimed = [*owners.get(one.facts.address, ()), *(of_address[a] for a in one.own if a in of_address)]
    return next((n for n in claimed if _may_be(one, groups[n][0])), None)


def _may_be(one: Answered, other: Answered) -> bool:
    mine, theirs = one.facts.traits, other.facts.traits
    differ = mine.names and theirs.names and not mine.names & theirs.names
    return not differ and not compare(mine, theirs).against


def _box(group: Sequence[Answered], known: Collection[str]) -> Box:
    addresses = sorted({a.facts.address for a in group}, key=point)
    first = next((a for a in addresses if a in known), addresses[0])
    also = [a for a in addresses if a != first]
    facts = next((a.facts for a in group if a.facts.address == first and not a.same_as), group[0].facts)
    facts = replace(facts, address=first)
    if also:
        several = {"also_at": " ".join(also[:_ALSO_AT_MOST]), "addresses": str(len(addresses))}
        facts = replace(facts, more={**facts.more, **several})
    return Box(facts, (first, *also))
