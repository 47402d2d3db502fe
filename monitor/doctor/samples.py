"""The samples: whether what was stored can be read, whether days are missing, and whether housekeeping keeps up."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

from monitor.doctor.finding import OK, WARNING, WRONG, Finding, Patient, many
from monitor.samples import ms_of
from monitor.tsdb.check import check, missing_days
from monitor.tsdb.faults import explained
from monitor.tsdb.head import DAY_MS
from monitor.tsdb.hot import Hot, first_of

_NEWEST = 2  # day files of each tier that are read without --deep
_NAMED = 3
_SEALED_WITHIN = timedelta(hours=2, minutes=30)
_FILED_WITHIN_DAYS = 2


def samples(patient: Patient) -> Iterator[Finding]:
    """Read the store, all of it with `deep`."""
    root = patient.settings.home / "tsdb"
    if not (root / "hot.db").exists():
        yield Finding("samples", OK, "Nothing was ever measured here.")
        return
    found = check(root, newest=None if patient.deep else _NEWEST)
    for damage in found.damage[:_NAMED]:
        yield Finding(
            "samples", WRONG, f"{damage}.", "Put that file back from a backup; all else can be read."
        )
    if len(found.damage) > _NAMED:
        more = f"Damaged besides: {many(len(found.damage) - _NAMED, 'block')}."
        yield Finding("samples", WRONG, more, "'siaga samples check' lists them.")
    if not found.damage:
        how = "" if patient.deep else "; --deep reads all"
        said = f"{found.files} files with {found.blocks} blocks were read and are whole{how}."
        yield Finding("samples", OK, said)
    if days := missing_days(root):
        named = ", ".join(days[:_NAMED]) + (" …" if len(days) > _NAMED else "")
        said = f"There is no file of {many(len(days), 'day')} in between ({named})."
        yield Finding("samples", WARNING, said, "Put them back from a backup, if siaga ran on these days.")
    yield from _kept_up(patient)


def _kept_up(patient: Patient) -> Iterator[Finding]:
    """Look whether hours are sealed and days brought into files."""
    path, now_ms = patient.settings.home / "tsdb" / "hot.db", ms_of(patient.now)
    with explained(path), closing(Hot(path, writing=False, timeout_s=10)) as hot, hot.transaction("DEFERRED"):
        oldest = min(hot.oldest_in_head().values(), default=now_ms)
        keys = hot.hour_keys(0, now_ms // DAY_MS - _FILED_WITHIN_DAYS)
        newest = max((first_of(k) for k in hot.hour_keys(now_ms // DAY_MS, 2**31)), default=0)
    if now_ms - oldest > _SEALED_WITHIN.total_seconds() * 1000:
        hours = (now_ms - oldest) / 3_600_000
        said = f"The oldest samples that are not sealed yet are {hours:.0f} hours old."
        yield Finding(
            "samples", WARNING, said, "Start the service, or run 'siaga poll': each seals what is due."
        )
    if keys:
        days = len({first_of(k) // DAY_MS for k in keys})
        said = f"Not in files yet: {many(days, 'finished day')}."
        yield Finding("samples", WARNING, said, "Run 'siaga samples compact', and see that its timer runs.")
    if max(oldest, newest) > now_ms + DAY_MS:
        said = "There are samples of more than a day ahead: the clock of this machine was wrong."
        yield Finding(
            "samples", WARNING, said, "See to the time of this machine; they stay, under their times."
        )
