"""What is polled in the SNMP benchmark, and from whom: the same for every client.

One poll is sysUpTime and eleven columns of IF-MIB (RFC 2863) for 28 interfaces: 309 varbinds.
"""

from ipaddress import IPv4Address

COLUMNS = {
    "ifHCInOctets": "1.3.6.1.2.1.31.1.1.1.6",
    "ifHCOutOctets": "1.3.6.1.2.1.31.1.1.1.10",
    "ifHCInUcastPkts": "1.3.6.1.2.1.31.1.1.1.7",
    "ifHCOutUcastPkts": "1.3.6.1.2.1.31.1.1.1.11",
    "ifHighSpeed": "1.3.6.1.2.1.31.1.1.1.15",
    "ifInErrors": "1.3.6.1.2.1.2.2.1.14",
    "ifOutErrors": "1.3.6.1.2.1.2.2.1.20",
    "ifInDiscards": "1.3.6.1.2.1.2.2.1.13",
    "ifOutDiscards": "1.3.6.1.2.1.2.2.1.19",
    "ifOperStatus": "1.3.6.1.2.1.2.2.1.8",
    "ifAdminStatus": "1.3.6.1.2.1.2.2.1.7",
}
SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
INTERFACES = 28
VARBINDS = 1 + len(COLUMNS) * INTERFACES
ROWS = 5  # of every column in one GETBULK: 56 varbinds, a reply of about 1.1 kB

# The responder answers on loopback only, and these open nothing else.
COMMUNITY = "public"
USER, AUTH_PASSWORD, PRIV_PASSWORD = "monsha256", "authpass123", "privpass123"

FIRST = IPv4Address("127.16.0.1")
LAST = IPv4Address("127.255.255.254")


def address(i: int) -> str:
    """Return the address of the i-th device, counted from 0; raises ValueError beyond 127.0.0.0/8."""
    found = FIRST + i
    if i < 0 or found > LAST:
        raise ValueError(f"there is no device {i} in 127.0.0.0/8")
    return str(found)


def mark(where: str) -> int:
    """Return the ifInErrors that every interface of a device shows: the low 24 bits of its address."""
    return int(IPv4Address(where)) & 0xFFFFFF


def definitions() -> list[str]:
    """Return what the C programs are compiled with, so that these names are written down once."""
    texts = {
        "COMMUNITY": COMMUNITY,
        "USER": USER,
        "AUTH_PASSWORD": AUTH_PASSWORD,
        "PRIV_PASSWORD": PRIV_PASSWORD,
    }
    numbers = {"INTERFACES": INTERFACES, "VARBINDS": VARBINDS, "ROWS": ROWS, "FIRST_ADDRESS": int(FIRST)}
    return [*(f'-D{k}="{v}"' for k, v in texts.items()), *(f"-D{k}={v}u" for k, v in numbers.items())]
