"""What goes out by a channel, and what comes of it, as values; and what a channel is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, SecretStr

NO_SECRET = SecretStr("")


@dataclass(frozen=True)
class Message:
    """One thing to tell, in plain values: nothing in it is escaped, everything is bounded and on one line.

    `event`: opened, worse, escalated, recovered, test. `ended_at` is of what has recovered, or passed meanwhile.
    """

    key: str
    event: str
    severity: str
    title: str
    said: str
    where: str
    since: datetime
    ended_at: datetime | None = None
    impact: str = ""
    todo: str = ""
    playbook: str = ""
    alert_id: int | None = None
    rule: str = ""
    device: str = ""
    subject: str = ""
    instead_of: str = ""  # the route that could not tell it
    why: str = ""  # of what has ended: recovered; or gone, unwatched: then nobody knows whether it is well


@dataclass(frozen=True)
class Text:
    """A message as people read it: a headline, and lines below it."""

    headline: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Letter:
    """What is sent to one receiver in one go. `text` is for people, `messages` for machines.

    `key`: what the receiver knows it by that gets it twice. `button`: what comes back when its button is pressed.
    """

    key: str
    receiver: str
    text: Text
    messages: tuple[Message, ...]
    now: datetime
    home: Path
    timeout_s: float = 10.0
    username: str = ""
    secret: SecretStr = NO_SECRET
    button: str = ""
    language: str = "id"
    attachments: tuple[
        tuple[str, str, bytes], ...
    ] = ()  # name, media type, content; where a channel can carry it


@dataclass(frozen=True)
class Sent:
    """The other side has it; `detail` is what it calls it."""

    detail: str = ""


@dataclass(frozen=True)
class Later:
    """It may be tried again, and may even have arrived. `after_s`: what the other side asked to wait."""

    why: str
    after_s: float | None = None


@dataclass(frozen=True)
class Refused:
    """Trying again would change nothing."""

    why: str


Result = Sent | Later | Refused


class Channel(Protocol):
    """A module of `channels/`. `ADDRESS`: the field of a person that it writes to, '' if it writes to no person.

    `DIGEST`: whether many messages at once become one text. `SECRET`: the part of a credential that it needs.
    """

    KIND: str
    ADDRESS: str
    DIGEST: bool
    SECRET: str
    Options: type[BaseModel]
    send: Callable[[Letter, Any], Result]


@dataclass(frozen=True)
class Button:
    """A button that somebody pressed."""

    update: int
    data: str
    person: str
    username: str = ""
    answer_id: str = field(default="", repr=False)
