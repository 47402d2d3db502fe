"""What a round of answers is to the rules: the parts of devices, what counters come to, and what is recorded."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from inventory.models import Interface
from monitor import alarm_store, store
from monitor.alarms import News, heard_of
from monitor.observation import Observation, Port, Reach
from monitor.rates import Count, increments
from monitor.rules.subjects import Around, Flow, Wired, subjects
from monitor.samples import Key, SampleStore
from monitor.scene import Scene, away
from monitor.stored import Series, points

_OCTETS = ("in_octets", "out_octets")
_SMALL = ("in_errors", "out_errors", "in_discards", "out_discards")
_SHORTEST = timedelta(minutes=15)
_FRESH = timedelta(seconds=1)


def news_of(
    session: Session, scene: Scene, samples: SampleStore, seen: Mapping[int, Observation], now: datetime
) -> dict[int, News]:
    """Return the news of a round of whole answers. The counters of the round are in the store already."""
    promised = store.committed(session)
    links = _links(session, scene)
    ports = {d: store.named_ports(o.ports) for d, o in seen.items()}
    window = max(_SHORTEST, timedelta(seconds=3 * scene.settings.poll.interval_s))
    keys = [
        k for d, named in ports.items() for k in _keys(d, named, {*promised.get(d, ()), *links.get(d, ())})
    ]
    series = points(samples, keys, now - window, now)
    found = {}
    for device, observation in seen.items():
        around = Around(
            flows=flows(device, ports[device], series, observation.at),
            committed=promised.get(device, {}),
            links=links.get(device, {}),
        )
        answered = observation.reach in (Reach.up, Reach.partial)
        parts = tuple(subjects(observation, ports[device], around)) if answered else ()
        heard = (heard_of(device, observation, now),)
        found[device] = News(heard, parts, observation.reach is Reach.up, observation)
    return found


def _links(session: Session, scene: Scene) -> dict[int, dict[str, Wired]]:
    """Return device → interface name → the link that it tells of."""
    if not scene.ends:
        return {}
    standings = alarm_store.standings(session)
    wanted = {e.interface_id for e in scene.ends}
    query = select(Interface.id, Interface.name)
    if len(wanted) < 500:
        query = query.where(col(Interface.id).in_(wanted))
    names = {i: n for i, n in session.exec(query) if i in wanted}
    found: dict[int, dict[str, Wired]] = {}
    for end in scene.ends:
        if end.interface_id in names:
            gone = away(standings.get(end.far)) if end.far is not None else False
            wired = Wired(end.wired.link, end.wired.role, away=gone)
            found.setdefault(end.device, {})[names[end.interface_id]] = wired
    return found


def _keys(device: int, ports: Mapping[str, Port], busy: Iterable[str]) -> list[Key]:
    """Return the series that rates are made of: octets where somebody asks for them, errors everywhere."""
    found: list[Key] = [(device, "uptime", "")] if ports else []
    for name in ports:
        found += [(device, metric, name) for metric in (*_SMALL, "discontinuity")]
    wide = [f"{m}{suffix}" for m in _OCTETS for suffix in ("_64", "")]
    return [*found, *((device, metric, name) for name in busy if name in ports for metric in wide)]


def flows(device: int, ports: Mapping[str, Port], series: Series, at: datetime) -> dict[str, Flow]:
    """Return what the counters come to over the interval that ends now; without one, nothing is observed."""
    uptimes = {t: value / 100 for t, value in series.get((device, "uptime", ""), ())}
    found = {}
    for name, port in ports.items():
        marks = dict(series.get((device, "discontinuity", name), ()))

        def newest(metric: str, bits: int, speed_bps: int | None) -> float | None:
            raw = series.get((device, metric, name), [])[-2:]  # noqa: B023 - called before the loop goes on
            counts = [Count(t, v, uptimes.get(t), marks.get(t)) for t, v in raw]  # noqa: B023
            steps = list(increments(counts, bits=bits, speed_bps=speed_bps))
            return steps[-1].per_second if steps and steps[-1].end >= at - _FRESH else None

        received, sent = (
            newest(f"{m}_64", 64, port.speed_bps)
            if (device, f"{m}_64", name) in series
            else newest(m, 32, port.speed_bps)
            for m in _OCTETS
        )
        errors, discards = ([newest(m, 64, None) for m in some] for some in (_SMALL[:2], _SMALL[2:]))
        found[name] = Flow(_bits(received), _bits(sent), _per_minute(errors), _per_minute(discards))
    return found


def _bits(octets_per_s: float | None) -> float | None:
    return None if octets_per_s is None else octets_per_s * 8


def _per_minute(rates: Iterable[float | None]) -> float | None:
    known = [r for r in rates if r is not None]
    return sum(known) * 60 if known else None
