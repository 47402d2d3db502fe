"""Both SNMP engines against Debian's snmpd on loopback: equal values in v1, v2c and v3, by walks and by windows."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from pydantic import SecretStr

from monitor.lean_round import Polled
from monitor.snmp import Engines, connected
from monitor.snmp_agent import Answer, Fault
from monitor.snmp_lean import Lean, Wanted
from monitor.tables import Oid
from monitor.targets import SnmpAuth, SnmpVersion, Target

pytestmark = pytest.mark.real

ADDRESS, PORT = "127.81.0.2", 18161
V2C = SnmpAuth(community=SecretStr("baca-saja"))
V3 = SnmpAuth(
    SnmpVersion.v3, user="siaga", auth_secret=SecretStr("autentikasi-1"), priv_secret=SecretStr("privasi-1")
)
USERS = {
    f"u{i}": (auth, priv)
    for i, (auth, priv) in enumerate(
        [
            (a, p)
            for a in ("MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512")
            for p in ("", "DES", "AES")
        ]
    )
}
AUTHS = [V2C, replace(V2C, version=SnmpVersion.v1)] + [
    replace(V3, user=user, auth_protocol=a, priv_protocol=p) for user, (a, p) in USERS.items()
]
IF_INDEX, IF_DESCR, IF_TYPE, IF_MTU = ((1, 3, 6, 1, 2, 1, 2, 2, 1, c) for c in (1, 2, 3, 4))
STILL = ((1, 3, 6, 1, 2, 1, 1, 1), IF_INDEX, IF_DESCR, IF_TYPE, IF_MTU, (1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 3))


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run snmpd on loopback with a user for each pair of protocols."""
    binary = shutil.which("snmpd") or "/usr/sbin/snmpd"
    if not Path(binary).exists():
        pytest.skip("snmpd is not installed")
    home = tmp_path_factory.mktemp("snmpd")
    lines = ["rocommunity baca-saja", f"[snmp] persistentDir {home}"]
    for user, (auth, priv) in USERS.items():
        lines.append(f'createUser {user} {auth} "autentikasi-1" ' + (f'{priv} "privasi-1"' if priv else ""))
        lines.append(f"rouser {user} {'priv' if priv else 'auth'}")
    (home / "snmpd.conf").write_text("\n".join(lines) + "\n")
    command = [
        binary,
        "-f",
        "-Lf",
        str(home / "log"),
        "-C",
        "-c",
        str(home / "snmpd.conf"),
        "-p",
        str(home / "pid"),
    ]
    with subprocess.Popen([*command, f"udp:{ADDRESS}:{PORT}"]) as running:
        try:
            asyncio.run(_until_it_answers())
            yield
        finally:
            running.terminate()


async def _until_it_answers() -> None:
    for _ in range(200):
        async with connected(_target(V2C), Engines()) as agent:
            if (await agent.get([(1, 3, 6, 1, 2, 1, 1, 3, 0)])).seen:
                return
        await asyncio.sleep(0.1)  # a closed port is told at once
    pytest.fail("snmpd does not answer")


def _target(auth: SnmpAuth, engine: Literal["", "lean", "pysnmp"] = "lean") -> Target:
    return Target("snmpd", ADDRESS, snmp_port=PORT, snmp=auth, timeout_s=3.0, retries=2, engine=engine)


async def _walked(target: Target, columns: tuple[Oid, ...]) -> Answer:
    async with connected(target, Engines()) as agent:
        return await agent.walk(columns)


@pytest.mark.parametrize("auth", AUTHS, ids=lambda a: f"{a.version}-{a.auth_protocol}-{a.priv_protocol}")
def test_both_engines_read_the_same(snmpd: None, auth: SnmpAuth) -> None:
    ours, theirs = (asyncio.run(_walked(_target(auth, engine), STILL)) for engine in ("lean", "pysnmp"))
    assert ours == theirs
    assert ours.fault is None
    assert len(ours.seen) > 5


@pytest.mark.parametrize("auth", AUTHS, ids=lambda a: f"{a.version}-{a.auth_protocol}-{a.priv_protocol}")
def test_windows_bring_what_a_walk_brings(snmpd: None, auth: SnmpAuth) -> None:
    columns = (IF_INDEX, IF_TYPE, IF_MTU)
    walked = asyncio.run(_walked(_target(auth, "pysnmp"), columns)).seen
    indexes = tuple(name[len(IF_INDEX) :] for name in walked if name[: len(IF_INDEX)] == IF_INDEX)

    async def poll() -> list[Polled | Fault]:
        found: list[Polled | Fault] = []
        async with Lean() as engine:
            for _ in range(3):
                await engine.round_of([Wanted(_target(auth), columns, indexes)], lambda _, p: found.append(p))
        return found

    for polled in asyncio.run(poll()):
        assert isinstance(polled, Polled)
        assert (polled.fault, polled.changed) == (None, False)
        assert polled.rows() == [[walked[(*column, *index)] for column in columns] for index in indexes]
