"""What is claimed is given once: to one process, whole or not at all, with its history."""

import ipaddress
import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from inventory import ipam, ipam_claims
from inventory.history import breaks
from inventory.store import reading, rows, session
from inventory.writing import BadRowError, Writer
from siaga.errors import InvalidError, NotFoundError, UsageError
from tests.inventory.ipam_world import AUTHOR, addresses, prefixes, write

PROCESSES = 6
ROUNDS = 6
_ASKER = f"""
import json, os, sys
from inventory.ipam_next_commands import next_address, next_prefix, next_vlan
print("ready", flush=True)
sys.stdin.readline()
given = []
for number in range({ROUNDS}):
    given += [("address", r["name"]) for r in next_address("10.0.0.0/24", claim=True).rows]
    given += [("prefix", r["name"]) for r in next_prefix("10.1.0.0/16", "26", claim=True, count=2).rows]
    given += [("vlan", r["vid"]) for r in next_vlan("ring", [f"name=v-{{os.getpid()}}-{{number}}"], claim=True).rows]
print(json.dumps(given), flush=True)
"""


def world(engine: Engine) -> None:
    write(
        engine,
        ("vlan_group", {"name": "ring", "first_vid": 1, "last_vid": 4094}),
        *prefixes("10.0.0.0/24"),
        *prefixes("10.1.0.0/16", status="container"),
    )


def test_processes_that_ask_at_once_are_never_given_the_same(engine: Engine, scrubbed: Path) -> None:
    """Real processes on one SQLite file, let loose together once all of them have started."""
    world(engine)
    command = [sys.executable, "-P", "-c", _ASKER]
    environment = {
        **os.environ,
        "SIAGA_HOME": str(scrubbed),
        "PYTHONPATH": str(Path(ipam.__file__).parents[1]),
    }
    with ExitStack() as held:
        asking = []
        for _ in range(PROCESSES):
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            held.callback(process.communicate)
            held.callback(process.kill)
            asking.append(process)
        for process in asking:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in asking:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=120) for process in asking]
    assert [error for _, error in said] == [""] * PROCESSES
    given = Counter((noun, name) for out, _ in said for noun, name in json.loads(out))
    assert set(given.values()) == {1}
    number = PROCESSES * ROUNDS
    subnets = list(ipaddress.ip_network("10.1.0.0/16").subnets(new_prefix=26))[: 2 * number]
    assert set(given) == {
        *(("address", f"10.0.0.{n}") for n in range(1, number + 1)),
        *(("prefix", str(network)) for network in subnets),
        *(("vlan", vid) for vid in range(2, number + 2)),
    }
    with reading(engine) as opened:
        assert len(rows(opened, "address")) == len(rows(opened, "vlan")) == number
        assert len(rows(opened, "prefix")) == 2 * number + 2
        assert list(breaks(opened)) == []


def claim(engine: Engine, noun: str, prefix: str, count: int = 1, **values: str) -> list[str]:
    with session(engine) as opened:
        writer = Writer(opened, AUTHOR)
        block = ipam.find(opened, prefix)
        ask = {
            "address": ipam_claims.next_addresses,
            "prefix": lambda s, b, n: ipam_claims.next_prefixes(s, b, 26, n),
        }
        diffs = ipam_claims.claim(writer, noun, ask[noun](opened, block, count), values)
        writer.finish()
    return [d.name for d in diffs]


def test_a_claim_is_a_row_like_any_other(engine: Engine) -> None:
    world(engine)
    write(engine, ("device", {"name": "rtr-1"}), ("interface", {"device": "rtr-1", "name": "ether1"}))
    assert claim(engine, "address", "10.0.0.0/24", device="rtr-1", interface="ether1") == ["10.0.0.1"]
    assert claim(engine, "address", "10.0.0.0/24", interface="rtr-1:ether1", dns_name="gw.example") == [
        "10.0.0.2"
    ]
    with reading(engine) as opened:
        found = {r["name"]: r for r in rows(opened, "address")}
    assert (found["10.0.0.1"]["device"], found["10.0.0.1"]["interface"]) == ("rtr-1", "rtr-1:ether1")
    assert (found["10.0.0.2"]["length"], found["10.0.0.2"]["dns_name"], found["10.0.0.2"]["status"]) == (
        24,
        "gw.example",
        "active",
    )


