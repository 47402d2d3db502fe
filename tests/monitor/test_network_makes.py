"""What the files of network makes say where it is not plain: units told by size, words for states, joins."""

import pytest

from inventory.platforms import parts_of, platform
from monitor.health import mempools, processors, storage
from monitor.observation import Thresholds
from monitor.sensors import sensors, wireless
from monitor.snmp_read import active
from monitor.tables import Oid, Tables, Value, oid

IF_NAME, IF_DESCR, ADMIN, OPER = "31.1.1.1.1", "2.2.1.2", "2.2.1.7", "2.2.1.8"


def tables(of: str, rows: dict[str, Value]) -> Tables:
    """Return tables of what stands below a branch; a key that begins with `+` stands below mib-2."""
    seen: dict[Oid, Value] = {}
    for key, value in rows.items():
        seen[oid("1.3.6.1.2.1." + key[1:] if key.startswith("+") else f"{of}.{key}")] = value
    return Tables(seen)


CISCO = "1.3.6.1.4.1.9.9"
HUAWEI = "1.3.6.1.4.1.2011.5.25.31.1.1"
ENTITY_NAME = "+47.1.1.1.1.7"
READ: list[tuple[str, str, dict[str, Value], list[tuple[str, str, float, str]]]] = [
    (  # A switch alone answers as a stack does, and its ring is not redundant.
        "ios",
        CISCO,
        {"500.1.1.3.0": 2, "500.1.2.1.1.3.1001": 1, "500.1.2.1.1.6.1001": 4},
        [],
    ),
    (
        "ios",
        CISCO,
        {
            "500.1.1.3.0": 2,
            "500.1.2.1.1.3.1001": 1,
            "500.1.2.1.1.3.2001": 4,
            f"{ENTITY_NAME}.1001": b"Switch 1",
        },
        [
            ("state", "Stack ring", 2, "critical"),
            ("state", "Switch 1 role", 1, "ok"),
            ("state", "role", 4, "ok"),
        ],
    ),
    (  # StackWise Virtual has no ring.
        "iosxe",
        CISCO,
        {
            "500.1.1.3.0": 2,
            "500.1.2.1.1.3.1000": 1,
            "500.1.2.1.1.3.2000": 4,
            f"{ENTITY_NAME}.1": b"Virtual Stack",
        },
        [("state", "role", 1, "ok"), ("state", "role", 4, "ok")],
    ),
    (  # A place where nothing is plugged in has a state and no temperature.
        "ios",
        CISCO,
        {
            "13.1.3.1.2.1": b"Inlet",
            "13.1.3.1.3.1": 31,
            "13.1.3.1.4.1": 60,
            "13.1.3.1.6.1": 1,
            "13.1.3.1.2.2": b"Outlet",
            "13.1.3.1.3.2": 7,
            "13.1.3.1.6.2": 5,
        },
        [
            ("temperature", "Inlet", 31, ""),
            ("state", "Inlet", 1, "ok"),
            ("state", "Outlet", 5, "unknown"),
        ],
    ),
    (
        "ciscosb",
        "1.3.6.1.4.1.9.6.1.101.90.1.2.1.3",
        {"9.5": 41, "9.6": 3_300_000, "9.7": 6_000, "9.8": -2_500, "9.9": 0, f"+{IF_DESCR}.9": b"te9"},
        [
            ("temperature", "te9 transceiver", 41, ""),
            ("voltage", "te9 transceiver", 3.3, ""),
            ("current", "te9 bias", 0.006, ""),
            ("dbm", "te9 Tx", -2.5, ""),
        ],
    ),
    (  # One column holds all that is measured, another says what: only light is told of the newer ones.
        "zynos",
        "1.3.6.1.4.1.890.1",
        {
            "15.3.84.1.2.1.6.9.4": -250,
            "15.3.84.1.2.1.7.9.4": b"TxPower",
            "15.3.84.1.2.1.6.9.1": 4100,
            "15.3.84.1.2.1.7.9.1": b"Temperature",
            "15.3.84.1.2.1.2.9.1": 8000,
            "15.3.84.1.2.1.6.9.2": 329,
            "15.3.84.1.2.1.7.9.2": b"Voltage",
            "15.3.84.1.2.1.6.9.3": 612,
            "15.3.84.1.2.1.7.9.3": b"TxBias",
            "15.3.84.1.2.1.6.10.1": 0,
            "15.3.84.1.2.1.7.10.1": b"N/A",
            f"+{IF_NAME}.9": b"swp9",
            "5.8.47.117.2.1.7.9.1": 4100,
            "5.8.47.117.2.1.8.9.1": b"Temperature",
            "5.8.47.117.2.1.7.9.3": 600,
            "5.8.47.117.2.1.8.9.3": b"TX bias",
        },
        [
            ("temperature", "swp9 transceiver", 41, ""),
            ("voltage", "swp9 transceiver", 3.29, ""),
            ("current", "swp9 bias", 0.00612, ""),
            ("dbm", "swp9 Tx", -2.5, ""),
            ("temperature", "Port 9 transceiver", 41, ""),
        ],
    ),
    (  # A connection that nobody activated is not down.
        "zywall",
        "1.3.6.1.4.1.890.1.6.22",
        {
            "1.6.0": 812,
            "2.4.1.2.1": b"Dinkes",
            "2.4.1.5.1": 1,
            "2.4.1.6.1": 0,
            "2.4.1.2.2": b"Lama",
            "2.4.1.5.2": 0,
            "2.4.1.6.2": 0,
        },
        [("count", "Sessions", 812, ""), ("state", "VPN Dinkes", 0, "warning")],
    ),
    (  # Light of the lanes is text, and read where the port's own column has none.
        "vrp",
        HUAWEI,
        {"3.1.8.7": -1, "3.1.32.7": b"-1104.03", "3.1.33.7": b"", "3.1.8.9": 501, "3.1.32.9": b"-300.00"},
        [("dbm", "Rx", -3.0016, ""), ("dbm", "Rx", -11.0403, "")],
    ),
    (
        "bdcom",
        "1.3.6.1.4.1.3320",
        {"3.6.18.0": 13, "101.10.5.1.5.12": -213, "101.10.5.1.5.13": 65535, f"+{IF_NAME}.12": b"EPON0/1:1"},
        [("state", "System errors", 13, "critical"), ("dbm", "EPON0/1:1 Rx", -21.3, "")],
    ),
    (  # RouterOS 6 has no gauges; where there are some, the scalars that say the same are no readings.
        "routeros",
        "1.3.6.1.4.1.14988.1.1.3",
        {"10.0": 330, "11.0": 412, "15.0": 0},
        [
            ("temperature", "Board", 33, ""),
            ("temperature", "Processor", 41.2, ""),
            ("state", "Power supply", 0, "critical"),
        ],
    ),
    (
        "routeros",
        "1.3.6.1.4.1.14988.1.1.3",
        {
            "10.0": 330,
            "100.1.2.1": b"board",
            "100.1.3.1": 34,
            "100.1.4.1": 1,
            "100.1.2.2": b"psu1",
            "100.1.3.2": 243,
            "100.1.4.2": 3,
        },
        [("temperature", "board", 34, ""), ("voltage", "psu1", 24.3, "")],
    ),
    (  # Light in microwatts, bias in microamperes; then hundredths of a dBm, milliamperes; then copper.
        "vrp",
        HUAWEI,
        {
            "3.1.1.1": 2,
            "3.1.7.1": 22_000,
            "3.1.8.1": 100,
            "3.1.1.2": 2,
            "3.1.7.2": 22,
            "3.1.8.2": -750,
            "3.1.1.3": 1,
            "3.1.7.3": 5,
            "3.1.8.3": -1,
            f"{ENTITY_NAME}.1": b"GE1",
            f"{ENTITY_NAME}.2": b"GE2",
        },
        [
            ("current", "GE1 bias", 0.022, ""),
            ("current", "GE2 bias", 0.022, ""),
            ("dbm", "GE1 Rx", -10, ""),
            ("dbm", "GE2 Rx", -7.5, ""),
        ],
    ),
    (  # A fan that is not there is not broken; a voltage of an absent supply is none.
        "vrp",
        HUAWEI,
        {
            "10.1.6.0.1": 1,
            "10.1.7.0.1": 2,
            "10.1.6.0.2": 2,
            "10.1.7.0.2": 2,
            "18.1.5.0.1": 2,
            "18.1.8.0.1": 0,
        },
        [("state", "Slot 0 fan 1", 2, "critical")],
    ),
    (  # Of YunShan light is never in microwatts.
        "yunshan",
        HUAWEI,
        {"3.1.1.1": 2, "3.1.7.1": 22_000, "3.1.8.1": 150},
        [("current", "bias", 0.022, ""), ("dbm", "Rx", 1.5, "")],
    ),
    (  # The ports for a stack of a switch that stands alone.
        "vrp",
        "1.3.6.1.4.1.2011.5.25.183.1",
        {"20.1.3.0": 1, "21.1.5.0.1": 2},
        [("state", "Stack unit 0 role", 1, "ok"), ("state", "Stack unit 0 port 1", 2, "unknown")],
    ),
    (
        "vrp",
        "1.3.6.1.4.1.2011.5.25.183.1",
        {"20.1.3.0": 1, "20.1.3.1": 2, "21.1.5.0.1": 2},
        [
            ("state", "Stack unit 0 role", 1, "ok"),
            ("state", "Stack unit 1 role", 2, "ok"),
            ("state", "Stack unit 0 port 1", 2, "critical"),
        ],
    ),
    (  # What is empty is not listed; a red alarm is worse than a yellow one.
        "junos",
        "1.3.6.1.4.1.2636.3",
        {
            "4.2.2.1.0": 3,
            "4.2.3.1.0": 3,
            "1.15.1.5.2.1.0.0": b"PEM 0",
            "1.15.1.8.2.1.0.0": 8,
            "1.15.1.8.2.2.0.0": 2,
        },
        [
            ("state", "Yellow alarm", 3, "warning"),
            ("state", "Red alarm", 3, "critical"),
            ("state", "PEM 0", 8, "critical"),
        ],
    ),
    (
        "junos",
        "1.3.6.1.4.1.2636.3.60.1",
        {
            "1.1.1.5.9": -230,
            "1.1.1.6.9": 5_588,
            "1.1.1.8.9": 0,
            "2.1.1.6.9.2": -310,
            f"+{IF_DESCR}.9": b"xe-0/0/0",
        },
        [
            ("current", "xe-0/0/0 bias", 0.005588, ""),
            ("dbm", "xe-0/0/0 Rx", -2.3, ""),
            ("dbm", "xe-0/0/0 lane 2 Rx", -3.1, ""),
        ],
    ),
    (  # A port that is shut down says what it measured last.
        "comware",
        "1.3.6.1.4.1.25506.2.70.1.1.1",
        {
            "9.1": -540,
            "17.1": 908,
            "9.2": -540,
            f"+{ADMIN}.1": 1,
            f"+{ADMIN}.2": 2,
            f"+{IF_DESCR}.1": b"Te1",
        },
        [("current", "Te1 bias", 0.00908, ""), ("dbm", "Te1 Tx", -5.4, "")],
    ),
    (
        "procurve",
        "1.3.6.1.4.1.11.2.14.11.5.1.82.1.1.1.1",
        {"11.3": 30_500, "12.3": 33_000, "13.3": 6_100, "14.3": -5_200, "15.3": -99_999_999},
        [
            ("temperature", "transceiver", 30.5, ""),
            ("voltage", "transceiver", 3.3, ""),
            ("current", "bias", 0.0061, ""),
            ("dbm", "Tx", -5.2, ""),
        ],
    ),
    (  # States that are words.
        "arubaos-cx",
        "1.3.6.1.4.1.47196.4.1.1.3.15.1",
        {"1.1.0": b"fragment_active", "2.1.3.2": b"booting", "2.1.7.2": b"SG1"},
        [("state", "VSF", 0, "warning"), ("state", "VSF member 2 SG1", 0, "warning")],
    ),
    (
        "arista_eos",
        "1.3.6.1.2.1.99.1.1.1",
        {
            "1.7": 6,
            "2.7": 8,
            "3.7": 4,
            "4.7": 5_000,
            "5.7": 1,
            f"{ENTITY_NAME}.7": b"DOM Rx Power Sensor for Et1",
            "1.8": 6,
            "2.8": 8,
            "3.8": 4,
            "4.8": 0,
            "5.8": 1,
            f"{ENTITY_NAME}.8": b"DOM Rx Power Sensor for Et2",
            "1.9": 5,
            "2.9": 8,
            "3.9": 2,
            "4.9": 651,
            "5.9": 1,
            f"{ENTITY_NAME}.9": b"DOM TX Bias Sensor for Et1",
        },
        [
            ("dbm", "DOM Rx Power Sensor for Et1", -3.0103, ""),
            ("current", "DOM TX Bias Sensor for Et1", 0.00651, ""),
        ],
    ),
    (  # Light in watts; a supply's power stays what it is.
        "iosxr",
        CISCO,
        {
            "91.1.1.1.1.1.7": 6,
            "91.1.1.1.1.2.7": 8,
            "91.1.1.1.1.3.7": 4,
            "91.1.1.1.1.4.7": 5_000,
            "91.1.1.1.1.5.7": 1,
            f"{ENTITY_NAME}.7": b"TenGigE0/0/0/1 Power Rx",
            "91.1.1.1.1.1.8": 6,
            "91.1.1.1.1.2.8": 9,
            "91.1.1.1.1.3.8": 0,
            "91.1.1.1.1.4.8": 310,
            "91.1.1.1.1.5.8": 1,
            f"{ENTITY_NAME}.8": b"PM0",
        },
        [("dbm", "TenGigE0/0/0/1 Power Rx", -3.0103, ""), ("power", "PM0", 310, "")],
    ),
    (  # Light that ASR 920 says to be something other; 0 dBm is no light.
        "iosxe",
        "1.3.6.1",
        {
            "2.1.99.1.1.1.1.7": 1,
            "2.1.99.1.1.1.2.7": 9,
            "2.1.99.1.1.1.3.7": 1,
            "2.1.99.1.1.1.4.7": -62,
            "2.1.99.1.1.1.5.7": 1,
            f"{ENTITY_NAME}.7": b"Gi0/0/1 Rx Power Sensor",
            "4.1.9.9.91.1.1.1.1.1.9": 14,
            "4.1.9.9.91.1.1.1.1.4.9": 0,
        },
        [("dbm", "Gi0/0/1 Rx Power Sensor", -6.2, "")],
    ),
    (  # What stands in both tables is told once.
        "ios",
        "1.3.6.1",
        {
            "2.1.99.1.1.1.1.7": 8,
            "2.1.99.1.1.1.4.7": 41,
            "4.1.9.9.91.1.1.1.1.1.7": 8,
            "4.1.9.9.91.1.1.1.1.4.7": 41,
            "2.1.99.1.1.1.1.8": 8,
            "2.1.99.1.1.1.4.8": 33,
        },
        [("temperature", "Temperature", 41, ""), ("temperature", "Temperature", 33, "")],
    ),
    (  # A clock without an antenna is nobody's fault; one without a module is none.
        "iosxr",
        CISCO,
        {"862.1.1.0.1": 1, "862.1.2.0.1": 2, "862.1.9.0.1": 1, "862.1.1.0.2": 1, "862.1.2.0.2": 1},
        [("state", "Lock", 1, "unknown"), ("state", "Antenna open circuit", 1, "unknown")],
    ),
    (  # What is beyond its limits is major or fatal, as a voltage cannot be a little wrong.
        "vrp",
        HUAWEI,
        {"9.1.5.0.2.1.3": 2, "9.1.7.0.2.1.3": 3_100},
        [
            ("voltage", "Slot 0 sensor 2.1.3", 3.1, ""),
            ("state", "Slot 0 voltage 2.1.3", 2, "critical"),
        ],
    ),
    (  # A port that is shut down has no light to be told of.
        "yunshan",
        HUAWEI,
        {
            "3.1.1.1": 2,
            "3.1.8.1": -4_000,
            "1.1.1.1": 12,
            "3.1.1.2": 2,
            "3.1.8.2": -612,
            "1.1.1.2": 11,
            "3.1.8.3": -1,
        },
        [("dbm", "Rx", -6.12, "")],
    ),
    (  # Microamperes; a table of supplies with names comes before the one without.
        "fs-ruijie",
        "1.3.6.1.4.1.52642.1.1.10.2",
        {
            "1.1.18.1.2.1": 4,
            "1.1.18.1.3.1": b"M6000-AC",
            "1.1.41.1.3.1.1": 4,
            "1.1.41.1.15.1.1": 88,
            "1.1.44.1.3.1.0.2": 2,
            "1.1.44.1.4.1.0.2": b"CPU",
            "1.1.44.1.5.1.0.2": 47,
            "105.1.1.1.2.25": b"TFGigabitEthernet 0/25",
            "105.1.1.1.21.25": 6_200,
            "105.1.1.1.81.25": -231,
            "110.1.1.1.2.3": 1,
            "110.1.1.1.4.3": 1,
            "110.1.1.1.7.3": 6_400,
            "110.1.1.1.2.25": 2,
            "110.1.1.1.4.25": 2,
        },
        [
            ("temperature", "CPU 1.0.2", 47, ""),
            ("power", "Power supply 1.1", 88, ""),
            ("state", "Power supply 1 M6000-AC", 4, "ok"),
            ("current", "TFGigabitEthernet 0/25 bias", 0.0062, ""),
            ("dbm", "TFGigabitEthernet 0/25 Tx", -2.31, ""),
            ("power", "PoE", 6.4, ""),
            ("state", "PoE", 1, "ok"),
        ],
    ),
    (  # Whole degrees of old firmware, tenths of new.
        "cdata",
        "1.3.6.1.4.1.34592.1.3.100.1.8",
        {"6.0": 41},
        [("temperature", "Board", 41, "")],
    ),
    ("cdata", "1.3.6.1.4.1.34592.1.3.100.1.8", {"6.0": 305}, [("temperature", "Board", 30.5, "")]),
    (  # A cage without a module says "--".
        "jetstream",
        "1.3.6.1.4.1.11863.6.96.1.7.1.1",
        {"2.1": b"38.5", "5.1": b"0.5", "8.1": b"True", "2.2": b"--", "5.2": b"--", "8.2": b"--"},
        [
            ("temperature", "transceiver", 38.5, ""),
            ("dbm", "Tx", -3.0103, ""),
            ("state", "loss of signal", 0, "critical"),
        ],
    ),
    (  # Light in tenths of a microwatt.
        "dlink",
        "1.3.6.1.4.1.171.14.72.1.4.1.1",
        {"1.9": 36_500, "7.9": 330, "19.9": 5_000, "20.9": 4, f"+{IF_NAME}.9": b"eth1/0/9"},
        [
            ("temperature", "eth1/0/9 transceiver", 36.5, ""),
            ("voltage", "eth1/0/9 transceiver", 3.3, ""),
            ("dbm", "eth1/0/9 Tx", -3.0103, ""),
            ("state", "eth1/0/9 Tx", 4, "critical"),
        ],
    ),
    (  # Steps as SFF-8472 has them.
        "bdcom",
        "1.3.6.1.4.1.3320.9.63.1.7.1",
        {"4.5": 10_240, "6.5": 3_000, "2.5": -430, "3.5": -65_535, "20.5": 2, "21.5": 1},
        [
            ("temperature", "transceiver", 40, ""),
            ("current", "bias", 0.006, ""),
            ("dbm", "Tx", -4.3, ""),
        ],
    ),
    (
        "smartax",
        "1.3.6.1.4.1.2011.6.128.1.1.2.23.1",
        {"1.8": 39, "3.8": 32, "4.8": 711, "1.9": 2_147_483_647, f"+{IF_NAME}.8": b"GPON 0/0/0"},
        [
            ("temperature", "GPON 0/0/0 transceiver", 39, ""),
            ("current", "GPON 0/0/0 bias", 0.032, ""),
            ("dbm", "GPON 0/0/0 Tx", 7.11, ""),
        ],
    ),
    (
        "smartax",
        "1.3.6.1.4.1.2011.6.2.1",
        {"1.1.3.7.0": b"rack A", "1.1.4.7.0": 3, "3.1.1.7.0": 53_500, "3.1.10.7.0": -1},
        [("state", "Monitor 0 rack A", 3, "warning"), ("voltage", "DC output 7.0", 53.5, "")],
    ),
    (  # Rows that no interface has are those of the other table's numbering.
        "zxa10",
        "1.3.6.1.4.1.3902.1082.30.40.2.4.1",
        {"8.9": 41_250, "2.9": -21_500, "3.9": 2_147_483_647, "8.77": 40_000, f"+{IF_NAME}.9": b"gpon-1/3/1"},
        [("temperature", "gpon-1/3/1 transceiver", 41.25, ""), ("dbm", "gpon-1/3/1 Rx", -21.5, "")],
    ),
    (  # Numbers are texts, and a terminal that is off says 0.00 of all.
        "vsolution",
        "1.3.6.1.4.1.37950.1.1.6.1.1.3.1",
        {"3.1.7": b"51.20", "7.1.7": b"-19.42", "3.1.8": b"0.00", "7.1.8": b"0.00"},
        [
            ("temperature", "ONU 1.7", 51.2, ""),
            ("dbm", "ONU 1.7 Rx", -19.42, ""),
        ],
    ),
    (
        "fiberhome",
        "1.3.6.1.4.1.5875.800.3.60",
        {"2.1.1.19": 2, "2.1.1.20": 4, "1.1.2.27": 2},
        [
            ("state", "Fan 19", 2, "critical"),
            ("state", "Fan 20", 4, "unknown"),
            ("state", "Power supply 27", 2, "warning"),
        ],
    ),
    (
        "fiberhome-switch",
        "1.3.6.1.4.1.3807.1.8012.1",
        {"11.4.1.2.1": 0, "11.4.1.5.1": 2, "11.4.1.12.1": b"fan-1"},
        [("fanspeed", "fan-1", 0, ""), ("state", "fan-1", 2, "critical")],
    ),
    (  # Words for states; the column before the threshold of a voltage is what is nominal, and no limit.
        "zynos",
        "1.3.6.1.4.1.890.1.15.3.26.1",
        {"4.2.1.3.1": b"Normal", "4.2.1.4.1": b"Main", "4.2.1.3.2": b"absent", "4.2.1.4.2": b"Backup"},
        [("state", "Main", 0, "ok"), ("state", "Backup", 0, "unknown")],
    ),
    (
        "zxa10",
        "1.3.6.1.4.1.3902.1082.10.10.2.1",
        {"5.1.3.1.1": 34, "5.1.7.1.1": 182_500, "6.1.2.1.1.3": -1000, "6.1.2.1.1.4": 51},
        [
            ("temperature", "Shelf 1.1", 34, ""),
            ("power", "Shelf 1.1", 182.5, ""),
            ("temperature", "Card 1.1.4", 51, ""),
        ],
    ),
    (  # An inactive place of a stack has a role that says nothing.
        "zynos",
        "1.3.6.1.4.1.890.1.15.3.97.2.1.1",
        {"2.1": 2, "5.1": 1, "2.2": 0, "5.2": 0},
        [("state", "Switch 1 role", 1, "ok")],
    ),
    (
        "edgeos",
        "1.3.6.1.4.1.41112.1.5",
        {
            "3.2.1.3.1": 1,
            "3.2.1.5.1": 12_040,
            "3.2.1.8.1": 0,
            "3.2.1.9.1": 0,
            "3.2.1.3.2": 2,
            "3.2.1.5.2": 0,
            "4.2.1.2.1": 2,
            "4.2.1.3.1": 48_500,
            "5.2.1.3.1": 3_200,
        },
        [
            ("temperature", "Processor sensor 1", 48.5, ""),
            ("fanspeed", "Fan 1", 3200, ""),
            ("state", "Power supply 1", 1, "ok"),
            ("state", "Power supply 2", 2, "unknown"),
            ("voltage", "Power supply 1", 12.04, ""),
        ],
    ),
]


