"""A device is recognised by what it says, the most telling thing first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.platform_format import Match, Platform
from inventory.platforms import platform, platforms
from monitor.identify import ENTITY, SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, identify, identity, probes
from monitor.tables import Oid, Tables, Value, oid

NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"
WINDOWS = "1.3.6.1.4.1.311.1.1.3.1"
CISCO = "1.3.6.1.4.1.9.1.1208"

# What devices say: (platform, sysObjectID, sysDescr, an object that tells it apart).
SAID: list[tuple[str, str, str, str]] = [
    ("apc", "1.3.6.1.4.1.99999.1", "APC Web/SNMP Management Card (MB:v4.1.0)", ""),
    ("airos-af", "1.3.6.1.4.1.10002.1", "Linux 2.6.33 armv7l", "1.3.6.1.4.1.41112.1.3.2.1.4.1"),
    ("airos-af-ltu", NET_SNMP, "Linux LTU 3.14.65 armv7l", "1.3.6.1.4.1.41112.1.10.1.3.2.0"),
    ("airos-af60", NET_SNMP, "Linux GBE 4.4 mips", "1.3.6.1.4.1.41112.1.11.1.1.1.2.1"),
    ("asa", CISCO, "Cisco Adaptive Security Appliance Version 9.16(4)", ""),
    ("asa", CISCO, "Cisco Industrial Security Appliance Version 9.16(4)", ""),
    ("asa", "1.3.6.1.4.1.9.1.2404", "Cisco Adaptive Security Appliance Version 9.12(2)", ""),
    ("ftd", "1.3.6.1.4.1.9.1.3053", "", ""),
    ("ciscowlc", "1.3.6.1.4.1.9.6.1.37", "", ""),
    ("vrp", "1.3.6.1.4.1.2011.1.1.1.12", "Huawei Versatile Routing Platform Software VRP (R) Software", ""),
    ("vrp", "1.3.6.1.4.1.2011.2.23.96", "", ""),
    ("yunshan", "1.3.6.1.4.1.2011.2.23.831", "S5735-L24T4S-A1", ""),
    ("ciscosb", "1.3.6.1.4.1.9.1.3211", "Catalyst 1200 Series Smart Switch, 8-port GE (C1200-8T-E-2G)", ""),
    ("ciscowlc", "1.3.6.1.4.1.9.1.1069", "Cisco Controller", ""),
    ("comware", "1.3.6.1.4.1.25506.1.578", "H3C Comware Software", ""),
    ("dlink-dgs1250", "1.3.6.1.4.1.171.10.165.1.1", "DGS-1250-28X", ""),
    ("dsm", NET_SNMP, "Linux nas 4.4.302+ x86_64", "1.3.6.1.4.1.6574.1.5.1.0"),
    ("airos-af60", "1.3.6.1.4.1.10002.1", "Linux 4.4.60 armv7l", "1.3.6.1.4.1.41112.1.11.1.2.4.1"),
    ("edgeosolt", "1.3.6.1.4.1.41112.1.5", "UFiber OLT v4.4.1", ""),
    ("dlink", "0.0", "D-Link DES-3200-28 Fast Ethernet Switch", ""),
    ("edgeos", "0.0", "EdgeRouter X SFP v2.0.9", ""),
    ("edgeos", "1.3.6.1.4.1.41112.1.5", "EdgeOS v2.0.9", "1.3.6.1.4.1.41112.1.5.1.1.0"),
    ("edgeswitch", "1.3.6.1.4.1.99", "USW Pro 24, 6.5.59", ""),
    ("grandstream-ap", "1.3.6.1.4.1.42397.1", "GWN7664", "1.3.6.1.4.1.42397.1.1.2.1.0"),
    ("jetstream", "1.3.6.1.4.1.99", "JetStream 8-Port Gigabit Smart Switch", ""),
    ("zxr10", "1.3.6.1.4.1.99", "ZTE Ethernet Switch  ZXR10 5250-28TM-H, Version: V2.05.11B17P01", ""),
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
    ("windows", "0.0", "Hardware: x86 Family 6 - Software: Windows Version 6.1 (Build 7601)", ""),
    ("qnap", "1.3.6.1.4.1.55062.1", "Linux NASA1 5.2.1", ""),
    ("konica", "0.0", "KONICA MINOLTA bizhub C258", ""),
    ("konica", "1.3.6.1.4.1.641.2.71", "KONICA MINOLTA bizhub 4050i", ""),
    ("jetdirect", "1.3.6.1.4.1.236.11.5.1", "HP Laser MFP 131 133 135-138", ""),
    ("canonprinter", "0.0", "Canon iR-ADV C3530 /P", ""),
    ("brother", "0.0", "Brother NC-8300h, Firmware Ver.1.05", ""),
    ("arubaos", "1.3.6.1.4.1.14823.1.6.1", "ArubaOS (MODEL: 7005)", ""),
    ("arubaos", "1.3.6.1.4.1.14823.1.1.43", "", ""),
    ("", "1.3.6.1.4.1.14823.1.6.1", "ClearPass Policy Manager", ""),
    ("fortigate", "1.3.6.1.4.1.12356.15.500", "", ""),
    ("junos", "", "Juniper Networks, Inc. srx300 internet router, kernel JUNOS 21.4R3.15", ""),
    ("panos", NET_SNMP, "Palo Alto Networks Panorama server", ""),
    ("panos", "", "Palo Alto Networks PA-400 series firewall", ""),
    ("pfsense", "1.3.6.1.4.1.8072.3.2.255", "pfSense gw 2.7.2-RELEASE amd64", ""),
    ("opnsense", "1.3.6.1.4.1.12325.1.1.2.1.1", "OPNsense.localdomain 3184 FreeBSD 11.2", ""),
    ("sonicwall", "1.0.3.0.6.0.1.0", "SonicWALL TZ 210 (SonicOS Enhanced 5.8.1.7)", ""),
    ("supermicro-bmc", "1.3.6.1.4.1.10876.2", "", "1.3.6.1.4.1.21317.1.5.1.0"),
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
    ("name", "object_id", "place", "says"),
    [
        ("edgeosolt", "1.3.6.1.4.1.41112.1.5", "1.3.6.1.4.1.41112.1.5.1.1.0", b"UFiber OLT 4"),
        ("edgeos", "1.3.6.1.4.1.41112.1.5", "1.3.6.1.4.1.41112.1.5.1.1.0", b"EdgeRouter 8 XG"),
        ("unifi", "1.3.6.1.4.1.10002.1", "1.2.840.10036.3.1.2.1.3.5", b"UAP-LR"),
        ("airos", "1.3.6.1.4.1.10002.1", "1.2.840.10036.3.1.2.1.3.5", b"NanoStation M5"),
    ],
)
def test_what_stands_in_one_place_tells_makes_apart(
    name: str, object_id: str, place: str, says: bytes
) -> None:
    said = hello(object_id, "Linux 2.6.32 mips")
    assert name_of(Tables(said.seen | {oid(place): says})) == name


def test_what_a_place_says_needs_a_place() -> None:
    with pytest.raises(ValueError, match="probe"):
        Match(object_id=("1.3.6.1.4.1.99",), says="x")


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


@pytest.mark.parametrize(
    ("place", "text", "name"),
    [
        ((*ENTITY, 12, 1), b"QNAP Systems, Inc.", "qnap"),
        ((*ENTITY, 12, 1), b"Dell Inc.", "linux"),
        ((*ENTITY, 12, 1), b"", "linux"),
        (oid("1.3.6.1.2.1.25.1.4.0"), b"root=/dev/md0 rw syno_hw_version=DS218", "dsm"),
        (oid("1.3.6.1.2.1.25.1.4.0"), b"BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro", "linux"),
    ],
)
def test_what_stands_in_a_common_branch_tells_what_net_snmp_does_not(
    place: Oid, text: bytes, name: str
) -> None:
    assert name_of(Tables({**hello(NET_SNMP, "Linux TS-453D 5.0.1").seen, place: text})) == name


def test_only_what_the_device_may_be_is_probed() -> None:
    assert probes(platforms(), hello("1.3.6.1.4.1.14988.1")) == [oid("1.3.6.1.4.1.39165")]
    assert oid("1.3.6.1.4.1.6574") in probes(platforms(), hello(NET_SNMP))


@pytest.mark.parametrize(
    ("object_id", "descr", "hardware", "version"),
    [
        (
            "1.3.6.1.4.1.30065.1.3011",
            "Arista Networks EOS version 4.28.3M running on an Arista vEOS",
            "vEOS",
            "4.28.3M",
        ),
        (
            "1.3.6.1.4.1.30065.1.2759",
            "Arista Networks EOS version 4.21.1F-INT running on an Arista Networks DCS-7020TR-48",
            "DCS-7020TR-48",
            "4.21.1F-INT",
        ),
        (CISCO, "Cisco Firepower Threat Defense, Version 7.2.5 (Build 208)", "", "7.2.5 (Build 208)"),
    ],
)
def test_what_it_is_stands_in_its_description(
    object_id: str, descr: str, hardware: str, version: str
) -> None:
    seen = hello(object_id, descr)
    found = identity(identify(platforms(), seen), seen)
    assert (found.hardware, found.version) == (hardware, version)


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


@pytest.mark.parametrize(
    ("said", "name", "version"),
    [("OPNsense 24.7.5_3 (amd64)", "opnsense", "24.7.5_3"), ("my own 3.1", "freebsd", "14.1-RELEASE-p5")],
)
def test_what_a_script_of_the_device_says_tells_who_it_is(said: str, name: str, version: str) -> None:
    tables = hello("1.3.6.1.4.1.8072.3.2.8", "FreeBSD gw 14.1-RELEASE-p5 SMP amd64")
    script = oid("1.3.6.1.4.1.8072.1.3.2.3.1.2.7.118.101.114.115.105.111.110")
    tables = Tables(tables.seen | {script: said.encode()})
    seen = identity(identify(platforms(), tables), tables)
    assert (seen.os, seen.version, seen.hardware) == (name, version, "amd64" if name == "opnsense" else "")


def test_a_version_may_stand_in_three_numbers() -> None:
    build = "1.3.6.1.4.1.21317.1.5"
    tables = hello(NET_SNMP, "Linux bmc", f"{build}.1.0")
    tables.seen.update({oid(f"{build}.{n}.0"): value for n, value in ((1, 1), (2, 73), (7, 5))})
    known = next(p for p in platforms() if p.name == "supermicro-bmc")
    assert identity(known, tables).version == "1.73.5"


UBNT, ZTE = "1.3.6.1.4.1.4413", "1.3.6.1.4.1.3902.15.2.1"
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
    (UBNT, "EdgeSwitch 24-Port 250W, 1.7.0.4922887, Linux 3.6.5", "EdgeSwitch 24-Port 250W", "1.7.0.4922887"),
    (UBNT, "US-8-60W 4.0.66.10832", "US-8-60W", "4.0.66.10832"),
    (UBNT, "USW-Flex-XG, firmware 5.43.36", "USW-Flex-XG", "5.43.36"),
    (ZTE, "ZXR10 2952E, Version: V2.05.11B17", "2952E", "V2.05.11B17"),
    (ZTE, "ZXR10 5928 Software, 5900 Version: V2.8.02.B.29, Copyright", "5928", "V2.8.02.B.29"),
    (ZTE, "ZXR10_5952 Software, Version ZXR10 5900 V2.8.23.C ", "5952", "V2.8.23.C"),
    ("1.3.6.1.4.1.43356.1.1.4", "Mimosa Firmware", "Mimosa C5", ""),
    ("1.3.6.1.4.1.43356.1.1.9", "Mimosa Firmware", "", ""),
    ("1.3.6.1.4.1.12356.120.10.23912", "", "FAP-23JF", ""),
    ("1.3.6.1.4.1.12356.120.10.43112", "", "FAP-431F", ""),
    ("1.3.6.1.4.1.12356.120.10.42231", "", "FAP-S422E", ""),
    ("1.3.6.1.4.1.8072.3.2.8", "pfSense Plus gw 23.09.1-RELEASE amd64", "amd64", "23.09.1-RELEASE"),
    (
        f"{WINDOWS}.2",
        "Hardware: Intel64 Family 6 Model 85 - Software: Windows Version 6.3 (Build 17763 Multiprocessor Free)",
        "Intel x64",
        "Server 2019 (1809)",
    ),
    (
        f"{WINDOWS}.1",
        "Hardware: AMD64 Family 25 Model 80 - Software: Windows Version 6.3 (Build 17763 Multiprocessor Free)",
        "AMD x64",
        "10 (1809)",
    ),
    (
        f"{WINDOWS}.3",
        "Hardware: sparc - Software: Windows Version 6.3 (Build 99999 Multiprocessor Free)",
        "sparc",
        "6.3 (Build 99999)",
    ),
    ("1.3.6.1.4.1.8072.3.2.13", "Windows SRV01 6.1.7601 Service Pack 1", "", "6.1.7601"),
    (NET_SNMP, "Linux pi 6.1.21-v7+ #1642 SMP Mon Apr 3 17:20:52 BST 2023 armv7l", "armv7", "6.1.21-v7+"),
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
        (
            "linux",
            {"10876.100.1.6.1.11.1": "X11SSH-F", "10876.100.1.6.1.16.1": "ZM1"},
            "Supermicro X11SSH-F",
            "ZM1",
        ),
        ("canonprinter", {"1602.1.1.1.1.0": "MF8500C Series"}, "MF8500C", ""),
        ("hikvision-nvr", {"50001.1.100.0": "2"}, "NVR", ""),
        ("hikvision-nvr", {"50001.1.100.0": "255"}, "", ""),
        ("ios", {"9.3.6.3.0": "FTX1"}, "", "FTX1"),
        ("zynos", {"890.1.5.8.55.1.10.0": "S110"}, "", "S110"),
        ("edgeos", {"41112.1.5.1.1.0": "EdgeRouter 8", "41112.1.5.1.2.0": "24A"}, "EdgeRouter 8", "24A"),
        (
            "vsolution",
            {
                "37950.1.1.5.10.12.5.1.0": "olt-desa",
                "37950.1.1.5.10.12.5.5.0": "V1.3",
                "37950.1.1.5.10.12.5.11.0": "V22",
                "37950.1.1.5.10.12.5.15.0": "V1600G1",
            },
            "V1600G1",
            "V22",
        ),
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
