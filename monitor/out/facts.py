"""What siaga holds for true now, as points: states, alerts, interfaces, contracts, and how siaga itself is.

Missing is absent, never 0: a device that nobody observed has no siaga_device_up. What is older than `max_age` is not
told; a state that nobody judged for so long is 'not observed'.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from inventory.models import Connection, Device, Interface, Link
from monitor.models import Alert, DeviceState
from monitor.out.book import LONGEST, Book, ordered
from monitor.out.families import Family, Labels, Point
from monitor.state import State
from monitor.store import IS_ASKED
from siaga.clock import as_utc
from siaga.text import safe

STATE = Family("siaga_device_state", "gauge", "1 for the state that a device is in, 0 for the others.")
UP = Family("siaga_device_up", "gauge", "1: the device answers; 0: it is down; absent: nobody knows.")
ALERT = Family("siaga_alert", "gauge", "1 for every alert that is open.")
OPER = Family(
    "ifOperStatus", "gauge", "1 up, 2 down, 3 testing, 5 dormant, 7 lowerLayerDown (IF-MIB).", mib=True
)
ADMIN = Family("ifAdminStatus", "gauge", "1 up, 2 down, 3 testing (IF-MIB).", mib=True)
COMMITTED = Family("siaga_connection_committed_bps", "gauge", "What the contract promises, by direction.")
LINK = Family("siaga_link_info", "gauge", "1 for each recorded end of a link.")
CAPACITY = Family("siaga_link_capacity_bps", "gauge", "What a link can carry.")
_STATUS = {
    "up": 1, "down": 2, "testing": 3, "unknown": 4, "dormant": 5, "notPresent": 6, "lowerLayerDown": 7,
}  # fmt: skip
_UP = {State.up.value: 1, State.degraded.value: 1, State.down.value: 0}


def facts(session: Session, book: Book, now: datetime, max_age: timedelta) -> Iterator[Point]:
    """Yield all of them for the devices in the book; those of siaga itself too."""
    yield from _states(session, book, now - max_age)
    yield from _alerts(session, book)
    yield from _statuses(session, book, now - max_age)
    yield from _connections(session, book)
    yield from _links(session, book)


def _states(session: Session, book: Book, oldest: datetime) -> Iterator[Point]:
    rows = {s.device_id: s for s in session.exec(select(DeviceState)) if as_utc(s.at) >= oldest}
    for device in session.exec(select(Device.id).where(*IS_ASKED)):
        labels = book.labels(device or 0)
        if labels is None:
            continue
        row = rows.get(device or 0)
        now = row.state if row else State.not_observed.value
        for state in State:
            yield Point(STATE, ordered((*labels, ("state", state.value))), int(state.value == now))
        known = _UP.get(now, _UP.get(row.beneath) if row and now in ("flapping", "maintenance") else None)
        if known is not None:
            yield Point(UP, labels, known)


def _alerts(session: Session, book: Book) -> Iterator[Point]:
    for alert in session.exec(select(Alert).where(col(Alert.closed_at).is_(None))):
        own = ordered(book.outside) if alert.device_id is None else book.labels(alert.device_id)
        if own is None:
            continue
        said = {
            "rule": alert.rule,
            "severity": alert.severity,
            "subject": safe(alert.subject, LONGEST),
            "acknowledged": "yes" if alert.acked_at else "no",
        }
        yield Point(ALERT, ordered((*own, *said.items())), 1)


def _statuses(session: Session, book: Book, oldest: datetime) -> Iterator[Point]:
    query = select(Interface.device_id, Interface.name, Interface.admin_status, Interface.oper_status).where(
        col(Interface.seen_at) >= oldest
    )
    for device, name, admin, oper in session.exec(query):
        labels = book.labels(device or 0, book.port(device or 0, name))
        if labels is None:
            continue
        for family, status in ((OPER, oper), (ADMIN, admin)):
            if status in _STATUS:
                yield Point(family, labels, _STATUS[status])


def _connections(session: Session, book: Book) -> Iterator[Point]:
    query = select(Connection, Interface).join(Interface, col(Interface.id) == col(Connection.interface_id))
    for connection, port in session.exec(query):
        for direction, promised in (
            ("in", connection.committed_down_bps),
            ("out", connection.committed_up_bps),
        ):
            labels = _at(
                book, port, (("connection", safe(connection.name, LONGEST)), ("direction", direction))
            )
            if labels is not None and promised:
                yield Point(COMMITTED, labels, promised)


def _links(session: Session, book: Book) -> Iterator[Point]:
    ports = {p.id: p for p in session.exec(select(Interface))}
    for link in session.exec(select(Link)):
        what = (("kind", link.kind), ("link", safe(link.name, LONGEST)), ("link_role", link.role))
        for end, number in (("a", link.a_interface_id), ("z", link.z_interface_id)):
            port = ports.get(number)
            labels = _at(book, port, (*what, ("end", end))) if port else None
            if labels is None:
                continue
            yield Point(LINK, labels, 1)
            if link.capacity_bps:
                yield Point(CAPACITY, labels, link.capacity_bps)


def _at(book: Book, port: Interface, more: Labels) -> Labels | None:
    """Return the labels of an interface, and more."""
    device = port.device_id or 0
    return book.labels(device, (*book.port(device, port.name), *more))