@pytest.mark.parametrize(("name", "of", "rows", "expected"), READ)
def test_a_make_is_read(
    name: str, of: str, rows: dict[str, Value], expected: list[tuple[str, str, float, str]]
) -> None:
    seen = tables(of, rows)
    found = [
        (s.kind, s.descr, pytest.approx(s.value, abs=1e-4), s.state.severity if s.state else "")
        for s in sensors(active(parts_of(platform(name)), seen), seen)
    ]
    assert found == expected


LIMITS: list[tuple[str, str, dict[str, Value], Thresholds | None]] = [
    (  # The ends of the range are no limits; light's are in milliwatts as it is.
        "arista_eos",
        "1.3.6.1",
        {
            "2.1.99.1.1.1.1.7": 6,
            "2.1.99.1.1.1.2.7": 8,
            "2.1.99.1.1.1.3.7": 4,
            "2.1.99.1.1.1.4.7": 5_000,
            f"{ENTITY_NAME}.7": b"DOM Rx Power Sensor for Et1",
            "4.1.30065.3.12.1.1.1.2.7": 100,
            "4.1.30065.3.12.1.1.1.3.7": 1_000_000_000,
            "4.1.30065.3.12.1.1.1.4.7": 10_000,
        },
        Thresholds(critical=0.0, low_critical=-20.0),
    ),
    (
        "arista_eos",
        "1.3.6.1",
        {
            "2.1.99.1.1.1.1.7": 8,
            "2.1.99.1.1.1.2.7": 9,
            "2.1.99.1.1.1.3.7": 1,
            "2.1.99.1.1.1.4.7": 415,
            "4.1.30065.3.12.1.1.1.1.7": -1_000_000_000,
            "4.1.30065.3.12.1.1.1.3.7": 950,
            "4.1.30065.3.12.1.1.1.4.7": 1050,
        },
        Thresholds(critical=105.0, warning=95.0),
    ),
    (  # By some switches a room of 25 °C is too cold: that is not told.
        "iosxe",
        CISCO,
        {
            "91.1.1.1.1.1.1010": 8,
            "91.1.1.1.1.4.1010": 25,
            "91.1.2.1.1.2.1010.1": 20,
            "91.1.2.1.1.3.1010.1": 4,
            "91.1.2.1.1.4.1010.1": 56,
            "91.1.2.1.1.2.1010.2": 10,
            "91.1.2.1.1.3.1010.2": 2,
            "91.1.2.1.1.4.1010.2": 31,
        },
        Thresholds(critical=56.0),
    ),
    (  # -255 °C is a limit that is not supported, and not one that all are beyond.
        "ruijie",
        "1.3.6.1.4.1.4881.1.1.10.2.1.1",
        {"44.1.5.1.0.1": 41, "44.1.6.1.0.1": -255, "44.1.7.1.0.1": -255},
        None,
    ),
    (
        "yunshan",
        HUAWEI,
        {"3.1.1.2": 2, "3.1.8.2": -612, "3.1.13.2": -1_640, "3.1.14.2": 50, "3.1.20.2": 0},
        Thresholds(critical=0.5, low_critical=-16.4),
    ),
]


