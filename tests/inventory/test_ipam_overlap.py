"""What is given twice is refused when it is written: ranges that overlap, addresses of two devices."""

import pytest
from sqlalchemy import Engine

from inventory.ipam_overlap import overlaps
from inventory.problems import BadRowError
from inventory.store import reading
from tests.inventory.ipam_world import addresses, prefixes, write


def refused(engine: Engine, *rows: tuple[str, dict[str, object]]) -> list[str]:
    with pytest.raises(BadRowError) as caught:
        write(engine, *rows)
    return [sentence for _, sentence in caught.value.problems]


def test_ranges_of_one_table_may_not_overlap(engine: Engine) -> None:
    write(
        engine, ("ip_range", {"name": "10.1.1.10-10.1.1.20"}), ("ip_range", {"name": "10.1.1.21-10.1.1.30"})
    )
    assert refused(engine, ("ip_range", {"name": "10.1.1.1-10.1.1.99"})) == [
        "the ranges 10.1.1.1-10.1.1.99 and 10.1.1.10-10.1.1.20 overlap",
        "the ranges 10.1.1.1-10.1.1.99 and 10.1.1.21-10.1.1.30 overlap",
    ]
    assert refused(engine, ("ip_range", {"name": "10.1.1.20-10.1.1.20"})) == [
        "the ranges 10.1.1.10-10.1.1.20 and 10.1.1.20-10.1.1.20 overlap"
    ]


def test_a_range_hidden_in_two_others_is_still_found(engine: Engine) -> None:
    write(engine, ("vrf", {"name": "lab", "enforce_unique": "no"}))
    for name in ("10.1.1.1-10.1.1.99", "10.1.1.10-10.1.1.20", "10.1.1.15-10.1.1.16"):
        write(engine, ("ip_range", {"name": f"{name} lab"}))
    sentences = refused(
        engine,
        ("vrf", {"name": "lab", "enforce_unique": "yes"}),
        ("ip_range", {"name": "10.1.1.15-10.1.1.16 lab", "status": "dhcp"}),
    )
    assert sentences == ["the ranges 10.1.1.1-10.1.1.99 lab and 10.1.1.15-10.1.1.16 lab overlap"]


def test_each_vrf_is_a_table_of_its_own(engine: Engine) -> None:
    write(engine, ("vrf", {"name": "red"}), ("vrf", {"name": "free", "enforce_unique": "no"}))
    same = "10.1.1.10-10.1.1.20"
    write(engine, *(("ip_range", {"name": f"{same} {vrf}".strip()}) for vrf in ("", "red", "free")))
    write(engine, ("ip_range", {"name": "10.1.1.15-10.1.1.16 free"}))
    assert refused(engine, ("ip_range", {"name": "10.1.1.15-10.1.1.16 red"}))
    assert refused(engine, ("ip_range", {"name": "10.1.1.15-10.1.1.16"}))


def test_families_do_not_meet(engine: Engine) -> None:
    write(engine, ("ip_range", {"name": "0.0.0.1-0.0.0.9"}), ("ip_range", {"name": "::1-::9"}))


def test_a_prefix_within_another_is_its_child(engine: Engine) -> None:
    write(engine, *prefixes("10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.0/25"))


def test_an_address_belongs_to_one_device(engine: Engine) -> None:
    device = {"role": "router", "transport": "snmp"}
    write(
        engine,
        ("device", {"name": "rtr-1", "address": "10.1.1.1", **device}),
        ("device", {"name": "rtr-2", "address": "10.1.1.2", **device}),
        ("interface", {"device": "rtr-2", "name": "ether1"}),
        *addresses("10.1.1.1", device="rtr-1"),
    )
    assert refused(engine, *addresses("10.1.1.1", device="rtr-2")) == [
        "the address 10.1.1.1 is given to rtr-2, and rtr-1 is managed at it"
    ]
    assert refused(engine, *addresses("10.1.1.1", device="", interface="rtr-2:ether1")) == [
        "the address 10.1.1.1 is given to rtr-2, and rtr-1 is managed at it"
    ]
    assert refused(engine, *addresses("10.1.1.7", device="rtr-1", interface="rtr-2:ether1")) == [
        "the address 10.1.1.7 is given to rtr-1, and its interface is rtr-2's"
    ]


def test_what_is_retired_or_loopback_or_in_a_vrf_is_not_contested(engine: Engine) -> None:
    write(
        engine,
        ("vrf", {"name": "red"}),
        ("device", {"name": "old", "address": "10.1.1.1", "status": "retired"}),
        ("device", {"name": "a", "address": "127.0.0.1", "snmp_port": 1161}),
        ("device", {"name": "b", "address": "127.0.0.1", "snmp_port": 1162}),
        ("device", {"name": "c", "address": "10.1.1.3"}),
        *addresses("10.1.1.1", "127.0.0.1", "10.1.1.3 red", device="b"),
    )


def test_only_what_was_touched_is_looked_at(engine: Engine) -> None:
    write(engine, ("vrf", {"name": "lab", "enforce_unique": "no"}))
    write(engine, *(("ip_range", {"name": f"{n} lab"}) for n in ("10.1.1.1-10.1.1.9", "10.1.1.5-10.1.1.6")))
    write(
        engine, ("vrf", {"name": "lab", "enforce_unique": "yes"}), ("ip_range", {"name": "10.1.2.1-10.1.2.9"})
    )
    with reading(engine) as opened:
        assert [c.sentence for c in overlaps(opened, {"ip_range": [1]})] == [
            "the ranges 10.1.1.1-10.1.1.9 lab and 10.1.1.5-10.1.1.6 lab overlap"
        ]
        assert list(overlaps(opened, {"ip_range": [3], "prefix": [1], "address": []})) == []
