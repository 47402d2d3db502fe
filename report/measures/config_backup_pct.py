"""INF-PER-06: network devices whose configuration was saved lately, and is the one they run."""

from datetime import timedelta

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Backup, Device
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of managed network devices; without any backup kept, nobody saves, or nobody told."""
    backups = ask.every(Backup)
    some = [d for d in ask.every(Device) or () if d.managed and d.role in limits.network_roles]
    if backups is None or not some:
        return unknown(PERCENT, said("no-backups" if some else "no-devices"))
    oldest = ask.period.until - timedelta(days=limits.backup_days)
    newest = {b.device: b for b in backups}
    members: dict[str, bool | None] = {
        d.name: (b := newest.get(d.name)) is not None and b.taken_at >= oldest and b.current is not False
        for d in some
    }
    return share(members, as_of=ask.period.last_day, evidence=("rows/backup", "rows/device"))
