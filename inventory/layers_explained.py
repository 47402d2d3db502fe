"""Which layer gives a variable its value, which layers say otherwise of the same, and what looks like a secret."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from inventory.layers import DEPTH, Rung, devices, ladder, typed
from inventory.models import Agency, Place
from inventory.secretive import plain_secret

DEVICE = "(device)"  # the name of a device's own variables, among layers


@dataclass(frozen=True)
class Given:
    """One layer's value of a key of one device; `wins` when it, or a part of it, is what holds in the end."""

    layer: str
    target: str
    key: str
    value: Any
    wins: bool


class Doubt(NamedTuple):
    """What is doubtful about one or two layers, as one sentence."""

    layers: tuple[str, ...]
    sentence: str


def warnings(values: Mapping[str, Any], where: str) -> list[str]:
    """Return a sentence for each variable, at any depth, that looks like a secret in the clear."""
    return [
        f"{where}: '{path}' looks like a secret; secrets belong in a credential ('siaga credential add'), not here."
        for path, value in _leaves(values)
        if plain_secret(path, value)
    ]


def explained(session: Session, device_id: int, key: str | None = None) -> list[Given]:
    """Return every layer's value of a device's variables, by key and the widest first, and which of them hold.

    `key` may go into mappings (ntp.servers).
    """
    _, subject, own = next(devices(session, [device_id]))
    rungs = ladder(session).of(subject)
    targets = _targets(session, rungs)
    steps = [(r.name, targets[r.name], r.values) for r in rungs]
    steps.append((DEVICE, "this device", {k: typed(v) for k, v in own.items()}))
    given = sorted((Given(*step, False) for step in _asked(steps, key)), key=lambda g: g.key)
    return [
        Given(
            g.layer,
            g.target,
            g.key,
            g.value,
            _wins(g.value, [o.value for o in given[n + 1 :] if o.key == g.key]),
        )
        for n, g in enumerate(given)
    ]


def _asked(
    steps: Iterable[tuple[str, str, Mapping[str, Any]]], key: str | None
) -> Iterator[tuple[str, str, str, Any]]:
    for name, target, values in steps:
        for one in [key] if key else sorted(values):
            there, value = _at(values, one.split(".") if key else [one])
            if there:
                yield name, target, one, value


def _at(values: Any, path: Sequence[str]) -> tuple[bool, Any]:
    """Return whether there is a value at the path, and the value; null on the way takes the whole path away."""
    for step in path:
        if values is None or not isinstance(values, Mapping):
            return True, None
        if step not in values:
            return False, None
        values = values[step]
    return True, values


def _wins(value: Any, later: Sequence[Any]) -> bool:
    """Tell whether a part of the value is left when the later ones are laid on it."""
    return any(not any(_covers(other, path) for other in later) for path, _ in _paths(value))


def _paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value and len(path) < DEPTH:
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    else:
        yield path, value


def _covers(value: Any, path: Sequence[str]) -> bool:
    for step in path:
        if not isinstance(value, Mapping):
            return True
        if step not in value:
            return False
        value = value[step]
    return True


def _leaves(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((".".join(map(str, path)), value) for path, value in _paths(values))


def _targets(session: Session, rungs: Sequence[Rung]) -> dict[str, str]:
    """Return in words what each layer is for."""
    places = _names(session, Place, {r.place_id for r in rungs})
    agencies = _names(session, Agency, {r.agency_id for r in rungs})
    return {r.name: _words(r, places, agencies) for r in rungs}


def _names(session: Session, model: Any, ids: Set[int | None]) -> dict[int, str]:
    table = model.__table__
    query = select(table.c.id, table.c.name).where(table.c.id.in_(ids - {None}))
    return {row[0]: row[1] for row in session.execute(query)}


def _words(rung: Rung, places: Mapping[int, str], agencies: Mapping[int, str]) -> str:
    parts = (
        ("place", places.get(rung.place_id or 0, "")),
        ("role", rung.role),
        ("platform", rung.platform),
        ("agency", agencies.get(rung.agency_id or 0, "")),
        ("tag", rung.tag),
    )
    return " ".join(f"{noun}={name}" for noun, name in parts if name) or "the whole regency"


def findings(session: Session) -> list[Doubt]:
    """Return each layer that says otherwise than another for the same, and what looks like a secret in one."""
    rungs = ladder(session).rungs
    found = [Doubt((r.name,), w) for r in rungs for w in warnings(r.values, f"layer {r.name}")]
    by_target: dict[tuple[Any, ...], list[Rung]] = {}
    for rung in rungs:
        by_target.setdefault(rung.target, []).append(rung)
    for same in by_target.values():
        found += [d for n, one in enumerate(same) for other in same[n + 1 :] for d in _disagree(one, other)]
    return found


def _disagree(one: Rung, other: Rung) -> Iterator[Doubt]:
    for path, value in _paths(one.values):
        there, said = _at(other.values, path)
        if there and path and said != value:
            sentence = (
                f"Layers {one.name} and {other.name} are for the same and both give '{'.'.join(path)}':"
                f" {other.name} wins."
            )
            yield Doubt((one.name, other.name), sentence)


def hidden(value: Any, key: str = "") -> Any:
    """Return a value fit to be shown: what looks like a secret is not."""
    if plain_secret(key, value):
        return "(hidden: it looks like a secret)"
    if isinstance(value, Mapping):
        return {k: hidden(v, str(k)) for k, v in value.items()}
    return [hidden(v) for v in value] if isinstance(value, list) else value