@pytest.mark.parametrize(("name", "of", "rows", "limits"), LIMITS)
def test_limits_are_those_of_the_device(
    name: str, of: str, rows: dict[str, Value], limits: Thresholds | None
) -> None:
    seen = tables(of, rows)
    [found] = sensors(active(parts_of(platform(name)), seen), seen)
    assert found.limits == limits


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("iosxe", "1.3.6.1.4.1.9.9.109.1.1.2.1.5.7"),
        ("iosxr", "1.3.6.1.4.1.9.9.109.1.1.2.1.5.7"),
        ("nxos", "1.3.6.1.4.1.9.9.109.1.1.2.1.5.7"),
        ("fortigate", "1.3.6.1.4.1.12356.101.4.4.2.1.2"),
    ],
)
def test_cores_are_told_apart(name: str, column: str) -> None:
    seen = tables(column, {"0": 3, "1": 9})
    found = [(p.descr, p.percent) for p in processors(active(parts_of(platform(name)), seen), seen)]
    assert found == [("Core 0", 3), ("Core 1", 9)]


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("dlink", "1.3.6.1.4.1.171.14.5.1.4.1"),
        ("dlink-dgs1250", "1.3.6.1.4.1.171.14.5.1.4.1"),
        ("dlink-dgs1250", "1.3.6.1.4.1.171.11.165.1000.5.1.4.1"),
    ],
)
def test_flash_that_is_full_is_no_memory_that_is_full(name: str, of: str) -> None:
    seen = tables(of, {"3.1.1": 2048, "4.1.1": 512, "3.1.2": 1000, "4.1.2": 990})
    parts = active(parts_of(platform(name)), seen)
    assert [(m.descr, m.percent, m.total) for m in mempools(parts, seen)] == [("DRAM of unit 1", 25.0, 2**21)]
    assert [(s.descr, s.percent) for s in storage(parts, seen)] == [("Flash of unit 1", 99.0)]


