"""What the files of servers, stores, firewalls, radios and cameras make of numbers and words."""

from typing import Any

import pytest

from inventory.platforms import parts_of, platform
from monitor.health import mempools, storage
from monitor.sensors import sensors, wireless
from monitor.snmp_read import active
from monitor.tables import Oid, Tables, Value, oid


def tables(rows: dict[str, Any]) -> Tables:
    """Return tables of dotted identifiers; text is written as str."""
    seen: dict[Oid, Value] = {oid(k): v.encode() if isinstance(v, str) else v for k, v in rows.items()}
    return Tables(seen)


def read(name: str, rows: dict[str, Any]) -> list[tuple[str, str, object]]:
    """Return class, name, and value or state of every sensor."""
    seen = tables(rows)
    found = sensors(active(parts_of(platform(name)), seen), seen)
    return [(s.kind, s.descr, s.state.label if s.state else s.value) for s in found]


DELL, COMPAQ, ATEN = "1.3.6.1.4.1.674.10892.5.4", "1.3.6.1.4.1.232.6.2", "1.3.6.1.4.1.21317.1.3.1"
IMM, IBMC, FORTI = "1.3.6.1.4.1.2.3.51.3.1", "1.3.6.1.4.1.2011.2.235.1.1", "1.3.6.1.4.1.12356.101"
SYNOLOGY, QNAP, ZFS = "1.3.6.1.4.1.6574", "1.3.6.1.4.1.24681.1", "1.3.6.1.4.1.50536.1.1.1.1"
PAN, SFOS, ENTITY = "1.3.6.1.4.1.25461.2.1.2", "1.3.6.1.4.1.2604.5.1", "1.3.6.1.2.1.99.1.1.1"
SONICWALL = "1.3.6.1.4.1.8741"
AIRMAX, GWN, SUPERDOCTOR = "1.3.6.1.4.1.41112.1.4", "1.3.6.1.4.1.42397.1.1.3", "1.3.6.1.4.1.10876.2.1.1.1.1"

UCD, NAS, MEGARAID = "1.3.6.1.4.1.2021", "1.3.6.1.4.1.50536", "1.3.6.1.4.1.3582"

