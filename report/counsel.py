"""Says in words what a reading lacks and what would raise a level, from `counsel.toml` in both languages. Pure."""

import tomllib
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from math import ceil, floor
from pathlib import Path

from report.assessment import Need, Reading
from report.numbers import number
from report.readings import PERCENT
from report.rubric import LEVELS, Indicator, Step

_WORDS = Path(__file__).with_name("counsel.toml")
_MOST = 5  # names that a sentence lists


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Return the sentences by key and language."""
    return tomllib.loads(_WORDS.read_text(encoding="utf-8"))


def say(key: str, lang: str, **values: str) -> str:
    """Return a sentence with its values. Raises KeyError for a key that is not in the file: a fault of ours."""
    return words()[key][lang].format(**values)


def unit(name: str, lang: str) -> str:
    """Return a unit in a language; one that only a rubric of the regency's own has stays as it is."""
    return words().get(f"unit {name}", {}).get(lang, name)


def remark(note: str, lang: str) -> str:
    """Return what a measure remarked (`key name=value …`) as a sentence; '' for none."""
    if not note:
        return ""
    key, *pairs = note.split(" ")
    return say(key, lang, **dict(pair.split("=", 1) for pair in pairs))


def reason(row: Indicator, reading: Reading, level: int | None, needs: Iterable[Need], lang: str) -> str:
    """Return why a row has no level, and how to get the data; '' where it has one."""
    if level is not None:
        return ""
    parts = [remark(reading.note, lang)] if reading.note else []
    if 0 < reading.coverage < row.min_coverage:
        known, least = (number(100 * c, 1, lang) for c in (reading.coverage, row.min_coverage))
        parts.append(say("too-little", lang, known=known, least=least))
    if reading.missing:
        parts.append(say("not-listed", lang, count=number(reading.missing, 0, lang)))
    if reading.unknown:
        parts.append(say("not-known", lang, names=listed(reading.unknown, lang)))
    open_needs = [n for n in needs if n.holds is None]
    if row.direction == "ladder" and open_needs and not parts:
        first = open_needs[0]
        key = "empty-register" if "evidence(" in first.text else "need-not-known"
        parts.append(say(key, lang, need=first.text))
    return " ".join(parts) or say("no-data", lang)


def listed(names: Iterable[str], lang: str) -> str:
    """Return some names, and how many more there are."""
    some = list(names)
    more = len(some) - _MOST
    head = ", ".join(some[:_MOST])
    return say("and-more", lang, names=head, count=number(more, 0, lang)) if more > 0 else head


def next_step(row: Indicator, reading: Reading, level: int | None, needs: Iterable[Need], lang: str) -> str:
    """Return what would raise the level by one; '' at the highest one."""
    if level is None or level == LEVELS[-1]:
        return ""
    wanted = level + 1
    if row.direction == "ladder":
        step = row.levels[wanted]
        assert isinstance(step, Step)
        lacking = [n.text for n in needs if n.level == wanted and n.holds is not True]
        return say("climb", lang, level=str(wanted), text=step.text.of(lang), needs="; ".join(lacking))
    return _across(row, reading, wanted, lang)


def _across(row: Indicator, reading: Reading, wanted: int, lang: str) -> str:
    """Return from which value to which; of counted members also how many more (or fewer) that is."""
    bound, value = row.bound(wanted), reading.value
    assert value is not None
    shown = {
        "level": str(wanted),
        "value": number(value, 2, lang),
        "bound": number(bound, 2, lang),
        "unit": unit(row.unit, lang),
    }
    base = say("raise" if row.direction == "higher" else "lower", lang, **shown)
    counted = len(reading.denominator)
    if not reading.of_members or row.unit != PERCENT or reading.numerator is None:
        return base
    share = Fraction(str(bound)) * counted / 100
    if row.direction == "higher":
        many = ceil(share) - int(reading.numerator)
        lacking = [n for n in reading.denominator if n not in set(reading.met)]
        key = "members-more"
    else:
        many, key, lacking = int(reading.numerator) - floor(share), "members-fewer", list(reading.met)
    if many <= 0:
        return base
    count, of = number(many, 0, lang), number(counted, 0, lang)
    return f"{base} {say(key, lang, count=count, of=of, names=listed(lacking, lang))}"
