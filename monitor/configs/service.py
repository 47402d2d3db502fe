"""What the service and the roof call: backups around a job, what is due, the content of a restore.

`infra` changes devices and may not import this; the roof hands these functions down to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, select

from inventory.models import Device
from inventory.platform_format import Config
from inventory.platforms import config_of
from inventory.runs import recorded
from inventory.store import open_engine, reading
from monitor.compliance.routeros import parsed
from monitor.compliance.routeros_diff import way
from monitor.configs import restore, store, views
from monitor.configs.due import due, overview
from monitor.configs.normalise import normal
from monitor.configs.repo import Repository
from monitor.configs.run import GOOD, Round, back_up
from siaga.clock import utc_now
from siaga.errors import InvalidError
from siaga.secrets import open_vault
from siaga.settings import Settings


@dataclass(frozen=True)
class Named:
    """What names the configuration of a device as it is now, to be given back later; or why it could not be kept."""

    name: str = ""
    failure: str = ""


class Keeper:
    """What the roof gives to whoever changes devices and holds their locks: backups around a job, and the way back."""

    def __init__(self, engine: Engine, settings: Settings, *, who: str) -> None:
        self._engine, self._settings, self._who = engine, settings, who

    def backup(self, names: Sequence[str], job: str = "") -> dict[str, Named]:
        """Back up these devices: before a job without `job`, so that what changed by itself is not laid at its door,
        and after it with, so that the change bears its name (`job:7`). Who cannot be backed up at all is left out.
        """
        with reading(self._engine) as opened:
            asked = overview(opened, utc_now(), timedelta(days=7), _ids(opened, names))
        ids = [s.device_id for s in asked if s.state not in ("unknown", "no login")]
        if not ids:
            return {}
        done = around_job(self._settings, ids, who=self._who, job=job, engine=self._engine)
        with reading(self._engine) as opened:
            versions = {i: row.version_id for i, row in store.standing(opened).items()}
        return {
            k.name: Named(str(versions.get(k.device_id) or ""))
            if k.result in GOOD
            else Named(failure=k.reason or k.result)
            for k in done.kept
        }

    def wanted(self, name: str, kept: str) -> restore.Restore:
        """Return what gives a device back the configuration that `backup` named; raises as `restored` does."""
        return restored(self._settings, name, version=int(kept) if kept.isdigit() else 0)


def _ids(opened: Session, names: Sequence[str]) -> set[int]:
    wanted = set(names)
    rows = opened.exec(select(Device.id, Device.name)).all()
    return {i for i, name in rows if i is not None and name in wanted}


def around_job(
    settings: Settings,
    device_ids: Sequence[int],
    *,
    who: str,
    job: str = "",
    locked: bool = True,
    engine: Engine | None = None,
) -> Round:
    """Back up the devices of a job, whose locks the caller holds (`locked`); `job` as for `Keeper.backup`."""
    engine = engine or open_engine(settings)
    return run_now(engine, settings, device_ids, who=who, cause=job, locked=locked)


def run_now(
    engine: Engine,
    settings: Settings,
    ids: Sequence[int],
    *,
    who: str,
    cause: str = "",
    locked: bool = False,
) -> Round:
    """Back up these devices in a recorded run; a device that fails is a value in the round."""
    summary: dict[str, object] = {}
    with recorded(engine, "backup", who=who, summary=summary) as run_id:
        done = back_up(engine, settings, ids, who=who, now=utc_now, run_id=run_id, cause=cause, locked=locked)
        summary.update(summary_of(done))
    return done


def summary_of(done: Round) -> dict[str, object]:
    """Return what is kept of a run."""
    good = done.count("stored", "unchanged")
    return {
        "asked": len(done.kept),
        "stored": done.count("stored"),
        "unchanged": done.count("unchanged"),
        "failed": len(done.kept) - good,
        "commit": done.commit,
        "interrupted": done.interrupted,
    }


def run_due(engine: Engine, settings: Settings, *, who: str = "siaga") -> Round:
    """Back up whoever is due or was asked for; without anybody nothing is recorded."""
    with reading(engine) as opened:
        ids = due(opened, settings.backup, utc_now())
    return run_now(engine, settings, ids, who=who) if ids else Round()


def restored(
    settings: Settings, name: str, at: datetime | None = None, *, version: int | None = None
) -> restore.Restore:
    """Return what would give a device the configuration of a time back, or of a version: to be planned and applied.

    Without either, the one before the newest. Raises NotFoundError (`no-backup`, `no-full-text`), InvalidError
    (`nothing-to-restore`).
    """
    vault, repository = open_vault(settings.home), Repository(settings.home)
    with reading(open_engine(settings)) as opened:
        device = views.device_of(opened, name)
        newest = views.version_at(opened, device)
        before = at or newest.at - timedelta(microseconds=1)
        wanted = (
            views.version_at(opened, device, before)
            if version is None
            else views.version_of(opened, device, version)
        )
        if wanted.digest == newest.digest:
            sentence = f"{name} has that configuration already, as far as its last backup tells."
            raise InvalidError("nothing-to-restore", sentence)
        targets = store.wanted(opened, [device.id or 0], vault)
        platform = targets[0].target.platform if targets else device.platform
    driver, config = config_of(platform) or ("", None)
    now, then = (store.unsealed(vault, v).splitlines() for v in (newest, wanted))
    kind, lines = _way(driver, config, now, then)
    shown = views.difference(repository, newest, wanted)
    return restore.Restore(device.id or 0, device.name, kind, lines, tuple(shown))


def _way(
    driver: str, config: Config | None, now: Sequence[str], then: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a restore and its lines. What no command is known for makes it a whole file."""
    if driver == "mikrotik_routeros":
        found = way(*(parsed("\n".join(text)) for text in (now, then)))
        return ("whole", tuple(then)) if found.left else ("commands", found.commands)
    kind, lines = restore.commands(driver, *(_told(text, config) for text in (now, then)))
    return kind, tuple(then) if kind == "whole" else lines


def _told(lines: Sequence[str], config: Config | None) -> tuple[str, ...]:
    """Return what is configured, with its secrets and without noise: what commands are made of."""
    return normal(lines, config, lambda secret: secret).lines
