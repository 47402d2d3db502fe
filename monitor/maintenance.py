"""Windows of planned work: which are open now, whom they take in, and whether one may end before its time.

Whatever is cut off while the devices of a window are away is in it too: children inherit, by the recorded network.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_, select

from inventory.network import Network
from inventory.select import selected
from monitor.models import Maintenance
from monitor.state import THERE, Standing
from monitor.topology import hang_on
from siaga.clock import JAKARTA
from siaga.errors import SiagaError
from siaga.hours import hours

SETTLED = timedelta(minutes=5)  # devices that were away must be back for so long before a window ends early


def is_open(window: Maintenance, now: datetime, zone: str = JAKARTA) -> bool:
    """Tell whether a window is open now."""
    if window.ended_at is not None and window.ended_at <= now and not _comes_again(window, now, zone):
        return False
    if now < window.start or (window.end is not None and now >= window.end):
        return False
    return not window.every or hours(window.every, zone).hold(now)


def _comes_again(window: Maintenance, now: datetime, zone: str) -> bool:
    """Tell whether a recurring window that was ended early is in a later one of its turns."""
    if not window.every or window.ended_at is None:
        return False
    turn_end = hours(window.every, zone).until(window.ended_at)
    return turn_end is None or now >= turn_end


def open_windows(session: Session, now: datetime, zone: str = JAKARTA) -> list[Maintenance]:
    """Return the windows that are open now."""
    begun = select(Maintenance).where(Maintenance.start <= now)
    query = begun.where(or_(col(Maintenance.end).is_(None), col(Maintenance.end) > now))
    return [w for w in session.exec(query.order_by(Maintenance.name)) if is_open(w, now, zone)]


def members(session: Session, window: Maintenance) -> frozenset[int]:
    """Return the devices a window names. One whose selector means nothing any more takes nobody in."""
    try:
        return frozenset(selected(session, "device", window.selector))
    except SiagaError:
        return frozenset()


def in_maintenance(
    session: Session, windows: Iterable[Maintenance], network: Network, roots: Collection[int]
) -> dict[int, str]:
    """Return device → the name of the window it is in, with those that hang on its devices."""
    found: dict[int, str] = {}
    for window in windows:
        for device in hang_on(network, roots, members(session, window)):
            found.setdefault(device, window.name)
    return found


def away(standings: Iterable[Standing]) -> bool:
    """Tell whether any of these devices is not there, or was silent just now."""
    return any(s.beneath not in THERE or s.silent for s in standings)


def may_end(window: Maintenance, standings: Collection[Standing], now: datetime) -> bool:
    """Tell whether a window ends early: its devices were away, and have all been back for a while.

    Before any of them was away the work has not begun, and nothing ends.
    """
    if not window.ends_early or window.away_at is None or not standings or away(standings):
        return False
    return now - window.away_at >= SETTLED
