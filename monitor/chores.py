"""What the service does beside asking: telling, taking buttons, compacting, pushing, backups, audits.

Each returns what is wrong as a sentence, '' where all is well.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine

from inventory.store import reading
from siaga.children import end
from siaga.errors import SiagaError
from siaga.settings import Settings
from siaga.text import safe

OUTBOX_S = 5.0
COMPACT_S = 3600.0
_REPEAT_S = 60.0
_BUTTONS_S = 8
_UNREACHABLE_S = 30.0
_AUDIT_REST_S = 1800.0  # after an audit that failed: the next would do so too, and knock at every door again
_BUSY = 75  # EX_TEMPFAIL: another process is at it
_NOT_FOUND = 3
_AUDITED = (0, 6, 7, _BUSY)  # nothing, something, or not everything was found out
_SAID = 300
Result = TypeVar("Result")
Work = Coroutine[Any, Any, None]


def loops(
    engine: Engine,
    settings: Callable[[], Settings],
    now: Callable[[], datetime],
    problems: MutableMapping[str, str],
    fault: Callable[[Exception], None],
) -> list[Work]:
    """Return each as a loop without an end; what is wrong with one stands in `problems` by its name."""

    def loop(
        name: str, gap_s: float, work: Callable[[], Awaitable[str]], first_s: float = 0.0, rest_s: float = 0.0
    ) -> Work:
        async def once() -> None:
            try:
                problems[name] = await work()
            except Exception as error:  # noqa: BLE001 - the rim of the loop: nobody is asked less for it
                problems[name] = f"a fault of siaga ({type(error).__name__})"
                fault(error)
            if problems[name]:
                await asyncio.sleep(rest_s)

        return every(gap_s, once, first_s)

    return [
        loop("notify", OUTBOX_S, lambda: told(engine, settings(), now)),
        loop("repeat", _REPEAT_S, lambda: stood(engine, settings(), now), _REPEAT_S),
        loop("findings", _REPEAT_S, lambda: rung(engine, settings(), now), _REPEAT_S),
        loop("buttons", 1.0, lambda: buttons(engine, settings(), now), rest_s=_UNREACHABLE_S),
        loop("compact", COMPACT_S, lambda: compacted(settings()), _REPEAT_S),
        loop("push", 1.0, lambda: pushed(settings())),
        loop("backup", 0.0, lambda: backed_up(engine, settings(), now)),
        loop("audit", 0.0, lambda: audited(engine, settings(), now), rest_s=_AUDIT_REST_S),
    ]


async def every(gap_s: float, work: Callable[[], Awaitable[None]], first_s: float = 0.0) -> None:
    """Do some work again and again, each time after a gap."""
    await asyncio.sleep(first_s)
    while True:
        await work()
        await asyncio.sleep(gap_s)


async def told(engine: Engine, settings: Settings, now: Callable[[], datetime]) -> str:
    """Tell what is due, in a thread: a channel that hangs holds up no poll. Return what could not be told, and why."""
    from monitor.notify.worker import run_once

    if not settings.monitor.notify:
        return ""
    try:
        done = await asyncio.to_thread(run_once, engine, settings, now)
    except SiagaError as error:
        return error.sentence
    return "; ".join(f"route '{d.route}': {d.why}" for d in done if d.status != "sent")


async def stood(engine: Engine, settings: Settings, now: Callable[[], datetime]) -> str:
    """Say again what is open where alerts are forgotten unless they are repeated (Alertmanager)."""
    from monitor.notify.standing import repeat

    if not settings.monitor.notify:
        return ""
    try:
        failed = await asyncio.to_thread(repeat, engine, settings, now())
    except SiagaError as error:
        return error.sentence
    return "; ".join(f"route '{name}': {why}" for name, why in failed.items())


async def rung(engine: Engine, settings: Settings, now: Callable[[], datetime]) -> str:
    """Let the alert rules judge what findings are open: somebody may have accepted one, or logged in."""
    from monitor.finding_alarms import ring

    try:
        await asyncio.to_thread(ring, engine, settings, now())
    except SiagaError as error:
        return error.sentence
    return ""


async def buttons(engine: Engine, settings: Settings, now: Callable[[], datetime]) -> str:
    """Take the buttons pressed in the chats of each bot; wait for them a while."""
    from monitor.notify.buttons import listen

    bots = {r.credential: r.name for r in settings.routes if r.channel == "telegram" and r.credential}
    if not bots or not settings.monitor.notify:
        await asyncio.sleep(OUTBOX_S)
        return ""
    waits = [beside(lambda r=r: listen(engine, settings, r, _BUTTONS_S, now)) for r in bots.values()]  # type: ignore[misc]
    results = await asyncio.gather(*waits, return_exceptions=True)
    wrong = [r for r in results if isinstance(r, BaseException)]
    return "; ".join(safe(getattr(r, "sentence", type(r).__name__), 200) for r in wrong)


async def beside(work: Callable[[], Result]) -> Result:
    """Do work that may take long in a thread that nobody waits for at the end of the process."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[Result] = loop.create_future()

    def set_(how: Callable[[Any], None], what: Any) -> None:
        if not came.done():
            how(what)

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            ended, what = came.set_exception, error
        else:
            ended, what = came.set_result, result  # type: ignore[assignment]
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(set_, ended, what)

    threading.Thread(target=run, name="beside", daemon=True).start()
    return await came


