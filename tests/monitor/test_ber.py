"""One specification of BER: the reference decoder holds it, and every faster parser agrees with it on every input."""

import random
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import hostile
import pytest
from agent import OCTETS, number, oid, tlv, value_of
from hypothesis import given
from hypothesis import strategies as st

from monitor import ber, windows
from monitor.snmp_agent import Kind
from monitor.snmp_message import Community, Opened, Stale, new_ids, template
from monitor.windows import HAS_C, Layout, Values

LAYOUT = Layout(tuple(map(ber.arcs, hostile.COLUMNS)), tuple(map(ber.subids, hostile.INDEXES)))
Reader = Callable[[Layout, bytes, int, int], Values | None]
PATTERN: Reader = partial(hostile.read, Layout.by_pattern)
QUICK = [PATTERN, partial(hostile.read, Layout.by_c)] if HAS_C else [PATTERN]


GOOD = hostile.window(random.Random(1), odd=False)
LAYOUT.learn(GOOD, 0, len(GOOD), anything=True)


def reference(data: bytes) -> Values | None:
    """Return what the reference says of a window; None if it is not the one expected, or malformed."""
    try:
        return LAYOUT.by_reference(data, 0, len(data))
    except ber.Malformed:
        return None


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("020100", 0),
        ("0201ff", -1),
        ("020480000000", -(2**31)),
        ("02087fffffffffffffff", 2**63 - 1),
        ("020400000001", 1),  # not minimal: some agents send every number in four octets
        ("0281020001", 1),  # a length with more octets than needed (RFC 3417, 8)
        ("4104ffffffff", 2**32 - 1),  # without the leading zero
        ("410500ffffffff", 2**32 - 1),
        ("460900ffffffffffffffff", 2**64 - 1),
        ("4608ffffffffffffffff", 2**64 - 1),
        ("4303000000", 0),
        ("0400", b""),
        (b"040361\x62".hex() and "0403616263", b"abc"),
        ("40047f000001", b"\x7f\0\0\1"),
        ("44079f780442280000", bytes.fromhex("9f780442280000")),
        ("0600", (0, 0)),
        ("06012b", (1, 3)),
        ("06028837", (2, 999)),
        ("06062b8fffffff7f", (1, 3, 2**32 - 1)),
        ("0500", None),
        ("8000", None),
        ("8100", None),
        ("8200", None),
    ],
)
def test_a_value_that_is_accepted(element: str, value: object) -> None:
    data = bytes.fromhex(element)
    tag, start, stop = ber.element(data, 0, len(data))
    assert stop == len(data)
    assert ber.value(tag, data[start:stop]) == value


@pytest.mark.parametrize(
    "element",
    [
        "", "02", "0200", "0201", "0280", "028000", "0285000000000100", "02847fffffff",
        "0209000000000000000001",  # nine octets are no INTEGER
        "410501ffffffff", "4106000000000001", "46090100000000000000000"[:22], "460a00000000000000000001",
        "4003000001", "40050000000001", "050100", "800100", "0603ff", "06022b80", "06032b8001",
        "06062b9080808000",  # an arc of 2^32
        "1003020100", "2403616263", "450161", "470100", "3003020100",
        "06" + "8180" + "2b" + "01" * 127,  # 129 arcs
    ],
)  # fmt: skip
def test_a_value_that_is_refused(element: str) -> None:
    data = bytes.fromhex(element)
    with pytest.raises(ber.Malformed):  # noqa: PT012 - which of the two refuses does not matter
        tag, start, stop = ber.element(data, 0, len(data))
        if stop != len(data):
            raise ber.Malformed
        ber.value(tag, data[start:stop])


OIDS = st.tuples(st.sampled_from((0, 1)), st.integers(0, 39)) | st.tuples(
    st.just(2), st.integers(0, 2**32 - 1)
)
ARCS = st.lists(st.integers(0, 2**32 - 1), max_size=126).map(tuple)