@pytest.mark.parametrize("name", ["asa", "ftd", "ios", "iosxe", "nxos"])
def test_a_pool_that_is_not_valid_is_none(name: str) -> None:
    rows: dict[str, Value] = {"3.1.1": b"System memory", "18.1.1": 300, "20.1.1": 700, "6.1.1": 1}
    seen = tables(f"{CISCO}.221.1.1.1.1", rows | {"18.1.2": 10, "20.1.2": 0, "6.1.2": 2})
    found = mempools(active(parts_of(platform(name)), seen), seen)
    assert [(m.descr, m.percent) for m in found] == [("System memory", 30.0)]


def test_half_a_stack_port_without_a_cable_is_no_trouble() -> None:
    rows: dict[str, Value] = {"500.1.2.1.1.3.1001": 1, "500.1.2.1.1.3.2001": 3}
    rows |= {"500.1.2.2.1.1.9": 2, f"+{IF_DESCR}.9": b"StackPort1", "500.1.2.2.1.1.8": 2}
    seen = tables(CISCO, rows | {f"+{IF_DESCR}.8": b"StackSub-St1-1"})
    found = sensors(active(parts_of(platform("iosxe")), seen), seen)
    ports = [(s.descr, s.state.severity) for s in found if s.state and s.descr.startswith("Stack port")]
    assert ports == [("Stack port StackSub-St1-1", "unknown"), ("Stack port StackPort1", "warning")]


