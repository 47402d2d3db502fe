"""Who a route writes to, at the moment of writing: addresses as they stand, and people by name, role or duty.

'on-duty' are those on call whose hours it is; when it is nobody's hours, all who are on call.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlmodel import Session, select

from inventory.models_people import Person
from siaga.errors import SiagaError
from siaga.hours import hours
from siaga.settings import Route
from siaga.text import safe


def receivers(session: Session, route: Route, address: str, now: datetime, zone: str) -> list[str]:
    """Return the addresses, each once; `address` is the field of a person ('telegram', 'email')."""
    if not address:
        return [""]
    people = [p for p in session.exec(select(Person).order_by(Person.name)) if _active(p, now.date())]
    found: list[str] = []
    for word in route.to:
        found += _meant(word, people, address, now, zone)
    return list(dict.fromkeys(f for f in found if f))


def _meant(word: str, people: Sequence[Person], address: str, now: datetime, zone: str) -> Iterable[str]:
    kind, colon, name = word.partition(":")
    if word == "on-duty":
        chosen = on_duty(people, now, zone)
    elif colon and kind == "person":
        chosen = [p for p in people if p.name == name]
    elif colon and kind == "role":
        chosen = [p for p in people if p.role == name]
    else:
        return [word]
    return [_address(getattr(p, address), address) for p in chosen]


def _address(text: str, address: str) -> str:
    """Return an address as its channel takes it; a user's name stands with an @ in front."""
    found = safe(text, 255).strip()
    if address == "telegram" and found and not found.startswith("@") and not found.lstrip("-").isdigit():
        return f"@{found}"
    return found


def on_duty(people: Sequence[Person], now: datetime, zone: str) -> list[Person]:
    """Return who is on duty now."""
    called = [p for p in people if p.on_call]
    now_on = [p for p in called if _on(p, now, zone)]
    return now_on or called


def _on(person: Person, now: datetime, zone: str) -> bool:
    try:
        return bool(person.on_duty) and hours(person.on_duty, zone).hold(now)
    except SiagaError:  # somebody wrote it otherwise: he is called when nobody else is there
        return False


def _active(person: Person, today: date) -> bool:
    begun = person.active_from is None or person.active_from <= today
    return begun and (person.active_to is None or person.active_to >= today)
