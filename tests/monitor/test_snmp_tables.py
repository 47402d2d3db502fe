"""What tables mean: ports, speeds, widths of counters, processors, memory, temperature."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.platform_format import Memory, Part, SensorReading, WirelessReading
from inventory.platforms import parts_of, platform, platforms
from monitor import host_resources, snmp_ports, wanted
from monitor.health import mempools, processors, storage, supplies
from monitor.host_resources import HR_DESCR, HR_SIZE, HR_TYPE, HR_UNIT, HR_USED
from monitor.observation import State, Thresholds, as_json
from monitor.pools import pool_of
from monitor.sensors import sensors, wireless
from monitor.snmp_ports import mac, open_columns, ports, speed_bps
from monitor.snmp_read import Reading, active, observation
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


def test_64_bits_in_the_columns_of_32_are_taken_as_they_are_of_the_whole_agent() -> None:
    seen = {
        **column(snmp_ports.DESCR, b"a", b"b", b"c"),
        **column(snmp_ports.IN_32, 2**40, 7, 2**64),
        **column(snmp_ports.OUT_32, 3, 8, 9),
    }
    octets = [(p.in_octets, p.out_octets, p.octets_bits, p.octets_in_iftable) for p in ports(Tables(seen))]
    assert octets == [(2**40, 3, 64, True), (7, 8, 64, True), (None, 9, 64, True)]


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
    assert as_name(b"peca-sw02\0\0\0\n00 00") == "peca-sw02"


@pytest.mark.parametrize(
    ("value", "regex", "expected"),
    [
        (7, "", 7.0),
        (b"51.569", "", 51.569),
        (b"15 PERCENT", "", 15.0),
        (b"5 Secs ( 31.1134%) 60 Secs", r"5 Secs \( *([\d.]+)", 31.1134),
        (b"n/a", "", None),
        (bytes.fromhex("9f780442340000"), "", 45.0),
        (bytes.fromhex("9f7908c05ec00000000000"), "", -123.0),
        (bytes.fromhex("9f78047f800000"), "", None),
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
    ram, other = host_resources._RAM, host_resources._OTHER
    seen = {
        **column(HR_TYPE, ram, other, other, oid("1.3.6.1.2.1.25.2.1.4"), other),
        **column(
            HR_DESCR,
            b"Physical memory",
            b"Memory buffers",
            b"Cached memory",
            b"/",
            b"Available memory",
        ),
        **column(HR_UNIT, 1024, 1024, 1024, 4096, 1024),
        **column(HR_SIZE, 1000, 1000, 300, 5000, 500),
        **column(HR_USED, 900, 100, 300, 100, 0),
    }
    pools = {p.descr: (p.percent, p.total, p.used) for p in mempools(parts_of(None), Tables(seen))}
    assert pools == {
        "Physical memory": (50.0, 1_024_000, 512_000),
        "Memory buffers": (10.0, 1_024_000, 102_400),
        "Cached memory": (30.0, 1_024_000, 307_200),
    }
    disks = storage(parts_of(None), Tables(seen))
    assert [(d.descr, d.total, d.used, d.kind) for d in disks] == [
        ("/", 5000 * 4096, 100 * 4096, "hrStorageFixedDisk")
    ]


def test_a_host_without_a_storage_table_has_the_memory_and_the_disks_of_ucd() -> None:
    ucd = oid("1.3.6.1.4.1.2021")
    memory = {3: 400, 4: 300, 5: 1000, 6: 200, 14: 100, 15: 200}
    disks = {
        (2, 1): b"/",
        (6, 1): 1000,
        (7, 1): 600,
        (8, 1): 350,
        (2, 2): b"/var",
        (6, 2): 500,
        (7, 2): 2**31 - 1,
        (8, 2): 125,
        (2, 3): b"/srv",
        (6, 3): 2**31 - 1,
        (7, 3): 5,
        (8, 3): 5,
    }
    seen: dict[Oid, Value] = {(*ucd, 4, number, 0): value for number, value in memory.items()}
    seen |= {(*ucd, 9, 1, *place): value for place, value in disks.items()}
    pools = [(p.descr, p.percent, p.total) for p in mempools(parts_of(None), Tables(seen))]
    assert pools == [
        ("Physical memory", 50.0, 1_024_000),
        ("Swap space", 25.0, 409_600),
        ("Memory buffers", 10.0, 1_024_000),
        ("Cached memory", 20.0, 1_024_000),
    ]
    found = [(d.descr, d.percent, d.total) for d in storage(parts_of(None), Tables(seen))]
    assert found == [("/", 40.0, 1_024_000), ("/var", 25.0, 512_000)]
    seen |= column(HR_TYPE, oid("1.3.6.1.2.1.25.2.1.4")) | column(HR_DESCR, b"/")
    seen |= column(HR_UNIT, 4096) | column(HR_SIZE, 5000) | column(HR_USED, 100)
    assert [d.total for d in storage(parts_of(None), Tables(seen))] == [5000 * 4096]


def test_a_fallback_is_read_only_where_nothing_else_is() -> None:
    ios = parts_of(platform("ios"))
    new, old = oid("1.3.6.1.4.1.9.9.109.1.1.1.1.8"), oid("1.3.6.1.4.1.9.2.1.58.0")
    assert [p.percent for p in processors(ios, Tables({(*new, 1): 12, old: 40}))] == [12.0]
    assert [p.percent for p in processors(ios, Tables({old: 40}))] == [40.0]


def test_a_number_that_stands_for_no_reading_is_none() -> None:
    vrp = parts_of(platform("vrp"))
    temp = oid("1.3.6.1.4.1.2011.5.25.31.1.1.1.1.11")
    assert [s.value for s in sensors(vrp, Tables(column(temp, 44, 0, 2147483647)))] == [44.0]


_ENTITY_SENSOR = oid("1.3.6.1.2.1.99.1.1.1")


def test_sensors_are_scaled_as_rfc_3433_says() -> None:
    seen = {
        **column((*_ENTITY_SENSOR, 1), 8, 8, 8, 4, 14),
        **column((*_ENTITY_SENSOR, 2), 9, 8, 9, 8, 9),
        **column((*_ENTITY_SENSOR, 3), 1, 0, 0, 0, 2),
        **column((*_ENTITY_SENSOR, 4), 245, 36500, 50, 230, -512),
        **column((*_ENTITY_SENSOR, 5), 1, 1, 3, 1, 1),
    }
    found = [(s.kind, s.value, s.unit) for s in sensors(parts_of(None), Tables(seen))]
    assert found == [
        ("temperature", 24.5, "°C"),
        ("temperature", 36.5, "°C"),
        ("voltage", 0.23, "V"),
        ("dbm", -5.12, "dBm"),
    ]


def only(**given: object) -> tuple[Part, ...]:
    """Return a part with one sensor at 1.2.3."""
    return (Part(sensors=(SensorReading.model_validate({"oid": "1.2.3", **given}),)),)


def test_a_state_says_what_its_code_means_and_an_unknown_code_is_unknown() -> None:
    part = only(
        **{"class": "state", "states": {"1": "ok normal", "2": "critical on fire", "off": "warning off"}}
    )
    found = sensors(part, Tables({(1, 2, 3, 1): 1, (1, 2, 3, 2): 2, (1, 2, 3, 3): 9, (1, 2, 3, 4): b"OFF"}))
    assert [s.state for s in found] == [
        State("normal", "ok"),
        State("on fire", "critical"),
        State("9", "unknown"),
        State("off", "warning"),
    ]


def test_a_name_is_joined_over_a_pointer_and_a_part_of_the_index() -> None:
    names = [{"oid": "1.9.1", "via": "1.2.4"}, {"oid": "1.9.2", "index": [0, 1]}]
    part = only(**{"class": "voltage"}, title="PSU {i} of {0} in {1}", names=names)
    seen: dict[Oid, Value] = {
        (1, 2, 3, 7, 2): 12,
        (1, 2, 4, 7, 2): 5,
        (1, 9, 1, 5): b"rack",
        (1, 9, 2, 7): b"room",
    }
    assert [s.descr for s in sensors(part, Tables(seen))] == ["PSU 2 of rack in room"]


def test_an_object_identifier_that_names_a_row_is_told_in_words() -> None:
    part = only(**{"class": "voltage"}, names=[{"oid": "1.2.4", "words": {"1.3.6": "Return air"}}])
    seen: dict[Oid, Value] = {**column((1, 2, 3), 21, 22), **column((1, 2, 4), (1, 3, 6), (1, 3, 7))}
    assert [s.descr for s in sensors(part, Tables(seen))] == ["Return air", "1.3.7"]


def test_a_lone_phase_has_no_number() -> None:
    part = only(**{"class": "voltage"}, title="Input {n} of {i0}")
    lone: dict[Oid, Value] = {(1, 2, 3, 7, 1): 230}
    assert [s.descr for s in sensors(part, Tables(lone))] == ["Input of 7"]
    several = lone | {(1, 2, 3, 7, 2): 231}
    assert [s.descr for s in sensors(part, Tables(several))] == ["Input 1 of 7", "Input 2 of 7"]


def test_a_code_in_a_name_is_told_in_words() -> None:
    names = [{"oid": "1.2.4", "words": {"2": "inlet"}}]
    part = only(**{"class": "temperature"}, title="{0} {i}", names=names)
    seen: dict[Oid, Value] = {(1, 2, 3, 1): 20, (1, 2, 3, 2): 21, (1, 2, 4, 1): 2, (1, 2, 4, 2): 9}
    assert [s.descr for s in sensors(part, Tables(seen))] == ["inlet 1", "9 2"]


@pytest.mark.parametrize(
    ("more", "readings"),
    [
        ({}, [("5 GHz", 3.0, "1.2.3.1"), ("2.4 GHz", 1.0, "1.2.3.2"), ("5 GHz", 4.0, "1.2.3.3")]),
        ({"total": True}, [("5 GHz", 7.0, "1.2.3"), ("2.4 GHz", 1.0, "1.2.3.2")]),
        ({"first": True}, [("5 GHz", 3.0, "1.2.3.1"), ("2.4 GHz", 1.0, "1.2.3.2")]),
        ({"total": True, "text": None}, [("clients", 8.0, "1.2.3")]),
    ],
)
def test_clients_are_added_up_by_what_they_are_called(
    more: dict[str, object], readings: list[tuple[str, float, str]]
) -> None:
    reading = {"oid": "1.2.3", "text": "1.2.4", "class": "clients"} | more
    part = Part(wireless=(WirelessReading.model_validate(reading),))
    seen = {**column((1, 2, 3), 3, 1, 4), **column((1, 2, 4), b"5 GHz", b"2.4 GHz", b"5 GHz")}
    assert [(w.descr, w.value, w.oid) for w in wireless([part], Tables(seen))] == readings


def test_limits_are_scaled_as_the_reading_is() -> None:
    part = only(**{"class": "voltage"}, scale=0.1, limits={"critical": "1.2.5", "low_warning": 200})
    found = sensors(part, Tables({(1, 2, 3, 1): 2300, (1, 2, 5, 1): 2500}))
    assert [(s.value, s.limits) for s in found] == [(230.0, Thresholds(critical=250.0, low_warning=200.0))]


@pytest.mark.parametrize(
    ("kind", "held", "limits"),
    [
        ("voltage", {"critical": 0, "low_critical": 0}, None),
        ("voltage", {"critical": 0, "low_critical": 220}, Thresholds(low_critical=220.0)),
        ("temperature", {"critical": 0, "low_critical": 0}, Thresholds(low_critical=0.0)),
        ("temperature", {"critical": -(2**31), "low_warning": 2**31 - 1}, None),
        ("temperature", {"warning": 40, "low_critical": 40}, None),
        ("dbm", {"critical": 0, "low_critical": -20}, Thresholds(critical=0.0, low_critical=-20.0)),
    ],
)
def test_a_limit_that_the_device_does_not_have_is_none(
    kind: str, held: dict[str, int], limits: Thresholds | None
) -> None:
    places = {name: f"1.2.{5 + at}" for at, name in enumerate(held)}
    part = only(**{"class": kind}, limits=places)
    rows = {(*oid(places[name]), 1): number for name, number in held.items()}
    [found] = sensors(part, Tables({(1, 2, 3, 1): 23, **rows}))
    assert found.limits == limits


LIMIT_ROWS = {"value": "1.2.7", "severity": "1.2.8", "relation": "1.2.9", "skip": [-99]}
LIMIT_CODES = {"critical": [20, 30], "warning": [10], "above": [3, 4], "below": [1, 2]}


@pytest.mark.parametrize(
    ("held", "limits"),
    [
        (
            [(900, 20, 4), (850, 10, 4), (-50, 10, 2), (-100, 20, 2)],
            Thresholds(critical=90.0, warning=85.0, low_warning=-5.0, low_critical=-10.0),
        ),
        ([(800, 20, 3), (900, 30, 3)], Thresholds(critical=80.0)),  # What is reached first.
        ([(-99, 20, 4), (0, 10, 4)], None),  # None, and nothing that all would be too much for.
        ([(700, 1, 4), (700, 20, 5)], None),  # A severity and a relation that say neither.
        ([(700, 1, 4), (600, 1, 4), (900, 20, 4)], Thresholds(critical=90.0)),
        ([(600, 20, 1), (500, 20, 1)], None),  # Twice the same codes: firmware that does not tell.
    ],
)
def test_limits_stand_in_rows_of_their_own(
    held: list[tuple[int, int, int]], limits: Thresholds | None
) -> None:
    part = only(**{"class": "temperature"}, scale=0.1, limit_rows=LIMIT_ROWS | LIMIT_CODES)
    rows = {(1, 2, 7 + c, 4, n): row[c] for n, row in enumerate(held, 1) for c in range(3)}
    other = {(1, 2, 7, 5, 1): 100, (1, 2, 8, 5, 1): 20, (1, 2, 9, 5, 1): 4}
    [found] = sensors(part, Tables({(1, 2, 3, 4): 400, **rows, **other}))
    assert (found.value, found.limits) == (40.0, limits)
    assert set(wanted.objects(part)) >= {(1, 2, 7), (1, 2, 8), (1, 2, 9)}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("frequency", [1.7]),
        ("count", [1.7]),
        ("percent", [1.7]),
        ("voltage", [1.7]),
        ("current", [-0.1, 1.7]),
    ],
)
def test_minus_one_is_no_reading_of_what_is_never_below_zero(kind: str, values: list[float]) -> None:
    found = sensors(only(**{"class": kind}, scale=0.1), Tables({(1, 2, 3, 1): -1, (1, 2, 3, 2): 17}))
    assert [s.value for s in found] == values


@pytest.mark.parametrize("end", [2**31 - 1, -(2**31), 2**32 - 1])
def test_the_end_of_a_type_is_no_reading_but_may_be_a_state(end: int) -> None:
    tables = Tables({(1, 2, 3, 1): end, (1, 2, 3, 2): 17})
    assert [s.value for s in sensors(only(**{"class": "current"}, scale=1e-6), tables)] == [0.000017]
    told = sensors(only(**{"class": "state"}, states={str(end): "unknown not there"}), tables)
    assert told[0].state == State("not there", "unknown")


@pytest.mark.parametrize(
    ("more", "raw", "value"),
    [
        ({"convert": "fahrenheit"}, 212, 100.0),
        ({"convert": "milliwatt", "scale": 0.001}, 500, pytest.approx(-3.0103, abs=1e-4)),
        ({"convert": "milliwatt"}, 0, None),
        ({"times": "1.2.9.0"}, 3, 30.0),
        ({"per": "1.2.9.0"}, 3, 0.3),
        ({"per": "1.2.9.1"}, 3, None),
        ({"exponent": "1.2.9.0"}, 3, None),
        ({"power_of_1000": "1.2.9.3"}, 3, 3.0),
        ({"power_of_1000": "1.2.9.8"}, 3, 0.003),
        ({"low": 5}, 3, None),
        ({"high": 2}, 3, None),
    ],
)
def test_numbers_become_units(more: dict[str, object], raw: int, value: float | None) -> None:
    seen: dict[Oid, Value] = {(1, 2, 3, 1): raw, (1, 2, 9, 0): 10 if {"times", "per"} & set(more) else 77}
    seen |= {(1, 2, 9, 3, 1): 1, (1, 2, 9, 8, 1): 8}
    found = [s.value for s in sensors(only(**{"class": "count"}, **more), Tables(seen))]
    assert found == ([] if value is None else [value])


def test_an_object_steps_back_where_a_better_one_has_a_number() -> None:
    part = only(**{"class": "voltage"}, unless="1.2.4", skip=[-1])
    seen: dict[Oid, Value] = {**column((1, 2, 3), 230, 231, 232), (1, 2, 4, 1): 2304, (1, 2, 4, 2): -1}
    assert [s.value for s in sensors(part, Tables(seen))] == [231.0, 232.0]


def test_an_older_mib_is_read_only_where_the_newer_one_is_not() -> None:
    part = Part.model_validate({"probe": "1.5", "unless": "1.6"})
    assert active([part], Tables({(1, 5, 0): 1})) == [part]
    assert active([part], Tables({(1, 5, 0): 1, (1, 6, 0): 1})) == []


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (b"\x00", State("all well", "ok")),
        (b"", State("all well", "ok")),
        (b"\x80", State("low on paper", "warning")),
        (b"\x88\x00", State("low on paper, door open", "critical")),
        (b"\x00\x01", State("bit 15", "unknown")),
        (b"\x88\x01", State("low on paper, door open", "critical")),
        (7, None),
    ],
)
def test_bits_that_are_set_are_told_with_the_worst_severity(raw: Value, state: State | None) -> None:
    states = {"none": "ok all well", "0": "warning low on paper", "4": "critical door open"}
    found = sensors(only(**{"class": "state"}, bits=True, states=states), Tables({(1, 2, 3, 1): raw}))
    assert [s.state for s in found] == ([state] if state else [])


def test_what_a_printer_does_not_know_is_not_observed() -> None:
    marker = oid("1.3.6.1.2.1.43.11.1.1")
    seen = {
        **column((*marker, 6, 1), b"Black", b"Drum", b"Waste", b"Cyan"),
        **column((*marker, 5, 1), 3, 9, 4, 3),
        **column((*marker, 8, 1), -2, 12000, 100, 1000),
        **column((*marker, 9, 1), -3, 11500, -2, 500),
    }
    found = supplies(parts_of(None), Tables(seen))
    assert [(s.descr, s.kind, s.percent, s.remark) for s in found] == [
        ("Black", "toner", None, "some is left"),
        ("Drum", "opc", 95.8, ""),
        ("Cyan", "toner", 50.0, ""),
    ]


_OIDS = [
    *(snmp_ports.STATIC + snmp_ports.MOVING + snmp_ports.MOVING_X),
    *host_resources.HR_STORAGE,
    host_resources.UCD_IDLE,
    *host_resources.UCD_MEMORY,
    host_resources.HR_LOAD,
    oid("1.3.6.1.2.1.1.3.0"),
]
_VALUES = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.binary(max_size=40),
    st.tuples(st.integers(0, 2), st.integers(0, 39)),
    st.just(8),
)


@st.composite
def devices(draw: st.DrawFn) -> Reading:
    """Draw a device of some platform with whatever in the objects that it is asked for."""
    known = draw(st.sampled_from([None, *platforms()]))
    parts = parts_of(known)
    named = [*wanted.objects(parts), *wanted.entity_columns(parts)]
    places = st.tuples(st.sampled_from(_OIDS + named), st.lists(st.integers(0, 2**32), max_size=3).map(tuple))
    rows = draw(st.dictionaries(places, _VALUES))
    return Reading(seen={(*base, *index): value for (base, index), value in rows.items()}, platform=known)


@given(devices())
def test_whatever_stands_in_a_table_an_observation_comes_of_it(reading: Reading) -> None:
    found = observation(Target("d", "127.0.0.1"), datetime(2026, 1, 1, tzinfo=UTC), 0.1, reading=reading)
    json.dumps(as_json(found), allow_nan=False)
    assert all(0 <= m.percent <= 100 for m in (*found.mempools, *found.storage))
    assert all(0 <= c.percent <= 100 for c in found.processors)
    assert all(s.percent is None or 0 <= s.percent <= 100 for s in found.supplies)
    assert len({p.ifIndex for p in found.ports}) == len(found.ports)
    assert len({s.oid for s in found.sensors}) == len(found.sensors)


@given(st.binary(max_size=2000))
def test_text_is_bounded_and_on_one_line(raw: bytes) -> None:
    for text in (as_text(raw), as_name(raw)):
        assert len(text) <= 255
        assert text.isprintable()
