"""Is this box that row? A pure score over what tells boxes apart, with its reasons.

Points, and why they are what they are:

    what             equal  differs  why
    serial              80      -60  given once by the maker, and it stays when all else changes
    base MAC            50      -15  the box's own, but a new main board or supervisor brings another
    interface MACs      50      -30  times the share in common; with the base MAC 65 at most, since a line card
                                     that was moved to another box took its MACs along
    SNMP engine ID      30      -10  unique by RFC 3411, cloned with a virtual machine in practice, made anew by a reset
    name                35       -5  two boxes of one stack share it; it is changed at will
    address             35       -5  goes to whoever comes next
    model                5      -15  thousands share it; a box does not change its own, only how it is written
    platform             3      -10  as the model, and another system can be installed

What is not known on both sides counts nothing. 70 and more is certain, 20 and more is asked, less is another box.
Three rules stand above the sum. A serial that differs, or hardware known on both sides of which nothing agrees,
never makes a certain match, whatever name and address say. Hardware or an address that agrees is at least asked
about. Two rows that are both certain are asked about, unless only one of them has its hardware on its side, or all
but one are retired.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from inventory.traits import Facts, Traits, alike

CERTAIN, ASK = 70, 20
_MACS_AT_MOST = 65  # points; something else must agree as well
_SHARE = 0.5  # of the MACs of the side that has fewer: from here on they speak for one box


@dataclass(frozen=True)
class Weight:
    """Points of one trait: when it agrees, and when both sides know it and it differs; `title` is for people."""

    title: str
    agree: int
    differ: int


WEIGHTS: Mapping[str, Weight] = {
    "serials": Weight("serial", 80, -60),
    "base_macs": Weight("base MAC", 50, -15),
    "macs": Weight("interface MACs", 50, -30),
    "engines": Weight("engine ID", 30, -10),
    "names": Weight("name", 35, -5),
    "addresses": Weight("address", 35, -5),
    "models": Weight("model", 5, -15),
    "platforms": Weight("platform", 3, -10),
}
_STRONG = ("serials", "base_macs", "macs")


@dataclass(frozen=True)
class Candidate:
    """A row that the box may be; `retired`: it is kept for its past, and stands back behind one that is not."""

    id: int
    name: str
    traits: Traits
    retired: bool = False


@dataclass(frozen=True)
class Match:
    """How well they fit, from 0 to 100, and why.

    `hardware`: serial or MACs agree; `against`: serial, MACs or engine ID differ; `here`: the address agrees.
    """

    score: int = 0
    reasons: tuple[str, ...] = ()
    hardware: bool = False
    against: bool = False
    here: bool = False


class Kind(StrEnum):
    """What a box is to the inventory: a row for certain, perhaps a row, or none of its rows."""

    known = "known"
    perhaps = "perhaps"
    new = "new"


@dataclass(frozen=True)
class Verdict:
    """What a box is, the row it fits best (None: none), and how well."""

    kind: Kind
    candidate: Candidate | None = None
    match: Match = Match()


def score(facts: Facts, candidate: Candidate) -> Match:
    """Return how well a row fits the box, with reasons."""
    return compare(facts.traits, candidate.traits)


def compare(seen: Traits, known: Traits) -> Match:
    """Return how well two sets of traits fit."""
    shares = {kind: _share(kind, seen, known) for kind in WEIGHTS}
    points = {kind: _points(kind, share) for kind, share in shares.items() if share is not None}
    hardware = any((shares[kind] or 0) >= _SHARE for kind in _STRONG)
    against = any(shares[kind] == 0 for kind in (*_STRONG, "engines"))
    here = bool(shares["addresses"])
    total = sum(points.values()) - max(0, points.get("base_macs", 0) + points.get("macs", 0) - _MACS_AT_MOST)
    strangers = seen.hardware and known.hardware and not (hardware or shares["engines"])
    if shares["serials"] == 0 or strangers or (against and not hardware):
        total = min(total, CERTAIN - 1)
    if hardware or here or (shares["engines"] and not against):
        total = max(total, ASK)
    reasons = tuple(f"{_reason(kind, shares[kind] or 0)} ({n:+d})" for kind, n in points.items())
    return Match(max(0, min(100, total)), reasons, hardware, against, here)


def judge(seen: Traits, candidates: Iterable[Candidate]) -> Verdict:
    """Return what the box is, given every row that has anything in common with it."""
    ranked = sorted(
        ((compare(seen, c.traits), c) for c in candidates), key=lambda pair: (-pair[0].score, pair[1].id)
    )
    certain = [pair for pair in ranked if pair[0].score >= CERTAIN]
    fitting = [pair for pair in certain if pair[0].hardware] or certain
    fitting = [pair for pair in fitting if not pair[1].retired] or fitting
    if len(fitting) == 1:
        return Verdict(Kind.known, fitting[0][1], fitting[0][0])
    if fitting:
        (best, row), (other, rival) = fitting[:2]
        reasons = (*best.reasons, f"{rival.name} fits as well ({other.score})")
        return Verdict(Kind.perhaps, row, replace(best, score=CERTAIN - 1, reasons=reasons))
    if ranked and ranked[0][0].score >= ASK:
        return Verdict(Kind.perhaps, ranked[0][1], ranked[0][0])
    return Verdict(Kind.new, None, ranked[0][0] if ranked else Match())


def _share(kind: str, seen: Traits, known: Traits) -> float | None:
    """Return how much agrees, from 0 to 1; None where one side does not know."""
    one, other = getattr(seen, kind), getattr(known, kind)
    if not one or not other:
        return None
    if kind == "macs":
        return len(one & other) / min(len(one), len(other))
    if kind == "models":
        return float(any(alike(a, b) for a in one for b in other))
    if kind == "base_macs":
        # One side may have the bridge's address, the other the lowest of its ports: the same box all the same.
        return float(bool(one & (other | known.macs) or other & seen.macs))
    return float(bool(one & other))


def _points(kind: str, share: float) -> int:
    weight = WEIGHTS[kind]
    return round(weight.agree * share) if share else weight.differ


def _reason(kind: str, share: float) -> str:
    title = WEIGHTS[kind].title
    if kind == "macs":
        return f"{share * 100:.0f} % of the {title} in common" if share else f"no {title} in common"
    return f"{title} {'equal' if share else 'differs'}"