def test_a_claim_that_cannot_be_writes_nothing(engine: Engine) -> None:
    world(engine)
    with pytest.raises(BadRowError, match="agency refers to nothing"):
        claim(engine, "prefix", "10.1.0.0/16", 3, agency="nobody")
    with pytest.raises(InvalidError, match="only 254 free addresses left"):
        claim(engine, "address", "10.0.0.0/24", 255)
    for values in ({"name": "10.0.0.9"}, {"length": "25"}):
        with pytest.raises(UsageError, match="is what siaga finds"):
            claim(engine, "address", "10.0.0.0/24", **values)
    with reading(engine) as opened:
        assert (len(rows(opened, "address")), len(rows(opened, "prefix"))) == (0, 2)


def test_claims_stay_in_their_vrf(engine: Engine) -> None:
    write(engine, ("vrf", {"name": "red"}), *prefixes("10.0.0.0/24", "10.0.0.0/24 red"))
    assert claim(engine, "address", "10.0.0.0/24 red", 2) == ["10.0.0.1 red", "10.0.0.2 red"]
    assert claim(engine, "prefix", "10.0.0.0/24 red") == ["10.0.0.64/26 red"]
    with reading(engine) as opened:
        assert {r["vrf"] for r in rows(opened, "address")} == {"red"}
        assert ipam_claims.next_addresses(opened, ipam.find(opened, "10.0.0.0/24"))[0]["name"] == "10.0.0.1"


def test_vlan_ids_of_a_group(engine: Engine) -> None:
    group = {"name": "ring", "first_vid": 1, "last_vid": 4}
    write(
        engine,
        ("vlan_group", group),
        ("vlan", {"name": "a", "vid": 3, "vlan_group": "ring"}),
        ("vlan", {"name": "b", "vid": 2}),
    )
    with reading(engine) as opened:
        assert [v["vid"] for v in ipam_claims.next_vlans(opened, "ring", 2)] == [2, 4]
        with pytest.raises(InvalidError, match="only 2 free VLAN ids from 1 to 4") as full:
            ipam_claims.next_vlans(opened, "ring", 3)
        assert full.value.exit_code == 5
        with pytest.raises(NotFoundError, match="Did you mean 'ring'"):
            ipam_claims.next_vlans(opened, "rin")
        with pytest.raises(UsageError, match="A VLAN needs a name"):
            ipam_claims.claim(Writer(opened, AUTHOR), "vlan", ipam_claims.next_vlans(opened, "ring"), {})


def test_default_and_reserved_vlan_ids_are_never_given(engine: Engine) -> None:
    write(
        engine,
        ("vlan_group", {"name": "ring", "first_vid": 1000, "last_vid": 1007}),
        ("vlan_group", {"name": "one", "first_vid": 1, "last_vid": 1}),
    )
    with reading(engine) as opened:
        assert [v["vid"] for v in ipam_claims.next_vlans(opened, "ring", 4)] == [1000, 1001, 1006, 1007]
        with pytest.raises(InvalidError, match="no free VLAN id"):
            ipam_claims.next_vlans(opened, "one")


def test_a_block_in_which_an_address_lies_is_not_free(engine: Engine) -> None:
    world(engine)
    write(engine, *addresses("10.1.0.70"), ("ip_range", {"name": "10.1.0.130-10.1.0.140"}))
    assert claim(engine, "prefix", "10.1.0.0/16", 2) == ["10.1.0.0/26", "10.1.0.192/26"]
