"""Which agents answer a community that anybody could guess, and which know SNMPv3: many hosts, one guess at a time.

A guess is one GET to each host. Guesses are bounded in number and pace, because each that is wrong may make a device
send a trap (authenticationFailure) or hold off whoever asks.
"""

import asyncio
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from monitor.knock import Knocker
from monitor.pace import Bucket, Pace
from monitor.targets import SnmpAuth, SnmpVersion

_FILE = Path(__file__).with_name("guesses.toml")
_WORD = re.compile(r"[a-z0-9]{3,30}")
_WORDS_PER_HOST = 4
_LANES = 4  # guesses that one host is asked at a time


@dataclass
class Answers:
    """What one agent answered to: (version, community); whether it knows SNMPv3, or no agent is there."""

    open_to: list[tuple[SnmpVersion, str]] = field(default_factory=list)
    v3: bool = False
    closed: bool = False

    @property
    def versions(self) -> set[SnmpVersion]:
        """The versions in which it answered some community."""
        return {v for v, _ in self.open_to}


def communities(more: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the communities that everybody is asked with: the well-known ones, then those that somebody added."""
    return tuple(dict.fromkeys((*_known()["communities"], *more)))


def derived(names: Iterable[str]) -> tuple[str, ...]:
    """Return what the names of a device, its place and its agency make easy to guess."""
    found: dict[str, None] = {}
    for name in names:
        plain = name.lower()
        joined = re.sub(r"[^a-z0-9]", "", plain)
        for word in (joined, *re.split(r"[^a-z0-9]+", plain)):
            if _WORD.fullmatch(word) and not word.isdigit():
                found.setdefault(word)
    return tuple(found)[:_WORDS_PER_HOST]


def logins(platform: str) -> tuple[tuple[str, str], ...]:
    """Return the logins that devices of this platform are delivered with."""
    table: Mapping[str, Sequence[Sequence[str]]] = _known()["logins"]
    return tuple((user, password) for user, password in table.get(platform, table["other"]))


async def guessed(
    hosts: Mapping[str, Sequence[str]], port: int, pace: Pace, more: Iterable[str] = ()
) -> dict[str, Answers]:
    """Return host → what it answered to. `hosts`: address → words that only it is asked with.

    v1 is tried with what v2c answered, and with everything only where neither v2c nor v3 is known.
    """
    found = {address: Answers() for address in hosts}
    bucket = Bucket(pace.rate_pps)
    async with AsyncExitStack() as stack:
        lanes = [await stack.enter_async_context(Knocker(port, bucket)) for _ in range(_LANES)]
        known = await lanes[0].knock(list(hosts), SnmpAuth(SnmpVersion.v3), pace)
        for address, one in found.items():
            one.v3, one.closed = address in known.heard, address in known.closed
        asked = [a for a, one in found.items() if not one.closed]
        await _tried(lanes, found, SnmpVersion.v2c, _rounds(asked, hosts, communities(more)), pace)
        mute = [a for a in asked if not found[a].open_to and not found[a].v3]
        again = _rounds(mute, hosts, communities(more)) if mute else {}
        for address in asked:
            for _, community in list(found[address].open_to):
                again.setdefault(community, []).append(address)
        await _tried(lanes, found, SnmpVersion.v1, again, pace)
    return found


async def _tried(
    lanes: Sequence[Knocker],
    found: Mapping[str, Answers],
    version: SnmpVersion,
    rounds: Mapping[str, Sequence[str]],
    pace: Pace,
) -> None:
    """Ask all rounds, some side by side, and note who answered."""
    left = iter(rounds.items())

    async def lane(knocker: Knocker) -> None:
        for community, meant in left:
            auth = SnmpAuth(version, SecretStr(community))
            for address in (await knocker.knock(meant, auth, pace)).heard:
                found[address].open_to.append((version, community))

    async with asyncio.TaskGroup() as group:
        for knocker in lanes:
            group.create_task(lane(knocker))


def _rounds(
    asked: Sequence[str], hosts: Mapping[str, Sequence[str]], common: Sequence[str]
) -> dict[str, list[str]]:
    """Return each community with the hosts that are asked with it."""
    meant: dict[str, list[str]] = {c: list(asked) for c in common}
    for address in asked:
        for word in hosts[address]:
            if word not in common:
                meant.setdefault(word, []).append(address)
    return meant


@cache
def _known() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
