"""Which SSH host keys were trusted, when and by whom: notes on the devices, and so entries of the history."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from inventory.history import Author
from inventory.writing import Writer
from monitor.hostkeys import HostKey

FIRST_USE = "trusted on first use"
ACCEPTED = "accepted in the place of another"


def note_keys(
    session: Session,
    keys: Iterable[tuple[str, HostKey]],
    *,
    who: str,
    how: str,
    now: datetime,
    cause: str = "",
) -> None:
    """Write a note for each key (device name, key); `how` is FIRST_USE or ACCEPTED."""
    writer = Writer(session, Author(who, now, cause=cause))
    for name, key in keys:
        text = f"SSH host key {how}: {key.kind} {key.fingerprint}"
        values = {"target_noun": "device", "target": name, "at": now.isoformat(), "who": who, "text": text}
        writer.put("note", values)
    writer.finish()
