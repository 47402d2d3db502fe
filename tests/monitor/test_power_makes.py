"""What the files of UPSes, distribution, cooling, probes and printers make of numbers and words."""

from typing import Any

import pytest

from inventory.platforms import parts_of, platform
from monitor.sensors import sensors
from monitor.snmp_read import active
from monitor.tables import Oid, Tables, Value, oid


def read(name: str, rows: dict[str, Any]) -> list[tuple[str, str, object]]:
    """Return class, name, and value or state of every sensor; text is written as str."""
    seen: dict[Oid, Value] = {oid(k): v.encode() if isinstance(v, str) else v for k, v in rows.items()}
    tables = Tables(seen)
    found = sensors(active(parts_of(platform(name)), tables), tables)
    return [(s.kind, s.descr, s.state.label if s.state else s.value) for s in found]


UPS = "1.3.6.1.2.1.33.1"
APC, XUPS, MGE = "1.3.6.1.4.1.318.1.1", "1.3.6.1.4.1.534.1", "1.3.6.1.4.1.705.1"
PPC, CPS, SMU = "1.3.6.1.4.1.935.1.1.1", "1.3.6.1.4.1.3808.1.1", "1.3.6.1.4.1.2011.6.164.1"
ITA, LGP, PX = "1.3.6.1.4.1.13400.2.54.2", "1.3.6.1.4.1.476.1.42.3", "1.3.6.1.4.1.13742.6"
RUPS, NBZ = "1.3.6.1.4.1.5491.10.1", "1.3.6.1.4.1.5528.100"
HUPS, DUPS, ICT = "1.3.6.1.4.1.2011.6.174.1", "1.3.6.1.4.1.2254.2.4", "1.3.6.1.4.1.39145"
NETVISION = "1.3.6.1.4.1.4555.1.1.1.1"
RAM, EPDU = "1.3.6.1.4.1.20916.1.14.3.1.1", "1.3.6.1.4.1.534.6.6.7"
NUT = "1.3.6.1.4.1.8072.1.3.2.4.1.2.7.117.112.115.45.110.117.116"
AKCP, GEIST, HWG = "1.3.6.1.4.1.3854.1.2.2.1", "1.3.6.1.4.1.21239.5.1", "1.3.6.1.4.1.21796.3.3.3.1"


@pytest.mark.parametrize(
    ("raw", "hertz"),
    [(500, 50.0), (4999, 49.99), (50, 50.0), (0, 0.0), (-1, None)],
)
def test_hertz_are_what_mains_can_have(raw: int, hertz: float | None) -> None:
    expected = [("frequency", "Output", hertz)] if hertz is not None else []
    assert read("generex-ups", {f"{UPS}.4.2.0": raw}) == expected


@pytest.mark.parametrize(
    ("family", "severity"), [("Eaton 5PX", "ok"), ("Ellipse PRO", "ok"), ("93E HV", "warning")]
)
def test_an_inverter_rests_where_mains_feeds_the_load(family: str, severity: str) -> None:
    tables = Tables({oid(f"{MGE}.1.1.0"): family.encode(), oid(f"{MGE}.7.9.0"): 1})
    found = sensors(active(parts_of(platform("eaton-mgeups")), tables), tables)
    assert [s.state and s.state.severity for s in found if s.descr == "Inverter"] == [severity]


@pytest.mark.parametrize("raw", [-1, 65535, 2147483647])
@pytest.mark.parametrize(
    "column", ["2.5.0", "3.3.1.3.1", "3.3.1.4.1", "3.3.1.5.1", "4.4.1.2.1", "4.4.1.4.1", "5.3.1.2.1"]
)
def test_what_a_ups_does_not_measure_is_no_reading(column: str, raw: int) -> None:
    assert read("generex-ups", {f"{UPS}.{column}": raw}) == []


@pytest.mark.parametrize(("raw", "volts"), [(231, 231.0), (2310, 231.0), (400, 400.0), (0, 0.0)])
def test_volts_are_what_a_line_can_have(raw: int, volts: float) -> None:
    assert read("generex-ups", {f"{UPS}.4.4.1.2.1": raw}) == [("voltage", "Output", volts)]


