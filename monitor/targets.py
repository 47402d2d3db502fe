"""Who is asked and how: a Target is a device row with its secrets opened, nothing else of the inventory."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import SecretStr

NO_SECRET = SecretStr("")


class SnmpVersion(StrEnum):
    """The SNMP versions siaga speaks (RFC 3584: v1 and v2c are communities, v3 has users)."""

    v1 = "1"
    v2c = "2c"
    v3 = "3"


@dataclass(frozen=True)
class SnmpAuth:
    """How a device is asked by SNMP.

    Authentication: MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512 (RFC 3414, 7860).
    Privacy: DES, AES, AES-192, AES-256 (RFC 3414, 3826). Empty: none.
    """

    version: SnmpVersion = SnmpVersion.v2c
    community: SecretStr = NO_SECRET
    user: str = ""
    auth_protocol: str = ""
    auth_secret: SecretStr = NO_SECRET
    priv_protocol: str = ""
    priv_secret: SecretStr = NO_SECRET


@dataclass(frozen=True)
class SshAuth:
    """How a device is read over SSH: a user with a password, or with a private key file."""

    user: str
    password: SecretStr = NO_SECRET
    key_file: str = ""
    private_key: SecretStr = NO_SECRET
    enable_secret: SecretStr = NO_SECRET


@dataclass(frozen=True)
class Target:
    """One device to read. `platform` is the name of a file in inventory/platforms, or empty: find out.

    `jump` is the host through which SSH gets to it. `site`: devices of one site share the rate of its link; empty: no
    limit. `engine`: which SNMP engine asks (see monitor/snmp.py); empty: the lean one where it speaks the credential's
    protocols.
    """

    name: str
    address: str
    snmp_port: int = 161
    ssh_port: int = 22
    platform: str = ""
    snmp: SnmpAuth | None = None
    ssh: SshAuth | None = None
    device_id: int | None = None
    timeout_s: float = 2.0
    retries: int = 2
    site: str = ""
    engine: Literal["", "lean", "pysnmp"] = ""
    jump: "Target | None" = None
