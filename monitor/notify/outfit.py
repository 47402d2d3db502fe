"""A route with what it needs to send."""

from dataclasses import dataclass

from pydantic import SecretStr, ValidationError
from sqlalchemy import Engine
from sqlmodel import select

from inventory.credentials import opened
from inventory.models import Credential
from inventory.store import reading
from monitor.notify import queue
from monitor.notify.channels import channels
from monitor.notify.letter import NO_SECRET, Channel
from monitor.notify.routes import BUILT_IN, all_routes
from siaga.errors import InvalidError, NotFoundError
from siaga.secrets import open_vault
from siaga.settings import Route, Settings
from siaga.text import safe


@dataclass(frozen=True)
class Outfit:
    """A route with what it needs to send: its channel, the options checked, and the secret opened."""

    route: Route
    channel: Channel
    options: object
    username: str = ""
    secret: SecretStr = NO_SECRET


def channel_of(route: Route) -> Channel:
    """Return the channel that a route tells by. Raises InvalidError (`no-such-channel`)."""
    channel = channels().get(route.channel)
    if channel is None:
        known = ", ".join(channels())
        sentence = f"Route '{route.name}' has the channel '{route.channel}'; there are {known}."
        raise InvalidError("no-such-channel", sentence)
    return channel


def outfit(engine: Engine, settings: Settings, name: str) -> Outfit:
    """Return a route ready to send. Raises NotFoundError, InvalidError, AuthError."""
    routes = {**all_routes(settings.routes), queue.LAST: BUILT_IN.model_copy(update={"name": queue.LAST})}
    if name not in routes:
        raise NotFoundError("no-such-route", f"There is no route '{safe(name, 60)}' in [[routes]].")
    route = routes[name]
    channel = channel_of(route)
    try:
        options = channel.Options.model_validate(dict(route.options))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise InvalidError("bad-route", f"The options of route '{name}' are not valid.", problems) from None
    if not route.credential:
        return Outfit(route, channel, options)
    with reading(engine) as opened_:
        row = opened_.exec(select(Credential).where(Credential.name == route.credential)).first()
        if row is None or row.id is None:
            sentence = f"Route '{name}' names the credential '{route.credential}', and there is none."
            raise NotFoundError("no-such-credential", sentence)
        known_ = opened(opened_, open_vault(settings.home), row.id)
    secret = known_.secrets.get(channel.SECRET, NO_SECRET)
    return Outfit(route, channel, options, known_.username, secret)
