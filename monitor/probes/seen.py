"""What a check over a connection has seen so far: it is kept when the time is over, and becomes the result."""

from dataclasses import dataclass, field

from monitor.probes.connect import Phases
from monitor.probes.plan import Limits
from monitor.probes.result import Certificate, Fault, Range, Reading


@dataclass
class Seen:
    """What is known so far. `url` is where the last redirect led; `inner`: every address so far was this machine's."""

    url: str
    phases: Phases = field(default_factory=Phases)
    status: int | None = None
    address: str = ""
    certificate: Certificate | None = None
    faults: list[Fault] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    cut: bool = False
    location: str = ""
    encoding: str = ""
    inner: bool = True


def readings(seen: Seen, took_s: float, limits: Limits) -> tuple[Reading, ...]:
    """Return the times and sizes of a check."""
    found = [Reading("time", took_s, "s", Range(0, limits.slow_s), Range(0, limits.timeout_s), 0.0)]
    found += [Reading(phase, value, "s", minimum=0.0) for phase, value in seen.phases.seconds.items()]
    if seen.status is not None:
        found.append(Reading("size", float(len(seen.body)), "bytes", minimum=0.0))
    if seen.certificate:
        warning, critical = (Range(float(d), None) for d in (limits.warning_days, limits.critical_days))
        found.append(Reading("certificate_days", seen.certificate.days_left, "", warning, critical))
    return tuple(found)
