"""What the tiers stand between: what is recorded around the devices they ask, and where they bring what came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from monitor.alarms import News
from monitor.observation import Observation
from monitor.rules.subjects import Committed, Subject, Wired
from monitor.samples import Poll


@dataclass(frozen=True)
class Setting:
    """What is recorded around the devices: contracts and links by interface, who is silent, the last good backups."""

    committed: Mapping[int, Mapping[str, Committed]] = field(default_factory=dict)
    links: Mapping[int, Mapping[str, Wired]] = field(default_factory=dict)
    silent: frozenset[int] = frozenset()
    backed_up: Mapping[int, datetime] = field(default_factory=dict)

    def config_age_s(self, device: int, now: datetime) -> float | None:
        """Return how old a device's last good backup is; None where nobody keeps one."""
        at = self.backed_up.get(device)
        return None if at is None else max(0.0, (now - at).total_seconds())


class Sink(Protocol):
    """Where the tiers bring what came."""

    def store(self, polls: list[Poll]) -> None:
        """Take samples."""

    def hear(self, device: int, news: News, whole: Observation | None = None) -> None:
        """Take news of a device; `whole`: a reading that tells who it is."""

    def doubt(self, device: int) -> None:
        """Take note that a device did not answer: who is there is looked at now."""

    def changed(self, device: int) -> None:
        """Take note that a device has other interfaces than are known."""

    def served(self, subject: Subject) -> None:
        """Take what a check of a service brought."""

    def knocked(self, device: str, host_key: str) -> None:
        """Take how the host key of a device was at a login."""
