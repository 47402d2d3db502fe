"""What a sweep may touch: prefixes, ranges and hosts, without what is denied, each address once."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.scope import Scope, Span, bound, common, interleaved, minus, point, read, text
from siaga.errors import UsageError


def scope(
    *asked: str, deny: tuple[str, ...] = (), allow: tuple[str, ...] = (), within: tuple[str, ...] = ()
) -> Scope:
    several = (tuple(map(bound, some)) for some in (deny, allow, within))
    return Scope(tuple(map(read, asked)), *several)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("10.1.0.0/24", "10.1.0.1", "10.1.0.254"),  # without network and broadcast address
        ("10.1.0.0/30", "10.1.0.1", "10.1.0.2"),
        ("10.1.0.0/31", "10.1.0.0", "10.1.0.1"),  # RFC 3021
        ("10.1.0.7/32", "10.1.0.7", "10.1.0.7"),
        ("10.1.0.7", "10.1.0.7", "10.1.0.7"),
        ("10.1.0.250-10.1.1.5", "10.1.0.250", "10.1.1.5"),
        (" 10.1.0.0 - 10.1.0.3 ", "10.1.0.0", "10.1.0.3"),
        ("2001:db8::/112", "2001:db8::1", "2001:db8::ffff"),  # without the subnet-router anycast address
        ("2001:db8::/127", "2001:db8::", "2001:db8::1"),
        ("2001:db8::5", "2001:db8::5", "2001:db8::5"),
        ("::ffff:10.1.0.7", "10.1.0.7", "10.1.0.7"),  # the kernel sends to the IPv4 address
        ("::ffff:10.1.0.0/120", "10.1.0.1", "10.1.0.254"),
        ("::ffff:a01:0-10.1.0.3", "10.1.0.0", "10.1.0.3"),
    ],
)
def test_what_is_asked_is_read_as_hosts(asked: str, first: str, last: str) -> None:
    span = read(asked)
    assert (text((span.family, span.first)), text((span.family, span.last))) == (first, last)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("10.1.0.5/24", "10.1.0.0/24"),  # bits behind the length: the prefix is named
        ("10.1.0.9-10.1.0.3", "follow"),
        ("10.1.0.1-2001:db8::1", "follow"),
        ("rtr-mauk", "PREFIX"),
        ("", "PREFIX"),
        ("10.1.0.0/33", "PREFIX"),
        ("224.0.0.0/4", "no host"),
        ("0.0.0.0/8", "no host"),
        ("240.0.0.1", "no host"),
        ("255.255.255.255", "no host"),
        ("ff02::1", "no host"),
        ("::", "no host"),
        ("2001:db8::/64", "/112"),
        ("2001:db8::1-2001:db8::2:1", "/112"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),  # a zone that was dropped would be another host
        ("fe80::/112", "link-local"),
        ("\x1b[31m10.1.0.0", "PREFIX"),
    ],
)
def test_what_cannot_be_swept_is_one_clear_sentence(asked: str, says: str) -> None:
    with pytest.raises(UsageError) as failed:
        read(asked)
    assert failed.value.code == "bad-prefix"
    assert says in failed.value.sentence
    assert "\x1b" not in failed.value.sentence


def test_denied_addresses_and_those_outside_of_what_is_allowed_are_never_asked() -> None:
    found = scope("10.1.0.0/28", "10.9.0.1", deny=("10.1.0.4/30", "10.1.0.14"), allow=("10.1.0.0/16",))
    assert list(found.addresses()) == [f"10.1.0.{n}" for n in (1, 2, 3, 8, 9, 10, 11, 12, 13)]
    assert not found.holds("10.1.0.5")
    assert not found.holds("10.9.0.1")
    assert not found.holds("10.1.0.15")  # the broadcast address of what was asked


def test_another_spelling_does_not_get_round_what_is_denied() -> None:
    """The socket of IPv6 sends to ::ffff:10.1.0.7 what 10.1.0.7 gets."""
    assert not len(scope("::ffff:10.1.0.7", deny=("10.1.0.0/24",)))
    assert not len(scope("10.1.0.7", deny=("::ffff:10.1.0.0/120",)))
    found = scope("2001:db8::1", within=("::/0", "10.1.0.0/16"), deny=("10.1.5.0/24",))
    assert found.holds("::ffff:10.1.4.7")
    assert not found.holds("::ffff:10.1.5.7")
    assert not found.holds("::ffff:10.2.0.1")


def test_neighbours_may_lie_within_and_no_further() -> None:
    found = scope("10.1.0.1", within=("10.1.0.0/16",), deny=("10.1.5.0/24",))
    assert list(found.addresses()) == ["10.1.0.1"]
    assert found.holds("10.1.200.7")
    assert not found.holds("10.1.5.7")
    assert not found.holds("10.2.0.1")
    assert found.label("10.1.0.1") == "10.1.0.1"
    assert found.label("10.1.200.7") == ""


def test_addresses_of_one_site_come_apart() -> None:
    found = list(scope("10.1.0.0/22").addresses())
    assert found[:5] == ["10.1.0.1", "10.1.1.0", "10.1.2.0", "10.1.3.0", "10.1.0.2"]
    assert len(found) == len(set(found)) == 1022


V4 = st.integers(0x0A000000, 0x0A000FFF)
SPANS = st.tuples(V4, V4).map(lambda p: Span("", 4, min(p), max(p)))


@given(st.lists(SPANS, min_size=1, max_size=6), st.lists(SPANS, max_size=4), st.lists(SPANS, max_size=3))
def test_each_address_is_asked_once_and_only_what_is_in_scope(
    asked: list[Span], denied: list[Span], allowed: list[Span]
) -> None:
    found = Scope(tuple(asked), tuple(denied), tuple(allowed))
    addresses = list(found.addresses())
    expected = {
        n
        for s in asked
        for n in range(s.first, s.last + 1)
        if not any((4, n) in d for d in denied) and (not allowed or any((4, n) in a for a in allowed))
    }
    assert sorted(int(ipaddress.ip_address(a)) for a in addresses) == sorted(expected)
    assert len(found) == len(addresses)
    assert all(found.holds(a) for a in addresses[:20])


@given(SPANS, st.lists(SPANS, max_size=6))
def test_what_is_taken_away_and_what_is_common_are_the_whole(part: Span, taken: list[Span]) -> None:
    whole = (part.first, part.last)
    numbers = [
        n for some in (minus(whole, taken), common(whole, taken)) for a, z in some for n in range(a, z + 1)
    ]
    assert sorted(numbers) == list(range(part.first, part.last + 1))


@given(st.lists(SPANS, max_size=4))
def test_the_order_over_the_sites_loses_nothing(spans: list[Span]) -> None:
    points = [(4, s.first, s.last) for s in spans]
    expected = sorted((4, n) for s in spans for n in range(s.first, s.last + 1))
    assert sorted(interleaved(points)) == expected


@given(st.ip_addresses(), st.integers(112, 128))
@example(ipaddress.ip_address("::ffff:1.0.0.0"), 112)  # an IPv4 prefix in IPv6 dress
def test_a_prefix_read_is_within_its_own_bounds(address: ipaddress.IPv4Address, length: int) -> None:
    length = length if address.version == 6 else length - 96
    network = ipaddress.ip_network((address, length), strict=False)
    try:
        span = read(str(network))
    except UsageError:
        return
    first, last = (point(str(a)) for a in (network.network_address, network.broadcast_address))
    assert first <= (span.family, span.first) <= (span.family, span.last) <= last
