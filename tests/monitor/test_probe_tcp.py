"""TCP and TLS checks: banners, silence, certificates on ports that speak no HTTP; many at once, within a bound."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.probes.plan import HttpCheck, Limits, NoCheck, Service, TcpCheck, planned
from monitor.probes.result import Probed, Verdict
from monitor.probes.run import probe, probe_all
from tests.monitor.web_servers import HOST, NOW, hang, issued, server

LIMITS = Limits(timeout_s=0.5, slow_s=4.0)


def says(*parts: bytes) -> Any:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        await hang(reader, writer)

    return talk


def ask(talk: Any, expect: str = "") -> Probed:
    async def once() -> Probed:
        async with server(talk) as port:
            check = planned(Service("mail", address=HOST, port=port, expect=expect), {})
            assert isinstance(check, TcpCheck)
            return await probe(check, LIMITS, now=NOW)

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("talk", "expect", "rules"),
    [
        (hang, "", []),
        (says(b"220 surat ESMTP\r\n"), r"^220 .*ESMTP", []),
        (says(b"22", b"0 surat ", b"ESMTP\r\n"), r"^220 .*ESMTP", []),
        (says(b"x" * 100_000), "220", ["content"]),
        (hang, "220", ["silent"]),
    ],
)
def test_banners(talk: Any, expect: str, rules: list[str]) -> None:
    assert [f.rule for f in ask(talk, expect).faults] == rules


def test_a_hostile_banner_is_safe() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x1b[2J\x07[/red]\r\nforged\n")
        await writer.drain()

    reason = ask(talk, "220").reason
    assert reason.isprintable()
    assert "forged" in reason


def test_the_certificate_of_a_port_without_http(tmp_path: Path) -> None:
    made = issued(tmp_path, days=5)

    async def once() -> Probed:
        async with server(says(b"* OK IMAP\r\n"), made.context()) as port:
            check = planned(Service("imap", f"tls://{HOST}:{port}", expect="IMAP"), {})
            assert check
            return await probe(check, replace(LIMITS, ca_file=str(made.ca)), now=NOW)

    seen = asyncio.run(once())
    assert [f.rule for f in seen.faults] == ["certificate-expires"]
    assert round(seen.reading("certificate_days") or 0) == 5


def test_an_authority_file_that_is_not_there_is_our_own_fault() -> None:
    async def once() -> Probed:
        async with server(hang) as port:
            bounds = replace(LIMITS, ca_file="/nonexistent/ca.pem")
            return await probe(TcpCheck("x", HOST, port, tls=True), bounds, now=NOW)

    assert asyncio.run(once()).verdict is Verdict.unknown


def test_many_checks_side_by_side_within_a_bound() -> None:
    now_open, most = 0, 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now_open, most
        now_open += 1
        most = max(most, now_open)
        await reader.read(1)
        now_open -= 1

    async def all_() -> list[Probed]:
        async with server(talk) as port:
            checks = [TcpCheck(f"s{n}", HOST, port, expect="never") for n in range(40)]
            return await probe_all(checks, replace(LIMITS, timeout_s=0.05), concurrency=8, now=lambda: NOW)

    found = asyncio.run(all_())
    assert [p.name for p in found] == [f"s{n}" for n in range(40)]
    assert {p.verdict for p in found} == {Verdict.critical}
    assert 1 < most <= 16  # a connection that is cut may be noticed after the next one was made


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        (Service("a", "https://a.go.id/x"), HttpCheck),
        (Service("a", address="10.1.1.1", port=22), TcpCheck),
        (Service("a", "https://a.go.id", check="tls"), TcpCheck),
        (Service("a", "https://a.go.id", check="tcp"), TcpCheck),
        (Service("a", "tcp://a.go.id"), NoCheck),
        (Service("a"), NoCheck),
        (Service("a", "http://a", expect="(("), NoCheck),
        (Service("a", "http://a", expect_status="ok"), NoCheck),
        (Service("a", check="plugin"), NoCheck),
        (Service("a", "http://a", check="none"), type(None)),
    ],
)
def test_what_a_service_is_asked(service: Service, kind: type) -> None:
    assert isinstance(planned(service, {}), kind)
