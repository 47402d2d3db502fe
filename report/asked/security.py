"""What the audit has seen of doors, and what compliance says of configurations: what is known, as of the period."""

from collections.abc import Iterator

from inventory.findings_read import deviations, shown
from report.asked.source import Source
from report.records import Drift, Exposure
from siaga.text import safe


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


ANSWERS = {Exposure: exposures}
