"""A device is recognised by what it says, the most telling thing first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.platform_format import Platform
from inventory.platforms import platform, platforms
from monitor.identify import ENTITY, SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, identify, identity, probes
from monitor.tables import Oid, Tables, Value, oid

NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"
CISCO = "1.3.6.1.4.1.9.1.1208"

# What devices say: (platform, sysObjectID, sysDescr, an object that tells it apart).
SAID: list[tuple[str, str, str, str]] = [
    ("apc", "1.3.6.1.4.1.99999.1", "APC Web/SNMP Management Card (MB:v4.1.0)", ""),
    ("airos-af", "1.3.6.1.4.1.10002.1", "Linux 2.6.33 armv7l", "1.3.6.1.4.1.41112.1.3.2.1.4.1"),
    ("airos-af-ltu", NET_SNMP, "Linux LTU 3.14.65 armv7l", "1.3.6.1.4.1.41112.1.10.1.3.2.0"),
    ("airos-af60", NET_SNMP, "Linux GBE 4.4 mips", "1.3.6.1.4.1.41112.1.11.1.1.1.2.1"),
    ("asa", CISCO, "Cisco Adaptive Security Appliance Version 9.16(4)", ""),
    ("ciscosb", "1.3.6.1.4.1.9.1.3211", "Catalyst 1200 Series Smart Switch, 8-port GE (C1200-8T-E-2G)", ""),
    ("ciscowlc", "1.3.6.1.4.1.9.1.1069", "Cisco Controller", ""),
    ("comware", "1.3.6.1.4.1.25506.1.578", "H3C Comware Software", ""),
    ("dlink-dgs1250", "1.3.6.1.4.1.171.10.165.1.1", "DGS-1250-28X", ""),
    ("dsm", NET_SNMP, "Linux nas 4.4.302+ x86_64", "1.3.6.1.4.1.6574.1.5.1.0"),
    ("edgeosolt", "1.3.6.1.4.1.41112.1.5", "UFiber OLT v4.4.1", ""),
    ("epmp", NET_SNMP, "Linux 3.18 mips", "1.3.6.1.4.1.17713.21.1.1.1.0"),
    ("freebsd", "1.3.6.1.4.1.8072.3.2.8", "FreeBSD gw 14.0-RELEASE amd64", ""),
    ("ftd", CISCO, "Cisco Firepower Threat Defense, Version 7.0.1", ""),
    ("grandstream-ap", NET_SNMP, "GWN7630", "1.3.6.1.4.1.42397.1.1.2.1.0"),
    ("hp-oa", "1.3.6.1.4.1.11.5.7.1.2", "HP Onboard Administrator", ""),
    ("imm", NET_SNMP, "Linux imm 2.6.16 mips", "1.3.6.1.4.1.2.3.51.3.1.4.1.0"),
    ("ios", CISCO, "Cisco IOS Software, C2960X Software, Version 15.0(2a)EX5", ""),
    ("iosxe", CISCO, "Cisco IOS Software [Gibraltar], Catalyst L3 Switch Software (CAT9K_LITE_IOSXE)", ""),
    ("hikvision-cam", "", "", "1.3.6.1.4.1.39165.1.1.0"),
    ("frr", NET_SNMP, "FRRouting 8.4.4 (rtr1) on Linux", ""),
    ("linux", NET_SNMP, "Linux srv 6.1.0-25-amd64 x86_64", ""),
    ("iosxr", "1.3.6.1.4.1.9.1.2144", "Cisco IOS XR Software (Cisco NCS-5500 Series), Version 6.5.1", ""),
    ("nxos", "1.3.6.1.4.1.9.12.3.1.3.1163", "Cisco NX-OS(tm) nxos, Version 7.0(3)I7(8)", ""),
    ("opnsense", "1.3.6.1.4.1.8072.3.2.8", "FreeBSD fw 13.2 OPNsense 24.1 amd64", ""),
    ("pfsense", "1.3.6.1.4.1.12325.1.1.2.1.1", "pfSense gw 2.7.2-RELEASE FreeBSD 14.0-CURRENT amd64", ""),
    ("proxmox", NET_SNMP, "Linux pve 6.8.12-4-pve #1 SMP PVE 6.8.12 x86_64", ""),
    ("qnap", NET_SNMP, "Linux nas 5.1", "1.3.6.1.4.1.24681.1.2.12.0"),
    ("supermicro-bmc", NET_SNMP, "Linux (none) 3.18.0 armv6l", "1.3.6.1.4.1.21317.1.16.3.4.0"),
    ("truenas", "1.3.6.1.4.1.8072.3.2.8", "TrueNAS-13.0-U6. Hardware: amd64", ""),
    ("unifi", NET_SNMP, "UAP-nanoHD 5.43.36.12724", ""),
    ("unifi", NET_SNMP, "Linux UAP 4.4 mips", "1.3.6.1.4.1.41112.1.6.3.3.0"),
    ("vmware-vcsa", "1.3.6.1.4.1.6876.4.7", "VMware-vCenter-Server-Appliance 7.0.3", ""),
    ("vyos", "1.3.6.1.4.1.44641", "VyOS 1.4", ""),
    ("arubaos", "1.3.6.1.4.1.14823.1.6.1", "ArubaOS (MODEL: 7005)", ""),
    ("aruba-instant", "1.3.6.1.4.1.14823.1.2.34", "ArubaOS (MODEL: 225)", ""),
    ("ciscowlc", "1.3.6.1.4.1.9.6.1.37", "Cisco Business Wireless", ""),
    ("ciscosb", "1.3.6.1.4.1.3955.1.1", "Linksys SLM2024", ""),
    ("dahua-nvr", NET_SNMP, "Linux 4.9 armv7l", "1.3.6.1.4.1.1004849.2.1.2.6.0"),
    ("drac", "0.0", "Dell Out-of-band SNMP Agent for Remote Access Controller", ""),
    ("edgeswitch", NET_SNMP, "USW-24-PoE 6.5.59", "1.3.6.1.4.1.41112.1.6.3.3.0"),
    ("edgeswitch", "1.3.6.1.4.1.7244.2.1", "EdgeSwitch 24-Port Lite, 1.9.3", ""),
    ("generex-ups", "1.3.6.1.2.1.33", "BACS SNMP Agent", ""),
    ("huaweiups", NET_SNMP, "Linux GSE200M 2.6.27", ""),
    ("huaweiups", "1.3.6.1.4.1.2011.2.500", "UPS2000", "1.3.6.1.2.1.33.1.1.1.0"),
    ("vrp", "1.3.6.1.4.1.2011.2.23.96", "Huawei Versatile Routing Platform", ""),
    ("zxr10", "1.3.6.1.4.1.3902.99.1", "ZTE 5950-36TM", ""),
    ("zynos", "1.3.6.1.4.1.890.1.15", "XGS4600-32F", ""),
    ("zynos", "1.3.6.1.4.1.890.1.15", "NWA5123-AC", "1.3.6.1.4.1.890.1.6.22.1.1.0"),
    ("zywall", "1.3.6.1.4.1.890.1.15", "USG20-VPN", ""),
    ("zywall", "1.3.6.1.4.1.890.1.6.22", "SCR 50AXE", "1.3.6.1.4.1.890.1.6.22.1.1.0"),
    ("yunshan", "1.3.6.1.4.1.2011.2.23.1", "Huawei YunShan OS Version 1.22.0.1 (S5735 V600R022C10)", ""),
]


def hello(object_id: str, descr: str = "", probe: str = "") -> Tables:
    seen: dict[Oid, Value] = {SYS_DESCR: descr.encode()}
    if object_id:
        seen[SYS_OBJECT_ID] = oid(object_id)
    if probe:
        seen[oid(probe)] = b"there"
    return Tables(seen)


def name_of(tables: Tables) -> str:
    found = identify(platforms(), tables)
    return found.name if found else ""


@pytest.mark.parametrize(("name", "object_id", "descr", "probe"), SAID)
def test_a_device_is_recognised(name: str, object_id: str, descr: str, probe: str) -> None:
    assert name_of(hello(object_id, descr, probe)) == name


@pytest.mark.parametrize(
    ("maker", "name"), [(b"HUAWEI", "huaweiups"), (b"Huawei Technologies", "huaweiups"), (b"Riello", "linux")]
)
def test_a_mib_of_many_makes_says_who_made_the_device(maker: bytes, name: str) -> None:
    seen = hello(NET_SNMP, "Linux UPS 3.10 armv7l").seen
    assert name_of(Tables({**seen, oid("1.3.6.1.2.1.33.1.1.1.0"): maker})) == name


@pytest.mark.parametrize("known", platforms(), ids=lambda p: p.name)
def test_every_platform_can_be_recognised(known: Platform) -> None:
    simple = [o for m in known.match if not (m.descr or m.probe) for o in m.object_id]
    by_id = any(name_of(hello(object_id + ".1")) == known.name for object_id in simple)
    assert by_id or any(name == known.name for name, *_ in SAID), "Give an example of it in SAID."


def test_only_what_the_device_may_be_is_probed() -> None:
    assert probes(platforms(), hello("1.3.6.1.4.1.14988.1")) == [oid("1.3.6.1.4.1.39165")]
    assert oid("1.3.6.1.4.1.6574") in probes(platforms(), hello(NET_SNMP))


def test_a_device_of_an_unknown_make_still_has_an_identity() -> None:
    tables = Tables(
        {
            SYS_OBJECT_ID: oid("1.3.6.1.4.1.99999.1"),
            SYS_NAME: b"sw-1",
            (*ENTITY, 5, 7): 3,
            (*ENTITY, 13, 7): b"X-1000",
            (*ENTITY, 11, 7): b"SN1",
            (*ENTITY, 10, 7): b"1.0",
            (*ENTITY, 12, 7): b"Acme",
        }
    )
    seen = identity(identify(platforms(), tables), tables)
    assert (seen.os, seen.vendor, seen.hardware, seen.version, seen.serial) == (
        "",
        "Acme",
        "X-1000",
        "1.0",
        "SN1",
    )


@pytest.mark.parametrize(
    ("object_id", "vendor"),
    [
        ("1.3.6.1.4.1.14331.1.4", "Topsec"),
        ("1.3.6.1.4.1.5651", "Maipu"),
        ("1.3.6.1.4.1.99999.14331", ""),
        ("1.3.6.1.4.1", ""),
        ("0.0", ""),
        ("1.3.6.1.2.1.5651", ""),
    ],
)
def test_of_an_unknown_make_its_number_says_who_made_it(object_id: str, vendor: str) -> None:
    tables = hello(object_id)
    seen = identity(identify(platforms(), tables), tables)
    assert (seen.os, seen.vendor) == ("", vendor)


def test_a_version_may_stand_in_three_numbers() -> None:
    build = "1.3.6.1.4.1.21317.1.5"
    tables = hello(NET_SNMP, "Linux bmc", f"{build}.1.0")
    tables.seen.update({oid(f"{build}.{n}.0"): value for n, value in ((1, 1), (2, 73), (7, 5))})
    known = next(p for p in platforms() if p.name == "supermicro-bmc")
    assert identity(known, tables).version == "1.73.5"


PROCURVE = "1.3.6.1.4.1.11.2.3.7.11.1"
TOLD = [
    (
        PROCURVE,
        "HP J9146A E2910al-24G-PoE Switch, revision W.15.08.0012, X",
        "J9146A E2910al-24G-PoE",
        "W.15.08.0012",
    ),
    (PROCURVE, "ProCurve J4900B Switch 2626, revision H.10.67, ROM H.08.05", "J4900B 2626", "H.10.67"),
    (PROCURVE, "HP J4121A ProCurve Switch 4000M, revision C.09.22, ROM C.06", "J4121A 4000M", "C.09.22"),
    (PROCURVE, "HP ProCurve 1810G - 24 GE, P.1.14, eCos-2.0", "1810G - 24 GE", "P.1.14"),
    (PROCURVE, "HPE OfficeConnect Switch 1820 24G J9980A, PT.02.10, Linux", "1820 24G J9980A", "PT.02.10"),
    (PROCURVE, "PROCURVE J9029A - PA.03.04", "J9029A", "PA.03.04"),
    (
        CISCO,
        "Cisco IOS XR Software (Cisco NCS-5500 Series), Version 6.5.1[Default]",
        "NCS-5500 Series",
        "6.5.1",
    ),
    ("1.3.6.1.4.1.50536.3", "TrueNAS-13.0. Hardware: AMD EPYC (TM). Software: F", "AMD EPYC (TM)", "13.0"),
]


@pytest.mark.parametrize(("object_id", "descr", "hardware", "version"), TOLD)
def test_model_and_version_stand_in_what_it_says(
    object_id: str, descr: str, hardware: str, version: str
) -> None:
    tables = hello(object_id, descr)
    said = identity(identify(platforms(), tables), tables)
    assert (said.hardware, said.version.rstrip(".")) == (hardware, version)


@pytest.mark.parametrize(
    ("name", "rows", "hardware", "serial"),
    [
        (
            "linux",
            {"674.10892.1.300.10.1.9.1": "PowerEdge R730", "674.10892.1.300.10.1.11.1": "5X"},
            "Dell PowerEdge R730",
            "5X",
        ),
        ("linux", {"8072.1.3.2.3.1.1.6.115.101.114.105.97.108": "VM-1"}, "", "VM-1"),
        (
            "windows",
            {"232.2.2.4.2.0": "ProLiant DL380 Gen9", "232.2.2.2.1.0": "CZ1"},
            "ProLiant DL380 Gen9",
            "CZ1",
        ),
        (
            "jetdirect",
            {"11.2.3.9.1.1.7.0": "MFG:HP;MDL:HP LaserJet 400 M401dn;CLS:PRINTER;"},
            "LaserJet 400 M401dn",
            "",
        ),
        ("ios", {"9.3.6.3.0": "FTX1"}, "", "FTX1"),
        ("zynos", {"890.1.5.8.55.1.10.0": "S110"}, "", "S110"),
    ],
)
def test_each_make_says_its_model_and_number_in_its_own_place(
    name: str, rows: dict[str, str], hardware: str, serial: str
) -> None:
    seen: dict[Oid, Value] = {oid(f"1.3.6.1.4.1.{key}"): text.encode() for key, text in rows.items()}
    said = identity(platform(name), Tables(seen))
    assert (said.hardware, said.serial) == (hardware, serial)


def test_words_that_say_nothing_are_no_serial() -> None:
    for empty in (b"<private>", b"N/A", b"0000000", b"", b"Not Specified"):
        tables = Tables({(*ENTITY, 5, 1): 3, (*ENTITY, 11, 1): empty})
        assert identity(None, tables).serial == ""


@given(st.binary(max_size=600), st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=20))
def test_nothing_a_device_says_stops_recognition(descr: bytes, object_id: list[int]) -> None:
    tables = Tables({SYS_DESCR: descr, SYS_OBJECT_ID: tuple(object_id)})
    seen = identity(identify(platforms(), tables), tables)
    assert len(seen.sysDescr) <= 255
    assert "\n" not in seen.sysDescr
    assert "\x1b" not in seen.sysDescr
