"""SNMPv3 against pysnmp's own agent: who may read reads, who may not is told why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from agent import served
from pydantic import SecretStr
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context

from monitor.engine_book import EngineBook
from monitor.observation import Observation, Reach
from monitor.snmp import Engines, connected, observe, observe_all
from monitor.snmp_agent import Answer
from monitor.targets import SnmpAuth, SnmpVersion, Target

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GOOD = SnmpAuth(
    version=SnmpVersion.v3,
    user="siaga",
    auth_protocol="SHA-256",
    auth_secret=SecretStr("autentikasi-1"),
    priv_protocol="AES",
    priv_secret=SecretStr("privasi-rahasia"),
)
Engine = Literal["", "lean", "pysnmp"]
ENGINES: tuple[Engine, ...] = ("lean", "pysnmp")
SYSTEM, UPTIME = (1, 3, 6, 1, 2, 1, 1, 1), (1, 3, 6, 1, 2, 1, 1, 3, 0)
PROTOCOLS = [
    ("", ""),
    ("MD5", ""),
    ("SHA", "DES"),
    ("SHA-256", "AES"),
    ("SHA-384", "AES-128"),
    ("SHA-512", "AES-192"),
    ("SHA-224", "AES-256"),
]
AUTHS = {
    "MD5": config.USM_AUTH_HMAC96_MD5,
    "SHA": config.USM_AUTH_HMAC96_SHA,
    "SHA-224": config.USM_AUTH_HMAC128_SHA224,
    "SHA-256": config.USM_AUTH_HMAC192_SHA256,
    "SHA-384": config.USM_AUTH_HMAC256_SHA384,
    "SHA-512": config.USM_AUTH_HMAC384_SHA512,
    "": config.USM_AUTH_NONE,
}
PRIVS = {
    "DES": config.USM_PRIV_CBC56_DES,
    "AES": config.USM_PRIV_CFB128_AES,
    "AES-128": config.USM_PRIV_CFB128_AES,
    "AES-192": config.USM_PRIV_CFB192_AES,
    "AES-256": config.USM_PRIV_CFB256_AES,
    "": config.USM_PRIV_NONE,
}


@asynccontextmanager
async def agent(auth: SnmpAuth) -> AsyncIterator[int]:
    """Serve pysnmp's own MIB to one user on a free port of loopback."""
    own = engine.SnmpEngine()
    transport = udp.UdpAsyncioTransport().open_server_mode(("127.0.0.1", 0))
    config.add_transport(own, udp.DOMAIN_NAME, transport)
    config.add_v3_user(
        own,
        auth.user,
        AUTHS[auth.auth_protocol],
        auth.auth_secret.get_secret_value() or None,
        PRIVS[auth.priv_protocol],
        auth.priv_secret.get_secret_value() or None,
    )
    level = "authPriv" if auth.priv_protocol else "authNoPriv" if auth.auth_protocol else "noAuthNoPriv"
    config.add_vacm_user(own, 3, auth.user, level, (1, 3, 6, 1, 2, 1))
    known = context.SnmpContext(own)
    cmdrsp.GetCommandResponder(own, known)
    cmdrsp.NextCommandResponder(own, known)
    cmdrsp.BulkCommandResponder(own, known)
    await transport._lport
    try:
        yield transport.transport.get_extra_info("sockname")[1]
    finally:
        own.close_dispatcher()
        await asyncio.sleep(0)


def seen_with(auth: SnmpAuth, agents: SnmpAuth = GOOD, engine: Engine = "") -> Observation:
    async def run() -> Observation:
        async with agent(agents) as port:
            target = Target(
                "srv", "127.0.0.1", snmp_port=port, snmp=auth, timeout_s=1.0, retries=1, engine=engine
            )
            return await observe(target, now=NOW)

    return asyncio.run(run())


@pytest.mark.parametrize(("auth_protocol", "priv_protocol"), PROTOCOLS)
def test_every_pair_of_protocols_reads(auth_protocol: str, priv_protocol: str) -> None:
    auth = replace(GOOD, auth_protocol=auth_protocol, priv_protocol=priv_protocol)
    seen = seen_with(auth, auth)
    assert (seen.reach, seen.reason) == (Reach.up, "")
    assert "PySNMP" in seen.identity.sysDescr
    assert seen.uptime_s is not None


