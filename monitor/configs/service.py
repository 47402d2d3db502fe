"""What the service and the roof call: backups around a job, wishes of syslog, the content of a restore.

`infra` changes devices and may not import this; the roof hands these functions down to it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from inventory.platform_format import Config
from inventory.platforms import config_of
from inventory.runs import recorded
from inventory.store import open_engine, reading, session
from monitor.configs import restore, store, views
from monitor.configs.due import due
from monitor.configs.normalise import normal
from monitor.configs.repo import Repository
from monitor.configs.run import Round, back_up
from siaga.clock import utc_now
from siaga.errors import InvalidError
from siaga.secrets import open_vault
from siaga.settings import Settings


def around_job(
    settings: Settings, device_ids: Sequence[int], *, who: str, job: str = "", locked: bool = True
) -> Round:
    """Back up the devices of a job: before it without `job`, so that what changed by itself is not laid at its door,
    and after it with, so that the change bears its name (`job:7`). The caller holds the devices' locks (`locked`).
    """
    return run_now(open_engine(settings), settings, device_ids, who=who, cause=job, locked=locked)


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


def wished(engine: Engine, device_id: int, *, who: str, why: str, now: datetime) -> None:
    """Note that a device told of a change (syslog, a trap): `who` made it, as far as the message says."""
    with session(engine) as writing:
        store.ask(writing, device_id, who=who, why=why, now=now)


def restored(settings: Settings, name: str, at: datetime | None = None) -> restore.Restore:
    """Return what would give a device the configuration of a time back: to be shown, planned and applied.

    Without `at`, the one before the newest. Raises NotFoundError (`no-backup`, `no-full-text`), InvalidError
    (`nothing-to-restore`).
    """
    vault, repository = open_vault(settings.home), Repository(settings.home)
    with reading(open_engine(settings)) as opened:
        device = views.device_of(opened, name)
        newest = views.version_at(opened, device)
        if at is None:
            at = newest.at - timedelta(microseconds=1)
        wanted = views.version_at(opened, device, at)
        if wanted.digest == newest.digest:
            sentence = f"{name} has that configuration already, as far as its last backup tells."
            raise InvalidError("nothing-to-restore", sentence)
        targets = store.wanted(opened, [device.id or 0], vault)
        platform = targets[0].target.platform if targets else device.platform
    driver, config = config_of(platform) or ("", None)
    now, then = (store.unsealed(vault, v).splitlines() for v in (newest, wanted))
    kind, lines = restore.commands(driver, *(_told(text, config) for text in (now, then)))
    if kind == "whole":
        lines = tuple(then)
    shown = views.difference(repository, newest, wanted)
    return restore.Restore(device.id or 0, device.name, kind, lines, tuple(shown))


def _told(lines: Sequence[str], config: Config | None) -> tuple[str, ...]:
    """Return what is configured, with its secrets and without noise: what commands are made of."""
    return normal(lines, config, lambda secret: secret).lines
