"""One pass over the outbox: what is due is told, route by route, and what came of it is kept.

`run_once` is what `siaga notify run` and the service call. It holds no transaction while it talks to anybody. A route
that fails rests for a while, longer each time; the others go on beside it.
"""

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from inventory.store import reading, session
from monitor.models import Notification
from monitor.notify import queue
from monitor.notify.backoff import wait_s
from monitor.notify.buttons import mark
from monitor.notify.compose import composed, digest
from monitor.notify.letter import Letter, Message, Refused, Result
from monitor.notify.messages import messages
from monitor.notify.outbox import BEGINNINGS
from monitor.notify.outfit import Outfit, outfit
from monitor.notify.receivers import receivers
from monitor.notify.routes import BUILT_IN
from monitor.rules import files
from siaga.clock import utc_now
from siaga.errors import SiagaError
from siaga.secrets import open_vault
from siaga.settings import Settings
from siaga.text import safe

_ABREAST = 8
_LOST = "the route is not in the settings any more"


@dataclass(frozen=True)
class Done:
    """What a pass did with one letter: `status` is sent, waiting (tried again) or failed (given up)."""

    route: str
    notifications: int
    status: str
    why: str = ""


def run_once(
    engine: Engine,
    settings: Settings,
    now: Callable[[], datetime] = utc_now,
    chance: Callable[[], float] = random.random,
) -> list[Done]:
    """Tell what is due now. Never raises for a channel, a receiver or the network."""
    with reading(engine) as opened_:
        due = queue.due_routes(opened_, now())
    if not due:
        return []
    passes = [_Pass(engine, settings, name, now, chance) for name in due]
    with ThreadPoolExecutor(min(_ABREAST, len(passes)), "notify") as pool:
        return [done for some in pool.map(_Pass.run, passes) for done in some]


@dataclass(frozen=True)
class _Pass:
    """One pass over one route."""

    engine: Engine
    settings: Settings
    name: str
    now: Callable[[], datetime]
    chance: Callable[[], float]

    def run(self) -> list[Done]:
        at = self.now()
        with session(self.engine) as writing:
            rows = queue.claim(writing, self.name, at)
        if not rows:
            return []
        try:
            ready = outfit(self.engine, self.settings, self.name)
        except SiagaError as error:
            return [self._unable(rows, error)]
        return self._send(ready, rows, at)

    def _unable(self, rows: Sequence[Notification], error: SiagaError) -> Done:
        """A route that is set up wrongly tells nothing: what it had to tell goes on to the default route."""
        route = next((r for r in self.settings.routes if r.name == self.name), None)
        route = route or BUILT_IN.model_copy(update={"name": self.name, "channel": "none"})
        why = _LOST if error.code == "no-such-route" else f"{error.sentence} {' '.join(error.problems)}"
        with session(self.engine) as writing:
            outcome = queue.Outcome("", Refused(safe(why, 300)), 0.0)
            status = queue.note(writing, route, rows, [outcome], self.now(), self.now())
        return Done(self.name, len(rows), status, why)

    def _send(self, ready: Outfit, rows: list[Notification], at: datetime) -> list[Done]:
        done: list[Done] = []
        with reading(self.engine) as opened_:
            left = ready.route.per_minute - queue.sent_lately(opened_, self.name, at)
        groups, over = _letters(ready, rows, left)
        for number, group in enumerate(groups):
            one = self._letter(ready, group)
            done.append(one)
            if one.status == "waiting":  # nobody is there: the rest waits as well, and keeps its order
                over = [r for g in groups[number + 1 :] for r in g] + over
                break
        if over:
            resting = done and done[-1].status == "waiting"
            wait = self._wait(rows[0].attempts + 1, None) if resting else timedelta(seconds=60)
            with session(self.engine) as writing:
                queue.rest(writing, over, self.now() + wait)
        return done

    def _wait(self, attempts: int, asked_s: float | None) -> timedelta:
        return timedelta(seconds=wait_s(attempts, self.chance(), asked_s))

    def _letter(self, ready: Outfit, rows: Sequence[Notification]) -> Done:
        language = ready.route.language or self.settings.language
        zone, at = self.settings.timezone, self.now()
        rules = files.reload(self.settings.home, None).rules
        with reading(self.engine) as opened_:
            told = messages(opened_, rows, rules, language, at)
            to = receivers(opened_, ready.route, ready.channel.ADDRESS, at, zone)
            had = queue.reached(opened_, rows, self.name)
        outcomes = [] if to else [queue.Outcome("", Refused("the route leads to nobody now"), 0.0)]
        for receiver in [r for r in to if r not in had]:
            letter = self._written(ready, rows, told, receiver, language)
            began = time.monotonic()
            outcomes.append(queue.Outcome(receiver, _sent(ready, letter), time.monotonic() - began))
        asked = [getattr(o.result, "after_s", None) or 0.0 for o in outcomes]
        again = self.now() + self._wait(max(r.attempts for r in rows) + 1, max(asked, default=0.0))
        with session(self.engine) as writing:
            status = queue.note(writing, ready.route, rows, outcomes, self.now(), again)
        why = next((o.result.why for o in outcomes if hasattr(o.result, "why")), "")
        return Done(self.name, len(rows), status, why)

    def _written(
        self,
        ready: Outfit,
        rows: Sequence[Notification],
        told: Sequence[Message],
        receiver: str,
        language: str,
    ) -> Letter:
        zone, at = self.settings.timezone, self.now()
        one = len(told) == 1
        text = composed(told[0], at, language, zone) if one else digest(told, language, zone)
        button = ""
        if one and told[0].alert_id and rows[0].event in BEGINNINGS and told[0].ended_at is None:
            button = mark(open_vault(self.settings.home), told[0].alert_id)
        return Letter(
            key=rows[0].key if one else f"digest/{rows[0].id}-{rows[-1].id}-{len(rows)}",
            receiver=receiver,
            text=text,
            messages=tuple(told),
            now=at,
            home=self.settings.home,
            timeout_s=ready.route.timeout_s,
            username=ready.username,
            secret=ready.secret,
            button=button,
            language=language,
        )


def _sent(ready: Outfit, letter: Letter) -> Result:
    try:
        return ready.channel.send(letter, ready.options)
    except Exception as error:  # noqa: BLE001 - the rim: a fault in one channel keeps no other from telling
        return Refused(f"a fault of siaga in the channel {ready.channel.KIND}: {type(error).__name__}")


def _letters(
    ready: Outfit, rows: list[Notification], left: int
) -> tuple[list[list[Notification]], list[Notification]]:
    """Return the letters to write, and what must wait for the next minute."""
    if left <= 0:
        return [], rows
    if ready.channel.DIGEST and len(rows) > min(ready.route.digest_over, left):
        return [rows], []
    return [[r] for r in rows[:left]], rows[left:]
