"""The machine: room on the disk and how long it lasts, whether the clock is kept, and what siaga runs on."""

import ctypes
import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from monitor.doctor.finding import OK, WARNING, WRONG, Finding, Patient
from monitor.tsdb.days import TIERS, days_in, name_of

_FREE_LEAST = 2**30
_FREE_SHARE = 0.05
_DAYS_SOON, _DAYS_NOW = 30, 7
_WEEK = 7
_UNSYNCHRONISED = 0x40  # STA_UNSYNC, <sys/timex.h>
_TIMEX_BYTES, _TIMEX_STATUS, _TIMEX_ERROR = (
    208,
    40,
    24,
)  # struct timex on 64-bit Linux: int status, long maxerror (µs)
_ERROR_MOST_S = 1.0


def disk(patient: Patient) -> Iterator[Finding]:
    """Look how much room there is, and when it will be used up at the pace of the last week."""
    home = patient.settings.home
    usage, files = shutil.disk_usage(home), os.statvfs(home)
    said = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.0f} are free on the disk of {home}."
    small = usage.free < min(_FREE_LEAST, _FREE_SHARE * usage.total)
    if small:
        yield Finding(
            "disk", WRONG, said, "Make room: what cannot be stored waits in memory, and is lost in the end."
        )
    elif files.f_files and files.f_favail < files.f_files * 0.01:
        yield Finding(
            "disk", WRONG, f"The disk of {home} has no room for more files.", "Remove files from it."
        )
    else:
        yield Finding("disk", OK, said)
    yield from _lasts(patient, usage.free)


def _lasts(patient: Patient, free: int) -> Iterator[Finding]:
    grows = growth(patient.settings.home / "tsdb", patient.settings.samples.kept_days)
    if grows <= 0:
        return
    days = free / grows
    said = f"The samples grow by {grows / 2**20:.1f} MiB a day: the disk is full in {days:,.0f} days."
    if days < _DAYS_SOON:
        state = WRONG if days < _DAYS_NOW else WARNING
        yield Finding("disk", state, said, "Make room, or keep samples for less ([samples] raw_days).")
    else:
        yield Finding("disk", OK, said)


def growth(root: Path, kept: dict[str, int]) -> float:
    """Return by how many octets a day the day files grow; a tier that is as long as it may be grows no more."""
    found = 0.0
    for tier in TIERS:
        days = days_in(root / tier)
        if not days or days[-1] - days[0] + 1 >= kept[tier]:
            continue
        sizes = [(root / tier / name_of(d)).stat().st_size for d in days[-_WEEK:]]
        found += sum(sizes) / len(sizes)
    return found


def clock(patient: Patient) -> Iterator[Finding]:
    """Look whether the time of this machine is kept by somebody (adjtimex(2))."""
    del patient
    kept = _kept()
    if kept is None:
        yield Finding("clock", OK, "Nobody tells whether the clock of this machine is kept.")
    elif kept > _ERROR_MOST_S:
        said = "The clock of this machine is not synchronised; samples and SNMPv3 rest on it."
        yield Finding("clock", WARNING, said, "Install chrony, or run: timedatectl set-ntp true")
    else:
        yield Finding("clock", OK, f"The clock is synchronised, within {kept:.3f} s.")


def _kept() -> float | None:
    """Return how far the clock may be off, in seconds; infinite if nobody keeps it, None if the kernel says nothing."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        if platform.machine() not in ("x86_64", "aarch64") or ctypes.CDLL(None).adjtimex(buffer) < 0:
            return None
    except (OSError, AttributeError):
        return None
    status = int.from_bytes(buffer.raw[_TIMEX_STATUS : _TIMEX_STATUS + 4], "little")
    error_us = int.from_bytes(buffer.raw[_TIMEX_ERROR : _TIMEX_ERROR + 8], "little")
    return float("inf") if status & _UNSYNCHRONISED else timedelta(microseconds=error_us).total_seconds()


def versions(patient: Patient) -> Iterator[Finding]:
    """Say what siaga runs on, and what it would run better with."""
    del patient
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("siaga")
    except PackageNotFoundError:
        own = "of the source"
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    said = f"siaga {own}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {system}."
    yield Finding("versions", OK, said)
    if find_spec("zstandard") is None:
        said = (
            "Samples would take less room, and sealing less time, with the package zstandard (siaga[zstd])."
        )
        yield Finding("versions", OK, said)
