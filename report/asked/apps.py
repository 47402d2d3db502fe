"""Applications: what is recorded of them, how available their checks found them, and their certificates."""

from collections.abc import Iterator, Mapping

from sqlmodel import select

from inventory.models import Dependency
from inventory.models import Service as ServiceRow
from inventory.models_people import Contact
from monitor.samples import SERVICES, Availability
from report.asked.source import Source
from report.records import App
from siaga.text import safe

TTIS = "ttis"  # the role of a contact that answers for incidents of a service
_HOUR_S = 3600


def apps(source: Source) -> Iterator[App]:
    """Yield the applications, by name."""
    since, until = source.period.since, source.period.until
    numbers = [SERVICES + i for i in source.services]
    seen = source.samples.availability(since, until, source.hold_s, numbers) if numbers else {}
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
            seen.get(number),
            needs.get(service_id, 0),
            row.name in answered_for,
            days.get(number),
            sound.get(number),
        )


def _app(
    source: Source,
    row: ServiceRow,
    seen: Availability | None,
    needs: int,
    answered_for: bool,
    days: float | None,
    sound: float | None,
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
        observed_ms=round(1000 * (seen.answered_s + seen.silent_s)) if seen else 0,
        up_ms=round(1000 * seen.answered_s) if seen else 0,
        certificate_days=None if days is None else round(days, 1),
        tls_ok=None if sound is None else sound >= 1,
    )


def _in_data_centre(source: Source, row: ServiceRow, places: list[int | None]) -> bool | None:
    """Tell whether an application runs in a data centre; one that is at home runs where its device stands."""
    if row.hosting in ("pdn", "awan"):
        return True
    known = [p for p in places if p is not None]
    if not known:
        return None
    rooms = [source.room(p) for p in known]
    return any(r is not None and r.purpose == "server" for r in rooms)


def _last(source: Source, numbers: list[int], metric: str) -> Mapping[int, float]:
    """Return number → the last value of a metric in the period."""
    keys = [(n, metric, "") for n in numbers]
    bins = source.samples.bins(keys, source.period.since, source.period.until, _HOUR_S) if keys else {}
    return {key[0]: float(some.means()[-1]) / 1000 for key, some in bins.items() if len(some.at_ms)}


ANSWERS = {App: apps}
