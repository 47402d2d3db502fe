"""What a run of backups gives the alert rules to judge: host keys that changed, configurations that grow old."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from monitor.alarms import News, take
from monitor.configs.store import last_good
from monitor.rules.subjects import Subject
from monitor.scene import open_scene
from siaga.settings import Settings

if TYPE_CHECKING:
    from monitor.configs.run import Kept


def judge(
    session: Session, settings: Settings, kept: "Sequence[Kept]", now: datetime, run_id: int | None
) -> None:
    """Let the rules judge what a run found, in its transaction: alerts open and close, and somebody is told."""
    session.flush()
    own = [s for k in kept if (s := _login(k)) is not None]
    ages = {device_id: (now - at).total_seconds() for device_id, at in last_good(session).items()}
    news = {
        device_id: News(subjects=(Subject("device", "", {"config_age_s": age}),))
        for device_id, age in ages.items()
    }
    take(session, open_scene(session, settings, now), news, now, own=own, run_id=run_id)


def _login(kept: "Kept") -> Subject | None:
    """Return the login at a device as a subject, named by the device; of one that was not reached nothing is known."""
    if kept.result == "host-key-changed":
        return Subject("login", kept.name, {"host_key": "changed"})
    if kept.result in ("silent", "busy", "failed"):
        return None
    return Subject("login", kept.name, {"host_key": "as trusted"})
