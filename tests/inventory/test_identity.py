"""One box is never two rows, and two boxes are never one, whatever changes of them."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import traits
from inventory.candidates import Fleet
from inventory.identity import ASK, CERTAIN, Candidate, Kind, Match, Verdict, score
from inventory.traits import Facts

MACS = frozenset(f"48:8f:5a:00:00:{n:02x}" for n in range(1, 9))
CARD = frozenset(f"48:8f:5a:aa:00:{n:02x}" for n in range(1, 5))
OTHERS = frozenset(f"e4:8d:8c:00:00:{n:02x}" for n in range(1, 9))
ENGINE, ENGINE_2 = "80001f8880a05f733785436d38", "80001f888092c37021529f4647"
BOX = Facts(
    serial="HE9080WQ12X",
    engine_id=ENGINE,
    base_mac=min(MACS),
    macs=MACS | CARD,
    sysname="rtr-kec-mauk",
    address="10.3.1.1",
    platform="routeros",
    model="CCR2004-16G-2S+",
)
STRANGER = replace(
    BOX,
    serial="HE9080ZZ99Y",
    engine_id=ENGINE_2,
    base_mac=min(OTHERS),
    macs=OTHERS,
    sysname="rtr-kec-kronjo",
    address="10.3.2.1",
)


def row(facts: Facts, row_id: int = 1, name: str = "rtr-kec-mauk") -> Candidate:
    return Candidate(row_id, name, facts.traits)


def judged(facts: Facts, *rows: Candidate) -> Verdict:
    fleet = Fleet()
    for known in rows:
        fleet.add(known)
    return fleet.judge(facts.traits)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"address": "10.99.9.9"},
        {"sysname": "mauk-baru"},
        {"address": "10.99.9.9", "sysname": "MikroTik"},
        {"macs": MACS, "model": "CCR2004"},
        {"macs": MACS | frozenset({"48:8f:5a:bb:00:01"})},
        {"engine_id": ENGINE_2},
        {"serial": ""},
        {"serial": "", "address": "10.99.9.9"},
        {"serial": "", "sysname": "mauk-baru"},
        {"serial": "", "engine_id": ENGINE_2, "address": "10.99.9.9"},
        {"base_mac": min(OTHERS), "macs": OTHERS, "engine_id": ENGINE_2},
        {"serial": "he 9080-wq12x", "sysname": "RTR-KEC-MAUK.tangerangkab.go.id", "macs": frozenset()},
    ],
    ids="+".join,  # not str: a set's order differs between the workers of pytest-xdist
)
def test_the_same_box_is_found_whatever_was_changed_of_it(change: dict[str, str]) -> None:
    found = judged(replace(BOX, **change), row(BOX), row(STRANGER, 2))
    assert (found.kind, found.candidate and found.candidate.id) == (Kind.known, 1)


def test_another_box_at_the_same_address_with_the_same_name_is_asked_about() -> None:
    spare = replace(STRANGER, address=BOX.address, sysname=BOX.sysname)
    found = judged(spare, row(BOX))
    assert (found.kind, found.candidate and found.candidate.id) == (Kind.perhaps, 1)
    assert "serial differs (-60)" in found.match.reasons
    without_serial = judged(replace(spare, serial=""), row(replace(BOX, serial="")))
    assert without_serial.kind is Kind.perhaps


def test_address_and_name_alone_are_certain_where_nothing_else_is_known() -> None:
    sheet = Facts(sysname="rtr-kec-mauk", address="10.3.1.1")
    assert judged(BOX, row(sheet)).kind is Kind.known
    assert judged(replace(BOX, address="10.3.9.9"), row(sheet)).kind is Kind.perhaps
    assert judged(replace(BOX, sysname="MikroTik"), row(sheet)).kind is Kind.perhaps


def test_hardware_that_cannot_be_compared_leaves_a_question() -> None:
    paper = Facts(serial="HE9080WQ12X", sysname="rtr-kec-mauk", address="10.3.1.1")
    assert judged(replace(BOX, serial=""), row(paper)).kind is Kind.perhaps


def test_a_box_of_which_nothing_is_recorded_is_new() -> None:
    assert judged(STRANGER, row(BOX)) == Verdict(Kind.new, None, Match())
    assert judged(BOX).kind is Kind.new


def test_members_of_a_stack_are_told_apart_by_their_serials() -> None:
    one, two = BOX, replace(BOX, serial="HE9080WQ13A")
    assert judged(two, row(one, 1, "sw-1"), row(two, 2, "sw-2")).candidate == row(two, 2, "sw-2")
    lone = judged(two, row(one, 1, "sw-1"))
    assert (lone.kind, lone.match.score) == (Kind.perhaps, CERTAIN - 1)


def test_clones_of_a_virtual_machine_are_told_apart() -> None:
    template = Facts(
        engine_id=ENGINE, macs=frozenset({"00:50:56:aa:00:01"}), sysname="vm", address="10.5.0.1"
    )
    clone = replace(template, macs=frozenset({"00:50:56:aa:00:02"}), address="10.5.0.2")
    assert judged(clone, row(template)).kind is not Kind.known
    both = judged(clone, row(template, 1), row(clone, 2))
    assert (both.kind, both.candidate and both.candidate.id) == (Kind.known, 2)
    # Once two rows carry it, an engine ID finds nobody any more.
    third = Facts(engine_id=ENGINE, sysname="lain", address="10.5.0.3")
    assert judged(third, row(template, 1)).kind is Kind.perhaps
    assert judged(third, row(template, 1), row(clone, 2)).kind is Kind.new


def test_two_rows_that_fit_equally_well_are_a_question() -> None:
    found = judged(BOX, row(BOX, 1, "a"), row(BOX, 2, "b"))
    assert (found.kind, found.match.reasons[-1]) == (Kind.perhaps, "b fits as well (100)")


def test_a_line_card_does_not_take_its_old_box_along() -> None:
    old = replace(BOX, serial="", macs=MACS | CARD, base_mac=min(CARD))
    new = Facts(sysname="lain", address="10.9.9.9", macs=CARD, base_mac=min(CARD))
    assert judged(new, row(old)).kind is Kind.perhaps


def test_the_score_says_why() -> None:
    found = score(replace(BOX, address="10.9.9.9", macs=MACS), row(BOX))
    assert (found.score, found.hardware, found.against, found.here) == (100, True, False, False)
    assert found.reasons == (
        "serial equal (+80)",
        "base MAC equal (+50)",
        "100 % of the interface MACs in common (+50)",
        "engine ID equal (+30)",
        "name equal (+35)",
        "address differs (-5)",
        "model equal (+5)",
        "platform equal (+3)",
    )


# --- normal forms ----------------------------------------------------------------------------------------------


FILLERS = [
    *(
        "To be filled by O.E.M.",
        "0123456789",
        "00000000",
        "xxxxxxx",
        "N/A",
        "None",
        "Default string",
        "123456",
    ),
    *("System Serial Number", "Not Specified", "...", "", "-", "1"),
]
NOBODYS_MACS = [
    *(
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "02:42:ac:11:00:02",
        "52:54:00:12:34:56",
        "00:00:5e:00:01:0a",
    ),
    *("00:00:0c:07:ac:01", "00:00:0c:9f:f0:01", "01:00:5e:00:00:01", "48:8f:5a", "hello", ""),
]


@pytest.mark.parametrize("text", FILLERS)
def test_a_serial_that_no_maker_gave_counts_nothing(text: str) -> None:
    assert traits.serial(text) == ""


@pytest.mark.parametrize("text", NOBODYS_MACS)
def test_a_mac_that_many_may_have_counts_nothing(text: str) -> None:
    assert traits.mac(text) == ""


@pytest.mark.parametrize("text", ["48:8F:5A:00:00:01", "488f.5a00.0001", "48-8f-5a-00-00-01", "488f5a000001"])
def test_a_mac_is_one_however_it_is_written(text: str) -> None:
    assert traits.mac(text) == "488f5a000001"


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("80001f8880a05f733785436d38", True),
        ("0x8000:0009:0300:f47f:3593:af81", True),
        ("0000000b0000ac162d927d21", True),
        ("3139322e3136382e3235322e31343823313631", True),
        ("80003a8c04", False),  # RouterOS as delivered
        ("80001f8801c0a80101", False),  # made of 192.168.1.1
        ("800000090300000000000000"[:22], False),  # made of no MAC
        ("80000009030242ac110002", False),  # made of a container's MAC
        ("0000000001", False),
        ("", False),
        ("8000", False),
        ("not hex at all", False),
    ],
)
def test_an_engine_id_counts_where_it_can_tell_boxes_apart(text: str, counts: bool) -> None:
    assert bool(traits.engine_id(text)) is counts


def test_a_base_mac_is_the_bridges_or_the_lowest_port() -> None:
    assert traits.base_mac("48:8f:5a:00:00:09", MACS) == "488f5a000009"
    assert traits.base_mac("000000000000", ["02:42:00:00:00:01", *MACS]) == "488f5a000001"
    assert traits.base_mac("", []) == ""


@given(st.text(max_size=80))
def test_no_text_is_too_odd(text: str) -> None:
    seen = Facts(text, text, text, frozenset({text}), text, text, text, text, port=7).traits
    for normal in (traits.serial, traits.name, traits.model, traits.platform, traits.mac, traits.engine_id):
        assert normal(normal(text)) == normal(text)
    assert 0 <= score(Facts(text), Candidate(1, text, seen)).score <= 100


# --- whole fleets ----------------------------------------------------------------------------------------------

HARDWARE = ("serial", "engine_id", "macs")


@dataclass(frozen=True)
class Box:
    """A box of a generated fleet: as it was recorded (`row`, None for one that was not), and as it is seen now."""

    number: int
    row: Facts | None
    now: Facts


def _made(n: int) -> Facts:
    macs = frozenset(f"48:8f:5a:{n:02x}:00:{k:02x}" for k in range(6))
    card = frozenset(f"b8:69:f4:{n:02x}:00:{k:02x}" for k in range(3))
    return Facts(
        serial=f"HE{n:03}A7K{n:03}",
        engine_id=f"80001f8880a05f73378543{n:04x}",
        base_mac=min(macs),
        macs=macs | card,
        sysname=f"rtr-{n}",
        address=f"10.0.{n}.1",
        platform="routeros",
        model="CCR2004",
    )


CHANGES = {
    "renamed": lambda f, n: {"sysname": f"baru-{n}"},
    "reset": lambda f, n: {"sysname": "MikroTik", "engine_id": f"80001f8880ffffffff0000{n:04x}"},
    "moved": lambda f, n: {"address": f"10.77.{n}.1"},
    "card": lambda f, n: {
        "macs": frozenset(m for m in f.macs if not m.startswith("b8"))
        | {f"b8:69:f5:{n:02x}:00:{k:02x}" for k in range(3)}
    },
    "board": lambda f, n: {
        "base_mac": f"c4:ad:34:{n:02x}:00:00",
        "macs": frozenset({f"c4:ad:34:{n:02x}:00:{k:02x}" for k in range(6)}),
    },
    "system": lambda f, n: {"platform": "linux", "model": "RB-other"},
    "mute": lambda f, n: {"serial": ""},
}


@st.composite
def fleets(draw: st.DrawFn) -> list[Box]:
    """Some boxes; each row knows some of the hardware, and each box was changed somehow.

    Some are clones of the first, some got another's line card, some stand in another's place.
    """
    boxes = []
    count = draw(st.integers(2, 6))
    places = draw(st.permutations(range(count)))
    for n in range(count):
        was, other = _made(n), _made(places[n])
        known = draw(st.sets(st.sampled_from(HARDWARE), min_size=1))
        if (
            n == 0 or draw(st.integers(0, 3)) == 0
        ):  # where only the engine ID is known, a clone is the box itself
            was, known = replace(was, engine_id=_made(0).engine_id), known | {"macs"}
        hidden = {k: frozenset() if k == "macs" else "" for k in HARDWARE if k not in known}
        if "macs" in hidden:
            hidden["base_mac"] = ""
        recorded = replace(was, **hidden) if draw(st.integers(0, 4)) else None
        now = was
        for change in draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=3, unique=True)):
            now = replace(now, **CHANGES[change](now, n))
        if draw(st.booleans()):
            now = replace(now, macs=now.macs | {m for m in other.macs if m.startswith("b8")})
        if draw(st.booleans()):  # it stands where another box stood, perhaps under that one's name
            now = replace(now, address=other.address)
            now = replace(now, sysname=other.sysname) if draw(st.booleans()) else now
        boxes.append(Box(n + 1, recorded, now))
    return boxes


def _recognisable(was: Facts, now: Facts) -> bool:
    """Whether something speaks for the box that no other box could have brought."""
    one, other = was.traits, now.traits
    return bool(
        one.serials & other.serials or one.base_macs & other.base_macs or one.addresses & other.addresses
    )


@settings(max_examples=300, deadline=None)
@given(fleets())
def test_in_any_fleet_the_right_row_is_found_or_a_question_is_asked(boxes: list[Box]) -> None:
    fleet = Fleet()
    for box in boxes:
        if box.row is not None:
            fleet.add(row(box.row, box.number, f"row-{box.number}"))
    for box in boxes:
        found = fleet.judge(box.now.traits)
        if found.kind is Kind.known:
            assert found.candidate
            assert found.candidate.id == box.number, "a wrong merge"
        if box.row is not None and _recognisable(box.row, box.now):
            assert found.kind is not Kind.new, "a second row for one box"
        assert found.match.score >= ASK or found.kind is Kind.new


@settings(max_examples=200, deadline=None)
@given(fleets(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(boxes: list[Box], random) -> None:  # type: ignore[no-untyped-def]
    rows = [row(b.row, b.number, f"row-{b.number}") for b in boxes if b.row is not None]
    shuffled = list(rows)
    random.shuffle(shuffled)
    for box in boxes:
        assert judged(box.now, *rows) == judged(box.now, *shuffled)