async def compacted(settings: Settings) -> str:
    """Bring finished days into files, in a process of its own."""
    if not settings.monitor.compact:
        return ""
    code, _, said = await _command(settings, "samples", "compact", "--quiet")
    return "" if code in (0, _BUSY) else safe(said, _SAID)


async def backed_up(engine: Engine, settings: Settings, now: Callable[[], datetime]) -> str:
    """Wait; then back up the configurations that are due, or that a message asked for, in a process of its own.

    What was read is judged by the rules of compliance at once: that is when a finding opens, or closes.
    """
    await asyncio.sleep(settings.monitor.backup_s)
    if not settings.monitor.backup or not await asyncio.to_thread(_any_due, engine, settings, now()):
        return ""
    code, _, said = await _command(settings, "backup", "run", "--due", "--quiet")
    # That devices could not be read is told by 'siaga backup list', and by a rule; this is of siaga itself.
    wrong = [said] if code != _BUSY else []
    code, _, said = await _command(settings, "compliance", "check", "--quiet")
    wrong += [said] if code != _NOT_FOUND else []  # nothing is kept yet
    return safe("; ".join(w for w in wrong if w.startswith("siaga: ")), _SAID)


def _any_due(engine: Engine, settings: Settings, now: datetime) -> bool:
    from monitor.configs.due import due

    try:
        with reading(engine) as opened:
            return bool(due(opened, settings.backup, now))
    except SiagaError:  # locked, say: the next look tells
        return False


async def audited(engine: Engine, settings: Settings, now: Callable[[], datetime]) -> str:
    """Wait; then look for open doors if that is due, in a process of its own; no login is ever tried from here."""
    await asyncio.sleep(settings.monitor.audit_s)
    if not settings.monitor.audit or not await asyncio.to_thread(_audit_due, engine, settings, now()):
        return ""
    code, _, said = await _command(settings, "audit", "--quiet")
    return "" if code in _AUDITED else safe(said, _SAID)


def _audit_due(engine: Engine, settings: Settings, now: datetime) -> bool:
    from monitor.audit.due import due, last_whole

    try:
        with reading(engine) as opened:
            return due(settings.audit, settings.timezone, last_whole(opened), now)
    except SiagaError:  # locked, say: the next look tells
        return False


async def pushed(settings: Settings) -> str:
    """Wait; then send what came to every [[remote_write]], in a process of its own: packing would stop the loop."""
    if not settings.monitor.push or not settings.remote_write:
        return ""
    await asyncio.sleep(settings.monitor.push_s)
    code, out, said = await _command(settings, "metrics", "push", "-o", "jsonl")
    if code in (0, _BUSY):
        return ""
    rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    failed = [f"{row['destination']}: {row['error']}" for row in rows if row["error"]]
    return safe("; ".join(failed) or said, _SAID)


async def _command(settings: Settings, *words: str) -> tuple[int, str, str]:
    """Run a command of siaga to its end; return its exit code and what it said. It ends with us."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "cli", *words),
        env={**os.environ, "SIAGA_HOME": str(settings.home)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, said = await process.communicate()
    except asyncio.CancelledError:  # a compaction, or a push, that is cut off loses nothing
        await end(process)
        raise
    return process.returncode or 0, out.decode(errors="replace"), said.decode(errors="replace")
