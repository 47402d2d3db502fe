"""What tables mean: ports, speeds, widths of counters, processors, memory, temperature."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.platforms import Memory, platform, platforms
from monitor import snmp_health, snmp_ports
from monitor.observation import as_json
from monitor.snmp_health import mempools, pool_of, processors, temperatures
from monitor.snmp_ports import mac, open_columns, ports, speed_bps
from monitor.snmp_read import Reading, observation
from monitor.tables import Oid, Tables, Value, as_name, as_number, as_text, oid, picked
from monitor.targets import Target


def column(of: Oid, *values: Value) -> dict[Oid, Value]:
    return {(*of, i): value for i, value in enumerate(values, 1)}


@pytest.mark.parametrize(
    ("high", "low", "speed"),
    [
        (1000, 1_000_000_000, 10**9),
        (100_000, 2**32 - 1, 10**11),
        (0, 64_000, 64_000),
        (None, 100_000_000, 10**8),
        (0, None, 0),
        (None, None, None),
    ],
)
def test_speed_is_the_high_one_unless_it_rounds_to_nothing(
    high: int | None, low: int | None, speed: int
) -> None:
    assert speed_bps(high, low) == speed


def test_octets_are_of_one_width() -> None:
    seen = {
        **column(snmp_ports.DESCR, b"a", b"b", b"c", b"d"),
        **column(snmp_ports.IN_64, 10, 10),
        **column(snmp_ports.OUT_64, 20),
        **column(snmp_ports.IN_32, 1, 1, 1),
        **column(snmp_ports.OUT_32, 2, 2, 2),
    }
    octets = [(p.in_octets, p.out_octets, p.octets_bits) for p in ports(Tables(seen))]
    assert octets == [(10, 20, 64), (1, 2, 32), (1, 2, 32), (None, None, None)]


def test_old_columns_are_asked_only_where_new_ones_leave_something_open() -> None:
    seen: dict[Oid, Value] = {
        **column(snmp_ports.OPER, 1, 1),
        **column(snmp_ports.IN_64, 1, 1),
        **column(snmp_ports.OUT_64, 1, 1),
        **column(snmp_ports.HIGH_SPEED, 1000, 10),
    }
    assert open_columns(Tables(seen)) == ()
    seen[(*snmp_ports.HIGH_SPEED, 2)] = 0
    assert open_columns(Tables(seen)) == (snmp_ports.SPEED,)
    del seen[(*snmp_ports.OUT_64, 1)]
    assert open_columns(Tables(seen)) == (snmp_ports.IN_32, snmp_ports.OUT_32, snmp_ports.SPEED)


def test_a_mac_is_six_octets() -> None:
    assert mac(bytes.fromhex("488f5a000001")) == "488f5a000001"
    assert mac(b"") is None
    assert mac(b"48:8f:5a:00:00:01") is None


def test_a_port_is_called_as_the_device_calls_it_but_safely() -> None:
    assert as_name(b"CPU Interface:  5/1\0") == "CPU Interface:  5/1"
    assert as_name(b"\x1b[2Jether1\n") == "[2Jether1"


@pytest.mark.parametrize(
    ("value", "regex", "expected"),
    [
        (7, "", 7.0),
        (b"51.569", "", 51.569),
        (b"15 PERCENT", "", 15.0),
        (b"5 Secs ( 31.1134%) 60 Secs", r"5 Secs \( *([\d.]+)", 31.1134),
        (b"n/a", "", None),
        ((1, 3), "", None),
        (b"9" * 400, "", 10.0**18 - 1),
    ],
)
def test_numbers_are_read_out_of_text(value: Value, regex: str, expected: float | None) -> None:
    assert as_number(value, regex) == (pytest.approx(expected) if expected is not None else None)


def test_groups_are_put_together() -> None:
    assert picked("PF:v7.0.8 AF1:v7.1", r"PF:(\S+) AF1:(\S+)", "AOS {0} / App {1}") == "AOS v7.0.8 / App v7.1"
    assert picked("{0} nothing", r"(x)", "{0}") == ""


@pytest.mark.parametrize(
    ("row", "pool"),
    [
        ({"total": 200, "used": 50}, (25.0, 200, 50)),
        ({"total": 200, "free": 50}, (75.0, 200, 150)),
        ({"used": 30, "free": 70}, (30.0, 100, 30)),
        ({"percent": 40}, (40.0, None, None)),
        ({"percent": 40, "total": 1000}, (40.0, 1000, 400)),
        ({"total": 0, "used": 0}, None),
        ({"total": 10, "used": 11}, None),
        ({"percent": 255}, None),
        ({}, None),
    ],
)
def test_a_pool_needs_two_numbers_or_a_percentage(
    row: dict[str, float], pool: tuple[object, ...] | None
) -> None:
    given_row = {"total": None, "used": None, "free": None, "percent": None} | row
    found = pool_of("m", Memory(), **given_row)
    assert (found and (found.percent, found.total, found.used)) == pool


def test_physical_memory_is_counted_without_the_kernels_caches() -> None:
    ram, other = snmp_health._RAM, snmp_health._OTHER
    seen = {
        **column(snmp_health.HR_TYPE, ram, other, other, oid("1.3.6.1.2.1.25.2.1.4"), other),
        **column(
            snmp_health.HR_DESCR,
            b"Physical memory",
            b"Memory buffers",
            b"Cached memory",
            b"/",
            b"Available memory",
        ),
        **column(snmp_health.HR_UNIT, 1024, 1024, 1024, 4096, 1024),
        **column(snmp_health.HR_SIZE, 1000, 1000, 300, 5000, 500),
        **column(snmp_health.HR_USED, 900, 100, 300, 100, 0),
    }
    pools = {p.descr: (p.percent, p.total, p.used) for p in mempools(None, Tables(seen))}
    assert pools == {
        "Physical memory": (50.0, 1_024_000, 512_000),
        "Memory buffers": (10.0, 1_024_000, 102_400),
        "Cached memory": (30.0, 1_024_000, 307_200),
    }


def test_a_fallback_is_read_only_where_nothing_else_is() -> None:
    ios = platform("ios")
    new, old = oid("1.3.6.1.4.1.9.9.109.1.1.1.1.8"), oid("1.3.6.1.4.1.9.2.1.58.0")
    assert [p.percent for p in processors(ios, Tables({(*new, 1): 12, old: 40}))] == [12.0]
    assert [p.percent for p in processors(ios, Tables({old: 40}))] == [40.0]


def test_a_number_that_stands_for_no_reading_is_none() -> None:
    vrp = platform("vrp")
    temp = oid("1.3.6.1.4.1.2011.5.25.31.1.1.1.1.11")
    assert [s.value for s in temperatures(vrp, Tables(column(temp, 44, 0, 2147483647)))] == [44.0]


def test_sensors_are_scaled_as_rfc_3433_says() -> None:
    seen = {
        **column(snmp_health.SENSOR_TYPE, 8, 8, 8, 4),
        **column(snmp_health.SENSOR_SCALE, 9, 8, 9, 9),
        **column(snmp_health.SENSOR_PRECISION, 1, 0, 0, 0),
        **column(snmp_health.SENSOR_VALUE, 245, 36500, 50, 230),
        **column(snmp_health.SENSOR_STATUS, 1, 1, 3, 1),
    }
    assert [s.value for s in temperatures(None, Tables(seen))] == [24.5, 36.5]


_OIDS = [
    *(snmp_ports.STATIC + snmp_ports.MOVING + snmp_ports.MOVING_X),
    *snmp_health.HR_STORAGE,
    *snmp_health.UCD,
    snmp_health.HR_LOAD,
    snmp_health.SENSOR_TYPE,
    *snmp_health.SENSOR_PARTS,
    oid("1.3.6.1.2.1.1.3.0"),
]
_VALUES = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.binary(max_size=40),
    st.tuples(st.integers(0, 2), st.integers(0, 39)),
    st.just(8),
)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(_OIDS), st.lists(st.integers(0, 2**32), max_size=3).map(tuple)), _VALUES
    ),
    st.sampled_from([None, *platforms()]),
)
def test_whatever_stands_in_a_table_an_observation_comes_of_it(
    rows: dict[tuple[Oid, tuple[int, ...]], Value], known: object
) -> None:
    seen = {(*base, *index): value for (base, index), value in rows.items()}
    reading = Reading(seen=seen, platform=known)  # type: ignore[arg-type]
    found = observation(Target("d", "127.0.0.1"), datetime(2026, 1, 1, tzinfo=UTC), 0.1, reading=reading)
    as_json(found)
    assert all(0 <= m.percent <= 100 for m in found.mempools)
    assert all(0 <= c.percent <= 100 for c in found.processors)
    assert len({p.ifIndex for p in found.ports}) == len(found.ports)


@given(st.binary(max_size=2000))
def test_text_is_bounded_and_on_one_line(raw: bytes) -> None:
    for text in (as_text(raw), as_name(raw)):
        assert len(text) <= 255
        assert text.isprintable()
