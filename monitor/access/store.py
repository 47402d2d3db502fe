"""The SQL of access: the windows, who is known, and the findings of logins that nobody foresaw."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from inventory.findings import Judged, Verdict
from inventory.findings_store import Kept, keep, open_keys
from inventory.history import Author, Chain
from inventory.models import Credential, Provider
from inventory.models_findings import AccessWindow
from inventory.models_people import Account, Person
from inventory.select import selected
from inventory.store import labels
from monitor.access.judge import SOURCE, Book, Known, Login, Window, judged
from siaga.clock import JAKARTA, as_utc
from siaga.errors import InvalidError, NotFoundError, SiagaError
from siaga.text import safe


def book(session: Session) -> Book:
    """Return all that is known of who may log in, as it is now."""
    return Book(tuple(_accounts(session)), tuple(map(_window(session), _rows(session))), _own(session))


def _accounts(session: Session) -> list[Known]:
    people = {p.id: p for p in session.exec(select(Person))}
    found = []
    for account in session.exec(select(Account)):
        person = people.get(account.person_id)
        third = bool(account.provider_id or (person and person.provider_id))
        user = account.name.partition("@")[0]
        name = person.name if person else ""
        found.append(Known(user, name, third, account.device_id, account.expires))
    return found


def _own(session: Session) -> frozenset[str]:
    kinds = ("ssh-password", "ssh-key")
    users = session.exec(select(Credential.username).where(col(Credential.kind).in_(kinds)))
    return frozenset(u for u in users if u)


def _rows(session: Session) -> Sequence[AccessWindow]:
    return session.exec(select(AccessWindow).order_by(col(AccessWindow.start))).all()


def _window(session: Session) -> Any:
    def made(row: AccessWindow) -> Window:
        end = min(as_utc(row.end), as_utc(row.closed_at)) if row.closed_at else as_utc(row.end)
        return Window(row.name, row.person, row.login, devices_of(session, row), as_utc(row.start), end)

    return made


def devices_of(session: Session, row: AccessWindow) -> frozenset[int]:
    """Return the devices of a window. One whose selector means nothing any more lets nobody in."""
    try:
        return frozenset(selected(session, "device", row.selector))
    except SiagaError:
        return frozenset()


def take(session: Session, logins: Sequence[Login], now: datetime, zone: str = JAKARTA) -> Kept:
    """Judge logins, and keep what was not foreseen as findings. The session must write."""
    known = book(session)
    answers: dict[str, Judged] = {}
    for login in logins:
        answer = judged(login, known, zone)
        if answer.verdict is Verdict.broken:  # one that is foreseen closes no earlier one that was not
            answers[answer.key.text] = answer
    return keep(session, list(answers.values()), now, open_=open_keys(session, SOURCE))


def add(session: Session, author: Author, row: AccessWindow) -> int:
    """Give a window, and return how many devices it is for.

    Raises NotFoundError (`nothing-selected`, `no-such-person`), InvalidError (`window-exists`, `not-third-party`).
    """
    ids = selected(session, "device", row.selector)
    if not ids:
        raise NotFoundError("nothing-selected", f"No device matches '{safe(row.selector, 80)}'.")
    if _one(session, row.name) is not None:
        raise InvalidError("window-exists", f"There is a window '{safe(row.name, 60)}' already.")
    row.provider = _provider(session, row.person)
    session.add(row)
    after = {"person": row.person, "selector": row.selector, "start": row.start, "end": row.end}
    _noted(session, author, row, "add", {}, {**after, "approved_by": row.approved_by})
    return len(ids)


def _provider(session: Session, name: str) -> str:
    person = session.exec(select(Person).where(Person.name == name)).first()
    if person is None:
        raise NotFoundError(
            "no-such-person", f"No person is called '{safe(name, 80)}': see 'siaga person add'."
        )
    provider = session.get(Provider, person.provider_id) if person.provider_id else None
    if provider is None:
        sentence = (
            f"{safe(name, 80)} is of no provider: a window is for third parties. See 'siaga person set'."
        )
        raise InvalidError("not-third-party", sentence)
    return provider.name


def approver(session: Session, name: str) -> str:
    """Return the name of who approves, a person of the regency's own; raises NotFoundError, InvalidError."""
    person = session.exec(select(Person).where(Person.name == name)).first()
    if person is None:
        raise NotFoundError(
            "no-such-person", f"No person is called '{safe(name, 80)}': see 'siaga person list'."
        )
    if person.provider_id:
        sentence = f"{safe(name, 80)} is a provider's: a window is approved by the regency's own staff."
        raise InvalidError("not-staff", sentence)
    return person.name


def close(session: Session, author: Author, name: str) -> AccessWindow:
    """End a window now; raises NotFoundError (`no-such-window`), InvalidError (`window-closed`)."""
    row = _one(session, name)
    if row is None:
        sentence = f"There is no window '{safe(name, 60)}': see 'siaga access list --all'."
        raise NotFoundError("no-such-window", sentence)
    if row.closed_at is not None or as_utc(row.end) <= author.now:
        raise InvalidError("window-closed", f"The window '{safe(name, 60)}' is over already.")
    row.closed_at, row.closed_by = author.now, author.who
    session.add(row)
    _noted(session, author, row, "set", {"closed_at": None}, {"closed_at": author.now})
    return row


def windows(session: Session, now: datetime, *, all_: bool) -> list[dict[str, Any]]:
    """Return the windows as rows: those that are open or to come, or all."""
    found = []
    for row in _rows(session):
        end = as_utc(row.closed_at or row.end)
        state = "over" if end <= now else "open" if as_utc(row.start) <= now else "to come"
        if all_ or state != "over":
            names = sorted(labels(session, "device", devices_of(session, row)).values())
            found.append({**row.model_dump(exclude={"id"}), "state": state, "devices": names})
    return found


def _one(session: Session, name: str) -> AccessWindow | None:
    return session.exec(select(AccessWindow).where(AccessWindow.name == name)).first()


def _noted(
    session: Session,
    author: Author,
    row: AccessWindow,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    chain = Chain(session, author)
    chain.add("access", row.name, action, before, after)
    chain.flush()
