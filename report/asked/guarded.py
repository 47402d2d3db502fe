"""What the monitor keeps of each device: its newest backup, its last log, which doors stood open, broken rules."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from inventory.findings_read import deviations, shown
from monitor.configs.models import ConfigBackup, ConfigVersion
from monitor.configs.run import GOOD
from monitor.configs.store import standing as standing_of
from monitor.samples import HEARD, SKEW, Key, Series
from report import store
from report.asked.source import Source, digest_of
from report.records import Backup, Drift, Exposure, Logged
from siaga.clock import as_utc
from siaga.text import safe


def backups(source: Source) -> Iterator[Backup] | None:
    """Yield the newest good backup of each device within the period; None while nothing was ever backed up.

    A backup that found nothing new is as good as one that did. Of a period that is over, a configuration read again
    since then is told by the version that was the newest at its end.
    """
    standing = standing_of(source.session)
    if not standing:
        return None
    until = source.period.until
    versions: dict[int, ConfigVersion] = {}
    for version in store.everything(source.session, ConfigVersion).values():
        known = versions.get(version.device_id)
        if as_utc(version.at) < until and (known is None or known.at < version.at):
            versions[version.device_id] = version
    return (
        b
        for d, device in source.devices.items()
        if (b := _backup(source, standing.get(d), versions.get(d), device.name))
    )


def _backup(
    source: Source, standing: ConfigBackup | None, version: ConfigVersion | None, name: str
) -> Backup | None:
    if standing is not None and standing.ok_at is not None and as_utc(standing.ok_at) < source.period.until:
        return Backup(safe(name), as_utc(standing.ok_at), standing.digest, standing.result in GOOD or None)
    return Backup(safe(name), as_utc(version.at), version.digest) if version is not None else None


def logs(source: Source) -> Iterator[Logged] | None:
    """Yield when each device's syslog came last within the hours that count, and how far its clock was off then."""
    until = source.period.until
    since = until - timedelta(hours=source.limits.log_hours)
    held = source.samples.names(since, until)
    heard = [d for d in source.devices if (HEARD, "") in held.get(d, ())]
    if not heard:
        return None
    skewed = [d for d in heard if (SKEW, "") in held[d]]
    keys: list[Key] = [*((d, HEARD, "") for d in heard), *((d, SKEW, "") for d in skewed)]
    return _logged(source, heard, source.samples.read(keys, since, until - timedelta(microseconds=1)))


def _logged(source: Source, heard: list[int], found: Mapping[Key, Series]) -> Iterator[Logged]:
    for device in heard:
        heard_, skew = (found.get((device, metric, "")) for metric in (HEARD, SKEW))
        if heard_ is not None:
            off_s = skew.points()[-1][1] / 1000 if skew is not None else None
            at = heard_.points()[-1][0]
            yield Logged(safe(source.devices[device].name), at, off_s, digest_of((heard_, skew)))


def exposures(source: Source) -> Iterator[Exposure] | None:
    """Yield what each device showed when its doors were last tried; None while none ever were."""
    found = [
        Exposure(safe(one.device), one.at, one.ssh, one.open)
        for one in shown(source.session)
        if one.at < source.period.until
    ]
    return iter(found) if found else None


def compared(source: Source) -> Iterator[Drift]:
    """Yield how many rules each device breaks, by the newest configuration that proves anything."""
    for one in deviations(source.session):
        if one.at < source.period.until:
            yield Drift(safe(one.device), one.at, one.broken, "compliance")


ANSWERS: dict[type, Callable[[Source], Iterator[Any] | None]] = {
    Backup: backups,
    Logged: logs,
    Exposure: exposures,
}
