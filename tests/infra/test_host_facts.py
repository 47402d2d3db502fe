"""What setup says of a host becomes a few short values; what a host made up does not."""

from infra.host_facts import kept

SETUP = {
    "ansible_distribution": "Debian",
    "ansible_product_serial": "CZ1234",
    "ansible_system_vendor": "To Be Filled By O.E.M.",
    "ansible_processor": ["0", "GenuineIntel", "Intel(R) Xeon(R) E-2314 CPU", "1", "GenuineIntel", "x"],
    "ansible_memtotal_mb": 15_900,
    "siaga_hardening": "41 of 44",
    "ansible_default_ipv4": {"address": "10.20.0.5"},
    "ansible_devices": {
        "sda": {"size": "447.13 GB", "model": "INTEL SSDSC2KB48"},
        "loop0": {"size": "55.00 MB", "model": None},
        "sr0": {"size": "1024.00 MB", "model": "DVD"},
        "nvme0n1": {"size": "931.51 GB", "model": None},
        "vdb": {"size": "0.00 Bytes"},
    },
    "ansible_interfaces": ["lo", "eth0", "br-lan", "ghost", 7],
    "ansible_lo": {"type": "loopback", "active": True},
    "ansible_eth0": {
        "type": "ether",
        "active": True,
        "macaddress": "52:54:00:12:34:56",
        "ipv4": {"address": "10.20.0.5", "prefix": "24"},
    },
    "ansible_br_lan": {"type": "bridge", "active": False, "macaddress": "52:54:00:ab:cd:ef"},
}


def test_hardware_and_interfaces_are_kept_in_one_line_each() -> None:
    assert kept(SETUP) == {
        "os": "Debian",
        "serial": "CZ1234",
        "processor": "Intel(R) Xeon(R) E-2314 CPU",
        "memory_mb": "15900",
        "hardening": "41 of 44",
        "default_address": "10.20.0.5",
        "disks": "nvme0n1 931.51 GB; sda 447.13 GB INTEL SSDSC2KB48",
        "interfaces": "br-lan 52:54:00:ab:cd:ef down; eth0 52:54:00:12:34:56 10.20.0.5/24 up",
    }


def test_a_host_with_a_thousand_interfaces_says_how_many_it_has() -> None:
    names = [f"tun{n}" for n in range(200)]
    found = kept({"ansible_interfaces": names, **{f"ansible_{n}": {"active": True} for n in names}})
    assert found["interfaces"].startswith("tun0 up; tun1 up; ")
    assert found["interfaces"].endswith("; and 184 more")
    assert len(found["interfaces"]) < 500


def test_values_of_another_shape_are_no_facts() -> None:
    odd = {"ansible_devices": ["sda"], "ansible_interfaces": "eth0", "ansible_processor": {"a": 1}}
    assert kept({**odd, "ansible_kernel": {"x": 1}, "ansible_memtotal_mb": True}) == {}
    assert (
        kept({"ansible_devices": {"sda\x1b[31m": {"size": "1 GB", "model": "a\nb"}}})["disks"]
        == "sda[31m 1 GB a b"
    )
