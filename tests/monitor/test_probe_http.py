"""HTTP(S) checks against real servers: content, statuses, redirects, certificates, answers that are meant to hurt."""

import asyncio
import ssl
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.probes.plan import HttpCheck, Limits, Service, planned
from monitor.probes.result import Probed, Verdict, as_json
from monitor.probes.run import probe
from monitor.probes.tls import covers
from tests.monitor.web_servers import HOST, NOW, answers, flood, hang, issued, page, server

LIMITS = Limits(timeout_s=5.0, slow_s=4.0)


def check(url: str, **more: Any) -> HttpCheck:
    found = planned(Service("app", url, **more), {})
    assert isinstance(found, HttpCheck), found
    return found


def ask(talk: Any, path: str = "/", limits: Limits = LIMITS, **more: Any) -> Probed:
    """Check a plain server once."""

    async def once() -> Probed:
        async with server(talk) as port:
            return await probe(check(f"http://{HOST}:{port}{path}", **more), limits, now=NOW)

    return asyncio.run(once())


def ask_tls(
    folder: Path,
    limits: Limits = LIMITS,
    version: ssl.TLSVersion | None = None,
    host: str = HOST,
    **kind: Any,
) -> Probed:
    """Check a TLS server with a certificate of some kind; its authority is trusted."""
    made = issued(folder, **kind)

    async def once() -> Probed:
        async with server(answers(page(b"Selamat datang")), made.context(version)) as port:
            bounds = replace(limits, ca_file=str(made.ca))
            return await probe(check(f"https://{host}:{port}/", expect="Selamat"), bounds, now=NOW)

    return asyncio.run(once())


def rules(seen: Probed) -> list[str]:
    return [f.rule for f in seen.faults]


def test_a_good_page_is_ok_with_every_phase() -> None:
    seen = ask(answers(page(b"<h1>e-Planning</h1>")), expect="e-Plan+ing")
    assert (seen.verdict, seen.status, seen.faults, seen.address) == (Verdict.ok, 200, (), HOST)
    labels = [r.label for r in seen.readings]
    assert labels == ["time", "dns", "connect", "first_byte", "body", "size"]
    assert seen.reading("size") == 19
    phases = [seen.reading(p) or 0.0 for p in ("dns", "connect", "first_byte", "body")]
    assert 0 < sum(phases) <= seen.took_s
    assert as_json(seen)["readings"][0]["critical"] == "5"


def test_what_the_content_must_hold_is_searched_in_linear_time() -> None:
    seen = ask(answers(page(b"a" * 500_000)), expect="(a+)+b")
    assert rules(seen) == ["content"]
    assert "(a+)+b" in seen.reason


@pytest.mark.parametrize(
    ("status", "wanted", "verdict"),
    [
        ("200 OK", "", Verdict.ok),
        ("500 Oops", "", Verdict.critical),
        ("401 No", "200,401", Verdict.ok),
        ("404 Gone", "200-299", Verdict.critical),
    ],
)
def test_statuses(status: str, wanted: str, verdict: Verdict) -> None:
    seen = ask(answers(page(b"", status)), expect_status=wanted)
    assert (seen.verdict, seen.status) == (verdict, int(status[:3]))


def test_redirects_are_followed_and_bounded() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        if asked == b"/loop":
            writer.write(page(b"", "302 Found", "Location: /loop"))
        elif asked == b"/":
            writer.write(page(b"", "301 Moved", "Location: login?next=%2F"))
        else:
            writer.write(page(asked))
        await writer.drain()

    assert ask(talk, expect=r"^/login\?next=%2F$").verdict is Verdict.ok
    assert ask(talk, expect_status="301").status == 301
    looped = ask(talk, "/loop")
    assert (rules(looped), looped.status) == (["redirects"], 302)


@pytest.mark.parametrize(
    "place",
    [
        "ftp://127.86.0.1/x",
        "file:///etc/passwd",
        "http://a:b@127.86.0.1/",
        "http://[::1",
        "http://x:99999/",
        "//",
    ],
)
def test_a_redirect_to_what_is_no_web_address_is_not_followed(place: str) -> None:
    assert rules(ask(answers(page(b"", "302 Found", f"Location: {place}")))) == ["redirects"]


