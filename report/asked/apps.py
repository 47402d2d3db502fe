"""Applications: what is recorded of them, how available their checks found them, and their certificates."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlmodel import select

from inventory.models import Dependency
from inventory.models import Service as ServiceRow
from inventory.models_people import Contact
from monitor.samples import SERVICES
from monitor.tsdb import runs
from report.asked.source import Source
from report.asked.watching import look_digests
from report.records import App
from siaga.text import safe

TTIS = "ttis"  # the role of a contact that answers for incidents of a service
_HOUR_S = 3600


def apps(source: Source) -> Iterator[App]:
    """Yield the applications, by name."""
    numbers = [SERVICES + i for i in source.services]
    seen = _checked(source, numbers) if numbers else {}
    needs: dict[int, int] = {}
    for service_id in source.session.exec(select(Dependency.service_id)):
        needs[service_id or 0] = needs.get(service_id or 0, 0) + 1
    query = select(Contact.target).where(Contact.target_noun == "service", Contact.role == TTIS)
    answered_for = set(source.session.exec(query))
    days = _last(source, numbers, "service_certificate_days")
    sound = _last(source, numbers, "service_tls_sound")
    for service_id, row in sorted(source.services.items(), key=lambda pair: pair[1].name):
        number = SERVICES + service_id
        yield _app(
            source,
            row,
            seen.get(number, _Checked()),
            needs.get(service_id, 0),
            row.name in answered_for,
            days.get(number, _NONE),
            sound.get(number, _NONE),
        )


def _app(
    source: Source,
    row: ServiceRow,
    seen: "_Checked",
    needs: int,
    answered_for: bool,
    days: "_Last",
    sound: "_Last",
) -> App:
    agency = source.agencies.get(row.agency_id or 0)
    device = source.devices.get(row.device_id or 0)
    places = [row.place_id, device.place_id if device else None]
    return App(
        name=safe(row.name),
        title=safe(row.title),
        agency=safe(agency.name) if agency else "",
        agency_kind=agency.kind if agency else "",
        hosting=row.hosting,
        place=next((source.place(p) for p in places if p is not None), ""),
        data_centre=_in_data_centre(source, row, places),
        url=safe(row.url, 1000),
        spl=row.spl,
        national=row.national,
        criticality=row.criticality,
        depends_on=needs,
        incident_contact=answered_for,
        window_ms=source.period.ms,
        observed_ms=seen.answered_ms + seen.silent_ms,
        up_ms=seen.answered_ms,
        certificate_days=None if days.value is None else round(days.value, 1),
        tls_ok=None if sound.value is None else sound.value >= 1,
        sha256=_sha256(seen.sha256, days.sha256, sound.sha256),
    )


def _sha256(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest() if any(parts) else ""


@dataclass(frozen=True)
class _Checked:
    """How long checks of an application succeeded and failed, and the hash of what they found."""

    answered_ms: int = 0
    silent_ms: int = 0
    sha256: str = ""


def _checked(source: Source, numbers: list[int]) -> Mapping[int, _Checked]:
    table = runs.ordered(
        source.samples.runs(source.period.since, source.period.until, source.hold_s, numbers)
    )
    start, end = source.window.ms
    who, answered, silent = runs.covered(table, start, end, source.hold_ms)
    digests = look_digests(table, source.hold_ms, (start, end))
    rows = zip(who.tolist(), answered.tolist(), silent.tolist(), strict=True)
    return {n: _Checked(up, down, digests.get(n, "")) for n, up, down in rows}


def _in_data_centre(source: Source, row: ServiceRow, places: list[int | None]) -> bool | None:
    """Tell whether an application runs in a data centre; one that is at home runs where its device stands."""
    if row.hosting in ("pdn", "awan"):
        return True
    known = [p for p in places if p is not None]
    if not known:
        return None
    rooms = [source.room(p) for p in known]
    return any(r is not None and r.purpose == "server" for r in rooms)


@dataclass(frozen=True)
class _Last:
    """The last value of a metric in the period, and the hash of all of them."""

    value: float | None = None
    sha256: str = ""


_NONE = _Last()


def _last(source: Source, numbers: list[int], metric: str) -> Mapping[int, _Last]:
    """Return number → the last value of a metric in the period."""
    keys = [(n, metric, "") for n in numbers]
    bins = source.samples.bins(keys, source.period.since, source.period.until, _HOUR_S) if keys else {}
    return {
        key[0]: _Last(
            float(some.means()[-1]) / 1000,
            hashlib.sha256(some.at_ms.tobytes() + some.total.tobytes() + some.weight.tobytes()).hexdigest(),
        )
        for key, some in bins.items()
        if len(some.at_ms)
    }


ANSWERS = {App: apps}
