"""Traps and syslog inside the service: the receiver with its sockets, events told, wishes handed on."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from sqlalchemy import Engine

from inventory.store import reading
from monitor.listen.event import Event, Wish
from monitor.listen.meaning import patterns
from monitor.listen.receiver import Receiver
from monitor.listen.sieve import Sieve
from monitor.listen.sockets import opened
from monitor.listen.store import known_sources, trap_auths
from monitor.selfwatch import SelfWatch
from siaga.clock import utc_now
from siaga.errors import SiagaError
from siaga.secrets import open_vault
from siaga.settings import Settings
from siaga.text import safe


async def listening(
    stack: AsyncExitStack,
    engine: Engine,
    settings: Settings,
    wish: Callable[[int], None],
    say: Callable[[str], None],
    watch: SelfWatch,
) -> Callable[[], Mapping[str, int]]:
    """Open the receiver until the stack ends; return what counts. What cannot be opened is a problem, not an end."""

    def told(event: Event) -> None:
        say(
            f"{event.channel} from {event.device or event.source}: {event.kind.value}: {safe(event.text, 200)}"
        )

    def wished(one: Wish) -> None:
        if one.what == "poll":
            wish(one.device_id)
        else:
            say(f"{one.what} of {one.device} is wanted: {one.why}")

    try:
        receiver = _receiver(engine, settings, told, wished)
        await stack.enter_async_context(opened(receiver, settings.listen))
    except SiagaError as error:
        watch.problems["listen"] = error.sentence
        say(error.sentence)
        return dict
    stack.callback(receiver.keep)
    return lambda: receiver.tally


def _receiver(
    engine: Engine, settings: Settings, told: Callable[[Event], None], wished: Callable[[Wish], None]
) -> Receiver:
    own = settings.listen
    with reading(engine) as session:
        auths = trap_auths(session, open_vault(settings.home), own.credentials)
        sources = known_sources(session, [str(r) for r in own.relays])
    sieve = Sieve(own.rate_per_s, own.burst)
    state = settings.home / "trap-engine.json"
    return Receiver(auths, sources, patterns(), sieve=sieve, now=utc_now, tell=told, wish=wished, state=state)
