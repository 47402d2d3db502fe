"""The tier of services: a check is run, and what it brought becomes samples, a mark, and a subject of the rules."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from monitor.probes.plan import Check, limits
from monitor.probes.result import Probed, Verdict
from monitor.probes.run import probe
from monitor.rules.subjects import Subject
from monitor.samples import SERVICES, Asked, Poll, Sample, polls_of
from monitor.tier_rim import Sink
from siaga.settings import Settings


class ServiceTier:
    """Checks services, at most so many side by side as the settings say when it is made."""

    def __init__(self, settings: Settings, sink: Sink, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self._sink, self._now = sink, now
        self._checks = asyncio.Semaphore(settings.checks.concurrency)

    async def check(self, service_id: int, check: Check, began: Callable[[], None]) -> None:
        """Check a service."""
        async with self._checks:
            began()
            found = await probe(check, limits(self.settings.checks), now=self._now())
        self._sink.store(polls(SERVICES + service_id, found))
        self._sink.served(service_subject(found))


def service_subject(found: Probed) -> Subject:
    """Return a service as rules look at it; what this side could not find out is no verdict."""
    days = found.certificate.days_left if found.certificate else None
    said = None if found.verdict is Verdict.unknown else found.verdict.value
    facts = {"kind": found.kind, "check": found.kind}
    return Subject(
        "service", found.name, {"certificate_days": days, "verdict": said, "why": found.reason}, facts
    )


def polls(number: int, found: Probed) -> list[Poll]:
    """Return what is stored of a check: thousandths of each figure, and whether it was answered."""
    there = found.verdict in (Verdict.ok, Verdict.warning)
    samples = [
        Sample(number, f"service_{r.label}"[:60], "", found.at, round(r.value * 1000))
        for r in found.readings
        if r.value is not None and abs(r.value) < 2**50
    ]
    if (one := found.certificate) is not None:  # what the rows above do not tell: whether it is to be trusted
        sound = not one.chain and one.name_matches and one.protocol in ("TLSv1.2", "TLSv1.3")
        samples.append(Sample(number, "service_tls_sound", "", found.at, 1000 * sound))
    marks = [] if found.verdict is Verdict.unknown else [Asked(number, found.at, there)]
    return polls_of(samples, marks)