@pytest.mark.parametrize(
    ("column", "raw", "expected"),
    [
        ("13.3.3.1.2.2.11.0", 3000, [("airflow", "Air flow", 180.0)]),
        ("13.3.3.1.2.2.11.0", 300_000, [("airflow", "Air flow", 180.0)]),
        ("13.3.3.2.2.2.11.0", 1500, [("airflow", "Air flow", 90.0)]),
        ("13.4.5.2.1.5.0", 1500, [("airflow", "Air flow", 90.0)]),
        ("13.3.3.1.2.2.35.0", 600, [("frequency", "Compressor drive", 60.0)]),
        ("13.3.3.1.2.2.35.0", 7500, [("frequency", "Compressor drive", 75.0)]),
        ("13.3.3.1.2.2.35.0", -1, []),
    ],
)
def test_litres_a_second_are_cubic_metres_a_minute(
    column: str, raw: int, expected: list[tuple[str, str, float]]
) -> None:
    assert read("apc", {f"{APC}.{column}": raw}) == expected


BIZHUB = "1.3.6.1.4.1.18334.1.1.1.5.7.2"

SAID: list[tuple[str, dict[str, Any], list[tuple[str, str, object]]]] = [
    # Three phases have numbers, a battery on mains has no time on battery.
    (
        "tripplite",
        {f"{UPS}.3.3.1.3.1": 230, f"{UPS}.3.3.1.3.2": 231, f"{UPS}.2.2.0": 90, f"{UPS}.2.3.0": 65535},
        [("runtime", "Time on battery", 1.5), ("voltage", "Input 1", 230.0), ("voltage", "Input 2", 231.0)],
    ),
    # Tenths where they are, whole numbers where not; -1 is neither.
    (
        "apc",
        {
            f"{APC}.1.3.3.1.0": 2304,
            f"{APC}.1.3.2.1.0": 230,
            f"{APC}.1.4.3.1.0": -1,
            f"{APC}.1.4.2.1.0": 229,
            f"{APC}.1.2.2.3.0": 360_000,
            f"{APC}.1.4.1.1.0": 3,
        },
        [
            ("runtime", "Battery time left", 60.0),
            ("voltage", "Input", 230.4),
            ("voltage", "Output", 229.0),
            ("state", "Output", "on battery"),
        ],
    ),
    # Input 2 of a three-phase UPS is the bypass; the phases of a UPS with one say nothing new.
    (
        "apc",
        {
            f"{APC}.1.9.2.2.1.2.1": 3,
            f"{APC}.1.9.2.2.1.2.2": 3,
            f"{APC}.1.9.2.2.1.5.1": 2,
            f"{APC}.1.9.2.2.1.5.2": 3,
            f"{APC}.1.9.2.3.1.3.1.1.1": 229,
            f"{APC}.1.9.2.3.1.3.2.1.1": 228,
            f"{APC}.1.9.3.3.1.4.1.1.2": 125,
        },
        [("voltage", "Input L1", 229.0), ("voltage", "Bypass L1", 228.0), ("current", "Output L2", 12.5)],
    ),
    (
        "apc",
        {f"{APC}.1.9.2.2.1.2.1": 1, f"{APC}.1.9.2.3.1.3.1.1.1": 229},
        [],
    ),
    # What a script prints for snmpd stands in rows, a line in each.
    (
        "linux",
        {
            f"{NUT}.1": "100",
            f"{NUT}.3": "1800",
            f"{NUT}.7": "231.5",
            f"{NUT}.9": "1",
            f"{NUT}.10": "0",
            f"{NUT}.4": "Unknown",
        },
        [
            ("charge", "Battery charge", 100.0),
            ("runtime", "Battery time left", 30.0),
            ("voltage", "Input", 231.5),
            ("state", "UPS: On line", "yes"),
            ("state", "UPS: On battery", "no"),
        ],
    ),
    (
        "apc",
        {f"{APC}.17.5.2.2.0": 12, f"{APC}.17.4.1.2.0": 2, f"{APC}.13.1.4.5.10.0": 220, f"{APC}.15.7.1.0": 1},
        [
            ("temperature", "Cooling setpoint", 22.0),
            ("state", "Emergency power off", "armed"),
            ("state", "Switch of source 1", "closed"),
            ("state", "Last test", "failed with load"),
        ],
    ),
    # A row of a cooling unit says itself what it measures, in which unit and scale.
    (
        "apc",
        {
            **{f"{APC}.27.1.4.1.2.1.{c}.1.1": v for c, v in ((2, "Supply Air"), (3, 159), (4, "C"), (5, 10))},
            **{
                f"{APC}.27.1.4.1.2.1.{c}.1.2": v
                for c, v in ((2, "Cool Output"), (3, 125), (4, "kW"), (5, 10))
            },
            **{f"{APC}.27.1.4.1.2.1.{c}.1.3": v for c, v in ((2, "Supply Air"), (3, 606), (4, "F"), (5, 10))},
            **{
                f"{APC}.27.1.6.1.2.1.{c}.1.1": v for c, v in ((2, "Rack Humidity"), (3, 45), (4, "%"), (5, 1))
            },
        },
        [
            ("temperature", "Supply Air", 15.9),
            ("power", "Cool Output", 12500.0),
            ("humidity", "Rack Humidity", 45.0),
        ],
    ),
    # A PDU of the second generation answers the first one's MIB as well; a lone phase's power is the total.
    (
        "apc",
        {
            f"{APC}.26.4.3.1.5.1": 27,
            f"{APC}.26.6.3.1.7.1": 27,
            f"{APC}.26.6.3.1.5.1": 13,
            f"{APC}.12.1.16.0": 270,
            f"{APC}.12.2.3.1.1.2.1": 13,
        },
        [("power", "Total", 270.0), ("current", "Phase 1", 1.3)],
    ),
    (
        "apc",
        {
            f"{APC}.12.2.3.1.1.2.1": 66,
            f"{APC}.12.2.3.1.1.4.1": 1,
            f"{APC}.12.2.3.1.1.2.2": 40,
            f"{APC}.12.2.3.1.1.4.2": 0,
            f"{APC}.12.2.3.1.1.5.2": 1,
        },
        [("current", "Phase 1", 6.6), ("current", "Bank 1", 4.0)],
    ),
    # The probe that is not connected has no reading, and one in °F is told in °C.
    (
        "apc",
        {
            **{f"{APC}.10.2.3.2.1.{c}.1": v for c, v in ((2, "Rack"), (3, 2), (4, 77), (5, 2), (6, 0))},
            **{f"{APC}.10.2.3.2.1.{c}.2": v for c, v in ((2, "None"), (3, 1), (4, -1), (5, 1), (6, -1))},
        },
        [("temperature", "Rack", 25.0)],
    ),
    (
        "apc",
        {
            f"{APC}.10.2.3.4.1.3.1": 2,
            f"{APC}.10.2.3.4.1.2.1": "Door",
            f"{APC}.10.2.2.4.1.3.1": 2,
            f"{APC}.10.2.2.4.1.4.1": 1,
            f"{APC}.10.2.3.4.1.3.2": 1,
            f"{APC}.10.2.2.4.1.3.2": 1,
        },
        [("state", "Door", "fault")],
    ),
    # Numbers of XUPS-MIB only where UPS-MIB is not.
    (
        "eatonupsm2",
        {f"{XUPS}.2.2.0": 54, f"{XUPS}.2.1.0": 600},
        [("runtime", "Battery time left", 10.0), ("voltage", "Battery", 54.0)],
    ),
    (
        "eatonupsm2",
        {f"{XUPS}.2.2.0": 54, f"{UPS}.2.5.0": 545},
        [("voltage", "Battery", 54.5)],
    ),
    (
        "eaton-mgeups",
        {
            f"{MGE}.5.11.0": 2,
            f"{MGE}.6.2.1.2.1.0": 2290,
            f"{XUPS}.6.8.1.3.1": 1,
            f"{XUPS}.6.8.1.4.1": "Input #1",
        },
        [("state", "Battery replacement", "not needed"), ("voltage", "Input L1", 229.0)],
    ),
    (
        "cyberpower",
        {
            f"{CPS}.4.2.1.0": 770,
            f"{CPS}.4.4.2.1.3.1": 2,
            f"{CPS}.4.4.2.1.2.1": "Water",
            f"{CPS}.4.4.2.1.3.2": 2,
            f"{CPS}.4.4.2.1.2.2": "Contact#2",
        },
        [("temperature", "Environment", 25.0), ("state", "Water", "abnormal")],
    ),
    # The unit of the temperatures stands once; a strip is not read at both of its branches.
    (
        "cyberpower",
        {
            f"{CPS}.8.2.2.0": 2,
            f"{CPS}.8.2.3.1.3.1": 7700,
            f"{CPS}.3.3.5.1.1.2.1": "Rack",
            f"{CPS}.3.3.5.1.1.4.1": 1,
            f"{CPS}.3.3.5.1.1.7.1": 32,
            f"{CPS}.3.2.3.1.1.2.1": 41,
            f"{CPS}.6.5.4.1.5.1": 41,
            f"{CPS}.6.9.4.1.10.1": 3,
        },
        [
            ("temperature", "Environment", 25.0),
            ("state", "Outlet 1: Rack", "on"),
            ("current", "Outlet 1: Rack", 3.2),
            ("current", "PDU", 4.1),
            ("state", "Source B voltage", "under voltage"),
        ],
    ),
    (
        "cyberpower",
        {f"{CPS}.8.2.2.0": 1, f"{CPS}.8.2.3.1.3.1": 2368, f"{CPS}.6.4.4.1.7.1": 37, f"{CPS}.6.5.4.1.5.2": 18},
        [("temperature", "Environment", 23.68), ("power", "Phase 1", 370.0), ("current", "Bank 2", 1.8)],
    ),
    # A three-phase card does not keep up the objects of one phase.
    (
        "netagent2",
        {f"{UPS}.3.2.0": 3, f"{PPC}.3.2.1.0": 2300, f"{PPC}.8.2.2.0": 2310, f"{PPC}.8.5.7.0": 14},
        [("voltage", "Input L1", 231.0), ("state", "Rectifier operating", "yes")],
    ),
    (
        "netagent2",
        {f"{UPS}.3.2.0": 1, f"{PPC}.3.2.1.0": 2300, f"{PPC}.8.2.2.0": 0},
        [("voltage", "Input", 230.0)],
    ),
    (
        "huaweiups",
        {f"{UPS}.1.2.0": "UPS5000-E", f"{UPS}.4.4.1.4.1": 34},
        [("power", "Output", 3400.0)],
    ),
    ("huaweiups", {f"{UPS}.1.2.0": "UPS2000", f"{UPS}.4.4.1.4.1": 840}, [("power", "Output", 840.0)]),
    # UPS-MIB has one line of a UPS of three phases.
    (
        "huaweiups",
        {f"{UPS}.4.4.1.2.1": 230, f"{HUPS}.4.100.1.1.1": 2304, f"{HUPS}.2.101.1.1.1": 6},
        [("voltage", "Output L1", 230.4), ("voltage", "Output", 230.0), ("state", "Supply", "mains, eco")],
    ),
    ("huaweiups", {f"{HUPS}.4.100.1.1.1": 2304}, [("voltage", "Output L1", 230.4)]),
    (
        "deltaups",
        {f"{UPS}.4.4.1.2.1": 230, f"{DUPS}.5.4.0": 2301, f"{DUPS}.7.9.0": 28, f"{DUPS}.8.2.0": 4},
        [
            ("temperature", "UPS", 28.0),
            ("state", "Battery test", "failed"),
            ("voltage", "Output L1", 230.1),
            ("voltage", "Output", 230.0),
        ],
    ),
    (
        "deltaups",
        {f"{DUPS}.5.4.0": 2301, f"{DUPS}.5.7.0": 41},
        [("voltage", "Output L1", 230.1), ("load", "Load L1", 41.0)],
    ),
    (
        "huawei-power",
        {
            f"{SMU}.6.1.3.0": 535,
            f"{SMU}.3.2.2.1.99.28673": 8,
            f"{SMU}.3.2.1.1.3.28673": "Rectifier 2",
            f"{SMU}.4.2.1.0": 2147483647,
        },
        [("voltage", "DC bus", 53.5), ("state", "Rectifier 2", "no mains")],
    ),
    # Thousandths or tenths of a degree, and a phase that is not connected.
    (
        "vertiv-ita2",
        {
            f"{ITA}.2.1.0": 2300,
            f"{ITA}.2.2.0": 0,
            f"{ITA}.2.6.0": 5,
            f"{ITA}.5.8.0": 25500,
            f"{ITA}.5.9.0": 241,
        },
        [
            ("voltage", "Input L1", 230.0),
            ("temperature", "Battery", 25.5),
            ("temperature", "Battery's surroundings", 24.1),
        ],
    ),
    (
        "liebert",
        {
            f"{LGP}.4.1.3.3.1.2.1": oid(f"{LGP}.4.1.1.2"),
            f"{LGP}.4.1.3.3.1.3.1": 23,
            f"{LGP}.4.1.3.3.1.50.1": 234,
            f"{LGP}.4.1.3.3.1.3.2": 2147483647,
            f"{LGP}.9.20.1.10.1.2.1.4208": "System Output Power",
            f"{LGP}.9.20.1.20.1.2.1.4208": "1.3",
        },
        [("temperature", "Return air", 23.4), ("power", "System Output Power", 1300.0)],
    ),
    # 32768 is no temperature; a branch says how much of its breaker it takes.
    (
        "liebert",
        {
            f"{LGP}.4.1.3.3.1.50.1": 32768,
            f"{LGP}.4.2.1.2.0": 41,
            f"{LGP}.8.40.20.1.8.1.1": "Branch A",
            f"{LGP}.8.40.20.1.160.1.1": 325,
            f"{LGP}.5.2.3.1.13.1.2": 14,
            f"{LGP}.5.2.3.1.3.1.2": oid(f"{LGP}.5.2.1.5"),
            f"{LGP}.4.4.32.1.2.1": oid(f"{LGP}.4.7.1.12.1"),
            f"{LGP}.4.4.32.1.3.1": 1,
            f"{LGP}.4.4.32.1.5.1": 8412,
            f"{LGP}.4.9.10.1.3.1": 1,
            f"{LGP}.4.9.10.1.4.1": "Row A",
            f"{LGP}.4.9.10.1.6.1": 24,
            f"{LGP}.4.9.10.1.3.2": 0,
            f"{LGP}.4.9.10.1.6.2": 24,
        },
        [
            ("count", "Hours of compressor 1 1", 8412.0),
            ("temperature", "Remote 1 Row A", 24.0),
            ("humidity", "Return air", 41.0),
            ("percent", "Branch A of what it may carry", 32.5),
            ("count", "Point 1 output L2 crest factor", 1.4),
        ],
    ),
    # A row says what it is by a word; its index is a text.
    (
        "avtech",
        {
            **{f"{RAM}.{c}.2.65.49": v for c, v in ((3, "Temperature"), (4, 2315), (5, "Rack"))},
            **{f"{RAM}.{c}.2.65.50": v for c, v in ((3, "Humidity"), (4, 4150), (5, "Rack"))},
            **{f"{RAM}.{c}.2.65.51": v for c, v in ((3, "Switch"), (4, 1), (5, "Door"))},
            **{f"{RAM}.{c}.2.65.52": v for c, v in ((3, "Heat Index"), (4, 80), (5, "Rack"))},
        },
        [("temperature", "Rack", 23.15), ("humidity", "Rack", 41.5), ("state", "Door", "on")],
    ),
    # Only distribution modules have channels; 1000 is a probe that is not there.
    (
        "ict-mps",
        {
            f"{ICT}.13.10.1.3.1": 4,
            f"{ICT}.13.10.1.3.2": 2,
            f"{ICT}.13.10.1.5.1": "3.2",
            f"{ICT}.13.10.1.5.2": "0.0",
            f"{ICT}.13.10.1.4.2": ".",
            f"{ICT}.13.12.0": 1000,
            f"{ICT}.13.16.0": 4,
        },
        [
            ("state", "Module 1 is", "distribution"),
            ("state", "Module 2 is", "power"),
            ("current", "Module 1 channel 1", 3.2),
            ("state", "Battery test", "failed"),
        ],
    ),
    (
        "ict-mps",
        {f"{ICT}.12.7.0": "120.1", f"{ICT}.12.8.0": "35", f"{ICT}.12.11.0": 2},
        [("voltage", "Inverter", 120.1), ("load", "Load", 35.0), ("state", "Transfer relay", "grid")],
    ),
    # A group of outlets without a breaker has none that could be off.
    (
        "eatonpdu",
        {
            f"{EPDU}.5.1.1.3.0.1": "A1",
            f"{EPDU}.5.1.1.5.0.1": 2,
            f"{EPDU}.5.1.1.5.0.2": 0,
            f"{EPDU}.3.3.1.4.0.1.1": 4210,
        },
        [("state", "Breaker A1", "off"), ("current", "Input 1 phase 1", 4.21)],
    ),
    ("raritan-pdu", {"1.3.6.1.4.1.13742.4.1.3.1.5.0": 415}, [("temperature", "Processor", 41.5)]),
    ("raritan-pdu", {"1.3.6.1.4.1.13742.4.1.3.1.5.0": 41}, [("temperature", "Processor", 41.0)]),
    (
        "socomec-ups",
        {f"{NETVISION}.4.4.1.2.1": 2301, f"{NETVISION}.4.4.1.4.1": 40, f"{NETVISION}.2.3.0": 65535},
        [("voltage", "Output", 230.1), ("load", "Load", 40.0)],
    ),
    # A door is a state, not a number.
    (
        "raritan-pdu",
        {
            f"{PX}.3.6.3.1.2.1.3": 43,
            f"{PX}.3.6.3.1.4.1.3": "Door",
            f"{PX}.5.5.3.1.2.1.3": 1,
            f"{PX}.5.5.3.1.3.1.3": 0,
            f"{PX}.5.5.3.1.4.1.3": 1,
            f"{PX}.3.6.3.1.2.1.4": 10,
            f"{PX}.5.5.3.1.3.1.4": 4,
        },
        [("state", "Door", "open")],
    ),
    # The device says how many digits stand behind the point.
    (
        "raritan-pdu",
        {
            f"{PX}.5.2.3.1.4.1.1.1": 1250,
            f"{PX}.3.3.4.1.7.1.1.1": 3,
            f"{PX}.5.2.3.1.4.1.1.4": 230,
            f"{PX}.3.3.4.1.7.1.1.4": 0,
            f"{PX}.3.3.3.1.3.1.1": "A",
        },
        [("current", "Inlet 1 A", 1.25), ("voltage", "Inlet 1 A", 230.0)],
    ),
    # Sensors that are offline are not observed, whatever they said last.
    (
        "akcp",
        {
            f"{AKCP}.16.1.5.0": 1,
            f"{AKCP}.16.1.12.0": 0,
            f"{AKCP}.16.1.14.0": 770,
            f"{AKCP}.17.1.5.0": 1,
            f"{AKCP}.17.1.13.0": 0,
            f"{AKCP}.17.1.3.0": 42,
            f"{AKCP}.17.1.5.1": 2,
            f"{AKCP}.17.1.13.1": 830,
            f"{AKCP}.18.1.3.0": 4,
            f"{AKCP}.18.1.4.0": 1,
            f"{AKCP}.18.1.1.0": "Rectifier",
            f"{AKCP}.18.1.3.1": 1,
            f"{AKCP}.18.1.4.1": 2,
        },
        [
            ("temperature", "Temperature", 25.0),
            ("humidity", "Humidity", 42.0),
            ("state", "Rectifier", "critical"),
        ],
    ),
    (
        "geist",
        {f"{GEIST}.1.7.0": 0, f"{GEIST}.4.1.5.1": 770, f"{GEIST}.4.1.3.1": "Rack"},
        [("temperature", "Rack", 25.0)],
    ),
    (
        "hwg-poseidon",
        {
            f"{HWG}.6.1": 770,
            f"{HWG}.9.1": 1,
            f"{HWG}.4.1": 1,
            f"{HWG}.2.1": "T",
            f"{HWG}.6.2": 10,
            f"{HWG}.9.2": 3,
            f"{HWG}.4.2": 0,
        },
        [("state", "T", "normal"), ("state", "State", "invalid"), ("temperature", "T", 25.0)],
    ),
    (
        "ict-pdu",
        {"1.3.6.1.4.1.39145.10.8.1.3.0": "0.2 A", "1.3.6.1.4.1.39145.10.8.1.4.0": "OPEN"},
        [("current", "Output 0", 0.2), ("state", "Fuse 0", "open")],
    ),
    # Bit 3 of the first octet: no toner; the processor in the same table is no printer.
    (
        "brother",
        {
            "1.3.6.1.2.1.43.11.1.1.9.1.1": -3,
            "1.3.6.1.2.1.25.3.2.1.2.1": oid("1.3.6.1.2.1.25.3.1.5"),
            "1.3.6.1.2.1.25.3.2.1.5.1": 5,
            "1.3.6.1.2.1.25.3.2.1.2.2": oid("1.3.6.1.2.1.25.3.1.3"),
            "1.3.6.1.2.1.25.3.2.1.5.2": 2,
            "1.3.6.1.2.1.25.3.5.1.2.1": b"\x18",
        },
        [("state", "Printer", "down"), ("state", "Printer errors", "no toner, door open")],
    ),
    # A card without UPS-MIB is read by its own branch; one with it, only for what that lacks.
    (
        "netmanplus",
        {f"{RUPS}.2.4.0": 100, f"{RUPS}.3.3.1.3.1": 231, f"{RUPS}.4.4.1.2.1": 2300, f"{RUPS}.10.1.0": 31},
        [
            ("charge", "Battery charge", 100.0),
            ("voltage", "Input", 231.0),
            ("voltage", "Output", 230.0),
            ("temperature", "System", 31.0),
        ],
    ),
    (
        "netmanplus",
        {f"{RUPS}.2.4.0": 100, f"{UPS}.2.4.0": 99, f"{RUPS}.2.12.0": 0},
        [("charge", "Battery charge", 99.0), ("state", "Battery current", "discharging")],
    ),
    (
        "netbotz",
        {
            f"{NBZ}.4.1.1.1.2.7": 252,
            f"{NBZ}.4.1.1.1.3.7": 0,
            f"{NBZ}.4.1.1.1.4.7": "Rack",
            f"{NBZ}.4.1.1.1.2.8": 252,
            f"{NBZ}.4.1.1.1.3.8": 5,
            f"{NBZ}.4.2.2.1.2.9": 0,
            f"{NBZ}.4.2.2.1.4.9": "Door",
            f"{NBZ}.4.2.1.1.2.9": -1,
        },
        [("temperature", "Rack", 25.2), ("state", "Door", "open")],
    ),
    # The first generation: state -1 is no sensor.
    (
        "raritan-pdu",
        {
            "1.3.6.1.4.1.13742.4.1.2.2.1.4.1": 250,
            "1.3.6.1.4.1.13742.4.1.2.2.1.2.1": "AP",
            **{
                f"1.3.6.1.4.1.13742.4.3.3.1.{c}.13": v
                for c, v in ((2, 10), (4, "Rack"), (17, 1), (40, 4), (41, 215))
            },
            **{
                f"1.3.6.1.4.1.13742.4.3.3.1.{c}.5": v
                for c, v in ((2, 11), (4, "Dry"), (17, 0), (40, -1), (41, 0))
            },
        },
        [("current", "Outlet 1 AP", 0.25), ("temperature", "Rack", 21.5)],
    ),
    (
        "eatonpdu",
        {"1.3.6.1.4.1.534.6.6.6.1.3.1.2.0": 231_000, "1.3.6.1.4.1.534.6.6.6.1.3.1.20.0": 1},
        [("voltage", "Unit", 231.0), ("state", "Breaker 1", "tripped")],
    ),
    # What a marker counts are pages; metres of tape are none.
    (
        "kyocera",
        {
            "1.3.6.1.2.1.43.11.1.1.9.1.1": -3,
            "1.3.6.1.2.1.43.10.2.1.3.1.1": 7,
            "1.3.6.1.2.1.43.10.2.1.4.1.1": 52_013,
            "1.3.6.1.2.1.43.10.2.1.3.1.2": 17,
            "1.3.6.1.2.1.43.10.2.1.4.1.2": 12,
            "1.3.6.1.2.1.43.10.2.1.5.1.1": 207,
        },
        [("count", "Pages in its life 1", 52_013.0), ("count", "Pages since it was switched on", 207.0)],
    ),
    # What it cannot do is counted as 0.
    (
        "konica",
        {
            f"{BIZHUB}.1.3.0": 812,
            f"{BIZHUB}.2.1.5.1.2": 40_511,
            f"{BIZHUB}.2.1.5.4.2": 0,
            f"{BIZHUB}.1.5.0": 77,
        },
        [
            ("count", "Pages, duplex", 812.0),
            ("count", "Prints, black", 40_511.0),
            ("count", "Scans", 77.0),
        ],
    ),
    (
        "jetdirect",
        {"1.3.6.1.4.1.11.2.3.9.4.2.1.3.3.1.13.0": 26, "1.3.6.1.4.1.11.2.3.9.4.2.1.4.1.2.5.0": 9_014},
        [("state", "Default paper", "A4"), ("count", "Pages", 9_014.0)],
    ),
]


@pytest.mark.parametrize(("name", "rows", "expected"), SAID, ids=[name for name, _, _ in SAID])
def test_a_make_is_read_as_its_mib_says(
    name: str, rows: dict[str, Any], expected: list[tuple[str, str, object]]
) -> None:
    found = [(k, d, round(v, 3) if isinstance(v, float) else v) for k, d, v in read(name, rows)]
    assert sorted(found, key=str) == sorted(expected, key=str)
