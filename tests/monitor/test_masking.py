"""What a recording must not say: canaries in every place where devices were seen to tell such things."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.masking import masked
from monitor.recording import lines
from monitor.stand_ins import StandIns
from monitor.tables import IpAddress, Oid, Value, oid

KEY = b"one recording's"
ACME = "1.3.6.1.4.1.64999.7"
MAC = bytes.fromhex("000c29414241")  # all of it printable but for the zero
OWN, PUBLIC = "10.77.1.2", "36.91.77.5"


def address(text: str) -> IpAddress:
    return IpAddress(int(part) for part in text.split("."))


def left(seen: dict[str, Value], *secrets: str) -> dict[Oid, Value]:
    return masked({oid(o): v for o, v in seen.items()}, key=KEY, secrets=secrets)


def said(seen: dict[str, Value], *secrets: str) -> str:
    """Return all that is left, names and values, texts in the clear and in hex digits."""
    kept = left(seen, *secrets)
    clear = [v.decode("latin-1") for v in kept.values() if isinstance(v, bytes)]
    return "\n".join([*lines(kept), *clear]).lower()


@pytest.mark.parametrize(
    "place",
    [
        "1.3.6.1.2.1.1.4.0",
        "1.3.6.1.2.1.1.5.0",
        "1.3.6.1.2.1.1.6.0",
        "1.3.6.1.2.1.2.2.1.2.7",
        "1.3.6.1.2.1.31.1.1.1.1.7",
        "1.3.6.1.2.1.31.1.1.1.18.7",
        "1.3.6.1.2.1.33.1.1.6.0",
        "1.3.6.1.2.1.47.1.1.1.1.11.1",
        "1.3.6.1.2.1.47.1.1.1.1.14.1",
        "1.3.6.1.2.1.47.1.1.1.1.15.1",
        "1.0.8802.1.1.2.1.3.3.0",
        "1.0.8802.1.1.2.1.3.7.1.3.1",
        "1.0.8802.1.1.2.1.3.7.1.4.1",
    ],
)
def test_a_name_is_left_neither_where_it_stands_nor_elsewhere(place: str) -> None:
    assert "kanari" not in said({place: b"eth Kanari-4711", f"{ACME}.1.0": b"up: ETH KANARI-4711"})


@pytest.mark.parametrize(
    "place",
    [
        "1.3.6.1.2.1.16.9.1.1.4.1",  # eventCommunity
        "1.3.6.1.2.1.16.19.13.1.2.1",  # trapDestCommunity
        "1.3.6.1.2.1.17.7.1.4.3.1.1.10",  # dot1qVlanStaticName
        "1.3.6.1.2.1.25.1.4.0",  # hrSystemInitialLoadParameters
        "1.3.6.1.2.1.25.3.8.1.3.1",  # hrFSRemoteMountPoint
        "1.3.6.1.2.1.43.18.1.1.8.1.1",
        "1.0.8802.1.1.2.1.5.4795.1.3.3.1.5.0.1.1",  # lldpXMedRemSerialNum
        "1.3.6.1.4.1.9.9.43.1.1.6.1.8.1",
        "1.3.6.1.4.1.14988.1.1.2.1.1.2.1",
        "1.3.6.1.4.1.318.2.1.3.1.1.2.1",
        "1.3.6.1.6.3.18.1.1.1.2.1",
    ],
)
def test_tables_about_others_are_left_out(place: str) -> None:
    assert left({place: b"Kanari"}) == {}


@pytest.mark.parametrize(
    "text",
    [
        "trap community: kanari",
        '{"password":"kanari"}',
        "snmp-server community kanari ro",
        "wpa-psk = 'kanari'",
        "mail kanari@tangerangkab.example",
        "asked by KANARI-login",
        "peer 36.91.77.5 up",
        "peer 192.168.77.5:161",
        "at 000c.2941.4241 or 00:0c:29:41:42:41 or 000C29414241",
        "fe80::20c:29ff:fe41:4241",
    ],
)
def test_no_secret_and_no_address_is_left_in_text(text: str) -> None:
    seen: dict[str, Value] = {f"{ACME}.1.0": text.encode(), f"{ACME}.2.0": address(PUBLIC)}
    assert not re.search(r"kanari|36\.91\.77|168\.77|4142|41:42|41:4241|2941", said(seen, "kanari-Login"))


def test_a_host_is_known_by_its_first_label_and_its_domain_too() -> None:
    seen: dict[str, Value] = {
        "1.3.6.1.2.1.1.5.0": b"RTR-Kanari.kanari.example",
        f"{ACME}.1.0": b"chassis of rtr-kanari",
        f"{ACME}.2.0": b"search kanari.example",
    }
    assert "kanari" not in said(seen)


def test_addresses_are_masked_in_values_and_in_the_indexes_of_rows_alike() -> None:
    kept = left(
        {
            f"1.3.6.1.2.1.4.20.1.1.{OWN}": address(OWN),
            f"1.3.6.1.2.1.4.20.1.3.{OWN}": address("255.255.255.0"),
            f"1.3.6.1.2.1.4.34.1.3.1.4.{OWN}": 1,
            "1.3.6.1.2.1.4.34.1.3.2.16." + ".".join(map(str, (0xFE, 0x80, *range(14)))): 1,
            f"{ACME}.3.1.2.{OWN}": 7,
            f"{ACME}.3.1.2.192.168.1.1": 7,
            f"{ACME}.4.0": address(PUBLIC),
            f"1.3.6.1.2.1.15.3.1.7.{PUBLIC}": address(PUBLIC),
        }
    )
    new = StandIns(KEY).ipv4(address(OWN))
    assert kept[(*oid("1.3.6.1.2.1.4.20.1.1"), *new)] == new
    assert kept[(*oid("1.3.6.1.2.1.4.20.1.3"), *new)] == address("255.255.255.0")
    assert (*oid("1.3.6.1.2.1.4.34.1.3.1.4"), *new) in kept
    assert kept[(*oid(f"{ACME}.3.1.2"), *new)] == 7
    text = "".join(lines(kept))
    assert not re.search(r"10\.77|36\.91|192\.168|254\.128|\.1\.15\.", text)
    assert len(kept) == 7


def test_a_mac_is_masked_wherever_it_stands() -> None:
    seen: dict[str, Value] = {
        "1.3.6.1.2.1.2.2.1.6.1": MAC,
        "1.3.6.1.6.3.10.2.1.1.0": bytes.fromhex("80001f8803") + MAC,
        f"{ACME}.1.2." + ".".join(map(str, MAC)): 5,
        f"{ACME}.2.0": b"\x80\x00" + MAC,
    }
    kept = left(seen)
    assert all(MAC not in v for v in kept.values() if isinstance(v, bytes))
    assert all(MAC[3:] != bytes(o[-3:]) for o in kept if max(o[-3:]) < 256)
    assert kept[oid("1.3.6.1.2.1.2.2.1.6.1")] == StandIns(KEY).mac(MAC)
    assert StandIns(KEY).mac(MAC)[:3] == MAC[:3]


def test_what_a_platform_needs_is_left() -> None:
    seen: dict[str, Value] = {
        "1.3.6.1.2.1.1.1.0": b"AcmeOS version 10.4.0.2, board 12.5.1.7 V24.1.2.3 on eth0",
        "1.3.6.1.2.1.2.2.1.2.1": b"GigabitEthernet1/0/24",
        "1.3.6.1.2.1.2.2.1.2.2": b"sfp-sfpplus1",
        "1.3.6.1.2.1.33.1.2.1.0": 2,
        "1.3.6.1.2.1.47.1.1.1.1.13.1": b"AX-9",
        f"{ACME}.1.1.0": 81,
        f"{ACME}.1.2.0": b"\x9f\x78\x04\x41\x20\x00\x00",
        f"{ACME}.1.3.0": b"\x80\x00\x00\x00",
        f"{ACME}.1.4.0": b"Coolant, phase 12:30:05",
        f"{ACME}.1.5.1.1.2.3.4.5.6": 1,
    }
    assert left(seen) == {oid(o): v for o, v in seen.items()}


def test_stand_ins_of_two_recordings_differ() -> None:
    for make in (StandIns.name, StandIns.serial, StandIns.mac, StandIns.ipv4):
        value = b"\x24\x5b\x4d\x05" if make is StandIns.ipv4 else b"\x00ABCDE"
        assert make(StandIns(b"1"), value) != make(StandIns(b"2"), value)
        assert make(StandIns(b"1"), value) == make(StandIns(b"1"), value)


NUMBERS = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=30).map(tuple)
BRANCHES = st.sampled_from(
    [oid("1.3.6.1.2.1.4.34.1"), oid("1.3.6.1.2.1.4.20.1"), oid("1.3.6.1.2.1.2.2.1"), oid(ACME)]
)
PLACES = st.builds(lambda branch, rest: (*branch, *rest), BRANCHES, NUMBERS)
OCTETS = st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode))


@given(
    st.dictionaries(PLACES, st.one_of(OCTETS, st.binary(min_size=4, max_size=4).map(IpAddress)), max_size=9)
)
def test_masking_takes_whatever_a_device_says(seen: dict[Oid, Value]) -> None:
    assert len(masked(seen, key=KEY)) <= len(seen)