@pytest.mark.parametrize(
    ("name", "rows", "severities"),
    [
        ("comware", {"25506.8.35.9.1.1.1.2.1": 4, "25506.8.35.9.1.2.1.2.2": 3}, ["unknown", "unknown"]),
        ("arubaos-cx", {"47196.4.1.1.3.11.2.1.1.11.1": 2}, ["unknown"]),
        ("ict-mps", {"39145.13.10.1.2.4": 1, "39145.13.10.1.3.4": 1}, ["unknown", "unknown"]),
        ("supermicro-bmc", {"21317.1.14.2.1.2.2": 0}, ["unknown"]),
        ("zxr10", {"3902.3.6002.2.6.2.1.4.2": 2}, ["unknown"]),
        ("airos", {"41112.1.4.9.1.0": 1, "41112.1.4.9.2.0": 1}, ["unknown"]),
        ("airos", {"41112.1.4.9.1.0": 2, "41112.1.4.9.2.0": 1}, ["warning"]),
        ("airos-af-ltu", {"41112.1.10.1.7.1.0": 1, "41112.1.10.1.7.2.0": 1}, ["unknown", "unknown"]),
        ("airos-af60", {"41112.1.11.1.4.1.7": 2, "41112.1.11.1.4.2.7": 1}, ["ok", "warning"]),
        ("panos", {"25461.2.1.2.4.1.0": b"not-connected"}, ["unknown"]),
        ("aruba-instant", {"14823.2.3.3.1.2.2.1.20.1.2.3.4.5.6.0": 2}, ["unknown"]),
        ("ibmc", {"2011.2.235.1.1.18.50.1.3.1": 5, "2011.2.235.1.1.16.50.1.6.1": 5}, ["unknown"]),
        ("hpe-ilo", {"232.6.2.9.3.1.4.0.2": 1, "232.6.2.9.3.1.3.0.2": 2}, ["unknown"]),
    ],
)
def test_what_is_not_there_is_not_broken(name: str, rows: dict[str, Value], severities: list[str]) -> None:
    seen = tables("1.3.6.1.4.1", rows)
    found = sensors(active(parts_of(platform(name)), seen), seen)
    assert [s.state.severity for s in found if s.state] == severities


