"""Saved groups are read when they are saved: nobody else would find out what is wrong with one."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from inventory.models import Group
from inventory.nouns import nouns
from inventory.select import selected
from siaga.errors import SiagaError


def unreadable(session: Session, ids: set[int]) -> Iterator[tuple[str, str]]:
    """Yield (name, what is wrong) of these groups, and of those that use them: a circle closes with the last one."""
    names = set(session.exec(select(Group.name).where(col(Group.id).in_(ids))).all())
    for group in session.exec(select(Group).order_by(Group.name)):
        users = any(f"@{n}" in group.selector or f"@'{n}'" in group.selector for n in names)
        if (group.id in ids or users) and group.noun in nouns():
            try:
                selected(session, group.noun, group.selector)
            except SiagaError as error:
                yield group.name, f"group '{group.name}' cannot be read: {error.sentence}"
