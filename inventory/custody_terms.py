"""Whether goods may change hands so, and from whom to whom: pure, from the assets and the loans that are open."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from inventory.models_custody import CONDITIONS
from siaga.errors import InvalidError
from siaga.text import safe


@dataclass(frozen=True)
class Transfer:
    """What is asked. `conditions` by asset, '' for all; `giver` and `taker` are people, '' to be found."""

    kind: str  # handover, return, loan
    dated: date
    taker: str = ""
    giver: str = ""
    place: str = ""
    due: date | None = None
    reason: str = ""
    known_by: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)
    move_device: bool = False
    in_use: bool = False  # a return into use, not into the store


@dataclass(frozen=True)
class Loan:
    """An asset that is out on loan: by which BAST, from and to whom, and until when."""

    asset: str
    number: str
    giver: str
    taker: str
    place: str
    due: date | None


@dataclass(frozen=True)
class Settled:
    """Who gives what to whom, and from where to where; a place of '' is not known, or stays as it is."""

    giver: str
    taker: str
    from_place: str
    to_place: str


def settle(
    asked: Transfer,
    assets: Sequence[Mapping[str, Any]],
    loans: Mapping[str, Loan],
    more: Callable[[Settled], Iterable[str]] = lambda _: (),
) -> Settled:
    """Return who gives what to whom; raises InvalidError (`custody-refused`) with every reason against it.

    `more` yields the reasons that only the inventory knows, such as a name that nobody has.
    """
    own = [loans[a["name"]] for a in assets if a["name"] in loans] if asked.kind == "return" else []
    holders = Counter(str(a["custodian"]) for a in assets if a["custodian"])
    giver = asked.giver or _only(holders)
    taker = asked.taker or _only(loan.giver for loan in own)
    came_from = _only(loan.place for loan in own) if len(own) == len(assets) else ""
    here = _only(str(a["place"] or "") for a in assets)
    settled = Settled(giver, taker, here, asked.place or came_from)
    problems = [
        *_about_people(asked, giver, taker, holders),
        *_about_terms(asked),
        *(p for a in assets for p in _about_asset(asked, a, loans)),
        *_about_conditions(asked, assets),
        *more(settled),
    ]
    if problems:
        raise InvalidError("custody-refused", f"The {asked.kind} cannot be; nothing was written.", problems)
    return settled


def _only(values: Any) -> str:
    """Return the one value there is, '' where there is none or more than one."""
    known = {str(v) for v in values}
    return known.pop() if len(known) == 1 else ""


def _about_people(asked: Transfer, giver: str, taker: str, holders: Mapping[str, int]) -> Iterator[str]:
    if not giver and len(holders) > 1:
        told = ", ".join(f"{safe(name)} ({count})" for name, count in sorted(holders.items()))
        yield f"the assets are held by {told}: one BAST has one giver, so make one for each"
    elif not giver:
        yield "nobody is recorded as holding the assets: say with --from who gives them"
    if not taker:
        yield "say with --to who takes the assets"
    if giver and giver == taker:
        yield f"{safe(giver)} cannot give to themselves"
    if asked.giver:
        others = [name for name in holders if name != asked.giver]
        told = ", ".join(map(safe, sorted(others)))
        if others:
            count = sum(holders[o] for o in others)
            yield f"{count} of the assets {'is' if count == 1 else 'are'} held by {told}, not {safe(giver)}"


def _about_terms(asked: Transfer) -> Iterator[str]:
    if asked.kind == "loan" and asked.due is None:
        yield "a loan ends on a day: say with --due when"
    if asked.kind != "loan" and asked.due is not None:
        yield f"a {asked.kind} has no --due: it is for good"
    if asked.due is not None and asked.due < asked.dated:
        yield f"it would be due on {asked.due}, before it begins on {asked.dated}"
    if asked.move_device and not asked.place:
        yield "--move-device needs --place: nothing says where the devices go"


def _about_conditions(asked: Transfer, assets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    wrong = sorted({c for c in asked.conditions.values() if c not in CONDITIONS})
    if wrong:
        yield f"a condition is one of {', '.join(CONDITIONS)}, not {', '.join(map(safe, wrong))}"
    named = {a["name"] for a in assets}
    yield from (f"{safe(a)} is not among the assets" for a in asked.conditions if a and a not in named)


def _about_asset(asked: Transfer, asset: Mapping[str, Any], loans: Mapping[str, Loan]) -> Iterator[str]:
    name, status = safe(asset["name"]), asset["status"]
    if status in ("lost", "disposed"):
        yield f"{name} is {status}: it cannot change hands before its status is set right"
    loan = loans.get(asset["name"])
    if asked.kind != "return" and (loan or status == "loaned"):
        by = f" by {safe(loan.number)} to {safe(loan.taker)}" if loan else ""
        yield f"{name} is on loan{by}: record its return first"
    if asked.kind == "return" and not asset["custodian"]:
        yield f"{name} is held by nobody, so nobody can return it"
