"""Which SSH host keys were trusted, when and by whom: notes on the devices, and so entries of the history.

A key is trusted on first use by whoever comes first: a poll, a backup, Ansible's OpenSSH. All write one known_hosts
file, and whoever comes after them notes what is new in it; so there is one way into the history, and none past it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from inventory.history import Author
from inventory.models import Device
from inventory.models_people import Note
from inventory.writing import Writer
from siaga.hostkeys import HostKey, HostKeys, written

KNOWN_HOSTS = "known_hosts"  # in siaga's home
FIRST_USE = "trusted on first use"
ACCEPTED = "accepted in the place of another"
_BEGINS = "SSH host key "


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
        text = f"{_BEGINS}{how}: {_shown(key)}"
        values = {"target_noun": "device", "target": name, "at": now.isoformat(), "who": who, "text": text}
        writer.put("note", values)
    writer.finish()


def note_first_uses(session: Session, home: Path, *, who: str, now: datetime, cause: str = "") -> int:
    """Note every key in siaga's known_hosts that no note tells of yet; return how many. The session must write."""
    new = list(unnoted(session, home))
    if new:
        note_keys(session, new, who=who, how=FIRST_USE, now=now, cause=cause)
    return len(new)


def unnoted(session: Session, home: Path) -> Iterator[tuple[str, HostKey]]:
    """Yield device name and key where a key is trusted and nothing is noted of it."""
    trusted = HostKeys(home / KNOWN_HOSTS).all()
    if not trusted:
        return
    query = select(Note.target, Note.text).where(
        Note.target_noun == "device", col(Note.text).startswith(_BEGINS)
    )
    noted = {(target, text.partition(": ")[2]) for target, text in session.exec(query)}
    places = select(Device.name, Device.address, Device.ssh_port).where(Device.address != "")
    for name, address, port in session.exec(places.order_by(Device.name)):
        for key in trusted.get(written(address, port), ()):
            if (name, _shown(key)) not in noted:
                yield name, key


def _shown(key: HostKey) -> str:
    return f"{key.kind} {key.fingerprint}"
