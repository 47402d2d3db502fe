"""Makes a receiver ready: who may send, by the inventory; with which credentials and how much, by the settings."""

from collections.abc import Callable

from sqlalchemy import Engine

from inventory.store import reading
from monitor.listen.event import Event, Wish
from monitor.listen.meaning import patterns
from monitor.listen.receiver import Receiver
from monitor.listen.sieve import Sieve
from monitor.listen.store import known_sources, trap_auths
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import Listen, Settings


def ready(
    engine: Engine,
    settings: Settings,
    own: Listen,
    tell: Callable[[Event], None],
    wish: Callable[[Wish], None],
) -> Receiver:
    """Return a receiver; `own`: how to listen. Raises NotFoundError and InvalidError for credentials it names."""
    with reading(engine) as opened:
        auths = trap_auths(opened, open_vault(settings.home), own.credentials)
        sources = known_sources(opened, [str(r) for r in own.relays])
    sieve = Sieve(own.rate_per_s, own.burst)
    state = settings.home / "trap-engine.json"
    return Receiver(
        auths,
        sources,
        patterns(),
        sieve=sieve,
        now=utc_now,
        tell=tell,
        wish=wish,
        state=state,
        zone=settings.timezone,
    )
