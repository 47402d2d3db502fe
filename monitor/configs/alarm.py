"""What a run of backups gives the alert rules to judge: logins whose host key has changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from monitor.alarms import take_own
from monitor.rules.subjects import Subject
from monitor.scene import open_scene
from siaga.settings import Settings

if TYPE_CHECKING:
    from monitor.configs.run import Kept


def judge(
    session: Session, settings: Settings, kept: "Sequence[Kept]", now: datetime, run_id: int | None
) -> None:
    """Let the rules judge what a run found, in its transaction: alerts open and close, and somebody is told."""
    own = [s for k in kept if (s := _login(k)) is not None]
    take_own(session, open_scene(session, settings, now), own, now, run_id=run_id)


def _login(kept: "Kept") -> Subject | None:
    """Return the login at a device as a subject, named by the device; of one that was not reached nothing is known."""
    if kept.result == "host-key-changed":
        return Subject("login", kept.name, {"host_key": "changed"})
    if kept.result in ("silent", "busy", "failed"):
        return None
    return Subject("login", kept.name, {"host_key": "as trusted"})
