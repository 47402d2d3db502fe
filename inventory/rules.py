"""The regency's own rules (`[[rules]]` in siaga.toml): held at every write and import, and by `siaga rules check`.

A rule is two selectors: what `when` selects must be selected by `must` as well, and have the fields `require`d.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from inventory import constraints, groups
from inventory.nouns import noun
from inventory.select import selected
from inventory.store import labels
from siaga.errors import InvalidError, SiagaError
from siaga.settings import Rule
from siaga.text import safe

_MANY = 50  # rows of one rule that are told one by one


@dataclass(frozen=True)
class Broken:
    """One row that a rule does not hold for."""

    rule: str
    severity: str
    noun: str
    name: str
    sentence: str
    field: str = ""


def broken(
    session: Session,
    rules: Sequence[Rule],
    touched: Mapping[str, set[int]] | None = None,
    most: int | None = _MANY,
) -> Iterator[Broken]:
    """Yield what breaks a rule, among the `touched` rows or among all; of each rule `most` rows, or every one.

    Of all rows those too of which a field holds what it may not. Of touched rows, where every one is wanted,
    the saved groups too that cannot be read: a change is kept out by them as by a rule. Raises InvalidError
    (`bad-rule`).
    """
    if touched is None:
        yield from (
            Broken("field", "error", m.noun, m.name, m.sentence, m.field)
            for m in constraints.misfits(session)
        )
    elif touched.get("group") and most is None:
        for name, sentence in groups.unreadable(session, touched["group"]):
            yield Broken("group", "error", "group", name, sentence, "selector")
    for rule in rules:
        if rule.protect or (touched is not None and not touched.get(noun(rule.noun).name)):
            continue
        wrong = _wrong(session, rule)
        if touched is not None:
            wrong &= touched[noun(rule.noun).name]
        names = labels(session, noun(rule.noun).name, wrong) if wrong else {}
        for row_id in sorted(wrong, key=lambda i: names.get(i, ""))[:most]:
            yield _told(rule, names.get(row_id, "?"), len(wrong) if most is not None else 0)


def _wrong(session: Session, rule: Rule) -> set[int]:
    musts = [rule.must] if rule.must else []
    musts += [f"{field}!=''" for field in rule.require]
    try:
        concerned = set(selected(session, rule.noun, rule.when))
        good = set(selected(session, rule.noun, " and ".join(f"({m})" for m in musts)))
    except SiagaError as error:
        raise InvalidError(
            "bad-rule", f"The rule '{safe(rule.name, 60)}' cannot be read: {error.sentence}"
        ) from None
    return concerned - good


def _told(rule: Rule, name: str, count: int) -> Broken:
    what = rule.message or " and ".join(
        [*([rule.must] if rule.must else []), *(f"{f} is set" for f in rule.require)]
    )
    sentence = f"{rule.noun} '{name}' breaks the rule '{rule.name}': {what}"
    if count > _MANY:
        sentence += f" ({count} rows in all)"
    field = rule.require[0] if len(rule.require) == 1 and not rule.must else ""
    return Broken(rule.name, rule.severity, noun(rule.noun).name, name, sentence, field)


def protected(session: Session, rules: Sequence[Rule], name: str, row_ids: Sequence[int]) -> list[str]:
    """Return a sentence for each of these rows that a rule protects from being removed."""
    found = []
    for rule in rules:
        if rule.protect and noun(rule.noun).name == name:
            kept = set(selected(session, name, rule.when)) & set(row_ids)
            found += [
                f"{rule.noun} '{n}' is protected by the rule '{rule.name}'"
                for n in labels(session, name, kept).values()
            ]
    return found
