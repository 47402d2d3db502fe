"""What a message from a device comes to: an event to keep, and a wish to look at the device now.

A message is never believed alone, because anybody can send one: linkDown makes a poll, a changed configuration a
backup, and what those find is what is so.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from siaga.clock import shown


class Kind(StrEnum):
    """What a message tells of."""

    link_down = "link-down"
    link_up = "link-up"
    cold_start = "cold-start"
    warm_start = "warm-start"
    reload = "reload"
    auth_failure = "authentication-failure"
    login = "login"
    login_failed = "login-failed"
    config_changed = "config-changed"
    vendor = "vendor-trap"


@dataclass(frozen=True)
class Event:
    """One message that means something. `channel`: trap, inform or syslog; all text is safe to show.

    `source` is the address it came from, `device` the one recorded there (empty: none, or more than one).
    `authentic`: it bore the proof of an SNMPv3 user; anybody could have sent any other.
    """

    at: datetime
    channel: str
    kind: Kind
    source: str
    text: str
    device: str = ""
    device_id: int | None = None
    details: tuple[tuple[str, str], ...] = ()
    authentic: bool = False


@dataclass(frozen=True)
class Wish:
    """Something that should be done to a device now: a poll or a backup. The same wish twice is one."""

    device_id: int
    device: str
    what: str
    why: str
    at: datetime


_WISHES = {
    Kind.link_down: "poll",
    Kind.link_up: "poll",
    Kind.cold_start: "poll",
    Kind.warm_start: "poll",
    Kind.reload: "poll",
    Kind.config_changed: "backup",
}


def wish_of(event: Event) -> Wish | None:
    """Return what an event makes desirable; None if nothing, or nobody knows of which device it tells."""
    what = _WISHES.get(event.kind)
    if what is None or event.device_id is None:
        return None
    why = f"{event.channel} {event.kind.value}: {event.text}"
    return Wish(event.device_id, event.device, what, why[:300], event.at)


def event_json(event: Event) -> dict[str, Any]:
    """Return an event as the stable JSON of `siaga listen`."""
    row = asdict(event) | {"at": shown(event.at), "kind": event.kind.value, "details": dict(event.details)}
    return {"event": row.pop("kind"), **row}


def wish_json(wish: Wish) -> dict[str, Any]:
    """Return a wish as the stable JSON of `siaga listen`."""
    return {"wish": wish.what, "device": wish.device, "why": wish.why, "at": shown(wish.at)}
