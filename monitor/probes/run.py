"""Runs checks side by side, with a bound, and makes each one's end a value: nothing here raises for a service."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from monitor.crowd import each
from monitor.probes.connect import Unreached
from monitor.probes.plan import Check, DnsCheck, HttpCheck, Limits, NoCheck, PluginCheck, TcpCheck
from monitor.probes.result import Fault, Probed, Range, Reading, Verdict, worst
from monitor.probes.seen import Seen, readings
from siaga.text import safe

_KINDS = {HttpCheck: "http", TcpCheck: "tcp", DnsCheck: "dns", PluginCheck: "plugin", NoCheck: "none"}
_DOING = {
    "": "looking up its name",
    "dns": "looking up its name",
    "connect": "connecting",
    "tls": "greeting by TLS",
    "first_byte": "waiting for its first word",
    "body": "reading its answer",
    "banner": "waiting for its banner",
}


async def probe_all(
    checks: Sequence[Check],
    limits: Limits,
    *,
    concurrency: int,
    now: Callable[[], datetime],
    progress: Callable[[Probed], None] | None = None,
) -> list[Probed]:
    """Run all checks, at most `concurrency` at a time; the results come in the order of the checks."""
    return await each(
        checks, lambda one: probe(one, limits, now=now()), concurrency=concurrency, progress=progress
    )


async def probe(check: Check, limits: Limits, *, now: datetime) -> Probed:
    """Run one check. Whatever the service does or does not do is a value."""
    if isinstance(check, HttpCheck | TcpCheck):
        return await _connection(check, limits, now)
    if isinstance(check, DnsCheck):
        return await _dns(check, limits, now)
    if isinstance(check, PluginCheck):
        return await _plugin(check, limits, now)
    return _probed(check, check.target, now, 0.0, [Fault("no-check", Verdict.unknown, check.why)])


async def _connection(check: HttpCheck | TcpCheck, limits: Limits, now: datetime) -> Probed:
    from monitor.probes import http, tcp

    seen = Seen(check.url if isinstance(check, HttpCheck) else "")
    started = time.monotonic()
    ended = True
    try:
        async with asyncio.timeout(limits.timeout_s):
            if isinstance(check, HttpCheck):
                await http.ask(check, limits, seen, now)
            else:
                await tcp.ask(check, limits, seen, now)
    except TimeoutError:
        doing = _DOING.get(seen.phases.at, "asking")
        text = f"It did not answer within {limits.timeout_s:g} s ({doing})."
        seen.faults.append(Fault("silent", Verdict.critical, text))
        ended = False
    except Unreached as error:
        seen.faults.append(Fault(error.rule, error.verdict, error.sentence))
    took_s = time.monotonic() - started
    if ended:
        seen.faults += _slow(took_s, limits)
    more = {"certificate": seen.certificate, "address": seen.address, "status": seen.status}
    figures = readings(seen, took_s, limits)
    return _probed(check, _target(check, seen), now, took_s, seen.faults, readings=figures, **more)


def _target(check: HttpCheck | TcpCheck, seen: Seen) -> str:
    return safe(check.url if isinstance(check, HttpCheck) else f"{check.host}:{check.port}", 300)


async def _dns(check: DnsCheck, limits: Limits, now: datetime) -> Probed:
    from monitor.probes import dns

    seen = dns.Answered()
    started = time.monotonic()
    try:
        async with asyncio.timeout(limits.timeout_s):
            await dns.ask(check, limits, seen)
    except TimeoutError:
        where = f"{seen.server or 'The server'} port {check.port}"
        seen.faults.append(
            Fault("silent", Verdict.critical, f"{where} gave no answer within {limits.timeout_s:g} s.")
        )
    except Unreached as error:
        seen.faults.append(Fault(error.rule, error.verdict, error.sentence))
    took_s = time.monotonic() - started
    if seen.answer_s is not None:
        seen.faults += _slow(seen.answer_s, limits)
    target = f"{check.record} {safe(check.query, 200)}"
    figures = dns.readings(seen, took_s, limits)
    return _probed(
        check, target, now, took_s, seen.faults, readings=figures, address=seen.server, shown=seen.records
    )


async def _plugin(check: PluginCheck, limits: Limits, now: datetime) -> Probed:
    from monitor.probes import nagios

    ran = nagios.Ran()
    started = time.monotonic()
    try:
        await nagios.ask(check, limits, ran)
    except Unreached as error:
        ran.faults.append(Fault(error.rule, error.verdict, error.sentence))
    took_s = time.monotonic() - started
    # The plugin's own figures first; the time it took under a name that is hardly one of its.
    figures = (*ran.readings, Reading("plugin_time", took_s, "s", critical=Range(0, limits.timeout_s)))
    said = tuple(t for t in (ran.text, *ran.lines) if t)
    return _probed(check, check.title, now, took_s, ran.faults, readings=figures, shown=said)


def _slow(took_s: float, limits: Limits) -> list[Fault]:
    if took_s <= limits.slow_s:
        return []
    return [Fault("slow", Verdict.warning, f"It took {took_s:.1f} s; more than {limits.slow_s:g} s is slow.")]


def _probed(
    check: Check, target: str, now: datetime, took_s: float, faults: Sequence[Fault], **more: Any
) -> Probed:
    """Return the result: the worst of the faults is the verdict, and that one's sentence the reason."""
    unique = tuple(dict.fromkeys(faults))
    kind = "tls" if isinstance(check, TcpCheck) and check.tls else _KINDS[type(check)]
    verdict = worst(f.verdict for f in unique)
    reason = next((f.text for f in unique if f.verdict is verdict), "")
    return Probed(check.name, kind, target, now, verdict, reason, took_s, unique, **more)
