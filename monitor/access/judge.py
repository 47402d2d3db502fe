"""Whether a login was foreseen: one of the regency's own people, a third party within a window, or nobody known. Pure.

A line of syslog is no proof, anybody can send one; it is a reason to ask. So a login outside of a window is a finding
that a person closes, never a state of the device.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from inventory.findings import Judged, Key, Verdict
from siaga.clock import JAKARTA, shown

SOURCE = "access"
_ARTICLE = "33(2)c"


@dataclass(frozen=True)
class Login:
    """A login that a device told of. `text` is its line, safe to show; `source` from where, as the line says."""

    device_id: int
    device: str
    user: str
    source: str
    at: datetime
    text: str = ""


@dataclass(frozen=True)
class Window:
    """When somebody may log in, and where. `login` '': under any account that is recorded as theirs."""

    name: str
    person: str
    login: str
    devices: frozenset[int]
    start: datetime
    end: datetime

    def open_at(self, at: datetime) -> bool:
        """Tell whether it is open at that time."""
        return self.start <= at < self.end


@dataclass(frozen=True)
class Known:
    """An account as recorded: the user name, whose it is, whether a third party's, where (None: anywhere)."""

    user: str
    person: str = ""
    third_party: bool = False
    device_id: int | None = None
    expires: date | None = None


@dataclass(frozen=True)
class Book:
    """All that is known of who may log in: accounts, windows, and the users that siaga itself comes as."""

    accounts: Sequence[Known] = ()
    windows: Sequence[Window] = ()
    own: frozenset[str] = frozenset()


def judged(login: Login, book: Book, zone: str = JAKARTA) -> Judged:
    """Return whether a login was foreseen: met, broken with what was wrong, or unknown where no account is recorded."""
    mine = [a for a in book.accounts if a.user == login.user and a.device_id in (None, login.device_id)]
    if login.user in book.own and not mine:
        return _foreseen(login)
    if windowed := _windows(login, mine, book.windows):
        return _third_party(login, windowed, zone)
    if any(a.third_party for a in mine):
        return _broken(
            login, "login-outside-window", "high", _OUTSIDE, "no window was ever given for it", zone
        )
    if mine:
        return _staff(login, mine, zone)
    if book.accounts:
        return _broken(
            login, "login-unknown", "medium", _UNKNOWN, "no account of that name is recorded", zone
        )
    return Judged(Key(SOURCE, "login-unknown", login.device_id, login.user), Verdict.unknown)


_OUTSIDE = "A third party logged in outside of any window."
_UNKNOWN = "Somebody logged in under an account that nobody recorded."
_EXPIRED = "Somebody logged in under an account that is past its date."


def _windows(login: Login, mine: Iterable[Known], windows: Iterable[Window]) -> list[Window]:
    """Return the windows, of any time and device, that are of whoever this login is."""
    people = {a.person for a in mine if a.third_party and a.person}
    return [w for w in windows if (w.login == login.user if w.login else w.person in people)]


def _third_party(login: Login, windows: Sequence[Window], zone: str) -> Judged:
    there = [w for w in windows if login.device_id in w.devices]
    if any(w.open_at(login.at) for w in there):
        return _foreseen(login)
    why = _nearest(login.at, there, zone) if there else "its windows are of other devices"
    return _broken(login, "login-outside-window", "high", _OUTSIDE, why, zone)


def _nearest(at: datetime, windows: Sequence[Window], zone: str) -> str:
    """Return when the nearest window ended, or will begin."""
    gone = max((w for w in windows if w.end <= at), key=lambda w: w.end, default=None)
    if gone is not None:
        return f"the window '{gone.name}' ended {shown(gone.end, zone)}"
    coming = min(windows, key=lambda w: w.start)
    return f"the window '{coming.name}' begins {shown(coming.start, zone)}"


def _staff(login: Login, mine: Sequence[Known], zone: str) -> Judged:
    if all(a.expires is not None and a.expires < login.at.date() for a in mine):
        over = max(a.expires for a in mine if a.expires)
        return _broken(login, "login-expired", "high", _EXPIRED, f"it was good until {over}", zone)
    return _foreseen(login)


def _foreseen(login: Login) -> Judged:
    return Judged(Key(SOURCE, "login-outside-window", login.device_id, login.user), Verdict.none)


def _broken(login: Login, rule: str, severity: str, title: str, why: str, zone: str) -> Judged:
    came = f" from {login.source}" if login.source else ""
    detail = f"{login.user}{came} at {shown(login.at, zone)}: {why}"
    evidence = tuple(filter(None, (detail, login.text)))
    key = Key(SOURCE, rule, login.device_id, login.user)
    return Judged(key, Verdict.broken, severity, title, detail, _ARTICLE, evidence, login.at)