@given(OIDS, ARCS)
def test_an_oid_comes_back(first: tuple[int, int], rest: tuple[int, ...]) -> None:
    assert ber.object_id(ber.arcs(first + rest)) == first + rest
    assert ber.tlv(6, ber.arcs(first + rest)) == oid(first + rest)  # the test agent's own encoder


@given(st.integers(-(2**63), 2**63 - 1))
def test_an_integer_comes_back(value: int) -> None:
    data = ber.integer(value)
    assert value < 0 or data == number(value)
    assert ber.value(2, data[2:]) == value


@pytest.mark.parametrize("wrong", [(), (1,), (3, 1), (1, 40), (1, 3, -1), (1, 3, 2**33), (1, 3) * 65])
def test_no_oid_cannot_be_asked_for(wrong: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="object identifier"):
        ber.arcs(wrong)


@given(st.binary(max_size=300))
def test_no_octets_raise_anything_but_malformed(data: bytes) -> None:
    for read in (ber.varbinds, ber.head):
        try:
            read(data, 0, len(data))
        except ber.Malformed:
            continue


def test_a_good_window_is_read_by_all_alike() -> None:
    dice = random.Random(1)
    for _ in range(300):
        data = hostile.window(dice, odd=False)
        found = reference(data)
        assert found is not None
        for quick in QUICK:
            assert quick(LAYOUT, data, 0, len(data)) == found


