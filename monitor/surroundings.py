"""What the service reads again and again from the database: who is watched, rules and windows, contracts and links."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from inventory.models import Change, Interface
from inventory.store import reading
from monitor import store
from monitor.config_age import last_backups
from monitor.rules.subjects import Committed, Wired
from monitor.scene import Ends, Scene, away, open_scene
from monitor.state import Standing
from monitor.watched import Roll, roll
from siaga.secrets import open_vault
from siaga.settings import Settings


@dataclass(frozen=True)
class Read:
    """One reading of it all. `mark`: the last change of the inventory, and the settings, that it rests on."""

    mark: tuple[int, Settings]
    roll: Roll
    scene: Scene
    committed: Mapping[int, Mapping[str, Committed]]
    ends: tuple[tuple[Ends, str], ...]  # a link's end, and the name of the interface there
    backed_up: Mapping[int, datetime]  # device → its last good backup

    def links(self, standings: Mapping[int, Standing]) -> dict[int, dict[str, Wired]]:
        """Return device → interface → the link that it tells of; `away` where the other end is not there itself."""
        found: dict[int, dict[str, Wired]] = {}
        for end, name in self.ends:
            gone = end.far is not None and away(standings.get(end.far))
            wired = Wired(end.wired.link, end.wired.role, away=gone)
            found.setdefault(end.device, {})[name] = wired
        return found


def read_all(
    engine: Engine, settings: Settings, now: datetime, before: Read | None, *, whole: bool = False
) -> Read:
    """Read what changed. Broken rules keep those before.

    Who is watched is read only after a change of the inventory, with `whole` in any case: a secret may be another.
    """
    with reading(engine) as opened:
        scene = open_scene(opened, settings, now, before.scene.book.rules if before else None, patient=True)
        last = opened.exec(select(func.max(col(Change.id)))).one() or 0
        if before is not None and before.mark == (last, settings) and not whole:
            known = (before.mark, before.roll, scene, before.committed)
        else:
            found = roll(opened, open_vault(settings.home), settings, before.roll if before else None)
            known = ((last, settings), found, scene, store.committed(opened))
        return Read(*known, _named(opened, scene), last_backups(opened))


def _named(session: Session, scene: Scene) -> tuple[tuple[Ends, str], ...]:
    if not scene.ends:
        return ()
    wanted = {e.interface_id for e in scene.ends}
    names = {i: n for i, n in session.exec(select(Interface.id, Interface.name)) if i in wanted}
    return tuple((e, names[e.interface_id]) for e in scene.ends if e.interface_id in names)