def test_a_redirect_to_where_no_check_may_go() -> None:
    seen = ask(
        answers(page(b"", "302 Found", "Location: http://169.254.169.254/latest/")),
        limits=replace(LIMITS, forbidden=("169.254.0.0/16",)),
    )
    assert rules(seen) == ["forbidden"]


def test_forbidden_addresses_get_no_packet() -> None:
    asked = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(10))

    assert rules(ask(talk, limits=replace(LIMITS, forbidden=("127.86.0.0/16",)))) == ["forbidden"]
    assert asked == []


@pytest.mark.parametrize(
    ("talk", "rule"),
    [
        (answers(b"\x00\xff\x00 no http at all\r\n\r\n"), "garbage"),
        (answers(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000), "garbage"),
        (answers(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), "garbage"),
        (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"), "garbage"),
        (answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n"), "garbage"),
        (answers(b""), "garbage"),
        (answers(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), "status"),
        (answers(page(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip")), "content"),
    ],
)
def test_answers_that_are_none(talk: Any, rule: str) -> None:
    seen = ask(talk, expect="x")
    assert rules(seen) == [rule]
    assert seen.reason.isprintable()


def test_a_body_without_end_is_cut() -> None:
    endless = answers(b"HTTP/1.1 200 OK\r\n\r\n", then=flood)
    seen = ask(endless, limits=replace(LIMITS, body_bytes=100_000), expect="y")
    assert (rules(seen), seen.reading("size")) == (["content"], 100_000)
    assert "the first 100000 octets" in seen.reason


@pytest.mark.parametrize(
    ("talk", "doing"),
    [
        (hang, "first word"),
        (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", then=hang), "reading"),
        (answers(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 50, then=hang), "reading"),
    ],
)
def test_a_silent_server_ends_with_the_time(talk: Any, doing: str) -> None:
    seen = ask(talk, limits=replace(LIMITS, timeout_s=0.3))
    assert rules(seen) == ["silent"]
    assert doing in seen.reason


def test_nothing_listens_and_no_such_name() -> None:
    async def both() -> tuple[Probed, Probed]:
        refused = await probe(check(f"http://{HOST}:9/"), LIMITS, now=NOW)
        nowhere = check(f"http://{'x' * 70}.invalid/")  # no name: that needs no resolver to be known
        return refused, await probe(nowhere, LIMITS, now=NOW)

    refused, unknown = asyncio.run(both())
    assert (rules(refused), rules(unknown)) == (["refused"], ["dns"])


def test_ipv6() -> None:
    async def once() -> Probed:
        async with server(answers(page(b"enam")), host="::1") as port:
            return await probe(check(f"http://[::1]:{port}/", expect="enam"), LIMITS, now=NOW)

    seen = asyncio.run(once())
    assert (seen.verdict, seen.address) == (Verdict.ok, "::1")


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.86.0.9:9")
    assert ask(answers(page(b""))).verdict is Verdict.ok


def test_a_proxy_that_is_set_is_used_for_both_schemes(tmp_path: Path) -> None:
    made = issued(tmp_path)
    asked: list[bytes] = []

    async def once() -> list[Probed]:
        async with server(answers(page(b"dalam")), made.context()) as inner:

            async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                asked.append((await reader.readuntil(b"\r\n\r\n")).splitlines()[0])
                if not asked[-1].startswith(b"CONNECT"):
                    writer.write(page(b"lewat"))
                    return await writer.drain()
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                there, back = await asyncio.open_connection(HOST, inner)
                try:
                    await asyncio.gather(pipe(reader, back), pipe(there, writer))
                finally:
                    back.transport.abort()
                return None

            async with server(proxy) as port:
                bounds = replace(LIMITS, proxy=(HOST, port), ca_file=str(made.ca))
                urls = ("http://app.invalid:81/x", f"https://{HOST}:{inner}/")
                return [await probe(check(u, expect="lewat|dalam"), bounds, now=NOW) for u in urls]

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.transport.abort()

    plain, tls = asyncio.run(once())
    assert (plain.verdict, tls.verdict) == (Verdict.ok, Verdict.ok), (plain, tls)
    assert asked[0] == b"GET http://app.invalid:81/x HTTP/1.1"
    assert asked[1].startswith(b"CONNECT 127.86.0.1:")
    assert tls.certificate
    assert tls.certificate.chain == ""


def test_a_good_certificate(tmp_path: Path) -> None:
    seen = ask_tls(tmp_path)
    assert (seen.verdict, seen.faults) == (Verdict.ok, ())
    one = seen.certificate
    assert one
    assert (one.chain, one.name_matches, one.self_signed) == ("", True, False)
    assert one.names == (HOST, "localhost") or set(one.names) == {HOST, "localhost"}
    assert (one.subject, one.issuer) == ("CN=Test server", "CN=Test authority")
    assert (round(one.days_left), one.protocol) == (90, "TLSv1.3")
    assert seen.reading("tls")


@pytest.mark.parametrize(
    ("kind", "found", "verdict"),
    [
        ({"days": -3}, ["certificate-expired"], Verdict.critical),
        ({"days": 3}, ["certificate-expires"], Verdict.critical),
        ({"days": 20}, ["certificate-expires"], Verdict.warning),
        ({"self_signed": True}, ["certificate-chain"], Verdict.warning),
        ({"self_signed": True, "days": -3}, ["certificate-expired"], Verdict.critical),
        ({"names": ("lain.go.id",)}, ["certificate-name"], Verdict.critical),
        ({"names": ()}, ["certificate-name"], Verdict.critical),
        ({"begins": 2}, ["certificate-early", "certificate-chain"], Verdict.critical),
    ],
)
def test_certificates_that_are_not_right(
    tmp_path: Path, kind: dict[str, Any], found: list[str], verdict: Verdict
) -> None:
    seen = ask_tls(tmp_path, **kind)
    assert (rules(seen), seen.verdict) == (found, verdict)
    assert seen.status == 200, "the check goes on whatever the certificate is"
    assert seen.certificate
    assert seen.certificate.self_signed == kind.get("self_signed", False)


def test_an_unknown_authority_is_a_finding(tmp_path: Path) -> None:
    made = issued(tmp_path)

    async def once() -> Probed:
        async with server(answers(page(b"")), made.context()) as port:
            return await probe(check(f"https://{HOST}:{port}/"), LIMITS, now=NOW)

    seen = asyncio.run(once())
    assert rules(seen) == ["certificate-chain"]
    assert "issuer" in seen.reason


def test_no_tls_where_tls_should_be() -> None:
    async def once(talk: Any) -> Probed:
        async with server(talk) as port:
            return await probe(check(f"https://{HOST}:{port}/"), replace(LIMITS, timeout_s=2), now=NOW)

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(page(b"plain"))
        await writer.drain()

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    assert rules(asyncio.run(once(plain))) == ["tls"]
    assert rules(asyncio.run(once(cut))) == ["tls"]


def test_an_old_protocol_is_greeted_and_told(tmp_path: Path) -> None:
    made = issued(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = made.context(ssl.TLSVersion.TLSv1_1)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")

    async def once() -> Probed:
        async with server(answers(page(b"")), context) as port:
            bounds = replace(LIMITS, ca_file=str(made.ca))
            return await probe(check(f"https://{HOST}:{port}/"), bounds, now=NOW)

    assert rules(asyncio.run(once())) == ["tls-old"]


@pytest.mark.parametrize(
    ("names", "host", "right"),
    [
        (("a.go.id",), "a.go.id", True),
        (("A.go.id",), "a.GO.id.", True),
        (("*.go.id",), "a.go.id", True),
        (("*.go.id",), "b.a.go.id", False),
        (("*.go.id",), "go.id", False),
        (("*",), "localhost", False),
        (("*.id",), "go.id", False),
        (("10.1.1.1",), "10.1.1.1", True),
        (("*.1.1.1",), "10.1.1.1", False),
        (("::1",), "0:0::1", True),
        ((), "a.go.id", False),
    ],
)
def test_names_of_a_certificate(names: tuple[str, ...], host: str, right: bool) -> None:
    assert covers(names, host) is right


@pytest.mark.parametrize(
    "url", ["http://", "http://u:p@a/", "gopher://a/", "http://a:b/", "http://a b/", "http://a/\x1b", ""]
)
def test_urls_that_cannot_be_checked_are_unknown(url: str) -> None:
    service = Service("app", url, check="http" if url.startswith("http") else "")
    found = planned(service, {})
    assert found
    seen = asyncio.run(probe(found, LIMITS, now=datetime.now(UTC)))
    assert (seen.verdict, rules(seen)) == (Verdict.unknown, ["no-check"])
    assert "u:p" not in seen.reason