SAID: list[tuple[str, dict[str, Any], list[tuple[str, str, object]]]] = [
    (
        "linux",
        {
            f"{UCD}.2.1.2.1": "sshd",
            f"{UCD}.2.1.3.1": 1,
            f"{UCD}.2.1.5.1": 3,
            f"{UCD}.2.1.100.1": 0,
            f"{UCD}.2.1.2.2": "named",
            f"{UCD}.2.1.5.2": 0,
            f"{UCD}.2.1.100.2": 1,
        },
        [
            ("count", "sshd", 3.0),
            ("count", "named", 0.0),
            ("state", "sshd", "as configured"),
            ("state", "named", "too few or too many"),
        ],
    ),
    # An enclosure's sensor that is not there has no temperature.
    (
        "linux",
        {
            f"{MEGARAID}.4.1.4.1.2.1.4.0": 1,
            f"{MEGARAID}.4.1.5.6.1.3.1": 2,
            f"{MEGARAID}.4.1.5.6.1.4.1": 28,
            f"{MEGARAID}.4.1.5.6.1.3.2": 6,
            f"{MEGARAID}.4.1.5.6.1.4.2": 99,
            f"{MEGARAID}.4.1.5.7.1.3.1": 2,
        },
        [
            ("state", "Alarm of controller 0", "enabled"),
            ("temperature", "Enclosure 1", 28.0),
            ("state", "Enclosure alarm 1", "ok"),
        ],
    ),
    # One branch is the first cache's in one MIB, and the second one's in the other.
    (
        "truenas",
        {f"{NAS}.1.4.1.0": 4096, f"{NAS}.1.5.1.0": 17, f"{NAS}.1.6.1.0": 2},
        [
            ("count", "ARC size", 4096.0),
            ("count", "L2ARC hits", 17.0),
            ("count", "ZIL operations in 1 s", 2.0),
        ],
    ),
    (
        "truenas",
        {f"{NAS}.1.3.1.0": 4096, f"{NAS}.1.3.9.0": "99.25", f"{NAS}.1.4.1.0": 17, f"{NAS}.1.5.1.0": 2},
        [
            ("count", "ARC size", 4096.0),
            ("count", "ARC hit ratio", 99.25),
            ("count", "L2ARC hits", 17.0),
            ("count", "ZIL operations in 1 s", 2.0),
        ],
    ),
    (
        "drac",
        {
            f"{DELL}.600.30.1.6.1.1": 12,
            f"{DELL}.600.30.1.7.1.1": 23,
            f"{DELL}.600.30.1.8.1.1": "PS1 Current",
            f"{DELL}.600.30.1.6.1.2": 240,
            f"{DELL}.600.30.1.7.1.2": 26,
            f"{DELL}.600.12.1.16.1.1": 230,
            f"{DELL}.600.12.1.8.1.1": "PS1 Status",
        },
        [("voltage", "PS1 input", 230.0), ("current", "PS1 Current", 1.2), ("power", "Power", 240.0)],
    ),
    (
        "hpe-ilo",
        {f"{COMPAQ}.6.8.1.4.0.3": 40, f"{COMPAQ}.6.8.1.3.0.3": 10, f"{COMPAQ}.6.8.1.4.0.4": 0},
        [("temperature", "power supply 3", 40.0)],
    ),
    (
        "supermicro-bmc",
        {
            f"{ATEN}.2.1": "41.000",
            f"{ATEN}.13.1": "CPU Temp",
            f"{ATEN}.2.2": "4200.000",
            f"{ATEN}.13.2": "FANA",
            f"{ATEN}.2.3": "12.050",
            f"{ATEN}.13.3": "12V",
            f"{ATEN}.2.4": "4.000",
            f"{ATEN}.13.4": "VBAT",
            f"{ATEN}.2.5": "38.000",
            f"{ATEN}.13.5": "VRM Temp",
            f"{ATEN}.2.6": "3.100",
            f"{ATEN}.13.6": "3.3VSB",
        },
        [
            ("temperature", "CPU Temp", 41.0),
            ("temperature", "VRM Temp", 38.0),
            ("fanspeed", "FANA", 4200.0),
            ("voltage", "12V", 12.05),
            ("voltage", "3.3VSB", 3.1),
            ("state", "VBAT", "Present: OK"),
        ],
    ),
    (
        "imm",
        {
            f"{IMM}.2.2.1.3.1": 5010,
            f"{IMM}.2.2.1.2.1": "Planar 5V",
            f"{IMM}.2.2.1.3.2": 12,
            f"{IMM}.2.2.1.2.2": "Planar 12V",
            f"{IMM}.3.2.1.3.1": "41 %",
            f"{IMM}.3.2.1.2.1": "Fan 1",
        },
        [("voltage", "Planar 12V", 12.0), ("voltage", "Planar 5V", 5.01), ("percent", "Fan 1", 41.0)],
    ),
    (
        "ibmc",
        {
            f"{IBMC}.26.50.1.3.1": 255,
            f"{IBMC}.26.50.1.2.1": "Inlet",
            f"{IBMC}.18.50.1.3.1": 5,
            f"{IBMC}.6.50.1.7.2": 5,
            f"{IBMC}.8.50.1.4.3": 3,
        },
        [("temperature", "Inlet", 25.5), ("state", "Disk 1", "absence"), ("state", "Fan 3", "major")],
    ),
    (
        "fortigate",
        {
            f"{FORTI}.4.3.2.1.2.1": "+VCC1.15",
            f"{FORTI}.4.3.2.1.3.1": "1.16",
            f"{FORTI}.4.3.2.1.2.2": "Fan 1",
            f"{FORTI}.4.3.2.1.3.2": "3600",
            f"{FORTI}.4.3.2.1.2.3": "TMP421 temp",
            f"{FORTI}.4.3.2.1.3.3": "44",
            f"{FORTI}.4.3.2.1.2.4": "PS1 Status",
            f"{FORTI}.4.3.2.1.3.4": "n/a",
            f"{FORTI}.4.3.2.1.4.4": 1,
        },
        [
            ("temperature", "TMP421 temp", 44.0),
            ("fanspeed", "Fan 1", 3600.0),
            ("voltage", "+VCC1.15", 1.16),
            ("state", "PS1 Status", "ERROR"),
        ],
    ),
    (
        "fortigate",
        {f"{FORTI}.13.2.1.1.12.1": 0, f"{FORTI}.13.2.1.1.11.1": "fw1", f"{FORTI}.13.1.1.0": 1},
        [],
    ),
    (
        "fortigate",
        {f"{FORTI}.13.2.1.1.12.1": 0, f"{FORTI}.13.2.1.1.11.1": "fw1", f"{FORTI}.13.1.1.0": 3},
        [("state", "fw1 in step", "Out Of Sync")],
    ),
    (
        "fortiswitch",
        {
            f"{ENTITY}.1.4": 8,
            f"{ENTITY}.3.4": 1,
            f"{ENTITY}.4.4": 41,
            f"{ENTITY}.5.4": 1,
            f"{ENTITY}.1.6": 12,
            f"{ENTITY}.4.6": 2,
        },
        [("temperature", "Temperature", 41.0), ("state", "State", "not OK")],
    ),
    (
        "dsm",
        {
            f"{SYNOLOGY}.4.3.1.1.0": bytes.fromhex("9f780442c80000"),
            f"{SYNOLOGY}.4.3.6.1.0": 1800,
            f"{SYNOLOGY}.4.2.1.0": "OB DISCHRG",
        },
        [
            ("charge", "UPS battery", 100.0),
            ("runtime", "UPS battery", pytest.approx(30.0, abs=1e-4)),
            ("state", "UPS", "on battery"),
        ],
    ),
    ("qnap", {f"{QNAP}.2.11.1.3.1": "35 C/95 F"}, [("temperature", "Disk 1", 35.0)]),
    (
        "qnap",
        {f"{QNAP}.2.11.1.3.1": "35 C/95 F", f"{QNAP}.4.1.1.1.1.5.2.1.6.1": 36},
        [("temperature", "Disk 1", 36.0)],
    ),
    (
        "truenas",
        {f"{ZFS}.3.1": 131072, f"{ZFS}.7.1": 1, f"{ZFS}.2.1": "tank"},
        [("state", "Pool tank", "degraded")],
    ),
    ("truenas", {f"{ZFS}.3.1": "ONLINE", f"{ZFS}.2.1": "tank"}, [("state", "Pool tank", "online")]),
    ("panos", {f"{PAN}.1.11.0": "disabled", f"{PAN}.1.12.0": "unknown"}, []),
    (
        "panos",
        {f"{PAN}.1.11.0": "active", f"{PAN}.1.12.0": "suspended"},
        [("state", "HA, this one", "active"), ("state", "HA, the other", "suspended")],
    ),
    (
        "sophos-xg",
        {
            f"{SFOS}.6.1.1.1.1.9.1": 0,
            f"{SFOS}.6.1.1.1.1.10.1": 1,
            f"{SFOS}.6.1.1.1.1.2.1": "branch",
            f"{SFOS}.6.1.1.1.1.9.2": 0,
            f"{SFOS}.6.1.1.1.1.10.2": 0,
        },
        [("state", "branch", "inactive")],
    ),
    (
        "sonicwall",
        {f"{SONICWALL}.6.2.1.9.0": 12, f"{SONICWALL}.6.3.1.1.0": "50 Users"},
        [("count", "SSL VPN users", 12.0)],
    ),
    ("airos", {f"{AIRMAX}.8.4.0": 47}, [("temperature", "Board", 47.0)]),
    ("airos", {f"{AIRMAX}.8.4.0": 470000000}, [("temperature", "Board", 47.0)]),
    (
        "linux",
        {
            f"{SUPERDOCTOR}.4.1": 12100,
            f"{SUPERDOCTOR}.3.1": 1,
            f"{SUPERDOCTOR}.10.1": 1,
            f"{SUPERDOCTOR}.2.1": "+12 V",
            f"{SUPERDOCTOR}.4.2": 3300,
            f"{SUPERDOCTOR}.3.2": 1,
            f"{SUPERDOCTOR}.10.2": 0,
        },
        [("voltage", "+12 V", 12.1)],
    ),
]