def test_a_processor_that_idles_is_not_taken_for_one_that_is_not_there() -> None:
    of = "1.3.6.1.4.1.25506.2.6.1.1.1.1"
    seen = tables(of, {"6.2": 0, "10.2": 536870912, "6.9": 0, "10.9": 0, "6.20": 0, "6.65": 7})
    found = [
        (p.percent, p.oid.rpartition(".")[2])
        for p in processors(active(parts_of(platform("comware")), seen), seen)
    ]
    assert found == [(7, "65"), (0, "2")]


def test_light_that_the_olt_receives_is_not_said_to_be_the_terminals() -> None:
    of = "1.3.6.1.4.1.3902.1082.500.1.2.4.2.1.2"
    seen = tables(of, {"285278977.4": -24089, "285278977.5": -80000, "285278977.6": 65535000})
    seen = Tables(seen.seen | {oid("1.3.6.1.2.1.31.1.1.1.1.285278977"): b"gpon_olt-1/1/1"})
    found = [(s.descr, s.value) for s in sensors(active(parts_of(platform("zxa10")), seen), seen)]
    assert found == [("gpon_olt-1/1/1 Rx from ONU 4", -24.089)]


def test_what_is_very_small_is_not_nothing() -> None:
    seen = tables(
        "1.3.6.1.4.1.2636.3.73.1.3.3.8.1", {"5.510.1": 37, "6.510.1": 9, f"+{IF_DESCR}.510": b"et-0/0/0"}
    )
    found = [(s.kind, s.descr, s.value) for s in sensors(active(parts_of(platform("junos")), seen), seen)]
    assert found == [("ber", "et-0/0/0 BER before correction", 3.7e-8)]


