"""What the service does beside asking: telling what is due, taking buttons, compacting. Each blocks nobody else."""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Engine

from siaga.errors import SiagaError
from siaga.settings import Settings
from siaga.text import safe

OUTBOX_S = 5.0
COMPACT_S = 3600.0
_BUTTONS_S = 8
_BUSY = 75  # EX_TEMPFAIL: another compaction is at it


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


async def buttons(engine: Engine, settings: Settings) -> str:
    """Take the buttons pressed in the chats of each bot; wait for them a while. Return what is wrong."""
    from monitor.notify.buttons import listen

    bots = {r.credential: r.name for r in settings.routes if r.channel == "telegram" and r.credential}
    if not bots or not settings.monitor.notify:
        await asyncio.sleep(OUTBOX_S)
        return ""
    waits = [asyncio.to_thread(listen, engine, settings, route, _BUTTONS_S) for route in bots.values()]
    results = await asyncio.gather(*waits, return_exceptions=True)
    wrong = [r for r in results if isinstance(r, BaseException)]
    if wrong:
        await asyncio.sleep(OUTBOX_S)
    return "; ".join(safe(getattr(r, "sentence", type(r).__name__), 200) for r in wrong)


async def compacted(settings: Settings) -> str:
    """Bring finished days into files, in a process of its own. Return what is wrong."""
    if not settings.monitor.compact:
        return ""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "cli", "samples", "compact", "--quiet"),
        env={**os.environ, "SIAGA_HOME": str(settings.home)},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:  # a compaction that is cut off leaves the same samples
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    return "" if process.returncode in (0, _BUSY) else safe(said.decode(errors="replace"), 300)