@pytest.mark.parametrize(("name", "rows", "found"), SAID)
def test_numbers_and_words_become_sensors(
    name: str, rows: dict[str, Any], found: list[tuple[str, str, object]]
) -> None:
    assert sorted(read(name, rows), key=str) == sorted(found, key=str)


def radio(name: str, rows: dict[str, Any]) -> list[tuple[str, str, float]]:
    seen = tables(rows)
    return [(w.kind, w.descr, w.value) for w in wireless(parts_of(platform(name)), seen)]


def test_a_client_is_a_row_and_rows_are_counted_by_network() -> None:
    rows = {f"{GWN}.3.1.5.{i}": -60 for i in (1, 2, 3)}
    networks = {f"{GWN}.3.1.4.{i}": name for i, name in ((1, "dinas"), (2, "dinas"), (3, "tamu"))}
    assert radio("grandstream-ap", rows | networks) == [
        ("clients", "SSID dinas", 2.0),
        ("clients", "SSID tamu", 1.0),
        ("clients", "All", 3.0),
    ]


@pytest.mark.parametrize("raw", [144_000, 144_000_000])
def test_a_radio_of_airmax_tells_its_rate_in_one_of_two_units(raw: int) -> None:
    assert radio("airos", {f"{AIRMAX}.5.1.9.1": raw}) == [("rate", "Radio 1 transmit", 144e6)]


def test_cameras_and_recorders_write_sizes_as_text_or_in_megabytes() -> None:
    camera = {"1.3.6.1.4.1.39165.1.10.0": "512 MB", "1.3.6.1.4.1.39165.1.11.0": "50 PERCENT"}
    (pool,) = mempools(parts_of(platform("hikvision-cam")), tables(camera))
    assert (pool.percent, pool.total) == (50.0, 512 << 20)
    recorder = {"1.3.6.1.4.1.50001.1.241.1.5.1.0": 1000, "1.3.6.1.4.1.50001.1.241.1.4.1.0": 250}
    (disk,) = storage(parts_of(platform("hikvision-nvr")), tables(recorder))
    assert disk.kind == "recording"
    assert (disk.percent, disk.total) == (75.0, 1000 << 20)


def test_of_a_controllers_own_file_systems_nobody_is_told_how_full_they_are() -> None:
    disk, rows = oid("1.3.6.1.2.1.25.2.1.4"), "1.3.6.1.2.1.25.2.3.1"
    of = {f"{rows}.2.{n}": disk for n in (1, 2)} | {
        f"{rows}.{c}.{n}": 4096 for c in (4, 5, 6) for n in (1, 2)
    }
    seen = tables(of | {f"{rows}.3.1": "/", f"{rows}.3.2": "/var/pstorage"})
    found = [
        (s.descr, s.kind, s.percent) for s in storage(active(parts_of(platform("xclarity")), seen), seen)
    ]
    assert found == [("/", "firmware", 100.0)]