def test_what_has_no_name_is_called_by_what_it_is() -> None:
    seen = tables("1.3.6.1.4.1.9.9.91.1.1.1.1", {"1.7": 14, "2.7": 9, "3.7": 1, "4.7": -19, "5.7": 1})
    [found] = sensors(active(parts_of(platform("nxos")), seen), seen)
    assert (found.kind, found.descr) == ("dbm", "Optical power")


def test_stations_of_a_controller_are_added_up() -> None:
    seen = tables("1.3.6.1.4.1.2011.6.139.17.1.2.1", {"2.1.65": 3, "2.1.66": 4, "3.1.65": 9})
    found = [(w.kind, w.descr, w.value) for w in wireless(active(parts_of(platform("vrp")), seen), seen)]
    assert found == [("clients", "Stations at 2.4 GHz", 7), ("clients", "Stations at 5 GHz", 9)]


@pytest.mark.parametrize(
    ("name", "of", "rows", "loads", "pools"),
    [
        ("ftd", CISCO, {"109.1.1.2.1.5.1.1": 7, "109.1.1.2.1.5.1.2": 9, "109.1.1.1.1.8.1": 8}, [7, 9], []),
        ("asa", CISCO, {"109.1.1.1.1.5.1": 8, "48.1.1.1.5.1": 30, "48.1.1.1.6.1": 70}, [8], [30]),
        ("nxos", CISCO, {"109.1.1.1.1.8.1": 8, "109.1.1.1.1.12.1": 25, "109.1.1.1.1.13.1": 75}, [8], [25]),
        (
            "vrp",
            "1.3.6.1.4.1.2011.6.3",
            {"4.1.3.0.0.0": 39, "5.1.1.2.0.0.0": 1000, "5.1.1.3.0.0.0": 600},
            [39],
            [40],
        ),
        ("junos", "1.3.6.1.4.1.2636.3.1.13.1", {"8.9": 0, "15.9": 512, "8.2": 0, "15.2": 0}, [0], []),
        ("junos", "1.3.6.1.4.1.2636.3.1.13.1", {"8.9": 4, "8.2": 0}, [4], []),
        ("junos", "1.3.6.1.4.1.2636.3.1.13.1", {"8.4": 9, "11.4": 30, "15.4": 64, "5.4": b"Fan 1"}, [], []),
        (
            "arubaos",
            "1.3.6.1.4.1.14823.2.2.1.1.1",
            {"9.1.3.1": 11, "11.1.2.1": 1000, "11.1.3.1": 250, "11.1.4.1": 750},
            [11],
            [25],
        ),
        ("sonicwall", "1.3.6.1.4.1.8741.6.2.1", {"3.0": 5, "4.0": b"2048 MB", "5.0": 35}, [5], [35]),
    ],
)
def test_load_and_memory_are_of_the_best_table_there_is(
    name: str, of: str, rows: dict[str, Value], loads: list[float], pools: list[float]
) -> None:
    seen = tables(of, rows)
    parts = active(parts_of(platform(name)), seen)
    assert [p.percent for p in processors(parts, seen)] == loads
    assert [p.percent for p in mempools(parts, seen)] == pools


def test_what_is_nominal_is_no_limit() -> None:
    seen = tables(
        "1.3.6.1.4.1.890.1.15.3.26.1.3.1", {"2.1": b"12V", "3.1": 11_904, "6.1": 12_000, "7.1": 11_040}
    )
    [found] = sensors(active(parts_of(platform("zynos")), seen), seen)
    assert found.limits is not None
    assert (found.value, found.limits.low_warning) == (11.904, 11.04)
