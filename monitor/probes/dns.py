"""DNS as a client meets it: answers, response code, TTL, time; of a zone, whether its servers hold the same serial.

The one module that imports dnspython: wire format, truncation to TCP, and answers matched to questions.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.reversename

from monitor.probes.connect import Unreached, resolve
from monitor.probes.plan import DnsCheck, Limits
from monitor.probes.result import Fault, Range, Reading, Verdict
from siaga.expressions import matches
from siaga.text import safe

SERVERS = 8  # of a zone are asked for their serials
RECORDS = 50  # of an answer are kept
_TRY_S = 2.0  # one datagram is waited for, the next one a little longer


@dataclass
class Answered:
    """What is known so far. `serials`: server → serial of the zone, None where it gave none."""

    server: str = ""
    rcode: str = ""
    records: tuple[str, ...] = ()
    ttl_s: int | None = None
    serials: dict[str, int | None] = field(default_factory=dict)
    truncated: bool = False
    answer_s: float | None = None
    faults: list[Fault] = field(default_factory=list)


async def ask(check: DnsCheck, limits: Limits, seen: Answered) -> None:
    """Ask one server, and a zone's own servers for their serials. Raises Unreached."""
    seen.server = await _server(check)
    started = time.monotonic()
    answer = await _asked(check.query, check.record, seen.server, check.port, limits.timeout_s, seen)
    seen.answer_s = time.monotonic() - started
    _noted(answer, check, seen)
    seen.faults += _judged(check, seen)
    if check.record == "SOA" and seen.records:
        await _serials(check, limits, seen)
        seen.faults += _disagreement(seen)


async def _server(check: DnsCheck) -> str:
    if not check.server:
        try:
            return str(dns.resolver.Resolver().nameservers[0])
        except (dns.exception.DNSException, OSError, IndexError):
            raise Unreached("resolver", "This machine has no DNS server to ask.", Verdict.unknown) from None
    return (await resolve(check.server, check.port))[0][1]


async def _asked(
    query: str, record: str, server: str, port: int, timeout_s: float, seen: Answered | None = None
) -> dns.message.Message:
    """Return an answer: by UDP, twice if it must be, and by TCP when it was cut. Raises Unreached."""
    question = _question(query, record)
    last = ""
    for wait_s in (_TRY_S, timeout_s):
        try:
            answer, by_tcp = await dns.asyncquery.udp_with_fallback(
                question, server, min(wait_s, timeout_s), port, ignore_unexpected=True, ignore_errors=True
            )
        except dns.exception.Timeout:
            last = f"{server} port {port} gives no answer."
        except OSError as error:
            raise Unreached("refused", f"{server} port {port} cannot be asked ({error.strerror}).") from None
        except (dns.exception.DNSException, ValueError, EOFError) as error:
            name = type(error).__name__
            raise Unreached("garbage", f"What {server} answers is no DNS ({name}).") from None
        else:
            if seen:
                seen.truncated = by_tcp
            return answer
    raise Unreached("silent", last)


def _question(query: str, record: str) -> dns.message.Message:
    try:
        name = dns.name.from_text(query)
        if record == "PTR" and not name.is_subdomain(dns.name.from_text("arpa")):
            name = dns.reversename.from_address(query)
        return dns.message.make_query(name, record, use_edns=0, payload=1232)
    except (dns.exception.DNSException, ValueError, UnicodeError):
        raise Unreached("query", f"'{safe(query, 80)}' is no name to ask for.", Verdict.unknown) from None


def _noted(answer: dns.message.Message, check: DnsCheck, seen: Answered) -> None:
    seen.rcode = dns.rcode.to_text(answer.rcode())
    sets = [s for s in answer.answer if dns.rdatatype.to_text(s.rdtype) in (check.record, "CNAME")]
    seen.records = tuple(sorted(safe(r.to_text(), 200) for s in sets for r in s)[:RECORDS])
    seen.ttl_s = min((int(s.ttl) for s in sets), default=None)
    if not any(dns.rdatatype.to_text(s.rdtype) == check.record for s in sets):
        seen.records = ()


def _judged(check: DnsCheck, seen: Answered) -> Iterator[Fault]:
    if seen.rcode != "NOERROR":
        text = f"{seen.server} answers {safe(seen.rcode, 20)} for {safe(check.query, 80)}."
        yield Fault("rcode", Verdict.critical, text)
    elif not seen.records:
        text = f"{safe(check.query, 80)} has no {check.record} record, says {seen.server}."
        yield Fault("no-record", Verdict.critical, text)
    elif check.expect and not any(matches(check.expect, r) for r in seen.records):
        text = f"'{safe(check.expect, 60)}' is in none of its answers: {', '.join(seen.records[:3])}."
        yield Fault("content", Verdict.critical, text)


async def _serials(check: DnsCheck, limits: Limits, seen: Answered) -> None:
    """Ask every server of the zone itself for its serial."""
    found = await _asked(check.query, "NS", seen.server, check.port, limits.timeout_s)
    names = sorted(r.to_text() for s in found.answer for r in s if s.rdtype == dns.rdatatype.NS)[:SERVERS]
    answers = await asyncio.gather(*(_serial(check, name, limits, seen.server) for name in names))
    seen.serials = {safe(n, 100): serial for n, serial in zip(names, answers, strict=True)}


async def _serial(check: DnsCheck, name: str, limits: Limits, resolver: str) -> int | None:
    try:
        for record in ("A", "AAAA"):
            found = await _asked(name, record, resolver, check.port, limits.timeout_s / 4)
            at = [r.to_text() for s in found.answer for r in s if dns.rdatatype.to_text(s.rdtype) == record]
            if at:
                answer = await _asked(check.query, "SOA", at[0], check.port, limits.timeout_s / 2)
                return next((int(r.serial) for s in answer.answer for r in s if hasattr(r, "serial")), None)
    except Unreached:
        pass
    return None


def _disagreement(seen: Answered) -> Iterator[Fault]:
    silent = [name for name, serial in seen.serials.items() if serial is None]
    if silent:
        yield Fault("zone-server", Verdict.warning, f"Of the zone's servers, {_some(silent)} gave no serial.")
    if len({s for s in seen.serials.values() if s is not None}) > 1:
        told = ", ".join(f"{name} {serial}" for name, serial in seen.serials.items() if serial is not None)
        yield Fault("serial", Verdict.warning, f"The zone's servers hold different serials: {told}.")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def readings(seen: Answered, took_s: float, limits: Limits) -> tuple[Reading, ...]:
    """Return the times and figures of a check."""
    warning, critical = Range(0, limits.slow_s), Range(0, limits.timeout_s)
    found = [Reading("time", took_s, "s", warning, critical, 0.0)]
    for label, value, unit in (("answer", seen.answer_s, "s"), ("ttl", seen.ttl_s, "s")):
        if value is not None:
            found.append(Reading(label, float(value), unit, minimum=0.0))
    if seen.serials:
        serials = {s for s in seen.serials.values() if s is not None}
        found.append(Reading("serials", float(len(serials)), warning=Range(1, 1)))
    return tuple(found)
