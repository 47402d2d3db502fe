"""What the rules ask of the sample store: raw values by time, and which parts of a device it knows."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from monitor.samples import Key, SampleStore

Series = Mapping[Key, list[tuple[datetime, int]]]


def points(samples: SampleStore, keys: Sequence[Key], start: datetime, end: datetime) -> Series:
    """Return the values of each series in the window, by time; a series without values has no entry."""
    return samples.read(keys, start, end) if keys else {}


def instances(samples: SampleStore, device: int, metric: str) -> list[str]:
    """Return the instances of a metric of a device."""
    return samples.instances(device, metric)
