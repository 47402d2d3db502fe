"""DNS checks against real servers: records, codes, truncation, silence, garbage, and the serials of a zone."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from monitor.probes.plan import DnsCheck, Limits, NoCheck, Service, planned
from monitor.probes.result import Probed, Verdict
from monitor.probes.run import probe
from tests.monitor.web_servers import HOST, NOW, dns_server

LIMITS = Limits(timeout_s=2.0, slow_s=4.0)
Reply = Callable[[dns.message.Message], dns.message.Message | bytes | None]


def zone(records: dict[tuple[str, str], list[str]], rcode: int = 0) -> Reply:
    """Return a server that knows these records: (name, type) → values."""

    def reply(question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.set_rcode(dns.rcode.Rcode(rcode))
        for asked in question.question:
            kind = dns.rdatatype.to_text(asked.rdtype)
            values = records.get((asked.name.to_text(), kind), [])
            if values:
                answer.answer.append(dns.rrset.from_text(asked.name, 300, "IN", kind, *values))
        return answer

    return reply


def ask(reply: Reply, query: str = "dinas.go.id?type=A", limits: Limits = LIMITS, **server: Any) -> Probed:
    async def once() -> Probed:
        async with dns_server(reply, **server) as port:
            check = planned(Service("dns", f"dns://{HOST}:{port}/{query}", expect=EXPECT.get(query, "")), {})
            assert isinstance(check, DnsCheck), check
            return await probe(check, limits, now=NOW)

    return asyncio.run(once())


EXPECT = {"a.go.id?type=A": r"^10\.1\.1\.1$", "b.go.id": "192"}
KNOWN = zone(
    {
        ("dinas.go.id.", "A"): ["10.1.1.1", "10.1.1.2"],
        ("a.go.id.", "A"): ["10.1.1.1"],
        ("b.go.id.", "A"): ["10.1.1.1"],
        ("dinas.go.id.", "AAAA"): ["fd00::1"],
        ("dinas.go.id.", "MX"): ["10 surat.dinas.go.id."],
        ("1.1.1.10.in-addr.arpa.", "PTR"): ["dinas.go.id."],
    }
)


def rules(seen: Probed) -> list[str]:
    return [f.rule for f in seen.faults]


@pytest.mark.parametrize(
    ("query", "records"),
    [
        ("dinas.go.id", ("10.1.1.1", "10.1.1.2")),
        ("dinas.go.id?type=aaaa", ("fd00::1",)),
        ("dinas.go.id?class=IN;type=MX", ("10 surat.dinas.go.id.",)),
        ("10.1.1.1?type=PTR", ("dinas.go.id.",)),
        ("a.go.id?type=A", ("10.1.1.1",)),
    ],
)
def test_records(query: str, records: tuple[str, ...]) -> None:
    seen = ask(KNOWN, query)
    assert (seen.verdict, seen.shown, seen.address) == (Verdict.ok, records, HOST)
    assert seen.reading("ttl") == 300
    assert 0 < (seen.reading("answer") or 0) <= seen.took_s


def test_another_answer_than_expected() -> None:
    assert rules(ask(KNOWN, "b.go.id")) == ["content"]


def test_no_record_and_no_name() -> None:
    assert rules(ask(KNOWN, "tidak.go.id")) == ["no-record"]
    seen = ask(zone({}, rcode=3))
    assert (rules(seen), "NXDOMAIN" in seen.reason) == (["rcode"], True)


@pytest.mark.parametrize("code", [1, 2, 5])
def test_a_server_that_fails_or_refuses(code: int) -> None:
    seen = ask(zone({}, rcode=code))
    assert (seen.verdict, rules(seen)) == (Verdict.critical, ["rcode"])


def test_silence_ends_with_the_time() -> None:
    seen = ask(lambda _: None, limits=Limits(timeout_s=0.3))
    assert (seen.verdict, rules(seen)) == (Verdict.critical, ["silent"])


def test_a_lost_datagram_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.probes.dns._TRY_S", 0.1)
    heard = []

    def reply(question: dns.message.Message) -> Any:
        heard.append(question.id)
        return None if len(heard) == 1 else KNOWN(question)

    assert ask(reply).verdict is Verdict.ok
    assert len(heard) == 2


def test_a_cut_answer_is_asked_for_by_tcp() -> None:
    def cut(question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.TC
        return answer

    assert ask(cut, by_tcp=KNOWN).shown == ("10.1.1.1", "10.1.1.2")
    assert rules(ask(cut)) == ["refused"]


@pytest.mark.parametrize("junk", [b"", b"\x00", b"\xff" * 600, b"A" * 12])
def test_garbage_is_no_answer(junk: bytes) -> None:
    seen = ask(lambda _: junk, limits=Limits(timeout_s=0.3))
    assert seen.verdict is Verdict.critical
    assert rules(seen) in (["silent"], ["garbage"])


def test_an_answer_to_another_question_is_none() -> None:
    def other(question: dns.message.Message) -> Any:
        answer = KNOWN(question)
        assert isinstance(answer, dns.message.Message)
        answer.id = question.id ^ 1
        return answer

    assert rules(ask(other, limits=Limits(timeout_s=0.3))) == ["silent"]


def test_hostile_text_in_an_answer_is_safe() -> None:
    text = zone({("dinas.go.id.", "TXT"): [r'"\027[2J\010forged \226\128\174"']})
    seen = ask(text, "dinas.go.id?type=TXT")
    assert all(s.isprintable() for s in seen.shown)


def soa(serial: int) -> list[str]:
    return [f"ns1.dinas.go.id. admin.dinas.go.id. {serial} 3600 600 86400 300"]


@pytest.mark.parametrize(
    ("serials", "found"), [((7, 7), []), ((7, 8), ["serial"]), ((7, None), ["zone-server"])]
)
def test_the_serials_of_a_zones_servers(serials: tuple[int, int | None], found: list[str]) -> None:
    names = {
        ("go.id.", "NS"): ["ns1.go.id.", "ns2.go.id."],
        ("ns1.go.id.", "A"): ["127.86.0.1"],
        ("ns2.go.id.", "A"): ["127.86.0.2"],
    }
    first = zone({**names, ("go.id.", "SOA"): soa(serials[0])})
    second = zone({("go.id.", "SOA"): soa(serials[1])} if serials[1] else {})

    async def once() -> Probed:
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(dns_server(first))
            await stack.enter_async_context(dns_server(second, host="127.86.0.2", port=port))
            return await probe(DnsCheck("z", "go.id", "SOA", HOST, port), LIMITS, now=NOW)

    seen = asyncio.run(once())
    assert rules(seen) == found
    assert seen.reading("serials") == len({s for s in serials if s})


@pytest.mark.parametrize(
    "url", ["dns://10.1.1.1/", "dns:", "dns://10.1.1.1/a?type=ANY", "dns://10.1.1.1/a?type="]
)
def test_what_cannot_be_asked(url: str) -> None:
    found = planned(Service("dns", url, check="dns"), {})
    assert isinstance(found, NoCheck) or url.endswith("type=")


def test_a_name_that_is_none_is_unknown() -> None:
    seen = ask(KNOWN, "a..b")
    assert (seen.verdict, rules(seen)) == (Verdict.unknown, ["query"])
