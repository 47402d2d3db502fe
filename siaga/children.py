"""The child processes of an event loop: ended for sure, and nothing of them is left to the garbage collector."""

import asyncio
import os
import signal
from contextlib import suppress


async def end(process: asyncio.subprocess.Process, *, group: bool = False) -> None:
    """Kill the process (and, if it leads one, its whole group), wait for it, and close our ends of its pipes.

    asyncio closes the pipes only when the last process that holds them lets go, which may be a grandchild, and
    later than the loop lives.
    """
    with suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - asyncio offers no other way
    await process.wait()
