"""Any Nagios plugin as a check: an argument list, no shell, an environment of its own; time and output are bounded.

The plugin leads a process group, and with it everything that it has started ends when its time is over.
"""

import asyncio
import signal
from dataclasses import dataclass, field

from monitor.probes.connect import Unreached
from monitor.probes.perfdata import parsed
from monitor.probes.plan import Limits, PluginCheck
from monitor.probes.result import Fault, Reading, Verdict
from siaga.children import end
from siaga.text import decoded, safe

KEPT_BYTES = 64 << 10  # of its output are kept, what follows is thrown away
MOST_BYTES = 4 << 20  # is a flood, and ends it
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_CODES = (Verdict.ok, Verdict.warning, Verdict.critical, Verdict.unknown)


@dataclass
class Ran:
    """What a plugin said and how it ended."""

    text: str = ""
    lines: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    faults: list[Fault] = field(default_factory=list)


async def ask(check: PluginCheck, limits: Limits, ran: Ran) -> None:
    """Run the plugin to its end. Raises Unreached (unknown) when it cannot be run or does not end."""
    timeout_s = check.timeout_s or limits.timeout_s
    try:
        process = await asyncio.create_subprocess_exec(
            *check.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**_ENVIRONMENT, **dict(check.environment)},
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its arguments cannot be passed on"
        raise _unknown(f"{check.arguments[0]} cannot be run ({why}).") from None
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await asyncio.gather(_read(process.stdout), _read(process.stderr))
            code = await process.wait()
    except TimeoutError:
        raise _unknown(f"The plugin did not end within {timeout_s:g} s, and was ended.") from None
    finally:
        await end(process, group=True)  # what left the group may still hold the pipes
    _noted(code, out, err, ran)


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    assert stream
    kept, seen = bytearray(), 0
    while data := await stream.read(65536):
        seen += len(data)
        kept += data[: KEPT_BYTES - len(kept)]
        if seen > MOST_BYTES:
            raise _unknown(f"The plugin wrote more than {MOST_BYTES >> 20} MiB, and was ended.")
    return bytes(kept)


def _noted(code: int, out: bytes, err: bytes, ran: Ran) -> None:
    ran.text, ran.lines, ran.readings = parsed(out.decode("utf-8", "replace"))
    if code < 0:
        raise _unknown(f"The plugin was ended by {_signal(-code)}.")
    if code >= len(_CODES):
        said = ran.text or decoded(err, 120)
        raise _unknown(f"The plugin ended with {code}, which means nothing{f': {said}' if said else '.'}")
    if not ran.text and not ran.readings:
        said = decoded(err, 120)
        raise _unknown(f"The plugin ended with {code} and said nothing{f' but {said}' if said else '.'}")
    if code:
        ran.faults.append(Fault("plugin", _CODES[code], ran.text or f"The plugin ended with {code}."))


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _unknown(sentence: str) -> Unreached:
    return Unreached("plugin", safe(sentence, 300), Verdict.unknown)