@pytest.mark.parametrize(
    ("auth_protocol", "priv_protocol"),
    [(a, p) for a in ("MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512") for p in ("", "DES", "AES")],
)
def test_both_engines_read_the_same(auth_protocol: str, priv_protocol: str) -> None:
    auth = replace(GOOD, auth_protocol=auth_protocol, priv_protocol=priv_protocol)

    async def both() -> list[Answer]:
        async with agent(auth) as port:
            found = []
            for engine in ENGINES:
                target = Target("srv", "127.0.0.1", snmp_port=port, snmp=auth, timeout_s=2.0, engine=engine)
                async with connected(target, Engines()) as asked:
                    # The agent's clock and its counters of messages move; what describes it does not.
                    found.append(await asked.walk([SYSTEM[:-1], (1, 3, 6, 1, 2, 1, 1, 9, 1, 2)]))
            return found

    ours, theirs = asyncio.run(both())
    still = [{name: v for name, v in a.seen.items() if name != UPTIME} for a in (ours, theirs)]
    assert still[0] == still[1]
    assert len(still[0]) > 5
    assert (ours.fault, theirs.fault) == (None, None)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"user": "nobody"}, "does not know this SNMPv3 user"),
        ({"auth_secret": SecretStr("something-else")}, "authentication password or protocol is wrong"),
        ({"auth_protocol": "SHA"}, "authentication password or protocol is wrong"),
        ({"priv_secret": SecretStr("something-else")}, "privacy password"),
        ({"priv_protocol": ""}, "security level|said nothing|refused"),
    ],
)
def test_a_wrong_credential_is_refused_and_says_which(
    wrong: dict[str, object], said: str, engine: Engine
) -> None:
    seen = seen_with(replace(GOOD, **wrong), engine=engine)  # type: ignore[arg-type]
    assert seen.reach is Reach.refused, seen.reason
    assert any(part in seen.reason for part in said.split("|")), seen.reason
    assert "rahasia" not in seen.reason


def test_a_remembered_engine_that_is_silent_may_not_decrypt(tmp_path: Path) -> None:
    path = tmp_path / "engines.json"

    async def run() -> Observation:
        async with served(lambda _: None) as port:
            path.write_text(
                f'{{"engines": {{"127.0.0.1 {port} siaga": ["80001f8880aabbccdd", 1, 1, 0]}}}}', "utf-8"
            )
            target = Target("srv", "127.0.0.1", snmp_port=port, snmp=GOOD, timeout_s=0.1, retries=0)
            return await observe(target, now=NOW, engines=Engines(book=EngineBook(path)))

    seen = asyncio.run(run())
    assert seen.reach is Reach.silent
    assert "privacy password" in seen.reason


@pytest.mark.parametrize(("auth_protocol", "priv_protocol"), [("ROT13", ""), ("SHA", "XOR"), ("", "AES")])
def test_a_protocol_that_is_not_known_is_said(auth_protocol: str, priv_protocol: str) -> None:
    seen = seen_with(replace(GOOD, auth_protocol=auth_protocol, priv_protocol=priv_protocol))
    assert seen.reach is Reach.refused
    assert "protocol" in seen.reason


def test_one_user_name_with_two_passwords_is_two_users() -> None:
    other = replace(GOOD, auth_secret=SecretStr("autentikasi-2"))

    async def run() -> list[Observation]:
        async with agent(GOOD) as first, agent(other) as second:
            targets = [
                Target("a", "127.0.0.1", snmp_port=first, snmp=GOOD),
                Target("b", "127.0.0.1", snmp_port=second, snmp=other),
                Target("c", "127.0.0.1", snmp_port=second, snmp=GOOD),
            ]
            return await observe_all(targets, concurrency=3, now=lambda: NOW)

    assert [o.reach for o in asyncio.run(run())] == [Reach.up, Reach.up, Reach.refused]
