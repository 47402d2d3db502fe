"""What the rules ask of the sample store: raw values by time, and which parts of a device it knows."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from monitor.samples import Key, SampleStore

Series = Mapping[Key, list[tuple[datetime, int]]]


def points(samples: SampleStore, keys: Sequence[Key], start: datetime, end: datetime) -> Series:
    """Return the values of each series in the window, by time; a series without values has no entry."""
    if not keys:
        return {}
    return {key: series.points() for key, series in samples.read(keys, start, end).items()}


def instances(samples: SampleStore, device: int, metric: str, start: datetime, end: datetime) -> list[str]:
    """Return the instances of a metric of a device that may have values in the window."""
    named = samples.names(start, end).get(device, set())
    return sorted(instance for known, instance in named if known == metric)