def test_no_quick_parser_takes_what_the_reference_refuses_or_reads_another_value() -> None:
    dice = random.Random(20261126)
    taken = dict.fromkeys(range(len(QUICK)), 0)
    good = reference_took = 0
    for _ in range(hostile.count(12_000)):
        data = hostile.window(dice, odd=dice.random() < 0.3)
        data = hostile.mutated(dice, data) if dice.random() < 0.85 else data
        expected = reference(data)
        reference_took += expected is not None
        good += 1
        for at, quick in enumerate(QUICK):
            found = quick(LAYOUT, data, 0, len(data))
            assert found is None or found == expected, data.hex()
            taken[at] += found is not None
    assert 0 < reference_took < good
    assert all(count > reference_took // 3 for count in taken.values()), taken


@pytest.mark.parametrize(
    "tags", [(0x46, 0x41, 2), (0x42, 0x43, 0x46), (2, 2, 0x41), (0x41, 0x42, 0x43)], ids=lambda t: f"{t}"
)
@pytest.mark.parametrize("first", [1, 7, 11])
@pytest.mark.parametrize("special", [False, True])
def test_a_pattern_of_some_kinds_of_values_takes_them_and_nothing_wrong(
    tags: tuple[int, ...], first: int, special: bool
) -> None:
    dice = random.Random(first)
    layout = Layout(LAYOUT.columns, LAYOUT.indexes)
    usual = hostile.window(dice, odd=False, tags=tags)
    layout.learn(usual, 0, len(usual))
    if special:
        layout.specialise()
    layout._misses = windows._OFTEN  # so that it stays with this pattern
    octets = [size for _, size in ber.kinds(usual, 0, len(usual))[1:4]]
    good = taken = 0
    for _ in range(hostile.count(1500)):
        good_one = hostile.window(dice, odd=dice.random() < 0.2, tags=tags)
        data = hostile.mutated(dice, good_one) if dice.random() < 0.7 else good_one
        expected = reference(data)
        found = PATTERN(layout, data, 0, len(data))
        assert found is None or found == expected, data.hex()
        if expected is not None and data is good_one and alike(data, expected, tags, octets):
            assert found == expected, data.hex()
            good += 1
        taken += found is not None
    assert taken >= good > 20


def alike(data: bytes, values: Values, tags: tuple[int, ...], octets: list[int]) -> bool:
    """Tell whether a good window is of these kinds. An INTEGER that had one octet has to have one, and no sign."""
    (ticks, _), *kinds = ber.kinds(data, 0, len(data))
    return ticks == 0x43 and all(
        tag == kind and (tag != 2 or ((size == 1 or octets[at % 3] != 1) and int(str(value)) >= 0))
        for at, ((tag, size), kind, value) in enumerate(zip(kinds, tags * 3, values[1:], strict=True))
    )


def test_a_pattern_that_is_in_vain_often_makes_room_for_one_of_any_kinds() -> None:
    dice = random.Random(5)
    layout = Layout(LAYOUT.columns, LAYOUT.indexes)
    counters, gauges = ((tag,) * 3 for tag in (0x41, 0x42))
    usual = hostile.window(dice, odd=False, tags=counters)
    layout.learn(usual, 0, len(usual))
    layout.specialise()
    others = [hostile.window(dice, odd=False, tags=gauges) for _ in range(60)]
    found = [PATTERN(layout, data, 0, len(data)) for data in others]
    assert found[0] is None
    assert found[-1] == reference(others[-1])
    assert PATTERN(layout, usual, 0, len(usual)) == reference(usual)


def test_a_window_with_strings_is_left_to_the_reference() -> None:
    layout = Layout((ber.arcs((1, 3, 6, 1, 2)),), (b"\1",))
    string = tlv(0x30, oid((1, 3, 6, 1, 2, 1)) + tlv(OCTETS, b"\1\2"))
    data = tlv(0x30, oid(hostile.UPTIME) + value_of(0x43, 7)) + string
    for _ in range(100):
        assert PATTERN(layout, data, 0, len(data)) is None
    assert layout.by_reference(data, 0, len(data)) == [7, b"\1\2"]


@given(st.data())
def test_hypothesis_finds_no_difference_either(data: st.DataObject) -> None:
    dice = random.Random(data.draw(st.integers(0, 2**32)))
    whole = bytearray(hostile.window(dice, odd=True))
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    expected = reference(bytes(whole))
    for quick in QUICK:
        found = quick(LAYOUT, bytes(whole), 0, len(whole))
        assert found is None or found == expected


def test_a_window_inside_a_datagram_ends_where_it_ends() -> None:
    good = hostile.window(random.Random(3), odd=False)
    expected = reference(good)
    around = b"\x30" * 7 + good + b"\x30\x0a" * 9
    for quick in (*QUICK, Layout.by_reference):
        assert quick(LAYOUT, around, 7, 7 + len(good)) == expected
        assert quick(LAYOUT, good, 0, len(good)) == expected
    for quick in QUICK:
        assert quick(LAYOUT, around, 7, 7 + len(good) - 1) is None


def opened(voice: Community, data: bytes, ident: bytes) -> Opened | str:
    try:
        return voice.open(data, ident)
    except (ber.Malformed, Stale) as error:
        return type(error).__name__


def test_what_looks_like_a_reply_read_before_is_judged_as_if_it_were_the_first() -> None:
    dice = random.Random(5)
    learned = Community(1, b"public")
    ident = next(new_ids())
    for _ in range(5000):
        data = hostile.community(dice, ident, odd=False)
        data = hostile.mutated(dice, data) if dice.random() < 0.7 else data
        assert opened(learned, data, ident) == opened(Community(1, b"public"), data, ident), data.hex()
        other = bytes((ident[0] ^ 1, *ident[1:]))
        assert opened(learned, data, other) == opened(Community(1, b"public"), data, other)


def whole(data: bytes, lead: bytes, ident: bytes) -> Values | None:
    """Return what the C parser makes of a message as it came."""

    def message(
        layout: Layout, data: bytes, _start: int, _end: int, values: Values, first: int
    ) -> int | None:
        ticks: int | None = layout.compiled.message(data, lead, ident, values, first)
        return ticks

    return hostile.read(message, LAYOUT, data, 0, len(data))


@pytest.mark.skipif(not HAS_C, reason="the C parser is not built")
def test_a_message_read_as_it_came_is_a_window_that_answers_the_question() -> None:
    dice = random.Random(6)
    voice, ident = Community(1, b"public"), next(new_ids())
    taken = 0
    for _ in range(hostile.count(5000)):
        data = hostile.community(dice, ident, odd=dice.random() < 0.2)
        data = hostile.mutated(dice, data) if dice.random() < 0.6 else data
        found = whole(data, voice.lead, ident)
        if found is None:
            continue
        response, status, index, start, end = Community(1, b"public").open(data, ident)
        assert (status, index) == (0, 0)
        assert LAYOUT.by_reference(response, start, end) == found, data.hex()
        for other in (bytes((ident[0] ^ 1, *ident[1:])), ident + b"\0", ident[1:]):
            assert whole(data, voice.lead, other) is None
        for lead in (Community(0, b"public").lead, Community(1, b"Public").lead, voice.lead[:-1], b""):
            assert whole(data, lead, ident) is None
        taken += 1
    assert taken > 1000


@pytest.mark.parametrize("special", [False, True])
def test_a_message_that_looks_like_one_before_is_taken_for_what_the_reference_reads(special: bool) -> None:
    dice = random.Random(7)
    voice, ident = Community(1, b"public"), next(new_ids())
    layout = Layout(LAYOUT.columns, LAYOUT.indexes)
    usual = hostile.window(dice, odd=False)
    layout.learn(usual, 0, len(usual), anything=True)
    if special:
        layout.specialise()
    layout._misses = windows._OFTEN
    taken = 0
    for _ in range(hostile.count(5000)):
        data = hostile.community(dice, ident, odd=dice.random() < 0.2)
        opened(voice, data, ident)  # now and then a new shape is learned
        data = hostile.mutated(dice, data) if dice.random() < 0.6 else data
        found = hostile.read(hostile.by_sight(voice, ident), layout, data, 0, len(data))
        if found is None:
            continue
        response, status, index, start, end = Community(1, b"public").open(data, ident)
        assert (status, index) == (0, 0)
        assert LAYOUT.by_reference(response, start, end) == found, data.hex()
        other = bytes((ident[0] ^ 1, *ident[1:]))
        assert hostile.read(hostile.by_sight(voice, other), layout, data, 0, len(data)) is None
        taken += 1
    assert taken > 1000


def test_ids_are_four_octets_that_nobody_guesses() -> None:
    ids = new_ids()
    found = [next(ids) for _ in range(5000)]
    assert len(set(found)) > 4990
    numbers = [int.from_bytes(i, "big") for i in found]
    assert all(2**24 <= n < 2**31 for n in numbers)
    steps = {b - a for a, b in pairwise(numbers)}
    assert len(steps) > 4900
    assert len({i[0] for i in found}) > 100


def test_a_request_is_what_the_reference_reads() -> None:
    ident = next(new_ids())
    data = Community(1, b"public").pack(ident, template(Kind.getbulk, [(1, 3, 6, 1, 2)] * 30, 12))
    at = ber.whole(data, 0, len(data), ber.SEQUENCE)
    version, at = ber.small(data, at, len(data))
    name, at = ber.octets(data, at, len(data))
    head = ber.head(data, at, len(data))
    assert (version, name, head.kind, head.number) == (
        1,
        b"public",
        ber.GETBULK,
        int.from_bytes(ident, "big"),
    )
    assert (head.status, head.index) == (0, 12)  # non-repeaters and max-repetitions of a GETBULK
    assert ber.varbinds(data, head.start, head.end) == [((1, 3, 6, 1, 2), None)] * 30


def test_a_response_must_be_one() -> None:
    voice, ident = Community(1, b"public"), b"\x01\x02\x03\x04"
    pairs = tlv(0x30, tlv(0x30, oid((1, 3)) + value_of(OCTETS, b"x")))
    body = tlv(2, ident) + number(0) + number(0) + pairs

    def message(kind: int = 0xA2, version: int = 1, name: bytes = b"public", after: bytes = b"") -> bytes:
        return tlv(0x30, number(version) + tlv(OCTETS, name) + tlv(kind, body)) + after

    data, status, _, start, end = voice.open(message(), ident)
    assert (status, ber.varbinds(data, start, end)) == (0, [((1, 3), b"x")])
    for wrong in (
        message(0xA0),
        message(version=0),
        message(name=b"other"),
        message(after=b"\0"),
        message(0xA4),
    ):
        with pytest.raises(ber.Malformed):
            voice.open(wrong, ident)
    with pytest.raises(Stale):
        voice.open(message(), b"\x01\x02\x03\x05")
