"""The day before: what a poll every five minutes would have read of the same simulation.

The agents' counters are functions of time, so their past values can be computed as well as asked for. Without
a day of them no 95th percentile and no availability could be shown by a demo of a minute. The story says what
this is, and the report is marked as an illustration on every page.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from demo.agents import Mood
from demo.draft import Simulated
from demo.regency import Regency
from monitor.samples import Asked, Sample, SampleStore, polls_of

HOURS = 24
STEP_S = 300
DOWN_FOR_S = 3 * 3600  # since when the devices that are down have been so
_BOOTED_BEFORE_S = 40 * 86_400  # how long a device had been up that restarted within the day


def write(store: SampleStore, regency: Regency, ids: Mapping[str, int], now: datetime) -> int:
    """Write a day of samples up to `now`, the moment the simulation began; return how many values they are."""
    devices = [d for d in (*regency.agents, *regency.command_lines) if d.spec.name in ids]
    measured = _measured(regency)
    samples = [s for d in devices for s in _samples(d, ids[d.spec.name], measured, now)]
    store.write(polls_of(samples, [a for d in devices for a in _asked(d, ids[d.spec.name], now)]))
    return len(samples)


def _times() -> range:
    return range(-HOURS * 3600, -STEP_S + 1, STEP_S)


def _measured(regency: Regency) -> frozenset[str]:
    """Return 'device:interface' of each interface that a connection is measured on."""
    return frozenset(str(row["interface"]) for row in regency.sheets["connection"] if row.get("interface"))


def _answers(device: Simulated, at_s: int) -> bool:
    return device.behaviour.mood is not Mood.down or at_s < -DOWN_FOR_S


def _asked(device: Simulated, device_id: int, now: datetime) -> Iterator[Asked]:
    for at_s in _times():
        yield Asked(device_id, now + timedelta(seconds=at_s), _answers(device, at_s))


def _samples(device: Simulated, device_id: int, measured: frozenset[str], now: datetime) -> Iterator[Sample]:
    ports = [p for p in device.spec.ports if f"{device.spec.name}:{p.name}" in measured]
    for at_s in filter(lambda s: _answers(device, s), _times()):
        at = now + timedelta(seconds=at_s)
        uptime_s = device.spec.uptime_s + at_s
        uptime_s += _BOOTED_BEFORE_S if uptime_s < 0 else 0
        yield Sample(device_id, "uptime", "", at, round(uptime_s * 100))
        for port in ports:
            yield Sample(device_id, "in_octets_64", port.name, at, port.rx.octets(at_s))
            yield Sample(device_id, "out_octets_64", port.name, at, port.tx.octets(at_s))
