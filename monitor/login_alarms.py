"""What logins give the alert rules to judge: is its host key the trusted one? For polls and backups alike."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.alarms import take_own
from monitor.models import Alert
from monitor.rules.subjects import Subject
from monitor.scene import Scene, open_scene
from siaga.errors import SiagaError
from siaga.settings import Settings

TRUSTED, CHANGED = "as trusted", "changed"
_WRONG = ("host-key-changed", "host-key-revoked")


def host_key_of(error: SiagaError) -> str:
    """Return what an error says of a host key; '' if nothing: one that was never seen has not changed."""
    return CHANGED if error.code in _WRONG else ""


def judge(
    session: Session,
    settings: Settings,
    keys: Mapping[str, str],
    now: datetime,
    *,
    run_id: int | None = None,
    scene: Scene | None = None,
) -> None:
    """Let the rules judge host keys (device name → TRUSTED or CHANGED), in the caller's transaction.

    Nearly always nothing is to be done: a key is as trusted, and no alert says otherwise.
    """
    told = _told(session) if keys else frozenset()
    other = {name: key for name, key in keys.items() if (key == CHANGED) != (name in told)}
    if other:
        own = [Subject("login", name, {"host_key": key}) for name, key in sorted(other.items())]
        take_own(session, scene or open_scene(session, settings, now), own, now, run_id=run_id)


def _told(session: Session) -> frozenset[str]:
    query = select(Alert.subject).where(
        Alert.rule == "host-key-changed", col(Alert.open_key).is_not(None), col(Alert.device_id).is_(None)
    )
    return frozenset(session.exec(query))
